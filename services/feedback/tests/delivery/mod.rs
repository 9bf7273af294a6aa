//! Notices on their way: a real mail server, taking, refusing, failing.

use std::time::Duration;

use kernel::{Lane, TenantId};
use proto::redress::feedback::v1::{ListNoticesRequest, Notice, NoticeKind, NoticeSettled, NoticeState};
use server::Secret;
use testkit::{Builder, House, MockClock, eventually};
use uuid::Uuid;

use crate::sink::{HANG_UP, Sink};
use crate::{case, client, notices_of, registered, resolved};

const SENDER: &str = "Redress <redress@example.org>";
/// Longer than the pause after a first attempt, and the hold of a claim.
const LATER: Duration = Duration::from_mins(3);

async fn house(sink: &Sink) -> House {
    builder(sink).open().await
}

pub(crate) fn builder(sink: &Sink) -> Builder {
    House::builder(&[feedback::SERVICE]).clock(MockClock::default()).settings(|settings| {
        settings.smtp_url = Some(Secret::from(sink.url()));
        settings.mail_from = SENDER.into();
        settings.mail_own = vec!["complaints@example.org".into()];
    })
}

/// Registers a complaint of someone with this address.
async fn complain(house: &House, address: &str) -> Uuid {
    let case = case();
    house.tell("intake", case, &registered(case, address)).await;
    case
}

/// The acknowledgement of a case, once it meets a condition.
async fn acknowledgement(house: &House, case: Uuid, meets: impl Fn(&Notice) -> bool) -> Notice {
    let found = std::cell::RefCell::new(None);
    eventually(async || {
        let notices = notices_of(house, case).await;
        *found.borrow_mut() = notices.into_iter().find(|notice| meets(notice));
        found.borrow().is_some()
    })
    .await;
    found.into_inner().unwrap()
}

fn has_ended(notice: &Notice) -> bool {
    notice.state() != NoticeState::Pending
}

/// Lets the pause after an attempt pass.
fn wait_for_next_attempt(house: &House) {
    house.advance(LATER);
    house.db("feedback").notifier().notify("notices");
}

#[tokio::test]
async fn a_notice_is_delivered_with_evidence() {
    let sink = Sink::open().await;
    let house = house(&sink).await;
    let case = complain(&house, "ada@example.org").await;
    let notice = acknowledgement(&house, case, has_ended).await;
    assert_eq!(notice.state(), NoticeState::Delivered);
    assert_eq!(notice.evidence, "250 2.0.0 queued as 4711");
    assert_eq!((notice.failure_reason.as_str(), notice.attempts), ("", 1));
    assert_eq!(notice.end_time, notice.create_time, "the clock stands still");

    let mails = sink.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!((mails[0].from.as_str(), mails[0].to.as_str()), ("", "ada@example.org"));
    assert_eq!(mails[0].header("Auto-Submitted"), "auto-replied");
    assert_eq!(mails[0].header("Message-ID"), format!("<{}@redress>", notice.notice_id));
    assert_eq!(mails[0].header("From"), SENDER);
    assert_eq!(mails[0].header("Subject"), notice.subject);
    assert!(mails[0].text.contains("have begun to look into it"));

    let settled: Vec<NoticeSettled> = house.published("feedback").await;
    assert_eq!(settled.len(), 1);
    assert_eq!(settled[0].notice_id, notice.notice_id);
    assert_eq!(settled[0].state(), NoticeState::Delivered);
    assert_eq!(settled[0].detail, notice.evidence);
    house.done().await;
}

#[tokio::test]
async fn a_notice_not_taken_now_is_sent_later() {
    let sink = Sink::open().await;
    sink.script("ada@example.org", &["451 4.7.1 greylisted", HANG_UP]);
    let house = house(&sink).await;
    let case = complain(&house, "ada@example.org").await;
    for attempt in 1..=2 {
        eventually(async || sink.asked() == attempt).await;
        let notice =
            acknowledgement(&house, case, |notice| usize::try_from(notice.attempts) == Ok(attempt)).await;
        assert_eq!(notice.state(), NoticeState::Pending);
        assert_eq!(notice.failure_reason, "", "it has not failed");
        put_off(&house).await;
        wait_for_next_attempt(&house);
    }
    let notice = acknowledgement(&house, case, has_ended).await;
    assert_eq!((notice.state(), notice.attempts), (NoticeState::Delivered, 3));
    assert_eq!(sink.mails().len(), 1);
    assert_eq!(house.published::<NoticeSettled>("feedback").await.len(), 1);
    house.done().await;
}

/// Waits until what came of the last attempt is written: the next one is due
/// within a pause, not at the end of a claim.
async fn put_off(house: &House) {
    let now = house.db("feedback").clock().now();
    eventually(async || {
        let mut conn = house.owner().await;
        let due: jiff_sqlx::Timestamp =
            sqlx::query_scalar("SELECT due_at FROM feedback.notice").fetch_one(&mut conn).await.unwrap();
        due.to_jiff() <= now + jiff::SignedDuration::from_secs(60)
    })
    .await;
}

#[tokio::test]
async fn a_refusal_is_final_and_on_record() {
    let sink = Sink::open().await;
    sink.script("gone@example.org", &["550 5.1.1 no such user"]);
    let house = house(&sink).await;
    let case = complain(&house, "gone@example.org").await;
    let notice = acknowledgement(&house, case, has_ended).await;
    assert_eq!(notice.state(), NoticeState::Undelivered);
    assert_eq!(notice.failure_reason, "550 5.1.1 no such user");
    assert_eq!((notice.evidence.as_str(), notice.attempts), ("", 1));
    let settled: Vec<NoticeSettled> = house.published("feedback").await;
    assert_eq!(settled[0].detail, notice.failure_reason);
    wait_for_next_attempt(&house);
    house.settled().await;
    assert_eq!(sink.asked(), 1, "not tried again");
    house.done().await;
}

#[tokio::test]
async fn what_never_works_is_given_up() {
    let sink = Sink::open().await;
    sink.script("ada@example.org", &["451 4.3.0 try later"]);
    let house = house(&sink).await;
    sink.hold(true);
    let case = complain(&house, "ada@example.org").await;
    eventually(async || sink.asked() == 1).await;
    // The attempt under way becomes one of many, and is lost with its claim.
    let last = feedback::notice::MAX_ATTEMPTS;
    sqlx::query("UPDATE feedback.notice SET attempts = $1 - 1, due_at = created_at")
        .bind(last)
        .execute(&mut house.owner().await)
        .await
        .unwrap();
    house.db("feedback").notifier().notify("notices");
    eventually(async || sink.asked() == 2).await;
    sink.script("ada@example.org", &["451 4.3.0 try later", "451 4.3.0 try later"]);
    sink.hold(false);
    let notice = acknowledgement(&house, case, has_ended).await;
    assert_eq!((notice.state(), notice.attempts), (NoticeState::Undelivered, last));
    assert_eq!(notice.failure_reason, "451 4.3.0 try later");
    assert_eq!(house.published::<NoticeSettled>("feedback").await.len(), 1);
    house.done().await;
}

#[tokio::test]
async fn a_claim_that_ran_out_is_taken_up_and_told_once() {
    let sink = Sink::open().await;
    sink.hold(true);
    let house = house(&sink).await;
    let case = complain(&house, "ada@example.org").await;
    eventually(async || sink.asked() == 1).await;
    wait_for_next_attempt(&house);
    eventually(async || sink.asked() == 2).await;
    sink.hold(false);
    eventually(async || sink.mails().len() == 2).await;
    let notice = acknowledgement(&house, case, has_ended).await;
    assert_eq!((notice.state(), notice.attempts), (NoticeState::Delivered, 2));
    let mails = sink.mails();
    assert_eq!(mails[0].header("Message-ID"), mails[1].header("Message-ID"), "a mailbox can tell");
    house.settled().await;
    assert_eq!(house.published::<NoticeSettled>("feedback").await.len(), 1);
    house.done().await;
}

#[tokio::test]
async fn a_database_that_is_away_costs_no_second_mail() {
    let sink = Sink::open().await;
    sink.hold(true);
    let house = builder(&sink).breakable().open().await;
    let case = complain(&house, "ada@example.org").await;
    eventually(async || sink.asked() == 1).await;
    house.proxy().cut();
    sink.hold(false);
    eventually(async || sink.mails().len() == 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    house.proxy().restore();
    let notice = acknowledgement(&house, case, has_ended).await;
    assert_eq!((notice.state(), notice.attempts), (NoticeState::Delivered, 1));
    assert_eq!(sink.mails().len(), 1);
    house.done().await;
}

#[tokio::test]
async fn what_is_no_address_is_never_sent() {
    let sink = Sink::open().await;
    let house = house(&sink).await;
    for address in ["", "nobody"] {
        let case = complain(&house, address).await;
        let notice = acknowledgement(&house, case, has_ended).await;
        assert_eq!(
            (notice.state(), notice.failure_reason.as_str()),
            (NoticeState::Undelivered, "NO_ADDRESS")
        );
    }
    assert_eq!(sink.asked(), 0);
    house.done().await;
}

#[tokio::test]
async fn many_notices_go_out_in_the_language_of_each() {
    let sink = Sink::open().await;
    let house = house(&sink).await;
    let cases: Vec<Uuid> = (0..60).map(|_| case()).collect();
    for (at, case) in cases.iter().enumerate() {
        let mut complaint = registered(*case, &format!("c{at}@example.org"));
        complaint.complaint.as_mut().unwrap().language = "zh-CN".to_owned();
        house.tell("intake", *case, &complaint).await;
    }
    for case in &cases {
        house.tell("cases", *case, &resolved(*case, 1)).await;
    }
    eventually(async || sink.mails().len() == 120).await;
    eventually(async || house.published::<NoticeSettled>("feedback").await.len() == 120).await;
    let mut client = client(&house);
    for case in cases {
        let notices = crate::list(&mut client, case).await;
        assert_eq!(notices.len(), 4, "two of them its survey");
        for notice in notices {
            if notice.kind() == NoticeKind::Survey {
                assert_eq!((notice.state(), notice.language.as_str()), (NoticeState::Pending, "zh-CN"));
                continue;
            }
            assert_eq!((notice.state(), notice.language.as_str()), (NoticeState::Delivered, "zh-CN"));
            assert!(notice.subject.contains("投诉"));
            assert_ne!(notice.kind(), NoticeKind::Recourse);
        }
    }
    house.done().await;
}

#[tokio::test]
async fn programs_and_our_own_addresses_are_not_written_to() {
    let sink = Sink::open().await;
    let house = house(&sink).await;
    for (address, reason) in [
        ("mailer-daemon@example.org", "AUTOMATIC_SENDER"),
        ("no-reply@example.org", "AUTOMATIC_SENDER"),
        ("postmaster@example.org", "AUTOMATIC_SENDER"),
        ("redress@example.org", "OWN_ADDRESS"),
        ("Complaints+42@example.org", "OWN_ADDRESS"),
    ] {
        let case = complain(&house, address).await;
        house.tell("cases", case, &resolved(case, 1)).await;
        house.settled().await;
        let notices = notices_of(&house, case).await;
        assert_eq!(notices.len(), 2);
        for notice in notices {
            assert_eq!((notice.state(), notice.failure_reason.as_str()), (NoticeState::Undelivered, reason));
        }
    }
    assert_eq!(sink.asked(), 0);

    // What a machine wrote is not acknowledged; what a person decides of it is told.
    let case = case();
    let mut written = registered(case, "ada@example.org");
    written.complaint.as_mut().unwrap().automatic = true;
    house.tell("intake", case, &written).await;
    house.tell("cases", case, &resolved(case, 1)).await;
    eventually(async || sink.mails().len() == 1).await;
    let acknowledgement =
        acknowledgement(&house, case, |notice| notice.kind() == NoticeKind::Acknowledgement).await;
    assert_eq!(acknowledgement.failure_reason, "AUTOMATIC_MESSAGE");
    house.settled().await;
    house.done().await;
}

#[tokio::test]
async fn acknowledgements_beyond_the_limit_of_their_address_are_put_off_not_lost() {
    let sink = Sink::open().await;
    let house = house(&sink).await;
    let burst = usize::try_from(feedback::address::BURST).unwrap();
    for _ in 0..burst + 2 {
        complain(&house, "loop@example.org").await;
    }
    let other = complain(&house, "ada@example.org").await;
    acknowledgement(&house, other, has_ended).await;
    eventually(async || sink.mails().len() == burst + 1).await;
    house.settled().await;
    let waiting = waiting(&house).await;
    assert_eq!(waiting.len(), 2);
    let wait =
        |notice: &Notice| notice.next_attempt_time.unwrap().seconds - notice.create_time.unwrap().seconds;
    let mut waits: Vec<i64> = waiting.iter().map(wait).collect();
    waits.sort_unstable();
    let step = feedback::address::INTERVAL.as_secs();
    assert_eq!(waits, [step, 2 * step]);

    // What a person decided is not held up by them.
    let case = Uuid::parse_str(&waiting[0].case_id).unwrap();
    house.tell("cases", case, &resolved(case, 1)).await;
    eventually(async || sink.mails().len() == burst + 2).await;
    for sent in burst + 3..=burst + 4 {
        house.advance(Duration::from_secs(step.unsigned_abs()));
        house.db("feedback").notifier().notify("notices");
        eventually(async || sink.mails().len() == sent).await;
    }
    assert_eq!(waiting_count(&house).await, 0);
    // Once the hour is over, the address is as good as any, and forgotten.
    house.advance(Duration::from_hours(1));
    house.db("feedback").notifier().notify("notices");
    let counted = "SELECT count(*) FROM feedback.address_limit";
    eventually(async || {
        let left: i64 = sqlx::query_scalar(counted).fetch_one(&mut house.owner().await).await.unwrap();
        left == 0
    })
    .await;
    house.done().await;
}

async fn waiting(house: &House) -> Vec<Notice> {
    let pending = ListNoticesRequest { state: NoticeState::Pending.into(), ..ListNoticesRequest::default() };
    let mut notices = client(house).list_notices(pending).await.unwrap().into_inner().notices;
    notices.retain(|notice| notice.kind() != NoticeKind::Survey);
    notices
}

async fn waiting_count(house: &House) -> usize {
    eventually(async || waiting(house).await.is_empty()).await;
    waiting(house).await.len()
}

#[tokio::test]
async fn an_outcome_names_a_sender_that_answers_can_come_back_to() {
    let sink = Sink::open().await;
    let house = house(&sink).await;
    let case = complain(&house, "ada@example.org").await;
    house.tell("cases", case, &resolved(case, 1)).await;
    eventually(async || sink.mails().len() == 2).await;
    let outcome = sink.mails().into_iter().find(|mail| !mail.from.is_empty()).expect("the outcome");
    assert_eq!(outcome.from, "redress@example.org");
    assert_eq!(outcome.header("Auto-Submitted"), "auto-generated");
    house.settled().await;
    house.done().await;
}

#[tokio::test]
async fn what_a_person_has_just_caused_is_sent_before_what_an_import_did() {
    const ROWS: usize = 60;
    let sink = Sink::open().await;
    let house = house(&sink).await;
    sink.hold(true);
    for row in 0..ROWS {
        let (case, now) = (case(), house.db("feedback").clock().now());
        let row = registered(case, &format!("row-{row}@example.org"));
        let lane = (&TenantId::development(), Lane::Bulk);
        house.tell_raw("intake", house.fake("intake").made(lane, case, now, &row)).await;
    }
    house.settled().await;
    complain(&house, "ada@example.org").await;
    house.settled().await;
    sink.hold(false);
    eventually(async || sink.mails().len() == ROWS + 1).await;
    let place = sink.mails().iter().position(|mail| mail.to == "ada@example.org").unwrap();
    // Behind those that were being sent, and those claimed while they ended.
    assert!(place < ROWS * 2 / 3, "sent as number {place}");
    house.done().await;
}
