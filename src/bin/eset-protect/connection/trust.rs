//! Which certificates to trust.

use std::path::{Path, PathBuf};

use clap::Args;
use eset_protect::{Error, TlsConfig};

use super::environment;
use super::target::Place;
use crate::failure::Failure;
use crate::input;

const CA_CERT: &str = "ESET_PROTECT_CA_CERT";
const PIN_CERT: &str = "ESET_PROTECT_PIN_CERT";

#[derive(Args, Debug)]
pub struct Trust {
    /// Trust this authority too: a file of certificates in PEM [env: ESET_PROTECT_CA_CERT]
    #[arg(long, global = true, value_name = "FILE")]
    ca_cert: Option<PathBuf>,
    /// Trust exactly this certificate, whatever name and dates it has: a file in PEM, for servers that
    /// signed their own [env: ESET_PROTECT_PIN_CERT]
    #[arg(long, global = true, value_name = "FILE")]
    pin_cert: Option<PathBuf>,
}

/// What is trusted beside what the system trusts, or instead of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trusted {
    System,
    Authority,
    Pinned,
}

impl Trust {
    /// The certificates that the flags say, or else the environment.
    pub fn find(&self, place: &Place) -> Result<(Trusted, Option<TlsConfig>), Failure> {
        // What a flag says goes before what the environment says, of either.
        let (names, ca_cert, pin_cert) = match (&self.ca_cert, &self.pin_cert) {
            (None, None) => {
                let (ca_cert, pin_cert) = (environment::path(CA_CERT), environment::path(PIN_CERT));
                ([CA_CERT, PIN_CERT], ca_cert, pin_cert)
            }
            (ca_cert, pin_cert) => (["--ca-cert", "--pin-cert"], ca_cert.clone(), pin_cert.clone()),
        };
        let [ca_name, pin_name] = names;
        match (ca_cert, pin_cert) {
            (None, None) => Ok((Trusted::System, None)),
            (Some(_), Some(_)) => Err(Failure::Input(format!(
                "{ca_name}, {pin_name}: expected one of them: a pinned certificate needs no authority"
            ))),
            (Some(path), None) => {
                let tls = TlsConfig::new().ca_certificate(read(ca_name, &path)?);
                let tls = tls.map_err(|error| wrong(ca_name, &path, &error))?;
                Ok((Trusted::Authority, Some(tls)))
            }
            (None, Some(path)) => {
                if !place.is_secure() && self.pin_cert.is_some() {
                    return Err(Failure::Input(format!(
                        "--pin-cert: {place} is not https, so it shows no certificate"
                    )));
                }
                let tls = TlsConfig::new().pinned_certificate(read(pin_name, &path)?);
                let tls = tls.map_err(|error| wrong(pin_name, &path, &error))?;
                Ok((Trusted::Pinned, Some(tls)))
            }
        }
    }
}

fn read(name: &str, path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = input::read_file(name, path)?;
    // What is no text is no PEM either, which is for the library to say.
    Ok(input::decode(&bytes).map_or(bytes, String::into_bytes))
}

fn wrong(name: &str, path: &Path, error: &Error) -> Failure {
    // The name says already which it is.
    let message = error.message();
    let problem = message.split_once(" certificate: ").map_or(message, |(_, problem)| problem);
    Failure::Input(format!("{name} {}: {problem}", path.display()))
}
