//! Training: read what is known, learn aside, keep what was learnt.
//!
//! One at a time per tenant, on whichever replica: the tenant's row names the training
//! under way and until when it is believed. Learning takes too long for a transaction,
//! so what a repeated request was answered is looked up first.

use std::time::Duration;

use fault::Fault;
use jiff::SignedDuration;
use kernel::TenantId;
use pg::{Db, Done, MutationContext};
use proto::redress::cases::v1::TrainClassifierResponse;
use server::Length;
use uuid::Uuid;

use crate::classifier::{KeptClassifier, Learnt, Lessons};
use crate::refusal::Refusal;
use crate::store;
use crate::store::lessons::Source;
use crate::wire::classifiers as wire;

/// How long a training is believed to be under way; far longer than one takes.
const LONGEST: SignedDuration = SignedDuration::from_mins(10);
/// When to try again while one is.
const RETRY: Duration = Duration::from_secs(5);

/// Trains a tenant's next classifier.
pub(super) async fn train(
    db: Db,
    context: MutationContext,
    threshold: f64,
) -> Result<Done<TrainClassifierResponse>, Fault> {
    if let Some(done) = db.answered(&context).await? {
        return Ok(done);
    }
    let tenant = context.caller.tenant.clone();
    let token = begin(&db, &tenant).await?;
    let outcome = match learn(&db, &tenant, threshold).await {
        Ok(learnt) => keep(&db, context, token, learnt).await,
        Err(fault) => Err(fault),
    };
    if outcome.is_err() {
        end(&db, &tenant, token).await?;
    }
    outcome
}

async fn begin(db: &Db, tenant: &TenantId) -> Result<Uuid, Fault> {
    db.transact("classifier.begin", tenant, async move |mut tx| {
        let (now, token) = (tx.now(), tx.new_token());
        if !store::classifiers::begin_training(&mut tx, token, now, now + LONGEST).await? {
            return Err(under_way());
        }
        Ok((tx, token))
    })
    .await
}

async fn end(db: &Db, tenant: &TenantId, token: Uuid) -> Result<(), Fault> {
    db.transact("classifier.end", tenant, async move |mut tx| {
        store::classifiers::end_training(&mut tx, token).await?;
        Ok((tx, ()))
    })
    .await
}

/// Learns on a thread of its own: it computes for seconds.
async fn learn(db: &Db, tenant: &TenantId, threshold: f64) -> Result<Learnt, Fault> {
    let lessons = read(db, tenant).await?;
    let learn = move || lessons.learn(threshold);
    let learnt = server::blocking(tenant, Length::Long, "classifier.train", learn).await?;
    Ok(learnt.map_err(|_| Refusal::TooLittleToLearn)?)
}

/// What people have said first, then what closed cases tell, as much as is allowed.
async fn read(db: &Db, tenant: &TenantId) -> Result<Lessons, Fault> {
    let mut lessons = Lessons::default();
    for source in [Source::Confirmed, Source::Closed] {
        let mut before = Some(Uuid::max());
        while let Some(id) = before {
            let (page, next) = db
                .transact("classifier.read", tenant, async move |mut tx| {
                    let page = store::lessons::page(&mut tx, source, id).await?;
                    Ok((tx, page))
                })
                .await?;
            if !page.into_iter().all(|lesson| lessons.take(lesson)) {
                return Ok(lessons);
            }
            before = next;
        }
    }
    Ok(lessons)
}

async fn keep(
    db: &Db,
    context: MutationContext,
    token: Uuid,
    learnt: Learnt,
) -> Result<Done<TrainClassifierResponse>, Fault> {
    db.mutate(context, async move |mut tx, caller| {
        let (now, trainer) = (tx.now(), caller.subject.to_string());
        let created = store::classifiers::create(&mut tx, token, &learnt, &trainer, now).await?;
        let Learnt { model: _, threshold, figures } = learnt;
        let kept = KeptClassifier {
            version: created.ok_or_else(under_way)?,
            active: false,
            trainer,
            train_time: now,
            activate_time: None,
            threshold,
            figures,
        };
        Ok((tx, TrainClassifierResponse { classifier: Some(wire::classifier(kept)) }))
    })
    .await
}

fn under_way() -> Fault {
    Fault::from(Refusal::TrainingUnderWay).retry_after(RETRY)
}
