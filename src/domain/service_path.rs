//! A service's path taken apart, whatever system the service runs on.

use super::ServicePath;

/// What begins a Windows path that is longer than the old limit allows.
const LONG: &str = r"\\?\";

/// An absolute path of a service: where it starts, and the names below. Two ways to write one place
/// (a slash at the end, doubled slashes, `d:\` and `D:/`) are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ServiceParts {
    /// `/`, or a drive (`d:`), or `\\` for a share, whose host and name are its first two names.
    start: String,
    names: Vec<String>,
}

impl ServicePath {
    /// Takes the path apart; `None` where it does not begin at the root of a system, goes up with
    /// `..`, or has a NUL: such a path names nothing that could be looked for.
    #[must_use]
    pub fn parts(&self) -> Option<ServiceParts> {
        let text = self.0.as_str();
        if text.contains('\0') {
            return None;
        }
        let short = text.strip_prefix(LONG);
        let share = short.map_or_else(
            || text.strip_prefix(r"\\"),
            |short| short.get(..4).filter(|s| s.eq_ignore_ascii_case(r"UNC\")).map(|_| &short[4..]),
        );
        if let Some(share) = share {
            let mut names = split(share, &['\\', '/'])?;
            // Names of hosts and shares have no case.
            for name in names.iter_mut().take(2) {
                *name = name.to_lowercase();
            }
            return (names.len() >= 2).then(|| ServiceParts { start: r"\\".to_owned(), names });
        }
        let text = short.unwrap_or(text);
        if let Some(rest) = drive(text) {
            let start = text[..2].to_ascii_lowercase();
            return Some(ServiceParts { start, names: split(rest, &['\\', '/'])? });
        }
        let rest = text.strip_prefix('/').filter(|_| short.is_none())?;
        Some(ServiceParts { start: "/".to_owned(), names: split(rest, &['/'])? })
    }
}

/// What follows `D:`, where a path begins so.
fn drive(text: &str) -> Option<&str> {
    let rest = text.get(1..)?.strip_prefix(':')?;
    let is_letter = text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    (is_letter && (rest.is_empty() || rest.starts_with(['\\', '/']))).then_some(rest)
}

fn split(text: &str, separators: &[char]) -> Option<Vec<String>> {
    let names = text.split(separators).filter(|name| !name.is_empty() && *name != ".");
    names.map(|name| (name != "..").then(|| name.to_owned())).collect()
}

impl ServiceParts {
    /// The names, outermost first.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether it is a path of this kind of system.
    #[must_use]
    pub fn is_unix(&self) -> bool {
        self.start == "/"
    }

    /// The names of this path behind those of `folder`; `None` where it does not lie within it.
    #[must_use]
    pub fn below(&self, folder: &Self) -> Option<&[String]> {
        (self.start == folder.start).then(|| self.names.strip_prefix(&*folder.names)).flatten()
    }

    /// This path without its last `count` names; `None` where it has no more than those, or where
    /// what is left is only a host.
    #[must_use]
    pub fn without(&self, count: usize) -> Option<Self> {
        let left = self.names.len().checked_sub(count)?;
        let least = if self.start == r"\\" { 2 } else { 0 };
        (left >= least)
            .then(|| Self { start: self.start.clone(), names: self.names[..left].to_vec() })
    }

    /// The path with these names below it, as the service writes it.
    #[must_use]
    pub fn join<'a>(&'a self, names: impl IntoIterator<Item = &'a str>) -> ServicePath {
        let (first, separator) = match self.start.as_str() {
            "/" => ("/".to_owned(), "/"),
            r"\\" => (r"\\".to_owned(), r"\"),
            drive => (format!("{}\\", drive.to_ascii_uppercase()), r"\"),
        };
        let mut all: Vec<&str> = self.names.iter().map(String::as_str).collect();
        all.extend(names);
        ServicePath(first + &all.join(separator))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(path: &str) -> Option<ServiceParts> {
        ServicePath(path.to_owned()).parts()
    }

    #[test]
    fn ways_to_write_one_place_are_equal() {
        for (a, b) in [
            ("/movies", "/movies/"),
            ("/movies/a", "//movies///a/."),
            (r"D:\Films", "d:/Films/"),
            (r"\\NAS\Media\a", r"\\nas/media\\a\"),
            (r"\\?\D:\Films", r"D:\Films"),
            (r"\\?\UNC\nas\media\a", r"\\nas\media\a"),
            ("/", "//"),
            ("D:", r"D:\"),
        ] {
            assert!(parts(a).is_some(), "{a}");
            assert_eq!(parts(a), parts(b), "{a} {b}");
        }
        for (a, b) in [
            ("/movies", "/Movies"),
            (r"/a\b", "/a/b"),
            (r"D:\Films", r"E:\Films"),
            (r"D:\Films", "/Films"),
            (r"\\nas\media", "/nas/media"),
        ] {
            assert_ne!(parts(a), parts(b), "{a} {b}");
        }
    }

    #[test]
    fn what_begins_nowhere_or_goes_up_is_no_path() {
        for path in
            ["", "movies", "./a", "/a/../b", r"D:\a\..\b", "D:a", "é:/", r"\\nas", r"\a", "/a\0b"]
        {
            assert_eq!(parts(path), None, "{path:?}");
        }
        assert!(parts("/a/..b/...").is_some());
    }

    #[test]
    fn a_path_is_written_as_its_service_does() {
        let join = |path: &str| parts(path).unwrap().join(["a", "b c"]).0;
        assert_eq!(join("/movies/"), "/movies/a/b c");
        assert_eq!(join("/"), "/a/b c");
        assert_eq!(join("d:/Films"), r"D:\Films\a\b c");
        assert_eq!(join(r"\\nas\media"), r"\\nas\media\a\b c");
        assert_eq!(parts("/a/b").unwrap().below(&parts("/a/bc").unwrap()), None);
        assert_eq!(parts("/a/bc").unwrap().below(&parts("/a").unwrap()).unwrap(), ["bc"]);
        assert_eq!(parts("/a/b").unwrap().without(2), parts("/"));
        assert_eq!(parts("/a").unwrap().without(2), None);
        assert_eq!(parts(r"\\nas\media").unwrap().without(1), None);
    }
}
