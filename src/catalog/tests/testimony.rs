//! Each row of the table of witnesses, and each rule of what a claim is worth.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::catalog::*;
use crate::domain::{
    About, Answer, Failure, FilePath, FileState, Instance, Item, Kind, Listed, ProviderIds,
    Question, RelPath, RootName, Said, Service, ServiceFile, ServiceFolder, ServicePath, Timestamp,
};

/// A disk of a few paths.
#[derive(Default)]
struct Disk {
    now: BTreeMap<FilePath, FileState>,
    before: BTreeSet<FilePath>,
    asked_below: RefCell<Vec<FilePath>>,
}

impl Sight for Disk {
    fn file(&self, file: &FilePath) -> Option<FileState> {
        self.now.get(file).cloned()
    }

    fn below(&self, folder: &FilePath) -> Option<FileState> {
        self.asked_below.borrow_mut().push(folder.clone());
        self.now.get(folder).cloned()
    }

    fn was_seen(&self, path: &FilePath) -> bool {
        self.before.contains(path)
    }
}

fn path(rel: &str) -> FilePath {
    FilePath::new(RootName::parse("movies").unwrap(), RelPath::parse(rel.as_bytes()).unwrap())
}

/// A disk on which `rel` was seen before and is so now.
fn disk(rel: &str, now: FileState) -> Disk {
    let before = [path(rel)].into();
    Disk { now: [(path(rel), now)].into(), before, ..Disk::default() }
}

fn service_path(path: &str) -> ServicePath {
    ServicePath(path.to_owned())
}

fn file(path: &str) -> ServiceFile {
    ServiceFile { path: service_path(path), season: None, accessible: None, folder: None }
}

fn title(files: Vec<ServiceFile>) -> Listed {
    let ids = ProviderIds { tmdb: Some(949), ..ProviderIds::default() };
    Listed {
        id: "1".into(),
        item: Item { kind: Kind::Film, title: "Heat".into(), year: Some(1995), ids },
        anidb: None,
        folder: Some(service_path("/m/Heat")),
        root_folder: Some(service_path("/m")),
        file_count: u32::try_from(files.len()).unwrap(),
        files,
        seasons: BTreeMap::new(),
    }
}

fn folder(accessible: Option<bool>) -> ServiceFolder {
    ServiceFolder { id: Some("2".into()), path: service_path("/m/"), accessible, free: None }
}

fn about(name: &str) -> About {
    About { application: "App".into(), name: name.into(), version: "1".into(), started: None }
}

fn said(titles: Vec<Listed>) -> Said {
    Said {
        about: about("one"),
        gone: if titles.is_empty() { vec!["1".into()] } else { vec![] },
        titles,
        unsure: None,
        replacing: None,
        folders: vec![folder(Some(true))],
    }
}

/// An instance, what it is known for, and what it was asked; of a film it lists or listed under `1`.
struct Set {
    instance: Instance,
    question: Question,
    concern: Concern,
    sanity: Sanity,
    about: About,
    mapping: Mapping,
    coverage: Coverage,
    seasons: Option<BTreeSet<u32>>,
}

fn set(service: Service) -> Set {
    let pair = [(service_path("/m"), PathBuf::from("/mnt/movies"))];
    let roots = [(RootName::parse("movies").unwrap(), PathBuf::from("/mnt/movies"))];
    let right = Counts { mapped: 100, known: 95, ..Counts::default() };
    Set {
        instance: Instance { service, name: "one".into() },
        question: Question {
            kind: Kind::Film,
            ids: ProviderIds { tmdb: Some(949), ..ProviderIds::default() },
            anidb: vec![],
            known: vec!["1".into()],
            lost: vec![],
            not_before: Timestamp::from_millis(0),
        },
        concern: Concern::Listed,
        sanity: Sanity::Sane,
        about: about("one"),
        mapping: Mapping::new(&pair, &[], &roots),
        coverage: Coverage { folders: vec![(service_path("/m"), right)], pairs: vec![] },
        seasons: None,
    }
}

impl Set {
    fn hears(&self, said: Result<&Said, &Failure>, disk: &Disk) -> (Answer, Vec<String>) {
        let case = Case {
            instance: &self.instance,
            question: &self.question,
            concern: self.concern,
            sanity: self.sanity,
            about: Some(&self.about),
            mapping: &self.mapping,
            coverage: &self.coverage,
            seasons: self.seasons.as_ref(),
        };
        testimony(&case, said, disk)
    }

    fn answer(&self, said: &Said, disk: &Disk) -> Answer {
        self.hears(Ok(said), disk).0
    }
}

const ALL: [Service; 4] = [Service::Radarr, Service::Sonarr, Service::Jellyfin, Service::Shoko];
const MANAGERS: [Service; 2] = [Service::Radarr, Service::Sonarr];

fn heat() -> ServiceFile {
    ServiceFile { accessible: Some(true), ..file("/m/Heat/h.mkv") }
}

fn is_unknown(answer: &Answer, part: &str) -> bool {
    matches!(answer, Answer::Unknown { why } if why.contains(part))
}

#[test]
fn a_file_that_is_listed_and_seen_on_disk_now_is_verified() {
    for service in ALL {
        let (answer, facts) = set(service)
            .hears(Ok(&said(vec![title(vec![heat()])])), &disk("Heat/h.mkv", FileState::Present));
        assert!(matches!(answer, Answer::Verified { .. }), "{service} {answer:?}");
        assert_eq!(facts, ["/m/Heat/h.mkv: seen on disk now"]);
    }
}

#[test]
fn a_listed_file_that_an_inventory_saw_and_that_is_absent_now_is_refuted() {
    for service in ALL {
        let answer = set(service)
            .answer(&said(vec![title(vec![heat()])]), &disk("Heat/h.mkv", FileState::Absent));
        assert_eq!(answer, Answer::Refuted { place: "/m/Heat/h.mkv".into() }, "{service}");
    }
}

#[test]
fn what_was_never_seen_can_not_be_looked_at_or_lies_nowhere_here_stands_unverified() {
    let stands = |set: &Set, at: &str, disk: &Disk| {
        let at = ServiceFile { path: service_path(at), ..heat() };
        let answer = set.answer(&said(vec![title(vec![at.clone()])]), disk);
        assert_eq!(answer, Answer::Unverified { place: at.path.0 });
    };
    for service in ALL {
        let set = set(service);
        let mut never = disk("Heat/h.mkv", FileState::Absent);
        never.before.clear();
        stands(&set, "/m/Heat/h.mkv", &never);
        let eio = FileState::Unknown { why: "EIO".into() };
        stands(&set, "/m/Heat/h.mkv", &disk("Heat/h.mkv", eio));
        stands(&set, "/m/Heat/h.mkv", &Disk::default());
        stands(&set, "/elsewhere/h.mkv", &Disk::default());
        stands(&set, "/m/../mnt/movies/Heat/h.mkv", &Disk::default());
        stands(&set, r"D:\Films\h.mkv", &Disk::default());
    }
}

#[test]
fn a_mapping_that_is_right_for_92_of_100_refutes_nothing() {
    let mut set = set(Service::Radarr);
    set.coverage.folders[0].1.known = 92;
    let gone = disk("Heat/h.mkv", FileState::Absent);
    let (answer, facts) = set.hears(Ok(&said(vec![title(vec![heat()])])), &gone);
    assert_eq!(answer, Answer::Unverified { place: "/m/Heat/h.mkv".into() });
    assert!(facts[0].contains("its mapping may be wrong"), "{facts:?}");
    set.coverage = Coverage::default();
    assert!(matches!(
        set.answer(&said(vec![title(vec![heat()])]), &gone),
        Answer::Unverified { .. }
    ));
}

#[test]
fn of_several_claims_the_liveliest_counts() {
    let set = set(Service::Radarr);
    let elsewhere = file("/elsewhere/h.mkv");
    let mut world = disk("Heat/h.mkv", FileState::Absent);
    let both = said(vec![title(vec![heat()]), title(vec![elsewhere.clone()])]);
    assert_eq!(set.answer(&both, &world), Answer::Unverified { place: elsewhere.path.0.clone() });
    world.now.insert(path("Heat/new.mkv"), FileState::Present);
    let upgraded = said(vec![title(vec![heat(), elsewhere, file("/m/Heat/new.mkv")])]);
    assert!(matches!(set.answer(&upgraded, &world), Answer::Verified { .. }));
}

#[test]
fn a_claim_of_a_folder_is_verified_only_by_a_media_file_of_the_item_below_it() {
    let set = set(Service::Sonarr);
    let counted = Listed { file_count: 10, ..title(vec![]) };
    let answer = |disk: &Disk| {
        let answer = set.answer(&said(vec![counted.clone()]), disk);
        assert_eq!(*disk.asked_below.borrow(), [path("Heat")]);
        answer
    };
    assert!(matches!(answer(&disk("Heat", FileState::Present)), Answer::Verified { .. }));
    assert_eq!(
        answer(&disk("Heat", FileState::Absent)),
        Answer::Refuted { place: "/m/Heat".into() }
    );
    assert!(matches!(answer(&Disk::default()), Answer::Unverified { .. }));
    let nowhere = Listed { folder: None, root_folder: None, ..counted.clone() };
    assert!(matches!(
        set.answer(&said(vec![nowhere]), &Disk::default()),
        Answer::Unverified { .. }
    ));
}

#[test]
fn files_that_are_counted_and_not_named_are_claimed_of_the_folder() {
    let set = set(Service::Radarr);
    let more = Listed { file_count: 2, ..title(vec![heat()]) };
    let gone = disk("Heat/h.mkv", FileState::Absent);
    assert_eq!(
        set.answer(&said(vec![more]), &gone),
        Answer::Unverified { place: "/m/Heat".into() }
    );
}

#[test]
fn a_title_without_files_or_gone_under_all_its_ids_is_absent() {
    for service in ALL {
        let set = set(service);
        if service != Service::Jellyfin {
            let nothing = said(vec![title(vec![])]);
            assert_eq!(set.answer(&nothing, &Disk::default()), Answer::Absent);
        }
        let (answer, facts) = set.hears(Ok(&said(vec![])), &Disk::default());
        assert_eq!(answer, Answer::Absent, "{service}");
        assert_eq!(facts, ["it has no such title under 1 any more"]);
    }
}

#[test]
fn a_title_that_jellyfin_lists_is_a_claim_of_its_folder_also_without_an_episode() {
    let set = set(Service::Jellyfin);
    let mut disk = disk("Heat", FileState::Absent);
    let nothing = said(vec![title(vec![])]);
    assert_eq!(set.answer(&nothing, &disk), Answer::Refuted { place: "/m/Heat".into() });
    disk.before.clear();
    assert_eq!(set.answer(&nothing, &disk), Answer::Unverified { place: "/m/Heat".into() });
    let nowhere = said(vec![Listed { folder: None, ..title(vec![]) }]);
    assert!(matches!(set.answer(&nowhere, &disk), Answer::Unverified { .. }));
}

#[test]
fn a_title_that_was_added_again_under_a_new_id_is_not_absent() {
    let set = set(Service::Radarr);
    let again = Listed { id: "2".into(), ..title(vec![file("/elsewhere/h.mkv")]) };
    let said = Said { gone: vec!["1".into()], ..said(vec![again]) };
    assert!(matches!(set.answer(&said, &Disk::default()), Answer::Unverified { .. }));
}

#[test]
fn an_answer_that_leaves_out_a_known_id_is_not_absence() {
    let set = set(Service::Radarr);
    let silent = Said { gone: vec![], ..said(vec![]) };
    let answer = set.answer(&silent, &Disk::default());
    assert!(is_unknown(&answer, "what became of the title that it had under 1"), "{answer:?}");
}

#[test]
fn without_a_provider_id_nothing_is_absent() {
    let mut set = set(Service::Jellyfin);
    set.question.ids = ProviderIds::default();
    assert!(is_unknown(&set.answer(&said(vec![]), &Disk::default()), "no provider's id"));
    // A number of AniDB is one.
    set.question.anidb = vec![23];
    assert_eq!(set.answer(&said(vec![]), &Disk::default()), Answer::Absent);
}

#[test]
fn no_failure_and_no_doubt_of_an_instance_is_absence() {
    let why = || "the reason".to_owned();
    let failures = [
        Failure::Transient { why: why(), retry_after: None },
        Failure::Permanent { why: why() },
        Failure::Unauthorized { why: why() },
        Failure::Protocol { why: why() },
    ];
    for service in ALL {
        for concern in [Concern::Listed, Concern::Unheard, Concern::Never] {
            let mut set = set(service);
            set.concern = concern;
            for failure in &failures {
                let (answer, facts) = set.hears(Err(failure), &Disk::default());
                assert!(is_unknown(&answer, "the reason"), "{service} {answer:?}");
                assert_eq!(facts, ["the reason"]);
            }
        }
        let mut set = set(service);
        let unsure = Said { unsure: Some(why()), ..said(vec![]) };
        assert!(is_unknown(&set.answer(&unsure, &Disk::default()), "the reason"));
        for sanity in [
            Sanity::Empty,
            Sanity::Shrunk { from: 9, to: 1 },
            Sanity::OtherInstance { agreement: 3, same_name: true },
        ] {
            set.sanity = sanity;
            let answer = set.answer(&said(vec![]), &Disk::default());
            assert!(is_unknown(&answer, &sanity.to_string()), "{answer:?}");
        }
    }
}

#[test]
fn a_scan_that_runs_leaves_a_refuted_claim_unknown_and_an_unverified_one_as_it_is() {
    let set = set(Service::Jellyfin);
    let scan = |titles| Said { unsure: Some("a scan is running".into()), ..said(titles) };
    let gone = disk("Heat/h.mkv", FileState::Absent);
    assert!(is_unknown(&set.answer(&scan(vec![title(vec![heat()])]), &gone), "a scan"));
    let elsewhere = scan(vec![title(vec![file("/elsewhere/h.mkv")])]);
    assert!(matches!(set.answer(&elsewhere, &gone), Answer::Unverified { .. }));
}

#[test]
fn an_instance_that_never_listed_it_has_no_say_and_one_never_heard_is_unknown() {
    for service in [Service::Radarr, Service::Jellyfin, Service::Shoko] {
        let mut set = set(service);
        set.question.known = vec![];
        let nothing = Said { gone: vec![], ..said(vec![]) };
        set.concern = Concern::Never;
        assert_eq!(set.answer(&nothing, &Disk::default()), Answer::NoSay, "{service}");
        // It lists it now.
        let elsewhere = ServiceFile { path: service_path("/elsewhere/h.mkv"), ..heat() };
        let now = said(vec![title(vec![elsewhere])]);
        assert!(matches!(set.answer(&now, &Disk::default()), Answer::Unverified { .. }));
        set.concern = Concern::Unheard;
        assert!(is_unknown(&set.answer(&nothing, &Disk::default()), "never listed yet"));
    }
}

#[test]
fn radarr_has_no_say_about_series_nor_sonarr_about_films_unless_it_lists_them() {
    for (service, kind) in [(Service::Radarr, Kind::Series), (Service::Sonarr, Kind::Film)] {
        let mut set = set(service);
        let down = Failure::Transient { why: "down".into(), retry_after: None };
        set.question.kind = kind;
        assert!(is_unknown(&set.hears(Err(&down), &Disk::default()).0, "down"), "{service}");
        set.question.known = vec![];
        set.concern = Concern::Never;
        assert_eq!(set.hears(Err(&down), &Disk::default()).0, Answer::NoSay, "{service}");
    }
}

#[test]
fn an_instance_under_another_name_says_nothing_before_a_sweep() {
    let set = set(Service::Radarr);
    let other = Said { about: about("two"), ..said(vec![]) };
    assert!(is_unknown(&set.answer(&other, &Disk::default()), "App two now and was App one"));
    let restarted = About { started: Some("later".into()), version: "2".into(), ..about("one") };
    let same = Said { about: restarted, ..said(vec![]) };
    assert_eq!(set.answer(&same, &Disk::default()), Answer::Absent);
}

#[test]
fn a_manager_that_can_not_see_its_folder_does_not_make_a_title_absent() {
    for service in MANAGERS {
        let blind = Said { folders: vec![folder(Some(false))], ..said(vec![title(vec![])]) };
        let answer = set(service).answer(&blind, &Disk::default());
        assert!(is_unknown(&answer, "can't see its folder /m/"), "{answer:?}");
    }
}

#[test]
fn only_the_seasons_of_the_item_count() {
    let mut set = set(Service::Sonarr);
    set.seasons = Some([1].into());
    let season = |season, path: &str| ServiceFile { season, ..file(path) };
    let second = season(Some(2), "/elsewhere/s2.mkv");
    let counts = |one, two| [(1, one), (2, two)].into_iter().collect::<BTreeMap<u32, u32>>();
    let answer = |files, seasons| {
        let title = Listed { seasons, ..title(files) };
        set.answer(&said(vec![title]), &Disk::default())
    };
    assert_eq!(answer(vec![second.clone()], counts(0, 1)), Answer::Absent);
    let first = season(Some(1), "/elsewhere/s1.mkv");
    let place = |path: &str| Answer::Unverified { place: path.into() };
    assert_eq!(answer(vec![second, first], counts(1, 1)), place("/elsewhere/s1.mkv"));
    assert_eq!(answer(vec![], counts(0, 5)), Answer::Absent);
    assert_eq!(answer(vec![], counts(5, 0)), place("/m/Heat"));
    let unsaid = season(None, "/elsewhere/x.mkv");
    assert_eq!(answer(vec![unsaid], counts(0, 1)), place("/elsewhere/x.mkv"));
}

#[test]
fn shoko_claims_only_what_it_sees_and_loses_only_what_it_could_see() {
    let set = set(Service::Shoko);
    let at = |accessible, folder: Option<&str>| {
        let file = file("/m/Heat/h.mkv");
        title(vec![ServiceFile { accessible, folder: folder.map(str::to_owned), ..file }])
    };
    let answer = |title: Listed, sees: Option<bool>| {
        let said = Said { folders: vec![folder(sees)], ..said(vec![title]) };
        set.answer(&said, &Disk::default())
    };
    assert!(matches!(answer(at(Some(true), Some("2")), None), Answer::Unverified { .. }));
    for id in [Some("2"), None] {
        // That no other file of the folder is seen comes with the answer, as its doubt.
        for sees in [None, Some(true)] {
            assert_eq!(answer(at(Some(false), id), sees), Answer::Absent);
        }
        let blind = answer(at(Some(false), id), Some(false));
        assert!(is_unknown(&blind, "nor its folder /m/"), "{blind:?}");
        let unsure = Said {
            unsure: Some("it can't see any file in its folder 2".into()),
            ..said(vec![at(Some(false), id)])
        };
        assert!(is_unknown(&set.answer(&unsure, &Disk::default()), "any file in its folder"));
    }
    assert!(is_unknown(&answer(at(Some(false), Some("3")), None), "no such folder any more"));
    assert!(is_unknown(&answer(at(None, Some("2")), Some(true)), "does not say whether"));
    let counted = Listed { file_count: 1, ..title(vec![]) };
    assert!(is_unknown(&answer(counted, Some(true)), "does not name the files"));
    // A second location that it sees stays a claim beside one that it can't tell of.
    let both = title(vec![heat(), at(Some(false), Some("3")).files.remove(0)]);
    assert!(matches!(answer(both.clone(), Some(true)), Answer::Unverified { .. }));
    let gone = disk("Heat/h.mkv", FileState::Absent);
    assert!(is_unknown(&set.answer(&said(vec![both]), &gone), "no such folder any more"));
}
