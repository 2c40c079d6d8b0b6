//! Keys of services are in nothing that a run leaves behind or says.

use std::fs;
use std::path::Path;

use rustix::process::Signal;
use simulators::{Jellyfin, Misbehaviour, Radarr, Sonarr, jellyfin, radarr, shoko, sonarr};

use super::rig::{Kinds, LONG, Rig, SMALL, table, wait_health};
use crate::e2e::wait::until;

const RADARR: &str = "rAdArrKeyQx7Zp2Lm9Vt4Wc8Bn";
const SONARR: &str = "sOnArrKeyJf3Hd6Gk1Ys5Ru0Ea";
const JELLYFIN: &str = "jEllyKeyNb8Mv4Cx2Zl7Kj1Hg";
const SHOKO: &str = "sHokoKeyPo9Iu3Yt6Re2Wq5Az";
/// Of nobody.
const WRONG: &str = "wRongKeyTg4Yh7Uj1Ik5Ol8Pm";
/// In the path of an address, which is no place for a secret.
const PATH: &str = "hUnter2PathVf6Tg9Bh3Nj";
/// In addresses that are refused.
const REFUSED: [&str; 2] = ["uSerPasswordXs5Dc2Fv8", "qUeryKeyZa1Qw4Sx7Ed"];

/// The key itself, and the forms in which it may have been sent or written.
fn forms(key: &str) -> Vec<Vec<u8>> {
    let bytes = key.as_bytes();
    let hex = |each: &dyn Fn(&u8) -> String| bytes.iter().map(each).collect::<String>();
    let mut forms = vec![
        key.to_owned(),
        key.to_lowercase(),
        key.to_uppercase(),
        key.chars().rev().collect(),
        hex(&|byte| format!("%{byte:02X}")),
        hex(&|byte| format!("%{byte:02x}")),
        hex(&|byte| format!("{byte:02x}")),
        hex(&|byte| format!("\\u{byte:04x}")),
    ];
    // In whatever it stands, its middle is written in one of three ways.
    for before in 0..3 {
        let text: Vec<u8> = [vec![b'x'; before], bytes.to_vec()].concat();
        let coded = base64(&text);
        let end = text.len() / 3 * 4;
        forms.push(coded[if before == 0 { 0 } else { 4 }..end].to_owned());
    }
    forms.into_iter().map(String::into_bytes).collect()
}

fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let sum = chunk.iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        let sum = sum << (8 * (3 - chunk.len()));
        let sign = |n: usize| char::from(SIGNS[(sum >> (18 - 6 * n)) as usize & 63]);
        text.extend((0..=chunk.len()).map(sign));
    }
    text
}

fn has(text: &[u8], wanted: &[u8]) -> bool {
    text.windows(wanted.len()).any(|part| part == wanted)
}

/// Everything that was said and left: a name for each, and its bytes.
#[derive(Default)]
struct Traces(Vec<(String, Vec<u8>)>);

impl Traces {
    fn add(&mut self, name: &str, bytes: Vec<u8>) {
        self.0.push((name.to_owned(), bytes));
    }

    /// All files below a directory.
    fn files(&mut self, directory: &Path) {
        for entry in fs::read_dir(directory).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                self.files(&entry.path());
            } else if kind.is_file() {
                self.add(&entry.path().display().to_string(), fs::read(entry.path()).unwrap());
            }
        }
    }

    fn holding(&self, wanted: &[u8]) -> Vec<&str> {
        let found = self.0.iter().filter(|(_, bytes)| has(bytes, wanted));
        found.map(|(name, _)| name.as_str()).collect()
    }
}

#[test]
fn base64_is_the_usual_one() {
    for (bytes, text) in [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foobar", "Zm9vYmFy")] {
        assert_eq!(base64(bytes.as_bytes()), text);
    }
    let of = forms("keykeykey");
    for text in ["keykeykey", "xkeykeykeyx", "xxkeykeykey", "Bearer keykeykey\""] {
        let coded = base64(text.as_bytes());
        assert!(of.iter().any(|form| has(coded.as_bytes(), form)), "{coded}");
    }
}

#[test]
fn no_key_is_in_anything_that_a_run_says_or_leaves() {
    let kinds = Kinds {
        radarr: radarr::Options {
            key: RADARR.into(),
            url_base: format!("/{PATH}/radarr"),
            ..Default::default()
        },
        sonarr: sonarr::Options { key: SONARR.into(), ..Kinds::default().sonarr },
        jellyfin: jellyfin::Options { key: JELLYFIN.into(), ..Default::default() },
        shoko: shoko::Options { key: SHOKO.into(), ..Default::default() },
    };
    let mut rig = Rig::with(SMALL, kinds, |_| {});
    // The same with keys from elsewhere, beside instances that fail.
    let file = rig.home.path().join("sonarr.key");
    fs::write(&file, format!("{SONARR}\n")).unwrap();
    let radarr = radarr::Options { key: RADARR.into(), ..Default::default() };
    let denied = Radarr::start(&rig.world, radarr.clone());
    let failing = Radarr::start(&rig.world, radarr);
    let sonarr = sonarr::Options { key: SONARR.into(), ..Default::default() };
    let page = Sonarr::start(&rig.world, sonarr);
    let jellyfin = jellyfin::Options { key: JELLYFIN.into(), ..Default::default() };
    let cut = Jellyfin::start(&rig.world, jellyfin);
    failing.misbehave(Misbehaviour::InternalError);
    page.misbehave(Misbehaviour::WebPage);
    cut.misbehave(Misbehaviour::TruncatedJson);
    let from_file = format!("{{ file = {file:?} }}");
    let config = rig.config().replace(&format!("\"{SONARR}\""), &from_file);
    let config = config.replace(&format!("\"{JELLYFIN}\""), "{ env = \"JELLYFIN_KEY\" }")
        + &table("radarr.denied", &denied, "").replace(RADARR, WRONG)
        + &table("radarr.failing", &failing, "")
        + &table("sonarr.page", &page, "")
        + &table("jellyfin.cut", &cut, "");
    rig.home.configure(&config);
    rig.home.environment.push(("JELLYFIN_KEY", JELLYFIN.to_owned()));
    rig.home.options.extend(["--log-level".into(), "trace".into()]);
    rig.home.log_format = "json";
    let daemon = rig.start();
    for failing in ["radarr.denied", "radarr.failing", "sonarr.page", "jellyfin.cut"] {
        wait_health(&daemon, failing, "unwell");
    }
    let file = &rig.home.options[1].clone();
    let mut traces = Traces::default();
    let cmdline = format!("/proc/{}/cmdline", daemon.pid());
    traces.add(&cmdline, fs::read(&cmdline).unwrap());
    rig.world.delete(&rig.films[3]);
    rig.radarr.remove(&rig.films[4]);
    until("the loss is looked into", LONG, || {
        let list = rig.home.json(&["candidates"])?;
        list.as_array()?.iter().find(|one| one["state"] == "held").cloned()
    });
    for instance in [&*failing, &*page, &*cut] {
        instance.well();
    }
    denied.misbehave(Misbehaviour::Down);
    daemon.signal(Signal::HUP);
    rig.home.look();
    for args in [
        &["status"][..],
        &["candidates"],
        &["deletions"],
        &["check"],
        &["explain", "The"],
        &["explain", "root:movies"],
        &["accept", "radarr.denied", "--yes"],
        &["check-config", "--config", file],
        &["check-config", "--print", "--config", file],
        &["retire", "radarr.hd"],
    ] {
        for json in [&[][..], &["--json"]] {
            let args = [args, json].concat();
            let output = rig.home.command(&args).env("JELLYFIN_KEY", JELLYFIN).output().unwrap();
            traces.add(&args.join(" "), [output.stdout, output.stderr].concat());
        }
    }
    // Addresses with something in them that does not belong there.
    let bad = rig.home.path().join("bad.toml");
    for (url, key) in [
        (format!("http://admin:{}@127.0.0.1:1", REFUSED[0]), REFUSED[0]),
        (format!("http://127.0.0.1:1/?apikey={}", REFUSED[1]), REFUSED[1]),
    ] {
        let table = format!("[radarr.hd]\nurl = \"{url}\"\napi_key = \"{key}\"\n");
        fs::write(&bad, table).unwrap();
        let output = rig.home.ask(&["check-config", "--print", "--config", bad.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(78));
        traces.add(&url.replace(key, "..."), [output.stdout, output.stderr].concat());
    }
    assert_eq!(daemon.stop(), 0);
    traces.add("the log", rig.home.log().into_bytes());
    traces.files(&rig.home.state());

    // What is looked for would be found.
    let film = rig.films[3].folder.as_bytes();
    let state = rig.home.state().display().to_string();
    assert!(traces.holding(film).iter().any(|name| name.starts_with(&state)));
    assert!(traces.holding(film).contains(&"the log"));
    assert!(
        traces
            .holding(b"[redacted]")
            .contains(&format!("check-config --print --config {file}").as_str())
    );
    for key in [RADARR, SONARR, JELLYFIN, SHOKO, WRONG, REFUSED[0], REFUSED[1]] {
        for form in forms(key) {
            let found = traces.holding(&form);
            assert!(found.is_empty(), "{} in {found:?}", String::from_utf8_lossy(&form));
        }
    }
    // The path of an address is shown as a part of it, and nowhere else.
    let address = rig.radarr.url().trim_start_matches("http://").as_bytes();
    for (name, bytes) in &traces.0 {
        let count = |wanted: &[u8]| bytes.windows(wanted.len()).filter(|w| *w == wanted).count();
        assert_eq!(count(PATH.as_bytes()), count(address), "{name}");
    }
    let told = ["candidates", "deletions", "explain The", "explain root:movies"];
    for name in traces.holding(PATH.as_bytes()) {
        assert!(!told.contains(&name) && !name.ends_with("ledger.jsonl"), "{name}");
    }
}
