//! How current facts are: told with all that is counted from them.

use std::collections::HashMap;

use fault::Fault;
use kernel::TenantId;
use pg::{Db, Tx};
use proto::redress::feedback::v1::FactState;
use server::FollowedSources;

use crate::fact::Rebuild;
use crate::flow::rebuild;
use crate::wire::SourceState;
use crate::{store, wire};

/// What the schema knows of how current its facts are.
pub(super) struct Known {
    rebuilds: Vec<Rebuild>,
    positions: rebuild::Positions,
    parked: HashMap<String, i64>,
}

/// Reads it, in the transaction that reads the facts.
pub(super) async fn known(tx: &mut Tx) -> Result<Known, Fault> {
    Ok(Known {
        rebuilds: store::rebuilds(tx).await?,
        positions: store::applied_positions(tx).await?,
        parked: store::parked_counts(tx).await?,
    })
}

/// Tells how current the facts of a schema are.
#[derive(Clone)]
pub(crate) struct FactStates {
    db: Db,
    sources: FollowedSources,
}

impl FactStates {
    /// Facts that come from these sources.
    pub(crate) fn new(db: Db, sources: FollowedSources) -> Self {
        Self { db, sources }
    }

    /// How current the facts are: asked of every feed at once.
    pub(super) async fn state(&self, tenant: &TenantId, known: Known) -> FactState {
        let Known { rebuilds, positions, parked } = known;
        let one = |source: &'static str| {
            let (positions, parked) = (&positions, parked.get(source).copied().unwrap_or(0));
            async move {
                let lag = rebuild::lag(&self.db, &self.sources, tenant, (source, positions)).await;
                SourceState { source, lag, parked }
            }
        };
        let states = futures::future::join_all(rebuild::sources().into_iter().map(one)).await;
        wire::fact_state(states, &rebuilds)
    }
}
