//! Where things lie: root names and byte paths below a root.
//!
//! File names on Linux are bytes, not text. Paths are kept as they came from the kernel and turned
//! into text only to be shown.

use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// Why a name or path was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// A name has a character that is not allowed, or a length that is not.
    #[error("`{0}` is not a valid name: use 1 to 64 of a-z, 0-9, `-` and `_`")]
    Name(String),
    /// A path below a root is absolute, or has an empty, `.` or `..` component, or a NUL byte.
    #[error("`{0}` is not a path below a root")]
    NotBelowRoot(String),
}

/// The name of a configured root, as in `[roots.NAME]`: 1 to 64 of `a-z 0-9 - _`.
///
/// A mount found below a root is a root of its own, named after its parent and its place in it
/// (`movies:disk2`, the part behind the colon being a shown path).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RootName(String);

impl RootName {
    /// Checks and makes a name.
    ///
    /// # Errors
    /// [`PathError::Name`] when the name is empty, too long or has other characters.
    pub fn parse(name: &str) -> Result<Self, PathError> {
        let (outer, inner) = name.split_once(':').unwrap_or((name, "inner"));
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let valid = (1..=64).contains(&outer.len())
            && outer.chars().all(plain)
            && !inner.is_empty()
            && !inner.contains(char::is_control);
        if valid { Ok(Self(name.to_owned())) } else { Err(PathError::Name(name.to_owned())) }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RootName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RootName {
    type Error = PathError;
    fn try_from(name: String) -> Result<Self, PathError> {
        Self::parse(&name)
    }
}

impl From<RootName> for String {
    fn from(name: RootName) -> Self {
        name.0
    }
}

/// A path below a root: `/`-separated components, none of them empty, `.` or `..`; the root itself
/// is the empty path.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct RelPath(Box<[u8]>);

impl RelPath {
    /// Checks and makes a path.
    ///
    /// # Errors
    /// [`PathError::NotBelowRoot`] when the path could name anything outside the root.
    pub fn parse(bytes: &[u8]) -> Result<Self, PathError> {
        let valid = bytes.is_empty()
            || bytes.split(|b| *b == b'/').all(|part| {
                !part.is_empty() && part != b"." && part != b".." && !part.contains(&0)
            });
        if valid { Ok(Self(bytes.into())) } else { Err(PathError::NotBelowRoot(shown(bytes))) }
    }

    /// The root itself.
    #[must_use]
    pub fn root() -> Self {
        Self::default()
    }

    /// This path with one more component, which the kernel gave as a name.
    #[must_use]
    pub fn join(&self, name: &[u8]) -> Self {
        if self.0.is_empty() {
            return Self(name.into());
        }
        let mut path = Vec::with_capacity(self.0.len() + 1 + name.len());
        path.extend_from_slice(&self.0);
        path.push(b'/');
        path.extend_from_slice(name);
        Self(path.into())
    }

    /// The bytes, without a leading slash.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the root itself.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The last component; `None` for the root itself.
    #[must_use]
    pub fn name(&self) -> Option<&[u8]> {
        (!self.0.is_empty()).then(|| self.0.rsplit(|b| *b == b'/').next().unwrap_or_default())
    }

    /// The directory this lies in; `None` for the root itself.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.0.is_empty() {
            return None;
        }
        let end = self.0.iter().rposition(|b| *b == b'/').unwrap_or(0);
        Some(Self(self.0[..end].into()))
    }

    /// The components, outermost first.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|b| *b == b'/').filter(|part| !part.is_empty())
    }

    /// The first `count` components of this path.
    #[must_use]
    pub fn prefix(&self, count: usize) -> Self {
        let mut path = Self::root();
        for part in self.components().take(count) {
            path = path.join(part);
        }
        path
    }

    /// Whether `self` is `folder` or lies anywhere below it.
    #[must_use]
    pub fn is_within(&self, folder: &Self) -> bool {
        folder.0.is_empty()
            || (self.0.starts_with(&folder.0)
                && (self.0.len() == folder.0.len() || self.0[folder.0.len()] == b'/'))
    }

    /// The rest of this path behind `folder`; `None` when it does not lie within it.
    #[must_use]
    pub fn below(&self, folder: &Self) -> Option<Self> {
        if !self.is_within(folder) {
            return None;
        }
        let rest = &self.0[folder.0.len()..];
        Some(Self(rest.strip_prefix(b"/").unwrap_or(rest).into()))
    }

    /// This path below the directory `base`, for the kernel.
    #[must_use]
    pub fn under(&self, base: &Path) -> PathBuf {
        if self.0.is_empty() {
            return base.to_path_buf();
        }
        base.join(OsStr::from_bytes(&self.0))
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "." } else { "" })?;
        f.write_str(&shown(&self.0))
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", shown(&self.0))
    }
}

/// A file or directory below a named root.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FilePath {
    /// The root it lies below.
    pub root: RootName,
    /// The path below it.
    pub rel: RelPath,
}

impl FilePath {
    /// The path `rel` below `root`.
    #[must_use]
    pub fn new(root: RootName, rel: RelPath) -> Self {
        Self { root, rel }
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.root, self.rel)
    }
}

/// An absolute path as it was on disk, kept for evidence.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AbsPath(Box<[u8]>);

impl AbsPath {
    /// Takes over a path.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self(path.as_os_str().as_bytes().into())
    }

    /// The path for the kernel.
    #[must_use]
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }
}

impl fmt::Display for AbsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.0))
    }
}

impl fmt::Debug for AbsPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", shown(&self.0))
    }
}

/// Marks and overrides of direction, ends of lines, and what has no width and joins nothing.
fn is_hidden(c: char) -> bool {
    let among = "\u{61c}\u{200b}\u{200e}\u{200f}\u{feff}".contains(c);
    among || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
}

/// Bytes as one line of text that can be shown and told apart: control characters, ends of lines,
/// bidirectional overrides, what has no width, backslashes and what is not UTF-8 come out as `\` escapes.
/// What joins letters and emoji stays.
#[must_use]
pub fn shown(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => text.push_str("\\\\"),
                '\n' => text.push_str("\\n"),
                '\t' => text.push_str("\\t"),
                c if c.is_control() || is_hidden(c) => text.extend(c.escape_unicode()),
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// The stored form of a byte path: text where it is UTF-8, else the bytes in hexadecimal, so that
/// a record can be read by eye and nothing is lost.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Stored {
    Text(String),
    Bytes { hex: String },
}

impl Stored {
    fn of(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes { hex: bytes.iter().map(|b| format!("{b:02x}")).collect() },
        }
    }

    fn bytes(self) -> Result<Vec<u8>, String> {
        match self {
            Self::Text(text) => Ok(text.into_bytes()),
            Self::Bytes { hex } => {
                let digits: Option<Vec<u8>> = hex
                    .chars()
                    .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
                    .collect();
                let digits = digits.filter(|d| d.len() % 2 == 0).ok_or("not hexadecimal")?;
                Ok(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
            }
        }
    }
}

impl Serialize for RelPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored::of(&self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RelPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Stored::deserialize(deserializer)?.bytes().map_err(serde::de::Error::custom)?;
        Self::parse(&bytes).map_err(serde::de::Error::custom)
    }
}

impl Serialize for AbsPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Stored::of(&self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for AbsPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = Stored::deserialize(deserializer)?.bytes().map_err(serde::de::Error::custom)?;
        Ok(Self(bytes.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rel(path: &str) -> RelPath {
        RelPath::parse(path.as_bytes()).unwrap()
    }

    #[test]
    fn a_path_that_could_leave_its_root_is_refused() {
        for path in ["/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a\0b"] {
            assert!(RelPath::parse(path.as_bytes()).is_err(), "{path:?}");
        }
        for path in ["", "a", "a/b", "...", "..a", " "] {
            assert!(RelPath::parse(path.as_bytes()).is_ok(), "{path:?}");
        }
    }

    #[test]
    fn a_folder_does_not_hold_its_longer_namesake() {
        assert!(rel("a/b").is_within(&rel("a")));
        assert!(rel("a").is_within(&rel("a")));
        assert!(rel("a").is_within(&RelPath::root()));
        assert!(!rel("ab").is_within(&rel("a")));
        assert!(!rel("a").is_within(&rel("a/b")));
        assert_eq!(rel("a/b/c").below(&rel("a")), Some(rel("b/c")));
        assert_eq!(rel("ab").below(&rel("a")), None);
    }

    #[test]
    fn parents_and_names_walk_up_to_the_root() {
        assert_eq!(rel("a/b").parent(), Some(rel("a")));
        assert_eq!(rel("a").parent(), Some(RelPath::root()));
        assert_eq!(RelPath::root().parent(), None);
        assert_eq!(rel("a/b").name(), Some(&b"b"[..]));
        assert_eq!(RelPath::root().join(b"x").join(b"y"), rel("x/y"));
        assert_eq!(rel("a/b/c").prefix(2), rel("a/b"));
    }

    #[test]
    fn shown_text_is_one_line_and_tells_different_bytes_apart() {
        assert_eq!(shown(b"a\nb\\n\xff"), "a\\nb\\\\n\\xff");
        assert_eq!(shown("e\u{202e}x".as_bytes()), "e\\u{202e}x");
    }

    #[test]
    fn paths_that_are_not_text_survive_the_stored_form() {
        for bytes in [&b"a/b \xff\n"[..], b"plain", b""] {
            let path = RelPath::parse(bytes).unwrap();
            let json = serde_json::to_string(&path).unwrap();
            assert_eq!(serde_json::from_str::<RelPath>(&json).unwrap(), path, "{json}");
        }
        assert!(serde_json::from_str::<RelPath>("{\"hex\":\"0\"}").is_err());
        assert!(serde_json::from_str::<RelPath>("\"../x\"").is_err());
    }

    #[test]
    fn root_names_are_plain_words() {
        for name in ["movies", "tv-4k", "a_1", "movies:disk2/b c"] {
            assert!(RootName::parse(name).is_ok(), "{name}");
        }
        for name in ["", "Movies", "a b", "a/b", ":x", "a:", "ä"] {
            assert!(RootName::parse(name).is_err(), "{name}");
        }
    }
}
