//! Intake: takes complaints in from every channel.
//!
//! Owns the complaint as received, its receipt code, and the promise that a
//! submission repeated is one complaint. Never decides anything about it: that is
//! the case's, which bears the complaint's id.
//!
//! A submission is read and checked (`rpc`, `wire`), then goes through the
//! `submission_queue`: whatever arrives while a transaction commits goes into the next one
//! together. Each complaint is told of in the transaction that stores it.
//!
//! What a `form` asks for a category, `forms` keeps ready; what was filled in, then or
//! later, is checked against it.
//!
//! What was pressed in a telephone system's menu is looked up in the version in force
//! (`ivr_menu`), and what it says fills in what a call leaves open (`wire/phone`).
//!
//! A submission that was told before is known by its key, or by its channel's number
//! and what it says (`wire/content`); whether a channel's numbers are one complaint's
//! each is settled by the tenant (`rpc/channels`).
//!
//! A complaint's files are its `attachment`s: uploaded before (`rpc/attachments`), kept in
//! chunks, looked at rather than believed, scanned if a scanner is set, and collected where
//! nothing refers to them (`flow/attachments`).
//!
//! Mails that arrive in a `mailbox`, fetched or handed over, are `inbound_mail`: each is kept,
//! then becomes a complaint, is added to one, or is set aside (`flow/mailboxes`).
//!
//! What a `webhook_source` posts is believed by its signature (`webhook_delivery`) and kept, then
//! split into `post`s by a mapping; one post by many accounts is one matter (`flow/webhooks`). A
//! `reply_draft` is what is answered in public.
//!
//! Files that are put into a `file_drop` are each a `dropped_file`: noted, read row by row, told
//! what became of each row, and moved (`flow/file_drops`).
//!
//! To add an rpc: the contract first, then parse in `wire`, act in `rpc`, SQL in
//! `store`, and a row each for good, bad and repeated in `tests/rpc.rs`.

mod attachment;
mod channel;
mod complaint;
mod dropped_file;
mod file_drop;
mod flow;
mod form;
mod inbound_mail;
mod ivr_menu;
mod mailbox;
mod post;
mod refusal;
mod reply_draft;
mod rpc;
mod store;
mod webhook_delivery;
mod webhook_source;
mod wire;

use std::sync::Arc;

use anyhow::Context as _;
use kernel::receipt::ReceiptKey;
use proto::redress::intake::v1::attachment_service_server::AttachmentServiceServer;
use proto::redress::intake::v1::channel_service_server::ChannelServiceServer;
use proto::redress::intake::v1::file_drop_service_server::FileDropServiceServer;
use proto::redress::intake::v1::form_service_server::FormServiceServer;
use proto::redress::intake::v1::intake_service_server::IntakeServiceServer;
use proto::redress::intake::v1::ivr_menu_service_server::IvrMenuServiceServer;
use proto::redress::intake::v1::mailbox_service_server::MailboxServiceServer;
use proto::redress::intake::v1::post_service_server::PostServiceServer;
use proto::redress::intake::v1::webhook_source_service_server::WebhookSourceServiceServer;
use server::{Kit, Parts, Secret, Service};
use sqlx::migrate::Migrator;

use crate::flow::additions::Additions;
use crate::flow::attachments::Receiver;
use crate::flow::attachments::clamd::Address;
use crate::flow::attachments::contents::Contents;
use crate::flow::attachments::scanner::Scanner;
use crate::flow::file_drops::place::Places;
use crate::flow::file_drops::taking::FileTaker;
use crate::flow::file_drops::watching::Watcher;
use crate::flow::mailboxes::fetching::Fetcher;
use crate::flow::mailboxes::handover::Handover;
use crate::flow::mailboxes::keeping::MailKeeper;
use crate::flow::mailboxes::taking::MailTaker;
use crate::flow::registering::Registering;
use crate::flow::submission_queue::SubmissionQueue;
use crate::flow::submissions::Submissions;
use crate::flow::webhooks::mappings::Mappings;
use crate::flow::webhooks::receiving::DeliveryReceiver;
use crate::flow::webhooks::refusals::Refusals;
use crate::flow::webhooks::splitting::Splitter;
use crate::flow::webhooks::taking::PostTaker;

static MIGRATIONS: Migrator = sqlx::migrate!();

/// Intake, as a process hosts it.
pub const SERVICE: Service = Service { name: "intake", port: 50051, migrations: &MIGRATIONS, open };

fn open(kit: &Kit, parts: &mut Parts) -> anyhow::Result<()> {
    let key = kit.settings.receipt_key.as_ref().map(receipt_key).transpose()?;
    let (queue, worker) = SubmissionQueue::new(kit.db.clone(), key);
    let (queue, forms) = (Arc::new(queue), Arc::new(flow::forms::Forms::new(kit.db.clone())));
    let menus = Arc::new(flow::ivr_menus::IvrMenus::new(kit.db.clone()));
    let submissions = Arc::new(Submissions::new(kit.db.clone(), queue.clone(), forms.clone(), menus.clone()));
    let additions = Arc::new(Additions::new(forms.clone()));
    parts.route(IntakeServiceServer::new(rpc::Intake::new(kit.db.clone(), submissions.clone())));
    parts.route(ChannelServiceServer::new(rpc::channels::ChannelRpc::new(kit.db.clone())));
    parts.route(FormServiceServer::new(rpc::forms::FormRpc::new(kit.db.clone(), forms, additions.clone())));
    parts.route(IvrMenuServiceServer::new(rpc::ivr_menus::IvrMenuRpc::new(kit.db.clone(), menus)));
    parts.worker("submissions", |stop| worker.run(stop));
    let receiver = open_attachments(kit, parts, queue.clone())?;
    let registering =
        || Registering { db: kit.db.clone(), submissions: submissions.clone(), additions: additions.clone() };
    open_webhooks(kit, parts, registering());
    open_file_drops(kit, parts, &queue, &submissions)?;
    let keeper = MailKeeper::new(kit.db.clone(), receiver.contents().clone());
    let taker = MailTaker::new(queue, registering(), receiver);
    open_mailboxes(kit, parts, taker, &keeper)
}

fn open_file_drops(
    kit: &Kit,
    parts: &mut Parts,
    queue: &Arc<SubmissionQueue>,
    submissions: &Arc<Submissions>,
) -> anyhow::Result<()> {
    let places = Arc::new(Places::new(kit.db.clock().clone(), &kit.settings)?);
    parts
        .route(FileDropServiceServer::new(rpc::file_drops::FileDropRpc::new(kit.db.clone(), places.clone())));
    let watcher = Watcher::new(kit.db.clone(), places.clone());
    parts.worker("file_drops.watch", |stop| watcher.run(stop));
    let taker = FileTaker::new(kit.db.clone(), queue.clone(), submissions.clone(), places);
    let db = kit.db.clone();
    parts.worker("dropped_files.take", |stop| work_queue::run(db, taker, stop));
    parts.retention(&kit.db, flow::file_drops::ENDED);
    parts.queue_age(&kit.db, "redress.file_drop.age", store::dropped_files::waiting_since());
    parts.queue_age(&kit.db, "redress.file_drop.failing.age", store::file_drops::failing_since());
    parts.queue_age(&kit.db, "redress.file_drop.silent.age", store::file_drops::silent_since());
    Ok(())
}

fn open_mailboxes(kit: &Kit, parts: &mut Parts, taker: MailTaker, keeper: &MailKeeper) -> anyhow::Result<()> {
    parts.route(MailboxServiceServer::new(rpc::mailboxes::MailboxRpc::new(kit.db.clone())));
    let db = kit.db.clone();
    parts.worker("mails.take", |stop| work_queue::run(db, taker, stop));
    let fetcher = Fetcher::new(keeper.clone(), &kit.settings)?;
    parts.worker("mailboxes.fetch", |stop| fetcher.run(stop));
    if let Some(listen) = kit.settings.mails.smtp_listen {
        let handover = Handover::new(keeper.clone(), listen, &kit.settings)?;
        parts.worker("mails.hand_over", |stop| handover.run(stop));
    }
    parts.retention(&kit.db, flow::mailboxes::SET_ASIDE);
    parts.queue_age(&kit.db, "redress.mail.age", store::mails::waiting_since());
    parts.queue_age(&kit.db, "redress.mail.unfetched.age", store::mails::unfetched_since());
    parts.queue_age(&kit.db, "redress.channel.silent.age", store::channels::silent_since());
    parts.queue_age(&kit.db, "redress.mailbox.failing.age", store::mailboxes::failing_since());
    parts.queue_age(&kit.db, "redress.mailbox.silent.age", store::mailboxes::silent_since());
    Ok(())
}

fn open_webhooks(kit: &Kit, parts: &mut Parts, registering: Registering) {
    let db = || kit.db.clone();
    let (refusals, mappings) = (Refusals::default(), Arc::new(Mappings::new(db())));
    let receiver = DeliveryReceiver::new(db(), refusals.clone());
    let sources = rpc::webhook_sources::WebhookSourceRpc::new(db(), receiver, mappings.clone());
    parts.route(WebhookSourceServiceServer::new(sources));
    parts.route(PostServiceServer::new(rpc::posts::PostRpc::new(db())));
    let noting = db();
    parts.worker("webhooks.refused", |stop| refusals.run(noting, stop));
    let (splitter, splitting) = (Splitter::new(db(), mappings.clone()), db());
    parts.worker("webhooks.split", |stop| work_queue::run(splitting, splitter, stop));
    let (taker, taking) = (PostTaker::new(mappings, registering), db());
    parts.worker("posts.take", |stop| work_queue::run(taking, taker, stop));
    for retention in
        [flow::webhooks::SET_ASIDE, flow::webhooks::DELIVERED, flow::webhooks::SKETCHES, flow::webhooks::KEYS]
    {
        parts.retention(&kit.db, retention);
    }
    parts.queue_age(&kit.db, "redress.webhook.post.age", store::posts::waiting_since());
    parts.queue_age(&kit.db, "redress.webhook.source.failing.age", store::webhook_sources::failing_since());
    parts.queue_age(&kit.db, "redress.webhook.source.silent.age", store::webhook_sources::silent_since());
}

fn open_attachments(
    kit: &Kit,
    parts: &mut Parts,
    queue: Arc<SubmissionQueue>,
) -> anyhow::Result<Arc<Receiver>> {
    let clamd = kit.settings.clamd.as_deref().map(Address::parse).transpose()?;
    let bucket = kit.settings.objects.bucket()?;
    let is_beside = bucket.is_some();
    let contents = Arc::new(Contents::new(kit.db.clone(), bucket));
    if is_beside {
        let collecting = contents.clone();
        parts.worker("attachments.objects", |stop| collecting.collect(stop));
        let unwanted = store::attachments::contents::unwanted_since();
        parts.queue_age(&kit.db, "redress.attachment.object.age", unwanted);
    }
    let receiver = Arc::new(Receiver::new(kit.db.clone(), contents.clone(), clamd.is_some()));
    parts.route(AttachmentServiceServer::new(rpc::attachments::AttachmentRpc::new(
        kit.db.clone(),
        receiver.clone(),
        queue,
    )));
    if let Some(clamd) = clamd {
        let (scanner, db) = (Scanner::new(kit.db.clone(), contents, clamd), kit.db.clone());
        parts.worker("attachments.scan", |stop| work_queue::run(db, scanner, stop));
    }
    parts.retention(&kit.db, flow::attachments::collector::UNWANTED);
    parts.retention(&kit.db, flow::attachments::collector::ORPHANS);
    let unscanned = store::attachments::keeping::unscanned_since();
    parts.queue_age(&kit.db, "redress.attachment.scan.age", unscanned);
    Ok(receiver)
}

fn receipt_key(secret: &Secret) -> anyhow::Result<ReceiptKey> {
    ReceiptKey::new(secret.expose().as_bytes())
        .context("REDRESS_RECEIPT_KEY must have at least 16 characters")
}
