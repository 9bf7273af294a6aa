//! Signals: raised of what was heard, read, dismissed, and by what they are raised.

use jiff::SignedDuration;
use kernel::Clock as _;
use proto::redress::feedback::v1::signal_service_client::SignalServiceClient;
use proto::redress::feedback::v1::{
    DismissSignalRequest, GetSignalRequest, GetSignalSettingsRequest, ListSignalsRequest,
    ListSignalsResponse, Signal, SignalRaised, SignalSettings, SignalState, UpdateSignalSettingsRequest,
};
use testkit::{CallerChannel, House, MockClock, eventually, reason, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{case, house, refused, registered};

type Signals = SignalServiceClient<CallerChannel>;

fn signals(house: &House) -> Signals {
    Signals::new(house.channel())
}

/// Tells of complaints about a product, received so many days ago.
async fn receive(house: &House, days_ago: i64, count: usize) {
    for _ in 0..count {
        let one = case();
        let mut registered = registered(one, "");
        let complaint = registered.complaint.as_mut().unwrap();
        complaint.respondent =
            Some(proto::redress::intake::v1::Respondent { product: "kettle".into(), ..Default::default() });
        let received = MockClock::default().now() - SignedDuration::from_hours(24 * days_ago);
        complaint.receive_time = Some(proto::timestamp(received));
        house.tell("intake", one, &registered).await;
    }
}

async fn list(house: &House, state: SignalState) -> Vec<Signal> {
    let request = ListSignalsRequest { state: state.into(), ..ListSignalsRequest::default() };
    signals(house).list_signals(request).await.unwrap().into_inner().signals
}

/// A house in which today has more complaints than usual: of all, and of a product.
async fn surged() -> (House, Vec<Signal>) {
    let house = house().await;
    for day in 1..40 {
        receive(&house, day, 1).await;
    }
    receive(&house, 0, 12).await;
    house.settled().await;
    eventually(|| async { !list(&house, SignalState::Active).await.is_empty() }).await;
    let raised = list(&house, SignalState::Active).await;
    (house, raised)
}

async fn get(house: &House, id: &str) -> Result<Signal, Status> {
    let request = GetSignalRequest { signal_id: id.to_owned() };
    Ok(signals(house).get_signal(request).await?.into_inner().signal.unwrap())
}

fn dismissal(signal: &Signal) -> DismissSignalRequest {
    DismissSignalRequest {
        request_id: request_id(),
        signal_id: signal.signal_id.clone(),
        expected_version: signal.version,
        reason: "a campaign of our own".to_owned(),
    }
}

async fn dismiss(house: &House, request: DismissSignalRequest) -> Result<Signal, Status> {
    Ok(signals(house).dismiss_signal(request).await?.into_inner().signal.unwrap())
}

#[tokio::test]
async fn a_surge_is_told_listed_and_read_with_its_days_and_dismissed_once() {
    let (house, raised) = surged().await;
    let told: Vec<SignalRaised> = house.published("feedback").await;
    assert_eq!((raised.len(), told.len()), (2, 2));
    let of = |product: &str| {
        let is_of = |signal: &&Signal| signal.series.as_ref().unwrap().product == product;
        raised.iter().find(is_of).unwrap().clone()
    };
    let (all, kettle) = (of(""), of("kettle"));
    assert_eq!((all.total, all.version, all.state()), (12, 1, SignalState::Active));
    assert!(all.days.is_empty() && all.first_date == "2026-11-23", "{all:?}");
    let read = get(&house, &kettle.signal_id).await.unwrap();
    let day = read.days.last().unwrap();
    assert_eq!((read.days.len(), day.date.as_str(), day.count), (40, "2026-11-23", 12));
    assert!(day.bound < 12 && day.expected > 0.5 && day.expected < 2.0, "{day:?}");
    assert_eq!(read.baseline.as_ref().unwrap().days, 39);
    assert_eq!(told.iter().find(|told| told.signal_id == read.signal_id).unwrap().day.as_ref(), Some(day));

    let request = dismissal(&kettle);
    let first = dismiss(&house, request.clone()).await.unwrap();
    assert_eq!(dismiss(&house, request).await.unwrap(), first, "repeated");
    assert_eq!((first.state(), first.version), (SignalState::Dismissed, 2));
    assert_eq!(first.reason, "a campaign of our own");
    assert_eq!(get(&house, &kettle.signal_id).await.unwrap(), first);
    let stale = refused(dismiss(&house, dismissal(&kettle)).await);
    assert_eq!(stale, (Code::Aborted, "VERSION_MISMATCH".to_owned()));
    let again = refused(dismiss(&house, dismissal(&first)).await);
    assert_eq!(again, (Code::FailedPrecondition, "SIGNAL_DISMISSED".to_owned()));
    assert_eq!(list(&house, SignalState::Active).await, std::slice::from_ref(&all));
    assert_eq!(list(&house, SignalState::Dismissed).await.len(), 1);
    assert_eq!(list(&house, SignalState::Unspecified).await.len(), 2);
    house.done().await;
}

#[tokio::test]
async fn signals_come_in_pages_and_what_is_wrong_or_unknown_is_told() {
    let (house, raised) = surged().await;
    let page = async |page_token: String| -> ListSignalsResponse {
        let request = ListSignalsRequest { page_size: 1, page_token, ..ListSignalsRequest::default() };
        signals(&house).list_signals(request).await.unwrap().into_inner()
    };
    let first = page(String::new()).await;
    let second = page(first.next_page_token.clone()).await;
    assert_eq!([first.signals, second.signals].concat(), raised);
    assert!(second.next_page_token.is_empty());

    let unknown = Signal { signal_id: Uuid::nil().to_string(), version: 1, ..Signal::default() };
    let missing = (Code::NotFound, "SIGNAL_NOT_FOUND".to_owned());
    assert_eq!(refused(get(&house, &unknown.signal_id).await), missing);
    assert_eq!(refused(dismiss(&house, dismissal(&unknown)).await), missing);
    assert_eq!(violations(&get(&house, "one").await.unwrap_err()), ["signal_id"]);
    let wrong = dismiss(&house, DismissSignalRequest::default()).await.unwrap_err();
    assert_eq!(violations(&wrong), ["request_id", "signal_id", "expected_version", "reason"]);
    let request = ListSignalsRequest { state: 9, page_size: -1, ..ListSignalsRequest::default() };
    let status = signals(&house).list_signals(request).await.unwrap_err();
    assert_eq!(violations(&status), ["page_size", "state"]);
    house.done().await;
}

#[tokio::test]
async fn a_signal_of_another_tenant_is_unknown() {
    let house = House::builder(&[feedback::SERVICE]).clock(MockClock::default()).identified().open().await;
    let mut owner = house.owner().await;
    let id = case();
    sqlx::query(
        "INSERT INTO feedback.signal (tenant_id, signal_id, version, first_day, last_day, baseline, past, counts,
                                      false_alarms, min_count, quiet_days, state, raised_at, problem_id)
         VALUES ('ours', $1, 1, '2026-11-23', '2026-11-23',
                 '{\"level\": 1, \"weekdays\": [1, 1, 1, 1, 1, 1, 1], \"dispersion\": 1, \"days\": 28}',
                 '{}', '{9}', 0.1, 5, 7, 1, now(), gen_random_uuid())",
    )
    .bind(id)
    .execute(&mut owner)
    .await
    .unwrap();
    drop(owner);
    let line = |tenant: &str| Signals::new(house.channel_as(tenant, "su", &["supervisor"]));
    let request = GetSignalRequest { signal_id: id.to_string() };
    assert!(line("ours").get_signal(request.clone()).await.is_ok());
    let missing = (Code::NotFound, "SIGNAL_NOT_FOUND".to_owned());
    assert_eq!(refused(line("theirs").get_signal(request).await), missing);
    let signal = Signal { signal_id: id.to_string(), version: 1, ..Signal::default() };
    assert_eq!(refused(line("theirs").dismiss_signal(dismissal(&signal)).await), missing);
    let listed = line("theirs").list_signals(ListSignalsRequest::default()).await.unwrap().into_inner();
    assert!(listed.signals.is_empty());
    house.done().await;
}

#[tokio::test]
async fn what_signals_are_raised_by_is_replaced_once_and_by_who_has_seen_it() {
    let house = house().await;
    let read = async || {
        let answer = signals(&house).get_signal_settings(GetSignalSettingsRequest {}).await.unwrap();
        answer.into_inner().settings.unwrap()
    };
    let first = read().await;
    assert_eq!((first.version, first.false_alarms_per_year), (0, 0.1));
    assert_eq!((first.min_count, first.quiet_days), (5, 7));
    let wanted = SignalSettings { min_count: 20, note: "we are large".into(), ..first };
    let update = async |expected_version: i64, settings: SignalSettings| {
        let (request_id, settings) = (request_id(), Some(settings));
        let request = UpdateSignalSettingsRequest { request_id, expected_version, settings };
        let made = signals(&house).update_signal_settings(request.clone()).await?.into_inner();
        let again = signals(&house).update_signal_settings(request).await?.into_inner();
        assert_eq!(made, again);
        Ok::<_, Status>(made.settings.unwrap())
    };
    assert_eq!(update(0, wanted.clone()).await.unwrap(), SignalSettings { version: 1, ..wanted.clone() });
    assert_eq!(read().await, SignalSettings { version: 1, ..wanted.clone() });
    let (code, reason_told) = refused(update(0, wanted.clone()).await);
    assert_eq!((code, reason_told.as_str()), (Code::Aborted, "VERSION_MISMATCH"));
    let wrong = SignalSettings { false_alarms_per_year: f64::NAN, min_count: 0, quiet_days: 29, ..wanted };
    let status = update(1, wrong).await.unwrap_err();
    assert_eq!(reason(&status), "INVALID_SIGNAL_SETTINGS");
    let fields = ["settings.false_alarms_per_year", "settings.min_count", "settings.quiet_days"];
    assert_eq!(violations(&status), fields);
    house.done().await;
}
