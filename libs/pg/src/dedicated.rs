//! A connection of its own for one writer whose statements are transactions each:
//! one round trip from the first byte to a durable commit, where a transaction of
//! the pool takes three.

use fault::Fault;
use kernel::TenantId;
use sqlx::{AssertSqlSafe, Executor as _, PgConnection};

use crate::{Db, tx};

/// A connection that is opened when first used, and anew after it was lost.
pub struct DedicatedConnection {
    db: Db,
    open: Option<Open>,
}

struct Open {
    conn: PgConnection,
    tenant: TenantId,
}

impl DedicatedConnection {
    /// A connection to a schema.
    pub fn new(db: Db) -> Self {
        Self { db, open: None }
    }

    /// The connection, bound to a tenant: what follows on it sees that tenant only.
    ///
    /// # Errors
    ///
    /// Fails if the clock is off, or if the database cannot be reached.
    pub async fn bound_to(&mut self, tenant: &TenantId) -> Result<&mut PgConnection, Fault> {
        self.db.admit().await?;
        let open = match self.open.take() {
            Some(open) if open.tenant == *tenant => open,
            Some(open) => bind(open.conn, tenant).await?,
            // Boxed: large, and seldom.
            None => bind(Box::pin(self.db.own_connection()).await?, tenant).await?,
        };
        Ok(&mut self.open.insert(open).conn)
    }

    /// Whether it has a connection from before, which may have been lost since.
    pub fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Gives the connection up: nobody knows what became of the last statement. The
    /// next one goes over a new connection.
    pub fn close(&mut self) {
        self.open = None;
    }
}

/// Whether a fault is the end of a connection rather than of a statement: over a new
/// one, the same may succeed at once.
pub fn is_connection_lost(fault: &Fault) -> bool {
    fault.cause().and_then(|cause| cause.downcast_ref()).is_some_and(tx::is_dead)
}

async fn bind(mut conn: PgConnection, tenant: &TenantId) -> Result<Open, Fault> {
    let sql = AssertSqlSafe(format!("SET redress.tenant = '{tenant}'"));
    conn.execute(sqlx::raw_sql(sql)).await?;
    Ok(Open { conn, tenant: tenant.clone() })
}
