//! Invented titles: drawn from word lists, each given once.

use std::collections::BTreeSet;

/// Where titles come from.
pub(crate) struct Names {
    pub(crate) random: Random,
    taken: BTreeSet<String>,
}

impl Names {
    /// The same seed gives the same titles in the same order.
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: Random(seed), taken: BTreeSet::new() }
    }

    /// A title that was not given yet, and a year.
    pub(crate) fn next_title(&mut self) -> (String, u16) {
        let year = 1931 + u16::try_from(self.random.below(94)).unwrap_or_default();
        let mut title = self.random.title();
        for part in 2.. {
            if self.taken.insert(title.to_lowercase()) {
                break;
            }
            title = format!("{}, Part {part}", self.random.title());
        }
        (title, year)
    }
}

/// `SplitMix64`: small, and the same everywhere.
pub(crate) struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit.max(1)).unwrap_or(1);
        usize::try_from(self.next() % limit).unwrap_or_default()
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    /// An id that no other title of its kind has: the number is part of it.
    pub(crate) fn id(&mut self, number: usize) -> u32 {
        let base = u32::try_from(number).unwrap_or(u32::MAX / 20);
        10_000 + base * 10 + u32::try_from(self.below(10)).unwrap_or_default()
    }

    /// Two words for an episode.
    pub(crate) fn phrase(&mut self) -> String {
        format!("{} {}", self.pick(QUALITIES), self.pick(THINGS))
    }

    fn title(&mut self) -> String {
        let (quality, thing, place) = (self.pick(QUALITIES), self.pick(THINGS), self.pick(PLACES));
        match self.below(8) {
            0 => format!("The {quality} {thing}"),
            1 => format!("{quality} {thing}"),
            2 => format!("The {thing} of {place}"),
            3 => format!("{thing} & {}", self.pick(THINGS)),
            4 => format!("{place} - The {quality} {thing}"),
            5 => format!("{place}'s {thing}"),
            6 => format!("A {thing} in {place}"),
            _ => format!("{} {quality} {thing}s", 2 + self.below(98)),
        }
    }
}

const QUALITIES: &[&str] = &[
    "Amber",
    "Borrowed",
    "Brittle",
    "Crooked",
    "Distant",
    "Drowsy",
    "Eleventh",
    "Fading",
    "Feral",
    "Gilded",
    "Hollow",
    "Idle",
    "Jagged",
    "Kindly",
    "Late",
    "Leaden",
    "Lonesome",
    "Mended",
    "Narrow",
    "Nimble",
    "Oblique",
    "Paper",
    "Patient",
    "Quiet",
    "Reluctant",
    "Rusted",
    "Salted",
    "Second",
    "Slanted",
    "Tidal",
    "Uneven",
    "Velvet",
    "Wandering",
    "Winter",
    "Wooden",
    "Yonder",
];

const THINGS: &[&str] = &[
    "Almanac",
    "Anchor",
    "Beekeeper",
    "Bellows",
    "Cartographer",
    "Clockmaker",
    "Compass",
    "Corridor",
    "Ember",
    "Ferryman",
    "Foghorn",
    "Gardener",
    "Harbour",
    "Heron",
    "Inkwell",
    "Juniper",
    "Kettle",
    "Lantern",
    "Lockkeeper",
    "Meridian",
    "Miller",
    "Needle",
    "Orchard",
    "Parcel",
    "Pendulum",
    "Quarry",
    "Raft",
    "Signalman",
    "Sparrow",
    "Thimble",
    "Tollgate",
    "Umbrella",
    "Violin",
    "Weathervane",
    "Well",
];

const PLACES: &[&str] = &[
    "Aldermoor",
    "Bramhollow",
    "Château Mirel",
    "Dunwick",
    "Eisenfurt",
    "Fjällvik",
    "Grauhafen",
    "Hokumori",
    "Isla Perdiz",
    "Karrow",
    "Lindqvist Bay",
    "Málaska",
    "North Tarn",
    "Oakumbria",
    "Port Selden",
    "Quillfort",
    "Rue Verlane",
    "São Bento Alto",
    "Tervanto",
    "Ústí Dol",
    "Vexley",
    "Westermark",
    "Ysolde",
    "Zellwald",
];
