//! Words, whatever their case and width.

use posts::{Matcher, Rule, folded};
use proptest::prelude::*;

fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

fn any(list: &[&str]) -> Matcher {
    let rule = Rule { name: "any".to_owned(), any_of: words(list), ..Rule::default() };
    Matcher::new(&[rule]).unwrap()
}

#[test]
fn a_word_of_letters_is_found_as_a_whole_and_a_chinese_one_anywhere() {
    for (word, text, is_found) in [
        ("art", "This is art.", true),
        ("art", "ART", true),
        ("art", "This is smart", false),
        ("art", "arts", false),
        ("art", "art2", false),
        ("art", "a-r-t", false),
        ("art", "state-of-the-art!", true),
        ("art", "退art款", true),
        ("Straße", "in der STRASSE", true),
        ("refund", "ＲＥＦＵＮＤ please", true),
        ("refund", "re\u{200b}fund now", true),
        ("ｒｅｆｕｎｄ", "refund", true),
        ("not work", "it does not\n  work", true),
        ("退款", "我要退款！", true),
        ("退款", "不退款就投诉", true),
        ("退款", "退 款", false),
        ("退款", "退換", false),
        ("iphone手机", "新的iPhone手机坏了", true),
        ("iphone手机", "xiphone手机", false),
        ("ﾃｽﾄ", "テスト", true),
        ("환불", "환불해 주세요", true),
        ("#fail", "what a #FAIL", true),
        ("C++", "in c++ it works", true),
    ] {
        assert_eq!(any(&[word]).taken(text).is_some(), is_found, "{word:?} in {text:?}");
    }
}

#[test]
fn the_first_rule_whose_words_are_as_it_says_takes_a_post() {
    let rules = [
        Rule {
            name: "refund".to_owned(),
            any_of: words(&["退款", "refund", "money back"]),
            none_of: words(&["招聘", "giveaway"]),
            ..Rule::default()
        },
        Rule { name: "late".to_owned(), all_of: words(&["parcel", "late"]), ..Rule::default() },
        Rule {
            name: "not praise".to_owned(),
            none_of: words(&["thanks", "parcel", "giveaway", "招聘"]),
            ..Rule::default()
        },
    ];
    let matcher = Matcher::new(&rules).unwrap();
    for (text, expected) in [
        ("I want my money back, the parcel is late", Some("refund")),
        ("退款!", Some("refund")),
        ("退款专员招聘", None),
        ("The parcel is late", Some("late")),
        ("The parcel is here", None),
        ("Thanks!", None),
        ("Awful", Some("not praise")),
    ] {
        assert_eq!(matcher.taken(text), expected, "{text}");
    }
}

#[test]
fn overlapping_words_are_all_found() {
    let all =
        Rule { name: "all".to_owned(), all_of: words(&["不退款", "退款", "款"]), ..Rule::default() };
    assert_eq!(Matcher::new(&[all]).unwrap().taken("不退款"), Some("all"));
}

/// Found by looking at each place, as a person would.
fn by_hand(word: &str, text: &str) -> bool {
    let (word, text) = (folded(word), folded(text));
    let is_of_a_word = |c: char| c.is_alphanumeric() && !('\u{4e00}'..='\u{9fff}').contains(&c);
    text.match_indices(|_: char| true).any(|(at, _)| {
        let Some(rest) = text[at..].strip_prefix(&word) else { return false };
        let before = text[..at].chars().next_back().is_some_and(is_of_a_word);
        let after = rest.chars().next().is_some_and(is_of_a_word);
        let begins = word.chars().next().is_some_and(is_of_a_word);
        let ends = word.chars().next_back().is_some_and(is_of_a_word);
        !(begins && before || ends && after)
    })
}

proptest! {
    #[test]
    fn words_are_found_where_a_person_finds_them(
        word in "[abAＢ退款1 ]{0,2}[abAＢ退款1]",
        text in "[abAＢ退款1 。-]{0,24}",
    ) {
        prop_assert_eq!(any(&[&word]).taken(&text).is_some(), by_hand(&word, &text));
    }

    #[test]
    fn folding_again_changes_nothing(text in "\\PC{0,40}") {
        let once = folded(&text);
        prop_assert_eq!(folded(&once), once);
    }

    #[test]
    fn case_and_width_do_not_matter(text in "[ -~]{1,40}") {
        let wide: String = text.chars().map(|c| match c {
            ' ' => '\u{3000}',
            c => char::from_u32(u32::from(c) + 0xFEE0).unwrap(),
        }).collect();
        prop_assert_eq!(folded(&wide), folded(&text));
        prop_assert_eq!(folded(&text.to_uppercase()), folded(&text));
    }
}
