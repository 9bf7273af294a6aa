//! Tenants that are read apart from the others of their lane: because they have a
//! backlog, behind which nobody else shall wait, or because their events resist.

use std::collections::HashSet;
use std::convert::Infallible;
use std::time::Duration;

use fault::Fault;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use kernel::TenantId;

use super::apply::Piece;
use super::lane::Work;
use super::{Consumer, RETRY, SILENCE, silent};
use crate::cursor::{self, Part};
use crate::{Batch, Tenants};

/// A batch so small is the end of a backlog.
const FEW: usize = 50;
/// Longest pause before a tenant whose events resist is tried again.
const MAX_PAUSE: Duration = Duration::from_secs(5);

impl Consumer {
    /// Applies the events of the tenants that are read apart, each on its own.
    pub(super) async fn read_apart(&self, work: &Work<'_>) -> Infallible {
        let mut apart = work.apart.subscribe();
        let mut known = HashSet::new();
        let mut running = FuturesUnordered::new();
        loop {
            for tenant in apart.borrow_and_update().iter() {
                if known.insert(tenant.clone()) {
                    running.push(self.read_tenant(work, tenant.clone()));
                }
            }
            tokio::select! {
                _ = apart.changed() => {}
                Some(tenant) = running.next(), if !running.is_empty() => {
                    known.remove(&tenant);
                }
            }
        }
    }

    /// Applies a tenant's events until it is read with the others again.
    async fn read_tenant(&self, work: &Work<'_>, tenant: TenantId) -> TenantId {
        let part = work.part(Some(tenant.clone()));
        let mut pause = RETRY;
        loop {
            match self.read_tenant_once(work, &part, &mut pause).await {
                Ok(true) => break,
                Ok(false) => {}
                Err(fault) => {
                    let (source, lane) = (part.source, part.lane.name());
                    tracing::warn!(source, lane, %tenant, fault = fault.chain(), "a tenant's events resist");
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
        work.apart.send_modify(|apart| apart.retain(|other| *other != tenant));
        tenant
    }

    /// Answers whether the tenant is read with the others again.
    async fn read_tenant_once(
        &self,
        work: &Work<'_>,
        part: &Part,
        pause: &mut Duration,
    ) -> Result<bool, Fault> {
        let progress = self.look_now(part.source).await?;
        let (Some(cursor), Some(tenant)) = (progress.of(part), &part.apart) else { return Ok(true) };
        let mut stream = work.source.subscribe(work.subscription(cursor, Tenants::Only(tenant.clone())));
        loop {
            let next = tokio::time::timeout(SILENCE, stream.next()).await.map_err(|_| silent())?;
            let Some(batch) = next else { return Ok(false) };
            let Batch { events, cursor, epoch, .. } = batch?;
            let piece = Piece::new(self.open(&events, work.lane), cursor, epoch);
            if !self.apply_all(work, part, &[], &piece).await? {
                return Ok(true);
            }
            *pause = RETRY;
            if piece.events.len() <= FEW && self.rejoin(work, part, &piece).await? {
                return Ok(true);
            }
        }
    }

    /// Has a tenant read apart from now on, if there is room; answers whether it is.
    pub(super) async fn set_apart(&self, work: &Work<'_>, tenant: &TenantId) -> Result<bool, Fault> {
        if !Self::has_room_apart(&work.apart.borrow()) {
            return Ok(false);
        }
        let (main, key, tenant) = (work.part(None), work.key(), tenant.clone());
        let progress = self
            .db
            .transact_shared("inbox.set_apart", async move |mut tx| {
                cursor::lock(&mut tx, &main).await?;
                cursor::set_apart(&mut tx, key, &tenant).await?;
                let progress = cursor::look(&mut tx, main.source).await?;
                Ok((tx, progress))
            })
            .await?;
        self.note(work.follow.source, work.lane, &progress);
        work.apart.send_replace(progress.apart(work.lane));
        Ok(true)
    }

    /// Has a tenant read with the others again, if it stands where they do: nothing of it
    /// lies between the two cursors, as its last batch tells. Answers whether it is.
    async fn rejoin(&self, work: &Work<'_>, part: &Part, last: &Piece) -> Result<bool, Fault> {
        let (main, part) = (work.part(None), part.clone());
        let (cursor, source) = (last.cursor, part.source);
        let positions: Vec<i64> = last.events.iter().map(|event| event.position).collect();
        let progress = self
            .db
            .transact_shared("inbox.rejoin", async move |mut tx| {
                cursor::lock(&mut tx, &main).await?;
                let progress = cursor::lock(&mut tx, &part).await?;
                let (Some(lane), Some(mine)) = (progress.of(&main), progress.of(&part)) else {
                    return Ok((tx, Some(progress)));
                };
                let (from, to) = (mine.position, lane.position);
                let is_between = positions.iter().any(|position| from < *position && *position <= to);
                if cursor < to || is_between {
                    return Ok((tx, None));
                }
                cursor::rejoin(&mut tx, &part).await?;
                let progress = cursor::look(&mut tx, source).await?;
                Ok((tx, Some(progress)))
            })
            .await?;
        let Some(progress) = progress else { return Ok(false) };
        self.note(work.follow.source, work.lane, &progress);
        Ok(true)
    }
}
