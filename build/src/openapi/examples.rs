//! Reads example requests, which an emulator with its seed answers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::json::Json;

/// The examples in a folder, if it exists.
pub(crate) struct Examples {
    folder: PathBuf,
    parameters: BTreeMap<String, String>,
}

impl Examples {
    /// Reads `parameters.txt`, whose lines are `name = value`.
    pub(crate) fn of(folder: &Path) -> Self {
        let lines = std::fs::read_to_string(folder.join("parameters.txt")).unwrap_or_default();
        let pairs = lines.lines().filter_map(|line| line.split_once('='));
        let parameters =
            pairs.map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect();
        Self { folder: folder.to_owned(), parameters }
    }

    /// Returns the body of an operation from a file such as `DeviceTasks_CreateTask.json`.
    pub(crate) fn body(&self, operation: &str) -> Option<Json> {
        let path = self.folder.join(format!("{operation}.json"));
        std::fs::read_to_string(path).ok().map(Json::Written)
    }

    /// Returns the value of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<Json> {
        self.parameters.get(name).map(Json::text)
    }
}
