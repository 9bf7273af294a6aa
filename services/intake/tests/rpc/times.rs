//! What a submission may say of time: when it was received, and that it ended.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kernel::Clock as _;
use proto::redress::intake::v1::complaint::ChannelDetail;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{
    Channel, Complaint, ComplaintRegistered, GetComplaintRequest, History, HistoryOutcome, RegulatorDetail,
    SubmitComplaintResponse,
};
use proto::timestamp;
use testkit::{House, MockClock, reason, violations};
use tonic::{Code, Status};

use crate::{complaint, count, submission};

const DAY: SignedDuration = SignedDuration::from_hours(24);

fn letter(received: Timestamp) -> Complaint {
    Complaint { channel: Channel::Letter.into(), receive_time: Some(timestamp(received)), ..complaint("") }
}

fn history(received: Timestamp, closed: Timestamp) -> Complaint {
    let ended = History {
        outcome: HistoryOutcome::Upheld.into(),
        reasons: "It came late.".to_owned(),
        resolve_time: None,
        close_time: Some(timestamp(closed)),
    };
    Complaint { history: Some(ended), ..letter(received) }
}

async fn submit(house: &House, complaint: Complaint) -> Result<SubmitComplaintResponse, Status> {
    let mut client = IntakeServiceClient::new(house.channel());
    Ok(client.submit_complaint(submission(complaint)).await?.into_inner())
}

async fn wrong(house: &House, complaint: Complaint) -> Vec<String> {
    let refused = submit(house, complaint).await.expect_err("it is refused");
    assert_eq!(reason(&refused), "INVALID_COMPLAINT");
    violations(&refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_counts_from_its_arrival_and_who_says_so_is_recorded() {
    let clock = MockClock::default();
    let house = House::builder(&[intake::SERVICE]).clock(clock.clone()).open().await;
    let mut client = IntakeServiceClient::new(house.channel());
    let (now, arrived) = (clock.now(), clock.now() - 3 * DAY);
    let request = submission(letter(arrived));
    let answer = client.submit_complaint(request.clone()).await.unwrap().into_inner();
    assert_eq!(answer.receive_time, Some(timestamp(arrived)));
    let read = GetComplaintRequest { complaint_id: answer.complaint_id.clone() };
    let stored = client.get_complaint(read).await.unwrap().into_inner().complaint.unwrap();
    assert_eq!((stored.receive_time, stored.register_time), (Some(timestamp(arrived)), Some(timestamp(now))));
    assert_eq!(stored.receive_time_by, "developer");
    let told: Vec<ComplaintRegistered> = house.published("intake").await;
    assert_eq!(told[0].complaint.as_ref(), Some(&stored));

    // What nobody states is the registration; what registration gives, nobody states.
    let claims = Complaint {
        register_time: Some(timestamp(arrived)),
        receive_time_by: "mallory".to_owned(),
        ..complaint("")
    };
    let plain = submit(&house, claims).await.unwrap();
    let read = GetComplaintRequest { complaint_id: plain.complaint_id };
    let stored = client.get_complaint(read).await.unwrap().into_inner().complaint.unwrap();
    assert_eq!((stored.receive_time, stored.register_time), (Some(timestamp(now)), Some(timestamp(now))));
    assert_eq!(stored.receive_time_by, "");

    // A repeated request is answered as the first time, however long ago that was.
    clock.advance(Duration::from_hours(24 * 4_000));
    assert_eq!(client.submit_complaint(request).await.unwrap().into_inner(), answer);
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn times_that_have_not_come_or_are_absurd_are_refused() {
    let clock = MockClock::default();
    let house = House::builder(&[intake::SERVICE]).clock(clock.clone()).open().await;
    let now = clock.now();
    let skew = SignedDuration::from_mins(5);
    let second = SignedDuration::from_secs(1);
    let occurred = |time: Timestamp| Complaint { occur_time: Some(timestamp(time)), ..complaint("") };
    let forwarded = |time: Timestamp| Complaint {
        channel: Channel::Regulator.into(),
        channel_detail: Some(ChannelDetail::Regulator(RegulatorDetail {
            forward_time: Some(timestamp(time)),
            ..RegulatorDetail::default()
        })),
        ..complaint("")
    };
    let year = |text: &str| text.parse::<Timestamp>().expect("a time");
    let absurd = [year("0001-01-01T00:00:00Z"), year("1899-12-31T23:59:59Z")];
    let ahead = [year("2030-01-01T00:00:00Z"), year("9999-12-30T00:00:00Z"), now + skew + second];
    for time in absurd.into_iter().chain(ahead) {
        assert_eq!(wrong(&house, occurred(time)).await, ["complaint.occur_time"], "{time}");
        assert_eq!(wrong(&house, forwarded(time)).await, ["complaint.regulator.forward_time"], "{time}");
        assert_eq!(wrong(&house, letter(time)).await, ["complaint.receive_time"], "{time}");
    }
    let old = now - 1_097 * DAY;
    assert_eq!(wrong(&house, letter(old - second)).await, ["complaint.receive_time"]);
    assert_eq!(wrong(&house, forwarded(old - second)).await, ["complaint.regulator.forward_time"]);
    assert_eq!(count(&house).await, 0);
    for good in [occurred(now + skew), occurred(year("1900-01-01T00:00:00Z")), forwarded(old), letter(old)] {
        submit(&house, good).await.expect("within the bounds");
    }
    // A clock a little ahead of ours states what is just coming: that is now.
    let answer = submit(&house, letter(now + skew)).await.unwrap();
    assert_eq!(answer.receive_time, Some(timestamp(now)));
    house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_taken_in_by_an_admin_and_holds_together() {
    let clock = MockClock::default();
    let house = House::builder(&[intake::SERVICE]).identified().clock(clock.clone()).open().await;
    let (now, long_ago) = (clock.now(), clock.now() - 4_000 * DAY);
    let by = |roles: &[&str]| IntakeServiceClient::new(house.channel_as("acme", "ann", roles));
    let good = submission(history(long_ago, long_ago + DAY));
    let refused = by(&["channel"]).submit_complaint(good.clone()).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "ROLE_REQUIRED"));
    let mut admin = by(&["channel", "admin"]);
    admin.submit_complaint(good).await.expect("an admin may");
    let told: Vec<ComplaintRegistered> = house.published("intake").await;
    let complaint = told[0].complaint.clone().expect("a complaint");
    assert_eq!(complaint.history, history(long_ago, long_ago + DAY).history);
    assert_eq!(complaint.receive_time, Some(timestamp(long_ago)));

    let resolved = |at: Timestamp| {
        let mut one = history(long_ago, long_ago + DAY);
        one.history.as_mut().expect("history").resolve_time = Some(timestamp(at));
        one
    };
    let (close, resolve) = ("complaint.history.close_time", "complaint.history.resolve_time");
    let cases: [(Complaint, &[&str]); 7] = [
        (Complaint { receive_time: None, ..history(long_ago, now) }, &["complaint.receive_time"]),
        (history(long_ago, long_ago - DAY), &[close]),
        (history(long_ago, now + DAY), &[close]),
        (resolved(long_ago + 2 * DAY), &[resolve]),
        (resolved(long_ago - DAY), &[resolve]),
        (history(now - 18_265 * DAY, now), &["complaint.receive_time"]),
        (
            Complaint { history: Some(History { outcome: 9, ..History::default() }), ..letter(long_ago) },
            &["complaint.history.outcome", close],
        ),
    ];
    for (bad, fields) in cases {
        let refused = admin.submit_complaint(submission(bad)).await.expect_err("it does not hold together");
        assert_eq!(violations(&refused), fields);
    }
    house.done().await;
}
