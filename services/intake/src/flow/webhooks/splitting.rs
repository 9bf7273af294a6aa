//! Splits deliveries that are kept into posts, and reads each by the source's mapping.

use std::sync::Arc;
use std::time::Duration;

use fault::Fault;
use jiff::Timestamp;
use kernel::TenantId;
use kernel::time::later;
use pg::{Db, Tx};
use posts::{Content, Mapping, Problem};
use server::Length;
use uuid::Uuid;
use work_queue::{Lease, Queue, Trouble, Work};

use super::mappings::{Mappings, Ready};
use super::{DELIVERIES, POSTS};
use crate::post::{Post, SetAside, placed};
use crate::store::webhook_deliveries::{self as deliveries, Delivery};
use crate::store::{posts as kept, webhook_sources as sources};
use crate::webhook_source::{MAPPING_REFUSED, Refused};

/// For how long a delivery is one replica's; beyond, that is taken to have died.
const LEASE: Duration = Duration::from_mins(5);
/// When it is looked whether there is a mapping, where there was none.
const NO_MAPPING_WAIT: Duration = Duration::from_mins(5);

/// Splits deliveries.
pub(crate) struct Splitter {
    db: Db,
    work: Queue,
    mappings: Arc<Mappings>,
}

/// A delivery that is being split.
struct Taken {
    delivery: Delivery,
    /// The mapping of its source: 0 where there is none yet, none where there is no source.
    mapping: Option<i64>,
}

/// A post of a delivery.
pub(crate) struct Piece {
    /// As it came.
    pub(crate) item: String,
    /// What is read of it.
    pub(crate) content: Content,
    /// What had to be left out.
    pub(crate) problems: Vec<Problem>,
}

impl Work for Splitter {
    fn queue(&self) -> &Queue {
        &self.work
    }

    async fn take(&self, lease: &Lease) -> Result<(), Trouble> {
        Ok(self.split(lease.tenant(), lease.id()).await?)
    }
}

impl Splitter {
    /// Splits the deliveries of a schema.
    pub(crate) fn new(db: Db, mappings: Arc<Mappings>) -> Self {
        let work = Queue::new(("webhook.take", "webhook.put_off"), DELIVERIES, deliveries::waiting(), LEASE);
        Self { db, work, mappings }
    }

    async fn split(&self, tenant: &TenantId, id: Uuid) -> Result<(), Fault> {
        let Some(Taken { delivery, mapping }) = self.read(tenant, id).await? else { return Ok(()) };
        let source = delivery.source_id.clone();
        let read = match mapping {
            None => Err("its source was deleted before it was read".to_owned()),
            Some(0) => return self.wait_for_mapping(tenant, id).await,
            Some(number) => {
                let ready = self.mappings.get(tenant, &source, number).await?;
                pieces(tenant, ready, delivery.body.clone()).await?
            }
        };
        let made = (mapping.unwrap_or_default(), read);
        self.db
            .transact("webhook.split", tenant, async move |mut tx| {
                let received = delivery.received();
                if deliveries::lock(&mut tx, id).await?.is_some() {
                    write(&mut tx, (&source, received), made).await?;
                    deliveries::split(&mut tx, id).await?;
                    tx.notify(POSTS);
                }
                Ok((tx, ()))
            })
            .await
    }

    async fn read(&self, tenant: &TenantId, id: Uuid) -> Result<Option<Taken>, Fault> {
        let read = self.db.transact("webhook.read", tenant, async move |mut tx| {
            let Some(delivery) = deliveries::lock(&mut tx, id).await? else { return Ok((tx, None)) };
            let source = sources::get(&mut tx, &delivery.source_id).await?;
            let mapping = source.map(|source| source.active_mapping);
            Ok((tx, Some(Taken { delivery, mapping })))
        });
        read.await
    }

    /// Has a delivery split later whose source has no mapping yet.
    async fn wait_for_mapping(&self, tenant: &TenantId, id: Uuid) -> Result<(), Fault> {
        self.db
            .transact("webhook.wait", tenant, async move |mut tx| {
                let Some(delivery) = deliveries::lock(&mut tx, id).await? else { return Ok((tx, ())) };
                // A mapping that was activated meanwhile is not waited for.
                let source = sources::get(&mut tx, &delivery.source_id).await?;
                let has_mapping = source.is_none_or(|source| source.active_mapping > 0);
                let next = if has_mapping { tx.now() } else { later(tx.now(), NO_MAPPING_WAIT) };
                deliveries::put_off(&mut tx, id, next).await?;
                Ok((tx, ()))
            })
            .await
    }
}

/// The posts of a body; an error, in words, where it cannot be read.
async fn pieces(
    tenant: &TenantId,
    ready: Arc<Ready>,
    body: Vec<u8>,
) -> Result<Result<Vec<Piece>, String>, Fault> {
    let read = move || split(&ready.mapping, &body);
    server::blocking(tenant, Length::Quick, "webhook.split", read).await
}

/// The posts of a body by a mapping. It computes for milliseconds.
pub(crate) fn split(mapping: &Mapping, body: &[u8]) -> Result<Vec<Piece>, String> {
    let body = posts::read(body).map_err(|unreadable| unreadable.to_string())?;
    let items = mapping.items(&body)?;
    let piece = |item: &serde_json::Value| {
        let (content, problems) = mapping.content(item);
        Piece { item: item.to_string(), content, problems }
    };
    Ok(items.into_iter().map(piece).collect())
}

/// Writes the posts of a delivery, and on its source whether they can be read.
async fn write(
    tx: &mut Tx,
    (source, received): (&str, Timestamp),
    (mapping, read): (i64, Result<Vec<Piece>, String>),
) -> Result<(), Fault> {
    let (now, base) = (tx.now(), tx.new_id());
    let posts: Vec<Post> = match read {
        Ok(pieces) => pieces
            .into_iter()
            .enumerate()
            .map(|(place, piece)| Post {
                mapping,
                ..post(piece, Post::new(placed(base, place), source, received))
            })
            .collect(),
        Err(words) => {
            let mut unreadable = Post { mapping, ..Post::new(base, source, received) };
            unreadable.remark(&words);
            unreadable.set_aside(SetAside::Unreadable);
            vec![unreadable]
        }
    };
    for post in &posts {
        kept::insert(tx, post, now).await?;
    }
    let refused: Vec<&Post> = posts.iter().filter(|post| post.set_aside.is_some()).collect();
    if let Some(first) = refused.first() {
        let refused = Refused {
            reason: MAPPING_REFUSED.to_owned(),
            words: first.remarks.join("; "),
            since: now,
            count: i32::try_from(refused.len()).unwrap_or(i32::MAX),
        };
        sources::refused(tx, source, &refused).await
    } else {
        sources::accepted(tx, source, MAPPING_REFUSED).await
    }
}

/// A post as it was read; one in which there is no text is set aside.
pub(super) fn post(piece: Piece, mut post: Post) -> Post {
    let Piece { item, content, problems } = piece;
    for Problem { field, what } in &problems {
        post.remark(&format!("{field} {what}"));
    }
    (post.item, post.content) = (item, content);
    if !post.content.says_something() {
        post.set_aside(SetAside::Unmapped);
    }
    post
}
