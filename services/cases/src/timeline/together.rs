//! What happens to a case together with others: merges, links, groups. All of it is
//! for staff: the public sees the state, never another complainant's case.

use kernel::CaseId;
use sameness::LinkKind;
use uuid::Uuid;

use super::{Kind, with_reason};

/// Something that happened to a case together with another, or others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Together {
    Merged { into: CaseId, reason: String, across: Option<String> },
    Absorbed { case: CaseId, reason: String, across: Option<String> },
    Unmerged { from: CaseId, reason: String },
    Parted { case: CaseId, reason: String },
    Informed { case: CaseId, what: String, words: String, by_complainant: bool },
    Answered { case: CaseId, accepted: bool },
    Linked { other: CaseId, kind: LinkKind, reason: String },
    Unlinked { other: CaseId, reason: String },
    Grouped { group: Uuid, title: String, reason: String },
    Ungrouped { group: Uuid, reason: String },
    GroupAlarm { group: Uuid, members: i32 },
}

/// Why cases of different people are merged, where they are.
fn of_others(across: Option<&str>) -> String {
    across.map(|why| format!(" though of other people ({why})")).unwrap_or_default()
}

impl Together {
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Merged { .. } | Self::Absorbed { .. } => Kind::Merged,
            Self::Unmerged { .. } | Self::Parted { .. } => Kind::Unmerged,
            Self::Informed { .. } => Kind::Note,
            Self::Answered { .. } => Kind::Response,
            Self::Linked { .. } | Self::Unlinked { .. } => Kind::Linked,
            Self::Grouped { .. } | Self::Ungrouped { .. } | Self::GroupAlarm { .. } => Kind::Grouped,
        }
    }

    pub(super) fn text(&self) -> String {
        let (sentence, reason) = match self {
            Self::Merged { into, reason, across } => {
                (format!("merged into case {into}{}", of_others(across.as_deref())), reason)
            }
            Self::Absorbed { case, reason, across } => {
                (format!("case {case} was merged into this one{}", of_others(across.as_deref())), reason)
            }
            Self::Unmerged { from, reason } => (format!("no longer merged into case {from}"), reason),
            Self::Parted { case, reason } => {
                (format!("case {case} is no longer merged into this one"), reason)
            }
            Self::Informed { case, what, .. } => {
                return format!("added to case {case}, which is merged into this one: {what}");
            }
            Self::Answered { case, accepted } => {
                let answered = if *accepted { "accepted" } else { "disputed" };
                return format!(
                    "the complainant of case {case}, merged into this one, {answered} the outcome"
                );
            }
            Self::Linked { other, kind, reason } => (format!("linked to case {other} as {kind}"), reason),
            Self::Unlinked { other, reason } => (format!("no longer linked to case {other}"), reason),
            Self::Grouped { group, title, reason } => (format!("joined group {group}, {title}"), reason),
            Self::Ungrouped { group, reason } => (format!("left group {group}"), reason),
            Self::GroupAlarm { group, members } => {
                return format!("group {group} has {members} cases, which makes it a major matter");
            }
        };
        with_reason(sentence, reason)
    }
}
