//! The rpcs of `MailboxService`.

use fault::Fault;
use pg::{Db, Tx};
use proto::redress::intake::v1::mailbox_service_server::MailboxService;
use proto::redress::intake::v1::{
    DeleteMailboxRequest, DeleteMailboxResponse, DismissMailRequest, DismissMailResponse, GetMailRequest,
    GetMailResponse, GetMailboxRequest, GetMailboxResponse, ListMailboxesRequest, ListMailboxesResponse,
    ListMailsRequest, ListMailsResponse, RegisterMailRequest, RegisterMailResponse, SetMailboxRequest,
    SetMailboxResponse,
};
use tonic::{Request, Response, Status};

use crate::flow::mailboxes::{MAILBOXES, MAILS};
use crate::inbound_mail::State;
use crate::mailbox::{MAX_MAILBOXES, Mailbox};
use crate::refusal::Refusal;
use crate::store::{mailboxes as store, mails};
use crate::wire::mailboxes as wire;

/// The rpcs of `MailboxService`.
pub(crate) struct MailboxRpc {
    db: Db,
}

impl MailboxRpc {
    /// Serves the mailboxes of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }
}

/// Sets a mailbox up, or changes it.
async fn set(
    tx: &mut Tx,
    wire::Setting { mut settings, expected }: wire::Setting,
    updater: String,
) -> Result<Mailbox, Fault> {
    let count = store::hold(tx).await?;
    let now = tx.now();
    let before = store::lock(tx, &settings.id).await?;
    let version = before.as_ref().map_or(0, |before| before.version);
    if expected.is_some_and(|seen| seen != version) {
        return Err(Fault::version_mismatch(version));
    }
    if before.is_none() && count >= MAX_MAILBOXES {
        return Err(Refusal::TooManyMailboxes.into());
    }
    if let Some(before) = &before {
        settings.keep_secret_of(&before.settings);
    }
    if settings.lacks_secret() {
        return Err(wire::lacks_secret());
    }
    let mailbox = match before {
        None => Mailbox::new(settings, updater, now),
        Some(mut before) => {
            before.change(settings, updater, now);
            before
        }
    };
    store::save(tx, &mailbox).await.map_err(|error| {
        if fault::breaks(&error, store::ADDRESS_KEY) {
            Refusal::MailAddressTaken.into()
        } else {
            Fault::from(error)
        }
    })?;
    tx.notify(MAILBOXES);
    Ok(mailbox)
}

#[tonic::async_trait]
impl MailboxService for MailboxRpc {
    async fn set_mailbox(
        &self,
        request: Request<SetMailboxRequest>,
    ) -> Result<Response<SetMailboxResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let setting = wire::setting(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let mailbox = set(&mut tx, setting, caller.subject.to_string()).await?;
            let counts = mails::count_unfetched(&mut tx).await?;
            let mailbox = Some(wire::mailbox(mailbox, &counts, tx.now()));
            Ok((tx, SetMailboxResponse { mailbox }))
        });
        Ok(server::reply(done.await?))
    }

    async fn get_mailbox(
        &self,
        request: Request<GetMailboxRequest>,
    ) -> Result<Response<GetMailboxResponse>, Status> {
        let tenant = server::caller(&request)?.tenant;
        let id = wire::mailbox_id(request.into_inner())?;
        let read = self.db.transact("mailbox.get", &tenant, async move |mut tx| {
            let mailbox = store::get(&mut tx, &id).await?.ok_or(Refusal::MailboxNotFound)?;
            let counts = mails::count_unfetched(&mut tx).await?;
            let mailbox = Some(wire::mailbox(mailbox, &counts, tx.now()));
            Ok((tx, GetMailboxResponse { mailbox }))
        });
        Ok(Response::new(read.await?))
    }

    async fn list_mailboxes(
        &self,
        request: Request<ListMailboxesRequest>,
    ) -> Result<Response<ListMailboxesResponse>, Status> {
        let tenant = server::caller(&request)?.tenant;
        let ListMailboxesRequest {} = request.into_inner();
        let read = self.db.transact("mailbox.list", &tenant, async move |mut tx| {
            let (all, counts) = (store::list(&mut tx).await?, mails::count_unfetched(&mut tx).await?);
            let now = tx.now();
            let mailboxes = all.into_iter().map(|one| wire::mailbox(one, &counts, now)).collect();
            Ok((tx, ListMailboxesResponse { mailboxes }))
        });
        Ok(Response::new(read.await?))
    }

    async fn delete_mailbox(
        &self,
        request: Request<DeleteMailboxRequest>,
    ) -> Result<Response<DeleteMailboxResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (id, expected) = wire::deleted_mailbox(request)?;
        let done = self.db.mutate(context, async move |mut tx, _| {
            let mailbox = store::lock(&mut tx, &id).await?.ok_or(Refusal::MailboxNotFound)?;
            if expected.is_some_and(|seen| seen != mailbox.version) {
                return Err(Fault::version_mismatch(mailbox.version));
            }
            store::delete(&mut tx, &id).await?;
            tx.notify(MAILBOXES);
            Ok((tx, DeleteMailboxResponse {}))
        });
        Ok(server::reply(done.await?))
    }

    async fn list_mails(
        &self,
        request: Request<ListMailsRequest>,
    ) -> Result<Response<ListMailsResponse>, Status> {
        let tenant = server::caller(&request)?.tenant;
        let wire::List { page, filter, before } = wire::list(request.into_inner())?;
        let limit = page.limit();
        let read = self.db.transact("mail.list", &tenant, async move |mut tx| {
            let rows = mails::list(&mut tx, &filter, before, limit).await?;
            Ok((tx, rows))
        });
        let rows = read.await?.into_iter().map(|one| (one.id.to_string(), wire::mail(one)));
        let (mails, next_page_token) = server::page(&page, rows);
        Ok(Response::new(ListMailsResponse { mails, next_page_token }))
    }

    async fn get_mail(&self, request: Request<GetMailRequest>) -> Result<Response<GetMailResponse>, Status> {
        let tenant = server::caller(&request)?.tenant;
        let id = wire::mail_id(request.get_ref())?;
        let read = self.db.transact("mail.get", &tenant, async move |mut tx| {
            let mail = mails::get(&mut tx, id).await?.ok_or(Refusal::MailNotFound)?;
            Ok((tx, GetMailResponse { mail: Some(wire::mail(mail)) }))
        });
        Ok(Response::new(read.await?))
    }

    async fn register_mail(
        &self,
        request: Request<RegisterMailRequest>,
    ) -> Result<Response<RegisterMailResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let wire::ByHand { id, complaint, text } = wire::registered_mail(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let mut mail = mails::lock(&mut tx, id).await?.ok_or(Refusal::MailNotFound)?;
            if mail.state != State::SetAside {
                return Err(Refusal::MailNotSetAside.into());
            }
            match (mail.is_readable(), text.is_empty()) {
                (true, false) => return Err(wire::says_itself()),
                (false, true) => return Err(Refusal::MailUnreadable.into()),
                _ => {}
            }
            if let Some(complaint) = complaint {
                crate::store::get(&mut tx, complaint).await?.ok_or(Refusal::ComplaintNotFound)?;
            }
            (mail.state, mail.set_aside) = (State::Waiting, None);
            (mail.complaint, mail.by_hand, mail.attempts) = (complaint, true, 0);
            mail.registrar = caller.subject.to_string();
            mail.told_text = text;
            (mail.dismisser, mail.dismiss_reason) = (String::new(), String::new());
            let now = tx.now();
            mails::save(&mut tx, &mail, Some(now)).await?;
            tx.notify(MAILS);
            Ok((tx, RegisterMailResponse { mail: Some(wire::mail(mail)) }))
        });
        Ok(server::reply(done.await?))
    }

    async fn dismiss_mail(
        &self,
        request: Request<DismissMailRequest>,
    ) -> Result<Response<DismissMailResponse>, Status> {
        let (context, request) = server::mutation(request)?;
        let (id, reason) = wire::dismissed_mail(request)?;
        let done = self.db.mutate(context, async move |mut tx, caller| {
            let mut mail = mails::lock(&mut tx, id).await?.ok_or(Refusal::MailNotFound)?;
            if mail.state != State::SetAside {
                return Err(Refusal::MailNotSetAside.into());
            }
            (mail.dismisser, mail.dismiss_reason) = (caller.subject.to_string(), reason);
            mails::save(&mut tx, &mail, None).await?;
            Ok((tx, DismissMailResponse { mail: Some(wire::mail(mail)) }))
        });
        Ok(server::reply(done.await?))
    }
}
