//! The stored forms, committed as text: each must read back and be written identically in every
//! later version.

use super::super::testing::{known_service, listed, lost_file, remembered};
use super::*;
use crate::core::RootState;
use crate::domain::{Candidate, Evidence, FirstLook, Identity, Sensor, Witness};

#[test]
fn the_stored_form_of_schema_1_never_changes() {
    fn check<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(
        value: &T,
        golden: &str,
    ) {
        assert_eq!(serde_json::to_string(value).unwrap(), golden);
        assert_eq!(&serde_json::from_str::<T>(golden).unwrap(), value);
    }
    check(&candidate(), include_str!("../golden/candidate.json").trim());
    let absent = Some(FirstLook { at: Timestamp::from_millis(7), awake: Awake::from_millis(8) });
    let once = Candidate { absent, ..candidate() };
    check(&once, include_str!("../golden/candidate-absent.json").trim());
    check(&entry(1), include_str!("../golden/entry.json").trim());
    let item = ItemState {
        closed: Some(Timestamp::from_millis(3)),
        partial: vec![lost_file()],
        ..ItemState::first(film(1))
    };
    check(&item, include_str!("../golden/item.json").trim());
    let state = RootState {
        identity: Some(Identity {
            boot: "b".into(),
            mount: 1,
            device: 2,
            fs_type: "ext4".into(),
            source: "/dev/sda1".into(),
            uuid: Some("u".into()),
            inode: Some(2),
            born: None,
            pool: None,
        }),
        basis: "/m\nextensions mkv".into(),
        suspect: None,
        learned: None,
        retired: vec![],
    };
    check(&state, include_str!("../golden/root.json").trim());
    check(&known_service(0), include_str!("../golden/service.json").trim());
    check(&remembered(0, 2), include_str!("../golden/past.json").trim());
    check(&listed(1), include_str!("../golden/listed.json").trim());
    let line = Line {
        v: 1,
        at: Timestamp::from_millis(5),
        event: Event::Deletion { entry: Box::new(entry(1)) },
    };
    check(&line, include_str!("../golden/ledger.json").trim());
    let evidence = Evidence {
        witness: Witness::Disk,
        answer: "absent".into(),
        path: None,
        detail: "x".into(),
        at: Timestamp::default(),
    };
    let what = What::Lost { files: vec![lost_file().path], sensor: Sensor::Start };
    let decision = Decision {
        at: Timestamp::from_millis(5),
        subject: Subject::Item(film(1)),
        candidate: Some(CandidateId(3)),
        what,
        evidence: vec![evidence],
    };
    check(&decision, include_str!("../golden/decision.json").trim());
}
