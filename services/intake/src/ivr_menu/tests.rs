//! What keys come to, and which menus are refused.

use proptest::prelude::*;

use super::*;

fn label(language: &str, text: &str) -> Label {
    Label { language: language.to_owned(), text: text.to_owned() }
}

fn choice(keys: &str, zh: &str, en: &str) -> Choice {
    let labels = vec![label("zh-CN", zh), label("en", en)];
    Choice { keys: keys.to_owned(), labels, ..Choice::default() }
}

fn menu() -> Menu {
    Menu {
        language: "zh-CN".to_owned(),
        choices: vec![
            Choice { category_hint: "delivery".to_owned(), ..choice("1", "物流", "Delivery") },
            Choice {
                category_hint: "delivery/damaged".to_owned(),
                language: "en".to_owned(),
                ..choice("1.3", "破损", "Damaged")
            },
            Choice { call_back: true, ..choice("1.3.*", "请回电", "Call me back") },
            Choice { matter: 2, ..choice("9", "举报", "Report") },
        ],
    }
}

fn resolve(keys: &str, language: &str) -> Resolution {
    Tree::from(menu()).resolve(keys, language)
}

#[test]
fn the_deepest_choice_that_says_something_says_it() {
    let all = resolve("1.3.*", "");
    let expected = Resolution {
        known: "1.3.*".to_owned(),
        labels: ["Delivery", "Damaged", "Call me back"].map(str::to_owned).to_vec(),
        category_hint: "delivery/damaged".to_owned(),
        matter: 0,
        language: "en".to_owned(),
        call_back: true,
    };
    assert_eq!(all, expected);
    assert_eq!(resolve("1.3.*", "zh-TW").labels, ["物流", "破损", "请回电"], "one like it");
    assert_eq!(resolve("1", "fr").labels, ["物流"], "the menu's");
    assert_eq!((resolve("9", "").matter, resolve("9.1", "").known.as_str()), (2, "9"));
}

#[test]
fn what_the_menu_does_not_know_is_left_aside() {
    for (keys, known) in
        [("1.7", "1"), ("1.3.2.49288888#", "1.3"), ("7", ""), ("", ""), ("1..3", "1"), (" 1 . 3 ", "1.3")]
    {
        assert_eq!(resolve(keys, "en").known, known, "{keys}");
    }
    let nothing = Resolution { language: "zh-CN".to_owned(), ..Resolution::default() };
    assert_eq!(resolve("7.1", ""), nothing);
}

#[test]
fn every_flaw_is_told() {
    let keys = ["1", "1.2", "1.2", "2.1", "a", "1.", "", "12345", "1.2.*#"];
    let flawed: Vec<usize> = flaws(&keys).into_iter().map(|(place, _)| place).collect();
    assert_eq!(flawed, [2, 3, 4, 5, 6, 7]);
    let deep: Vec<String> = (1..=11).map(|depth| vec!["1"; depth].join(".")).collect();
    let deep: Vec<&str> = deep.iter().map(String::as_str).collect();
    assert_eq!(flaws(&deep), [(10, "must be at most 10 deep")]);
}

#[test]
fn a_missed_call_says_so_in_its_language() {
    let labels = ["Delivery".to_owned(), "Damaged".to_owned()];
    assert_eq!(missed_call(&labels, "en-GB", 300), "Missed call; menu: Delivery > Damaged");
    assert_eq!(missed_call(&["物流".to_owned()], "zh-CN", 300), "未接来电；菜单：物流");
    assert_eq!(missed_call(&[], "ZH", 300), "未接来电");
    assert_eq!(missed_call(&labels, "en", 14), "Missed call; m");
    assert_eq!(joined(&["物流".to_owned(), "破损".to_owned()], 4), "物流 >");
}

proptest! {
    #[test]
    fn any_keys_come_to_the_longest_path_that_is_known(
        keys in prop_oneof![any::<String>(), "[0-9*#. ]{0,40}", "(1|3|9|\\*|x)(\\.(1|3|9|\\*|x)){0,12}"],
        language in prop_oneof![Just("zh"), Just("en"), Just(""), Just("-")],
    ) {
        let found = resolve(&keys, language);
        let parts: Vec<&str> = keys.split('.').map(str::trim).collect();
        let known: Vec<String> = menu().choices.into_iter().map(|choice| choice.keys).collect();
        // Of all beginnings of the keys that are choices, with all above them, the longest.
        let longest = (1..=parts.len())
            .take_while(|length| known.contains(&parts[..*length].join(".")))
            .last()
            .map(|length| parts[..length].join("."))
            .unwrap_or_default();
        prop_assert_eq!(&found.known, &longest);
        let depth = if longest.is_empty() { 0 } else { longest.split('.').count() };
        prop_assert_eq!(found.labels.len(), depth);
        prop_assert!(found.labels.iter().all(|label| !label.is_empty()));
    }

    #[test]
    fn what_is_filled_in_keeps_its_length(labels in prop::collection::vec("\\PC{0,120}", 0..12), most in 0..400_usize) {
        prop_assert!(missed_call(&labels, "zh", most).chars().count() <= most);
        prop_assert!(joined(&labels, most).chars().count() <= most);
    }
}
