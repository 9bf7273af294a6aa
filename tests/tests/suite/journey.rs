//! A complaint's whole journey through the five services, and the side paths, told
//! as stories over one house. Each test tells them all: once with every mutation
//! sent twice and once changed, once with every event delivered twice on top.

mod approvals;
mod attachments;
mod calendars;
mod classifiers;
mod complainants;
mod corrections;
mod deadlines;
mod directories;
mod echo;
mod figures;
mod file_drops;
mod inquiries;
mod knowledge;
mod mailboxes;
mod matters;
mod notices;
mod posts;
mod quality;
mod recalls;
mod remedies;
mod reports;
mod returns;
mod revisions;
mod roster;
mod rules;
mod scene;
mod signals;
mod stories;
mod subscriptions;
mod surveys;
mod tasks;
mod training;
mod voices;
mod writes;

use std::collections::{BTreeMap, BTreeSet};

use proto::redress::cases::v1::{CaseState, CountCasesRequest, ListCasesRequest};
use proto::redress::intake::v1::ListComplaintsRequest;
use testkit::House;
use tests::SERVICES;

use crate::twice::{contracts, mutations};
use echo::Echo;
use scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn every_mutation_has_one_effect_however_often_it_is_sent() {
    let scene = Scene::open(House::builder(&SERVICES)).await;
    tell_all(&scene).await;
    let all: BTreeSet<String> = mutations(&contracts()).into_keys().collect();
    assert_eq!(scene.twice.doubled(), all, "every mutation has its place in a story");
    scene.house.done().await;
}

/// What keeps a repeated event from a second effect is the consumer's cursor, which
/// moves in the transaction of the effects; the reactions themselves need not be
/// repeatable (an assignment heard anew would be one). So the cursor is not turned
/// back here: every road between the services delivers each batch twice while the
/// stories are told, and everything since the beginning once more at the end.
#[tokio::test(flavor = "multi_thread")]
async fn every_event_has_one_effect_however_often_it_is_delivered() {
    let echo = Echo::default();
    let pipe = echo.clone();
    let scene = Scene::open(House::builder(&SERVICES).through(move |source| pipe.between(source))).await;
    tell_all(&scene).await;

    scene.settled().await;
    let before = echo::state(&scene.house).await;
    let again = echo.again().await;
    let after = echo::state(&scene.house).await;
    assert!(again > 80, "only {again} events were delivered again");
    assert!(before.len() > 20, "tables are missing: {:?}", before.keys());
    let changed: Vec<_> = before.keys().filter(|table| before.get(*table) != after.get(*table)).collect();
    assert!(changed.is_empty(), "events delivered again have changed {changed:?}");
    scene.house.done().await;
}

/// Tells every story, and counts the cases before the last, which only opens more.
async fn tell_all(scene: &Scene) {
    roster::hired(scene).await;
    approvals::settled(scene).await;
    quality::settled(scene).await;
    stories::disputed_then_accepted(scene).await;
    stories::withdrawn_and_undone(scene).await;
    stories::declined(scene).await;
    inquiries::asked(scene).await;
    surveys::asked_afterwards(scene).await;
    stories::closed_and_reopened(scene).await;
    complainants::spoke_for_themselves(scene).await;
    remedies::put_right(scene).await;
    revisions::other_cups(scene).await;
    corrections::decided_again(scene).await;
    matters::told_twice(scene).await;
    matters::told_by_many(scene).await;
    roster::waited_for(scene).await;
    roster::kept(scene).await;
    rules::written(scene).await;
    deadlines::taken_longer(scene).await;
    deadlines::promised(scene).await;
    notices::told_by_other_means(scene).await;
    // Boxed: large.
    Box::pin(notices::came_back(scene)).await;
    calendars::kept(scene).await;
    counted(scene).await;
    figures::told(scene).await;
    reports::told(scene).await;
    returns::checked(scene).await;
    quality::reviewed(scene).await;
    classifiers::taught(scene).await;
    knowledge::written(scene).await;
    training::made(scene).await;
    subscriptions::tried(scene).await;
    mailboxes::read(scene).await;
    // Boxed: large.
    Box::pin(posts::taken(scene)).await;
    file_drops::taken(scene).await;
    voices::called(scene).await;
    voices::chatted(scene).await;
    signals::dismissed(scene).await;
    directories::absent(scene).await;
}

/// One case per complaint, and each counted once, in the state its story left it.
async fn counted(scene: &Scene) {
    let request = ListComplaintsRequest { page_size: 500, ..ListComplaintsRequest::default() };
    let complaints = scene.intake().list_complaints(request).await.unwrap().into_inner().complaints;
    let request = ListCasesRequest { page_size: 500, ..ListCasesRequest::default() };
    let cases = scene.cases("reader").list_cases(request).await.unwrap().into_inner().cases;
    let mut expected: Vec<&str> =
        complaints.iter().map(|complaint| complaint.complaint_id.as_str()).collect();
    let mut opened: Vec<&str> = cases.iter().map(|case| case.case_id.as_str()).collect();
    expected.sort_unstable();
    opened.sort_unstable();
    assert_eq!(opened, expected);

    let counts = scene.cases("reader").count_cases(CountCasesRequest {}).await.unwrap().into_inner();
    assert_eq!(usize::try_from(counts.total).unwrap(), expected.len());
    let mut by_state: BTreeMap<CaseState, i64> = BTreeMap::new();
    for count in &counts.counts {
        *by_state.entry(count.state()).or_default() += count.count;
    }
    let left = [
        (CaseState::Assigned, 2),
        (CaseState::Decided, 1),
        (CaseState::Closed, 5),
        (CaseState::Withdrawn, 9),
        (CaseState::OutOfScope, 1),
    ];
    assert_eq!(by_state, BTreeMap::from(left));
}
