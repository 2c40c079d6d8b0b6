//! Finds items by what a person remembers of them.

use std::collections::BTreeMap;

use crate::domain::{Item, ItemKey, normalise};

/// A search under way.
#[derive(Debug)]
pub(super) struct Search {
    text: String,
    plain: String,
    limit: usize,
    found: BTreeMap<(u8, ItemKey), Item>,
}

impl Search {
    /// Searches for `text` in keys and titles, without regard to case and punctuation.
    pub(super) fn new(text: &str, limit: usize) -> Self {
        Self { text: text.to_lowercase(), plain: normalise(text), limit, found: BTreeMap::new() }
    }

    /// Takes the item if it fits.
    pub(super) fn offer(&mut self, item: Item) {
        let key = item.key();
        let (title, lower) = (normalise(&item.to_string()), item.to_string().to_lowercase());
        let bare = normalise(&item.title);
        // Better hits first: they are what is meant when there are many.
        let rank = if key.as_str().to_lowercase() == self.text {
            0
        } else if bare == self.plain || title == self.plain {
            1
        } else if title.starts_with(&self.plain) {
            2
        } else if title.contains(&self.plain)
            || lower.contains(&self.text)
            || key.as_str().contains(&self.text)
        {
            3
        } else {
            return;
        };
        self.found.entry((rank, key)).or_insert(item);
    }

    /// The best hits: one that is meant exactly keeps vaguer ones out.
    pub(super) fn found(self) -> Vec<Item> {
        let best = self.found.keys().next().map_or(u8::MAX, |(rank, _)| *rank);
        let exact = |rank: u8| best > 1 || rank <= best;
        let hits = self.found.into_iter().filter(|((rank, _), _)| exact(*rank));
        hits.map(|(_, item)| item).take(self.limit).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Kind, ProviderIds};

    fn check(text: &str, expected: &[&str]) {
        let mut search = Search::new(text, 3);
        for (title, year) in
            [("Heat", 1995), ("Heathers", 1989), ("In the Heat", 1967), ("Dark", 2017)]
        {
            let ids = ProviderIds::default();
            search.offer(Item { kind: Kind::Film, title: title.into(), year: Some(year), ids });
        }
        let found: Vec<String> = search.found().iter().map(|item| item.title.clone()).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn what_is_meant_exactly_is_found_alone_and_a_part_finds_all_that_have_it() {
        check("heat", &["Heat"]);
        check("HEAT (1995)", &["Heat"]);
        check("film:heat:1995", &["Heat"]);
        check("hea", &["Heat", "Heathers", "In the Heat"]);
        check("the heat", &["In the Heat"]);
        check("nothing", &[]);
    }
}
