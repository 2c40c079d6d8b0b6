//! Names of made-up titles: many, each different, with what is awkward in real ones.

const FIRST: [&str; 16] = [
    "Quiet",
    "Crimson",
    "Last",
    "Hollow",
    "Élise's",
    "Winter",
    "Paper",
    "Seventh",
    "Broken",
    "Distant",
    "Silver",
    "Müller's",
    "Restless",
    "Small",
    "Burning",
    "Forgotten",
];
const SECOND: [&str; 16] = [
    "Harbour", "Garden", "Letter", "Mirror", "River", "Orchard", "Signal", "Clock", "Bridge",
    "Lantern", "Island", "Ñandú", "Corridor", "Promise", "Engine", "Valley",
];

/// The name of the `n`-th title. Beyond the first 256 a part tells them apart, behind a colon, which no
/// folder name keeps.
pub(crate) fn title(n: u32, article: &str) -> String {
    let first = FIRST[(n % 16) as usize];
    let second = SECOND[(n / 16 % 16) as usize];
    match n / 256 {
        0 => format!("{article} {first} {second}"),
        part => format!("{article} {first} {second}: Part {}", part + 1),
    }
}

/// A title as a folder or file name, as Radarr and Sonarr make it: a colon becomes ` -`, other signs
/// that a file system may refuse go.
pub(crate) fn clean(title: &str) -> String {
    title.replace(": ", " - ").replace([':', '/', '\\', '?', '*', '"', '<', '>', '|'], "")
}

/// As the services sort it: lower case, without the article.
pub(crate) fn sort_title(title: &str) -> String {
    let lower = title.to_lowercase().replace([':', '\''], "");
    lower.strip_prefix("the ").map_or_else(|| lower.clone(), str::to_owned)
}

/// Letters and digits alone.
pub(crate) fn clean_title(title: &str) -> String {
    sort_title(title).chars().filter(|c| c.is_alphanumeric()).collect()
}

/// As in an address.
pub(crate) fn slug(title: &str) -> String {
    sort_title(title).split(|c: char| !c.is_alphanumeric()).collect::<Vec<_>>().join("-")
}

#[test]
fn no_two_titles_have_one_name() {
    let mut names: Vec<String> = (0..50_000).map(|n| clean(&title(n, "The"))).collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 50_000);
}
