//! Changes while the watcher runs, and while it doesn't.

use super::*;

#[test]
fn the_first_run_sends_everything_and_a_second_walk_nothing() {
    let mut world = World::new(|root| films(root, 30));
    world.agrees();
    world.handle.rescan(Why::Requested);
    world.until("a second walk", |world| world.walks() == 2);
    assert_eq!(world.listed, 0);
    let (asked, began) = (0, Duration::ZERO);
    let walked = |walk| Report::Walked { walk, directories: 31, files: 30, asked, began };
    assert!(world.said.contains(&walked(Walk::Start)));
    assert!(world.said.contains(&walked(Walk::Rescan { why: Why::Requested })));
    let all = Report::Watching { directories: 31, watched: 31, why_not: None };
    assert!(world.said.contains(&all), "{:?}", world.said);
    assert!(world.handle.looked() > Duration::ZERO || world.walks() == 2);
}

#[test]
fn a_check_is_answered_by_a_walk_that_began_after_it_and_another_pace_is_kept() {
    let mut world = World::new(|root| films(root, 300));
    world.handle.rescan(Why::Timer);
    world.handle.check(4);
    world.handle.check(7);
    let answered = |report: &Report| matches!(report, Report::Walked { asked: 7, .. });
    world.until("the check", |world| world.said.iter().any(answered));
    let before = world.walks();
    world.handle.pace(Duration::from_millis(10), Duration::from_millis(50));
    world.until("walks by the timer", |world| world.walks() >= before + 3);
    world.handle.pace(Duration::from_millis(10), Duration::from_hours(1));
    world.sync();
    fs::remove_file(world.path("film 00001 (2001)/film.mkv")).unwrap();
    world.until("the loss", |world| !world.lost.is_empty());
}

#[test]
fn a_deletion_is_noticed_without_being_asked_for() {
    let mut world = World::new(|root| films(root, 3));
    fs::remove_file(world.path("film 00001 (2001)/film.mkv")).unwrap();
    world.until("the loss", |world| !world.lost.is_empty());
    assert_eq!(world.lost, ["film 00001 (2001)/film.mkv"]);
    assert_eq!(world.listed, 1);
    fs::remove_dir_all(world.path("film 00002 (2001)")).unwrap();
    world.until("the other loss", |world| world.lost.len() == 2);
    world.agrees();
}

#[test]
fn what_happened_before_the_question_is_listed_before_the_answer() {
    let mut world = World::new(|root| films(root, 200));
    for round in 0..20 {
        let film = world.path(&format!("film {round:05} (2001)"));
        fs::remove_dir_all(&film).unwrap();
        write(&world.path(&format!("new {round}/deep/er/film.mkv")));
        world.sync();
        world.agrees();
    }
    assert_eq!(world.lost.len(), 20);
}

#[test]
fn a_file_moved_away_and_back_between_two_batches_is_not_forgotten() {
    let mut world = World::new(|root| films(root, 3));
    let (here, away) = (world.path("film 00001 (2001)"), world.outer.path().join("away"));
    world.holds = true;
    fs::rename(&here, &away).unwrap();
    world.sync();
    fs::rename(&away, &here).unwrap();
    world.sync();
    world.release();
    world.agrees();
    fs::remove_file(here.join("film.mkv")).unwrap();
    world.lost.clear();
    world.until("its end", |world| !world.lost.is_empty());
    world.agrees();
}

#[test]
fn a_file_deleted_and_restored_before_the_record_is_written_is_still_known() {
    let mut world = World::new(|root| films(root, 1));
    let film = world.path("film 00000 (2001)/film.mkv");
    world.holds = true;
    for _ in 0..3 {
        fs::remove_file(&film).unwrap();
        world.sync();
        fs::write(&film, "").unwrap();
        world.sync();
    }
    world.release();
    world.agrees();
}

#[test]
fn a_directory_made_again_under_its_name_is_watched_again() {
    let mut world = World::new(|root| films(root, 3));
    let dir = world.path("film 00001 (2001)");
    for round in 0..10 {
        fs::remove_dir_all(&dir).unwrap();
        write(&dir.join(format!("{round}/a.mkv")));
        write(&dir.join("film.mkv"));
        world.sync();
        world.agrees();
        world.lost.clear();
        fs::remove_file(dir.join(format!("{round}/a.mkv"))).unwrap();
        world.until("a loss in the new directory", |world| !world.lost.is_empty());
        write(&dir.join("late.mkv"));
        world.until("a file in the new directory", |world| {
            world.inventory.files().contains("film 00001 (2001)/late.mkv")
        });
    }
}

#[test]
fn a_directory_whose_inode_is_held_open_is_watched_again_all_the_same() {
    let mut world = World::new(|root| films(root, 3));
    let dir = world.path("film 00001 (2001)");
    let held = fs::File::open(&dir).unwrap();
    fs::remove_dir_all(&dir).unwrap();
    write(&dir.join("film.mkv"));
    world.sync();
    world.lost.clear();
    fs::remove_file(dir.join("film.mkv")).unwrap();
    world.until("a loss in the new directory", |world| !world.lost.is_empty());
    drop(held);
}

#[test]
fn a_directory_renamed_inside_the_root_is_watched_under_its_new_name() {
    let mut world = World::new(|root| {
        write(&root.join("series/season 1/1.mkv"));
        write(&root.join("series/season 1/extras/x.mkv"));
    });
    for (from, to) in [("series", "renamed"), ("renamed", "again"), ("again", "series")] {
        fs::rename(world.path(from), world.path(to)).unwrap();
        world.sync();
        world.agrees();
        world.lost.clear();
        let episode = world.path(&format!("{to}/season 1/1.mkv"));
        fs::remove_file(&episode).unwrap();
        world.until("a loss below the new name", |world| !world.lost.is_empty());
        assert_eq!(world.lost, [format!("{to}/season 1/1.mkv")]);
        fs::write(&episode, "").unwrap();
        world.sync();
    }
    let halves = world.moves.iter().filter(|half| half.cookie == world.moves[0].cookie);
    let halves: Vec<_> = halves.map(|half| (half.path.to_string(), half.to)).collect();
    assert_eq!(halves, [("series".into(), false), ("renamed".into(), true)]);
}

#[test]
fn a_tree_moved_out_is_lost_whole_and_a_tree_moved_in_is_found_whole() {
    let mut world = World::new(|root| {
        write(&root.join("series/season 1/1.mkv"));
        write(&root.join("series/season 2/1.mkv"));
    });
    let away = world.outer.path().join("away");
    fs::rename(world.path("series"), &away).unwrap();
    world.until("the loss", |world| world.lost.len() == 2);
    fs::write(away.join("season 1/2.mkv"), "").unwrap();
    world.sync();
    world.agrees();
    fs::rename(&away, world.path("back")).unwrap();
    world.until("the return", |world| world.inventory.files().len() == 3);
    fs::remove_file(world.path("back/season 1/2.mkv")).unwrap();
    world.until("the loss below", |world| world.lost.len() == 3);
    world.agrees();
}

#[test]
fn a_tree_copied_in_at_full_speed_is_found_whole() {
    let mut world = World::new(|_| ());
    for a in 0..10 {
        for b in 0..50 {
            write(&world.path(&format!("{a}/{b}/deep/film.mkv")));
            fs::write(world.path(&format!("{a}/{b}/{b}.mkv")), "").unwrap();
        }
    }
    world.sync();
    world.agrees();
    assert_eq!(world.inventory.files().len(), 1_000);
    assert!(world.lost.is_empty());
}

#[test]
fn a_media_file_given_another_extension_is_renamed_and_not_lost() {
    let mut world = World::new(|root| films(root, 2));
    let film = world.path("film 00001 (2001)/film.mkv");
    fs::rename(&film, film.with_extension("mkv.bak")).unwrap();
    world.until("both halves", |world| world.moves.len() == 2);
    world.sync();
    assert!(world.lost.is_empty(), "{:?}", world.lost);
    assert!(world.inventory.files().contains("film 00001 (2001)/film.mkv.bak"));
}

#[test]
fn what_went_while_nobody_watched_is_found_at_the_next_start() {
    let mut world = World::new(|root| films(root, 50));
    world.restart(|root| {
        fs::remove_dir_all(root.join("film 00007 (2001)")).unwrap();
        fs::remove_file(root.join("film 00009 (2001)/film.mkv")).unwrap();
        write(&root.join("film 00008 (2001)/other.mkv"));
    });
    assert_eq!(world.lost_sorted(), ["film 00007 (2001)/film.mkv", "film 00009 (2001)/film.mkv"]);
    assert_eq!(world.listed, 3);
    world.agrees();
}

#[test]
fn it_stops_at_once_also_in_the_middle_of_a_walk() {
    let mut world = World::new(|root| films(root, 2_000));
    world.handle.rescan(Why::Requested);
    world.stop();
    world.until("its last word", |world| world.said.last() == Some(&Report::Stopped));
}
