//! Prefetched lists, and many concurrent calls and lists.

use eset_protect::automation::v1::{ListTaskRunsRequest, ListTasksRequest};
use eset_protect::rpc::device_tasks::{CreateTask, DeleteTask, GetTask, ListTaskRuns};

use crate::over_all_routes;
use crate::tasks::{scan, task};

#[tokio::test]
async fn a_list_is_the_same_however_much_is_fetched_ahead() {
    over_all_routes(async |world| {
        let tasks = world.client.device_tasks();
        for ahead in [0, 1, 2, 16] {
            let request = ListTasksRequest { page_size: 40, ..Default::default() };
            let mut pages = tasks.list_tasks(request.clone()).pages().prefetch(ahead);
            let mut count = 0;
            while let Some(page) = pages.next().await {
                count += world.note("page", page).expect("a page").tasks.len();
                world.say(format!("goes on at {:?}", pages.page_token()));
            }
            let mut items = tasks.list_tasks(request).items().prefetch(ahead);
            while let Some(task) = items.next().await {
                task.expect("a task");
                count -= 1;
            }
            assert_eq!(count, 0, "as many items as the pages have");
        }
    })
    .await;
}

#[tokio::test]
async fn a_list_goes_on_in_the_middle_of_what_was_fetched_ahead() {
    over_all_routes(async |world| {
        let tasks = world.client.device_tasks();
        let request = ListTasksRequest { page_size: 40, ..Default::default() };
        let mut all = tasks.list_tasks(request.clone()).items();
        let mut uuids = Vec::new();
        while let Some(task) = all.next().await {
            uuids.push(task.expect("a task").uuid);
        }
        for stop in [0, 1, 39, 40, 41, 119] {
            let mut items = tasks.list_tasks(request.clone()).items().prefetch(3);
            for _ in 0..stop {
                items.next().await.expect("more").expect("a task");
            }
            let page_token = items.page_token().expect("more").to_owned();
            world.say(format!("{page_token:?} and {}", items.page_offset()));
            let mut rest = tasks.list_tasks(ListTasksRequest { page_token, page_size: 17 }).items();
            for uuid in &uuids[stop - items.page_offset()..] {
                assert_eq!(rest.next().await.expect("more").expect("a task").uuid, *uuid);
            }
            assert!(rest.next().await.is_none());
        }
    })
    .await;
}

#[tokio::test]
async fn a_foreign_token_ends_the_list_and_stays_its_place() {
    over_all_routes(async |world| {
        let request = ListTasksRequest { page_token: "nonsense".to_owned(), page_size: 5 };
        let mut items = world.client.device_tasks().list_tasks(request).items();
        world.note("refused", items.next().await.expect("an error"));
        assert!(items.next().await.is_none());
        world.say(format!("{:?}", items.page_token()));
    })
    .await;
}

#[tokio::test]
async fn many_tasks_are_created_read_listed_and_deleted() {
    over_all_routes(async |world| {
        let client = world.client.clone();
        let wanted = (0..30).map(|number| task(&format!("Bulk {number}"), scan()));
        // One at a time, so that identifiers are assigned in the same order on both wires.
        let mut uuids = Vec::new();
        for response in client.bulk::<CreateTask>(wanted).concurrency(1).collect().await {
            let created = world.note("created", response.result);
            uuids.push(created.expect("a task").uuid);
        }

        for number in [7, 20] {
            uuids.insert(number, format!("missing {number}"));
        }
        let mut left = Vec::new();
        for response in client.bulk::<GetTask>(uuids).concurrency(8).collect().await {
            world.say(format!("{} {}", response.index, response.request.task_uuid));
            if world.note("read", response.result).is_some() {
                left.push(response.request.task_uuid);
            }
        }
        assert_eq!(left.len(), 30);

        let lists = left.iter().map(|uuid| ListTaskRunsRequest {
            task_uuid: uuid.clone(),
            page_size: 1,
            ..Default::default()
        });
        let mut runs = client.bulk_items::<ListTaskRuns>(lists).concurrency(4).prefetch(1);
        let mut listed = Vec::new();
        while let Some(item) = runs.next().await {
            listed.push((item.index, item.result.expect("a run")));
        }
        listed.sort_by_key(|(index, _)| *index);
        world.say(format!("{listed:?}"));
        assert_eq!(listed.len(), 30);

        let mut deleted = client.bulk::<DeleteTask>(left.iter().map(String::as_str));
        let progress = deleted.progress();
        while let Some(response) = deleted.next().await {
            response.result.expect("deleted");
        }
        world.say(format!("{:?}", progress.counts()));
    })
    .await;
}
