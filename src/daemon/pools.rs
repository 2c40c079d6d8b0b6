//! Pools as they are configured: for the looks at the disk, and for `check-config`.

use std::io;
use std::path::Path;

use crate::config::Settings;
use crate::disk::{Host, PoolSpec};

/// What the looks at the disk are told.
pub(super) fn specs(settings: &Settings) -> Vec<PoolSpec> {
    let spec = |pool: &crate::config::PoolSettings| PoolSpec {
        mount: pool.mount.clone(),
        branches: pool.branches.clone(),
    };
    settings.pools.iter().map(spec).collect()
}

/// What is configured as a mount point and is none now: a sentence each, which names the key.
///
/// # Errors
/// When the mount table can't be read.
pub fn not_mounted(settings: &Settings) -> io::Result<Vec<String>> {
    if settings.pools.is_empty() {
        return Ok(Vec::new());
    }
    let mounts = Host::new()?.mounts()?;
    let mut sentences = Vec::new();
    for pool in &settings.pools {
        let mut check = |key: &str, path: &Path| {
            if !mounts.is_point(path) {
                sentences.push(format!(
                    "pools.{}.{key}: {} is not a mount point; mount it, or correct the path",
                    pool.name,
                    path.display()
                ));
            }
        };
        check("mount", &pool.mount);
        pool.branches.iter().for_each(|branch| check("branches", branch));
    }
    Ok(sentences)
}
