//! stub
use crate::failure::Failure;
#[derive(clap::Args, Debug)]
pub struct Args {}
impl Args {
    pub fn run(self) -> Result<(), Failure> {
        Ok(())
    }
}
