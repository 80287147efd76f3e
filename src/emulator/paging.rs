//! Pages of lists: sizes, tokens, and the split into pages.

use prost::Message;
use prost_reflect::{DynamicMessage, ReflectMessage, Value};

use super::failure::Failure;
use super::fingerprint::Fingerprint;

/// The maximum size of a page, to keep the response below the message limit of 16 MiB.
const MAX_PAGE_BYTES: usize = 12 * 1024 * 1024;

/// The number of items per page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageLimits {
    /// Used if the request says 0.
    pub default_size: u32,
    /// The maximum; larger values mean this.
    pub max_size: u32,
}

impl PageLimits {
    /// ESET Connect: 50, at most 1000 ([facts](crate::facts#paging)).
    pub const CLOUD: Self = Self::new(50, 1000);
    /// ESET PROTECT On-Prem: 100, at most 10000 ([facts](crate::facts#paging)).
    pub const ON_PREM: Self = Self::new(100, 10_000);

    /// Creates limits with these sizes.
    pub const fn new(default_size: u32, max_size: u32) -> Self {
        Self { default_size, max_size }
    }
}

/// The requested page of a list.
///
/// A token contains the key of the last item returned, so a list may change between two pages: items that
/// exist all the time are returned exactly once. A checksum binds the token to the list and its filters; any
/// other token is refused. The page size is not included and may change between pages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    list: Fingerprint,
    size: usize,
    after: Option<u64>,
}

impl Page {
    /// Extracts the page from a list request. Without a field for its size, it is the whole list.
    pub(crate) fn of(limits: PageLimits, request: &mut DynamicMessage) -> Result<Self, Failure> {
        let size = match request.take_field_by_name("page_size") {
            Some(Value::U32(size)) => size,
            Some(Value::I32(size)) => u32::try_from(size).unwrap_or_default(),
            Some(Value::I64(size)) => u32::try_from(size.max(0)).unwrap_or(u32::MAX),
            _ => 0,
        };
        let token = request.take_field_by_name("page_token");
        let descriptor = request.descriptor();
        // The remaining fields are the filters.
        let list = Fingerprint::new().part(descriptor.full_name()).part(request.encode_to_vec());
        let size = match (descriptor.get_field_by_name("page_size"), size) {
            (None, _) => usize::MAX,
            (_, 0) => limits.default_size as usize,
            (_, size) => size.min(limits.max_size) as usize,
        };
        let mut page = Self { list, size: size.max(1), after: None };
        let token = token.as_ref().and_then(Value::as_str).unwrap_or_default();
        if !token.is_empty() {
            page.after = Some(page.key(token).ok_or_else(|| {
                Failure::invalid("page_token", "the token is not one of this list and its filters")
            })?);
        }
        Ok(page)
    }

    /// Returns the first key of the page; `None` if there is none after the token.
    pub(crate) fn start(&self) -> Option<u64> {
        match self.after {
            None => Some(0),
            Some(after) => after.checked_add(1),
        }
    }

    /// Takes the page's items from all items or those that start at [`start`](Self::start), each with its key and
    /// size in bytes, and returns the token of the next page, empty on the last.
    pub(crate) fn take<T>(
        &self,
        items: impl Iterator<Item = Result<(u64, usize, T), Failure>>,
    ) -> Result<(Vec<T>, String), Failure> {
        let mut taken = Vec::new();
        let (mut bytes, mut last) = (0_usize, None);
        for item in items {
            let (key, size, item) = item?;
            if self.after.is_some_and(|after| key <= after) {
                continue;
            }
            bytes = bytes.saturating_add(size);
            if let Some(last) = last
                && (taken.len() >= self.size || bytes > MAX_PAGE_BYTES)
            {
                return Ok((taken, self.token(last)));
            }
            taken.push(item);
            last = Some(key);
        }
        Ok((taken, String::new()))
    }

    fn token(&self, key: u64) -> String {
        format!("{key:016x}{:016x}", self.list.part(key.to_be_bytes()).value())
    }

    fn key(&self, token: &str) -> Option<u64> {
        let key = u64::from_str_radix(token.get(..16)?, 16).ok()?;
        (self.token(key) == token).then_some(key)
    }
}
