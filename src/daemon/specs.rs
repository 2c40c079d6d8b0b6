//! From settings to what the engine, the watchers and the prober are told of roots.

use std::collections::BTreeMap;

use super::roots::RootSpec;
use crate::config::{RootSettings, Settings};
use crate::core::Policy;
use crate::domain::RootName;
use crate::inventory::Rules;
use crate::prober::Ground;

/// How long the core waits, by the configuration.
pub(super) fn policy(settings: &Settings) -> Policy {
    Policy {
        settle: settings.confirm.settle,
        window: settings.brake.window,
        replace_max: settings.confirm.replace_max,
        hold_retry: settings.confirm.hold_retry,
        remote_confirm: settings.remote.confirm,
        ..Policy::default()
    }
}

/// The configured roots.
pub(super) fn specs(settings: &Settings) -> Vec<RootSpec> {
    settings.roots.iter().map(spec).collect()
}

fn spec(root: &RootSettings) -> RootSpec {
    let rules = Rules::new(
        root.extensions.iter().map(String::as_str),
        root.ignore.iter().map(String::as_str),
    );
    let extensions: Vec<&str> = root.extensions.iter().map(String::as_str).collect();
    let mut ignore: Vec<&str> = root.ignore.iter().map(String::as_str).collect();
    ignore.sort_unstable();
    // The first line is the path: another path is another library, other rules are not.
    let basis = format!(
        "{}\nextensions {}\nignore {}",
        root.path.display(),
        extensions.join(" "),
        ignore.join("\t"),
    );
    RootSpec {
        name: root.name.clone(),
        path: root.path.clone(),
        rules,
        marker: root.marker.clone(),
        basis,
        within: None,
    }
}

/// Where the prober may look.
pub(super) fn grounds(specs: &[RootSpec]) -> BTreeMap<RootName, Ground> {
    let ground = |spec: &RootSpec| Ground {
        path: spec.path.clone(),
        rules: spec.rules.clone(),
        marker: spec.marker.clone(),
        is_inner: spec.within.is_some(),
        dark: None,
        retired: false,
    };
    specs.iter().map(|spec| (spec.name.clone(), ground(spec))).collect()
}
