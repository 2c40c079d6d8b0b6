//! The documents say what is true: examples parse, links lead somewhere, tables agree with the code.

use std::collections::BTreeSet;

use clap::CommandFactory;

use crate::source::{SourceFile, files, repository};
use crate::tidy::{HOMES, IMPORTS};

/// A fenced block of a document.
#[derive(Debug, PartialEq, Eq)]
struct Block {
    line: usize,
    language: String,
    text: String,
}

fn documents() -> Vec<SourceFile> {
    files().into_iter().filter(|file| file.path.ends_with(".md")).collect()
}

fn document(path: &str) -> String {
    let text = std::fs::read_to_string(repository().join(path));
    text.unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The fenced blocks of a document, and the document with them blanked out.
fn blocks(text: &str) -> (Vec<Block>, String) {
    let (mut found, mut prose) = (Vec::new(), String::new());
    let mut open: Option<Block> = None;
    for (n, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => {
                let language = language.to_owned();
                open = Some(Block { line: n + 1, language, text: String::new() });
            }
            (None, None) => prose.push_str(line),
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(block), None) => block.text = format!("{}{line}\n", block.text),
        }
        prose.push('\n');
    }
    assert!(open.is_none(), "a block is not closed: {open:?}");
    (found, prose)
}

/// Where the links of a document lead, each with its line.
fn links(prose: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (n, line) in prose.lines().enumerate() {
        // What stands between backquotes is not a link.
        let text: String = line.split('`').step_by(2).collect::<Vec<_>>().join("`");
        for part in text.split("](").skip(1) {
            if let Some((target, _)) = part.split_once(')') {
                found.push((n + 1, target.to_owned()));
            }
        }
    }
    found
}

/// The anchors that the headings of a document give.
fn anchors(prose: &str) -> BTreeSet<String> {
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| -> String {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        text.chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    };
    headings.map(anchor).collect()
}

/// What is wrong with a link of the document at `path`; `None` for one that leads somewhere.
fn broken(path: &str, target: &str) -> Option<String> {
    if target.contains("://") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let aim = if file.is_empty() { path.into() } else { format!("{folder}/{file}") };
    let aim = aim.trim_start_matches('/');
    if !repository().join(aim).exists() {
        return Some(format!("`{target}` leads to no file"));
    }
    let missing = !anchor.is_empty() && !anchors(&blocks(&document(aim)).1).contains(anchor);
    missing.then(|| format!("`{target}` leads to no heading"))
}

/// The rows of the table under the header `header`, each split into cells without backquotes.
fn table(text: &str, header: &str) -> Vec<Vec<String>> {
    let rows: Vec<Vec<String>> = text
        .lines()
        .skip_while(|line| *line != header)
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells = line.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().replace('`', "")).collect()
        })
        .collect();
    assert!(!rows.is_empty(), "no table under {header}");
    rows
}

#[test]
fn every_toml_block_parses() {
    let mut seen = 0;
    for file in documents() {
        for block in blocks(&file.text).0.iter().filter(|block| block.language == "toml") {
            let parsed = obituarr::config::parse(
                &block.text,
                &file.path,
                Vec::new(),
                &obituarr::config::Overrides::default(),
                std::path::Path::new("/"),
            );
            assert!(parsed.is_ok(), "{}:{}: {:?}", file.path, block.line, parsed.err());
            seen += 1;
        }
    }
    assert!(seen > 0, "no document shows a configuration");
}

#[test]
fn every_block_names_its_language() {
    for file in documents() {
        for block in blocks(&file.text).0 {
            assert!(!block.language.is_empty(), "{}:{}", file.path, block.line);
        }
    }
}

#[test]
fn every_link_leads_somewhere() {
    let mut complaints = Vec::new();
    for file in documents() {
        for (line, target) in links(&blocks(&file.text).1) {
            let complaint = broken(&file.path, &target);
            complaints
                .extend(complaint.map(|complaint| format!("{}:{line}: {complaint}", file.path)));
        }
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// `.ci/run` takes the commands from the README, so what it runs is what a reader runs.
#[test]
fn the_readme_has_the_two_commands_that_ci_runs() {
    let blocks = blocks(&document("README.md")).0;
    let shell = blocks.iter().filter(|block| block.language == "sh");
    let commands: Vec<&str> = shell.flat_map(|block| block.text.lines()).collect();
    assert_eq!(commands.first(), Some(&"cargo run --release -- run --root DIR"));
    assert!(commands.contains(&"cargo test --release"));
    let ci = document(".ci/run");
    for start in ["cargo run --release -- run", "cargo test"] {
        assert!(ci.contains(&format!("readme_command '{start}'")), "{start}");
    }
}

#[test]
fn the_import_table_is_the_one_that_is_enforced() {
    let text = document("ARCHITECTURE.md");
    let written: BTreeSet<(String, BTreeSet<String>)> = table(&text, "| room | may use |")
        .into_iter()
        .map(|row| (row[0].clone(), row[1].split(", ").map(str::to_owned).collect()))
        .collect();
    let enforced = IMPORTS.iter().map(|(room, allowed)| {
        let allowed = if allowed.is_empty() { &["nothing"] } else { *allowed };
        ((*room).to_owned(), allowed.iter().map(|room| (*room).to_owned()).collect())
    });
    assert_eq!(written, enforced.collect());
}

#[test]
fn the_homes_of_crates_are_the_ones_that_are_enforced() {
    let written = table(&document("ARCHITECTURE.md"), "| crate | known to |");
    let enforced: Vec<Vec<String>> =
        HOMES.iter().map(|(name, rooms)| vec![(*name).to_owned(), rooms.join(", ")]).collect();
    assert_eq!(written, enforced);
}

#[test]
fn every_room_has_its_sentence() {
    let rows = table(&document("ARCHITECTURE.md"), "| room | what it is for |");
    let mapped: BTreeSet<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(mapped, IMPORTS.iter().map(|(room, _)| *room).collect());
    assert!(rows.iter().all(|row| row[1].ends_with('.')));
}

#[test]
fn the_unit_stops_on_documented_exit_codes() {
    let rows = table(&document("README.md"), "| code | meaning |");
    let codes: BTreeSet<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    let unit = document("systemd/obituarr.service");
    let stops = unit.lines().find_map(|line| line.strip_prefix("RestartPreventExitStatus="));
    for code in stops.unwrap().split(' ') {
        assert!(codes.contains(code), "{code} is not in the README");
    }
    assert!(stops.unwrap().contains("78"), "a mistake in the configuration must not loop");
}

#[test]
fn every_command_is_in_the_readme() {
    let rows = table(&document("README.md"), "| command | what it does |");
    let mut written: Vec<&str> = rows.iter().map(|row| row[0].split(' ').next().unwrap()).collect();
    written.sort_unstable();
    let told = obituarr::cli::Cli::command();
    let mut known: Vec<&str> = told.get_subcommands().map(clap::Command::get_name).collect();
    known.sort_unstable();
    assert_eq!(written, known);
}

#[test]
fn every_exit_code_is_in_the_readme_and_in_the_help() {
    let rows = table(&document("README.md"), "| code | meaning |");
    let written: BTreeSet<String> = rows.iter().map(|row| row[0].clone()).collect();
    let source = document("src/cli/exit.rs");
    let known = source.lines().filter_map(|line| line.trim().strip_suffix(',')?.split_once(" = "));
    let known: BTreeSet<String> = known.map(|(_, code)| code.to_owned()).collect();
    assert_eq!(written, known);
    let help = obituarr::cli::Cli::command().render_long_help().to_string();
    let (_, told) = help.split_once("Exit codes:").unwrap();
    let told = told.split(|c: char| !c.is_ascii_digit()).filter(|word| !word.is_empty());
    assert_eq!(known, told.map(str::to_owned).collect());
}

#[test]
fn every_route_is_in_the_readme() {
    let rows = table(&document("README.md"), "| request | answer |");
    let written: BTreeSet<String> = rows.into_iter().map(|mut row| row.swap_remove(0)).collect();
    let taken = obituarr::control::ROUTES;
    assert_eq!(written, taken.iter().map(|r| format!("{} {}", r.method, r.path)).collect());
}

#[test]
fn the_journal_has_the_kinds_that_are_documented_and_no_others() {
    let header = "| kind | level | `MESSAGE_ID` | meaning |";
    let written = table(&document("docs/journal.md"), header);
    let told: Vec<Vec<String>> = obituarr::daemon::MESSAGES
        .iter()
        .map(|message| {
            let level = message.level.to_string().to_lowercase();
            vec![message.kind.into(), level, message.id.into(), message.meaning.into()]
        })
        .collect();
    assert_eq!(written, told);
}

/// A line said past the table would have neither id nor fields.
#[test]
fn the_daemon_speaks_through_the_table_of_messages() {
    let mut said = Vec::new();
    for file in files().iter().filter(|file| file.path.starts_with("src/daemon/")) {
        for (n, line) in file.text.lines().enumerate() {
            if ["error!", "warn!", "info!"]
                .iter()
                .any(|end| line.contains(&format!("tracing::{end}")))
            {
                said.push(format!("{}:{}: {}", file.path, n + 1, line.trim()));
            }
        }
    }
    assert!(said.is_empty(), "tell the narrator a `Line` instead:\n{}", said.join("\n"));
}

#[test]
fn blocks_and_links_are_found() {
    let text = "# A `b` & C!\n\n[x](y.md#z) `[no](link)`\n```toml\na = 1\n[x](no)\n```\n[u](v)\n";
    let (blocks, prose) = blocks(text);
    let expected = Block { line: 4, language: "toml".into(), text: "a = 1\n[x](no)\n".into() };
    assert_eq!(blocks, [expected]);
    assert_eq!(links(&prose), [(3, "y.md#z".to_owned()), (8, "v".to_owned())]);
    assert_eq!(anchors(&prose), BTreeSet::from(["a-b--c".to_owned()]));
}

#[test]
fn broken_links_are_refused() {
    for (target, ok) in [
        ("README.md", true),
        ("README.md#exit-codes", true),
        ("#glossary", true),
        ("https://example.org/x", true),
        ("README.md#no-such-heading", false),
        ("NOTHING.md", false),
        ("#no-such-heading", false),
    ] {
        assert_eq!(broken("ARCHITECTURE.md", target).is_none(), ok, "{target}");
    }
}
