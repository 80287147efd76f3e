//! stub
use crate::failure::Failure;
#[derive(clap::Args, Debug)]
pub struct Demo {}
impl Demo {
    pub fn run(self) -> Result<(), Failure> {
        Ok(())
    }
}
