//! What a pack is held to, and which of its promises holds for whom.

use super::*;
use crate::shipped::{SHIPPED, packs, versions};

#[test]
fn every_pack_is_sound_and_counted_by_a_calendar_there_is() {
    for text in SHIPPED {
        let pack = Pack::from_toml(text).unwrap();
        assert!(crate::builtin::get(&pack.calendar).is_some(), "{}", pack.name);
        assert!(!pack.source.is_empty() && !pack.title.is_empty(), "{}", pack.name);
    }
    assert_eq!(packs().len(), SHIPPED.len());
}

#[test]
fn versions_of_one_pack_follow_one_another_without_a_gap_or_an_overlap() {
    for pack in packs() {
        let versions: Vec<&Pack> = versions(&pack.name).collect();
        for pair in versions.windows(2) {
            let [later, earlier] = pair else { continue };
            assert!(earlier.version < later.version, "{}", pack.name);
            assert_eq!(earlier.effective_until, Some(later.effective_from), "{}", pack.name);
        }
        assert_eq!(versions[0].effective_until, None, "{}", pack.name);
    }
}

#[test]
fn a_channel_may_have_a_promise_of_its_own() {
    let of = |when: &str| {
        let text = format!(
            r#"
            name = "ours"
            version = 1
            title = "Our own"
            source = "own choice"
            calendar = "always"
            effective_from = "2026-01-01"
            promises = [
                {{ kind = "acknowledge", budget = "24 hours", own_target = true }},
                {{ kind = "acknowledge", budget = "1 hours", own_target = true, when = {when} }},
            ]"#
        );
        Pack::from_toml(&text)
    };
    let pack = of(r#"{ channel = "social" }"#).unwrap();
    let budget = |channel| {
        let facts = Facts { channel, ..Facts::default() };
        pack.promise_for(Kind::Acknowledge, &facts).unwrap().budget.to_string()
    };
    assert_eq!(budget(Some(Channel::Social)), "1 hour");
    assert_eq!(budget(Some(Channel::Letter)), "24 hours");
    assert_eq!(budget(None), "24 hours", "where it is not known by which");
    let flaws = of(r#"{ channel = "pigeon" }"#).unwrap_err();
    assert!(flaws[0].problem.contains("pigeon is no channel: it is one of phone, chat"), "{flaws:?}");
}

#[test]
fn a_pack_says_all_that_is_wrong_with_it() {
    let text = r#"
        name = "x y"
        version = 0
        title = ""
        source = ""
        calendar = ""
        effective_from = "2026-01-01"
        effective_until = "2025-01-01"
        promises = [
            { kind = "decide", budget = "15 days", when = { priority = 1 } },
            { kind = "decide", budget = "20 days", when = { priority = 1 }, pause = { reasons = [] }, extension = { most = 5, holding_reply = true } },
            { kind = "tell", budget = "20 days", beside = "5 days", pause = { reasons = ["resolved"] }, extension = { most = 5, names_date = true } },
        ]
        refusal_grounds = [{ code = "a b", text = "" }]
        hints = [{ code = "x", text = "" }, { code = "x", text = "" }]
    "#;
    let fields: Vec<String> = Pack::from_toml(text).unwrap_err().into_iter().map(|flaw| flaw.field).collect();
    assert_eq!(
        fields,
        [
            "name",
            "version",
            "calendar",
            "effective_until",
            "promises[0].kind",
            "promises[1].when",
            "promises[1].kind",
            "promises[1].pause.reasons",
            "promises[1].extension.approval",
            "promises[2].pause.reasons",
            "promises[2].beside",
            "promises[2].extension.holding_reply",
            "refusal_grounds[0].code",
            "hints[1].code",
        ]
    );
}
