//! Which matter a post is of: one post by many accounts is one matter.

use fault::Fault;
use jiff::Timestamp;
use kernel::CaseId;
use pg::Tx;
use sameness::Sketch;
use uuid::Uuid;

use super::{LONG, PARENT_TRIES, PostTaker, RATE_WINDOW, Taken};
use crate::post::{Matter, NEAR_FROM, NEAR_WINDOW, Post, SetAside, State};
use crate::store::{matters, posts};
use crate::webhook_source::Settings;

/// Has those who decide which matter a post is of take turns.
const TURN: &str = "post matters";

/// What is to be done with a post.
pub(super) enum Match {
    /// It is the first of its matter.
    Head,
    /// It becomes a complaint, whatever matter it is of: somebody says so.
    OfItsOwn,
    /// It belongs to a case.
    Case(CaseId),
    /// It tells of a matter that is known.
    Mention(Uuid),
    /// It becomes nothing.
    SetAside(SetAside),
    /// What it answers is about to become a case.
    Wait,
}

/// What is known of a post without looking at others.
struct Looked {
    rule: Option<String>,
    sketch: Option<Sketch>,
    reach_thresholds: Vec<i64>,
    most: i32,
    /// Until when the post is this replica's.
    until: Timestamp,
}

impl PostTaker {
    /// What is to be done with a post; its matter is noted, and counted once.
    pub(super) async fn matched(&self, taken: &mut Taken, settings: &Settings) -> Result<Match, Fault> {
        let content = &taken.post.content;
        let look = || {
            let rule = taken.ready.mapping.taken(content).map(str::to_owned);
            (rule, taken.post.sketch())
        };
        let (rule, sketch) = server::aside(content.text.len() > LONG, look);
        let looked = Looked {
            rule,
            sketch,
            reach_thresholds: taken.ready.spec.reach_thresholds.clone(),
            most: settings.max_per_author_hour,
            until: taken.until,
        };
        let mut post = taken.post.clone();
        let decided = self.db.transact("post.match", &taken.tenant, async move |mut tx| {
            let found = decide(&mut tx, &mut post, looked).await?;
            Ok((tx, (post, found)))
        });
        let (post, found) = decided.await?;
        taken.post = post;
        Ok(found)
    }
}

async fn decide(tx: &mut Tx, post: &mut Post, looked: Looked) -> Result<Match, Fault> {
    let now = posts::lock(tx, post.id).await?.filter(|now| now.state == State::Waiting);
    let Some(now) = now else { return Ok(Match::Wait) };
    post.matter = now.matter;
    if let Some(known) = decided_before(tx, post).await? {
        return Ok(known);
    }
    if let Some(case) = post.complaint.filter(|_| post.by_hand) {
        return Ok(Match::Case(case));
    }
    pg::hold(tx, TURN).await?;
    if !post.by_hand
        && let Some(thread) = thread(tx, post).await?
    {
        return Ok(thread);
    }
    let known = match matters::by_keys(tx, &post.keys()).await? {
        Some(known) => Some(known),
        None => near(tx, post, looked.sketch.as_ref()).await?,
    };
    if let Some(id) = known {
        if post.by_hand {
            return Ok(Match::OfItsOwn);
        }
        return count(tx, post, id, (looked.rule, looked.until)).await;
    }
    let Some(rule) = looked.rule.or_else(|| post.by_hand.then(String::new)) else {
        return Ok(Match::SetAside(SetAside::NoRule));
    };
    let is_known = !post.content.account().is_empty();
    if !post.by_hand
        && is_known
        && posts::count_of_account(tx, post, RATE_WINDOW).await? >= i64::from(looked.most)
    {
        return Ok(Match::SetAside(SetAside::AuthorRate));
    }
    let matter = Matter::new(post, &looked.reach_thresholds);
    matters::insert(tx, &matter, looked.sketch.as_ref()).await?;
    matters::put_keys(tx, matter.id, &post.keys()).await?;
    matters::count_account(tx, matter.id, post).await?;
    (post.matter, post.rule) = (Some(matter.id), rule);
    posts::save(tx, post, Some(looked.until)).await?;
    Ok(Match::Head)
}

/// What was decided about a post, where who took it died afterwards.
async fn decided_before(tx: &mut Tx, post: &Post) -> Result<Option<Match>, Fault> {
    let Some(id) = post.matter else { return Ok(None) };
    let Some(matter) = matters::lock(tx, id).await? else { return Ok(None) };
    Ok(Some(match post.complaint.filter(|_| post.by_hand) {
        Some(case) => Match::Case(case),
        None if matter.head == post.id && matter.complaint.is_none() => Match::Head,
        None if post.by_hand => Match::OfItsOwn,
        None if matter.head == post.id => Match::Head,
        None => Match::Mention(id),
    }))
}

/// The case of the post that one answers, where both are of the same account.
async fn thread(tx: &mut Tx, post: &Post) -> Result<Option<Match>, Fault> {
    let Some(parent) = post.parent_key() else { return Ok(None) };
    if let Some(id) = matters::by_keys(tx, &[parent]).await? {
        let matter = matters::lock(tx, id).await?.filter(|matter| matter.is_by(post));
        return Ok(match matter {
            Some(Matter { complaint: Some(case), .. }) => {
                // What is answered to this one belongs to the case, too.
                matters::put_keys(tx, id, &post.keys()).await?;
                Some(Match::Case(case))
            }
            Some(matter) if will_be_a_case(tx, &matter).await? => Some(Match::Wait),
            _ => None,
        });
    }
    let waits = post.attempts < PARENT_TRIES && posts::parent_waits(tx, post).await?;
    Ok(waits.then_some(Match::Wait))
}

/// Whether the post that is to be a matter's complaint is still on its way to become it.
async fn will_be_a_case(tx: &mut Tx, matter: &Matter) -> Result<bool, Fault> {
    if matter.abandoned {
        return Ok(false);
    }
    // The matter is locked: whoever looks at its post notes there first what it became.
    Ok(posts::get(tx, matter.head).await?.is_some_and(|head| head.state == State::Waiting))
}

/// The matter whose first text is nearly that of a post.
async fn near(tx: &mut Tx, post: &Post, sketch: Option<&Sketch>) -> Result<Option<Uuid>, Fault> {
    let Some(sketch) = sketch else { return Ok(None) };
    let others = matters::near(tx, sketch, post.received - NEAR_WINDOW).await?;
    let mut alike: Vec<(f64, Uuid)> =
        others.into_iter().map(|(id, other)| (sketch.likeness(&other), id)).collect();
    alike.retain(|(likeness, _)| *likeness >= NEAR_FROM);
    alike.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
    Ok(alike.first().map(|(_, id)| *id))
}

/// Counts a post to a matter. Where the one that was to be its complaint is none and is no more
/// on its way, this one becomes it, if a rule takes it.
async fn count(
    tx: &mut Tx,
    post: &mut Post,
    id: Uuid,
    (rule, until): (Option<String>, Timestamp),
) -> Result<Match, Fault> {
    let found = matters::lock(tx, id).await?;
    let mut matter = found.ok_or_else(|| Fault::internal("a key of a matter that is not there"))?;
    let is_another = matters::put_keys(tx, id, &post.keys()).await?;
    let (reach, before) = (post.content.reach, matters::count_account(tx, id, post).await?);
    let spread = &mut matter.spread;
    spread.reports += 1;
    spread.mentions += i64::from(is_another);
    spread.accounts += i64::from(before.is_none());
    spread.max_reach = spread.max_reach.max(reach);
    spread.total_reach = spread.total_reach.saturating_add((reach - before.unwrap_or_default()).max(0));
    spread.last = spread.last.max(post.received);
    let is_left = matter.complaint.is_none() && !will_be_a_case(tx, &matter).await?;
    let follows = is_left && rule.is_some();
    if follows {
        (matter.head, matter.abandoned) = (post.id, false);
        matter.account = post.content.account();
    }
    matters::save(tx, &matter).await?;
    (post.matter, post.rule) = (Some(id), rule.unwrap_or_default());
    posts::save(tx, post, Some(until)).await?;
    Ok(if follows { Match::Head } else { Match::Mention(id) })
}
