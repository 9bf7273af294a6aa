//! Proto ⇄ domain: what a chat system knows of a conversation.

use fault::Check;
use jiff::{SignedDuration, Timestamp};
use proto::redress::intake::v1::complaint::ChannelDetail;
use proto::redress::intake::v1::{ChatDetail, ChatSpeaker, ChatTurn, Complaint, HandOverReason};

use super::times::{ABSURD, AHEAD, EARLIEST, MAX_SKEW};
use super::{MAX_DESCRIPTION, MAX_REMEDY, MAX_WORD, Reading};

/// Most turns of a conversation.
const MAX_TURNS: usize = 500;
/// Most characters of all turns together.
const MAX_CONVERSATION: usize = 20_000;
/// How far a turn may be before one that stands earlier: the clocks of bots and people
/// differ.
const MAX_DISORDER: SignedDuration = SignedDuration::from_mins(1);

const TURNS: &str = "complaint.chat.turns";

/// The conversation that a complaint came by, if it came by one.
fn of(complaint: &Complaint) -> Option<&ChatDetail> {
    match &complaint.channel_detail {
        Some(ChannelDetail::Chat(detail)) => Some(detail),
        _ => None,
    }
}

/// What the customer says, a turn to a line.
fn customer_words(detail: &ChatDetail) -> impl Iterator<Item = &str> {
    let spoken = detail.turns.iter().filter(|turn| turn.speaker() == ChatSpeaker::Customer);
    spoken.map(|turn| turn.text.trim()).filter(|words| !words.is_empty())
}

/// Whether the customer says anything in the turns of a chat.
pub(super) fn has_words(complaint: &Complaint) -> bool {
    of(complaint).is_some_and(|detail| customer_words(detail).next().is_some())
}

/// Checks what a chat system knows, but for its times.
pub(super) fn checked(check: &mut Check, detail: ChatDetail) -> ChatDetail {
    let ChatDetail { transcript, handed_over, turns, hand_over_reason, hand_over_text, hand_over_turn } =
        detail;
    let field = "complaint.chat.transcript";
    check.ensure(turns.is_empty() || transcript.is_empty(), field, "cannot be combined with turns");
    let transcript = check.text(field, transcript, MAX_DESCRIPTION);
    let turns = checked_turns(check, turns);
    let reason = "complaint.chat.hand_over_reason";
    let known = HandOverReason::try_from(hand_over_reason).is_ok();
    check.ensure(known, reason, "must be one of the reasons");
    check.ensure(handed_over || hand_over_reason == 0, reason, "needs handed_over");
    let text = "complaint.chat.hand_over_text";
    check.ensure(handed_over || hand_over_text.is_empty(), text, "needs handed_over");
    let is_other = hand_over_reason == i32::from(HandOverReason::Other);
    check.ensure(!is_other || !hand_over_text.trim().is_empty(), text, "is required with the reason OTHER");
    let hand_over_text = check.text(text, hand_over_text, MAX_REMEDY);
    if let Some(place) = hand_over_turn {
        let turn = usize::try_from(place).ok().and_then(|place| turns.get(place));
        let is_agents = turn.is_some_and(|turn| turn.speaker() == ChatSpeaker::Agent);
        let field = "complaint.chat.hand_over_turn";
        check.ensure(is_agents, field, "must be the place of an agent's turn, from 0");
        check.ensure(handed_over, field, "needs handed_over");
    }
    let first_of_agent = || turns.iter().position(|turn| turn.speaker() == ChatSpeaker::Agent);
    let first = first_of_agent().filter(|_| handed_over).and_then(|place| i32::try_from(place).ok());
    ChatDetail {
        transcript,
        handed_over,
        hand_over_reason,
        hand_over_text,
        hand_over_turn: hand_over_turn.or(first),
        turns,
    }
}

fn checked_turns(check: &mut Check, turns: Vec<ChatTurn>) -> Vec<ChatTurn> {
    let turns = check.list(TURNS, turns, MAX_TURNS);
    let length: usize = turns.iter().map(|turn| turn.text.chars().count()).sum();
    check.ensure(length <= MAX_CONVERSATION, TURNS, "must have at most 20000 characters together");
    let one = |(place, ChatTurn { speaker, text, time, author }): (usize, ChatTurn)| {
        let field = |name: &str| format!("{TURNS}[{place}].{name}");
        let known = ChatSpeaker::try_from(speaker).is_ok_and(|one| one != ChatSpeaker::Unspecified);
        check.ensure(known, &field("speaker"), "must be one of the speakers");
        let text = check.required(&field("text"), text, MAX_CONVERSATION);
        let author = check.text(&field("author"), author, MAX_WORD);
        ChatTurn { speaker, text, time, author }
    };
    turns.into_iter().enumerate().map(one).collect()
}

/// Checks when turns were said.
pub(super) fn check_times(check: &mut Check, detail: &ChatDetail, now: Timestamp) {
    let mut latest: Option<Timestamp> = None;
    for (place, turn) in detail.turns.iter().enumerate() {
        let field = format!("{TURNS}[{place}].time");
        let Some(time) = check.time(&field, turn.time) else { continue };
        check.ensure(time.duration_since(now) <= MAX_SKEW, &field, AHEAD);
        check.ensure(time >= EARLIEST, &field, ABSURD);
        let is_before = latest.is_some_and(|latest| latest.duration_since(time) > MAX_DISORDER);
        check.ensure(!is_before, &field, "must not be more than a minute before an earlier turn");
        latest = latest.max(Some(time));
    }
}

impl Reading {
    /// Fills in the description of a chat that is told by turns: what the customer says.
    pub(crate) fn fill_chat(&mut self) {
        let complaint = &mut self.submission.complaint;
        let Some(detail) = of(complaint).filter(|_| complaint.description.trim().is_empty()) else { return };
        let said = customer_words(detail).collect::<Vec<_>>().join("\n");
        if said.is_empty() {
            return;
        }
        complaint.description = said.chars().take(MAX_DESCRIPTION).collect();
        complaint.filled_fields.push("description".to_owned());
    }
}
