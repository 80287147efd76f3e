//! The journal of a rollout, and saved plans: a plan, and the server that it is for.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Args;
use eset_protect::codegen::decode_text;
use eset_protect::rollout::Plan;
use serde::{Deserialize, Serialize};

use super::files::write;
use crate::connection::Connection;
use crate::failure::{self, Failure};
use crate::input;
use crate::whole_file::write_locked;
use crate::wording::read_json;

/// Where `apply` and `set` keep their journal. No policy's file ends so.
pub const JOURNAL: &str = "eset-protect.journal";

/// What a journal or a saved plan contains.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Saved<P> {
    /// The server whose policies the plan changes.
    server: String,
    plan: P,
}

/// The server that a command works on, and whether others may be the same tenant.
#[derive(Debug)]
pub struct Place {
    server: String,
    same_tenant: bool,
}

#[derive(Args, Clone, Copy, Debug)]
pub struct SameTenant {
    /// Accept a journal or a saved plan of another server, of another user of the cloud, or of another `--tenant` of a
    /// bridge: you say that it is the same tenant
    #[arg(long)]
    same_tenant: bool,
}

impl SameTenant {
    pub fn place(self, connection: &Connection) -> Result<Place, Failure> {
        Ok(Place { server: connection.upstream.tenant()?, same_tenant: self.same_tenant })
    }
}

impl Place {
    pub fn of(connection: &Connection) -> Result<Self, Failure> {
        SameTenant { same_tenant: false }.place(connection)
    }

    pub fn save(&self, path: &Path, plan: &Plan) -> Result<(), Failure> {
        write(path, &self.json(plan)?)
    }

    fn json(&self, plan: &Plan) -> Result<Vec<u8>, Failure> {
        Ok(serde_json::to_vec(&Saved { server: self.server.clone(), plan })?)
    }

    /// Reads a saved plan.
    pub fn read(&self, path: &Path) -> Result<Plan, Failure> {
        self.parse(path, &input::read("", path)?)
    }

    /// Refuses the plan of another tenant. Its state may be the same by chance: without any policies, or in a copy.
    fn parse(&self, path: &Path, content: &[u8]) -> Result<Plan, Failure> {
        let saved = decode_text(content).and_then(|text| read_json::<Saved<Plan>>(&text));
        let saved = saved.map_err(|problem| input::wrong("", path, &problem))?;
        if saved.server == self.server || self.same_tenant {
            return Ok(saved.plan);
        }
        let (path, of, here) = (path.display(), saved.server, &self.server);
        Err(Failure::Explained {
            exit_code: failure::INPUT,
            message: format!("{path} is of {of}, and this is {here}; nothing was sent"),
            hints: vec![
                "choose that server, or say --same-tenant if both are the same tenant".to_owned(),
            ],
        })
    }
}

/// A journal that no other process works on.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// The file, locked; `None` until it is written.
    file: Option<File>,
    /// Whether nothing was done yet.
    pub is_new: bool,
}

impl Journal {
    /// Refuses to begin while a run is interrupted, or under way.
    pub fn expect_none(path: &Path) -> Result<(), Failure> {
        if lock(path)?.is_none() {
            return Ok(());
        }
        let what = "the journal of an interrupted run; expected --resume or --roll-back first";
        Err(Failure::Explained {
            exit_code: failure::INPUT,
            message: format!("{}: {what}", path.display()),
            hints: ways_on(path),
        })
    }

    pub fn new(path: &Path) -> Result<Self, Failure> {
        Self::expect_none(path)?;
        Ok(Self { path: path.to_owned(), file: None, is_new: true })
    }

    /// Opens the journal of an interrupted run.
    pub fn open(path: &Path, place: &Place) -> Result<(Self, Plan), Failure> {
        let Some(mut file) = lock(path)? else {
            return Err(Failure::Explained {
                exit_code: failure::INPUT,
                message: format!("nothing was interrupted here: there is no {}", path.display()),
                hints: vec!["--journal names the journal of a run elsewhere".to_owned()],
            });
        };
        let mut content = Vec::new();
        file.read_to_end(&mut content).map_err(Failure::file(path))?;
        let plan = place.parse(path, &content)?;
        Ok((Self { path: path.to_owned(), file: Some(file), is_new: false }, plan))
    }

    /// Writes the journal, in place of the one that was opened.
    pub fn write(&mut self, place: &Place, plan: &Plan) -> Result<(), Failure> {
        let json = place.json(plan)?;
        // Windows replaces no file that is open. Elsewhere the old one stays locked until the new one is in its place.
        if cfg!(windows) {
            self.file = None;
        }
        let file = write_locked(&self.path, &json, !self.is_new).or_else(|error| {
            // Another process was faster.
            if error.kind() == io::ErrorKind::AlreadyExists {
                Self::expect_none(&self.path)?;
            }
            Err(Failure::file(&self.path)(error))
        })?;
        self.file = Some(file);
        Ok(())
    }

    pub fn remove(&self) -> Result<(), Failure> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Failure::file(&self.path)(error))
            }
            _ => Ok(()),
        }
    }

    pub fn kept(&self) -> String {
        format!("the journal {} is kept", self.path.display())
    }

    pub fn ways_on(&self) -> Vec<String> {
        ways_on(&self.path)
    }
}

/// The commands after an interruption.
fn ways_on(journal: &Path) -> Vec<String> {
    let journal = match journal == Path::new(JOURNAL) {
        true => String::new(),
        false => format!(" --journal {}", journal.display()),
    };
    vec![
        format!("`eset-protect policies apply --resume{journal}` does the rest"),
        format!("`eset-protect policies apply --roll-back{journal}` returns to the state before"),
    ]
}

/// Opens a journal and locks it, until the file is closed or the process ends. `None` if there is none.
// The command needs Rust 1.90.
#[expect(clippy::incompatible_msrv)]
fn lock(path: &Path) -> Result<Option<File>, Failure> {
    loop {
        let file = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::file(path)(error)),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let what = "another process works on this journal; wait until it has ended";
                let message = format!("{}: {what}", path.display());
                return Err(Failure::ended(failure::INPUT, message));
            }
            Err(TryLockError::Error(error)) => {
                let what = "cannot be locked; --journal names one on another disk";
                return Err(Failure::Other(format!("{}: {what}: {error}", path.display())));
            }
        }
        if is_at(&file, path).map_err(Failure::file(path))? {
            return Ok(Some(file));
        }
    }
}

/// Whether a path still leads to a file: the process that had it locked may have removed or replaced it.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let (file, there) = (file.metadata()?, fs::metadata(path));
    Ok(there.is_ok_and(|there| (there.dev(), there.ino()) == (file.dev(), file.ino())))
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}
