//! The call or chat that a complaint came by: what a timeline tells of it, and what triage
//! looks at. Pure.

use language::Level;
use triage::MoodFacts;
use vocabulary::HandOverReason;

use crate::timeline::{Fact, Handling, Spoken};

/// What is known of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Conversation {
    /// Nobody took the call.
    pub(crate) missed_call: bool,
    /// The caller is to be called back.
    pub(crate) call_back_requested: bool,
    /// What the voice menu came to, in words.
    pub(crate) menu: String,
    /// Where the recording lies.
    pub(crate) recording: String,
    /// How a bot handed over; none where it did not.
    pub(crate) hand_over: Option<HandOver>,
    /// What the customer says, turn by turn.
    pub(crate) turns: Vec<Turn>,
}

/// How a bot handed over to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HandOver {
    /// Why.
    pub(crate) reason: Option<HandOverReason>,
    /// The same in words.
    pub(crate) text: String,
    /// The first turn of the person, from 0.
    pub(crate) turn: Option<i32>,
}

/// A turn of the customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// Its place among all turns, from 0.
    pub(crate) place: i32,
    /// What it says.
    pub(crate) text: String,
}

/// How angry a turn is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TurnMood {
    /// Its place among all turns, from 0.
    pub(crate) place: i32,
    /// How angry.
    pub(crate) level: Level,
}

impl Conversation {
    /// How long the customer's turns are.
    pub(crate) fn bytes(&self) -> usize {
        self.turns.iter().map(|turn| turn.text.len()).sum()
    }

    /// What a timeline tells of it.
    pub(crate) fn facts(&self) -> Vec<Fact> {
        let spoke = self.missed_call
            || self.call_back_requested
            || !self.menu.is_empty()
            || !self.recording.is_empty();
        let call = spoke.then(|| Spoken::Called {
            missed: self.missed_call,
            call_back: self.call_back_requested,
            menu: self.menu.clone(),
            recording: self.recording.clone(),
        });
        let handed_over = self.hand_over.as_ref().map(|HandOver { reason, text, turn }| Spoken::HandedOver {
            reason: *reason,
            text: text.clone(),
            turn: *turn,
        });
        call.into_iter().chain(handed_over).map(|spoken| Fact::Handling(Handling::Spoken(spoken))).collect()
    }

    /// What triage looks at; `moods` are those of the turns.
    pub(crate) fn looked_at(&self, moods: &[TurnMood]) -> triage::Conversation {
        triage::Conversation {
            missed_call: self.missed_call,
            call_back_requested: self.call_back_requested,
            handed_over: self.hand_over.is_some(),
            hand_over_reason: self.hand_over.as_ref().and_then(|hand_over| hand_over.reason),
            mood: mood(moods),
        }
    }
}

/// What moods from turn to turn come to.
pub(crate) fn mood(moods: &[TurnMood]) -> Option<MoodFacts> {
    MoodFacts::of(&moods.iter().map(|mood| mood.level).collect::<Vec<_>>())
}
