//! Lost events, lost watches, lost roots.

use notify::event::{EventKind, Flag};

use super::*;

/// As the first notify watcher says it, more than once.
fn overflow(world: &World) {
    let epoch = 1;
    for _ in 0..3 {
        let event = notify::Event::new(EventKind::Other).set_flag(Flag::Rescan);
        world.handle.messages.send(Message::Notify { slot: 0, epoch, event: Ok(event) }).unwrap();
    }
}

fn overflows(world: &World) -> usize {
    world.said.iter().filter(|report| **report == Report::Overflowed).count()
}

#[test]
fn lost_events_lead_to_one_walk_and_no_more() {
    let mut world = World::new(|root| films(root, 50));
    overflow(&world);
    world.until("the walk", |world| world.walks() == 2);
    let why = Walk::Rescan { why: Why::Overflow };
    let (asked, began) = (0, Duration::ZERO);
    let walked = Report::Walked { walk: why, directories: 51, files: 50, asked, began };
    assert!(world.said.contains(&walked));
    world.sync();
    assert_eq!((world.walks(), overflows(&world)), (2, 1), "{:?}", world.said);
    for n in [1, 3, 5, 7] {
        fs::remove_dir_all(world.path(&format!("film {n:05} (2001)"))).unwrap();
    }
    world.until("the losses", |world| world.lost.len() == 4);
    assert_eq!(world.walks(), 2);
    world.agrees();
}

#[test]
fn a_removed_library_of_2000_folders_is_lost_whole_and_cheaply() {
    let mut world = World::new(|root| {
        for n in 0..2_000 {
            write(&root.join(format!("{}/film {n}/film.mkv", n % 10)));
            fs::write(root.join(format!("{}/film {n}/extra.mkv", n % 10)), "").unwrap();
        }
    });
    for n in 0..10 {
        fs::remove_dir_all(world.path(&n.to_string())).unwrap();
    }
    world.until("all losses", |world| world.lost.len() == 4_000);
    world.sync();
    world.agrees();
    assert!(world.listed < 4_000, "{} listings", world.listed);
    assert_eq!(world.lost.iter().collect::<BTreeSet<_>>().len(), world.lost.len());
}

#[test]
fn a_root_that_is_away_loses_nothing_and_tells_all_when_it_is_back() {
    let mut world = World::new(|root| films(root, 20));
    let away = world.outer.path().join("away");
    fs::rename(&world.root, &away).unwrap();
    let is_missing =
        |report: &Report| matches!(report, Report::Root { look: RootLook::Missing { .. } });
    world.until("the root is missing", |world| world.said.iter().any(is_missing));
    world.handle.sync(99);
    let is_no =
        |report: &Report| matches!(report, Report::Synced { token: 99, current: false, .. });
    world.until("no answer", |world| world.said.iter().any(is_no));
    fs::remove_dir_all(away.join("film 00003 (2001)")).unwrap();
    assert!(world.lost.is_empty());
    fs::rename(&away, &world.root).unwrap();
    world.until("the walk after", |world| world.walks() == 2);
    assert_eq!(world.lost, ["film 00003 (2001)/film.mkv"]);
    let why = Walk::Rescan { why: Why::Recovered };
    let (asked, began) = (0, Duration::ZERO);
    let walked = Report::Walked { walk: why, directories: 20, files: 19, asked, began };
    assert!(world.said.contains(&walked));
    fs::remove_file(world.path("film 00004 (2001)/film.mkv")).unwrap();
    world.until("a loss after", |world| world.lost.len() == 2);
}

#[test]
fn another_directory_in_the_place_of_the_root_comes_with_its_own_identity() {
    let mut world = World::new(|root| films(root, 20));
    world.holds = true;
    fs::rename(&world.root, world.outer.path().join("away")).unwrap();
    fs::create_dir(&world.root).unwrap();
    world.until("another walk", |world| world.walks() == 2);
    let seen: Vec<&Identity> = world
        .said
        .iter()
        .filter_map(|report| match report {
            Report::Root { look: RootLook::Seen { identity } } => Some(identity),
            _ => None,
        })
        .collect();
    if seen[0].inode.is_some() {
        let [first, .., last] = seen[..] else { panic!("{seen:?}") };
        assert!(first.matches(last).is_err());
        for report in &world.held {
            let Report::Listed { identity, .. } = report else { continue };
            assert_eq!(identity, last);
        }
    }
}

#[test]
fn without_any_watch_everything_is_still_found_and_the_reason_is_told() {
    let mut world = World::with(0, |root| films(root, 20));
    let why = world.said.iter().find_map(|report| match report {
        Report::Watching { directories: 21, watched: 0, why_not } => Some(why_not.clone()),
        _ => None,
    });
    assert!(why.flatten().is_some(), "{:?}", world.said);
    fs::remove_dir_all(world.path("film 00003 (2001)")).unwrap();
    write(&world.path("new/film.mkv"));
    world.sync();
    world.agrees();
    assert_eq!(world.lost, ["film 00003 (2001)/film.mkv"]);
}

#[test]
fn a_cookie_that_can_t_be_made_is_replaced_by_a_walk() {
    let mut world = World::new(|root| films(root, 20));
    fs::remove_dir_all(world.outer.path().join("cookies")).unwrap();
    fs::remove_dir_all(world.path("film 00003 (2001)")).unwrap();
    world.sync();
    assert_eq!(world.walks(), 2);
    world.agrees();
}
