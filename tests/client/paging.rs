//! Lists of many pages and many concurrent calls: prefetching, resuming, memory, and what remains after a
//! drop.

mod bulk;
mod bulk_items;
mod prefetch;
mod progress;
mod resume;
pub mod server;
mod timeouts;
mod tokens;

use eset_protect::Call;

use added_service::proto::example::greeter::v1::{ListPeopleRequest, ListPeopleResponse};
use added_service::rpc::greeter::ListPeople;
use server::Server;

/// A request for a page.
fn page(page_token: impl Into<String>, page_size: u32) -> ListPeopleRequest {
    ListPeopleRequest { page_token: page_token.into(), page_size }
}

/// Lists the first `total` numbers.
async fn numbers(server: &Server, total: usize, page_size: u32) -> Call<ListPeople> {
    server.client().await.call(page(format!("{total}:0"), page_size))
}

/// Returns the numbers on a page.
fn on_page(page: &ListPeopleResponse) -> Vec<usize> {
    page.people.iter().map(|person| person.name.parse().expect("a number")).collect()
}

#[test]
fn all_of_them_can_be_moved_to_another_thread() {
    fn check<T: Send + Unpin>() {}
    check::<eset_protect::Paginator<ListPeople>>();
    check::<eset_protect::Items<ListPeople>>();
    check::<eset_protect::Bulk<'_, ListPeople>>();
    check::<eset_protect::BulkItems<'_, ListPeople>>();
    check::<eset_protect::BulkResponse<ListPeople>>();
    check::<eset_protect::BulkItem<ListPeople>>();
    check::<eset_protect::Progress>();
}
