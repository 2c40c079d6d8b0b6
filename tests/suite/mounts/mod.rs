//! The whole daemon on real mounts that are lost, lie or hang, each test in a mount namespace of
//! its own. Where this user may not make one, each says loudly that it was skipped.

pub(crate) mod fuse;
pub(crate) mod rig;

mod automount;
mod first;
mod inner;
mod itself;
mod lies;
mod limits;
mod lost;
mod numbers;
mod pools;
mod reboot;
mod remote;
mod retire;
