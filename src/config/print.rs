//! The effective settings as a configuration file.
//!
//! Every struct is taken apart by name, so that a new setting which is not printed does not
//! compile. What is printed reads back to the same settings.

use std::fmt::Display;

use super::settings::{
    BrakeSettings, ConfirmSettings, LogSettings, PoolSettings, RemoteSettings, RootSettings,
    Settings, WatchSettings,
};
use super::value::written;

/// The settings as TOML. A list that a root shares with `[watch]` is written there only.
///
/// A root of the command line whose path is not UTF-8 can't be written in TOML; its path comes out
/// with replacement characters.
#[must_use]
pub fn print(settings: &Settings) -> String {
    let Settings { roots, pools, history, watch, confirm, brake, remote, log, warnings: _ } =
        settings;
    let mut out = Out(String::new());
    out.key("history", quoted(&written(*history)));
    for root in roots {
        out.root(root, watch);
    }
    for PoolSettings { name, mount, branches } in pools {
        out.table(&format!("pools.{name}"));
        out.key("mount", quoted(&mount.to_string_lossy()));
        let branches: Vec<String> =
            branches.iter().map(|branch| branch.to_string_lossy().into_owned()).collect();
        out.key("branches", list(&branches));
    }
    let WatchSettings { rescan, quiet, extensions, ignore } = watch;
    out.table("watch");
    out.key("rescan", quoted(&written(*rescan)));
    out.key("quiet", quoted(&written(*quiet)));
    out.key("extensions", list(extensions));
    out.key("ignore", list(ignore));

    let ConfirmSettings { settle, replace_max, hold_retry } = confirm;
    out.table("confirm");
    out.key("settle", quoted(&written(*settle)));
    out.key("replace_max", quoted(&written(*replace_max)));
    out.key("hold_retry", quoted(&written(*hold_retry)));

    let BrakeSettings { window, max, floor, share } = brake;
    out.table("brake");
    out.key("window", quoted(&written(*window)));
    out.key("max", max);
    out.key("floor", floor);
    out.key("share", quoted(&share.to_string()));

    let RemoteSettings { confirm, rescan } = remote;
    out.table("remote");
    out.key("confirm", quoted(&written(*confirm)));
    out.key("rescan", quoted(&written(*rescan)));

    let LogSettings { level, format } = log;
    out.table("log");
    out.key("level", quoted(level.as_str()));
    out.key("format", quoted(format.as_str()));
    out.0
}

struct Out(String);

impl Out {
    fn table(&mut self, name: &str) {
        self.0.push_str(&format!("\n[{name}]\n"));
    }

    fn key(&mut self, key: &str, value: impl Display) {
        self.0.push_str(&format!("{key} = {value}\n"));
    }

    fn root(&mut self, root: &RootSettings, watch: &WatchSettings) {
        let RootSettings { name, path, extensions, ignore, marker } = root;
        self.table(&format!("roots.{name}"));
        self.key("path", quoted(&path.to_string_lossy()));
        if *extensions != watch.extensions {
            self.key("extensions", list(extensions));
        }
        if *ignore != watch.ignore {
            self.key("ignore", list(ignore));
        }
        if let Some(marker) = marker {
            self.key("marker", quoted(marker));
        }
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}
