//! The rpcs of `CallBackService`.

use fault::Fault;
use kernel::{Caller, CaseId};
use pg::{Db, Tx};
use proto::redress::feedback::v1::call_back_service_server::CallBackService;
use proto::redress::feedback::v1::{
    ActivateCallBackPolicyRequest, ActivateCallBackPolicyResponse, CallBack as CallBackView,
    CountCallBacksRequest, CountCallBacksResponse, CreateCallBackPolicyRequest, CreateCallBackPolicyResponse,
    GetCallBackPolicyRequest, GetCallBackPolicyResponse, ListCallBacksRequest, ListCallBacksResponse,
    RecordCallBackAttemptRequest, RecordCallBackAttemptResponse, RequestCallBackRequest,
    RequestCallBackResponse,
};
use tonic::{Request, Response, Status};

use super::revisions::{self, Settled};
use crate::call_back::{Attempt, CallBack, Policy, Wish};
use crate::flow::follow_up;
use crate::notice::Delivery;
use crate::refusal::Refusal;
use crate::response::{Answer, Satisfaction, Verdict};
use crate::revision::Subject;
use crate::wire::{Attempted, WantedCall};
use crate::{store, wire};

const POLICY: Settled<'static> =
    Settled { subject: Subject::CallBackPolicy, name: "", missing: Refusal::CallBackPolicyNotFound };

/// Serves call-backs.
pub(crate) struct CallBacks {
    db: Db,
    delivery: Delivery,
}

impl CallBacks {
    /// Serves the call-backs of a schema.
    pub(crate) fn new(db: Db, delivery: Delivery) -> Self {
        Self { db, delivery }
    }
}

/// Call-backs with whom to call.
async fn shown(tx: &mut Tx, call_backs: Vec<CallBack>) -> Result<Vec<(String, CallBackView)>, Fault> {
    let cases: Vec<CaseId> = call_backs.iter().map(|call_back| call_back.case_id).collect();
    let contacts = store::contacts(tx, &cases).await?;
    let profiles = store::profiles(tx, &cases).await?;
    let now = tx.now();
    let shown = |call_back: CallBack| {
        (wire::call_back_key(&call_back), wire::call_back(call_back, &contacts, &profiles, now))
    };
    Ok(call_backs.into_iter().map(shown).collect())
}

/// Disputes the outcome of a cycle in the complainant's words, where it still takes an
/// answer. Answers whether it did.
async fn dispute(tx: &mut Tx, case: CaseId, cycle: i32, comment: &str) -> Result<bool, Fault> {
    let locked = store::lock_cycles(tx, &[(case, Some(cycle))]).await?;
    let Some((_, mut cycle, _)) = locked.into_iter().next() else { return Ok(false) };
    let satisfaction = Satisfaction::default();
    let answer = Answer { verdict: Verdict::Disputed, comment: comment.to_owned(), satisfaction };
    let received = wire::received(&cycle, &answer);
    if cycle.take(answer, tx.now()).is_err() {
        return Ok(false);
    }
    store::save(tx, &[cycle]).await?;
    tx.emit(case.0, &received);
    Ok(true)
}

/// Records an attempt. Cycles are locked before their call-backs, as by who answers one.
async fn record(
    tx: &mut Tx,
    delivery: &Delivery,
    wanted: Attempted,
    caller: &Caller,
) -> Result<CallBackView, Fault> {
    let id = wanted.id;
    let known = store::call_back(tx, id).await?.ok_or(Refusal::CallBackNotFound)?;
    let recused =
        store::profiles(tx, &[known.case_id]).await?.remove(&known.case_id).unwrap_or_default().recused;
    if recused.contains(&caller.subject.to_lowercase()) {
        return Err(Refusal::CallerRecused.into());
    }
    known.check_due()?;
    wanted.check_asked(&known)?;
    let contact = store::contact(tx, known.case_id).await?;
    tx.join_trace(contact.as_ref().map_or("", |contact| &contact.traceparent));
    let disputed =
        wanted.satisfied == Some(false) && dispute(tx, known.case_id, known.cycle, &wanted.note).await?;
    let mut call_back = store::lock_call_back(tx, id).await?.ok_or(Refusal::CallBackNotFound)?;
    let policy = revisions::read(tx, POLICY, Some(call_back.policy), Policy::shipped()).await?.content;
    wanted.check_asked(&call_back)?;
    let attempt = wanted.attempt(call_back.next_attempt(), caller.subject.to_string(), tx.now());
    let attempt = Attempt { disputed, ..attempt };
    call_back.take(attempt.clone(), &policy)?;
    store::save_call_back(tx, &call_back).await?;
    tx.emit(call_back.case_id.0, &wire::attempted(&call_back, &attempt));
    follow_up::missed(tx, delivery, &policy, &call_back, &attempt).await?;
    let view = shown(tx, vec![call_back]).await?.pop();
    view.map(|(_, view)| view).ok_or_else(|| Fault::internal("nothing is shown"))
}

/// Has a complainant called who asks for it.
async fn request(
    tx: &mut Tx,
    delivery: &Delivery,
    wanted: WantedCall,
    caller: &Caller,
) -> Result<CallBackView, Fault> {
    let case = wanted.case_id;
    let contact = store::contact(tx, case).await?.ok_or(Refusal::ContactNotFound)?;
    let profile = store::hold_profiles(tx, &[case]).await?.remove(&case).unwrap_or_default();
    if profile.recused.contains(&caller.subject.to_lowercase()) {
        return Err(Refusal::CallerRecused.into());
    }
    if profile.standing.ends_requested_call_backs() {
        return Err(Refusal::CallBackUnwanted.into());
    }
    tx.join_trace(&contact.traceparent);
    let cycle = store::cycle_of(tx, case).await?.unwrap_or(1);
    let window = wanted.due(&profile.time_zone, tx.now())?;
    let (not_before, by) = window.unzip();
    let wish =
        Wish { phone: wanted.phone, not_before, requester: caller.subject.to_string(), note: wanted.note };
    if wish.dialled(&profile, tx.now()).kind.is_none() {
        return Err(Refusal::PhoneUnknown.into());
    }
    let due = follow_up::asked_for(tx, delivery, (case, cycle), &profile.time_zone, wish, by).await?;
    let view = shown(tx, vec![due]).await?.pop();
    view.map(|(_, view)| view).ok_or_else(|| Fault::internal("nothing is shown"))
}

#[tonic::async_trait]
impl CallBackService for CallBacks {
    async fn create_call_back_policy(
        &self,
        request: Request<CreateCallBackPolicyRequest>,
    ) -> Result<Response<CreateCallBackPolicyResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let seed = self.db.ids().token().simple().to_string();
        let (wanted, note) = wire::made_policy(request, &seed)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let made = revisions::create(&mut tx, POLICY, wanted, note, &caller.subject).await?;
            Ok((tx, CreateCallBackPolicyResponse { policy: Some(wire::policy(made)) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn activate_call_back_policy(
        &self,
        request: Request<ActivateCallBackPolicyRequest>,
    ) -> Result<Response<ActivateCallBackPolicyResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let version = wire::policy_version(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let put =
                revisions::activate(&mut tx, POLICY, version, Policy::shipped(), &caller.subject).await?;
            Ok((tx, ActivateCallBackPolicyResponse { policy: Some(wire::policy(put)) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn get_call_back_policy(
        &self,
        request: Request<GetCallBackPolicyRequest>,
    ) -> Result<Response<GetCallBackPolicyResponse>, Status> {
        let caller = server::caller(&request)?;
        let version = wire::version_of(request.into_inner().version)?;
        let read = self.db.transact("call_back_policy.get", &caller.tenant, async move |mut tx| {
            let read = revisions::read(&mut tx, POLICY, version, Policy::shipped()).await?;
            Ok((tx, read))
        });
        Ok(Response::new(GetCallBackPolicyResponse { policy: Some(wire::policy(read.await?)) }))
    }

    async fn list_call_backs(
        &self,
        request: Request<ListCallBacksRequest>,
    ) -> Result<Response<ListCallBacksResponse>, Status> {
        let caller = server::caller(&request)?;
        let wire::CallBackListQuery { filter, page, after } = wire::call_backs_of(request.into_inner())?;
        let wanted = page.clone();
        let listed = self.db.transact("call_backs.list", &caller.tenant, async move |mut tx| {
            let call_backs = store::call_backs(&mut tx, filter, &wanted, after).await?;
            let shown = shown(&mut tx, call_backs).await?;
            Ok((tx, shown))
        });
        let (call_backs, next_page_token) = server::page(&page, listed.await?);
        Ok(Response::new(ListCallBacksResponse { call_backs, next_page_token }))
    }

    async fn record_call_back_attempt(
        &self,
        request: Request<RecordCallBackAttemptRequest>,
    ) -> Result<Response<RecordCallBackAttemptResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let wanted = wire::attempt(request)?;
        let delivery = self.delivery.clone();
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let call_back = record(&mut tx, &delivery, wanted, &caller).await?;
            Ok((tx, RecordCallBackAttemptResponse { call_back: Some(call_back) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn request_call_back(
        &self,
        request: Request<RequestCallBackRequest>,
    ) -> Result<Response<RequestCallBackResponse>, Status> {
        let (context, asked) = server::mutation(request)?;
        let wanted = wire::call_wanted(asked)?;
        let delivery = self.delivery.clone();
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let call_back = self::request(&mut tx, &delivery, wanted, &caller).await?;
            Ok((tx, RequestCallBackResponse { call_back: Some(call_back) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn count_call_backs(
        &self,
        request: Request<CountCallBacksRequest>,
    ) -> Result<Response<CountCallBacksResponse>, Status> {
        let caller = server::caller(&request)?;
        let (from, until) = wire::period(request.into_inner())?;
        let count = self.db.transact("call_backs.count", &caller.tenant, async move |mut tx| {
            let count = store::count_call_backs(&mut tx, from, until).await?;
            Ok((tx, count))
        });
        Ok(Response::new(wire::counted(count.await?)))
    }
}
