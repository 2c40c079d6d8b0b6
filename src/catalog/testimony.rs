//! What an instance's words are worth beside the disk.
//!
//! Whatever an instance lists with a file is a claim. One that the disk shows is verified, one that
//! the disk disproves is refuted, and all others stand. Must never make anything but a clear answer
//! of a well instance into `Absent`: what was not said, not whole, or not sure is `Unknown`.

use std::collections::BTreeSet;

use super::coverage::Coverage;
use super::listed::Concern;
use super::mapping::{Mapped, Mapping};
use super::sanity::Sanity;
use crate::domain::{
    About, Answer, Failure, FilePath, FileState, Instance, Kind, Listed, Question, Said, Service,
    ServiceFile, ServiceFolder, ServicePath,
};

/// What the disk shows of the paths that an instance names.
pub trait Sight {
    /// How a file answers now; `None` where nobody looked. A directory is not a file: it answers as
    /// [`Sight::below`] does.
    fn file(&self, file: &FilePath) -> Option<FileState>;

    /// Whether a media file of the item lies below a folder now; `None` where nobody looked.
    fn below(&self, folder: &FilePath) -> Option<FileState>;

    /// Whether an inventory has seen this file, or media below this folder, in this life.
    fn was_seen(&self, path: &FilePath) -> bool;
}

/// What is known of the instance and of what it was asked.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// Who was asked.
    pub instance: &'a Instance,
    /// What it was asked.
    pub question: &'a Question,
    /// Whether it has a say.
    pub concern: Concern,
    /// What its last listing was worth.
    pub sanity: Sanity,
    /// Who it was when it was last believed.
    pub about: Option<&'a About>,
    /// Where its paths lie.
    pub mapping: &'a Mapping,
    /// Whether that is right.
    pub coverage: &'a Coverage,
    /// The seasons that count, where the item is some of a series.
    pub seasons: Option<&'a BTreeSet<u32>>,
}

/// A path at which an instance says that something of the item is.
struct Claim<'a> {
    path: &'a ServicePath,
    is_folder: bool,
}

/// What the disk makes of a claim.
enum Worth {
    Verified,
    Refuted,
    Stands(String),
}

/// The answer of one instance, and what it rests on, for people.
#[must_use]
pub fn testimony(
    case: &Case<'_>,
    said: Result<&Said, &Failure>,
    disk: &dyn Sight,
) -> (Answer, Vec<String>) {
    let unknown = |why: String| (Answer::Unknown { why: why.clone() }, vec![why]);
    if case.is_not_of_its_kind() {
        return (Answer::NoSay, vec![format!("it has no {}", plural(case.question.kind))]);
    }
    let said = match said {
        Ok(said) => said,
        Err(failure) => return unknown(failure.to_string()),
    };
    if let Some(why) = case.doubt(said) {
        return unknown(why);
    }
    let mut facts = Vec::new();
    let (mut verified, mut stands, mut refuted) = (None, None, None);
    let mut unsure = said.unsure.clone();
    for title in &said.titles {
        let (claims, untold) = case.claims(said, title);
        unsure = unsure.or(untold);
        if claims.is_empty() && unsure.is_none() {
            facts.push(format!("it lists {} ({}) without a file", title.item, title.id));
        }
        for claim in claims {
            let place = || claim.path.0.clone();
            match case.weigh(&claim, disk) {
                Worth::Verified => {
                    facts.push(format!("{}: seen on disk now", place()));
                    verified.get_or_insert_with(place);
                }
                Worth::Refuted => {
                    facts.push(format!("{}: seen before and absent now", place()));
                    refuted.get_or_insert_with(place);
                }
                Worth::Stands(why) => {
                    facts.push(format!("{}: {why}", place()));
                    stands.get_or_insert_with(place);
                }
            }
        }
        let claims_some = case.count(title) > 0 || case.instance.service == Service::Jellyfin;
        if title.files.is_empty() && title.folder.is_none() && claims_some {
            facts.push(format!("it lists {} with a file and names no place", title.item));
            stands.get_or_insert_with(|| format!("an unnamed place of {}", title.item));
        }
    }
    facts.extend(said.gone.iter().map(|id| format!("it has no such title under {id} any more")));
    let answer = if let Some(place) = verified {
        Answer::Verified { how: format!("{} lists it at {place}, which is there", case.instance) }
    } else if let Some(place) = stands {
        Answer::Unverified { place }
    } else if let Some(why) = unsure {
        facts.push(why.clone());
        Answer::Unknown { why }
    } else if let Some(place) = refuted {
        Answer::Refuted { place }
    } else {
        case.without_claims(said, &mut facts)
    };
    (answer, facts)
}

impl Case<'_> {
    /// Radarr has films only, Sonarr series; one that lists it all the same is asked.
    fn is_not_of_its_kind(&self) -> bool {
        let other = match self.instance.service {
            Service::Radarr => Some(Kind::Series),
            Service::Sonarr => Some(Kind::Film),
            Service::Jellyfin | Service::Shoko => None,
        };
        other == Some(self.question.kind)
            && self.concern != Concern::Listed
            && self.question.known.is_empty()
    }

    /// Why nothing that this instance says counts.
    fn doubt(&self, said: &Said) -> Option<String> {
        if let Some(why) = self.sanity.why() {
            return Some(why);
        }
        let was = self.about?;
        let is = &said.about;
        ((&was.application, &was.name) != (&is.application, &is.name)).then(|| {
            format!(
                "it is {} {} now and was {} {} when it was last listed; a sweep tells whether it \
                 is the same",
                is.application, is.name, was.application, was.name
            )
        })
    }

    fn is_of_the_seasons(&self, season: Option<u32>) -> bool {
        // What is of no known season may be of these.
        match (self.seasons, season) {
            (Some(seasons), Some(season)) => seasons.contains(&season),
            _ => true,
        }
    }

    /// How many files a title has, in the seasons that count.
    fn count(&self, title: &Listed) -> u32 {
        match self.seasons {
            Some(seasons) if !title.seasons.is_empty() => {
                let of = title.seasons.iter().filter(|(season, _)| seasons.contains(season));
                of.map(|(_, count)| *count).fold(0, u32::saturating_add)
            }
            _ => title.file_count,
        }
    }

    /// What a title claims, and what can't be told of it.
    fn claims<'a>(&self, said: &Said, title: &'a Listed) -> (Vec<Claim<'a>>, Option<String>) {
        let of_file = |file: &'a ServiceFile| Claim { path: &file.path, is_folder: false };
        let files = || title.files.iter().filter(|file| self.is_of_the_seasons(file.season));
        let count = usize::try_from(self.count(title)).unwrap_or(usize::MAX);
        if self.instance.service == Service::Shoko {
            let there = files().filter(|file| file.accessible == Some(true)).map(of_file);
            let mut away = files().filter(|file| file.accessible != Some(true));
            let untold = if title.files.is_empty() && count > 0 {
                Some(format!("it does not name the files of {}", title.item))
            } else {
                away.find_map(|file| unseen_by_shoko(said, file))
            };
            return (there.collect(), untold);
        }
        let there = files().filter(|file| file.accessible != Some(false));
        let mut claims: Vec<Claim<'_>> = there.map(of_file).collect();
        // Files that are counted and not named lie somewhere in the folder. Jellyfin counts none: what it
        // lists it takes to be there.
        let counts_none = self.instance.service == Service::Jellyfin && claims.is_empty();
        if files().count() < count || counts_none {
            let folder = title.folder.as_ref();
            claims.extend(folder.map(|path| Claim { path, is_folder: true }));
        }
        let untold = if count == 0 { unseen_by_manager(said, title) } else { None };
        (claims, untold)
    }

    fn weigh(&self, claim: &Claim<'_>, disk: &dyn Sight) -> Worth {
        let here = match self.mapping.map(claim.path) {
            Mapped::Here(here) => here,
            Mapped::Outside(path) => {
                return Worth::Stands(format!("{} lies in no root", path.display()));
            }
            Mapped::Unmapped => {
                return Worth::Stands("nothing says where that lies on this machine".to_owned());
            }
        };
        let state = if claim.is_folder { disk.below(&here) } else { disk.file(&here) };
        match state {
            Some(FileState::Present) => Worth::Verified,
            Some(FileState::Absent) if !disk.was_seen(&here) => {
                Worth::Stands(format!("{here} is absent, but was never seen there"))
            }
            Some(FileState::Absent) if !self.coverage.refutes(self.mapping, claim.path) => {
                Worth::Stands(format!(
                    "{here} is absent, but too few paths of this folder are found here for that to \
                     mean anything: its mapping may be wrong"
                ))
            }
            Some(FileState::Absent) => Worth::Refuted,
            Some(FileState::Unknown { why }) => Worth::Stands(why),
            None => Worth::Stands(format!("{here} was not looked at")),
        }
    }

    /// The answer of an instance that claims nothing and was sure.
    fn without_claims(&self, said: &Said, facts: &mut Vec<String>) -> Answer {
        if said.titles.is_empty() && self.concern == Concern::Never {
            return Answer::NoSay;
        }
        let Question { ids, anidb, known, .. } = self.question;
        let told = |id: &&String| {
            said.gone.contains(id) || said.titles.iter().any(|title| title.id == **id)
        };
        let why = if let Some(id) = known.iter().find(|id| !told(id)) {
            format!("it did not say what became of the title that it had under {id}")
        } else if self.concern == Concern::Unheard {
            "its titles were never listed yet; wait for a sweep".to_owned()
        } else if said.titles.is_empty() && ids.is_empty() && anidb.is_empty() {
            "no provider's id of the title is known, so it may be listed under another id"
                .to_owned()
        } else {
            return Answer::Absent;
        };
        facts.push(why.clone());
        Answer::Unknown { why }
    }
}

/// Why a location that Shoko can't see is not gone. Whether it sees any other file of the folder is
/// asked with the question: an answer where it does not is not sure of itself.
fn unseen_by_shoko(said: &Said, file: &ServiceFile) -> Option<String> {
    let path = &file.path.0;
    if file.accessible.is_none() {
        return Some(format!("it does not say whether it can see {path}"));
    }
    let is_its = |folder: &&ServiceFolder| match (&folder.id, &file.folder) {
        (Some(id), Some(of)) => id == of,
        _ => lies_in(&file.path, &folder.path),
    };
    match said.folders.iter().find(is_its) {
        Some(folder) if folder.accessible == Some(false) => {
            Some(format!("it can't see {path}, nor its folder {}", folder.path.0))
        }
        Some(_) => None,
        None => Some(format!("it can't see {path}, and has no such folder any more")),
    }
}

/// Why a title without files is not gone: a manager drops its records of files where it can't see
/// the disk that they were on.
fn unseen_by_manager(said: &Said, title: &Listed) -> Option<String> {
    let path = title.root_folder.as_ref().or(title.folder.as_ref())?;
    let mut blind = said.folders.iter().filter(|folder| folder.accessible == Some(false));
    let folder = blind.find(|folder| lies_in(path, &folder.path))?;
    Some(format!("it can't see its folder {}", folder.path.0))
}

fn lies_in(path: &ServicePath, folder: &ServicePath) -> bool {
    let (path, folder) = (path.parts(), folder.parts());
    path.zip(folder).is_some_and(|(path, folder)| path.below(&folder).is_some())
}

fn plural(kind: Kind) -> &'static str {
    match kind {
        Kind::Film => "films",
        Kind::Series => "series",
    }
}
