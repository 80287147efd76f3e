//! Calls by HTTP method and path.

use super::Client;
use crate::call::raw;
use crate::error::Error;
use crate::proto::google::api::HttpBody;

impl Client {
    /// Makes a call over REST by its HTTP method and path, of an operation for which there is no RPC. `host` is one of
    /// [`MethodSpec::host`](crate::rpc::MethodSpec::host) for ESET's cloud, and empty elsewhere. For the command.
    #[doc(hidden)]
    pub async fn raw(
        &self,
        host: &str,
        method: &str,
        path_and_query: String,
        body: Option<Vec<u8>>,
    ) -> Result<HttpBody, Error> {
        raw(&self.context, host, method, path_and_query, body).await
    }
}
