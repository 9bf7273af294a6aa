//! Looks at posts that are kept: each becomes a complaint, is counted to a matter, is added to
//! a case, or is set aside.

mod matching;

use std::sync::Arc;
use std::time::Duration;

use fault::{Fault, Kind, Refusal as _};
use jiff::SignedDuration;
use kernel::role::Roles;
use kernel::time::{doubled, later};
use kernel::{Caller, CaseId, Lane, Role, TenantId};
use pg::{Db, MutationContext, Tx};
use proto::redress::intake::v1::{
    AddInformationRequest, AddInformationResponse, Complaint, InformationSource, SubmitComplaintRequest,
};
use server::Stop;
use uuid::Uuid;

use super::POSTS;
use super::mappings::{Mappings, Ready};
use super::splitting::{self, Piece};
use crate::flow::additions::Additions;
use crate::flow::submissions::Submissions;
use crate::post::{Post, SetAside, State};
use crate::refusal::Refusal;
use crate::store::{self, matters, posts, webhook_sources};
use crate::webhook_source::WebhookSource;
use crate::wire::{forms as wire, posts as posts_wire};
use matching::Match;

/// How often to look, notified or not.
const POLL: Duration = Duration::from_secs(1);
/// For how long a post is one replica's; beyond, that is taken to have died.
pub(super) const LEASE: Duration = Duration::from_mins(5);
/// When one is tried again that could not be taken, for the first time; the double each time
/// after that.
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// Longest until one is tried again.
const LAST_RETRY: Duration = Duration::from_mins(5);
/// How often a post waits for the one that it answers.
const PARENT_TRIES: i32 = 30;
/// The time within which an author's posts are counted.
const RATE_WINDOW: SignedDuration = SignedDuration::from_hours(1);
/// Bytes of a text from which on looking at it takes a millisecond.
const LONG: usize = 8 << 10;

/// Takes posts.
pub(crate) struct PostTaker {
    /// Where posts are.
    pub(crate) db: Db,
    /// Has the mappings.
    pub(crate) mappings: Arc<Mappings>,
    /// Registers complaints.
    pub(crate) submissions: Arc<Submissions>,
    /// Adds to them.
    pub(crate) additions: Arc<Additions>,
    /// Whose post was taken last: the next is another tenant's, where another has one.
    pub(crate) last: String,
}

/// A post that is being taken.
struct Taken {
    tenant: TenantId,
    post: Post,
    source: WebhookSource,
    ready: Arc<Ready>,
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

impl PostTaker {
    /// Takes posts until told to stop. One that is given up then is another's at once; that of
    /// one who died, after its lease.
    pub(crate) async fn run(mut self, stop: Stop) {
        let mut listener = self.db.notifier().listen(POSTS);
        loop {
            let next = tokio::select! {
                () = stop.cancelled() => return,
                next = Box::pin(self.take_next(&stop)) => next,
            };
            match next {
                Ok(true) => {}
                Ok(false) => tokio::select! {
                    () = stop.cancelled() => return,
                    () = listener.notified_within(POLL) => {}
                },
                Err(fault) => {
                    tracing::warn!(fault = fault.chain(), "posts cannot be taken now");
                    tokio::time::sleep(POLL).await;
                }
            }
        }
    }

    /// Takes the post whose turn it is; whether there was one.
    async fn take_next(&mut self, stop: &Stop) -> Result<bool, Fault> {
        let last = self.last.clone();
        let next = self.db.transact_as_worker("post.take", async |mut tx| {
            let now = tx.now();
            let found = posts::take(&mut tx, &last, (now, later(now, LEASE))).await?;
            Ok((tx, found))
        });
        let Some((tenant, id)) = next.await? else { return Ok(false) };
        tenant.as_str().clone_into(&mut self.last);
        let taken = tokio::select! {
            taken = self.take(&tenant, id) => taken,
            () = stop.cancelled() => Err(Fault::stopping()),
        };
        if let Err(fault) = taken {
            self.put_off(&tenant, id, &fault).await?;
        }
        Ok(true)
    }

    async fn take(&self, tenant: &TenantId, id: Uuid) -> Result<(), Fault> {
        let Some((post, source)) = self.read(tenant, id).await? else { return Ok(()) };
        let Some(mut taken) = self.made_ready(tenant, post, source).await? else { return Ok(()) };
        let became = self.became(&mut taken).await?;
        self.settle(taken, became).await
    }

    /// The post and its source; none where somebody else has taken it, or the source is no
    /// more: then the post is set aside.
    async fn read(&self, tenant: &TenantId, id: Uuid) -> Result<Option<(Post, WebhookSource)>, Fault> {
        let read = self.db.transact("post.read", tenant, async move |mut tx| {
            let post = posts::lock(&mut tx, id).await?.filter(|post| post.state == State::Waiting);
            let Some(mut post) = post else { return Ok((tx, None)) };
            if let Some(source) = webhook_sources::get(&mut tx, &post.source).await? {
                return Ok((tx, Some((post, source))));
            }
            post.remark("its source was deleted before it was looked at");
            post.set_aside(SetAside::Refused);
            posts::save(&mut tx, &post, None).await?;
            Ok((tx, None))
        });
        read.await
    }

    /// The post with its mapping. One in which there was no text is read again, by the mapping
    /// that is active now; none where there still is none.
    async fn made_ready(
        &self,
        tenant: &TenantId,
        mut post: Post,
        source: WebhookSource,
    ) -> Result<Option<Taken>, Fault> {
        let is_unread = !post.content.says_something();
        if is_unread && source.active_mapping > 0 {
            post.mapping = source.active_mapping;
        }
        let ready = self.mappings.get(tenant, &post.source, post.mapping).await?;
        if is_unread {
            post = reread(tenant, ready.clone(), post).await?;
        }
        if post.state == State::SetAside {
            self.save(tenant, post).await?;
            return Ok(None);
        }
        Ok(Some(Taken { tenant: tenant.clone(), post, source, ready }))
    }

    async fn save(&self, tenant: &TenantId, post: Post) -> Result<(), Fault> {
        self.db
            .transact("post.save", tenant, async move |mut tx| {
                posts::save(&mut tx, &post, None).await?;
                Ok((tx, ()))
            })
            .await
    }

    /// What becomes of a post.
    async fn became(&self, taken: &mut Taken) -> Result<Became, Fault> {
        if let Some(known) = self.known(taken).await? {
            return Ok(known);
        }
        Ok(match self.matched(taken).await? {
            Match::Head | Match::OfItsOwn => self.register(taken).await?,
            Match::Case(id) => self.add(taken, id).await?,
            Match::Mention(matter) => {
                self.tell(taken, matter).await?;
                Became::Mention
            }
            Match::SetAside(why) => Became::SetAside(why),
            Match::Wait => Became::Later,
        })
    }

    /// What a post became already, where who took it died before that was noted.
    async fn known(&self, taken: &Taken) -> Result<Option<Became>, Fault> {
        let request_id = taken.post.request_id();
        let read = self.db.transact("post.known", &taken.tenant, async move |mut tx| {
            let added = store::additions::by_key(&mut tx, &request_id).await?;
            let registered = store::by_request(&mut tx, &request_id).await?;
            Ok((tx, (added, registered)))
        });
        let (added, registered) = read.await?;
        let added = added.map(|(id, ..)| Became::Addition(CaseId(id)));
        Ok(added.or(registered.map(Became::Complaint)))
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
        let context = MutationContext::new(caller(taken), &request);
        let further = wire::further(request)?;
        let add = async |tx: Tx, caller| -> Result<(Tx, AddInformationResponse), Fault> {
            self.additions.add(tx, &caller, further).await
        };
        match self.db.mutate(context, add).await {
            Ok(_) => Ok(Became::Addition(id)),
            Err(fault) => refused(taken, fault),
        }
    }

    /// Registers a post as a complaint.
    async fn register(&self, taken: &mut Taken) -> Result<Became, Fault> {
        let now = self.db.clock().now();
        let complaint = posts_wire::complaint(&taken.post, &taken.source.settings, now);
        match self.submit(taken, complaint.clone()).await {
            // Two networks count from one.
            Err(fault) if fault.reason() == Refusal::ExternalRefReused.reason() => {
                taken.post.remark("its number is that of another complaint of this channel");
                let other = Complaint { external_ref: String::new(), ..complaint };
                self.submit(taken, other).await.map(Became::Complaint).or_else(|fault| refused(taken, fault))
            }
            Err(fault) => refused(taken, fault),
            Ok(id) => Ok(Became::Complaint(id)),
        }
    }

    async fn submit(&self, taken: &Taken, complaint: Complaint) -> Result<CaseId, Fault> {
        let request =
            SubmitComplaintRequest { request_id: taken.post.request_id(), complaint: Some(complaint) };
        let (done, _) = Box::pin(self.submissions.submit(&caller(taken), Lane::Live, request)).await?;
        done.answer.complaint_id.parse().map(CaseId).map_err(Fault::internal)
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
                        post.attempts = post.attempts.saturating_add(1);
                        let next = later(tx.now(), FIRST_RETRY);
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
        let (additions, caller, ready) = (self.additions.clone(), reader(taken), taken.ready.clone());
        let told = self.db.transact("post.tell", &taken.tenant, async move |mut tx| {
            let Some(mut matter) = matters::lock(&mut tx, id).await? else { return Ok((tx, ())) };
            let news = matter.news(&ready.spec.mention_thresholds, &ready.spec.reach_thresholds);
            let (Some(case), Some(news)) = (matter.complaint, news) else { return Ok((tx, ())) };
            let further = wire::further(posts_wire::news(&matter, case, news))?;
            let (mut tx, _) = additions.add(tx, &caller, further).await?;
            (matter.told_mentions, matter.told_reach) = news;
            matters::save(&mut tx, &matter).await?;
            Ok((tx, ()))
        });
        told.await
    }

    /// Has a post that could not be taken tried again.
    async fn put_off(&self, tenant: &TenantId, id: Uuid, fault: &Fault) -> Result<(), Fault> {
        self.db
            .transact("post.put_off", tenant, async |mut tx| {
                let waiting = posts::lock(&mut tx, id).await?.filter(|post| post.state == State::Waiting);
                let Some(mut post) = waiting else { return Ok((tx, ())) };
                let is_outage = fault.kind() == Kind::Unavailable;
                let retry =
                    if is_outage { FIRST_RETRY } else { doubled(FIRST_RETRY, LAST_RETRY, post.attempts) };
                post.attempts = post.attempts.saturating_add(1);
                if post.attempts > 1 {
                    tracing::warn!(%tenant, post = %id, fault = fault.chain(), "a post cannot be taken; trying again");
                }
                let next = later(tx.now(), retry);
                posts::save(&mut tx, &post, Some(next)).await?;
                Ok((tx, ()))
            })
            .await
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
    let is_final = matches!(
        fault.kind(),
        Kind::Invalid | Kind::NotFound | Kind::Exists | Kind::Precondition | Kind::Forbidden
    );
    if !is_final {
        return Err(fault);
    }
    if fault.violations().is_empty() {
        taken.post.remark(fault.message());
    }
    for violation in fault.violations() {
        taken.post.remark(&format!("{} {}", violation.field, violation.description));
    }
    Ok(Became::SetAside(SetAside::Refused))
}

/// Who registers: the source, or who said that it is to be.
fn caller(taken: &Taken) -> Caller {
    let registrar = Some(&taken.post.registrar).filter(|registrar| !registrar.is_empty());
    let subject = registrar.cloned().unwrap_or_else(|| taken.post.subject_of_reader());
    Caller { subject: subject.into(), ..reader(taken) }
}

/// The machine that reads a source's posts.
fn reader(taken: &Taken) -> Caller {
    let subject = taken.post.subject_of_reader();
    Caller { tenant: taken.tenant.clone(), subject: subject.into(), roles: Roles::one(Role::Channel) }
}
