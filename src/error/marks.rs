//! What this crate itself has to know of an error, beside what it shows to callers.

use super::Error;

/// Marks with the function that asks for each, and the one that sets it.
macro_rules! marks {
    ($($(#[$doc:meta])* $is_marked:ident $mark:ident;)*) => {
        #[derive(Clone, Copy, Default)]
        pub(super) struct Marks {
            $($is_marked: bool,)*
        }

        #[cfg_attr(not(feature = "serve"), allow(dead_code, reason = "not every server asks for all"))]
        impl Error {
            $(
                $(#[$doc])*
                pub(crate) fn $is_marked(&self) -> bool {
                    self.0.marks.$is_marked
                }

                pub(crate) fn $mark(mut self) -> Self {
                    self.0.marks.$is_marked = true;
                    self
                }
            )*
        }
    };
}

marks! {
    /// Whether one endpoint of several failed, and the same call can go to another. That says nothing about their health.
    is_elsewhere elsewhere;
    /// Whether the client's own credentials are the cause: there was no token for the call.
    is_of_credentials of_credentials;
    /// Whether the server was asked, and no byte of a response came in the time that it had.
    is_unanswered unanswered;
    /// Whether the response is a page or text, which a proxy sends and not the service.
    is_foreign foreign;
}
