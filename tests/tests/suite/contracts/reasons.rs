//! Every reason that a contract names is one the code gives, with the code it names; and
//! every reason the code gives is named: by a contract, or among those that any call may be
//! refused for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use prost_reflect::FileDescriptor;

use crate::contracts::{methods, said};
use crate::twice::contracts;

/// The part of the handbook that lists what any call may be refused for.
const GENERAL: &str = "## Reasons";
/// Reasons that never reach a caller, and why.
const NEVER_TOLD: &[(&str, &str)] = &[
    ("CURSOR_LOCKED", "a replica's: another works the feed"),
    ("FEED_SILENT", "a consumer's log"),
    ("IDEMPOTENT_TWIN", "a transaction's that is tried again"),
    ("INVALID_EVENT", "a parked event's"),
    ("MALFORMED_EVENT", "a parked event's"),
    ("PEER_UNAVAILABLE", "a consumer's log"),
];
/// Kinds of failure, and what they are on the wire.
const KINDS: [(&str, &str); 12] = [
    ("Invalid", "INVALID_ARGUMENT"),
    ("NotFound", "NOT_FOUND"),
    ("Exists", "ALREADY_EXISTS"),
    ("Precondition", "FAILED_PRECONDITION"),
    ("Conflict", "ABORTED"),
    ("Forbidden", "PERMISSION_DENIED"),
    ("Unauthenticated", "UNAUTHENTICATED"),
    ("Exhausted", "RESOURCE_EXHAUSTED"),
    ("Unavailable", "UNAVAILABLE"),
    ("TooLate", "DEADLINE_EXCEEDED"),
    ("Unimplemented", "UNIMPLEMENTED"),
    ("Internal", "INTERNAL"),
];

fn is_upper(letter: char) -> bool {
    letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_'
}

/// Each `CODE/REASON` of a text.
fn pairs(text: &str) -> Vec<(String, String)> {
    let words = text.split(|letter: char| !is_upper(letter) && letter != '/');
    let pair = |word: &str| {
        let (code, reason) = word.split_once('/')?;
        let known = KINDS.iter().any(|(_, known)| *known == code);
        (known && !reason.is_empty()).then(|| (code.to_owned(), reason.to_owned()))
    };
    words.filter_map(pair).collect()
}

/// Everything a contract says, whatever it says it of.
fn comments(file: &FileDescriptor) -> String {
    let info = file.file_descriptor_proto().source_code_info.clone().unwrap_or_default();
    info.location.iter().map(|location| location.leading_comments.clone().unwrap_or_default()).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The sources below a folder, without their tests.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            found.push((path, code));
        }
    }
    found
}

/// The folders whose code refuses calls, by whose they are: a service's name, or nothing.
fn folders() -> Vec<(String, PathBuf)> {
    let of = |parent: &str| {
        let entries = fs::read_dir(root().join(parent)).unwrap().map(|entry| entry.unwrap());
        entries
            .map(|entry| (entry.file_name().into_string().unwrap(), entry.path().join("src")))
            .collect::<Vec<_>>()
    };
    let refuses = |name: &String| !["redress", "client", "testkit"].contains(&name.as_str());
    let services = of("services").into_iter().filter(|(name, _)| refuses(name));
    let libs =
        of("libs").into_iter().filter(|(name, _)| refuses(name)).map(|(_, path)| (String::new(), path));
    services.chain(libs).filter(|(_, path)| path.is_dir()).collect()
}

/// A string literal of upper case at the beginning of a text.
fn literal(text: &str) -> Option<&str> {
    let (word, _) = text.trim_start().strip_prefix('"')?.split_once('"')?;
    (!word.is_empty() && word.chars().all(is_upper)).then_some(word)
}

fn name_at(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_alphanumeric()).unwrap_or(text.len());
    &text[..end]
}

fn code_of(kind: &str) -> Option<&'static str> {
    KINDS.iter().find(|(known, _)| *known == kind).map(|(_, code)| *code)
}

/// The reasons a service gives, with their codes where the text tells.
#[derive(Default)]
struct Given {
    codes: BTreeMap<String, BTreeSet<&'static str>>,
    literals: BTreeSet<String>,
}

impl Given {
    fn read(&mut self, path: &Path, code: &str) {
        for (at, _) in code.match_indices('"') {
            self.literals.extend(literal(&code[at..]).map(str::to_owned));
        }
        for (at, mark) in code.match_indices("Kind::") {
            let kind = name_at(&code[at + mark.len()..]);
            let behind = code[at + mark.len() + kind.len()..].trim_start();
            if let (Some(code), Some(reason)) = (code_of(kind), behind.strip_prefix(',').and_then(literal)) {
                self.codes.entry(reason.to_owned()).or_default().insert(code);
            }
        }
        for (at, mark) in code.match_indices(".done(") {
            if let Some(reason) = literal(&code[at + mark.len()..]) {
                self.codes.entry(reason.to_owned()).or_default().insert("INVALID_ARGUMENT");
            }
        }
        // That of a library is a plain error, without a kind and a reason.
        if path.ends_with("refusal.rs") && code.contains("fn kind(") {
            self.read_refusal(code);
        }
    }

    /// Of a `Refusal`, each variant's kind and reason.
    fn read_refusal(&mut self, code: &str) {
        let (_, kinds) = code.split_once("fn kind(").unwrap();
        let (kinds, reasons) = kinds.split_once("fn reason(").unwrap();
        let (mut of_variant, mut pending) = (BTreeMap::new(), Vec::new());
        for part in kinds.split("::").zip(kinds.split("::").skip(1)) {
            let (before, name) = (part.0, name_at(part.1));
            if before.ends_with("Self") {
                pending.push(name.to_owned());
            } else if let Some(code) = before.ends_with("Kind").then(|| code_of(name)).flatten() {
                of_variant.extend(pending.drain(..).map(|variant| (variant, code)));
            }
        }
        for arm in reasons.split("Self::").skip(1) {
            let Some((_, reason)) = arm.split_once("=>") else { continue };
            if let Some(reason) = literal(reason) {
                self.codes.entry(reason.to_owned()).or_default().extend(of_variant.get(name_at(arm)));
            }
        }
    }
}

/// What each service gives; under no name, what the libraries give.
fn given() -> BTreeMap<String, Given> {
    let mut given: BTreeMap<String, Given> = BTreeMap::new();
    for (owner, folder) in folders() {
        for (path, code) in sources(&folder) {
            given.entry(owner.clone()).or_default().read(&path, &code);
        }
    }
    given
}

#[test]
fn every_reason_a_contract_names_is_given_with_its_code() {
    let (given, mut wrong, mut count) = (given(), Vec::new(), 0);
    for file in contracts().files().filter(|file| file.package_name().starts_with("redress.")) {
        let service = file.package_name().split('.').nth(1).unwrap_or_default().to_owned();
        let owners: Vec<&Given> =
            [service.as_str(), ""].iter().filter_map(|owner| given.get(*owner)).collect();
        for (code, reason) in pairs(&comments(&file)) {
            count += 1;
            let codes: BTreeSet<&str> =
                owners.iter().filter_map(|given| given.codes.get(&reason)).flatten().copied().collect();
            let exists = owners.iter().any(|given| given.literals.contains(&reason));
            if !exists || !(codes.is_empty() || codes.contains(code.as_str())) {
                wrong.push(format!("{}: {code}/{reason}, which is given as {codes:?}", file.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count > 150, "{count} reasons are read: are the contracts?");
}

#[test]
fn every_reason_given_is_named() {
    let handbook = fs::read_to_string(root().join("deploy/README.md")).unwrap();
    let (_, general) =
        handbook.split_once(GENERAL).expect("the handbook lists what any call may be refused for");
    let general = general.split("\n## ").next().unwrap_or_default();
    let mut named: BTreeSet<String> = words(general);
    for file in contracts().files().filter(|file| file.package_name().starts_with("redress.")) {
        named.extend(words(&comments(&file)));
    }
    named.extend(NEVER_TOLD.iter().map(|(reason, _)| (*reason).to_owned()));
    let given = given();
    let reasons: BTreeSet<&String> = given.values().flat_map(|given| given.codes.keys()).collect();
    let unnamed: Vec<_> = reasons.iter().filter(|reason| !named.contains(**reason)).collect();
    assert!(unnamed.is_empty(), "name in a contract, or under {GENERAL}: {unnamed:#?}");
    assert!(reasons.len() > 120, "{} reasons are read: are the sources?", reasons.len());
}

/// The words of upper case in a text.
fn words(text: &str) -> BTreeSet<String> {
    text.split(|letter| !is_upper(letter)).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[test]
fn no_contract_names_a_code_without_its_reason() {
    let bare: Vec<String> = methods()
        .iter()
        .filter(|(_, method)| {
            let said = said(method).replace('\n', " ");
            said.match_indices("INVALID_ARGUMENT").any(|(at, code)| !said[at + code.len()..].starts_with('/'))
        })
        .map(|(name, _)| name.clone())
        .collect();
    assert!(bare.is_empty(), "{bare:#?}");
}
