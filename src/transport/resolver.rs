//! Looks up the addresses of a host.

use std::fmt::Debug;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::pointers::for_pointers;
use crate::timer::BoxFuture;

/// Looks up the addresses of a server, for
/// [`ClientBuilder::resolver`](crate::ClientBuilder::resolver): [`Dns`], or a service registry of your own.
///
/// ```
/// use std::io;
/// use std::net::SocketAddr;
///
/// use eset_protect::auth::BoxFuture;
/// use eset_protect::transport::Resolver;
///
/// /// Reads the addresses from a file that a deployment keeps up to date.
/// #[derive(Debug)]
/// struct AddressFile;
///
/// impl Resolver for AddressFile {
///     fn resolve<'a>(&'a self, _: &'a str, _: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
///         Box::pin(async {
///             let text = std::fs::read_to_string("/run/bridges")?;
///             text.lines().map(|line| line.parse().map_err(io::Error::other)).collect()
///         })
///     }
/// }
/// ```
pub trait Resolver: Debug + Send + Sync + 'static {
    /// Returns the addresses of a host, which is a name or an address without brackets. A link-local address
    /// (`fe80::…`) needs its scope.
    ///
    /// # Errors
    ///
    /// If they cannot be looked up. The client keeps the addresses that it has; without any, a call fails with an
    /// error of kind [`Connect`](crate::ErrorKind::Connect), and nothing was sent.
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>>;
}

for_pointers! {
    Resolver: resolve['a](host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>>;
}

/// The resolver of the operating system: DNS, `/etc/hosts` and whatever else it is configured to ask.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dns;

impl Resolver for Dns {
    fn resolve<'a>(
        &'a self,
        host: &'a str,
        port: u16,
    ) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}
