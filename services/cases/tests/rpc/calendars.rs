//! Calendars: built in, made, edited, imported into; good, bad, repeated,
//! outdated, another tenant's.

use prost_types::Timestamp as Moment;
use proto::redress::cases::v1::calendar_service_client::CalendarServiceClient;
use proto::redress::cases::v1::clock_service_client::ClockServiceClient;
use proto::redress::cases::v1::{
    Calendar, CalendarChanged, CalendarContent, CalendarDay, CalendarDayKind, CalendarSummary, ClockBreached,
    ClockKind, ClockState, CreateCalendarRequest, GetCalendarRequest, HolidayRule, ImportHolidaysRequest,
    ListCalendarsRequest, ListClocksRequest, Observance, UpdateCalendarRequest, WorkingWeek,
};
use testkit::{CallerChannel, House, consistency_token, reason, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::scene::Scene;

type Client = CalendarServiceClient<CallerChannel>;

/// Tuesdays to Saturdays with a long lunch, and one holiday.
fn content() -> CalendarContent {
    let shifts = || vec!["09:00-12:00".to_owned(), "14:00-18:00".to_owned()];
    CalendarContent {
        title: "A shop".to_owned(),
        time_zone: "Europe/Madrid".to_owned(),
        hours: Some(WorkingWeek {
            tuesday: shifts(),
            wednesday: shifts(),
            thursday: shifts(),
            friday: shifts(),
            saturday: shifts(),
            ..WorkingWeek::default()
        }),
        holidays: vec![HolidayRule {
            name: "Fiesta".to_owned(),
            on: "last friday of august".to_owned(),
            observance: Observance::Next.into(),
            since_year: Some(2020),
            until_year: None,
        }],
        days: vec![day("2026-12-07", CalendarDayKind::Workday)],
        known_until: "2026-12-31".to_owned(),
        ..CalendarContent::default()
    }
}

fn day(date: &str, kind: CalendarDayKind) -> CalendarDay {
    CalendarDay { date: date.to_owned(), kind: kind.into(), name: "a day".to_owned() }
}

fn create(name: &str) -> CreateCalendarRequest {
    CreateCalendarRequest { request_id: request_id(), name: name.to_owned(), content: Some(content()) }
}

fn update(name: &str) -> UpdateCalendarRequest {
    UpdateCalendarRequest {
        request_id: request_id(),
        name: name.to_owned(),
        content: Some(content()),
        ..UpdateCalendarRequest::default()
    }
}

fn import(name: &str, days: Vec<CalendarDay>) -> ImportHolidaysRequest {
    ImportHolidaysRequest {
        request_id: request_id(),
        name: name.to_owned(),
        days,
        ..ImportHolidaysRequest::default()
    }
}

async fn get(client: &Client, name: &str, version: Option<i64>) -> Result<Calendar, Status> {
    let request = GetCalendarRequest { name: name.to_owned(), version };
    Ok(client.clone().get_calendar(request).await?.into_inner().calendar.expect("a calendar"))
}

async fn list(client: &Client) -> Vec<CalendarSummary> {
    let answer = client.clone().list_calendars(ListCalendarsRequest::default()).await;
    answer.expect("a list").into_inner().calendars
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Status>) -> (Code, String) {
    let refusal = answer.expect_err("it must be refused");
    (refusal.code(), reason(&refusal))
}

fn not_found() -> (Code, String) {
    (Code::NotFound, "CALENDAR_NOT_FOUND".to_owned())
}

async fn open() -> (House, Client) {
    let house = House::open(&[cases::SERVICE]).await;
    let client = CalendarServiceClient::new(house.channel());
    (house, client)
}

#[tokio::test]
async fn built_in_ones_are_there_without_being_made() {
    let (house, client) = open().await;
    let names: Vec<(String, i64)> =
        list(&client).await.into_iter().map(|calendar| (calendar.name, calendar.version)).collect();
    let expected = ["always", "au", "cn", "eu-target", "in", "uk", "us-federal"];
    assert_eq!(names, expected.map(|name| (name.to_owned(), 0)));
    let china = get(&client, "cn", None).await.unwrap();
    assert_eq!((china.version, china.effective_time), (0, None));
    let content = china.content.unwrap();
    assert_eq!(content.known_until, "2026-12-25");
    assert!(content.days.contains(&CalendarDay {
        date: "2026-10-10".to_owned(),
        kind: CalendarDayKind::Workday.into(),
        name: "National Day 国庆 (make-up day)".to_owned(),
    }));
    assert_eq!(refused(client.clone().create_calendar(create("uk")).await).1, "CALENDAR_EXISTS");
    house.done().await;
}

#[tokio::test]
async fn what_is_made_is_read_and_every_version_stays() {
    let (house, client) = open().await;
    let mut calendars = client.clone();
    let request = create("shop");
    let first = calendars.create_calendar(request.clone()).await.unwrap();
    let again = calendars.create_calendar(request.clone()).await.unwrap();
    assert_eq!(consistency_token(&first), consistency_token(&again));
    let made = first.into_inner().calendar.unwrap();
    assert_eq!(Some(&made), again.into_inner().calendar.as_ref());
    assert_eq!((made.name.as_str(), made.version, made.title.as_str()), ("shop", 1, "A shop"));
    let changed = CreateCalendarRequest { name: "other".to_owned(), ..request };
    assert_eq!(refused(calendars.create_calendar(changed).await).1, "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(
        refused(calendars.create_calendar(create("shop")).await),
        (Code::AlreadyExists, "CALENDAR_EXISTS".to_owned())
    );
    assert_eq!(get(&client, "shop", None).await.unwrap().content, Some(content()));

    let longer = CalendarContent { title: "A bigger shop".to_owned(), ..content() };
    let edit = UpdateCalendarRequest { expected_version: Some(1), content: Some(longer), ..update("shop") };
    let edited = calendars.update_calendar(edit.clone()).await.unwrap().into_inner();
    assert_eq!(edited.calendar.unwrap().version, 2);
    assert_eq!((edited.moved, edited.moved_count), (Vec::new(), 0));
    let repeated = calendars.update_calendar(edit.clone()).await.unwrap().into_inner();
    assert_eq!(repeated.calendar.unwrap().version, 2);
    let stale = UpdateCalendarRequest { request_id: request_id(), ..edit };
    assert_eq!(
        refused(calendars.update_calendar(stale).await),
        (Code::Aborted, "VERSION_MISMATCH".to_owned())
    );
    assert_eq!(get(&client, "shop", Some(1)).await.unwrap().content, Some(content()));
    assert_eq!(get(&client, "shop", None).await.unwrap().content.unwrap().title, "A bigger shop");
    assert_eq!(refused(get(&client, "shop", Some(3)).await), not_found());
    let listed: Vec<(String, i64)> =
        list(&client).await.into_iter().map(|calendar| (calendar.name, calendar.version)).collect();
    assert!(listed.contains(&("shop".to_owned(), 2)) && listed.len() == 8, "{listed:?}");
    house.done().await;
}

#[tokio::test]
async fn importing_adds_and_replaces_days_and_a_dry_run_leaves_no_trace() {
    let (house, client) = open().await;
    let mut calendars = client.clone();
    let days = vec![day("2027-01-28", CalendarDayKind::Workday), day("2016-12-30", CalendarDayKind::Holiday)];
    let dry = ImportHolidaysRequest { validate_only: true, ..import("cn", days.clone()) };
    let tried = calendars.import_holidays(dry.clone()).await.unwrap().into_inner();
    assert_eq!(tried.calendar.unwrap().version, 1);
    assert_eq!(get(&client, "cn", None).await.unwrap().version, 0);
    let used = ImportHolidaysRequest { validate_only: false, ..dry };
    assert_eq!(refused(calendars.import_holidays(used).await).1, "IDEMPOTENCY_KEY_REUSED");

    let before = get(&client, "cn", None).await.unwrap().content.unwrap().days.len();
    let real = ImportHolidaysRequest {
        known_until: "2027-12-31".to_owned(),
        expected_version: Some(0),
        ..import("cn", days.clone())
    };
    let imported = calendars.import_holidays(real).await.unwrap().into_inner().calendar.unwrap();
    assert_eq!((imported.version, imported.known_until.as_str()), (1, "2027-12-31"));
    let content = get(&client, "cn", None).await.unwrap().content.unwrap();
    assert_eq!(content.days.len(), before + 1, "one is new, one is replaced");
    for day in days {
        assert!(content.days.contains(&day), "{day:?}");
    }
    let outdated = ImportHolidaysRequest {
        expected_version: Some(0),
        ..import("cn", vec![day("2027-01-29", CalendarDayKind::Workday)])
    };
    assert_eq!(refused(calendars.import_holidays(outdated).await).0, Code::Aborted);
    assert_eq!(get(&client, "cn", Some(0)).await.unwrap().content.unwrap().days.len(), before);
    house.done().await;
}

#[tokio::test]
async fn everything_wrong_is_told_at_once() {
    let (house, client) = open().await;
    let mut calendars = client.clone();
    let wrong = CalendarContent {
        title: "x".repeat(201),
        time_zone: "Mars/Olympus".to_owned(),
        hours: Some(WorkingWeek { monday: vec!["18:00-09:00".to_owned()], ..WorkingWeek::default() }),
        holidays: vec![HolidayRule {
            on: "someday".to_owned(),
            observance: 9,
            since_year: Some(1),
            ..HolidayRule::default()
        }],
        days: vec![CalendarDay { date: "tomorrow".to_owned(), kind: 0, name: "\0".to_owned() }],
        ..content()
    };
    let request = CreateCalendarRequest {
        name: "No Name".to_owned(),
        content: Some(wrong.clone()),
        ..CreateCalendarRequest::default()
    };
    let fields = [
        "content.holidays[0].observance",
        "content.days[0].kind",
        "content.title",
        "content.time_zone",
        "content.hours.monday[0]",
        "content.hours",
        "content.holidays[0].name",
        "content.holidays[0].on",
        "content.holidays[0].since_year",
        "content.days[0].name",
        "content.days[0].date",
    ];
    let refusal = calendars.create_calendar(request).await.unwrap_err();
    assert_eq!((refusal.code(), reason(&refusal).as_str()), (Code::InvalidArgument, "INVALID_CALENDAR"));
    assert_eq!(violations(&refusal)[..2], ["request_id", "name"]);
    assert_eq!(violations(&refusal)[2..], fields);
    let refusal =
        calendars.update_calendar(UpdateCalendarRequest { content: Some(wrong), ..update("cn") }).await;
    assert_eq!(violations(&refusal.unwrap_err()), fields);
    let twice =
        vec![day("2027-01-01", CalendarDayKind::Holiday), day("2027-01-01", CalendarDayKind::Workday)];
    let request = ImportHolidaysRequest { known_until: "later".to_owned(), ..import("cn", twice) };
    let refusal = calendars.import_holidays(request).await.unwrap_err();
    assert_eq!(violations(&refusal), ["days[1].date", "known_until"]);
    let refusal = calendars.import_holidays(ImportHolidaysRequest::default()).await.unwrap_err();
    assert_eq!(violations(&refusal), ["request_id", "name", "days"]);
    assert_eq!(refused(calendars.update_calendar(update("nobodys")).await), not_found());
    assert_eq!(refused(get(&client, "nobodys", None).await), not_found());
    assert_eq!(refused(get(&client, "", None).await).1, "INVALID_CALENDAR_NAME");
    house.done().await;
}

#[tokio::test]
async fn another_tenant_sees_nothing_of_it() {
    let house = House::builder(&[cases::SERVICE]).identified().open().await;
    let mut ours = CalendarServiceClient::new(house.channel_as("tenant-a", "alice", &["admin"]));
    let theirs = CalendarServiceClient::new(house.channel_as("tenant-b", "bob", &["admin"]));
    ours.create_calendar(create("shop")).await.unwrap();
    ours.update_calendar(update("uk")).await.unwrap();
    assert_eq!(refused(get(&theirs, "shop", None).await), not_found());
    assert_eq!(get(&theirs, "uk", None).await.unwrap().version, 0);
    assert_eq!(list(&theirs).await.len(), 7);
    house.done().await;
}

#[tokio::test]
async fn lists_are_cut_into_pages() {
    let (house, client) = open().await;
    let mut calendars = client.clone();
    calendars.create_calendar(create("shop")).await.unwrap();
    let mut names = Vec::new();
    let mut request = ListCalendarsRequest { page_size: 3, page_token: String::new() };
    loop {
        let page = calendars.list_calendars(request.clone()).await.unwrap().into_inner();
        names.extend(page.calendars.into_iter().map(|calendar| calendar.name));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(names, ["always", "au", "cn", "eu-target", "in", "shop", "uk", "us-federal"]);
    house.done().await;
}

/// The due times of every clock of cases, with their kinds and where they stand.
async fn due_times(scene: &Scene, cases: &[Uuid]) -> Vec<(String, i32, i32, Option<Moment>)> {
    let mut clocks = ClockServiceClient::new(scene.house.channel());
    let mut all = Vec::new();
    for case in cases {
        let request = ListClocksRequest { case_id: case.to_string() };
        let listed = clocks.list_clocks(request).await.expect("a list").into_inner().clocks;
        all.extend(
            listed.into_iter().map(|clock| (case.to_string(), clock.kind, clock.state, clock.due_time)),
        );
    }
    all
}

/// The default policy promises by the calendar of China.
async fn with_open_clocks() -> (Scene, Vec<Uuid>) {
    let scene = Scene::timed().await;
    let mut cases = vec![scene.triaged().await, scene.assigned().await];
    cases.push(scene.resolved().await);
    scene.house.settled().await;
    (scene, cases)
}

#[tokio::test]
async fn a_dry_run_tells_what_the_edit_then_does() {
    let (scene, cases) = with_open_clocks().await;
    let mut calendars = CalendarServiceClient::new(scene.house.channel());
    let before = due_times(&scene, &cases).await;
    // Monday 23 November and the Tuesday after are off after all.
    let days = vec![day("2026-11-24", CalendarDayKind::Holiday), day("2026-11-26", CalendarDayKind::Holiday)];
    let dry = ImportHolidaysRequest { validate_only: true, ..import("cn", days.clone()) };
    let tried = calendars.import_holidays(dry).await.unwrap().into_inner();
    assert_eq!(due_times(&scene, &cases).await, before, "nothing has happened yet");
    let real = calendars.import_holidays(import("cn", days)).await.unwrap().into_inner();
    assert_eq!((&tried.moved, tried.moved_count), (&real.moved, real.moved_count));
    assert_eq!(usize::try_from(real.moved_count), Ok(real.moved.len()));

    let after = due_times(&scene, &cases).await;
    let mut moved = Vec::new();
    for (old, new) in before.iter().zip(&after).filter(|(old, new)| old.3 != new.3) {
        let open = [ClockState::Running.into(), ClockState::Paused.into()].contains(&old.2);
        if open {
            moved.push((old.0.clone(), old.1, old.3, new.3));
        }
    }
    let mut told: Vec<_> = real
        .moved
        .iter()
        .map(|deadline| (deadline.case_id.clone(), deadline.kind, deadline.before_time, deadline.after_time))
        .collect();
    moved.sort_by_key(|moved| (moved.0.clone(), moved.1));
    told.sort_by_key(|told| (told.0.clone(), told.1));
    assert!(!moved.is_empty(), "an edit of their calendar moves promises");
    assert_eq!(told, moved);
    scene.house.done().await;
}

#[tokio::test]
async fn what_fires_follows_the_edit() {
    let (scene, cases) = with_open_clocks().await;
    let mut calendars = CalendarServiceClient::new(scene.house.channel());
    let decide = |listed: &[(String, i32, i32, Option<Moment>)], case: Uuid| {
        let wanted = |entry: &&(String, i32, i32, Option<Moment>)| {
            entry.0 == case.to_string() && entry.1 == i32::from(ClockKind::Decide)
        };
        let due = listed.iter().find(wanted).unwrap().3.unwrap();
        jiff::Timestamp::new(due.seconds, due.nanos).unwrap()
    };
    let waiting = cases[0];
    let old_due = decide(&due_times(&scene, &cases).await, waiting);
    // Every day off from now on is worked: what was a fortnight is a week.
    let days =
        (28..=30).map(|day| format!("2026-11-{day}")).chain((1..=9).map(|day| format!("2026-12-0{day}")));
    let days = days.map(|date| day(&date, CalendarDayKind::Workday)).collect();
    calendars.import_holidays(import("cn", days)).await.unwrap();
    let new_due = decide(&due_times(&scene, &cases).await, waiting);
    assert!(new_due < old_due, "{new_due} {old_due}");
    let case = scene.case(waiting).await;
    assert!(case.due_time.is_some());
    let breached = async || {
        let told = scene.house.published::<ClockBreached>("cases").await;
        told.iter().any(|told| told.case_id == waiting.to_string() && told.kind() == ClockKind::Decide)
    };
    scene.advance(new_due.duration_since(scene.now()) - jiff::SignedDuration::from_secs(60));
    scene.house.settled().await;
    assert!(!breached().await);
    scene.advance(jiff::SignedDuration::from_secs(120));
    testkit::eventually(breached).await;
    scene.house.done().await;
}

#[tokio::test]
async fn each_version_of_a_calendar_is_told_once_with_all_it_says() {
    let (house, mut client) = open().await;
    let made = create("shop");
    for _ in 0..2 {
        client.create_calendar(made.clone()).await.unwrap();
    }
    let tried = ImportHolidaysRequest {
        validate_only: true,
        ..import("shop", vec![day("2026-12-09", CalendarDayKind::Holiday)])
    };
    client.import_holidays(tried).await.unwrap();
    client.import_holidays(import("cn", vec![day("2027-01-01", CalendarDayKind::Holiday)])).await.unwrap();
    let told: Vec<CalendarChanged> = house.published("cases").await;
    let versions: Vec<_> = told.iter().map(|told| (told.name.as_str(), told.version)).collect();
    assert_eq!(versions, [("shop", 1), ("cn", 1)], "what is only tried is not told");
    let read: calendar::Draft = serde_json::from_str(&told[1].content).unwrap();
    assert!(read.check().is_ok() && read.days.iter().any(|day| day.date == "2027-01-01"));
    house.done().await;
}
