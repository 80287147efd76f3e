//! Transports, layers and interceptors that the user supplies.

use std::sync::Arc;

use http::HeaderValue;

use crate::call::Interceptor;
use crate::error::Error;
use crate::transport::{BelowLayers, Link, Transport, USER_AGENT};

type Layer = Arc<dyn Fn(Arc<dyn Transport>) -> Arc<dyn Transport> + Send + Sync>;

/// Transports, layers and interceptors that the user supplies.
#[derive(Clone, Default)]
pub(super) struct Seam {
    pub(super) transport: Option<Arc<dyn Transport>>,
    pub(super) layers: Vec<Layer>,
    pub(super) interceptors: Vec<Interceptor>,
    pub(super) user_agent: Option<String>,
}

impl Seam {
    pub(super) fn user_agent(&self) -> Result<HeaderValue, Error> {
        let Some(product) = &self.user_agent else {
            return Ok(HeaderValue::from_static(USER_AGENT));
        };
        let is_visible = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
        let value = HeaderValue::try_from(format!("{USER_AGENT} {product}")).ok();
        value.filter(|_| product.bytes().all(is_visible)).ok_or_else(|| {
            Error::config(format!("user_agent_suffix: expected visible ASCII, found {product:?}"))
        })
    }

    pub(super) fn layered(&self, link: Link) -> Link {
        if self.layers.is_empty() {
            return link;
        }
        let link = link.layered(|wire| Arc::new(BelowLayers(wire)));
        self.layers.iter().fold(link, |link, layer| link.layered(|inner| layer(inner)))
    }
}
