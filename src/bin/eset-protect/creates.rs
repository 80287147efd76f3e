//! Creating many things from one file.

use eset_protect::rpc::Rpc;
use serde::Serialize;

use crate::bulk::{Bulk, BulkSettings, Item, What};
use crate::connection::Connection;
use crate::details::Details;
use crate::failure::Failure;

/// Creates what these requests ask for. Each stands at a place of the file; `name` is that of what it
/// asks for, and `item` finds what was created in the answer.
pub fn create_many<R: Rpc, T: Details>(
    connection: Connection,
    settings: BulkSettings,
    requests: Vec<(String, R::Request)>,
    name: fn(&R::Request) -> &str,
    item: fn(&R::Response) -> Option<&T>,
) -> Result<(), Failure> {
    let items = requests.into_iter().map(|(place, request)| {
        let name = name(&request);
        let name = if name.is_empty() { place } else { format!("{place}, {name:?}") };
        Ok(Item { name, line: json(&request)?, request })
    });
    let items = items.collect::<Result<_, Failure>>()?;
    let bulk = Bulk::<R, T>::new(items, settings, "created", What::Rows(T::NAME, item));
    connection.run(async |client, format| bulk.run(client, format).await)
}

fn json(request: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(request)
        .map_err(|error| Failure::Other(format!("cannot be written as JSON: {error}")))
}
