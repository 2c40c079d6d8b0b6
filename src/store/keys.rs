//! The keys of the trees.
//!
//! Numbers are big-endian, so that order in the tree is order in time; parts are separated by a NUL
//! byte, which neither names nor paths can have.

use crate::domain::{
    Decision, FileId, FilePath, Instance, ItemKey, RelPath, RootName, Service, Subject, Timestamp,
};

const END: u8 = 0;

/// Everything of one root.
pub(super) fn root(root: &RootName) -> Vec<u8> {
    let mut key = root.as_str().as_bytes().to_vec();
    key.push(END);
    key
}

/// One directory.
pub(super) fn directory(name: &RootName, dir: &RelPath) -> Vec<u8> {
    let mut key = root(name);
    key.extend_from_slice(dir.as_bytes());
    key
}

/// Everything below one directory, itself left out.
pub(super) fn below(name: &RootName, dir: &RelPath) -> Vec<u8> {
    let mut key = directory(name, dir);
    if !dir.is_root() {
        key.push(b'/');
    }
    key
}

/// All titles that may be found by a key. Films and series share what is behind their kind, and
/// most keys differ in nothing else: what is found is compared once more.
pub(super) fn titles(key: &ItemKey) -> Vec<u8> {
    let text = key.as_str();
    let behind_kind = text.split_once(':').map_or(text, |(_, rest)| rest);
    let mut bytes = behind_kind.replace('\0', " ").into_bytes();
    bytes.push(END);
    bytes
}

/// The number of a title, behind one of the keys that it may be found by.
pub(super) fn title(key: &ItemKey, number: u64) -> Vec<u8> {
    let mut bytes = titles(key);
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes
}

/// The number in a key of [`title`], or in the key of the title's own record.
pub(super) fn number(key: &[u8]) -> Option<u64> {
    let start = key.len().checked_sub(size_of::<u64>())?;
    Some(u64::from_be_bytes(key[start..].try_into().ok()?))
}

/// All names that appeared with one inode.
pub(super) fn arrivals(id: FileId) -> Vec<u8> {
    let mut key = id.fs.0.to_be_bytes().to_vec();
    key.extend_from_slice(&id.inode.to_be_bytes());
    key
}

/// One name that appeared.
pub(super) fn arrival(id: FileId, path: &FilePath) -> Vec<u8> {
    let mut key = arrivals(id);
    key.extend(directory(&path.root, &path.rel));
    key
}

/// What stands in the key of an arrival behind its inode: root and path.
pub(super) fn behind_inode(key: &[u8]) -> &[u8] {
    key.get(2 * size_of::<u64>()..).unwrap_or_default()
}

/// The story of one subject.
pub(super) fn history(subject: &str) -> Vec<u8> {
    let mut key = subject.replace('\0', " ").into_bytes();
    key.push(END);
    key
}

/// One line of a story: time, then a counter that keeps lines of one moment apart and in order.
pub(super) fn decision(decision: &Decision, counter: u64) -> Vec<u8> {
    let mut key = history(&subject(&decision.subject));
    key.extend_from_slice(&moment(decision.at));
    key.extend_from_slice(&counter.to_be_bytes());
    key
}

/// When a line of a story was written, from its key.
pub(super) fn decided_at(key: &[u8]) -> Option<Timestamp> {
    let end = key.len().checked_sub(8)?;
    let bytes: [u8; 8] = key.get(end.checked_sub(8)?..end)?.try_into().ok()?;
    Some(Timestamp::from_millis((u64::from_be_bytes(bytes) ^ 1 << 63).cast_signed()))
}

/// The name under which a subject's story is kept.
pub(super) fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Item(item) => item.key().to_string(),
        Subject::Root(root) => format!("root:{root}"),
    }
}

/// An instance of a service.
pub(super) fn instance(instance: &Instance) -> Vec<u8> {
    instance.to_string().into_bytes()
}

/// The instance of a key.
pub(super) fn parse_instance(key: &[u8]) -> Option<Instance> {
    let (service, name) = std::str::from_utf8(key).ok()?.split_once('.')?;
    let service = Service::ALL.into_iter().find(|known| known.to_string() == service)?;
    Some(Instance { service, name: name.to_owned() })
}

/// What an instance lists under an id; all of it with an empty one.
pub(super) fn listed(of: &Instance, id: &str) -> Vec<u8> {
    let mut key = instance(of);
    key.push(END);
    key.extend_from_slice(id.as_bytes());
    key
}

/// A moment in bytes that are ordered as moments are, also before 1970.
fn moment(at: Timestamp) -> [u8; 8] {
    (at.as_millis().cast_unsigned() ^ 1 << 63).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_folder_hold_what_is_below_it_and_not_its_longer_namesake() {
        let root = RootName::parse("movies").unwrap();
        let rel = |path: &str| RelPath::parse(path.as_bytes()).unwrap();
        let prefix = below(&root, &rel("a"));
        assert!(directory(&root, &rel("a/b")).starts_with(&prefix));
        assert!(!directory(&root, &rel("ab")).starts_with(&prefix));
        assert!(directory(&root, &rel("a")).starts_with(&below(&root, &RelPath::root())));
    }

    #[test]
    fn a_key_leads_to_the_numbers_of_its_titles_and_to_no_longer_key() {
        let heat = ItemKey::new("film:heat:1995");
        let key = title(&heat, 7);
        assert_eq!(number(&key), Some(7));
        assert!(key.starts_with(&titles(&ItemKey::new("any:heat:1995"))));
        assert!(!title(&ItemKey::new("film:heat:19955"), 7).starts_with(&titles(&heat)));
        assert_eq!(number(b"short"), None);
    }

    #[test]
    fn moments_are_ordered_as_bytes() {
        let moments = [i64::MIN, -5, 0, 7, 1 << 40].map(Timestamp::from_millis);
        assert!(moments.map(moment).is_sorted());
    }
}
