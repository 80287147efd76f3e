//! What a command has that its RPC does not say.

use std::fmt::Debug;

use clap::{ArgMatches, Command};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;

use crate::check::CheckOptions;
use crate::failure::Failure;
use crate::response::Call;

/// A request, and the paths of the fields that arguments of their own set, each with its argument.
pub type Completed = (String, Vec<(String, String)>);

/// Flags chosen by hand instead of one for each field, as `tasks create` and `isolate` have them.
pub trait Own: Debug + Sync {
    /// Returns the description of the command.
    fn about(&self) -> &'static str;

    /// Returns the paths of the fields that have a flag, each with its name; in capitals, that of an argument.
    fn names(&self) -> &'static [(&'static str, &'static str)];

    /// Whether the arguments name all that it is for, so that `--from` reads them and no file has a request.
    fn is_by_name(&self) -> bool {
        false
    }

    /// Adds examples, and the arguments that are no field.
    fn declare(&self, command: Command) -> Command;

    /// Returns an option that only works for a single request, if it is given.
    fn only_one(&self, _: &ArgMatches) -> Result<Option<&'static str>, Failure> {
        Ok(None)
    }

    /// Completes a request that has the fields of the flags.
    fn complete(
        &self,
        json: String,
        matches: &ArgMatches,
        check: CheckOptions,
    ) -> Result<Completed, Failure>;

    /// Makes the call of a single request.
    fn call<'a>(
        &'a self,
        call: Call<'a>,
        request: &'a str,
        _: &'a ArgMatches,
    ) -> LocalBoxFuture<'a, Result<(), Failure>> {
        call.make(request).boxed_local()
    }
}
