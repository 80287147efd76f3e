//! What a client checks below the layers of its user.

use std::sync::Arc;

use http::HeaderName;

use super::{Limits, Reply, Request, Transport};
use crate::error::Error;
use crate::framing::PREFIX;
use crate::headers::is_of_protocol;
use crate::timer::{BoxFuture, Timer};

/// Refuses requests to which a layer added headers that belong to the protocol.
#[derive(Debug)]
pub(crate) struct BelowLayers(pub(crate) Arc<dyn Transport>);

impl Transport for BelowLayers {
    fn send<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        let mut names = request.metadata.as_ref().keys().map(HeaderName::as_str);
        if let Some(name) = names.find(|name| is_of_protocol(name)) {
            let error = Error::config(format!("layer: {name:?} belongs to the protocol"));
            return Box::pin(std::future::ready(Err(error)));
        }
        self.0.send(request)
    }
}

/// Applies the limits of the client to a transport of the user's own, of which only the whole reply is seen.
#[derive(Debug)]
pub(crate) struct Limited {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) limits: Limits,
    pub(crate) timer: Arc<dyn Timer>,
}

impl Transport for Limited {
    fn send<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        Box::pin(async move {
            self.limits.check_request(request.framed().len() - PREFIX)?;
            let reply = self.limits.head(&*self.timer, self.transport.send(request)).await??;
            match reply.bytes().map(|bytes| bytes.len()) {
                Some(size) if size > self.limits.message.bytes => {
                    let error = self.limits.response_too_large(size);
                    Err(error.with_metadata(reply.metadata().clone()))
                }
                _ => Ok(reply),
            }
        })
    }
}
