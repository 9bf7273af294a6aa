//! What is done about the promises of a case: steps of ladders, pauses, extensions,
//! breaches, holding replies.

use calendar::{Kind as Promised, Reason as PauseReason};
use jiff::Timestamp;

use super::{Visibility, in_zone, with_reason};
use crate::promise;

/// Something that happened to a promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Timing {
    Reminded { kind: Promised, rung: String, due: Option<Timestamp> },
    RungMissed { kind: Promised, rung: String },
    Breached { kind: Promised, due: Timestamp, policy: String, own_target: bool },
    Paused { kind: Promised, reason: PauseReason, remark: String },
    Resumed { kind: Promised, reason: String },
    ExtensionRequested { kind: Promised, amount: u32, reason: String },
    ExtensionGranted { kind: Promised, due: Option<Timestamp>, reason: String, notice_due: bool, number: i32 },
    ExtensionRefused { kind: Promised, reason: String },
    HoldingReply { text: String, reason: String, next: Option<Timestamp>, due: Option<Timestamp> },
}

impl Timing {
    pub(super) fn visibility(&self) -> Visibility {
        match self {
            Self::ExtensionGranted { notice_due: true, .. } | Self::HoldingReply { .. } => Visibility::Public,
            Self::Reminded { .. }
            | Self::RungMissed { .. }
            | Self::Breached { .. }
            | Self::Paused { .. }
            | Self::Resumed { .. }
            | Self::ExtensionRequested { .. }
            | Self::ExtensionGranted { .. }
            | Self::ExtensionRefused { .. } => Visibility::Internal,
        }
    }

    pub(super) fn text(&self, zone: &str) -> String {
        match self {
            Self::Reminded { kind, rung, due } => {
                let due = due.map(|due| format!(", due {}", in_zone(due, zone))).unwrap_or_default();
                format!("reminder {rung}: it is promised {}{due}", promise::words(*kind))
            }
            Self::RungMissed { kind, rung } => {
                format!(
                    "step {rung} of the promise {} passed while nobody could take it",
                    promise::words(*kind)
                )
            }
            Self::Breached { kind, due, policy, .. } => {
                let due = in_zone(*due, zone);
                format!("the promise {} was broken: it was due {due} by {policy}", promise::words(*kind))
            }
            Self::Resumed { kind, reason } => {
                with_reason(format!("the time {} runs on", promise::words(*kind)), reason)
            }
            Self::Paused { kind, reason, remark } => {
                let sentence = format!(
                    "the time {} stands still ({})",
                    promise::words(*kind),
                    promise::reason_name(*reason)
                );
                with_reason(sentence, remark)
            }
            Self::ExtensionRequested { kind, amount, reason } => {
                with_reason(format!("{amount} more were asked for {}", promise::words(*kind)), reason)
            }
            Self::ExtensionGranted { kind, due, reason, .. } => {
                let until = due.map(|due| format!(" until {}", in_zone(due, zone))).unwrap_or_default();
                with_reason(format!("more time {} was granted{until}", promise::words(*kind)), reason)
            }
            Self::ExtensionRefused { kind, reason } => {
                with_reason(format!("more time {} was refused", promise::words(*kind)), reason)
            }
            Self::HoldingReply { text, reason, next, due } => {
                let next = next.map(|next| format!("; more by {}", in_zone(next, zone))).unwrap_or_default();
                let due =
                    due.map(|due| format!("; the answer by {}", in_zone(due, zone))).unwrap_or_default();
                format!("{text}\nit takes longer: {reason}{next}{due}")
            }
        }
    }
}
