//! What is written comes back, each value in its own column: two columns swapped in a wide
//! statement, read or written, do not pass.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use kernel::{CaseId, Money, RandomIds, SystemClock, TenantId};
use pg::Db;
use sameness::{LinkKind, LinkStanding};
use testkit::Database;
use uuid::Uuid;
use vocabulary::{Channel, Level, Matter, Outcome, Priority, State};

use super::{Opening, get, insert, links, save};
use crate::case::properties::{occasion, opened};
use crate::case::{Case, Lowering, Merged, Origin};
use crate::links::{Link, Pair};
use crate::reopening::{ReopeningLimits, ReopeningTerms};

/// A moment of its own for each column.
fn moment(column: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * column)
}

fn text(column: &str) -> String {
    format!("of {column}")
}

/// A case as it is opened, with another value in every column.
fn fresh() -> Case {
    let origin = Origin {
        matter: Matter::Report,
        channel: Channel::Branch,
        subject: text("subject"),
        language: text("language"),
        customer_id: text("customer"),
        region: text("region"),
        respondent_staff: text("staff"),
        amount_sought: Some(Money { minor: 4_200, currency: "JPY".to_owned() }),
        receive_time: moment(1),
        traceparent: text("trace"),
    };
    Case {
        id: CaseId(Uuid::from_u128(7)),
        origin,
        version: 3,
        state: State::Triaged,
        priority: Priority::P2,
        complexity: Level::High,
        category: text("category"),
        triage_reasons: vec!["two\nlines".to_owned(), text("reason")],
        entries: 9,
        open_time: moment(2),
        due_time: Some(moment(3)),
        journal: Vec::new(),
        ..opened(&occasion(moment(2)))
    }
}

/// The same later, with another value in every column that can change.
fn changed(case: Case) -> Case {
    Case {
        version: 11,
        state: State::Merged,
        merged: Some(Merged { into: CaseId(Uuid::from_u128(6)), stood: State::Assigned, across: true }),
        cycle: 4,
        tier: 5,
        priority: Priority::P3,
        priority_floor: Some(Priority::P4),
        lowering: Some(Lowering { to: Priority::P1, by: text("lowering") }),
        complexity: Level::Critical,
        category: text("another category"),
        triage_reasons: vec![text("another reason")],
        department_id: text("department"),
        agent_id: text("agent"),
        findings: text("findings"),
        root_cause: text("root cause"),
        outcome: Some(Outcome::PartlyUpheld),
        decision_reasons: text("decision"),
        correction: 6,
        resolve_time: Some(moment(4)),
        reopening: Some(ReopeningTerms {
            policy: 7,
            limits: ReopeningLimits { window_days: 20, maximum: 5 },
        }),
        close_time: Some(moment(5)),
        first_assign_time: Some(moment(6)),
        first_resolve_time: Some(moment(7)),
        due_time: Some(moment(8)),
        due_changes: 0,
        entries: 10,
        ..case
    }
}

fn link(reasons: &[&str], standing: LinkStanding, actor: &str) -> Link {
    Link {
        pair: Pair { later: CaseId(Uuid::from_u128(9)), earlier: CaseId(Uuid::from_u128(8)) },
        kind: LinkKind::Related,
        standing,
        score: 0.5,
        reasons: reasons.iter().map(|reason| (*reason).to_owned()).collect(),
        actor: actor.to_owned(),
        change_time: moment(1),
    }
}

#[tokio::test]
async fn every_column_of_a_case_and_of_a_link_comes_back_as_itself() -> anyhow::Result<()> {
    let lists = [&pg::MIGRATIONS, &events::MIGRATIONS, &timers::MIGRATIONS, &crate::MIGRATIONS];
    let migrate = async |url: String| pg::migrate(&url, "cases", &lists).await;
    let database = Database::copy_of("round trip", migrate).await?;
    let db = Db::open(database.url(), 2, "cases", Arc::new(SystemClock), Arc::new(RandomIds))?;
    db.transact("test.round_trip", &TenantId::development(), async |mut tx| {
        let case = fresh();
        let opening = Opening {
            case: case.clone(),
            description: String::new(),
            product: String::new(),
            receipt_hash: None,
            forwarded: None,
        };
        insert(&mut tx, &[opening]).await?;
        assert_eq!(get(&mut tx, case.id).await?, Some(case.clone()));
        let case = changed(case);
        let moved = save(&mut tx, std::slice::from_ref(&case)).await?;
        assert_eq!(moved.get(&case.id), Some(&1), "it is due at another time");
        assert_eq!(get(&mut tx, case.id).await?, Some(Case { due_changes: 1, ..case.clone() }));
        let case = Case { due_changes: 1, ..case };
        assert_eq!(save(&mut tx, std::slice::from_ref(&case)).await?.len(), 0, "and no more at another");
        assert_eq!(get(&mut tx, case.id).await?, Some(case));

        let found = link(&["two\nlines", "more"], LinkStanding::Suggested, "found");
        links::found(&mut tx, std::slice::from_ref(&found)).await?;
        assert_eq!(links::get(&mut tx, found.pair).await?, Some(found));
        let made = link(&[], LinkStanding::Linked, "made");
        links::save(&mut tx, &made).await?;
        assert_eq!(links::get(&mut tx, made.pair).await?, Some(made));
        Ok((tx, ()))
    })
    .await?;
    db.pool().close().await;
    database.drop().await
}
