//! What the players say, in the complainant's language.

/// Whether somebody is answered in Chinese.
pub(super) fn is_chinese(language: &str) -> bool {
    language.starts_with("zh")
}

/// A sentence in the language it is to be said in.
pub(super) fn say(language: &str, chinese: &'static str, english: &'static str) -> &'static str {
    if is_chinese(language) { chinese } else { english }
}

/// What the investigation found.
pub(super) fn findings(language: &str, roll: u64) -> (&'static str, &'static str) {
    let (chinese, english, cause) = match roll % 5 {
        0 => (
            "调取记录，情况与投诉人所述一致。",
            "The records bear out what the complainant says.",
            "process not followed",
        ),
        1 => (
            "系统日志显示当时处理失败，未自动补救。",
            "The log shows that the operation failed and nobody was told.",
            "system failure",
        ),
        2 => ("经核实，交接环节出现遗漏。", "Something was lost between two shifts.", "handover"),
        3 => (
            "供应方承认存在问题，已要求书面说明。",
            "The supplier admits the fault and will explain in writing.",
            "supplier",
        ),
        _ => ("说明不清，导致误解。", "What was promised was not what was written.", "unclear information"),
    };
    (say(language, chinese, english), cause)
}

/// Why it was decided so.
pub(super) fn upheld(language: &str) -> &'static str {
    say(
        language,
        "情况属实，我们向您致歉，并立即予以补救。",
        "You are right, and we are sorry. This is what we do about it.",
    )
}

/// Why it was decided so.
pub(super) fn partly(language: &str) -> &'static str {
    say(
        language,
        "部分情况属实，就属实部分给予补救。",
        "You are right in part, and for that part we make good.",
    )
}

/// Why it was decided so.
pub(super) fn not_upheld(language: &str) -> &'static str {
    say(
        language,
        "经核查，未发现违反约定之处，依据已随信附上。",
        "We found no breach of what was agreed; the evidence is attached.",
    )
}

/// Why it was decided so the second time.
pub(super) fn second_look(language: &str) -> &'static str {
    say(
        language,
        "复核认为初次处理不够充分，现予以全额补救并补偿。",
        "On second look the first answer fell short: we make good in full, and add for the trouble.",
    )
}

/// Where to turn instead.
pub(super) fn referral(language: &str) -> &'static str {
    say(
        language,
        "此事不属本单位职责，请向当地消费者协会反映。",
        "This is not ours to decide: please turn to the consumer ombudsman.",
    )
}

/// Why somebody withdraws.
pub(super) fn withdrawal(language: &str) -> &'static str {
    say(language, "问题已自行解决，撤回投诉。", "It has sorted itself out, thank you.")
}

/// Why somebody disputes.
pub(super) fn dispute(language: &str) -> &'static str {
    say(
        language,
        "处理结果与我的损失不符，请重新处理。",
        "This does not make up for what I lost. Please look again.",
    )
}

/// What somebody says who accepts.
pub(super) fn acceptance(language: &str, roll: u64) -> &'static str {
    match roll % 3 {
        0 => say(language, "已收到，谢谢。", "Received, thank you."),
        1 => say(language, "处理及时，可以接受。", "Quick enough, and fair."),
        _ => "",
    }
}

/// Why a plan is sent back.
pub(super) const PLAN_SENT_BACK: &str = "the invoice is missing: attach it and propose again";
/// Why a case is closed without an answer.
pub(super) const CLOSED_BY_STAFF: &str = "told on the telephone, satisfied, does not want to write";
