//! Statements about triage: the rules that hold, what else was going on when a
//! complaint came, and the record of what was decided.

use std::collections::{BTreeMap, HashMap};

use fault::Fault;
use jiff::{SignedDuration, Timestamp};
use jiff_sqlx::{Timestamp as Moment, ToSqlx as _};
use kernel::page::Page;
use kernel::{CaseId, Money};
use pg::Binds;
use serde::{Deserialize, Serialize};
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgConnection};
use triage::{
    Attributes, Conversation, MOST_REPEATS, Matched, REPEAT_DAYS, Surroundings, Traffic, Triage, Verdict,
};
use uuid::Uuid;
use vocabulary::{Channel, HandOverReason, Priority};

use super::readings;
use super::row::impossible;
use crate::conversation::{self, TurnMood};
use crate::reading;
use crate::triage_record::{ActiveVersions, Around, Incoming, Past, Triaged, Window};

/// How far back a channel's usual traffic is looked for.
const TRAFFIC_HOURS: i64 = 7 * 24;

#[derive(sqlx::FromRow)]
struct AroundRow {
    id: Uuid,
    rule_set: i64,
    tree: Option<i64>,
    repeats: i64,
    hint_known: bool,
    recent: i64,
    before: i64,
    hours: i64,
}

/// How many of the newest cases of a customer, an address and a telephone are looked at
/// to count those of the same person: an address may be a shop's, and have any number.
const LOOKED_AT: i64 = 5 * MOST_REPEATS;

/// Looks around a batch of complaints: what holds, and per complaint what else there
/// was. The batch itself is not counted.
pub(crate) async fn look_around(
    conn: &mut PgConnection,
    batch: &[Incoming<'_>],
    now: Timestamp,
) -> Result<(ActiveVersions, HashMap<Uuid, Around>), Fault> {
    let recent = hour(now) - SignedDuration::from_hours(1);
    let mut binds = Binds::default();
    let rows = binds
        .rows(batch)
        .column("id", |one| one.case)
        .column("customer", |one| one.person.marks()[0])
        .column("phone", |one| one.person.marks()[1])
        .column("email", |one| one.person.marks()[2])
        .column("since", |one| first_id(days_before(one.received, REPEAT_DAYS)))
        .column("channel", |one| one.channel.number())
        .column("hint", |one| one.hint.trim())
        .column("within", |one| days_before(one.received, REPEAT_DAYS).to_sqlx())
        .column("received", |one| one.received.to_sqlx())
        .done();
    let ids = binds.value(batch.iter().map(|one| one.case).collect::<Vec<_>>());
    let since = binds.value((recent - SignedDuration::from_hours(TRAFFIC_HOURS)).to_sqlx());
    let recent = binds.value(recent.to_sqlx());
    let statement = format!(
        "WITH lately AS (
             SELECT channel, coalesce(sum(cases) FILTER (WHERE hour >= {recent}), 0)::bigint AS recent,
                    coalesce(sum(cases) FILTER (WHERE hour < {recent}), 0)::bigint AS before,
                    greatest(extract(epoch FROM {recent} - min(min(hour)) OVER ()) / 3600, 0)::bigint AS hours
             FROM channel_hour
             WHERE tenant_id = current_setting('redress.tenant') AND hour >= {since}
             GROUP BY channel),
         tree AS (SELECT version FROM category_tree WHERE tenant_id = current_setting('redress.tenant'))
         SELECT n.id,
                coalesce((SELECT active FROM triage_state
                          WHERE tenant_id = current_setting('redress.tenant')), 0) AS rule_set,
                (SELECT version FROM tree) AS tree,
                (SELECT count(*)
                 FROM (SELECT DISTINCT found.case_id
                       FROM UNNEST(ARRAY[n.customer, n.phone, n.email]) AS known (mark)
                       CROSS JOIN LATERAL (
                           SELECT m.case_id
                           FROM (SELECT case_id FROM mark
                                 WHERE tenant_id = current_setting('redress.tenant') AND mark = known.mark
                                   AND case_id >= n.since AND case_id < n.id AND case_id <> ALL ({ids})
                                 ORDER BY case_id DESC LIMIT {LOOKED_AT}) AS m
                           JOIN cases c ON c.tenant_id = current_setting('redress.tenant')
                                       AND c.case_id = m.case_id
                           -- What counts as received long ago may have been registered lately.
                           WHERE c.received_at BETWEEN n.within AND n.received
                           LIMIT {MOST_REPEATS}) AS found
                       LIMIT {MOST_REPEATS}) AS earlier) AS repeats,
                NOT EXISTS (SELECT FROM tree)
                    OR EXISTS (SELECT FROM category c
                               WHERE c.tenant_id = current_setting('redress.tenant')
                                 AND c.version = (SELECT version FROM tree) AND c.path = n.hint) AS hint_known,
                coalesce(l.recent, 0) AS recent, coalesce(l.before, 0) AS before, coalesce(l.hours, 0) AS hours
         FROM {rows} AS n
         LEFT JOIN lately l ON l.channel = n.channel"
    );
    let rows: Vec<AroundRow> =
        sqlx::query_as_with(AssertSqlSafe(statement), binds.arguments()?).fetch_all(conn).await?;
    let versions = rows.first().map(|row| ActiveVersions { rule_set: row.rule_set, tree: row.tree });
    let around = |row: AroundRow| {
        let traffic = Traffic { recent: row.recent, before: row.before, hours: row.hours };
        (row.id, Around { repeats: row.repeats, traffic, hint_known: row.hint_known })
    };
    Ok((versions.unwrap_or_default(), rows.into_iter().map(around).collect()))
}

/// What is kept of the facts beside the case and its texts.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct KeptFacts {
    vulnerabilities: Vec<String>,
    reach: i64,
    repeats: i64,
    surge: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    conversation: Option<KeptConversation>,
}

/// What is kept of the call or chat that a complaint came by; none where it is neither.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct KeptConversation {
    missed_call: bool,
    call_back_requested: bool,
    handed_over: bool,
    hand_over_reason: Option<i16>,
    /// Of each of the customer's turns its place, and how angry it is.
    moods: Vec<(i32, i16)>,
}

impl KeptConversation {
    fn of(told: Conversation, moods: &[TurnMood]) -> Option<Self> {
        let Conversation { missed_call, call_back_requested, handed_over, hand_over_reason, mood: _ } = told;
        (told != Conversation::default()).then(|| Self {
            missed_call,
            call_back_requested,
            handed_over,
            hand_over_reason: hand_over_reason.map(HandOverReason::number),
            moods: moods.iter().map(|mood| (mood.place, mood.level.number().into())).collect(),
        })
    }

    fn restored(self, case: Uuid) -> Result<(Conversation, Vec<TurnMood>), Fault> {
        let Self { missed_call, call_back_requested, handed_over, hand_over_reason, moods } = self;
        let known = |number| {
            HandOverReason::of(number).ok_or_else(|| impossible("case_triage", "hand_over_reason", case))
        };
        let hand_over_reason = hand_over_reason.map(known).transpose()?;
        let mood = |(place, level)| Ok::<_, Fault>(TurnMood { place, level: readings::level(level, case)? });
        let moods = moods.into_iter().map(mood).collect::<Result<Vec<_>, _>>()?;
        let mood = conversation::mood(&moods);
        let told = Conversation { missed_call, call_back_requested, handed_over, hand_over_reason, mood };
        Ok((told, moods))
    }
}

/// What is kept of a verdict beside category and priority.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct KeptVerdict {
    reasons: Vec<String>,
    attributes: Attributes,
    matched: Vec<Matched>,
}

impl KeptVerdict {
    fn of(verdict: &Verdict) -> Self {
        Self {
            reasons: verdict.triage.reasons.clone(),
            attributes: verdict.attributes,
            matched: verdict.matched.clone(),
        }
    }
}

/// Keeps the records of cases just opened, and counts them for their channels.
pub(crate) async fn record(
    conn: &mut PgConnection,
    triaged: &[Triaged<'_>],
    now: Timestamp,
) -> Result<(), Fault> {
    // In order, so that two transactions wait for each other's rows never in a circle.
    let mut by_channel: BTreeMap<i16, i64> = BTreeMap::new();
    for one in triaged.iter().filter(|one| one.counts) {
        *by_channel.entry(one.facts.channel.number()).or_default() += 1;
    }
    let counts: Vec<(i16, i64)> = by_channel.into_iter().collect();
    let kept = |one: &Triaged<'_>| KeptFacts {
        vulnerabilities: one.facts.vulnerabilities.to_vec(),
        reach: one.facts.reach,
        repeats: one.facts.around.repeats,
        surge: one.facts.around.surge,
        conversation: KeptConversation::of(one.facts.conversation, one.moods),
    };
    let mut binds = Binds::default();
    let this_hour = hour(now);
    let forgotten = binds.value((this_hour - SignedDuration::from_hours(TRAFFIC_HOURS + 1)).to_sqlx());
    let counted = binds
        .rows(&counts)
        .column("hour", |_| this_hour.to_sqlx())
        .column("channel", |count| count.0)
        .column("cases", |count| count.1)
        .done();
    let rows = binds
        .rows(triaged)
        .column("case_id", |one| one.case)
        .column("rule_set", |one| one.verdict.rule_set)
        .column("priority", |one| one.verdict.triage.priority.number())
        .column("triaged_at", |_| now.to_sqlx())
        .column("category", |one| one.verdict.triage.category.as_str())
        .column("category_hint", |one| one.facts.category_hint)
        .column("facts", |one| Json(kept(one)))
        .column("verdict", |one| Json(KeptVerdict::of(&one.verdict)))
        .done();
    let statement = format!(
        "WITH counted AS (
             {} ON CONFLICT (tenant_id, hour, channel) DO UPDATE SET cases = channel_hour.cases + excluded.cases),
         forgotten AS (
             DELETE FROM channel_hour WHERE tenant_id = current_setting('redress.tenant') AND hour < {forgotten})
         {}",
        counted.insert_into("channel_hour"),
        rows.insert_into("case_triage"),
    );
    binds.execute(&statement, conn).await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct PastRow {
    case_id: Uuid,
    channel: i16,
    subject: String,
    language: String,
    amount_sought_minor: Option<i64>,
    amount_sought_currency: Option<String>,
    rule_set: i64,
    priority: i16,
    triaged_at: Moment,
    category: String,
    category_hint: String,
    description: String,
    facts: String,
    verdict: String,
    hint_known: bool,
    settled: String,
    confirmer: Option<String>,
    classifier: Option<i64>,
    guess: Option<String>,
    confidence: Option<f64>,
    unconfirmed: Option<bool>,
    emotion: Option<i16>,
    threats: Option<i16>,
}

impl PastRow {
    /// What a person said it is about, or else the classifier: category, reason, and
    /// whether it was a person.
    fn named(&mut self) -> Option<(String, String, bool)> {
        if self.confirmer.is_some() {
            return Some((std::mem::take(&mut self.settled), "as a person says".to_owned(), true));
        }
        let sure = self.unconfirmed == Some(false);
        let why = reading::why(self.classifier?, self.confidence?, sure);
        Some((self.guess.take()?, why, false))
    }

    fn into_past(mut self) -> Result<Past, Fault> {
        let id = self.case_id;
        let named = self.named();
        let known = |column: &'static str| move || impossible("case_triage", column, id);
        let amount_sought = self.amount_sought_minor.zip(self.amount_sought_currency);
        let KeptFacts { vulnerabilities, reach, repeats, surge, conversation } =
            serde_json::from_str(&self.facts).map_err(Fault::internal)?;
        let (conversation, moods) =
            conversation.map(|kept| kept.restored(id)).transpose()?.unwrap_or_default();
        let KeptVerdict { reasons, attributes, matched } =
            serde_json::from_str(&self.verdict).map_err(Fault::internal)?;
        let anger = self.emotion.map(|level| readings::level(level, id)).transpose()?;
        let priority = Priority::of(self.priority).ok_or_else(known("priority"))?;
        let complexity = attributes.complexity;
        let triage = Triage { category: self.category, priority, complexity, reasons };
        Ok(Past {
            case: CaseId(id),
            subject: self.subject,
            hint: self.category_hint,
            triage_time: self.triaged_at.to_jiff(),
            verdict: Verdict { triage, rule_set: self.rule_set, attributes, matched },
            channel: Channel::of(self.channel).ok_or_else(known("channel"))?,
            language: self.language,
            description: self.description,
            vulnerabilities,
            reach,
            // Calm and without threats, if it was opened before texts were read.
            anger: anger.unwrap_or_default(),
            threats: readings::threats(self.threats.unwrap_or(0)),
            conversation,
            moods,
            amount_sought: amount_sought.map(|(minor, currency)| Money { minor, currency }),
            named,
            around: Surroundings { repeats, surge, hint_known: self.hint_known },
        })
    }
}

/// Reads records of triage with their cases: what follows the tenant's condition is
/// given. Whether the hint is known is asked of the tree that holds now.
macro_rules! select_past {
    ($rest:literal) => {
        concat!(
            "SELECT t.case_id, c.channel, c.subject, c.language, c.amount_sought_minor,
                    c.amount_sought_currency, t.rule_set, t.priority, t.triaged_at, t.category,
                    t.category_hint, x.description, t.facts::text AS facts, t.verdict::text AS verdict,
                    tree.version IS NULL
                        OR EXISTS (SELECT FROM category k
                                   WHERE k.tenant_id = t.tenant_id AND k.version = tree.version
                                     AND k.path = btrim(t.category_hint)) AS hint_known,
                    c.category AS settled, r.confirmer, r.classifier, r.guess, r.confidence, r.unconfirmed,
                    r.emotion, r.threats
             FROM case_triage t
             JOIN cases c ON c.tenant_id = t.tenant_id AND c.case_id = t.case_id
             JOIN case_text x ON x.tenant_id = t.tenant_id AND x.case_id = t.case_id
             LEFT JOIN case_reading r ON r.tenant_id = t.tenant_id AND r.case_id = t.case_id
             LEFT JOIN category_tree tree ON tree.tenant_id = t.tenant_id
             WHERE t.tenant_id = current_setting('redress.tenant') ",
            $rest
        )
    };
}

/// Reads the record of one case.
pub(crate) async fn get(conn: &mut PgConnection, case: CaseId) -> Result<Option<Past>, Fault> {
    let row: Option<PastRow> =
        sqlx::query_as(select_past!("AND t.case_id = $1")).bind(case.0).fetch_optional(conn).await?;
    row.map(PastRow::into_past).transpose()
}

/// Lists records, oldest first, of cases registered within a window.
pub(crate) async fn list(conn: &mut PgConnection, window: &Window, page: &Page) -> Result<Vec<Past>, Fault> {
    let after = match &page.after {
        Some(key) => Uuid::try_parse(key).map_err(|_| Fault::invalid_page_token())?,
        None => Uuid::nil(),
    };
    let rows: Vec<PastRow> = sqlx::query_as(select_past!(
        "AND t.case_id > $1 AND t.case_id >= $2 AND t.case_id < $3 ORDER BY t.case_id LIMIT $4"
    ))
    .bind(after)
    .bind(window.start.map_or(Uuid::nil(), first_id))
    .bind(window.end.map_or(Uuid::max(), first_id))
    .bind(page.limit())
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(PastRow::into_past).collect()
}

/// Writes what triage newly made of a case.
pub(crate) async fn revise(
    conn: &mut PgConnection,
    case: CaseId,
    verdict: &Verdict,
    now: Timestamp,
) -> Result<(), Fault> {
    let revised = sqlx::query(
        "UPDATE case_triage SET rule_set = $2, priority = $3, category = $4, verdict = $5,
                triaged_at = $6
         WHERE tenant_id = current_setting('redress.tenant') AND case_id = $1",
    )
    .bind(case.0)
    .bind(verdict.rule_set)
    .bind(verdict.triage.priority.number())
    .bind(&verdict.triage.category)
    .bind(Json(KeptVerdict::of(verdict)))
    .bind(now.to_sqlx())
    .execute(conn)
    .await?;
    if revised.rows_affected() == 1 {
        return Ok(());
    }
    Err(Fault::internal(format!("the triage of case {case} was not there")))
}

/// The beginning of an hour.
fn hour(time: Timestamp) -> Timestamp {
    let seconds = time.as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(3600)).unwrap_or(time)
}

fn days_before(time: Timestamp, days: i64) -> Timestamp {
    time.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(Timestamp::MIN)
}

/// The least id that a complaint registered at a moment can have: ids are UUIDs of
/// version 7, which begin with their milliseconds.
fn first_id(time: Timestamp) -> Uuid {
    let milliseconds = u128::try_from(time.as_millisecond()).unwrap_or(0);
    Uuid::from_u128(milliseconds << 80)
}

#[cfg(test)]
mod tests;
