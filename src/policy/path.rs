//! The path of a setting.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The path of a setting inside a [`Container`](super::Container): names separated by dots, as in a
/// `FieldMask` and in the keys of [`FeaturePolicy::flags`](crate::policy_management::v2::FeaturePolicy::flags).
///
/// A name that contains anything other than letters, digits, `_` and `-` is quoted with backquotes ([AIP-161]),
/// and a backquote within is doubled. A setting in an archive member begins with the member's name and a colon,
/// such as `` `endpoint.lzma`:endpoint.gui ``. Paths begin below `policy.data` where a JSON document has it, and
/// otherwise at its root.
///
/// ```
/// use eset_protect::policy::SettingPath;
///
/// let path: SettingPath = "endpoint.gui.`a.b`".parse()?;
/// assert_eq!(path.names().collect::<Vec<_>>(), ["endpoint", "gui", "a.b"]);
/// assert_eq!(path.to_string(), "endpoint.gui.`a.b`");
/// # Ok::<(), eset_protect::policy::PathError>(())
/// ```
///
/// [AIP-161]: https://google.aip.dev/161
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SettingPath {
    pub(super) member: Option<Arc<str>>,
    pub(super) names: Vec<Arc<str>>,
}

impl SettingPath {
    /// Returns the archive member that contains the setting; `None` if it is in the JSON before the archive.
    pub fn member(&self) -> Option<&str> {
        self.member.as_deref()
    }

    /// Returns the names from the outermost to the setting's own.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }
}

impl fmt::Display for SettingPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(member) = self.member() {
            write_name(f, member)?;
            f.write_str(":")?;
        }
        for (index, name) in self.names().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            write_name(f, name)?;
        }
        Ok(())
    }
}

fn write_name(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    if !name.is_empty() && name.bytes().all(is_plain) {
        f.write_str(name)
    } else {
        write!(f, "`{}`", name.replace('`', "``"))
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-".contains(&byte)
}

impl FromStr for SettingPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let error = || PathError { text: text.to_owned() };
        let mut member = None;
        let mut names = Vec::new();
        let mut rest = text;
        loop {
            let (name, after) = read_name(rest).ok_or_else(error)?;
            names.push(Arc::from(name));
            let mut separators = after.chars();
            match separators.next() {
                None => return Ok(Self { member, names }),
                Some('.') => {}
                Some(':') if member.is_none() && names.len() == 1 => member = names.pop(),
                Some(_) => return Err(error()),
            }
            rest = separators.as_str();
        }
    }
}

/// Splits the first name from a path.
fn read_name(text: &str) -> Option<(String, &str)> {
    let Some(mut quoted) = text.strip_prefix('`') else {
        let end = text.bytes().position(|byte| !is_plain(byte)).unwrap_or(text.len());
        return text
            .split_at_checked(end)
            .filter(|_| end > 0)
            .map(|(n, rest)| (n.to_owned(), rest));
    };
    let mut name = String::new();
    loop {
        let (part, rest) = quoted.split_once('`')?;
        name.push_str(part);
        match rest.strip_prefix('`') {
            Some(_) => name.push('`'),
            None => return Some((name, rest)),
        }
        quoted = rest.strip_prefix('`')?;
    }
}

/// A text is not the path of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathError {
    text: String,
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "expected the path of a setting, such as endpoint.gui.ShowSplash or `a.b`.c, found {:?}",
            self.text
        )
    }
}

impl std::error::Error for PathError {}
