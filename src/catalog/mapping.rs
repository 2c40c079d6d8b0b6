//! Where the paths that a service names lie here.
//!
//! A pair says that a folder of the service is a directory of this machine. The longest that fits is
//! taken, the instance's own before one for all; without any that fits a path is taken as it is,
//! where it lies in a root: the service runs on this machine.
//!
//! Must never bring a path to a place that its pair does not cover, and never takes a mapped path
//! for one that exists.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::domain::{FilePath, RelPath, RootName, ServiceParts, ServicePath};

/// A folder of the service, and the directory that it is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The folder, as it was written.
    pub theirs: ServicePath,
    /// The directory.
    pub here: PathBuf,
    /// Whether it is the instance's own and not for all.
    pub own: bool,
    parts: ServiceParts,
}

/// The pairs of one instance, and the roots that its paths may lie in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping {
    /// Best first.
    pairs: Vec<Pair>,
    /// Innermost first.
    roots: Vec<(RootName, PathBuf)>,
}

/// A service's path, brought here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mapped {
    /// It lies in a root.
    Here(FilePath),
    /// It lies on this machine, in no root.
    Outside(PathBuf),
    /// Nothing says where it lies.
    Unmapped,
}

impl Mapping {
    /// The pairs of an instance and those for all, and the roots. A pair whose left side is no full
    /// path fits nothing.
    #[must_use]
    pub fn new(
        own: &[(ServicePath, PathBuf)],
        global: &[(ServicePath, PathBuf)],
        roots: &[(RootName, PathBuf)],
    ) -> Self {
        let of = |pairs: &[(ServicePath, PathBuf)], own: bool| -> Vec<Pair> {
            let pair = |(theirs, here): &(ServicePath, PathBuf)| {
                let (theirs, here, parts) = (theirs.clone(), here.clone(), theirs.parts()?);
                Some(Pair { theirs, here, own, parts })
            };
            pairs.iter().filter_map(pair).collect()
        };
        let mut pairs = of(own, true);
        pairs.extend(of(global, false));
        pairs.sort_by_key(|pair| {
            (std::cmp::Reverse(pair.parts.names().len()), !pair.own, pair.parts.clone())
        });
        let mut roots = roots.to_vec();
        roots.sort_by_key(|(name, path)| {
            (std::cmp::Reverse(path.components().count()), name.clone())
        });
        Self { pairs, roots }
    }

    /// The pairs, best first.
    #[must_use]
    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    /// The pair that says where a path lies.
    #[must_use]
    pub fn pair_for(&self, path: &ServicePath) -> Option<&Pair> {
        self.best(&path.parts()?).map(|(pair, _)| pair)
    }

    fn best(&self, parts: &ServiceParts) -> Option<(&Pair, PathBuf)> {
        self.pairs.iter().find_map(|pair| {
            let below = parts.below(&pair.parts)?;
            // A name of a Windows path may hold what would be another directory here.
            let is_name = |name: &String| !name.contains('/');
            below.iter().all(is_name).then(|| {
                let mut here = pair.here.clone();
                here.extend(below);
                (pair, here)
            })
        })
    }

    /// Brings a path here.
    #[must_use]
    pub fn map(&self, path: &ServicePath) -> Mapped {
        let Some(parts) = path.parts() else { return Mapped::Unmapped };
        if let Some((_, here)) = self.best(&parts) {
            return self.in_a_root(&here).map_or(Mapped::Outside(here), Mapped::Here);
        }
        let same = parts.is_unix().then(|| {
            let mut same = PathBuf::from("/");
            same.extend(parts.names());
            same
        });
        same.and_then(|same| self.in_a_root(&same)).map_or(Mapped::Unmapped, Mapped::Here)
    }

    fn in_a_root(&self, path: &Path) -> Option<FilePath> {
        self.roots.iter().find_map(|(name, root)| {
            let rel = path.strip_prefix(root).ok()?;
            let rel = RelPath::parse(rel.as_os_str().as_bytes()).ok()?;
            Some(FilePath::new(name.clone(), rel))
        })
    }

    /// A file below a root as a full path of this machine.
    #[must_use]
    pub fn absolute(&self, file: &FilePath) -> Option<PathBuf> {
        let (_, root) = self.roots.iter().find(|(name, _)| *name == file.root)?;
        let rel = OsStr::from_bytes(file.rel.as_bytes());
        Some(if rel.is_empty() { root.clone() } else { root.join(rel) })
    }

    /// How the instance would name a file here: every name that would be brought to it. None for a
    /// name that is not text, which no service can write.
    #[must_use]
    pub fn names(&self, file: &FilePath) -> Vec<ServicePath> {
        let Some(here) = self.absolute(file) else { return Vec::new() };
        let mut names: Vec<ServicePath> = self
            .pairs
            .iter()
            .filter_map(|pair| {
                let below = here.strip_prefix(&pair.here).ok()?.to_str()?;
                let below = below.split('/').filter(|name| !name.is_empty());
                Some(pair.parts.join(below))
            })
            .collect();
        names.extend(here.to_str().map(|here| ServicePath(here.to_owned())));
        // A name under one pair may be another place's under a better one.
        names.retain(|name| self.map(name) == Mapped::Here(file.clone()));
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| seen.insert(name.parts()));
        names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(ServicePath, PathBuf)> {
        pairs.iter().map(|(left, right)| (ServicePath((*left).into()), right.into())).collect()
    }

    fn roots() -> Vec<(RootName, PathBuf)> {
        [("movies", "/mnt/pool/movies"), ("movies:uhd", "/mnt/pool/movies/uhd"), ("tv", "/tv")]
            .map(|(name, path)| (RootName::parse(name).unwrap(), path.into()))
            .to_vec()
    }

    fn mapping(own: &[(&str, &str)], global: &[(&str, &str)]) -> Mapping {
        Mapping::new(&pairs(own), &pairs(global), &roots())
    }

    fn file(root: &str, rel: &str) -> FilePath {
        FilePath::new(RootName::parse(root).unwrap(), RelPath::parse(rel.as_bytes()).unwrap())
    }

    fn map(mapping: &Mapping, path: &str) -> Mapped {
        mapping.map(&ServicePath(path.to_owned()))
    }

    #[track_caller]
    fn here(mapping: &Mapping, path: &str, root: &str, rel: &str) {
        assert_eq!(map(mapping, path), Mapped::Here(file(root, rel)), "{path}");
    }

    #[test]
    fn a_pair_fits_whole_names_only() {
        let m = mapping(&[("/movies", "/mnt/pool/movies")], &[]);
        here(&m, "/movies/Heat (1995)/h.mkv", "movies", "Heat (1995)/h.mkv");
        here(&m, "/movies", "movies", "");
        assert_eq!(map(&m, "/movies2/h.mkv"), Mapped::Unmapped);
        assert_eq!(map(&m, "/Movies/h.mkv"), Mapped::Unmapped);
    }

    #[test]
    fn the_longest_pair_wins_and_the_own_one_of_two_as_long() {
        let own = [("/data", "/mnt/pool/movies"), ("/data/tv", "/tv")];
        let global = [("/data/tv", "/elsewhere"), ("/data/tv/x", "/tv/y")];
        let m = mapping(&own, &global);
        here(&m, "/data/a.mkv", "movies", "a.mkv");
        here(&m, "/data/tv/a.mkv", "tv", "a.mkv");
        here(&m, "/data/tv/x/a.mkv", "tv", "y/a.mkv");
        let theirs = |path: &str| m.pair_for(&ServicePath(path.into())).unwrap().theirs.0.clone();
        assert_eq!(theirs("/data/tv/a"), "/data/tv");
        assert!(m.pair_for(&ServicePath("/other".into())).is_none());
    }

    #[test]
    fn slashes_too_many_change_nothing() {
        let m = mapping(&[("//movies//", "/mnt/pool/movies/")], &[]);
        for path in
            ["/movies/a/b.mkv", "/movies//a/b.mkv", "//movies/a/./b.mkv", "/movies/a/b.mkv/"]
        {
            here(&m, path, "movies", "a/b.mkv");
        }
        here(&mapping(&[("/", "/tv")], &[]), "/a", "tv", "a");
    }

    #[test]
    fn windows_paths_are_read_by_their_own_rules() {
        let m = mapping(&[(r"D:\Films", "/mnt/pool/movies"), (r"\\NAS\tv", "/tv")], &[]);
        here(&m, r"d:\Films\Heat (1995)\h.mkv", "movies", "Heat (1995)/h.mkv");
        here(&m, "D:/Films/a.mkv", "movies", "a.mkv");
        here(&m, r"\\nas\TV\a\b.mkv", "tv", "a/b.mkv");
        for path in [r"E:\Films\a.mkv", r"D:\Filmsx\a.mkv", r"\\other\tv\a", "/Films/a.mkv"] {
            assert_eq!(map(&m, path), Mapped::Unmapped, "{path}");
        }
        // On Unix `\` is a letter like any other.
        let m = mapping(&[("/m", "/tv")], &[]);
        here(&m, r"/m/a\b.mkv", "tv", r"a\b.mkv");
    }

    #[test]
    fn no_path_goes_up_out_of_its_pair() {
        let m = mapping(&[("/movies", "/mnt/pool/movies"), (r"D:\m", "/tv")], &[]);
        for path in
            ["/movies/../../etc", r"D:\m\..\x", "/movies/a/../b", "movies/a", "", "/movies/\0"]
        {
            assert_eq!(map(&m, path), Mapped::Unmapped, "{path:?}");
        }
        assert_eq!(map(&mapping(&[("/a/..", "/tv")], &[]), "/a/x"), Mapped::Unmapped);
    }

    #[test]
    fn without_a_pair_that_fits_a_path_in_a_root_is_taken_as_it_is() {
        let m = mapping(&[("/movies", "/srv/movies")], &[]);
        here(&m, "/tv/Show/a.mkv", "tv", "Show/a.mkv");
        here(&m, "/mnt/pool/movies/uhd/a.mkv", "movies:uhd", "a.mkv");
        assert_eq!(map(&m, "/tvx/a"), Mapped::Unmapped);
        assert_eq!(map(&m, "/movies/a"), Mapped::Outside("/srv/movies/a".into()));
    }

    #[test]
    fn a_file_here_has_every_name_that_leads_back_to_it() {
        let own = [("/movies", "/mnt/pool/movies"), ("/movies/uhd", "/tv")];
        let m = mapping(&own, &[(r"D:\pool", "/mnt/pool")]);
        let names = |root: &str, rel: &str| -> Vec<String> {
            m.names(&file(root, rel)).into_iter().map(|name| name.0).collect()
        };
        let movie = ["/movies/a/b.mkv", r"D:\pool\movies\a\b.mkv", "/mnt/pool/movies/a/b.mkv"];
        assert_eq!(names("movies", "a/b.mkv"), movie);
        assert_eq!(names("tv", "b.mkv"), ["/movies/uhd/b.mkv", "/tv/b.mkv"]);
        // Under `/movies/uhd` the service means another place.
        let uhd = [r"D:\pool\movies\uhd\c.mkv", "/mnt/pool/movies/uhd/c.mkv"];
        assert_eq!(names("movies:uhd", "c.mkv"), uhd);
        // A name that Windows would take for two is no name of it.
        assert_eq!(names("movies", r"a\b.mkv"), [r"/movies/a\b.mkv", r"/mnt/pool/movies/a\b.mkv"]);
        let odd = FilePath::new(RootName::parse("tv").unwrap(), RelPath::parse(b"\xff").unwrap());
        assert!(m.names(&odd).is_empty());
        assert!(m.names(&file("none", "a")).is_empty());
    }
}
