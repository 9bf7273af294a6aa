//! What the lexicon reads off texts.

use proptest::prelude::*;

use super::*;

fn level_of(text: &str) -> Level {
    emotion(text).level
}

#[test]
fn texts_are_graded_from_calm_to_furious() {
    let cases = [
        ("Could you tell me when the parcel comes", Level::Calm),
        ("请问我的订单什么时候发货", Level::Calm),
        ("The service was good, thank you", Level::Calm),
        ("服务很好,非常满意", Level::Calm),
        ("There is an error in my statement", Level::Displeased),
        ("I am disappointed with the delivery", Level::Annoyed),
        ("我对你们的服务不满", Level::Annoyed),
        ("This is unacceptable", Level::Angry),
        ("你们这是欺骗消费者", Level::Angry),
        ("I am furious, you are thieves", Level::Furious),
        ("无耻,气死我了", Level::Furious),
    ];
    for (text, level) in cases {
        assert_eq!(level_of(text), level, "{text} scores {}", emotion(text).score);
    }
}

#[test]
fn modifiers_turn_sharpen_and_soften() {
    let score = |text| emotion(text).score;
    assert!(score("not good") > 0.0 && score("good") < 0.0);
    assert!(score("不满意") > 0.0 && score("满意") < 0.0);
    assert!(score("not angry").abs() < 0.01);
    assert!(score("extremely angry") > score("very angry"));
    assert!(score("very angry") > score("angry"));
    assert!(score("angry") > score("a bit angry"));
    assert!(score("非常失望") > score("失望"));
    assert!(score("失望") > score("有点失望"));
    // Another clause is another matter; so is what stands far away.
    assert!(score("No, this is unacceptable") > 2.0);
    assert!(score("no matter what anybody says in the end it is unacceptable") > 2.0);
}

#[test]
fn shouting_sharpens_only_what_is_said() {
    assert!(emotion("I am angry!!!").score > emotion("I am angry").score);
    assert!(emotion("THIS IS UNACCEPTABLE, GIVE BACK MY MONEY").level == Level::Furious);
    assert_eq!(level_of("HELLO DEAR TEAM, PLEASE CALL BACK!!!"), Level::Calm);
    // What was blacked out is not shouted.
    assert_eq!(emotion("angry XXXX XXXX XXXX XXXX").score.to_bits(), emotion("angry").score.to_bits());
}

#[test]
fn threats_are_told_apart() {
    let cases: [(&str, &[Threat]); 10] = [
        ("I will report you to the ombudsman", &[Threat::Regulator]),
        ("再不处理我就打12315,还要找记者曝光", &[Threat::Regulator, Threat::Media]),
        ("You will hear from my lawyer", &[Threat::Court]),
        ("我要去法院起诉你们", &[Threat::Court]),
        ("Close my account today", &[Threat::Leaving]),
        ("再也不会来了", &[Threat::Leaving]),
        ("see you in court, and on social media", &[Threat::Media, Threat::Court]),
        ("I will not go to court over this", &[]),
        ("The parcel is late", &[]),
        ("An issue, pursued politely", &[]),
    ];
    for (text, threats) in cases {
        assert_eq!(emotion(text).threats, threats, "{text}");
        assert_eq!(emotion(text).threatens_escalation(), !threats.is_empty());
    }
}

#[test]
fn no_word_is_dead_or_in_two_lists() {
    let mut seen = std::collections::HashSet::new();
    for (_, words) in entries() {
        for word in listed(words) {
            assert!(seen.insert(word), "{word:?} is listed twice");
            let text = normal(word.trim_end_matches('*'));
            let found = LEXICON.find(&text).next();
            let whole = found.is_some_and(|(start, end, _)| text[start..end].trim() == text.trim());
            assert!(whole, "{word:?} can never match");
        }
    }
}

proptest! {
    #[test]
    fn any_text_has_a_reading(text in "\\PC{0,300}") {
        let reading = emotion(&text);
        prop_assert!(reading.score.is_finite());
        prop_assert_eq!(reading.clone(), emotion(&text));
        prop_assert_eq!(reading.threats.is_empty(), !reading.threatens_escalation());
    }
}
