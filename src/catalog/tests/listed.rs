//! What instances list, joined, and what is different the next time.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::catalog::*;
use crate::domain::{
    About, FilePath, Instance, Item, Kind, Listed, Listing, Place, ProviderIds, RelPath, RootName,
    Service, ServiceFile, ServicePath, Timestamp,
};

fn instance(service: Service, name: &str) -> Instance {
    Instance { service, name: name.to_owned() }
}

fn radarr() -> Instance {
    instance(Service::Radarr, "hd")
}

fn uhd() -> Instance {
    instance(Service::Radarr, "uhd")
}

fn sonarr() -> Instance {
    instance(Service::Sonarr, "tv")
}

fn jellyfin() -> Instance {
    instance(Service::Jellyfin, "home")
}

fn shoko() -> Instance {
    instance(Service::Shoko, "anime")
}

fn tmdb(id: u64) -> ProviderIds {
    ProviderIds { tmdb: Some(id), ..ProviderIds::default() }
}

fn item(kind: Kind, title: &str, year: Option<u16>, ids: ProviderIds) -> Item {
    Item { kind, title: title.to_owned(), year, ids }
}

fn film(title: &str, ids: ProviderIds) -> Item {
    item(Kind::Film, title, Some(1995), ids)
}

/// A title with its folder, and the file of that name in it.
fn listed(id: &str, item: Item, folder: &str, file: Option<&str>) -> Listed {
    let file = file.map(|name| ServiceFile {
        path: ServicePath(format!("{folder}/{name}")),
        season: None,
        accessible: None,
        folder: None,
    });
    Listed {
        id: id.to_owned(),
        item,
        anidb: None,
        folder: Some(ServicePath(folder.to_owned())),
        root_folder: None,
        file_count: u32::from(file.is_some()),
        files: file.into_iter().collect(),
        seasons: BTreeMap::new(),
    }
}

fn listing(titles: Vec<Listed>) -> Listing {
    let about = About {
        application: "Radarr".into(),
        name: "Radarr".into(),
        version: "6".into(),
        started: None,
    };
    let (begun, folders) = (Timestamp::from_millis(1), Vec::new());
    Listing { about, titles, folders, moving: None, requests: 1, begun }
}

fn path(rel: &str) -> FilePath {
    FilePath::new(RootName::parse("movies").unwrap(), RelPath::parse(rel.as_bytes()).unwrap())
}

fn place(folder: &str) -> Place {
    let FilePath { root, rel: folder } = path(folder);
    Place { root, folder, loose: false }
}

/// Every instance has `/m` for the one root.
fn titles(shelves: Vec<(Instance, Vec<Listed>)>) -> Titles {
    let pair = [(ServicePath("/m".into()), PathBuf::from("/mnt/movies"))];
    let roots = [(RootName::parse("movies").unwrap(), PathBuf::from("/mnt/movies"))];
    let mapping = Mapping::new(&pair, &[], &roots);
    let all = [radarr(), uhd(), sonarr(), jellyfin(), shoko()];
    let mappings = all.into_iter().map(|of| (of, mapping.clone())).collect();
    let mut titles = Titles::new(mappings, Vec::new(), Vec::new());
    for (instance, shelf) in shelves {
        titles.learn(&instance, listing(shelf));
    }
    titles
}

fn ids_at(found: &[(&Instance, &Listed)]) -> Vec<String> {
    found.iter().map(|(of, title)| format!("{of}:{}", title.id)).collect()
}

fn now() -> Timestamp {
    Timestamp::from_millis(7)
}

#[test]
fn a_title_is_found_by_its_file_by_its_folder_and_from_anywhere_below_it() {
    let all = titles(vec![
        (radarr(), vec![listed("1", film("Heat", tmdb(949)), "/m/Heat", Some("h.mkv"))]),
        (sonarr(), vec![listed("5", item(Kind::Series, "Show", None, tmdb(3)), "/m/Show", None)]),
    ]);
    assert_eq!(ids_at(&all.at_path(&path("Heat/h.mkv"))), ["radarr.hd:1"]);
    assert_eq!(ids_at(&all.at_path(&path("Heat/extras/old.mkv"))), ["radarr.hd:1"]);
    assert_eq!(ids_at(&all.at_path(&path("Show/Season 1/a.mkv"))), ["sonarr.tv:5"]);
    assert!(all.at_path(&path("Heat 2/h.mkv")).is_empty());
    assert_eq!(ids_at(&all.at_place(&place("Show"))), ["sonarr.tv:5"]);
    assert_eq!(ids_at(&all.at_place(&place("Show/Season 1"))), ["sonarr.tv:5"]);
    assert_eq!(ids_at(&all.at_place(&place(""))), ["radarr.hd:1", "sonarr.tv:5"]);
    assert!(all.at_place(&place("He")).is_empty());
    assert_eq!(all.by_id(&radarr(), "1").unwrap().title, "Heat");
    assert!(all.by_id(&sonarr(), "1").is_none());
}

#[test]
fn a_folder_that_films_share_is_not_the_folder_of_one_of_them() {
    let all = titles(vec![(
        jellyfin(),
        vec![
            listed("a", film("Heat", tmdb(949)), "/m", Some("Heat (1995).mkv")),
            listed("b", film("Ronin", tmdb(8195)), "/m", Some("Ronin (1998).mkv")),
        ],
    )]);
    assert_eq!(ids_at(&all.at_path(&path("Heat (1995).mkv"))), ["jellyfin.home:a"]);
    assert!(all.at_path(&path("Other (2000).mkv")).is_empty());
    let loose = Place { loose: true, ..place("") };
    let item = film("Heat", ProviderIds::default());
    let lost = [path("Heat (1995).mkv")];
    let question = all.question(&item, &[loose], &lost, &jellyfin(), now());
    assert_eq!((question.ids, question.known), (tmdb(949), vec!["a".to_owned()]));
}

#[test]
fn ids_are_joined_over_all_instances_that_know_the_title() {
    let imdb = ProviderIds { imdb: Some("tt1".into()), ..ProviderIds::default() };
    let both = ProviderIds { tvdb: Some(7), ..imdb.clone() };
    let all = titles(vec![
        (
            radarr(),
            vec![listed(
                "1",
                film("Heat", ProviderIds { imdb: imdb.imdb.clone(), ..tmdb(949) }),
                "/m/Heat",
                Some("h.mkv"),
            )],
        ),
        (uhd(), vec![listed("9", film("Heat UHD", tmdb(949)), "/uhd/Heat", Some("h.mkv"))]),
        // Elsewhere, under another name, known by an id that only Radarr ties to the place.
        (jellyfin(), vec![listed("j", film("Hitze", both), "/x/Hitze", Some("x.mkv"))]),
    ]);
    let nameless = film("Whatever", ProviderIds::default());
    let lost = [path("Heat/h.mkv")];
    let ask = |of: &Instance| all.question(&nameless, &[place("Heat")], &lost, of, now());
    let question = ask(&jellyfin());
    assert_eq!(
        question.ids,
        ProviderIds { tmdb: Some(949), tvdb: Some(7), imdb: Some("tt1".into()) }
    );
    assert_eq!(question.known, ["j"]);
    assert_eq!((question.kind, question.not_before), (Kind::Film, now()));
    assert_eq!(
        question.lost,
        [ServicePath("/m/Heat/h.mkv".into()), ServicePath("/mnt/movies/Heat/h.mkv".into())]
    );
    assert_eq!(ask(&uhd()).known, ["9"]);
    assert_eq!(ask(&radarr()).known, ["1"]);
}

#[test]
fn a_title_of_another_kind_or_with_another_id_is_not_bound() {
    let all = titles(vec![
        (radarr(), vec![listed("1", film("Heat", tmdb(949)), "/m/Heat", Some("h.mkv"))]),
        (
            sonarr(),
            vec![listed("2", item(Kind::Series, "Heat", Some(1995), tmdb(949)), "/tv/Heat", None)],
        ),
        (jellyfin(), vec![listed("3", film("Heat", tmdb(1)), "/x/Heat", Some("h.mkv"))]),
    ]);
    let heat = film("Heat", tmdb(949));
    for (of, known) in [(radarr(), vec!["1"]), (sonarr(), vec![]), (jellyfin(), vec![])] {
        assert_eq!(all.question(&heat, &[], &[], &of, now()).known, known, "{of}");
        let concern = if known.is_empty() { Concern::Never } else { Concern::Listed };
        assert_eq!(all.concerns(&heat, &[], &[], &of), concern, "{of}");
    }
    assert_eq!(all.concerns(&heat, &[], &[], &shoko()), Concern::Unheard);
}

#[test]
fn a_title_that_shares_one_id_and_differs_in_another_is_asked_about_and_lends_nothing() {
    let ids =
        |tmdb, imdb: &str, tvdb| ProviderIds { tmdb: Some(tmdb), imdb: Some(imdb.into()), tvdb };
    let merged = listed("j", film("Heat", ids(949, "tt2", Some(5))), "/x", Some("h.mkv"));
    let all = titles(vec![(jellyfin(), vec![merged])]);
    let heat = film("Heat", ids(949, "tt1", None));
    let question = all.question(&heat, &[], &[], &jellyfin(), now());
    assert_eq!((question.known, question.ids), (vec!["j".to_owned()], ids(949, "tt1", None)));
    assert_eq!(all.concerns(&heat, &[], &[], &jellyfin()), Concern::Listed);
}

#[test]
fn of_two_works_in_one_folder_neither_lends_its_id_to_the_other() {
    let all = titles(vec![(
        sonarr(),
        vec![
            listed("1", item(Kind::Series, "One", None, tmdb(1)), "/m/Both", None),
            listed("2", item(Kind::Series, "Two", None, tmdb(2)), "/m/Both", None),
        ],
    )]);
    let both = item(Kind::Series, "Both", None, ProviderIds::default());
    let question = all.question(&both, &[place("Both")], &[path("Both/a.mkv")], &sonarr(), now());
    assert!(question.ids.is_empty(), "{question:?}");
    assert_eq!(question.known, ["1", "2"], "each may be it");
    let one = item(Kind::Series, "One", None, ProviderIds::default());
    assert_eq!(all.question(&one, &[place("Both")], &[], &sonarr(), now()).ids, tmdb(1));
}

#[test]
fn several_rows_for_one_title_are_all_asked_about() {
    let all = titles(vec![(
        jellyfin(),
        vec![
            listed("a", film("Heat", tmdb(949)), "/m/Heat", Some("h.mkv")),
            listed("b", film("Heat 4K", tmdb(949)), "/x/Heat", Some("h.mkv")),
        ],
    )]);
    let question = all.question(&film("Heat", tmdb(949)), &[], &[], &jellyfin(), now());
    assert_eq!(question.known, ["a", "b"]);
}

#[test]
fn an_item_without_a_place_is_found_by_its_name_and_year_alone() {
    let all = titles(vec![(radarr(), vec![listed("1", film("Heat", tmdb(949)), "/x/Heat", None)])]);
    let ask = |title: &str, year| {
        let item = item(Kind::Film, title, year, ProviderIds::default());
        all.question(&item, &[], &[], &radarr(), now())
    };
    assert_eq!(ask("heat", Some(1995)).ids, tmdb(949));
    for (title, year) in [("heat", None), ("Heat", Some(1986)), ("Heat 2", Some(1995))] {
        assert!(ask(title, year).ids.is_empty(), "{title} {year:?}");
    }
    // Where neither has a year the name alone is too little.
    let undated = item(Kind::Film, "Heat", None, tmdb(949));
    let all = titles(vec![(radarr(), vec![listed("1", undated, "/x/Heat", None)])]);
    let heat = item(Kind::Film, "Heat", None, ProviderIds::default());
    let question = all.question(&heat, &[], &[], &radarr(), now());
    assert_eq!((question.ids, question.known), (ProviderIds::default(), vec!["1".to_owned()]));
}

#[test]
fn what_the_layout_takes_for_a_film_is_asked_for_as_the_series_that_is_listed_there() {
    let series = item(Kind::Series, "Short", Some(1995), tmdb(4));
    let all = titles(vec![(sonarr(), vec![listed("1", series, "/m/Short", None)])]);
    let short = film("Short", tmdb(77));
    let lost = [path("Short/part.mkv")];
    let question = all.question(&short, &[place("Short")], &lost, &sonarr(), now());
    assert_eq!((question.kind, question.ids), (Kind::Series, tmdb(4)));
    assert_eq!(question.known, ["1"]);
    assert_eq!(all.concerns(&short, &[place("Short")], &lost, &sonarr()), Concern::Listed);
}

#[test]
fn shoko_is_asked_by_its_own_numbers() {
    let anime = |id: &str, number: u64| Listed {
        anidb: Some(number),
        ..listed(id, item(Kind::Series, "Bebop", None, tmdb(30991)), "/x", None)
    };
    let all = titles(vec![(shoko(), vec![anime("37", 23), anime("38", 24)])]);
    let bebop = item(Kind::Series, "Cowboy Bebop", Some(1998), tmdb(30991));
    let question = all.question(&bebop, &[], &[], &shoko(), now());
    assert_eq!((question.anidb, question.known), (vec![23, 24], vec!["37".into(), "38".into()]));
}

#[test]
fn what_was_listed_once_is_remembered_and_still_concerns_its_instance() {
    let heat = || listed("1", film("Heat", tmdb(949)), "/m/Heat", Some("h.mkv"));
    let other = || listed("2", film("Ronin", tmdb(8195)), "/m/Ronin", Some("r.mkv"));
    let mut all = titles(vec![(radarr(), vec![heat(), other()])]);
    let changes = all.learn(&radarr(), listing(vec![other()]));
    assert_eq!(changes, Changes { dropped: vec![heat()], ..Changes::default() });
    assert_eq!(all.by_id(&radarr(), "1").unwrap().title, "Heat");
    let item = film("Heat", tmdb(949));
    assert_eq!(all.concerns(&item, &[], &[], &radarr()), Concern::Listed);
    assert_eq!(all.question(&item, &[], &[], &radarr(), now()).known, ["1"]);

    let shelves: Vec<Shelf> = all.shelves().cloned().collect();
    let stored = serde_json::to_string(&(&shelves, all.past())).unwrap();
    let (shelves, past): (Vec<Shelf>, Vec<Remembered>) = serde_json::from_str(&stored).unwrap();
    let elsewhere = Titles::new(BTreeMap::new(), shelves, past);
    assert!(elsewhere.shelves().next().is_none(), "it is not configured any more");
    assert_eq!(elsewhere.by_id(&radarr(), "2").unwrap().title, "Ronin");
    assert_eq!(elsewhere.past().len(), 2);
}

#[test]
fn the_memory_of_titles_has_an_end() {
    let all = (0..30_000).map(|n| Remembered {
        instance: radarr(),
        id: n.to_string(),
        item: film("A", tmdb(n)),
        anidb: None,
        place: None,
        folder: None,
        at: now(),
    });
    let titles = Titles::new(BTreeMap::new(), Vec::new(), all.collect());
    assert_eq!(titles.past().len(), 20_000);
    assert_eq!(titles.past()[0].id, "10000");
}

#[test]
fn the_first_listing_of_an_instance_only_learns() {
    let heat = listed("1", film("Heat", tmdb(949)), "/m/Heat", Some("h.mkv"));
    let changes = titles(vec![]).learn(&radarr(), listing(vec![heat]));
    assert_eq!(changes, Changes::default());
}

#[test]
fn a_sweep_hints_at_what_went_lost_its_files_came_or_has_another_id() {
    let one = |id: &str, number: u64, file: Option<&str>| {
        listed(id, film(&format!("F{number}"), tmdb(number)), "/m/F", file)
    };
    let two_files = |count: u32| Listed { file_count: count, ..one("5", 5, Some("a")) };
    let before = [
        one("1", 1, Some("a")),
        one("2", 2, Some("a")),
        one("3", 3, Some("a")),
        one("4", 4, None),
        two_files(2),
        one("6", 6, Some("a")),
    ];
    // Id 6 is another film's now, and film 3 has the id 30.
    let now = [
        one("2", 2, None),
        one("30", 3, Some("a")),
        one("4", 4, Some("a")),
        two_files(1),
        one("6", 60, None),
    ];
    let changes = Changes::between(&before, &now, false);
    let expected = Changes {
        dropped: vec![before[0].clone(), before[5].clone()],
        emptied: vec![before[1].clone()],
        fewer: vec![before[4].clone()],
        recreated: vec![(before[2].clone(), now[1].clone())],
        alive: vec![now[2].clone()],
    };
    assert_eq!(changes, expected);
    let moving = Changes::between(&before, &now, true);
    assert!(moving.dropped.is_empty() && moving.emptied.is_empty() && moving.fewer.is_empty());
    assert_eq!((moving.recreated, moving.alive), (expected.recreated, expected.alive));
}

#[test]
fn what_is_missing_from_a_listing_that_moved_is_kept() {
    let heat = listed("1", film("Heat", tmdb(949)), "/m/Heat", Some("h.mkv"));
    let mut all = titles(vec![(radarr(), vec![heat.clone()])]);
    let moving = Listing { moving: Some("a scan is running".into()), ..listing(vec![]) };
    assert_eq!(all.learn(&radarr(), moving), Changes::default());
    assert_eq!(all.shelf(&radarr()).unwrap().titles, [heat]);
}
