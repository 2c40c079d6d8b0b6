//! The thin edge: finds and reads the file, the environment and the working directory, once.
//!
//! Must never decide anything about a setting; that is for the pure functions, which can be tested
//! without a disk.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::parse;
use super::problem::{ConfigError, Place};
use super::settings::{Overrides, Settings};

/// The file's name in each directory where it is looked for.
const FILE_NAME: &str = "obituarr.toml";

/// Where the file lies unless systemd or the person says otherwise.
const SYSTEM_DIRECTORY: &str = "/etc/obituarr";

/// Settings, and where they came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// The file that was read; `None` when there is none.
    pub source: Option<PathBuf>,
}

/// Loads the settings: from the file at `path`, or else from the first that exists of
/// `$CONFIGURATION_DIRECTORY/obituarr.toml`, `/etc/obituarr/obituarr.toml` and
/// `~/.config/obituarr/obituarr.toml`; from none if the command line or the environment names a
/// root.
///
/// # Errors
/// [`ConfigError`] when the file can't be read or something in it is wrong.
pub fn load(path: Option<&Path>, overrides: &Overrides) -> Result<Loaded, ConfigError> {
    let is_relative = overrides.roots.iter().any(|root| root.is_relative());
    let cwd = match std::env::current_dir() {
        Ok(cwd) => cwd,
        Err(error) if is_relative => {
            let place = Place::CommandLine("--root".to_owned());
            let message = format!("the working directory is unknown ({error}); give a full path");
            return Err(ConfigError::one(place, message));
        }
        Err(_) => PathBuf::from("/"),
    };
    load_from(path, std::env::vars_os().collect(), overrides, &cwd)
}

fn load_from(
    path: Option<&Path>,
    environment: Vec<(OsString, OsString)>,
    overrides: &Overrides,
    cwd: &Path,
) -> Result<Loaded, ConfigError> {
    let places = candidates(&environment);
    let found = match path {
        Some(path) => Some((path.to_path_buf(), read(path)?)),
        None => first(&places)?,
    };
    let (source, text, name) = match found {
        Some((path, text)) => {
            let name = path.display().to_string();
            (Some(path), text, name)
        }
        None => {
            let tried: Vec<_> = places.iter().map(|p| p.display().to_string()).collect();
            (None, String::new(), format!("no configuration file (tried {})", tried.join(", ")))
        }
    };
    let settings = parse(&text, &name, environment, overrides, cwd)?;
    Ok(Loaded { settings, source })
}

/// Where the file may lie, best first.
fn candidates(environment: &[(OsString, OsString)]) -> Vec<PathBuf> {
    let variable = |name: &str| {
        let found = environment.iter().find(|(n, value)| n == name && !value.is_empty());
        found.map(|(_, value)| value.as_os_str())
    };
    let mut directories = Vec::new();
    // systemd separates several directories by colons.
    for directory in variable("CONFIGURATION_DIRECTORY").into_iter().flat_map(split_colons) {
        directories.push(PathBuf::from(directory));
    }
    directories.push(PathBuf::from(SYSTEM_DIRECTORY));
    let home = || variable("HOME").map(|home| Path::new(home).join(".config"));
    if let Some(own) = variable("XDG_CONFIG_HOME").map(PathBuf::from).or_else(home) {
        directories.push(own.join("obituarr"));
    }
    directories.into_iter().map(|directory| directory.join(FILE_NAME)).collect()
}

fn split_colons(list: &OsStr) -> impl Iterator<Item = &OsStr> {
    list.as_bytes().split(|b| *b == b':').filter(|part| !part.is_empty()).map(OsStr::from_bytes)
}

/// The first of `places` that exists. One that exists and can't be read is an error: to pass over
/// it would run with settings that nobody meant.
fn first(places: &[PathBuf]) -> Result<Option<(PathBuf, String)>, ConfigError> {
    for path in places {
        match std::fs::read(path) {
            Ok(bytes) => return Ok(Some((path.clone(), text(path, bytes)?))),
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(unreadable(path, &error)),
        }
    }
    Ok(None)
}

fn read(path: &Path) -> Result<String, ConfigError> {
    text(path, std::fs::read(path).map_err(|error| unreadable(path, &error))?)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn unreadable(path: &Path, error: &io::Error) -> ConfigError {
    let way_out = if is_absent(error) {
        "give --config the path of a file that exists, or leave it out"
    } else {
        "let this user read it, or give another file with --config"
    };
    let place = Place::Source(path.display().to_string());
    ConfigError::one(place, format!("can't read the configuration ({error}); {way_out}"))
}

fn text(path: &Path, bytes: Vec<u8>) -> Result<String, ConfigError> {
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let byte = bytes.get(offset).copied().unwrap_or_default();
        let place = Place::at(&path.display().to_string(), bytes, offset);
        let message = format!("the byte 0x{byte:02x} is not UTF-8; save the file as UTF-8");
        ConfigError::one(place, message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(directories: &[&str]) -> Overrides {
        Overrides { roots: directories.iter().map(PathBuf::from).collect(), ..Overrides::default() }
    }

    fn environment(pairs: &[(&str, &Path)]) -> Vec<(OsString, OsString)> {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    #[test]
    fn the_file_is_looked_for_where_systemd_the_system_and_the_user_keep_it() {
        let check = |pairs: &[(&str, &str)], expected: &[&str]| {
            let pairs: Vec<_> = pairs.iter().map(|(n, v)| (*n, Path::new(*v))).collect();
            let found = candidates(&environment(&pairs));
            assert_eq!(found, expected.iter().map(PathBuf::from).collect::<Vec<_>>());
        };
        check(&[], &["/etc/obituarr/obituarr.toml"]);
        check(
            &[("CONFIGURATION_DIRECTORY", "/a:/b"), ("HOME", "/home/x")],
            &[
                "/a/obituarr.toml",
                "/b/obituarr.toml",
                "/etc/obituarr/obituarr.toml",
                "/home/x/.config/obituarr/obituarr.toml",
            ],
        );
        check(
            &[("XDG_CONFIG_HOME", "/xdg"), ("HOME", "/home/x")],
            &["/etc/obituarr/obituarr.toml", "/xdg/obituarr/obituarr.toml"],
        );
    }

    #[test]
    fn the_first_file_found_is_read_and_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE_NAME);
        std::fs::write(&path, "history = \"30d\"\nroots.a.path = \"/a\"\n").unwrap();
        let environment = environment(&[("CONFIGURATION_DIRECTORY", dir.path())]);
        let loaded = load_from(None, environment, &roots(&[]), Path::new("/")).unwrap();
        assert_eq!(loaded.source.as_deref(), Some(path.as_path()));
        assert_eq!(loaded.settings.roots[0].path, Path::new("/a"));
    }

    #[test]
    fn no_file_is_fine_with_a_root_and_an_error_without() {
        let dir = tempfile::tempdir().unwrap();
        let places = [dir.path().join("none.toml"), dir.path().join("none/none.toml")];
        assert_eq!(first(&places).unwrap(), None);
        let nowhere = dir.path().join("none.toml");
        let error = load_from(Some(&nowhere), Vec::new(), &roots(&["/a"]), Path::new("/"));
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: can't read", nowhere.display())), "{error}");
        assert!(error.contains("give --config the path of a file that exists"), "{error}");
    }

    #[test]
    fn a_file_that_is_there_but_cannot_be_read_is_not_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(FILE_NAME)).unwrap();
        let environment = environment(&[("CONFIGURATION_DIRECTORY", dir.path())]);
        let error = load_from(None, environment, &roots(&["/a"]), Path::new("/")).unwrap_err();
        assert!(error.to_string().contains("can't read the configuration"), "{error}");
    }

    #[test]
    fn a_file_that_is_not_utf_8_is_an_error_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f.toml");
        std::fs::write(&path, b"# fine\n# caf\xe9\n").unwrap();
        let error = load_from(Some(&path), Vec::new(), &roots(&["/a"]), Path::new("/"));
        let expected =
            format!("{}:2:6: the byte 0xe9 is not UTF-8; save the file as UTF-8", path.display());
        assert_eq!(error.unwrap_err().to_string(), expected);
    }
}
