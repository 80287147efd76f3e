//! Shows a list or an item again and again.

use std::pin::pin;
use std::time::Duration;

use clap::Args;
use console::Term;
use eset_protect::codegen::duration;

use crate::failure::Failure;
use crate::output::{Output, View};
use crate::stop_signal::stop_signal;

#[derive(Args, Clone, Copy, Debug, Default)]
pub struct Watch {
    /// Show it again after each pause, of 5s or the given time, until Ctrl-C; a table at a terminal is replaced
    #[arg(
        long,
        value_name = "TIME",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "5s",
        value_parser = duration
    )]
    watch: Option<Duration>,
}

impl Watch {
    pub fn is_on(self) -> bool {
        self.watch.is_some()
    }

    /// Prints once, or until it is stopped, which is no failure.
    pub async fn run(
        self,
        view: &View,
        mut print: impl AsyncFnMut() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let Some(pause) = self.watch else { return print().await };
        let mut stopped = pin!(stop_signal()?);
        loop {
            if Output::new().is_terminal && view.is_for_people() {
                Term::stdout()
                    .clear_screen()
                    .map_err(|error| Failure::io("the terminal", &error))?;
            }
            let round = async {
                print().await?;
                tokio::time::sleep(pause).await;
                Ok::<(), Failure>(())
            };
            tokio::select! {
                biased;
                () = &mut stopped => return Ok(()),
                done = round => done?,
            }
        }
    }
}
