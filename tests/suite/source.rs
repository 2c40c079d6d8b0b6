//! The repository as text: its files, and just enough of Rust's grammar to see which paths a source
//! names. Comments, strings and characters are no code; everything else is words and signs.

use std::fs;
use std::path::{Path, PathBuf};

/// One text file of the repository.
pub(crate) struct SourceFile {
    /// Where it lies, relative to the repository, `/`-separated.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl SourceFile {
    pub(crate) fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The module this file is, outermost first; `None` outside `src`, empty for `lib.rs`.
    pub(crate) fn module(&self) -> Option<Vec<String>> {
        let rest = self.path.strip_prefix("src/")?.strip_suffix(".rs")?;
        let mut parts: Vec<String> = rest.split('/').map(str::to_owned).collect();
        if parts.last().is_some_and(|last| last == "mod") || parts == ["lib"] {
            parts.pop();
        }
        Some(parts)
    }

    /// Every path in the code, `use` groups taken apart, `super` and `self` resolved.
    pub(crate) fn paths(&self) -> Vec<CodePath> {
        let tokens = tokens(&self.text);
        let mut reader = Reader { tokens: &tokens, found: Vec::new() };
        reader.read_all(self.module().unwrap_or_default());
        reader.found
    }
}

/// The root of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file that belongs to the repository, in a steady order.
pub(crate) fn files() -> Vec<SourceFile> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![repository().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !path.is_symlink() {
                if !["target", ".git", ".proof"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if is_text(&path, &name) {
                let shown = path.strip_prefix(repository()).unwrap().to_string_lossy();
                let text = fs::read_to_string(&path)
                    .unwrap_or_else(|error| panic!("{shown} can't be read as text: {error}"));
                found.push(SourceFile::new(&shown, &text));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn is_text(path: &Path, name: &str) -> bool {
    let known = ["rs", "md", "toml", "sh", "service", "conf", "yml", "yaml", "py"];
    let extension = path.extension().map(|e| e.to_string_lossy().into_owned());
    extension.is_some_and(|e| known.contains(&e.as_str())) || path.ends_with(".ci/run") || {
        [".editorconfig", ".gitattributes", ".gitignore"].contains(&name)
    }
}

/// A path as the code names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CodePath {
    pub(crate) line: usize,
    /// `crate` first where it leads into our own code; a group's `*` is a part of its own.
    pub(crate) parts: Vec<String>,
    /// Whether a `use` names it.
    pub(crate) is_import: bool,
}

impl CodePath {
    pub(crate) fn starts_with(&self, prefix: &[&str]) -> bool {
        self.parts.len() >= prefix.len() && self.parts.iter().zip(prefix).all(|(a, b)| a == b)
    }
}

/// A word (identifier, keyword, number) or a sign (`::` is one sign) and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) line: usize,
    pub(crate) text: String,
}

impl Token {
    fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// The words and signs of a source, without comments, strings, characters and lifetimes.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let (mut at, mut line, mut counted) = (0, 1, 0);
    while at < chars.len() {
        let end = skipped(&chars, at);
        if end > at {
            at = end;
            continue;
        }
        let start = at;
        if is_word_char(chars[at]) {
            while at < chars.len() && is_word_char(chars[at]) {
                at += 1;
            }
        } else {
            at += if starts(&chars, at, "::") { 2 } else { 1 };
        }
        line += chars[counted..start].iter().filter(|c| **c == '\n').count();
        counted = start;
        found.push(Token { line, text: chars[start..at].iter().collect() });
    }
    found
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn starts(chars: &[char], at: usize, text: &str) -> bool {
    text.chars().enumerate().all(|(n, c)| chars.get(at + n) == Some(&c))
}

/// Where the white space, comment, string, character or lifetime at `at` ends; `at` if there is none.
fn skipped(chars: &[char], at: usize) -> usize {
    if chars[at].is_whitespace() {
        return at + 1;
    }
    if starts(chars, at, "//") {
        return find(chars, at, '\n');
    }
    if starts(chars, at, "/*") {
        return block_comment_end(chars, at);
    }
    if let Some(end) = raw_end(chars, at) {
        return end;
    }
    let after_prefix = at + usize::from(matches!(chars[at], 'b' | 'c'));
    match chars.get(after_prefix) {
        Some('"') => quoted_end(chars, after_prefix, '"'),
        Some('\'') if chars.get(after_prefix + 1) == Some(&'\\') => {
            quoted_end(chars, after_prefix, '\'')
        }
        Some('\'') if chars.get(after_prefix + 2) == Some(&'\'') => after_prefix + 3,
        Some('\'') if after_prefix == at => {
            (at + 1..chars.len()).find(|n| !is_word_char(chars[*n])).unwrap_or(chars.len())
        }
        _ => at,
    }
}

fn find(chars: &[char], from: usize, wanted: char) -> usize {
    (from..chars.len()).find(|n| chars[*n] == wanted).unwrap_or(chars.len())
}

fn block_comment_end(chars: &[char], from: usize) -> usize {
    let (mut at, mut depth) = (from, 0_usize);
    while at < chars.len() {
        if starts(chars, at, "/*") {
            depth += 1;
            at += 2;
        } else if starts(chars, at, "*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// The end of `r"…"`, `r#"…"#`, `br"…"`, `cr"…"`; for a raw identifier only its `r#` is passed over.
fn raw_end(chars: &[char], at: usize) -> Option<usize> {
    let r = at + usize::from(matches!(chars[at], 'b' | 'c'));
    if chars.get(r) != Some(&'r') {
        return None;
    }
    let hashes = (r + 1..chars.len()).take_while(|n| chars[*n] == '#').count();
    let open = r + 1 + hashes;
    if chars.get(open) == Some(&'"') {
        let close = format!("\"{}", "#".repeat(hashes));
        let end = (open + 1..chars.len()).find(|n| starts(chars, *n, &close));
        return Some(end.map_or(chars.len(), |n| n + 1 + hashes));
    }
    (hashes == 1 && r == at).then_some(open)
}

fn quoted_end(chars: &[char], open: usize, quote: char) -> usize {
    let mut at = open + 1;
    while at < chars.len() && chars[at] != quote {
        at += if chars[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(chars.len())
}

struct Reader<'a> {
    tokens: &'a [Token],
    found: Vec<CodePath>,
}

impl Reader<'_> {
    fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| token.text.as_str())
    }

    fn is_word(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(Token::is_word)
    }

    /// Reads all paths; `module` grows and shrinks with the inline modules.
    fn read_all(&mut self, mut module: Vec<String>) {
        let mut blocks: Vec<bool> = Vec::new();
        let mut at = 0;
        while at < self.tokens.len() {
            let is_import = at > 0 && self.text(at - 1) == "use";
            match self.text(at) {
                "mod" if self.is_word(at + 1) && self.text(at + 2) == "{" => {
                    module.push(self.text(at + 1).to_owned());
                    blocks.push(true);
                    at += 3;
                }
                "{" if is_import => at = self.read_group(at, &[], &module),
                "{" => {
                    blocks.push(false);
                    at += 1;
                }
                "}" => {
                    if blocks.pop() == Some(true) {
                        module.pop();
                    }
                    at += 1;
                }
                // A method or field; what follows `::` after a `>` belongs to a type.
                "." => at += 1 + usize::from(self.is_word(at + 1)),
                "::" if at > 0 && self.text(at - 1) == ">" => at += 2,
                "::" if self.is_word(at + 1) => {
                    at = self.read_path(at + 1, &[], &module, is_import);
                }
                _ if self.is_word(at) => at = self.read_path(at, &[], &module, is_import),
                _ => at += 1,
            }
        }
    }

    /// Reads the path at `at` behind `prefix` and returns where it ends.
    fn read_path(
        &mut self,
        at: usize,
        prefix: &[String],
        module: &[String],
        import: bool,
    ) -> usize {
        let line = self.tokens[at].line;
        let mut parts = prefix.to_vec();
        parts.push(self.text(at).to_owned());
        let mut at = at + 1;
        while self.text(at) == "::" {
            if self.is_word(at + 1) {
                parts.push(self.text(at + 1).to_owned());
                at += 2;
            } else if self.text(at + 1) == "{" {
                return self.read_group(at + 1, &parts, module);
            } else {
                if self.text(at + 1) == "*" {
                    parts.push("*".to_owned());
                    at += 1;
                }
                at += 1;
                break;
            }
        }
        self.found.push(CodePath { line, parts: resolved(parts, module), is_import: import });
        at
    }

    /// Reads `{a, b::c, …}` of a `use` and returns the place behind it.
    fn read_group(&mut self, open: usize, prefix: &[String], module: &[String]) -> usize {
        let mut at = open + 1;
        while at < self.tokens.len() && self.text(at) != "}" {
            at = match self.text(at) {
                "self" if !prefix.is_empty() => {
                    let parts = resolved(prefix.to_vec(), module);
                    self.found.push(CodePath {
                        line: self.tokens[at].line,
                        parts,
                        is_import: true,
                    });
                    at + 1
                }
                "*" => {
                    let parts = [prefix, &["*".to_owned()]].concat();
                    let parts = resolved(parts, module);
                    self.found.push(CodePath {
                        line: self.tokens[at].line,
                        parts,
                        is_import: true,
                    });
                    at + 1
                }
                "as" => at + 2,
                _ if self.is_word(at) => self.read_path(at, prefix, module, true),
                _ => at + 1,
            };
        }
        at + 1
    }
}

/// `self::…` and `super::…` as `crate::…`.
fn resolved(parts: Vec<String>, module: &[String]) -> Vec<String> {
    let relative = parts.iter().take_while(|part| *part == "self" || *part == "super").count();
    if relative == 0 || parts == ["self"] {
        return parts;
    }
    let up = parts.iter().take(relative).filter(|part| *part == "super").count();
    let mut whole = vec!["crate".to_owned()];
    whole.extend(module.iter().take(module.len().saturating_sub(up)).cloned());
    whole.extend(parts.into_iter().skip(relative));
    whole
}

#[test]
fn only_code_is_read_as_code() {
    let table: &[(&str, &[&str])] = &[
        ("a::b // c::d\n/* e /* f */ g */ h", &["a", "::", "b", "h"]),
        (
            r#"x("no::code \" still", 'a', '\'', '"', b'x', b"y")"#,
            &["x", "(", ",", ",", ",", ",", ",", ")"],
        ),
        ("r#\"a \" b\"# c br\"\\\" r#type d", &["c", "type", "d"]),
        ("fn f<'a>(x: &'a str)", &["fn", "f", "<", ">", "(", "x", ":", "&", "str", ")"]),
        ("\"two\nlines\" a", &["a"]),
    ];
    for (text, expected) in table {
        let found: Vec<String> = tokens(text).into_iter().map(|token| token.text).collect();
        assert_eq!(found, *expected, "in {text}");
    }
    assert_eq!(tokens("a\n\n\"\n\" b")[1].line, 4);
}

#[test]
fn paths_are_taken_apart_and_resolved() {
    let table: &[(&str, &[&str])] = &[
        (
            "use crate::{a, b::{c, self}, d as e};",
            &["use", "crate::a", "crate::b::c", "crate::b", "crate::d"],
        ),
        ("use super::super::store::Db;", &["use", "crate::store::Db"]),
        (
            "mod t { use super::{super::x, *}; } use super::y;",
            &["use", "crate::room::x", "crate::room::file::*", "use", "crate::room::y"],
        ),
        ("x.notify(); <A as B>::sled(); ::sled::open()", &["x", "A", "as", "B", "sled::open"]),
        ("use {std::fs, std::io::*};", &["use", "std::fs", "std::io::*"]),
        ("#[derive(clap::Parser)]", &["derive", "clap::Parser"]),
        ("self::inner::x()", &["crate::room::file::inner::x"]),
        ("Vec::<u8>::new()", &["Vec", "u8"]),
    ];
    for (text, expected) in table {
        let file = SourceFile::new("src/room/file.rs", text);
        let found: Vec<String> =
            file.paths().iter().map(|path| path.parts.join("::")).filter(|p| p != "t").collect();
        assert_eq!(found, *expected, "in {text}");
    }
}
