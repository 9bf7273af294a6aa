//! Looks at posts that are kept: each becomes a complaint, is counted to a matter, is added to
//! a case, or is set aside.

mod matching;

use std::sync::Arc;
use std::time::Duration;

use fault::Fault;
use jiff::{SignedDuration, Timestamp};
use kernel::time::later;
use kernel::{Caller, CaseId, TenantId};
use pg::{Db, Tx};
use proto::redress::intake::v1::{AddInformationRequest, InformationSource};
use uuid::Uuid;
use work_queue::{Blame, Lease, Queue, Retry, Trouble, Work};

use super::POSTS;
use super::mappings::{Mappings, Ready};
use super::splitting::{self, Piece};
use crate::flow::registering::{self, Registered, Registering};
use crate::post::{Post, SetAside, State};
use crate::store::{matters, posts, webhook_sources};
use crate::webhook_source::{Settings, WebhookSource};
use crate::wire::{forms as wire, posts as posts_wire};
use matching::Match;

/// For how long a post is one replica's; beyond, that is taken to have died.
const LEASE: Duration = Duration::from_mins(5);
/// How often a post waits for the one that it answers to be looked at, once a second; for one
/// that is to become a complaint it waits on, ever longer.
const PARENT_TRIES: i32 = 30;
/// The time within which an author's posts are counted.
const RATE_WINDOW: SignedDuration = SignedDuration::from_hours(1);
/// Bytes of a text from which on looking at it takes a millisecond.
const LONG: usize = 8 << 10;

/// Takes posts.
pub(crate) struct PostTaker {
    db: Db,
    work: Queue,
    mappings: Arc<Mappings>,
    registering: Registering,
}

/// A post that is being taken.
struct Taken {
    tenant: TenantId,
    post: Post,
    /// None where it was deleted.
    source: Option<WebhookSource>,
    ready: Arc<Ready>,
    /// Until when it is this replica's.
    until: Timestamp,
}

/// What became of a post.
#[derive(Clone, Copy)]
enum Became {
    /// A complaint.
    Complaint(CaseId),
    /// Information on one.
    Addition(CaseId),
    /// One of a matter's.
    Mention,
    /// Nothing.
    SetAside(SetAside),
    /// Nothing yet: what it answers is about to become a case.
    Later,
}

impl From<Registered> for Became {
    fn from(registered: Registered) -> Self {
        match registered {
            Registered::Complaint(id) => Self::Complaint(id),
            Registered::Addition(id) => Self::Addition(id),
        }
    }
}

impl Work for PostTaker {
    fn queue(&self) -> &Queue {
        &self.work
    }

    async fn take(&self, lease: &Lease) -> Result<(), Trouble> {
        let Some((post, source)) = self.read(lease.tenant(), lease.id()).await? else { return Ok(()) };
        let Some(mut taken) = self.made_ready(lease, post, source).await? else { return Ok(()) };
        let became = self.became(&mut taken).await?;
        Ok(self.settle(taken, became).await?)
    }
}

impl PostTaker {
    /// Takes the posts of a schema.
    pub(crate) fn new(mappings: Arc<Mappings>, registering: Registering) -> Self {
        let work = Queue::new(("post.take", "post.put_off"), POSTS, posts::waiting(), LEASE);
        Self { db: registering.db.clone(), work, mappings, registering }
    }

    /// The post and its source, if that is still there; none where somebody else has taken it.
    async fn read(
        &self,
        tenant: &TenantId,
        id: Uuid,
    ) -> Result<Option<(Post, Option<WebhookSource>)>, Fault> {
        let read = self.db.transact("post.read", tenant, async move |mut tx| {
            let post = posts::lock(&mut tx, id).await?.filter(|post| post.state == State::Waiting);
            let Some(post) = post else { return Ok((tx, None)) };
            let source = webhook_sources::get(&mut tx, &post.source).await?;
            Ok((tx, Some((post, source))))
        });
        read.await
    }

    /// The post with its mapping. One in which there was no text is read again, by the mapping
    /// that is active now; none where there still is none.
    async fn made_ready(
        &self,
        lease: &Lease,
        mut post: Post,
        source: Option<WebhookSource>,
    ) -> Result<Option<Taken>, Fault> {
        let tenant = lease.tenant();
        let is_unread = !post.content.says_something();
        let active = source.as_ref().map_or(0, |source| source.active_mapping);
        if is_unread && active > 0 {
            post.mapping = active;
        }
        let ready = self.mappings.get(tenant, &post.source, post.mapping).await?;
        if is_unread {
            post = reread(tenant, ready.clone(), post).await?;
        }
        if post.state == State::SetAside {
            self.save(tenant, post).await?;
            return Ok(None);
        }
        Ok(Some(Taken { tenant: tenant.clone(), post, source, ready, until: lease.until() }))
    }

    async fn save(&self, tenant: &TenantId, post: Post) -> Result<(), Fault> {
        self.db
            .transact("post.save", tenant, async move |mut tx| {
                posts::save(&mut tx, &post, None).await?;
                abandon(&mut tx, &post).await?;
                Ok((tx, ()))
            })
            .await
    }

    /// What becomes of a post.
    async fn became(&self, taken: &mut Taken) -> Result<Became, Fault> {
        let key = taken.post.request_id();
        if let Some(known) = self.registering.known("post.known", &taken.tenant, key).await? {
            return Ok(known.into());
        }
        let Some(settings) = taken.source.as_ref().map(|source| source.settings.clone()) else {
            taken.post.remark("its source was deleted before it was looked at");
            return Ok(Became::SetAside(SetAside::Refused));
        };
        Ok(match self.matched(taken, &settings).await? {
            Match::Head | Match::OfItsOwn => self.register(taken, &settings).await?,
            Match::Case(id) => self.add(taken, id).await?,
            Match::Mention(matter) => {
                self.tell(taken, matter).await?;
                Became::Mention
            }
            Match::SetAside(why) => Became::SetAside(why),
            Match::Wait => Became::Later,
        })
    }

    async fn add(&self, taken: &mut Taken, id: CaseId) -> Result<Became, Fault> {
        let request = AddInformationRequest {
            request_id: taken.post.request_id(),
            complaint_id: id.to_string(),
            source: InformationSource::Complainant.into(),
            text: posts_wire::description(&taken.post.content),
            evidence: posts_wire::evidence(&taken.post.content),
            ..AddInformationRequest::default()
        };
        match self.registering.add(caller(taken), request).await {
            Ok(()) => Ok(Became::Addition(id)),
            Err(fault) => refused(taken, fault),
        }
    }

    /// Registers a post as a complaint.
    async fn register(&self, taken: &mut Taken, settings: &Settings) -> Result<Became, Fault> {
        let now = self.db.clock().now();
        let complaint = posts_wire::complaint(&taken.post, settings, now);
        let (caller, key) = (caller(taken), taken.post.request_id());
        // Two networks count from one.
        let number_is_taken = || taken.post.remark("its number is that of another complaint of this channel");
        match self.registering.register(&caller, key, complaint, number_is_taken).await {
            Ok(id) => Ok(Became::Complaint(id)),
            Err(fault) => refused(taken, fault),
        }
    }

    /// Notes what became of a post. Its matter first: the case is told of what was counted
    /// while there was none, and whoever dies before the end does all of it again.
    async fn settle(&self, taken: Taken, became: Became) -> Result<(), Fault> {
        if let Became::Complaint(id) = became {
            self.bind(&taken, id).await?;
        }
        let Taken { tenant, mut post, .. } = taken;
        self.db
            .transact("post.settle", &tenant, async move |mut tx| {
                let now = posts::lock(&mut tx, post.id).await?;
                if now.is_none_or(|now| now.state != State::Waiting) {
                    return Ok((tx, ()));
                }
                match became {
                    Became::Complaint(id) => (post.state, post.complaint) = (State::Registered, Some(id)),
                    Became::Addition(id) => (post.state, post.complaint) = (State::Added, Some(id)),
                    Became::Mention => (post.state, post.complaint) = (State::Mention, None),
                    Became::SetAside(why) => {
                        post.set_aside(why);
                        abandon(&mut tx, &post).await?;
                    }
                    Became::Later => {
                        // What cannot be registered for long is not asked after each second.
                        let more = post.attempts.saturating_sub(PARENT_TRIES);
                        post.attempts = post.attempts.saturating_add(1);
                        let next = later(tx.now(), Retry::default().again(more, Blame::Work).after);
                        posts::save(&mut tx, &post, Some(next)).await?;
                        return Ok((tx, ()));
                    }
                }
                posts::save(&mut tx, &post, None).await?;
                Ok((tx, ()))
            })
            .await
    }

    /// Notes which complaint the matter of a post is, where the post is the one that became it,
    /// and tells the case how far it has spread meanwhile.
    async fn bind(&self, taken: &Taken, id: CaseId) -> Result<(), Fault> {
        let Some(matter) = taken.post.matter else { return Ok(()) };
        let head = taken.post.id;
        let bind = self.db.transact("post.bind", &taken.tenant, async move |mut tx| {
            let found = matters::lock(&mut tx, matter).await?.filter(|matter| matter.head == head);
            let is_bound = found.is_some();
            if let Some(mut matter) = found {
                (matter.complaint, matter.abandoned) = (Some(id), false);
                matters::save(&mut tx, &matter).await?;
            }
            Ok((tx, is_bound))
        });
        if bind.await? { self.tell(taken, matter).await } else { Ok(()) }
    }

    /// Tells the case of a matter which thresholds it has passed; each once.
    async fn tell(&self, taken: &Taken, id: Uuid) -> Result<(), Fault> {
        let (additions, caller, ready) =
            (self.registering.additions.clone(), reader(taken), taken.ready.clone());
        let told = self.db.transact("post.tell", &taken.tenant, async move |mut tx| {
            let Some(mut matter) = matters::lock(&mut tx, id).await? else { return Ok((tx, ())) };
            let crossed =
                matter.crossed_thresholds(&ready.spec.mention_thresholds, &ready.spec.reach_thresholds);
            let (Some(case), Some(crossed)) = (matter.complaint, crossed) else { return Ok((tx, ())) };
            let further = wire::further(posts_wire::spread_update(&matter, case, crossed))?;
            let (mut tx, _) = additions.add(tx, &caller, further).await?;
            (matter.told_mentions, matter.told_reach) = crossed;
            matters::save(&mut tx, &matter).await?;
            Ok((tx, ()))
        });
        told.await
    }
}

/// Reads a post anew, by a mapping.
async fn reread(tenant: &TenantId, ready: Arc<Ready>, post: Post) -> Result<Post, Fault> {
    let read = move || {
        let (item, mapping) = (post.item.clone(), post.mapping);
        let read: Result<serde_json::Value, _> = serde_json::from_str(&item);
        let value = read.unwrap_or_default();
        let (content, problems) = ready.mapping.content(&value);
        Post { mapping, ..splitting::post(Piece { item, content, problems }, post) }
    };
    server::blocking(tenant, server::Length::Quick, "post.read", read).await
}

/// Has the next post of a matter become its complaint, where this one was to and is refused.
async fn abandon(tx: &mut Tx, post: &Post) -> Result<(), Fault> {
    let Some(id) = post.matter else { return Ok(()) };
    let found = matters::lock(tx, id).await?.filter(|matter| matter.head == post.id);
    let Some(mut matter) = found else { return Ok(()) };
    matter.abandoned = true;
    matters::save(tx, &matter).await
}

/// What becomes of a post that was refused: it is set aside, with what is wrong. What may be
/// otherwise the next time is tried again.
fn refused(taken: &mut Taken, fault: Fault) -> Result<Became, Fault> {
    registering::refused(fault)?.iter().for_each(|wrong| taken.post.remark(wrong));
    Ok(Became::SetAside(SetAside::Refused))
}

/// Who registers: the source, or who said that it is to be.
fn caller(taken: &Taken) -> Caller {
    registering::caller(&taken.tenant, &taken.post.registrar, taken.post.subject_of_reader())
}

/// The machine that reads a source's posts.
fn reader(taken: &Taken) -> Caller {
    registering::caller(&taken.tenant, "", taken.post.subject_of_reader())
}
