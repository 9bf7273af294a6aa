//! Proto ⇄ domain: the menus of telephone systems.

use std::collections::HashSet;

use fault::{Check, Fault};
use kernel::page::Page;
use proto::redress::intake::v1::{
    ActivateIvrMenuRequest, Complaint, CreateIvrMenuRequest, GetIvrMenuRequest, IvrChoice, IvrLabel, IvrMenu,
    IvrResolution, ListIvrMenusRequest, Matter, TryIvrMenuRequest,
};
use proto::timestamp;

use super::{MAX_WORD, phone};
use crate::ivr_menu::{
    Choice, Held, KeptMenu, Label, MAX_ALL_LABELS, MAX_CHOICES, MAX_LABEL, MAX_LABELS, Menu, flaws,
};

/// Longest note.
const MAX_NOTE: usize = 1_000;
/// Most keys that are tried at once.
const MAX_TRIED: usize = 100;
/// Most complaints that are looked at.
const MAX_LATEST: i32 = 200;

const INVALID_VERSION: &str = "INVALID_VERSION";

/// Reads a new menu, and what is new in it.
pub(crate) fn create(request: CreateIvrMenuRequest) -> Result<(Menu, String), Fault> {
    let CreateIvrMenuRequest { request_id, menu } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(menu.is_some(), "menu", "is required");
    let read = menu.map(|menu| {
        let IvrMenu {
            note,
            language,
            choices,
            version: _, // output only, as is what follows
            active: _,
            create_time: _,
            creator: _,
            activate_time: _,
        } = menu;
        let note = check.text("menu.note", note, MAX_NOTE);
        let language = check.language("menu.language", language);
        (Menu { language, choices: checked_choices(&mut check, choices) }, note)
    });
    check.done("INVALID_IVR_MENU")?;
    read.ok_or_else(|| Fault::internal("a violation was lost"))
}

fn checked_choices(check: &mut Check, choices: Vec<IvrChoice>) -> Vec<Choice> {
    const CHOICES: &str = "menu.choices";
    let choices = check.some(CHOICES, choices, MAX_CHOICES);
    let labels: usize = choices.iter().map(|choice| choice.labels.len()).sum();
    check.ensure(labels <= MAX_ALL_LABELS, CHOICES, "must have at most 2000 labels together");
    let keys: Vec<&str> = choices.iter().map(|choice| choice.keys.as_str()).collect();
    for (place, flaw) in flaws(&keys) {
        check.fail(&format!("{CHOICES}[{place}].keys"), flaw);
    }
    let choice = |(place, choice): (usize, IvrChoice)| {
        let IvrChoice { keys, labels, category_hint, matter, language, call_back } = choice;
        let field = |name: &str| format!("{CHOICES}[{place}].{name}");
        check.ensure(Matter::try_from(matter).is_ok(), &field("matter"), "must be one of the matters");
        let language =
            if language.is_empty() { language } else { check.language(&field("language"), language) };
        Choice {
            keys,
            labels: checked_labels(check, &field("labels"), labels),
            category_hint: check.text(&field("category_hint"), category_hint, MAX_WORD),
            matter,
            language,
            call_back,
        }
    };
    choices.into_iter().enumerate().map(choice).collect()
}

fn checked_labels(check: &mut Check, list: &str, labels: Vec<IvrLabel>) -> Vec<Label> {
    let labels = check.some(list, labels, MAX_LABELS);
    let mut seen = HashSet::new();
    let label = |(place, IvrLabel { language, text }): (usize, IvrLabel)| {
        let field = |name: &str| format!("{list}[{place}].{name}");
        let language = check.language(&field("language"), language);
        let is_new = language.is_empty() || seen.insert(language.to_lowercase());
        check.ensure(is_new, &field("language"), "is there already");
        Label { language, text: check.required(&field("text"), text, MAX_LABEL) }
    };
    labels.into_iter().enumerate().map(label).collect()
}

/// Reads which version is to be in force, and which the caller takes to be.
pub(crate) fn activate(request: ActivateIvrMenuRequest) -> Result<(i64, Option<i64>), Fault> {
    let ActivateIvrMenuRequest { request_id, version, expected_version } = request;
    let mut check = Check::new();
    check.request_id(request_id);
    check.ensure(version >= 0, "version", "must not be negative");
    let known = expected_version.is_none_or(|expected| expected >= 0);
    check.ensure(known, "expected_version", "must not be negative");
    check.done(INVALID_VERSION)?;
    Ok((version, expected_version))
}

/// What is to be tried.
#[derive(Clone, Debug)]
pub(crate) struct Trial {
    /// Version, 0 for the one in force.
    pub(crate) version: i64,
    /// Keys.
    pub(crate) keys: Vec<String>,
    /// How many complaints are looked at.
    pub(crate) latest: i64,
    /// Language of the labels; empty for that of the choices.
    pub(crate) language: String,
}

/// Reads what is to be tried.
pub(crate) fn trial(request: TryIvrMenuRequest) -> Result<Trial, Fault> {
    let TryIvrMenuRequest { version, keys, latest, language } = request;
    let mut check = Check::new();
    check.ensure(version >= 0, "version", "must not be negative");
    check.ensure(!keys.is_empty() || latest != 0, "keys", "is required unless latest is given");
    let keys = check.list("keys", keys, MAX_TRIED);
    let keys = keys.into_iter().enumerate();
    let keys = keys.map(|(place, keys)| check.text(&format!("keys[{place}]"), keys, MAX_WORD)).collect();
    check.ensure((0..=MAX_LATEST).contains(&latest), "latest", "must be from 0 to 200");
    let language = if language.is_empty() { language } else { check.language("language", language) };
    check.done("INVALID_TRIAL")?;
    Ok(Trial { version, keys, latest: latest.into(), language })
}

/// What keys come to by a menu.
pub(crate) fn tried(menu: &Held, keys: String, language: &str) -> IvrResolution {
    let found = menu.tree.resolve(&keys, language);
    phone::resolution(keys, found)
}

/// What the keys of a registered complaint come to by a menu; none where it has none.
pub(crate) fn tried_again(menu: &Held, complaint: &Complaint, language: &str) -> Option<IvrResolution> {
    let call = phone::of(complaint).filter(|call| !call.ivr_keys.trim().is_empty())?;
    let language = if language.is_empty() { &complaint.language } else { language };
    Some(IvrResolution {
        complaint_id: complaint.complaint_id.clone(),
        registered_labels: call.ivr_labels.clone(),
        ..tried(menu, call.ivr_keys.clone(), language)
    })
}

/// Reads which version is wanted; 0 is the one in force.
pub(crate) fn get(request: GetIvrMenuRequest) -> Result<i64, Fault> {
    let GetIvrMenuRequest { version } = request;
    let mut check = Check::new();
    check.ensure(version >= 0, "version", "must not be negative");
    check.done(INVALID_VERSION)?;
    Ok(version)
}

/// Reads the paging of a list.
pub(crate) fn list(request: &ListIvrMenusRequest) -> Result<Page, Fault> {
    let mut check = Check::new();
    let page = check.page(request.page_size, &request.page_token, "");
    check.done("INVALID_LIST")?;
    Ok(page)
}

/// A menu as callers see it.
pub(crate) fn menu(kept: KeptMenu) -> IvrMenu {
    let KeptMenu { version, note, creator, created, activated, is_active, menu } = kept;
    let Menu { language, choices } = menu.unwrap_or_default();
    let label = |Label { language, text }| IvrLabel { language, text };
    let choice = |choice: Choice| {
        let Choice { keys, labels, category_hint, matter, language, call_back } = choice;
        let labels = labels.into_iter().map(label).collect();
        IvrChoice { keys, labels, category_hint, matter, language, call_back }
    };
    IvrMenu {
        version,
        note,
        language,
        choices: choices.into_iter().map(choice).collect(),
        active: is_active,
        create_time: Some(timestamp(created)),
        creator,
        activate_time: activated.map(timestamp),
    }
}
