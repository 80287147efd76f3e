//! Reads long lists: by page, by item, and from a page where another reader stopped.
//!
//!     cargo run --features emulator --example pages

mod support;

use eset_protect::automation::v1::ListTasksRequest;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let target = support::target().await?;
    let tasks = target.client.device_tasks();

    let request = ListTasksRequest { page_size: 20, ..Default::default() };
    let mut pages = tasks.list_tasks(request).pages();
    if let Some(page) = pages.next().await {
        println!("{} tasks on the first page", page?.tasks.len());
    }
    // A token can be stored and used later, even by another process.
    let page_token = pages.page_token().map(str::to_owned);

    if let Some(page_token) = page_token {
        let rest = ListTasksRequest { page_token, ..Default::default() };
        // Fetches up to three pages ahead while this loop counts the tasks of one.
        let mut items = tasks.list_tasks(rest).items().prefetch(3);
        let mut count = 0;
        while let Some(task) = items.next().await {
            task?;
            count += 1;
        }
        println!("{count} tasks on the others");
    }
    target.close().await;
    Ok(())
}
