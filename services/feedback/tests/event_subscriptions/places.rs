//! More feeds than places: each has its turn, whosever they are.

use std::time::Duration;

use proto::redress::assignment::v1::DepartmentCreated;
use proto::redress::cases::v1::CaseLinked;
use proto::redress::feedback::v1::CreateEventSubscriptionRequest;
use proto::redress::resolution::v1::DepartmentResumed;
use testkit::{House, eventually};

use super::{Client, TAKEN, create, of, wanted};
use crate::endpoint::Endpoint;
use crate::{case, registered};

/// Feeds that a process posts at once.
const PLACES: i64 = 64;

/// Has four services tell a tenant something, more often than a feed is let go of for being
/// quiet.
async fn keep_busy(house: &House) {
    loop {
        let case = case();
        let linked = CaseLinked { case_id: case.to_string(), ..CaseLinked::default() };
        let department_id = "finance".to_owned();
        let created = DepartmentCreated { department_id: department_id.clone() };
        let resumed = DepartmentResumed { department_id, ..DepartmentResumed::default() };
        house.tell("intake", case, &registered(case, "ada@example.org")).await;
        house.tell("cases", case, &linked).await;
        house.tell("assignment", case, &created).await;
        house.tell("resolution", case, &resumed).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Something about the feeds of which this is true.
async fn feeds(house: &House, what: &str, which: &str) -> i64 {
    let asked = format!("SELECT {what} FROM feedback.event_subscription_feed WHERE {which}");
    let mut owner = house.owner().await;
    sqlx::query_scalar(sqlx::AssertSqlSafe(asked)).fetch_one(&mut owner).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_that_are_never_quiet_keep_those_of_others_waiting_for_a_turn_at_most() {
    let house = House::builder(&[feedback::SERVICE])
        .identified()
        .settings(|settings| settings.endpoint_networks = vec!["127.0.0.0/8".parse().unwrap()])
        .open()
        .await;
    let server = Endpoint::open(TAKEN).await;
    let story = async {
        for _ in 0..20 {
            // Everything is read, and left out.
            let filter = "subject == 'nobody'".to_owned();
            create(&house, CreateEventSubscriptionRequest { filter, ..wanted(&server.url()) }).await.unwrap();
        }
        // Feedback itself tells nothing here: its feeds would be let go of for being quiet.
        let mut owner = house.owner().await;
        let quiet = "DELETE FROM feedback.event_subscription_feed WHERE source = 'feedback'";
        sqlx::raw_sql(quiet).execute(&mut owner).await.unwrap();
        drop(owner);
        eventually(async || feeds(&house, "count(*)", "held_until > now()").await == PLACES).await;
        let bob = Client::new(house.channel_as("another", "bob", &["admin"]));
        bob.clone().create_event_subscription(wanted(&server.url())).await.unwrap();
        let case = case();
        let told = house.tell_as("another", "intake", case, &registered(case, "bob@example.org")).await;
        eventually(async || !of(&server.posts(), "intake").is_empty()).await;
        assert_eq!(of(&server.posts(), "intake")[0]["id"], told.id);
        // Nor do those of one tenant keep each other waiting.
        let ours = "tenant_id = 'development'";
        let far = feeds(&house, "max(position)", ours).await;
        eventually(async || feeds(&house, "min(position)", ours).await >= far).await;
    };
    tokio::select! {
        () = story => {}
        () = keep_busy(&house) => {}
    }
    house.done().await;
}
