//! Reads mails that are kept: each becomes a complaint, is added to one, is handed to feedback,
//! or is set aside.

mod evidence;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use fault::Fault;
use jiff::SignedDuration;
use kernel::{Caller, CaseId, TenantId};
use mail::Mail;
use pg::{Db, Tx};
use proto::redress::intake::v1::{
    AddInformationRequest, Complaint, DeliveryReportReceived, Evidence, InformationSource,
};
use uuid::Uuid;
use work_queue::{Lease, Queue, Trouble, Work};

use super::{MAILS, keeping, tokens};
use crate::flow::attachments::Receiver;
use crate::flow::registering::{self, Registered, Registering};
use crate::flow::submission_queue::SubmissionQueue;
use crate::inbound_mail::{self as inbound, InboundMail, Road, SetAside, State};
use crate::mailbox::Settings;
use crate::refusal::Refusal;
use crate::store::{self, attachments, mailboxes, mails};
use crate::wire::mails as mails_wire;

/// For how long a mail is one replica's; beyond, that is taken to have died.
const LEASE: Duration = Duration::from_mins(5);
/// How often what a mail says may be refused for its evidence alone, which may change meanwhile.
const EVIDENCE_TRIES: i32 = 3;
/// Most bytes of a delivery report that feedback is handed.
const MAX_REPORT: usize = 262_144;
/// The time within which a sender's mails are counted.
const RATE_WINDOW: SignedDuration = SignedDuration::from_hours(1);
/// What may be said to have been received so long ago, at most (`Complaint.receive_time`); a
/// day less than that.
const OLDEST: SignedDuration = SignedDuration::from_hours((3 * 365 - 1) * 24);

/// Takes mails in.
pub(crate) struct MailTaker {
    db: Db,
    work: Queue,
    /// Has the key of tokens.
    queue: Arc<SubmissionQueue>,
    registering: Registering,
    /// Takes files in.
    receiver: Arc<Receiver>,
}

/// A mail that is being taken.
struct Taken {
    tenant: TenantId,
    mail: InboundMail,
    settings: Settings,
}

/// What became of a mail.
enum Became {
    /// A complaint.
    Complaint(CaseId),
    /// Information on one.
    Addition(CaseId),
    /// Nothing.
    SetAside(SetAside),
    /// A report for feedback.
    Report(Bytes),
}

impl From<Registered> for Became {
    fn from(registered: Registered) -> Self {
        match registered {
            Registered::Complaint(id) => Self::Complaint(id),
            Registered::Addition(id) => Self::Addition(id),
        }
    }
}

impl Work for MailTaker {
    fn queue(&self) -> &Queue {
        &self.work
    }

    async fn take(&self, lease: &Lease) -> Result<(), Trouble> {
        let tenant = lease.tenant();
        let Some(mut taken) = self.read_row(tenant, lease.id()).await? else { return Ok(()) };
        if !taken.mail.told_text.is_empty() {
            let became = self.told(&mut taken).await?;
            return Ok(self.settle(taken, became).await?);
        }
        let raw = self.raw(&taken).await?;
        let became = match keeping::read(tenant, raw.clone()).await? {
            Ok(mail) => self.became(&mut taken, &mail, raw).await?,
            Err(unreadable) => {
                taken.mail.remark(&unreadable.to_string());
                Became::SetAside(SetAside::Unreadable)
            }
        };
        Ok(self.settle(taken, became).await?)
    }
}

impl MailTaker {
    /// Takes the mails of a schema.
    pub(crate) fn new(
        queue: Arc<SubmissionQueue>,
        registering: Registering,
        receiver: Arc<Receiver>,
    ) -> Self {
        let work = Queue::new(("mail.take", "mail.put_off"), MAILS, mails::waiting(), LEASE);
        Self { db: registering.db.clone(), work, queue, registering, receiver }
    }

    /// The mail and its mailbox; none where somebody else has taken it, or the mailbox is no
    /// more: then the mail is set aside.
    async fn read_row(&self, tenant: &TenantId, id: Uuid) -> Result<Option<Taken>, Fault> {
        let read = self.db.transact("mail.read", tenant, async move |mut tx| {
            let mail = mails::lock(&mut tx, id).await?.filter(|mail| mail.state == State::Waiting);
            let Some(mut mail) = mail else { return Ok((tx, None)) };
            if let Some(mailbox) = mailboxes::get(&mut tx, &mail.mailbox).await? {
                return Ok((tx, Some((mail, mailbox.settings))));
            }
            mail.remark("its mailbox was deleted before it was read");
            (mail.state, mail.set_aside) = (State::SetAside, Some(SetAside::Refused));
            mails::save(&mut tx, &mail, None).await?;
            Ok((tx, None))
        });
        let taken = |(mail, settings)| Taken { tenant: tenant.clone(), mail, settings };
        Ok(read.await?.map(taken))
    }

    /// The bytes of a mail.
    async fn raw(&self, taken: &Taken) -> Result<Bytes, Fault> {
        let id = taken.mail.attachment.ok_or_else(|| Fault::internal("a mail without its bytes"))?;
        let read = self.db.transact("mail.content", &taken.tenant, async move |mut tx| {
            let found = attachments::get(&mut tx, id).await?;
            Ok((tx, found))
        });
        let of = read.await?.ok_or(Refusal::AttachmentNotFound)?;
        let mut raw = BytesMut::new();
        while i64::try_from(raw.len()).unwrap_or(i64::MAX) < of.size {
            let from = i64::try_from(raw.len()).unwrap_or(i64::MAX);
            raw.extend_from_slice(&self.receiver.contents().chunk(&taken.tenant, &of, from).await?);
        }
        Ok(raw.freeze())
    }

    /// What becomes of a mail that can be read.
    async fn became(&self, taken: &mut Taken, mail: &Mail, raw: Bytes) -> Result<Became, Fault> {
        for remark in &mail.remarks {
            taken.mail.remark(&remark.to_string());
        }
        let automatic = match inbound::road(mail, taken.mail.by_hand) {
            Road::SetAside(why) => return Ok(Became::SetAside(why)),
            Road::DeliveryReport => return Ok(Became::Report(raw.slice(..raw.len().min(MAX_REPORT)))),
            Road::Take { automatic } => automatic,
        };
        let key = taken.mail.request_id();
        if let Some(known) = self.registering.known("mail.known", &taken.tenant, key).await? {
            return Ok(known.into());
        }
        if !taken.mail.by_hand && self.is_too_many(taken).await? {
            return Ok(Became::SetAside(SetAside::SenderRate));
        }
        let case = if taken.mail.by_hand { taken.mail.complaint } else { self.case(taken, mail).await? };
        let evidence = self.evidence(taken, mail).await?;
        match case {
            Some(id) => self.add(taken, mail, id, evidence).await,
            None => self.register(taken, mail, automatic, evidence).await,
        }
    }

    /// What becomes of a mail that cannot be read here, and whose words somebody told: it is
    /// evidence where its bytes are here.
    async fn told(&self, taken: &mut Taken) -> Result<Became, Fault> {
        let key = taken.mail.request_id();
        if let Some(known) = self.registering.known("mail.known", &taken.tenant, key).await? {
            return Ok(known.into());
        }
        let evidence: Vec<Evidence> = self.whole(taken).await?.into_iter().collect();
        if let Some(id) = taken.mail.complaint {
            let text = taken.mail.told_text.clone();
            return self.add_text(taken, (id, text), evidence).await;
        }
        let mut complaint = mails_wire::told_complaint(&taken.mail, &taken.settings);
        complaint.evidence = evidence;
        self.submit(taken, complaint).await
    }

    async fn is_too_many(&self, taken: &Taken) -> Result<bool, Fault> {
        let (mail, most) = (taken.mail.clone(), taken.settings.max_per_sender_hour);
        if mail.sender.is_empty() {
            return Ok(false);
        }
        let read = self.db.transact("mail.rate", &taken.tenant, async move |mut tx| {
            let window = (mail.received - RATE_WINDOW, mail.received);
            let count = mails::count_of_sender(&mut tx, &mail, window).await?;
            Ok((tx, count))
        });
        Ok(read.await? >= i64::from(most))
    }

    /// The case a mail answers: by a token it bears, or as an answer of the same sender to a
    /// mail that became one.
    async fn case(&self, taken: &Taken, mail: &Mail) -> Result<Option<CaseId>, Fault> {
        let key = tokens::key(self.queue.key().await?, &taken.tenant)?;
        let of_envelope = taken.mail.recipients.iter().filter_map(|to| mail::tag::token_of_address(to));
        let tokens = of_envelope.chain(mail::tag::case_tokens(mail));
        let named: Vec<CaseId> = tokens.filter_map(|token| key.complaint(token)).map(CaseId).collect();
        let messages: Vec<String> = mail.in_reply_to.iter().chain(&mail.references).cloned().collect();
        let sender = taken.mail.sender.clone();
        let read = self.db.transact("mail.case", &taken.tenant, async move |mut tx| {
            for id in named {
                if store::get(&mut tx, id).await?.is_some() {
                    return Ok((tx, Some(id)));
                }
            }
            let answered = mails::thread(&mut tx, &sender, &messages).await?;
            Ok((tx, answered))
        });
        read.await
    }

    async fn add(
        &self,
        taken: &mut Taken,
        mail: &Mail,
        id: CaseId,
        evidence: Vec<Evidence>,
    ) -> Result<Became, Fault> {
        let mut remarks = Vec::new();
        let text = inbound::text(mail, &mut remarks);
        for remark in &remarks {
            taken.mail.remark(remark);
        }
        self.add_text(taken, (id, text), evidence).await
    }

    /// Adds what a mail says to a case.
    async fn add_text(
        &self,
        taken: &mut Taken,
        (id, text): (CaseId, String),
        evidence: Vec<Evidence>,
    ) -> Result<Became, Fault> {
        let request = AddInformationRequest {
            request_id: taken.mail.request_id(),
            complaint_id: id.to_string(),
            source: InformationSource::Complainant.into(),
            text,
            evidence,
            ..AddInformationRequest::default()
        };
        match self.registering.add(caller(taken), request).await {
            Ok(()) => Ok(Became::Addition(id)),
            Err(fault) => refused(taken, fault),
        }
    }

    async fn register(
        &self,
        taken: &mut Taken,
        mail: &Mail,
        automatic: bool,
        evidence: Vec<Evidence>,
    ) -> Result<Became, Fault> {
        let (mut complaint, remarks) = mails_wire::complaint(mail, &taken.mail, &taken.settings, automatic);
        for remark in &remarks {
            taken.mail.remark(remark);
        }
        complaint.evidence = evidence;
        self.submit(taken, complaint).await
    }

    /// Registers the complaint that a mail becomes.
    async fn submit(&self, taken: &mut Taken, mut complaint: Complaint) -> Result<Became, Fault> {
        if taken.mail.received < self.db.clock().now() - OLDEST {
            complaint.receive_time = None;
            taken.mail.remark("it arrived longer ago than a complaint may have: it counts from now on");
        }
        let (caller, key) = (caller(taken), taken.mail.request_id());
        // Two mails may bear one Message-ID and say different things.
        let number_is_taken = || taken.mail.remark("its Message-ID is that of another mail");
        match self.registering.register(&caller, key, complaint, number_is_taken).await {
            Ok(id) => Ok(Became::Complaint(id)),
            Err(fault) => refused(taken, fault),
        }
    }

    /// Notes what became of a mail.
    async fn settle(&self, taken: Taken, became: Became) -> Result<(), Fault> {
        let Taken { tenant, mut mail, .. } = taken;
        self.db
            .transact("mail.settle", &tenant, async move |mut tx| {
                let now = mails::lock(&mut tx, mail.id).await?;
                if now.is_none_or(|now| now.state != State::Waiting) {
                    return Ok((tx, ()));
                }
                match became {
                    Became::Complaint(id) => (mail.state, mail.complaint) = (State::Registered, Some(id)),
                    Became::Addition(id) => (mail.state, mail.complaint) = (State::Added, Some(id)),
                    Became::SetAside(why) => {
                        (mail.state, mail.set_aside) = (State::SetAside, Some(why));
                        mail.complaint = None;
                    }
                    Became::Report(message) => hand_over(&mut tx, &mut mail, &message).await?,
                }
                mails::save(&mut tx, &mail, None).await?;
                Ok((tx, ()))
            })
            .await
    }
}

/// What becomes of a mail that was refused: it is set aside, with what is wrong. What may
/// be otherwise the next time is tried again.
fn refused(taken: &mut Taken, fault: Fault) -> Result<Became, Fault> {
    let of_evidence = fault.violations().iter().any(|one| one.field.contains("evidence"));
    if of_evidence && taken.mail.attempts < EVIDENCE_TRIES {
        return Err(fault);
    }
    registering::refused(fault)?.iter().for_each(|wrong| taken.mail.remark(wrong));
    Ok(Became::SetAside(SetAside::Refused))
}

/// Tells feedback of a delivery report; the mail needs no bytes of its own from then on.
async fn hand_over(tx: &mut Tx, mail: &mut InboundMail, message: &[u8]) -> Result<(), Fault> {
    mail.state = State::DeliveryReport;
    let told = DeliveryReportReceived {
        mail_id: mail.id.to_string(),
        mailbox_id: mail.mailbox.clone(),
        recipients: mail.recipients.clone(),
        message: message.to_vec(),
    };
    tx.emit(mail.id, &told);
    if let Some(attachment) = mail.attachment.take()
        && attachments::lock(tx, attachment).await?.is_some()
    {
        attachments::delete(tx, attachment).await?;
    }
    Ok(())
}

/// Who registers: the mailbox, or who said that it is to be.
fn caller(taken: &Taken) -> Caller {
    registering::caller(&taken.tenant, &taken.mail.registrar, taken.mail.subject_of_reader())
}
