//! The vocabulary: plain validated values that every room shares and that no room can build wrongly.
//!
//! Must never do I/O, read a clock, or know a wire format. The serde forms here are the stored form
//! (store and ledger file) and therefore a promise: see `store` for the schema version.

mod candidate;
mod decision;
mod deletion;
mod episode;
mod inner;
mod item;
mod observation;
mod path;
mod pool;
mod root;
mod secret;
mod service;
mod service_path;
mod time;
mod witness;

pub use candidate::{Candidate, CandidateId, FirstLook, Hold, Holding, ProbeId, Stage};
pub use decision::{Decision, Subject, What};
pub use deletion::{Cause, Deletion, DeletionId, Entry, EntryState, Source};
pub use episode::{Episode, episodes};
pub use inner::is_remote;
pub use item::{Item, ItemKey, Kind, Life, ProviderIds, alike, normalise};
pub use observation::{LostFile, Observation, Place, Sensor};
pub use path::{AbsPath, FilePath, PathError, RelPath, RootName, shown};
pub use pool::{Branch, BranchId, Pool, Retired};
pub use root::{FileId, FsId, Health, Identity, RootLook};
pub use secret::Secret;
pub use service::{
    About, Failure, Instance, Listed, Listing, Question, Said, ServiceFile, ServiceFolder,
    ServicePath,
};
pub use service_path::ServiceParts;
pub use time::{Awake, Now, Timestamp};
pub use witness::{
    Answer, DiskLook, Evidence, FileLook, FileState, Found, FoundFile, Service, Testimony, Witness,
};
