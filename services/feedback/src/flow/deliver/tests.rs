//! Whose notices are sent next, and by whom, where several tenants and replicas share
//! the queue.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use kernel::{CaseId, Lane, NoticeId, RandomIds, SystemClock};
use testkit::{Database, eventually};
use tokio::sync::watch;

use super::*;
use crate::address::OwnAddresses;
use crate::letter::Letters;
use crate::notice::routing::Routing;
use crate::notice::{Contact, Dispatch, Means, Owed, Word};
use crate::sender::Transport;

/// Takes everything over, once it is let.
struct Post {
    open: watch::Sender<bool>,
    sent: Mutex<Vec<String>>,
}

impl Post {
    fn new(open: bool) -> Arc<Self> {
        Arc::new(Self { open: watch::Sender::new(open), sent: Mutex::default() })
    }

    fn sent(&self) -> Vec<String> {
        self.sent.lock().expect("nobody panicked").clone()
    }
}

impl Transport for Post {
    fn send<'a>(&'a self, notice: &'a Notice, _: Option<&'a Contact>) -> BoxFuture<'a, Answer> {
        Box::pin(async move {
            let mut open = self.open.subscribe();
            open.wait_for(|open| *open).await.expect("the post is there");
            self.sent.lock().expect("nobody panicked").push(notice.recipient.clone());
            Answer::Taken("250 taken".to_owned())
        })
    }
}

fn by_mail(post: &Arc<Post>) -> Senders {
    Senders::new([(Means::Email, Arc::clone(post) as Arc<dyn Transport>)])
}

/// A copy of the schema, and a replica's pool over it.
async fn feedback() -> anyhow::Result<(Database, Db)> {
    let migrate =
        async |url: String| pg::migrate(&url, "feedback", &[&pg::MIGRATIONS, &crate::MIGRATIONS]).await;
    let database = Database::copy_of("deliver", migrate).await?;
    let db = replica(&database)?;
    Ok((database, db))
}

fn replica(database: &Database) -> anyhow::Result<Db> {
    Ok(Db::open(database.url(), 4, "feedback", Arc::new(SystemClock), Arc::new(RandomIds))?)
}

/// Owes somebody of a tenant so many acknowledgements, each at an address of its own.
async fn owe(db: &Db, tenant: &str, lane: Lane, count: usize) -> anyhow::Result<()> {
    let now = db.clock().now();
    let notice = |number: usize| {
        let case_id = CaseId(db.ids().id(now));
        let contact = Contact {
            case_id,
            recipient: format!("{number}@{tenant}.example"),
            phone: String::new(),
            channel: 0,
            name: String::new(),
            language: "en".to_owned(),
            subject: "a cup".to_owned(),
            traceparent: String::new(),
            anonymous: false,
            automatic: false,
            mail_token: String::new(),
            version: 1,
        };
        let word = Word::Acknowledgement;
        let owed = Owed { case_id, cycle: 1, word, zone: String::new(), traceparent: String::new() };
        let delivery = Delivery::mail(OwnAddresses::new([]));
        Notice::new(
            NoticeId(db.ids().id(now)),
            owed,
            &contact,
            Dispatch { delivery: &delivery, letters: &Letters::default(), routing: &Routing::shipped() },
            now,
        )
    };
    let notices: Vec<Notice> = (0..count).map(notice).collect();
    let tenant = TenantId::parse(tenant).map_err(anyhow::Error::msg)?;
    let posted = db
        .transact("test.owe", &tenant, async |mut tx| {
            let posted = store::post(&mut tx, &notices, lane).await?;
            Ok((tx, posted))
        })
        .await?;
    assert_eq!(posted.len(), count);
    Ok(())
}

/// Where in the order of sending the last notice of a tenant was.
fn last_of(sent: &[String], tenant: &str) -> Option<usize> {
    sent.iter().rposition(|to| to.ends_with(&format!("@{tenant}.example")))
}

#[tokio::test]
async fn a_tenant_with_many_notices_does_not_hold_up_another() -> anyhow::Result<()> {
    let (database, db) = feedback().await?;
    let (post, stop) = (Post::new(false), Stop::new());
    let at_once = usize::try_from(CONCURRENT)?;
    owe(&db, "many", Lane::Live, 6 * at_once).await?;
    let running = tokio::spawn(run(db.clone(), by_mail(&post), Delivery::default(), stop.clone()));
    eventually(async || post.open.receiver_count() == at_once).await;
    owe(&db, "few", Lane::Live, 4).await?;
    owe(&db, "bulky", Lane::Bulk, 4).await?;
    post.open.send_replace(true);
    eventually(async || post.sent().len() == 6 * at_once + 8).await;
    let (sent, claimed_meanwhile) = (post.sent(), at_once);
    assert!(last_of(&sent, "few") < Some(at_once + claimed_meanwhile), "{sent:?}");
    assert_eq!(last_of(&sent, "bulky"), Some(sent.len() - 1), "{sent:?}");
    stop.cancel();
    running.await?;
    db.pool().close().await;
    database.drop().await
}

#[tokio::test]
async fn two_replicas_send_each_notice_once() -> anyhow::Result<()> {
    const MANY: usize = 200;
    let (database, db) = feedback().await?;
    let (post, stop) = (Post::new(false), Stop::new());
    for tenant in ["one", "two"] {
        owe(&db, tenant, Lane::Live, MANY).await?;
    }
    let replicas = [db.clone(), replica(&database)?];
    let running: Vec<_> = replicas
        .iter()
        .map(|replica| tokio::spawn(run(replica.clone(), by_mail(&post), Delivery::default(), stop.clone())))
        .collect();
    // Both have their hands full, of one queue.
    eventually(async || post.open.receiver_count() == 2 * usize::try_from(CONCURRENT).unwrap_or(0)).await;
    post.open.send_replace(true);
    eventually(async || post.sent().len() >= 2 * MANY).await;
    stop.cancel();
    for replica in running {
        replica.await?;
    }
    let sent = post.sent();
    let once: BTreeSet<&String> = sent.iter().collect();
    assert_eq!((sent.len(), once.len()), (2 * MANY, 2 * MANY));
    for replica in &replicas {
        replica.pool().close().await;
    }
    database.drop().await
}
