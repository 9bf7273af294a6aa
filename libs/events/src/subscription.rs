//! What a reader of a feed asks for.

use std::sync::Arc;

use kernel::{Lane, TenantId};
use proto::redress::event::v1::Event;

use crate::MAX_BATCH;
use crate::delivered::type_name;

/// Whose events are read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Tenants {
    /// Everybody's.
    #[default]
    All,
    /// One tenant's.
    Only(TenantId),
    /// Everybody's but these tenants'.
    Except(Arc<[TenantId]>),
}

/// What a reader asks of a feed.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// Position of the last event applied.
    pub cursor: i64,
    /// The feed's epoch the cursor is of; empty when it is not known.
    pub epoch: String,
    /// The lane; none reads both, in the order of their positions.
    pub lane: Option<Lane>,
    /// Whose events.
    pub tenants: Tenants,
    /// Full protobuf names of the payloads; empty for all.
    pub types: Arc<[String]>,
    /// Most events of a batch.
    pub max: usize,
}

impl Subscription {
    /// Everything after a cursor, of these payload types.
    pub fn after(cursor: i64, types: &[&str]) -> Self {
        Self {
            cursor,
            epoch: String::new(),
            lane: None,
            tenants: Tenants::All,
            types: types.iter().map(ToString::to_string).collect(),
            max: MAX_BATCH,
        }
    }

    /// Whether an event is one that is asked for.
    pub fn wants(&self, event: &Event) -> bool {
        let is_of_lane = self.lane.is_none_or(|lane| lane == Lane::of(event.lane));
        let is_of_tenant = match &self.tenants {
            Tenants::All => true,
            Tenants::Only(tenant) => event.tenant_id == tenant.as_str(),
            Tenants::Except(others) => others.iter().all(|other| event.tenant_id != other.as_str()),
        };
        is_of_lane && is_of_tenant && (self.types.is_empty() || self.is_of_types(event))
    }

    fn is_of_types(&self, event: &Event) -> bool {
        let name = event.payload.as_ref().map(|payload| type_name(&payload.type_url));
        self.types.iter().any(|wanted| Some(wanted.as_str()) == name)
    }
}
