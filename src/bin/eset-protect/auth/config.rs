//! Changes the file of profiles, and keeps what people wrote in it.

use std::path::{Path, PathBuf};
use std::{fs, io};

use eset_protect::codegen::Profile;
use toml_edit::{Array, DocumentMut, Item, Table, value};

use crate::failure::Failure;
use crate::whole_file::{Readers, write};

const COMMAND: &str = "credentials_command";

/// The file.
#[derive(Debug)]
pub struct Config {
    pub path: PathBuf,
    document: DocumentMut,
}

impl Config {
    pub fn open() -> Result<Self, Failure> {
        let path = Profile::file()
            .ok_or_else(|| Failure::Other("there is no home directory for profiles".to_owned()))?;
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text.map_err(Failure::file(&path))?,
        };
        let document = text.parse::<DocumentMut>();
        let document = document
            .map_err(|error| Failure::Input(format!("{}: {}", path.display(), error.message())))?;
        Ok(Self { path, document })
    }

    pub fn default_profile(&self) -> Option<String> {
        self.document.get("profile").and_then(Item::as_str).map(str::to_owned)
    }

    /// Sets the server and the login of a profile, and makes it the default if there is none.
    pub fn set(
        &mut self,
        profile: &str,
        settings: &[(String, String)],
        command: Option<&[String]>,
    ) -> Result<(), Failure> {
        let table = self.table(profile)?;
        let server = ["endpoint", "region", "on_prem", "wire"];
        let login = ["credentials", "username", "password_env", "token_env", COMMAND];
        for key in server.into_iter().chain(login) {
            table.remove(key);
        }
        for (key, text) in settings {
            table[key] = value(text.as_str());
        }
        if let Some(command) = command {
            table[COMMAND] = value(command.iter().map(String::as_str).collect::<Array>());
        }
        if self.document.get("profile").is_none() {
            self.document["profile"] = value(profile);
        }
        self.write()
    }

    /// Removes the command of a login, if it is this one. Returns whether it was.
    pub fn forget_command(&mut self, profile: &str, command: &[String]) -> Result<bool, Failure> {
        let table = self.table(profile)?;
        let found = table.get(COMMAND).and_then(Item::as_array);
        let is_it = found.is_some_and(|found| {
            found.iter().map(|part| part.as_str()).eq(command.iter().map(|part| Some(&**part)))
        });
        if is_it {
            table.remove(COMMAND);
            self.write()?;
        }
        Ok(is_it)
    }

    fn table(&mut self, profile: &str) -> Result<&mut Table, Failure> {
        let wrong = format!("{}: expected [profiles.{profile}] to be a table", self.path.display());
        let profiles = self.document.entry("profiles").or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(true);
            Item::Table(table)
        });
        let table = profiles.as_table_mut().map(|profiles| profiles.entry(profile));
        let table = table.map(|entry| entry.or_insert_with(|| Item::Table(Table::new())));
        table.and_then(Item::as_table_mut).ok_or(Failure::Input(wrong))
    }

    fn write(&self) -> Result<(), Failure> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let written = fs::create_dir_all(folder)
            .and_then(|()| write(&self.path, self.document.to_string().as_bytes(), Readers::Owner));
        written.map_err(Failure::file(&self.path))
    }
}
