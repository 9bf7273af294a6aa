//! Contract → domain: the call or chat that a complaint came by.

use fault::Fault;
use proto::redress::intake::v1::complaint::ChannelDetail;
use proto::redress::intake::v1::{ChatDetail, ChatSpeaker, PhoneDetail};
use vocabulary::HandOverReason;

use super::unreadable;
use crate::conversation::{Conversation, HandOver, Turn};

/// Reads what a channel knows of it; nothing where it is neither.
pub(super) fn read(detail: Option<ChannelDetail>) -> Result<Conversation, Fault> {
    match detail {
        Some(ChannelDetail::Phone(call)) => Ok(called(call)),
        Some(ChannelDetail::Chat(chat)) => chatted(chat),
        Some(ChannelDetail::Social(_) | ChannelDetail::Regulator(_)) | None => Ok(Conversation::default()),
    }
}

fn called(call: PhoneDetail) -> Conversation {
    let PhoneDetail { ivr_result, recording_uri, missed_call, call_back_requested, .. } = call;
    Conversation {
        missed_call,
        call_back_requested,
        menu: ivr_result,
        recording: recording_uri,
        ..Conversation::default()
    }
}

fn chatted(chat: ChatDetail) -> Result<Conversation, Fault> {
    let reason = match chat.hand_over_reason {
        0 => None,
        code => Some(HandOverReason::of(code).ok_or_else(|| unreadable("hand_over_reason"))?),
    };
    let ChatDetail { handed_over, turns, hand_over_text: text, hand_over_turn: turn, .. } = chat;
    let spoken = (0..).zip(turns).filter(|(_, turn)| turn.speaker() == ChatSpeaker::Customer);
    Ok(Conversation {
        hand_over: handed_over.then_some(HandOver { reason, text, turn }),
        turns: spoken.map(|(place, turn)| Turn { place, text: turn.text }).collect(),
        ..Conversation::default()
    })
}
