//! The only road between services.
//!
//! A service tells what happened by writing into its outbox (`pg::Tx::emit`), or into
//! rows that are events themselves and that its `feed()` adds (intake's complaints). Its
//! [`Feed`] streams them to whoever subscribes; a [`Consumer`] applies
//! another service's feed through its [`Reactor`], moving its cursor in the same
//! transaction: every event takes effect exactly once, in order per case.
//!
//! - The feed never skips an event whose transaction commits late: [`horizon`].
//! - A feed has two lanes, so that what a person has just done does not wait behind an
//!   import; order per case holds across them. Within a lane, a tenant with a backlog is
//!   read apart from the others.
//! - An event that cannot be applied is parked, with what follows of its case;
//!   other cases go on. It can be seen and driven again: [`inbox_service`]. One that met
//!   a busy database is tried again by itself.
//! - A cursor is of an epoch: a database restored to an earlier moment is noticed.
//! - [`Source`] is the transport. In one process it is the feed itself, across
//!   processes the gRPC stream of `redress.event.v1`.
#![warn(clippy::missing_errors_doc)]

mod capability;
mod consumer;
mod cursor;
mod delivered;
mod feed;
mod grpc;
pub mod horizon;
mod inbound;
mod inbox;
mod outside;
mod parked;
mod subscription;

use futures::future::BoxFuture;
use futures::stream::BoxStream;
use std::sync::Arc;

use fault::Fault;
use pg::Tx;
use proto::redress::event::v1::Event;
use sqlx::migrate::Migrator;

pub use capability::without_capabilities;
pub use consumer::Consumer;
pub use delivered::Delivered;
pub use feed::{Feed, LocalSource};
pub use grpc::{Authorization, GrpcSource, feed_service};
pub use inbound::{is_named, joined, not_followed};
pub use inbox::inbox_service;
pub use subscription::{Subscription, Tenants};

/// The contracts, for [`inbound!`].
#[doc(hidden)]
pub use proto::redress as contracts;

/// The tables of a consumer.
pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// Most events of one batch.
pub const MAX_BATCH: usize = 500;

/// Which events of which service a consumer applies.
#[derive(Clone, Copy, Debug)]
pub struct Follow {
    /// The service that tells them.
    pub source: &'static str,
    /// Full protobuf names of their payloads.
    pub types: &'static [&'static str],
}

/// What a service does about the events it follows.
pub trait Reactor: Send + Sync + 'static {
    /// The service's name.
    fn consumer(&self) -> &'static str;

    /// What it follows.
    fn follows(&self) -> &'static [Follow];

    /// Applies events of one source and one tenant, in feed order, in the
    /// transaction that moves the cursor. An event that no longer fits is skipped;
    /// an error rolls the whole batch back and has its events tried one by one.
    fn react<'a>(&'a self, tx: &'a mut Tx, batch: &'a [Delivered]) -> BoxFuture<'a, Result<(), Fault>>;
}

/// Events read at once, and where to resume.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// In feed order; may be empty.
    pub events: Vec<Arc<Event>>,
    /// Everything up to here has been read or left out by the filter.
    pub cursor: i64,
    /// Last position that could be read then: beyond the cursor, there is more.
    pub head: i64,
    /// The feed's epoch; empty where the feed has none.
    pub epoch: Arc<str>,
}

/// A feed as its reader sees it, wherever it is.
pub trait Source: Send + Sync + 'static {
    /// Streams what is asked for, without end; an error ends the stream, and the reader
    /// subscribes again.
    fn subscribe(&self, wanted: Subscription) -> BoxStream<'static, Result<Batch, Fault>>;
}
