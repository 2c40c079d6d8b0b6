//! One title under two names, and titles that may live where the configuration no longer looks.

use super::*;

#[test]
fn what_may_have_moved_to_a_root_that_is_taken_out_of_the_configuration_is_not_reported() {
    let mut world = World::new();
    world.add((0, 1, 0));
    world.remove((0, 1, 0));
    world.advance(SETTLE / 2);
    world.core.remove_root(world.now, &root_name(1));
    world.upkeep();
    world.advance(Duration::from_hours(1_000));
    assert!(world.probes.is_empty());
    assert_eq!(world.kinds(0), ["lost", "rebased"]);
}

#[test]
fn one_title_under_two_names_that_match_dies_once() {
    let mut world = World::new();
    let with_id =
        Item { ids: ProviderIds { tmdb: Some(949), ..ProviderIds::default() }, ..World::item(0) };
    let named = |item: &Item, root: usize| Observation::Lost {
        item: item.clone(),
        places: vec![World::place(0, root)],
        files: vec![world.lost_file((0, 1, root))],
        sensor: Sensor::Watcher,
    };
    let (first, second) = (named(&World::item(0), 0), named(&with_id, 1));
    // A series of that name is none of it.
    let other = Item { kind: Kind::Series, ..World::item(0) };
    for observation in [first, second] {
        world.core.handle_observation(world.now, observation);
    }
    assert_eq!(world.core.candidates.len(), 1);
    let candidate = world.core.candidates.values().next().unwrap();
    assert_eq!((candidate.lost.len(), candidate.places.len()), (2, 2));
    let third = Observation::Lost {
        item: other,
        places: vec![World::place(0, 0)],
        files: vec![world.lost_file((0, 2, 0))],
        sensor: Sensor::Watcher,
    };
    world.core.handle_observation(world.now, third);
    assert_eq!(world.core.candidates.len(), 2);
}
