//! A database per test.
//!
//! The server is the one `DATABASE_URL` names, else a cluster of this process's
//! own, started when first needed and gone with the process. Migrations run
//! once per process, into a template of which each test gets a copy.

use std::collections::HashMap;
use std::str::FromStr as _;

use cluster::{Cluster, Options};
use kernel::{Ids as _, RandomIds};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection};
use tokio::sync::{Mutex, OnceCell};

/// A database of a test's own. It stays when the test fails, so that one can look.
#[derive(Debug)]
pub struct Database {
    name: String,
    url: String,
}

static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();
static TEMPLATES: Mutex<Option<HashMap<String, String>>> = Mutex::const_new(None);

impl Database {
    /// A copy of the template of this name; `migrate`, which makes the template, is
    /// called with its URL when it is the first.
    ///
    /// # Errors
    ///
    /// Fails if there is no server to be had, or if the template cannot be made or copied.
    pub async fn copy_of<F: Future<Output = anyhow::Result<()>>>(
        template: &str,
        migrate: impl FnOnce(String) -> F,
    ) -> anyhow::Result<Self> {
        let server = server().await?;
        let template = made(&server, template, migrate).await?;
        let name = unused_name("redress_test");
        let copy = format!("CREATE DATABASE {name} TEMPLATE {template}");
        sqlx::raw_sql(AssertSqlSafe(copy)).execute(&mut connect(&server).await?).await?;
        Ok(Self { url: url_of(&server, &name)?, name })
    }

    /// Where it is reached, as its owner.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A connection as its owner, to look at everything.
    ///
    /// # Errors
    ///
    /// Fails if the server cannot be reached.
    pub async fn connect(&self) -> anyhow::Result<PgConnection> {
        connect(&self.url).await
    }

    /// Removes it, whoever is still connected.
    ///
    /// # Errors
    ///
    /// Fails if the server cannot be reached.
    pub async fn drop(self) -> anyhow::Result<()> {
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        sqlx::raw_sql(AssertSqlSafe(drop)).execute(&mut connect(&server().await?).await?).await?;
        Ok(())
    }
}

/// The server tests use, as a URL of any database of it.
async fn server() -> anyhow::Result<String> {
    if let Ok(url) = std::env::var("DATABASE_URL") {
        return Ok(url);
    }
    let cluster = CLUSTER
        .get_or_try_init(|| {
            let folder = std::env::temp_dir().join(unused_name("redress-test"));
            async move { Cluster::start(&folder, &Options::disposable()).await }
        })
        .await?;
    Ok(cluster.url().to_owned())
}

/// The database of a template, made when it is first asked for.
async fn made<F: Future<Output = anyhow::Result<()>>>(
    server: &str,
    template: &str,
    migrate: impl FnOnce(String) -> F,
) -> anyhow::Result<String> {
    // Held while it is made: roles belong to the whole cluster, and others want the same.
    let mut templates = TEMPLATES.lock().await;
    let templates = templates.get_or_insert_default();
    if let Some(name) = templates.get(template) {
        return Ok(name.clone());
    }
    let name = unused_name("redress_template");
    let mut conn = connect(server).await?;
    // Other processes may be at it on the same server.
    sqlx::raw_sql("SELECT pg_advisory_lock(hashtextextended('redress.testkit', 0))")
        .execute(&mut conn)
        .await?;
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut conn).await?;
    migrate(url_of(server, &name)?).await?;
    templates.insert(template.to_owned(), name.clone());
    Ok(name)
}

async fn connect(url: &str) -> anyhow::Result<PgConnection> {
    Ok(PgConnectOptions::from_str(url)?.connect().await?)
}

fn url_of(server: &str, database: &str) -> anyhow::Result<String> {
    Ok(PgConnectOptions::from_str(server)?.database(database).to_url_lossy().to_string())
}

fn unused_name(kind: &str) -> String {
    format!("{kind}_{}", RandomIds.token().simple())
}
