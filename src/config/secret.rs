//! The one type for secrets, and the four ways to give one: `"text"`, `{ env = "NAME" }`,
//! `{ file = "/path" }`, `{ credential = "name" }` (a file in `$CREDENTIALS_DIRECTORY`, which
//! systemd provides).
//!
//! A secret must never be shown, stored or sent by accident: it has no serialised form, its
//! `Debug` and `Display` are `[redacted]`, and errors name where it should have come from.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::domain::Secret;

/// Where systemd puts the credentials of a service.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Where a secret is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// The secret itself.
    Text(Secret),
    /// An environment variable.
    Env(String),
    /// A file.
    File(PathBuf),
    /// A systemd credential.
    Credential(String),
}

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The value has none of the four forms.
    #[error(
        "not a secret; write a text, {{ env = \"NAME\" }}, {{ file = \"/path\" }} or \
         {{ credential = \"name\" }}"
    )]
    Form,
    /// The path of a secret's file is relative.
    #[error("`{}` is not a full path; write it from the `/` on", .0.display())]
    Relative(PathBuf),
    /// A credential's name is not a file name.
    #[error("`{0}` is not the name of a credential; write the name that LoadCredential= gives it")]
    CredentialName(String),
    /// The variable is not set, or is not text.
    #[error("the environment variable {0} holds no secret; set it")]
    Env(String),
    /// There are no credentials.
    #[error(
        "there is no credential `{0}`: CREDENTIALS_DIRECTORY is not set; add LoadCredential= to the unit"
    )]
    NoCredentials(String),
    /// The file can't be read.
    #[error("can't read the secret from {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is nothing in the file or text.
    #[error("the secret from {0} is empty")]
    Empty(String),
}

impl TryFrom<toml::Value> for SecretSource {
    type Error = SecretError;

    fn try_from(value: toml::Value) -> Result<Self, SecretError> {
        let table = match value {
            toml::Value::String(text) => return Ok(Self::Text(Secret::new(text))),
            toml::Value::Table(table) => table,
            _ => return Err(SecretError::Form),
        };
        let mut entries = table.into_iter();
        let (Some((key, toml::Value::String(text))), None) = (entries.next(), entries.next())
        else {
            return Err(SecretError::Form);
        };
        match key.as_str() {
            "env" if !text.is_empty() => Ok(Self::Env(text)),
            "file" if Path::new(&text).is_absolute() => Ok(Self::File(text.into())),
            "file" => Err(SecretError::Relative(text.into())),
            "credential" if text.is_empty() || text.contains('/') || text.starts_with('.') => {
                Err(SecretError::CredentialName(text))
            }
            "credential" => Ok(Self::Credential(text)),
            _ => Err(SecretError::Form),
        }
    }
}

impl SecretSource {
    /// Fetches the secret; `variable` looks up an environment variable. One line break at the end
    /// is not part of it, since editors and `echo` add one.
    ///
    /// # Errors
    /// [`SecretError`] when there is none.
    pub fn resolve(
        &self,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Secret, SecretError> {
        let (text, place) = match self {
            Self::Text(secret) => (secret.expose().to_owned(), "the configuration".to_owned()),
            Self::Env(name) => {
                let text = variable(name).and_then(|value| value.into_string().ok());
                (
                    text.ok_or_else(|| SecretError::Env(name.clone()))?,
                    format!("the variable {name}"),
                )
            }
            Self::File(path) => (read(path)?, path.display().to_string()),
            Self::Credential(name) => {
                let directory = variable(CREDENTIALS).filter(|directory| !directory.is_empty());
                let directory =
                    directory.ok_or_else(|| SecretError::NoCredentials(name.clone()))?;
                (read(&Path::new(&directory).join(name))?, format!("the credential {name}"))
            }
        };
        let text = text.strip_suffix('\n').map_or(&*text, |t| t.strip_suffix('\r').unwrap_or(t));
        if text.is_empty() {
            Err(SecretError::Empty(place))
        } else {
            Ok(Secret::new(text.to_owned()))
        }
    }
}

fn read(path: &Path) -> Result<String, SecretError> {
    std::fs::read_to_string(path)
        .map_err(|source| SecretError::Read { path: path.to_path_buf(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(toml: &str) -> Result<SecretSource, SecretError> {
        let mut table: toml::Table = format!("x = {toml}").parse().unwrap();
        SecretSource::try_from(table.remove("x").unwrap())
    }

    #[test]
    fn a_secret_has_four_forms_and_no_other() {
        let check = |toml: &str, expected: SecretSource| {
            assert_eq!(source(toml).unwrap(), expected, "{toml}");
        };
        check("'abc'", SecretSource::Text(Secret::new("abc".to_owned())));
        check("{ env = 'X' }", SecretSource::Env("X".to_owned()));
        check("{ file = '/run/key' }", SecretSource::File("/run/key".into()));
        check("{ credential = 'uhd' }", SecretSource::Credential("uhd".to_owned()));
        for toml in [
            "5",
            "[]",
            "{}",
            "{ env = 5 }",
            "{ env = '' }",
            "{ key = 'a' }",
            "{ env = 'A', file = '/b' }",
            "{ file = 'key' }",
            "{ credential = '../key' }",
            "{ credential = '' }",
        ] {
            assert!(source(toml).is_err(), "{toml}");
        }
    }

    #[test]
    fn a_secret_is_fetched_from_where_it_lies_without_its_line_break() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("key"), "abc\n\n").unwrap();
        std::fs::write(dir.path().join("dos"), "abc\r\n").unwrap();
        let variable = |name: &str| match name {
            "KEY" => Some(OsString::from("abc")),
            CREDENTIALS => Some(dir.path().into()),
            _ => None,
        };
        let check = |source: SecretSource, expected: &str| {
            assert_eq!(source.resolve(variable).unwrap().expose(), expected);
        };
        check(SecretSource::Text(Secret::new("abc".to_owned())), "abc");
        check(SecretSource::Env("KEY".to_owned()), "abc");
        check(SecretSource::File(dir.path().join("key")), "abc\n");
        check(SecretSource::Credential("dos".to_owned()), "abc");
    }

    #[test]
    fn a_secret_that_is_missing_is_named_by_its_place() {
        let check = |source: SecretSource, expected: &str| {
            let error = source.resolve(|_| None).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(SecretSource::Env("KEY".to_owned()), "the environment variable KEY");
        check(SecretSource::File("/nowhere/key".into()), "/nowhere/key");
        check(SecretSource::Credential("uhd".to_owned()), "no credential `uhd`");
        check(SecretSource::Text(Secret::new("\n".to_owned())), "is empty");
    }

    #[test]
    fn a_secret_is_never_shown() {
        let secret = Secret::new("hunter2".to_owned());
        let source = SecretSource::Text(secret.clone());
        let shown = format!("{secret} {secret:?} {source:?}");
        assert_eq!(shown, "[redacted] [redacted] Text([redacted])");

        // A file that is not text must not come out through the error.
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(&path, b"hunter2\xff").unwrap();
        let error = SecretSource::File(path).resolve(|_| None).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}
