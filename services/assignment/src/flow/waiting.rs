//! What waits elsewhere and is a department's now moves into its queue: so many cases
//! in one transaction, and the rest by a timer, for whoever routes waits meanwhile.

use fault::Fault;
use futures::FutureExt as _;
use futures::future::BoxFuture;
use pg::Tx;
use sha2::{Digest as _, Sha256};
use timers::{Alarm, Fired, Held, Timer};
use uuid::Uuid;

use crate::flow::allocation::Allocation;
use crate::flow::telling::tell;
use crate::roster::Department;
use crate::routing::Directory;
use crate::store::{assignments, roster};

/// The kind of the timers; the key is a department's as it stands.
const KIND: &str = "take-waiting";
/// Most cases that move in one transaction.
const BATCH: usize = 200;

/// Moves waiting cases that a department takes into its queue, and assigns as many
/// as there is room for. What a person handed to another department stays there.
/// The transaction has the roster to itself.
pub(crate) async fn take(tx: &mut Tx, department: &Department) -> Result<(), Fault> {
    let id = &department.profile.id;
    let departments = roster::departments(tx).await?;
    let ids = departments.iter().map(|department| department.profile.id.clone());
    let mut allocation = Allocation::lock(tx, ids).await?;
    let directory = Directory::of(&departments);
    let mut categories = assignments::categories_waiting_elsewhere(tx, id).await?;
    categories.retain(|category| directory.department_for(category) == Some(id.as_str()));
    if !categories.is_empty() {
        let why = format!("{id} now takes it");
        let moved = assignments::move_waiting(tx, id, &categories, &why, BATCH).await?;
        for case in &moved {
            tell(tx, case);
        }
        if moved.len() == BATCH {
            go_on_later(tx, department).await?;
        }
    }
    allocation.restaff(id);
    allocation.finish(tx).await
}

async fn go_on_later(tx: &mut Tx, department: &Department) -> Result<(), Fault> {
    let traceparent = tx.traceparent().to_owned();
    let timer = Timer { kind: KIND, key: key(department), fire_at: tx.now(), traceparent };
    timers::arm(tx, &[timer]).await
}

/// One of its own for each version: who changes a department does not wait for the
/// timer of before, which then finds nothing to do.
fn key(department: &Department) -> Uuid {
    let named = format!("{} {}", department.version, department.profile.id);
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Sha256::digest(named)[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// Moves what was left over.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct TakeWaiting;

impl Alarm for TakeWaiting {
    fn kind(&self) -> &'static str {
        KIND
    }

    /// Nobody changes a timer of these: each has a key of its own. What they need is the
    /// roster, which all of a tenant's routing holds now and then.
    fn hold<'a>(&'a self, tx: &'a mut Tx, keys: &'a [Uuid]) -> BoxFuture<'a, Result<Held, Fault>> {
        async move {
            let held = if roster::try_seize(tx).await? { keys.to_vec() } else { Vec::new() };
            Ok(Held { held, gone: Vec::new() })
        }
        .boxed()
    }

    fn fire<'a>(&'a self, tx: &'a mut Tx, fired: &'a [Fired]) -> BoxFuture<'a, Result<(), Fault>> {
        go_on(tx, fired).boxed()
    }
}

/// The roster is held.
async fn go_on(tx: &mut Tx, fired: &[Fired]) -> Result<(), Fault> {
    for department in roster::departments(tx).await? {
        if let Some(timer) = fired.iter().find(|timer| timer.key == key(&department)) {
            tx.join_trace(&timer.traceparent);
            take(tx, &department).await?;
        }
    }
    Ok(())
}
