//! The menus of telephone systems, and what keys come to by them.

use proto::redress::intake::v1::{
    IvrChoice, IvrMenu, IvrResolution, ListIvrMenusResponse, Matter, TryIvrMenuResponse,
};

use super::{more, none_of};
use crate::lines::time;
use crate::table::{Table, facts};
use crate::words::word;

/// What stands between the labels of choices.
const BETWEEN: &str = " > ";

/// One menu, its choices in the order of their keys.
pub fn ivr_menu(menu: &IvrMenu) -> String {
    let head = facts(&[
        ("version", menu.version.to_string()),
        ("note", menu.note.clone()),
        ("in force", yes(menu.active)),
        ("language", menu.language.clone()),
        ("created", time(menu.create_time.as_ref())),
        ("by", menu.creator.clone()),
        ("in force since", time(menu.activate_time.as_ref())),
    ]);
    if menu.choices.is_empty() {
        return head;
    }
    let mut choices: Vec<&IvrChoice> = menu.choices.iter().collect();
    choices.sort_by(|one, other| one.keys.split('.').cmp(other.keys.split('.')));
    let mut table = Table::new(["keys", "is called", "category", "matter", "language", "call-back"]);
    for choice in choices {
        let labels = choice.labels.iter().map(|label| format!("{}: {}", label.language, label.text));
        table.row([
            choice.keys.clone(),
            labels.collect::<Vec<_>>().join("; "),
            choice.category_hint.clone(),
            word::<Matter>(choice.matter),
            choice.language.clone(),
            if choice.call_back { "asked for".to_owned() } else { String::new() },
        ]);
    }
    format!("{head}\n{}", table.render())
}

/// A page of menus.
pub fn ivr_menus(list: &ListIvrMenusResponse) -> String {
    if list.menus.is_empty() {
        return none_of("menus", &list.next_page_token);
    }
    let mut table = Table::new(["version", "in force", "created", "by", "note"]);
    for menu in &list.menus {
        table.row([
            menu.version.to_string(),
            if menu.active { yes(true) } else { String::new() },
            time(menu.create_time.as_ref()),
            menu.creator.clone(),
            menu.note.clone(),
        ]);
    }
    table.render() + &more(&list.next_page_token)
}

/// What keys come to by a version.
pub fn ivr_trial(answer: &TryIvrMenuResponse) -> String {
    if answer.resolutions.is_empty() {
        return format!("version {}: no call has keys\n", answer.version);
    }
    let mut table = Table::new([
        "keys",
        "known",
        "is",
        "was",
        "category",
        "matter",
        "language",
        "call-back",
        "complaint",
    ]);
    for one in &answer.resolutions {
        let IvrResolution { keys, known_keys, labels, category_hint, language, complaint_id, .. } = one;
        table.row([
            keys.clone(),
            if known_keys == keys { "all".to_owned() } else { known_keys.clone() },
            labels.join(BETWEEN),
            one.registered_labels.join(BETWEEN),
            category_hint.clone(),
            word::<Matter>(one.matter),
            language.clone(),
            if one.call_back { "asked for".to_owned() } else { String::new() },
            complaint_id.clone(),
        ]);
    }
    format!("version {}\n\n{}", answer.version, table.render())
}

fn yes(holds: bool) -> String {
    if holds { "yes" } else { "no" }.to_owned()
}

#[cfg(test)]
mod tests {
    use proto::redress::intake::v1::IvrLabel;

    use super::*;

    #[test]
    fn choices_stand_below_those_that_lead_to_them() {
        let choice = |keys: &str, text: &str| IvrChoice {
            keys: keys.to_owned(),
            labels: vec![IvrLabel { language: "en".to_owned(), text: text.to_owned() }],
            ..IvrChoice::default()
        };
        let choices = vec![choice("2", "Billing"), choice("1.3", "Damaged"), choice("1", "Delivery")];
        let text = ivr_menu(&IvrMenu { version: 3, choices, ..IvrMenu::default() });
        let place = |word: &str| text.find(word).unwrap_or_else(|| panic!("{word} is missing: {text}"));
        assert!(place("Delivery") < place("Damaged") && place("Damaged") < place("Billing"));
    }

    #[test]
    fn a_trial_tells_what_is_known_of_the_keys() {
        let one = IvrResolution {
            keys: "1.3.9".to_owned(),
            known_keys: "1.3".to_owned(),
            labels: vec!["Delivery".to_owned(), "Damaged".to_owned()],
            registered_labels: vec!["Post".to_owned()],
            ..IvrResolution::default()
        };
        let text = ivr_trial(&TryIvrMenuResponse { version: 2, resolutions: vec![one] });
        let row: Vec<&str> = text.lines().last().unwrap_or_default().split_whitespace().collect();
        assert_eq!(row, ["1.3.9", "1.3", "Delivery", ">", "Damaged", "Post", "-"]);
    }
}
