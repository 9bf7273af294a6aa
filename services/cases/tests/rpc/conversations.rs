//! Calls and chats: what a case tells of them, what triage looks at, and that a case whose
//! caller is to be called back says so.

use proto::redress::cases::v1::triage_service_client::TriageServiceClient;
use proto::redress::cases::v1::{
    ActivateRuleSetRequest, CaseOpened, CreateRuleSetRequest, EmotionLevel, ExplainTriageRequest, MoodTrend,
    Priority, RetriageCaseRequest, Rule, RuleSet, Threat, Triage, Visibility,
};
use proto::redress::intake::v1::complaint::ChannelDetail;
use proto::redress::intake::v1::{
    Channel, ChatDetail, ChatSpeaker, ChatTurn, Complaint, HandOverReason, PhoneDetail,
};
use testkit::request_id;
use uuid::Uuid;

use crate::scene::{Scene, complaint};

fn turn(speaker: ChatSpeaker, text: &str) -> ChatTurn {
    ChatTurn { speaker: speaker.into(), text: text.to_owned(), ..ChatTurn::default() }
}

/// A talk in which a bot understands nothing.
fn talk() -> Complaint {
    let detail = ChatDetail {
        turns: vec![
            turn(ChatSpeaker::Customer, "Hello, where is my parcel?"),
            turn(ChatSpeaker::Bot, "Furious? Outrageous! I do not understand."),
            turn(ChatSpeaker::Customer, "That is annoying. My parcel!"),
            turn(ChatSpeaker::Bot, "I do not understand."),
            turn(ChatSpeaker::Customer, "This is outrageous, I am furious! I will call my lawyer!!!"),
            turn(ChatSpeaker::Agent, "This is Li."),
        ],
        handed_over: true,
        hand_over_reason: HandOverReason::NotUnderstood.into(),
        hand_over_text: "twice".to_owned(),
        hand_over_turn: Some(5),
        ..ChatDetail::default()
    };
    Complaint {
        channel: Channel::Chat.into(),
        description: "see the chat".to_owned(),
        channel_detail: Some(ChannelDetail::Chat(detail)),
        ..complaint()
    }
}

fn missed_call() -> Complaint {
    let detail = PhoneDetail {
        ivr_result: "Delivery > Damaged".to_owned(),
        recording_uri: "https://calls.example.org/7".to_owned(),
        missed_call: true,
        call_back_requested: true,
        ..PhoneDetail::default()
    };
    Complaint {
        channel: Channel::Phone.into(),
        channel_detail: Some(ChannelDetail::Phone(detail)),
        ..complaint()
    }
}

async fn explained(scene: &Scene, case: Uuid) -> Triage {
    let mut client = TriageServiceClient::new(scene.house.channel());
    let request = ExplainTriageRequest { case_id: case.to_string() };
    client.explain_triage(request).await.unwrap().into_inner().triage.expect("a record")
}

/// Puts rules in force, each for a priority.
async fn rules(scene: &Scene, rules: &[(&str, Priority)]) {
    let mut client = TriageServiceClient::new(scene.house.channel());
    let rule = |(when, priority): &(&str, Priority)| Rule {
        name: format!("{priority:?}"),
        when: (*when).to_owned(),
        reason: "it was so".to_owned(),
        priority: (*priority).into(),
        ..Rule::default()
    };
    let set = RuleSet { rules: rules.iter().map(rule).collect(), ..RuleSet::default() };
    let request = CreateRuleSetRequest { request_id: request_id(), rule_set: Some(set) };
    let version = client.create_rule_set(request).await.unwrap().into_inner().rule_set.unwrap().version;
    client.activate_rule_set(ActivateRuleSetRequest { request_id: request_id(), version }).await.unwrap();
}

#[tokio::test]
async fn a_mood_is_read_turn_by_turn_and_is_a_fact_of_rules() {
    let scene = Scene::open().await;
    rules(
        &scene,
        &[
            (
                "mood_rising && handed_over && hand_over_reason == 'not_understood' && mood_first < ANNOYED",
                Priority::P1,
            ),
            ("call_back_requested && missed_call", Priority::P2),
            ("mood_worst == CALM", Priority::P4),
        ],
    )
    .await;
    let case = scene.register(talk()).await;
    let told = explained(&scene, case).await;
    let mood = told.mood.clone().expect("a mood");
    let turns: Vec<i32> = mood.turns.iter().map(|turn| turn.turn).collect();
    assert_eq!(turns, [0, 2, 4], "the customer's");
    assert_eq!(
        (mood.first(), mood.worst(), mood.trend()),
        (EmotionLevel::Calm, EmotionLevel::Furious, MoodTrend::Rising)
    );
    assert_eq!(mood.turns[2].emotion(), mood.last());
    assert_eq!(
        told.emotion(),
        EmotionLevel::Furious,
        "the worst turn counts, though the description is calm"
    );
    assert_eq!(told.threats, [i32::from(Threat::Court)]);
    assert_eq!((told.handed_over, told.hand_over_reason()), (true, HandOverReason::NotUnderstood));
    assert_eq!(told.priority(), Priority::P1);
    let again =
        RetriageCaseRequest { request_id: request_id(), case_id: case.to_string(), expected_version: None };
    let again =
        TriageServiceClient::new(scene.house.channel()).retriage_case(again).await.unwrap().into_inner();
    let again = again.triage.unwrap();
    assert_eq!((again.priority(), again.mood), (Priority::P1, told.mood), "it is kept with the case");

    let call = explained(&scene, scene.register(missed_call()).await).await;
    assert_eq!((call.missed_call, call.mood.clone(), call.priority()), (true, None, Priority::P2));
    let plain = explained(&scene, scene.triaged().await).await;
    assert_eq!((plain.missed_call, plain.handed_over, plain.mood.clone()), (false, false, None));
    assert_eq!(plain.priority(), Priority::P4);
    scene.house.done().await;
}

#[tokio::test]
async fn the_timeline_tells_of_the_call_and_the_hand_over_to_staff() {
    let scene = Scene::open().await;
    let (chat, call) = (scene.register(talk()).await, scene.register(missed_call()).await);
    let internal = async |case: Uuid, about: &str| {
        let entries = scene.timeline(case).await;
        let found = entries.into_iter().find(|entry| entry.text.contains(about));
        let found = found.unwrap_or_else(|| panic!("nothing about {about}"));
        assert_eq!(found.visibility(), Visibility::Internal);
        found.text
    };
    let handed_over = "the bot handed over to a person at turn 6: the bot did not understand (twice)";
    assert_eq!(internal(chat, "handed over").await, handed_over);
    let called = "nobody took the call; menu: Delivery > Damaged; a call-back is asked for\n\
                  recording: https://calls.example.org/7";
    assert_eq!(internal(call, "recording").await, called);
    let opened: Vec<CaseOpened> = scene.house.published("cases").await;
    let asks: Vec<bool> = opened.iter().map(|opened| opened.call_back_requested).collect();
    assert_eq!(asks, [false, true]);
    assert!(opened.iter().all(|opened| !opened.time_zone.is_empty()), "{opened:?}");
    scene.house.done().await;
}
