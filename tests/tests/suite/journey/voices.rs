//! A caller whom nobody took presses their way through the menu, is called back, and asks to
//! be called once more; a chat is told turn by turn.

use proto::redress::cases::v1::triage_service_client::TriageServiceClient;
use proto::redress::cases::v1::{EmotionLevel, ExplainTriageRequest, MoodTrend};
use proto::redress::feedback::v1::call_back_service_client::CallBackServiceClient;
use proto::redress::feedback::v1::{
    CallBack, CallBackCause, CallBackOutcome, CallBackPhone, CallBackState, ListCallBacksRequest,
    RecordCallBackAttemptRequest, RequestCallBackRequest,
};
use proto::redress::intake::v1::complaint::ChannelDetail;
use proto::redress::intake::v1::ivr_menu_service_client::IvrMenuServiceClient;
use proto::redress::intake::v1::{
    ActivateIvrMenuRequest, Channel, ChatDetail, ChatSpeaker, ChatTurn, Complainant, Complaint,
    CreateIvrMenuRequest, HandOverReason, IvrChoice, IvrLabel, IvrMenu, PhoneDetail,
};
use testkit::request_id;

use super::scene::{Scene, broken_cups};

pub(crate) async fn called(scene: &Scene) {
    menu(scene).await;
    let case_id = scene.submit(missed()).await.complaint_id;
    let case = scene.case(&case_id).await;
    assert_eq!(
        (case.subject.as_str(), case.category.as_str()),
        ("Missed call; menu: Delivery > Damaged", "delivery/damaged")
    );
    let timeline = scene.timeline(&case_id).await;
    assert!(timeline.iter().any(|entry| entry.text.contains("recording: https://calls.example.org/7")));

    let due = listed(scene, &case_id).await;
    assert_eq!(due.causes().collect::<Vec<_>>(), [CallBackCause::Requested]);
    assert_eq!((due.phone.as_str(), due.phone_kind()), ("+8613800138000", CallBackPhone::Complainant));
    let mut agent = CallBackServiceClient::new(scene.line("lin"));
    let record = |call_back: &CallBack, outcome: CallBackOutcome| RecordCallBackAttemptRequest {
        request_id: request_id(),
        call_back_id: call_back.call_back_id.clone(),
        outcome: outcome.into(),
        satisfied: None,
        note: "six cups, two of them broken".to_owned(),
    };
    agent.record_call_back_attempt(record(&due, CallBackOutcome::NotReached)).await.unwrap();
    let done = agent.record_call_back_attempt(record(&due, CallBackOutcome::Reached)).await.unwrap();
    let done = done.into_inner().call_back.unwrap();
    assert_eq!((done.state(), done.attempts.len()), (CallBackState::Done, 2));

    let request = RequestCallBackRequest {
        request_id: request_id(),
        case_id: case_id.clone(),
        phone: "+8613800138001".to_owned(),
        note: "has the new set left?".to_owned(),
        ..RequestCallBackRequest::default()
    };
    let mut portal = CallBackServiceClient::new(scene.line("portal"));
    let again = portal.request_call_back(request).await.unwrap().into_inner().call_back.unwrap();
    assert_eq!((again.requester.as_str(), again.phone_kind()), ("portal", CallBackPhone::Requested));
    super::matters::withdraw(scene, &case_id).await;
    assert_eq!(listed(scene, &case_id).await.state(), CallBackState::Cancelled);
}

/// The latest call-back of a case.
async fn listed(scene: &Scene, case_id: &str) -> CallBack {
    let request = ListCallBacksRequest { case_id: case_id.to_owned(), ..ListCallBacksRequest::default() };
    let mut reader = CallBackServiceClient::new(scene.line("reader"));
    reader.list_call_backs(request).await.unwrap().into_inner().call_backs.remove(0)
}

async fn menu(scene: &Scene) {
    let mut menus = IvrMenuServiceClient::new(scene.line("admin"));
    let choice = |keys: &str, text: &str, category: &str| IvrChoice {
        keys: keys.to_owned(),
        labels: vec![IvrLabel { language: "en".to_owned(), text: text.to_owned() }],
        category_hint: category.to_owned(),
        ..IvrChoice::default()
    };
    let menu = IvrMenu {
        language: "en".to_owned(),
        choices: vec![choice("1", "Delivery", "delivery"), choice("1.3", "Damaged", "delivery/damaged")],
        ..IvrMenu::default()
    };
    let request = CreateIvrMenuRequest { request_id: request_id(), menu: Some(menu) };
    let version = menus.create_ivr_menu(request).await.unwrap().into_inner().menu.unwrap().version;
    let request =
        ActivateIvrMenuRequest { request_id: request_id(), version, expected_version: Some(version - 1) };
    menus.activate_ivr_menu(request).await.unwrap();
}

/// Nothing is told but who called, and which keys they pressed.
fn missed() -> Complaint {
    let phone = PhoneDetail {
        ivr_keys: "1.3.2".to_owned(),
        missed_call: true,
        recording_uri: "https://calls.example.org/7".to_owned(),
        ..PhoneDetail::default()
    };
    Complaint {
        channel: Channel::Phone.into(),
        external_ref: request_id(),
        complainant: Some(Complainant { phone: "+8613800138000".to_owned(), ..Complainant::default() }),
        channel_detail: Some(ChannelDetail::Phone(phone)),
        ..Complaint::default()
    }
}

pub(crate) async fn chatted(scene: &Scene) {
    let turn = |speaker: ChatSpeaker, text: &str| ChatTurn {
        speaker: speaker.into(),
        text: text.to_owned(),
        ..ChatTurn::default()
    };
    let chat = ChatDetail {
        turns: vec![
            turn(ChatSpeaker::Customer, "Hello, two cups are in pieces."),
            turn(ChatSpeaker::Bot, "Which order?"),
            turn(ChatSpeaker::Customer, "This is outrageous, I am furious!!!"),
            turn(ChatSpeaker::Agent, "This is Li."),
        ],
        handed_over: true,
        hand_over_reason: HandOverReason::Emotion.into(),
        ..ChatDetail::default()
    };
    let complaint = Complaint {
        channel: Channel::Chat.into(),
        external_ref: request_id(),
        description: String::new(),
        channel_detail: Some(ChannelDetail::Chat(chat)),
        ..broken_cups()
    };
    let case_id = scene.submit(complaint).await.complaint_id;
    let mut triage = TriageServiceClient::new(scene.line("reader"));
    let request = ExplainTriageRequest { case_id: case_id.clone() };
    let told = triage.explain_triage(request).await.unwrap().into_inner().triage.unwrap();
    let mood = told.mood.clone().unwrap();
    assert_eq!((mood.trend(), mood.worst()), (MoodTrend::Rising, EmotionLevel::Furious));
    let timeline = scene.timeline(&case_id).await;
    assert!(timeline.iter().any(|entry| entry.text.contains("at turn 4: the customer was upset")));
    super::matters::withdraw(scene, &case_id).await;
}
