//! Chats told turn by turn.

use proto::redress::intake::v1::complaint::ChannelDetail;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{
    Channel, ChatDetail, ChatSpeaker, ChatTurn, Complaint, GetComplaintRequest, HandOverReason,
    SubmitComplaintResponse,
};
use testkit::{House, reason, violations};
use tonic::Status;

use crate::{complaint, count, submission};

/// Seconds at which the conversation began.
const BEGAN: i64 = 1_790_000_000;

fn turn(speaker: ChatSpeaker, text: &str, after: i64) -> ChatTurn {
    ChatTurn {
        speaker: speaker.into(),
        text: text.to_owned(),
        time: Some(prost_types::Timestamp { seconds: BEGAN + after, nanos: 0 }),
        author: String::new(),
    }
}

fn talk() -> ChatDetail {
    ChatDetail {
        turns: vec![
            turn(ChatSpeaker::System, "Wang joined", 0),
            turn(ChatSpeaker::Customer, " My parcel came broken. ", 5),
            // The bot's clock is a little behind.
            turn(ChatSpeaker::Bot, "Which order?", 3),
            turn(ChatSpeaker::Customer, "I want a person!", 20),
            turn(ChatSpeaker::Agent, "This is Li.", 90),
            turn(ChatSpeaker::Customer, "At last.", 95),
        ],
        handed_over: true,
        hand_over_reason: HandOverReason::Requested.into(),
        ..ChatDetail::default()
    }
}

fn chat(external_ref: &str, detail: ChatDetail) -> Complaint {
    Complaint {
        channel: Channel::Chat.into(),
        description: String::new(),
        channel_detail: Some(ChannelDetail::Chat(detail)),
        ..complaint(external_ref)
    }
}

async fn submit(house: &House, complaint: Complaint) -> Result<SubmitComplaintResponse, Status> {
    let mut client = IntakeServiceClient::new(house.channel());
    Ok(client.submit_complaint(submission(complaint)).await?.into_inner())
}

async fn kept(house: &House, id: String) -> Complaint {
    let mut client = IntakeServiceClient::new(house.channel());
    let answer = client.get_complaint(GetComplaintRequest { complaint_id: id }).await.unwrap();
    answer.into_inner().complaint.expect("a complaint")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_customer_says_is_the_description() {
    let house = House::open(&[intake::SERVICE]).await;
    let first = submit(&house, chat("t-1", talk())).await.unwrap();
    let told = kept(&house, first.complaint_id.clone()).await;
    assert_eq!(told.description, "My parcel came broken.\nI want a person!\nAt last.");
    assert_eq!(told.filled_fields, ["description"]);
    let Some(ChannelDetail::Chat(detail)) = told.channel_detail else { panic!("{told:?}") };
    assert_eq!(detail, ChatDetail { hand_over_turn: Some(4), ..talk() }, "the first turn of an agent");

    // Told again: when and by whom a turn was written, and why it was handed over, says nothing.
    let mut again = talk();
    again.turns[4].author = "Li Na".to_owned();
    again.turns[4].time = None;
    again.hand_over_reason = HandOverReason::Emotion.into();
    let same = submit(&house, chat("t-1", again)).await.unwrap();
    assert_eq!((same.complaint_id, same.already_registered), (first.complaint_id, true));
    let mut other = talk();
    other.turns[5].speaker = ChatSpeaker::Bot.into();
    assert_eq!(reason(&submit(&house, chat("t-1", other)).await.unwrap_err()), "EXTERNAL_REF_REUSED");

    // A description that is told stands.
    let own = Complaint { description: "A cup broke.".to_owned(), ..chat("t-2", talk()) };
    let own = submit(&house, own).await.unwrap().complaint_id;
    let own = kept(&house, own).await;
    assert_eq!((own.description.as_str(), own.filled_fields.len()), ("A cup broke.", 0));
    // At the limit of what a description may be.
    let long = ChatDetail {
        turns: (0..500).map(|_| turn(ChatSpeaker::Customer, &"差".repeat(40), 0)).collect(),
        ..ChatDetail::default()
    };
    let long = submit(&house, chat("t-3", long)).await.unwrap().complaint_id;
    assert_eq!(kept(&house, long).await.description.chars().count(), 20_000);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_chat_is_told_at_once() {
    let house = House::open(&[intake::SERVICE]).await;
    let refused = async |detail: ChatDetail| violations(&submit(&house, chat("", detail)).await.unwrap_err());
    let bad = ChatDetail {
        transcript: "all of it".to_owned(),
        turns: vec![
            turn(ChatSpeaker::Customer, "hello", 100),
            turn(ChatSpeaker::Unspecified, " ", 39),
            turn(ChatSpeaker::Bot, "x", 40),
            ChatTurn { author: "x".repeat(201), ..turn(ChatSpeaker::Bot, "from the future", 2_000_000_000) },
        ],
        handed_over: false,
        hand_over_reason: 9,
        hand_over_text: "because".to_owned(),
        hand_over_turn: Some(2),
    };
    let mut told = refused(bad).await;
    told.sort();
    let fields = [
        "hand_over_reason",
        "hand_over_reason",
        "hand_over_text",
        "hand_over_turn",
        "hand_over_turn",
        "transcript",
        "turns[1].speaker",
        "turns[1].text",
        "turns[1].time",
        "turns[3].author",
        "turns[3].time",
    ];
    assert_eq!(told, fields.map(|field| format!("complaint.chat.{field}")));
    let many = ChatDetail { turns: vec![turn(ChatSpeaker::Customer, "x", 0); 501], ..ChatDetail::default() };
    assert_eq!(refused(many).await, ["complaint.chat.turns"]);
    let long = turn(ChatSpeaker::Customer, &"x".repeat(10_001), 0);
    let long = ChatDetail { turns: vec![long.clone(), long], ..ChatDetail::default() };
    assert_eq!(refused(long).await, ["complaint.chat.turns"]);
    let other = ChatDetail {
        turns: vec![turn(ChatSpeaker::Customer, "x", 0)],
        handed_over: true,
        hand_over_reason: HandOverReason::Other.into(),
        ..ChatDetail::default()
    };
    assert_eq!(refused(other).await, ["complaint.chat.hand_over_text"]);
    // Nobody but the bot says anything: there is no description.
    let mute = ChatDetail { turns: vec![turn(ChatSpeaker::Bot, "hello?", 0)], ..ChatDetail::default() };
    assert_eq!(refused(mute).await, ["complaint.description"]);
    assert_eq!(count(&house).await, 0);
    house.done().await;
}
