//! Each pattern is a sentence that the service of cases has, and each of its sentences is known.

use std::path::Path;

use proto::redress::cases::v1::TimelineKind;

use super::*;

const ZH: Words = Words(Language::Chinese);

/// The source of the sentences.
fn source() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases/src");
    let files = [
        "timeline/facts.rs",
        "timeline/timing.rs",
        "timeline/together.rs",
        "timeline/spoken.rs",
        "timeline.rs",
        "promise.rs",
        "wire/inbound.rs",
        "../../../libs/vocabulary/src/lib.rs",
        "../../../libs/calendar/src/terms.rs",
        "../../../libs/sameness/src/lib.rs",
    ];
    files.iter().map(|file| std::fs::read_to_string(folder.join(file)).unwrap()).collect()
}

fn all() -> Vec<Pattern> {
    let kinds = (1..=40).filter_map(|number| TimelineKind::try_from(number).ok());
    kinds.flat_map(|kind| table::of(kind).to_vec()).collect()
}

/// Whether these words stand together, or in two pieces that are put together there.
fn is_made_of(source: &str, words: &str) -> bool {
    let has_both = |place: usize| {
        let (before, after) = words.split_at(place);
        source.contains(before.trim()) && source.contains(after.trim())
    };
    source.contains(words) || words.match_indices(' ').any(|(place, _)| has_both(place))
}

#[test]
fn every_pattern_is_made_of_words_that_the_service_has() {
    // Sentences there are put together of pieces.
    let source = source().replace("\\n", "\n").replace("\\\n", "");
    let source: String = source.split_whitespace().collect::<Vec<_>>().join(" ");
    for (english, chinese) in all() {
        let literals = english.split('{').flat_map(|piece| {
            piece.split_once('}').map_or(piece, |(_, rest)| rest).split(['\n', ';', ',', ':'])
        });
        for literal in literals
            .map(|literal| literal.trim().trim_start_matches("it "))
            .filter(|literal| literal.len() > 12)
        {
            assert!(is_made_of(&source, literal), "{literal:?} of {english:?}");
        }
        let holes = |text: &str| text.matches('{').count();
        assert_eq!(holes(english), holes(chinese), "{english}");
        for place in 0..holes(english) {
            assert!(chinese.contains(&format!("{{{place}}}")), "{chinese}");
        }
    }
}

#[test]
fn every_sentence_of_the_service_has_a_pattern() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cases/src/timeline");
    let mut unknown = Vec::new();
    for file in ["facts.rs", "timing.rs", "together.rs"] {
        let source = std::fs::read_to_string(folder.join(file)).unwrap();
        let source = source.split("#[cfg(test)]").next().unwrap().to_owned();
        let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            for literal in line.split('"').skip(1).step_by(2) {
                let words = literal.split(['{', '\\']).next().unwrap().trim();
                let is_piece = words.starts_with([',', ';', '(']) || !words.contains(' ');
                let known = all().iter().any(|(english, _)| english.contains(words));
                if !is_piece && !known && !PIECES.contains(&words) {
                    unknown.push(literal.to_owned());
                }
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

/// What is put together with others to a sentence.
const PIECES: [&str; 6] = [
    "case opened",
    "it is written off",
    "nobody can take it as things stand; it",
    "though of other people (",
    "plan ended",
    "the complainant of case",
];

#[test]
fn sentences_are_said_in_chinese_and_what_people_wrote_stays() {
    for (kind, english, chinese) in [
        (
            TimelineKind::Opened,
            "the complaint came in through the web form and a case was opened",
            "投诉经网页表单提交，已立案",
        ),
        (TimelineKind::Triaged, "triaged as delivery, P2: late: a week", "分级为 delivery，P2：late: a week"),
        (TimelineKind::Assigned, "assigned to ann of care: ann 1/2", "派给 care 部门的 ann：ann 1/2"),
        (
            TimelineKind::Decided,
            "decided: upheld, a remedy is due: it broke",
            "裁定：投诉成立，需要补救：it broke",
        ),
        (
            TimelineKind::Decided,
            "decided: upheld: no, a remedy is due",
            "裁定：投诉成立：no, a remedy is due",
        ),
        (
            TimelineKind::Clock,
            "the promise to answer for the first time was broken: it was due 2026-11-30 17:00 (UTC) by own@1",
            "首次响应时限已超期：应于 2026-11-30 17:00 (UTC) 前完成，依据 own@1",
        ),
        (
            TimelineKind::Clock,
            "the time to tell how it goes stands still (awaiting-complainant): asked for papers",
            "进展告知时限暂停（等待投诉人）：asked for papers",
        ),
        (TimelineKind::Notice, "the acknowledgement was delivered", "受理告知已送达"),
        (TimelineKind::Closed, "closed: the complainant accepted the outcome", "办结：投诉人接受处理结果"),
        (
            TimelineKind::TaskCompleted,
            "finance carried out the refund of EUR 39.90, reference R-1",
            "finance 部门已完成退款（EUR 39.90），凭证号 R-1",
        ),
        (
            TimelineKind::Findings,
            "It was dropped.\nroot cause: carrier",
            "It was dropped.\n根本原因：carrier",
        ),
        (TimelineKind::Note, "the complainant disputed the outcome", "the complainant disputed the outcome"),
        (TimelineKind::Note, "{0} {} }{ 客户来电", "{0} {} }{ 客户来电"),
        (TimelineKind::Resolved, "", ""),
    ] {
        assert_eq!(told(ZH, kind, english), chinese, "{english}");
        assert_eq!(told(Words(Language::English), kind, english), english);
    }
}

#[test]
fn a_time_limit_is_said_in_chinese() {
    for (english, chinese) in [
        ("1 working hour", "1 工作小时"),
        ("15 working days", "15 个工作日"),
        ("60 days rolled past holidays", "60 days rolled past holidays"),
        ("soon", "soon"),
        ("", ""),
    ] {
        assert_eq!(budget(ZH, english), chinese);
        assert_eq!(budget(Words(Language::English), english), english);
    }
}
