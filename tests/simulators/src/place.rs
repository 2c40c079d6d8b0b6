//! A directory of the library as one service sees it: in its container, or on another system.

use std::path::PathBuf;

/// Where a library directory lies on the disk, and what a service calls it.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// `None` in a world without a disk.
    pub(crate) disk: Option<PathBuf>,
    /// As it was configured, perhaps with a separator at the end.
    configured: String,
}

impl Place {
    pub(crate) fn new(disk: Option<PathBuf>, configured: &str) -> Self {
        Self { disk, configured: configured.to_owned() }
    }

    /// The directory below a container's `/media`, where a service sees the whole library.
    pub(crate) fn below(disk: Option<PathBuf>, prefix: &str, name: &str) -> Self {
        let whole = Self::new(None, prefix);
        Self::new(disk, &whole.shown(name))
    }

    fn separator(&self) -> char {
        if self.configured.contains('\\') { '\\' } else { '/' }
    }

    /// The directory as configured.
    pub(crate) fn configured(&self) -> &str {
        &self.configured
    }

    /// The directory without a separator at its end.
    pub(crate) fn bare(&self) -> &str {
        self.configured.trim_end_matches(['/', '\\'])
    }

    /// A `/`-separated path below the directory, as the service writes it.
    pub(crate) fn shown(&self, relative: &str) -> String {
        format!("{}{}{}", self.bare(), self.separator(), self.relative(relative))
    }

    /// The same without the directory.
    pub(crate) fn relative(&self, relative: &str) -> String {
        relative.replace('/', &self.separator().to_string())
    }
}

#[test]
fn paths_are_written_as_the_service_writes_them() {
    let table = [
        ("/movies", "Heat (1995)/Heat.mkv", "/movies/Heat (1995)/Heat.mkv"),
        ("/movies/", "Heat (1995)", "/movies/Heat (1995)"),
        ("D:\\Films", "Heat (1995)/Heat.mkv", "D:\\Films\\Heat (1995)\\Heat.mkv"),
        ("D:\\Films\\", "Heat (1995)", "D:\\Films\\Heat (1995)"),
    ];
    for (configured, relative, expected) in table {
        assert_eq!(Place::new(None, configured).shown(relative), expected);
    }
    assert_eq!(Place::below(None, "/media", "tv").shown("A"), "/media/tv/A");
}
