//! An upstream chooses the text in which secrets are looked for. It must not choose how long that takes.

use std::time::{Duration, Instant};

use eset_protect::auth::StaticToken;
use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::{Client, RetryPolicy, Wire};

use crate::support::scripted::{Scripted, json as json_answer};

/// Longer than any of these takes with code that is not optimized, and shorter than a square of their length.
const BOUND: Duration = Duration::from_secs(30);

#[tokio::test]
async fn no_text_takes_longer_than_its_length() {
    // Its beginning repeats, as that of its spellings in numbers does.
    let token = "a".repeat(20_000);
    for piece in
        ["\\", "%", "\\\\u", "\\u{", "\\u00", "\\\\n", "\"", "&", "&#", "\\\\\\\\é", "97, ", "a"]
    {
        let mut body = piece.repeat(250_000 / piece.len());
        body.push_str("98");
        let server = Scripted::start([json_answer("400 Bad Request", &body)]).await;
        let client = Client::builder(&server.endpoint()).wire(Wire::Rest);
        let client = client.credentials(StaticToken::new(&*token)).retry(RetryPolicy::none());
        let client = client.connect_lazy().unwrap();
        let began = Instant::now();
        let list = client.device_tasks().list_tasks(ListTasksRequest::default());
        let error = list.await.unwrap_err();
        assert!(error.is_invalid_argument(), "{piece}: {error}");
        assert!(began.elapsed() < BOUND, "{piece}: {:?}", began.elapsed());
    }
}
