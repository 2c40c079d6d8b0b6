//! The vocabulary: plain validated values that every room shares and that no room can build wrongly.
//!
//! Must never do I/O, read a clock, or know a wire format. The serde forms here are the stored form
//! (store and ledger file) and therefore a promise: see `store` for the schema version.

mod path;

pub use path::{AbsPath, FilePath, PathError, RelPath, RootName, shown};
