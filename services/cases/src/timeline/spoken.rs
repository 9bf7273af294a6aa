//! What a timeline tells of the call or chat that a complaint came by.

use vocabulary::HandOverReason;

/// A call that came in, or how a chat reached a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Spoken {
    Called { missed: bool, call_back: bool, menu: String, recording: String },
    HandedOver { reason: Option<HandOverReason>, text: String, turn: Option<i32> },
}

impl Spoken {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Called { missed, call_back, menu, recording } => {
                let mut told = String::from(if *missed { "nobody took the call" } else { "a call" });
                if !menu.is_empty() {
                    told = format!("{told}; menu: {menu}");
                }
                if *call_back {
                    told.push_str("; a call-back is asked for");
                }
                if !recording.is_empty() {
                    told = format!("{told}\nrecording: {recording}");
                }
                told
            }
            Self::HandedOver { reason, text, turn } => {
                let turn = turn.map(|place| format!(" at turn {}", place.saturating_add(1)));
                let why = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
                let text = if text.is_empty() { String::new() } else { format!(" ({text})") };
                format!("the bot handed over to a person{}{why}{text}", turn.unwrap_or_default())
            }
        }
    }

    /// Whether a call-back is asked for.
    pub(crate) fn asks_for_call_back(&self) -> bool {
        matches!(self, Self::Called { call_back: true, .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_and_a_hand_over_read_as_sentences() {
        let missed = Spoken::Called {
            missed: true,
            call_back: true,
            menu: "Delivery > Damaged".to_owned(),
            recording: "https://calls.example.org/7".to_owned(),
        };
        let told = "nobody took the call; menu: Delivery > Damaged; a call-back is asked for\n\
                    recording: https://calls.example.org/7";
        assert_eq!(missed.text(), told);
        let handed_over = Spoken::HandedOver {
            reason: Some(HandOverReason::NotUnderstood),
            text: "three times".to_owned(),
            turn: Some(4),
        };
        let told = "the bot handed over to a person at turn 5: the bot did not understand (three times)";
        assert_eq!(handed_over.text(), told);
        let bare = Spoken::HandedOver { reason: None, text: String::new(), turn: None };
        assert_eq!(bare.text(), "the bot handed over to a person");
    }
}
