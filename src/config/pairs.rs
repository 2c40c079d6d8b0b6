//! Pairs of paths as a person writes them: for messages that name one, or propose one.

use std::path::Path;

use super::section::dotted;
use crate::domain::{Instance, ServicePath};

/// The key of a pair: of an instance, or of the table for all.
#[must_use]
pub fn pair_key(instance: Option<&Instance>, theirs: &ServicePath) -> String {
    let table = instance.map_or_else(|| "paths".to_owned(), |instance| format!("{instance}.paths"));
    dotted(&table, &theirs.0)
}

/// A pair as it is written: one line, whatever a service put into its path.
#[must_use]
pub fn pair(theirs: &ServicePath, here: &Path) -> String {
    format!("{} = {}", quoted(&theirs.0), quoted(&here.to_string_lossy()))
}

/// A text in quotes on one line: a literal one where that spares doubled `\`.
fn quoted(text: &str) -> String {
    let is_plain = !text.contains(char::is_control);
    if is_plain && text.contains(['\\', '"']) && !text.contains('\'') {
        return format!("'{text}'");
    }
    let mut line = String::from("\"");
    for c in text.chars() {
        match c {
            '\\' | '"' => line.extend(['\\', c]),
            c if c.is_control() => line.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => line.push(c),
        }
    }
    line.push('"');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Overrides, parse};
    use crate::domain::Service;

    #[test]
    fn a_proposed_pair_can_be_written_as_it_is() {
        for theirs in
            ["/movies", r"D:\Films", r"\\nas\media", "/it's \"so\"", r"/a'\b", "/é \u{200f}"]
        {
            let line = pair(&ServicePath(theirs.to_owned()), Path::new("/mnt/a \"b\""));
            let text = format!("[roots.a]\npath = \"/mnt\"\n[paths]\n{line}\n");
            let settings = parse(&text, "x", Vec::new(), &Overrides::default(), Path::new("/"));
            let paths = settings.unwrap().paths;
            assert_eq!(paths, [(ServicePath(theirs.to_owned()), "/mnt/a \"b\"".into())], "{line}");
        }
        let odd = pair(&ServicePath("/a\n[roots.b]".to_owned()), Path::new("/b"));
        assert_eq!(odd, "\"/a\\u000A[roots.b]\" = \"/b\"");
        assert_eq!(pair(&ServicePath(r"D:\Films".into()), Path::new("/m")), r#"'D:\Films' = "/m""#);
    }

    #[test]
    fn a_pair_is_named_by_its_key() {
        let path = ServicePath("/movies".into());
        let hd = Instance { service: Service::Radarr, name: "hd".into() };
        assert_eq!(pair_key(Some(&hd), &path), "radarr.hd.paths.\"/movies\"");
        assert_eq!(pair_key(None, &path), "paths.\"/movies\"");
    }
}
