//! The part of the configuration for transports, layers and interceptors of your own.

use std::sync::Arc;

use tonic::metadata::MetadataMap;

use super::ClientBuilder;
use crate::error::Error;
use crate::rpc::MethodSpec;
use crate::transport::Transport;

impl ClientBuilder {
    /// Sends all calls by this transport instead of gRPC or REST: a mock in tests, or another gRPC stack; see
    /// [`transport`](crate::transport). The client connects nothing itself and gives the transport the access
    /// tokens, if it has [`credentials`](Self::credentials). Settings of the wires, such as
    /// [`endpoints`](Self::endpoints), are errors with it; [`max_message_size`](Self::max_message_size) and
    /// [`first_byte_timeout`](Self::first_byte_timeout) apply to it, too.
    #[must_use]
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.seam.transport = Some(Arc::new(transport));
        self
    }

    /// Puts a transport around that of the client, which sees every attempt: a recorder, a cache, your own
    /// metrics; see [`transport`](crate::transport). The layer that is added last sees a request first. With
    /// `Wire::Auto` it is around both wires. It may change the metadata, but a header that belongs to the protocol is
    /// an error ([`CallOptions::metadata`](crate::CallOptions::metadata)), and nothing is sent.
    #[must_use]
    pub fn layer<T: Transport>(
        mut self,
        layer: impl Fn(Arc<dyn Transport>) -> T + Send + Sync + 'static,
    ) -> Self {
        self.seam.layers.push(Arc::new(move |inner| Arc::new(layer(inner))));
        self
    }

    /// Runs before each attempt of a call, after its access token has been added, and may change its metadata, such
    /// as a tenant or a signature. It does not run for the login, nor again for the polls of a pending response.
    ///
    /// An error fails the call, and nothing is sent; if it [is retryable](Error::is_retryable), the call is tried
    /// again first. Create it from a [`tonic::Status`]. A header that belongs to the protocol
    /// ([`CallOptions::metadata`](crate::CallOptions::metadata)) is an error as well. Values with a secret are shown
    /// nowhere under the conditions of
    /// [`CallOptions::metadata`](crate::CallOptions::metadata).
    ///
    /// ```
    /// # fn run(builder: eset_protect::ClientBuilder) -> eset_protect::ClientBuilder {
    /// builder.interceptor(|_spec, metadata| {
    ///     metadata.insert("x-tenant", tonic::metadata::MetadataValue::from_static("acme"));
    ///     Ok(())
    /// })
    /// # }
    /// ```
    #[must_use]
    pub fn interceptor(
        mut self,
        interceptor: impl Fn(&'static MethodSpec, &mut MetadataMap) -> Result<(), Error>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        self.seam.interceptors.push(Arc::new(interceptor));
        self
    }

    /// Appends a product to the header `user-agent`, such as `acme-soar/2.1`: `eset-protect/0.1.0 acme-soar/2.1`. Over
    /// gRPC, tonic appends its own. Also for the login. Only visible ASCII and spaces are allowed; anything else is
    /// an error when the client is built.
    #[must_use]
    pub fn user_agent_suffix(mut self, product: impl Into<String>) -> Self {
        self.seam.user_agent = Some(product.into());
        self
    }
}
