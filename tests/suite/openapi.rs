//! `docs/openapi.json`: read, held against the table of routes, and used to judge answers.
//!
//! The judge knows just the words that the document uses, and refuses any other: a word that it did
//! not know would be a promise that nobody checks.

use std::collections::BTreeSet;

use obituarr::control::ROUTES;
use serde_json::{Map, Value};

use crate::source::repository;

/// The document.
pub(crate) struct Document(Value);

/// What is wrong with an answer, and which parts of the document it has shown to be true.
#[derive(Debug, Default)]
pub(crate) struct Judgement {
    pub(crate) wrong: Vec<String>,
    /// `Schema.property` for every property that was there.
    pub(crate) seen: BTreeSet<String>,
}

impl Document {
    pub(crate) fn read() -> Self {
        let text = std::fs::read_to_string(repository().join("docs/openapi.json")).unwrap();
        Self(serde_json::from_str(&text).unwrap())
    }

    /// Each operation: method, path, and what stands there.
    fn operations(&self) -> Vec<(String, String, &Value)> {
        let mut found = Vec::new();
        for (path, methods) in self.0["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                found.push((method.to_uppercase(), path.clone(), operation));
            }
        }
        found
    }

    /// Holds an answer to a documented request against the document.
    pub(crate) fn judge(&self, method: &str, path: &str, code: u16, answer: &Value) -> Judgement {
        let operations = self.operations();
        let operation = operations.iter().find(|(m, p, _)| m == method && p == path);
        let (_, _, operation) = operation.unwrap_or_else(|| panic!("{method} {path}"));
        let response = &operation["responses"][code.to_string()];
        assert!(response.is_object(), "{method} {path} is not said to answer {code}");
        let response = self.resolve(response).1;
        let mut judgement = Judgement::default();
        let schema = &response["content"]["application/json"]["schema"];
        self.check(schema, answer, "$", &mut judgement);
        judgement
    }

    /// Holds a line of an answer that is a stream against the document.
    pub(crate) fn judge_line(&self, method: &str, path: &str, line: &Value) -> Judgement {
        let operations = self.operations();
        let operation = operations.iter().find(|(m, p, _)| m == method && p == path);
        let (_, _, operation) = operation.unwrap_or_else(|| panic!("{method} {path}"));
        let content = &operation["responses"]["200"]["content"];
        let mut judgement = Judgement::default();
        self.check(&content["application/x-ndjson"]["schema"], line, "$", &mut judgement);
        judgement
    }

    /// Holds an answer against a schema by its name.
    pub(crate) fn judge_as(&self, schema: &str, answer: &Value) -> Judgement {
        let mut judgement = Judgement::default();
        let schema = serde_json::json!({"$ref": format!("#/components/schemas/{schema}")});
        self.check(&schema, answer, "$", &mut judgement);
        judgement
    }

    /// Every property of every schema, as `Schema.property`.
    pub(crate) fn properties(&self) -> BTreeSet<String> {
        let schemas = self.0["components"]["schemas"].as_object().unwrap();
        let names = |(schema, what): (&String, &Value)| -> Vec<String> {
            let properties = what["properties"].as_object().unwrap();
            properties.keys().map(|property| format!("{schema}.{property}")).collect()
        };
        schemas.iter().flat_map(names).collect()
    }

    /// Follows a reference: the last part of its name, and what it leads to.
    fn resolve<'a>(&'a self, value: &'a Value) -> (&'a str, &'a Value) {
        let Some(target) = value.get("$ref").and_then(Value::as_str) else { return ("", value) };
        let found = target.strip_prefix('#').and_then(|pointer| self.0.pointer(pointer));
        let name = target.rsplit('/').next().unwrap();
        (name, found.unwrap_or_else(|| panic!("{target} leads to nothing")))
    }

    fn check(&self, schema: &Value, value: &Value, at: &str, judgement: &mut Judgement) {
        let (name, schema) = self.resolve(schema);
        let schema = schema.as_object().unwrap_or_else(|| panic!("{at}: {schema} is no schema"));
        let mut say = |wrong: String| judgement.wrong.push(format!("{at}: {wrong}"));
        for (word, said) in schema {
            match word.as_str() {
                "type" if !is_of(said, value) => say(format!("{value} is not of type {said}")),
                "enum" if !said.as_array().unwrap().contains(value) => {
                    say(format!("{value} is none of {said}"));
                }
                "minimum" if value.as_f64() < said.as_f64() && value.is_number() => {
                    say(format!("{value} is less than {said}"));
                }
                "format" if value.is_string() && !is_time(said, value) => {
                    say(format!("{value} is no {said}"));
                }
                "minProperties" if value.as_object().is_some_and(|o| o.len() < count(said)) => {
                    say(format!("{value} has too little in it"));
                }
                "maxProperties" if value.as_object().is_some_and(|o| o.len() > count(said)) => {
                    say(format!("{value} has too much in it"));
                }
                "type" | "enum" | "minimum" | "format" | "description" => {}
                "properties" | "required" | "items" | "minProperties" | "maxProperties" => {}
                other => panic!("{at}: the judge does not know the word `{other}`"),
            }
        }
        if let (Some(items), Some(list)) = (schema.get("items"), value.as_array()) {
            for (n, item) in list.iter().enumerate() {
                self.check(items, item, &format!("{at}[{n}]"), judgement);
            }
        }
        if let (Some(properties), Some(fields)) = (schema.get("properties"), value.as_object()) {
            let required = schema.get("required").and_then(Value::as_array);
            for field in required.into_iter().flatten().filter_map(Value::as_str) {
                if !fields.contains_key(field) {
                    judgement.wrong.push(format!("{at}: `{field}` is missing"));
                }
            }
            self.check_fields(name, properties.as_object().unwrap(), fields, at, judgement);
        }
    }

    fn check_fields(
        &self,
        name: &str,
        properties: &Map<String, Value>,
        fields: &Map<String, Value>,
        at: &str,
        judgement: &mut Judgement,
    ) {
        for (field, value) in fields {
            let Some(schema) = properties.get(field) else {
                judgement.wrong.push(format!("{at}: `{field}` is not documented"));
                continue;
            };
            judgement.seen.insert(format!("{name}.{field}"));
            self.check(schema, value, &format!("{at}.{field}"), judgement);
        }
    }
}

fn is_of(types: &Value, value: &Value) -> bool {
    let one = std::slice::from_ref(types);
    types.as_array().map_or(one, Vec::as_slice).iter().any(|name| match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the judge does not know the type {other}"),
    })
}

fn count(said: &Value) -> usize {
    usize::try_from(said.as_u64().unwrap()).unwrap()
}

/// The form of RFC 3339 in which times are written here: to the millisecond, in UTC.
fn is_time(format: &Value, value: &Value) -> bool {
    assert_eq!(format, "date-time", "the judge does not know this format");
    let form: String = value
        .as_str()
        .unwrap_or_default()
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    form == "0000-00-00T00:00:00.000Z"
}

#[test]
fn the_document_has_the_requests_that_the_sockets_take_and_no_others() {
    let document = Document::read();
    let written: BTreeSet<(String, String, Vec<String>)> = document
        .operations()
        .into_iter()
        .map(|(method, path, operation)| {
            let sockets = operation["x-sockets"].as_array().unwrap();
            let sockets = sockets.iter().map(|name| name.as_str().unwrap().to_owned()).collect();
            (method, path, sockets)
        })
        .collect();
    let taken = ROUTES.iter().map(|route| {
        let sockets = route.sockets.iter().map(|name| (*name).to_owned()).collect();
        (route.method.to_owned(), route.path.to_owned(), sockets)
    });
    assert_eq!(written, taken.collect());
}

#[test]
fn each_operation_says_what_it_takes_and_answers() {
    let document = Document::read();
    assert_eq!(document.0["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    for (method, path, operation) in document.operations() {
        assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{method} {path}");
        assert!(operation["summary"].is_string(), "{method} {path}");
        for (code, response) in operation["responses"].as_object().unwrap() {
            let (_, response) = document.resolve(response);
            assert!(response["description"].is_string(), "{method} {path} {code}");
            let (name, _) = document.resolve(&response["content"]["application/json"]["schema"]);
            assert_eq!(name == "Error", code != "200", "{method} {path} {code}");
        }
        let parameters = operation.get("parameters").and_then(Value::as_array);
        let in_path: Vec<&str> = parameters
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path" && parameter["required"] == true)
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        let braced: Vec<&str> =
            path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
        assert_eq!(in_path, braced, "{method} {path}");
    }
}

#[test]
fn each_reference_leads_somewhere_and_each_component_is_used() {
    let document = Document::read();
    let mut used = BTreeSet::new();
    let mut rest = vec![&document.0];
    while let Some(value) = rest.pop() {
        if let Some(target) = value.get("$ref").and_then(Value::as_str) {
            document.resolve(value);
            used.insert(target.to_owned());
        }
        rest.extend(value.as_object().into_iter().flat_map(Map::values));
        rest.extend(value.as_array().into_iter().flatten());
    }
    let components = document.0["components"].as_object().unwrap();
    let there = components.iter().flat_map(|(kind, named)| {
        let names = named.as_object().unwrap().keys();
        names.map(move |name| format!("#/components/{kind}/{name}"))
    });
    assert_eq!(used, there.collect());
}

#[test]
fn the_judge_refuses_what_is_not_documented() {
    let document = Document::read();
    let good = serde_json::json!({"error": "so"});
    for (answer, ok) in [
        (good, true),
        (serde_json::json!({"error": 7}), false),
        (serde_json::json!({}), false),
        (serde_json::json!({"error": "so", "more": 1}), false),
        (serde_json::json!("so"), false),
    ] {
        assert_eq!(document.judge_as("Error", &answer).wrong.is_empty(), ok, "{answer}");
    }
    for (line, ok) in [
        (serde_json::json!({"error": "so"}), true),
        (serde_json::json!({}), false),
        (serde_json::json!({"error": "so", "progress": {"steps": []}}), false),
    ] {
        let judgement = document.judge_line("POST", "/v1/check", &line);
        assert_eq!(judgement.wrong.is_empty(), ok, "{line}");
    }
    let line = |at: &str, kind: &str| {
        let line = serde_json::json!({"at": at, "kind": kind, "text": "", "evidence": []});
        document.judge_as("StoryLine", &line).wrong.is_empty()
    };
    assert!(line("2026-01-02T03:04:05.678Z", "lost"));
    assert!(!line("yesterday", "lost") && !line("2026-01-02T03:04:05.678Z", "found"));
}
