//! Versions of what a tenant settles: made, put in force, read. What they say is for the
//! rpc that asks.

use fault::Fault;
use pg::Tx;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::refusal::Refusal;
use crate::revision::{MAX_VERSIONS, Revision, Subject};
use crate::store;

/// What is settled: its subject, which of several, and how it is refused where there is no
/// such version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled<'a> {
    pub(super) subject: Subject,
    pub(super) name: &'a str,
    pub(super) missing: Refusal,
}

/// What a version can say.
pub(super) trait Content:
    Serialize + DeserializeOwned + PartialEq + Send + Sync + Unpin + 'static
{
}
impl<T: Serialize + DeserializeOwned + PartialEq + Send + Sync + Unpin + 'static> Content for T {}

/// Makes the next version.
pub(super) async fn create<T: Content>(
    tx: &mut Tx,
    settled: Settled<'_>,
    content: T,
    note: String,
    by: &str,
) -> Result<Revision<T>, Fault> {
    let version = store::hold_revisions(tx, settled.subject, settled.name).await? + 1;
    if version > MAX_VERSIONS {
        return Err(Refusal::TooManyVersions.into());
    }
    let created = Some((tx.now(), by.to_owned()));
    let made = Revision { version, content, note, created, activated: None };
    store::insert_revision(tx, settled.subject, settled.name, &made).await?;
    Ok(made)
}

/// Puts a version in force; 0 the shipped one, which is kept as the next version unless
/// the latest is just that.
pub(super) async fn activate<T: Content>(
    tx: &mut Tx,
    settled: Settled<'_>,
    version: i64,
    shipped: T,
    by: &str,
) -> Result<Revision<T>, Fault> {
    let Settled { subject, name, missing } = settled;
    let latest = store::hold_revisions(tx, subject, name).await?;
    let wanted = if version == 0 { latest } else { version };
    let kept = store::revision::<T>(tx, subject, name, wanted).await?;
    let mut put = match kept.filter(|kept| version > 0 || kept.content == shipped) {
        Some(kept) => kept,
        None if version > 0 => return Err(missing.into()),
        None => create(tx, settled, shipped, "as shipped".to_owned(), by).await?,
    };
    put.activated = Some((tx.now(), by.to_owned()));
    store::activate_revision(tx, subject, name, &put).await?;
    Ok(put)
}

/// Reads a version; without one, that in force.
pub(super) async fn read<T: Content>(
    tx: &mut Tx,
    settled: Settled<'_>,
    version: Option<i64>,
    shipped: T,
) -> Result<Revision<T>, Fault> {
    let Settled { subject, name, missing } = settled;
    match version {
        Some(0) => Ok(Revision::shipped(shipped)),
        Some(version) => Ok(store::revision(tx, subject, name, version).await?.ok_or(missing)?),
        None => {
            let in_force = store::revisions_in_force(tx, subject).await?;
            let named = in_force.into_iter().find(|(other, _)| other == name);
            Ok(named.map_or_else(|| Revision::shipped(shipped), |(_, revision)| revision))
        }
    }
}
