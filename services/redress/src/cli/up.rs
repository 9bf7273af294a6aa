//! `redress up` and `redress migrate`: the server's two verbs.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Args;
use cluster::Options;
use server::{Secret, Settings};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use crate::SERVICES;
use crate::suite::{self, Suite};

/// What is logged when nobody says: of Postgres, which is ours here, only trouble.
const DEFAULT_LOG: &str = "info";
const QUIET_LOG: &str = "info,sqlx::postgres::notice=warn";

#[derive(Args)]
pub(crate) struct Up {
    #[command(flatten)]
    settings: Settings,
    /// Folder of the embedded Postgres, used while no database is named [default:
    /// .redress, or /var/lib/redress where we are root and keep others out of here]
    #[arg(long, env = "REDRESS_DATA_DIR", help_heading = "Server")]
    data: Option<PathBuf>,
}

/// Where the embedded Postgres is kept unless told otherwise.
const DATA: &str = ".redress";
/// And where that is out of reach of who runs Postgres for root.
const DATA_OF_ROOT: &str = "/var/lib/redress";

impl Up {
    pub(crate) fn run(mut self) -> anyhow::Result<ExitCode> {
        if self.settings.log == DEFAULT_LOG {
            QUIET_LOG.clone_into(&mut self.settings.log);
        }
        let settings = self.settings.clone();
        server::work(&settings, "redress", self.serve())?;
        Ok(ExitCode::SUCCESS)
    }

    async fn serve(self) -> anyhow::Result<()> {
        let data = match self.data {
            Some(told) => told,
            None if cluster::can_be_kept_in(DATA.as_ref())? => DATA.into(),
            None => DATA_OF_ROOT.into(),
        };
        let database = match &self.settings.database_url {
            Some(_) => "DATABASE_URL".to_owned(),
            None => format!("{} (its own, stops with this process)", data.display()),
        };
        let secure = self.settings.identity.is_configured();
        let settings = self.settings.clone();
        let mut suite = Suite::start(self.settings, &data, &Options::default(), None).await?;
        let console = suite.open_console(&settings).await?;
        let console =
            console.map(|address| console_line(&settings, &address.to_string())).unwrap_or_default();
        // A server serves whether or not anybody reads this.
        let _ = show::say(&banner(&suite.address().to_string(), &database, secure, &console));
        suite.until_signal().await
    }
}

/// Where people look at it with a browser.
fn console_line(settings: &Settings, address: &str) -> String {
    let console = &settings.console;
    let at = console.url.as_ref().map_or_else(|| format!("http://{address}"), ToString::to_string);
    let at = format!("{}{}", at.trim_end_matches('/'), console.base_path);
    let who = if console.is_development() { "whoever comes chooses whom to be" } else { "people sign in" };
    format!("\x20 console, for people                  {at}   ({who})\n")
}

/// What listens where, and what to try.
fn banner(address: &str, database: &str, secure: bool, console: &str) -> String {
    let names = SERVICES.map(|service| service.name).join(", ");
    let who = if secure {
        "callers prove who they are"
    } else {
        "nobody proves anything: development only, this machine only"
    };
    let server =
        if address == "127.0.0.1:50051" { String::new() } else { format!(" --server http://{address}") };
    let redress = show::program();
    format!(
        "\n  Redress is up: {names}\n\
         \x20 gRPC, gRPC-Web, Connect, HTTP/JSON   {address}   ({who})\n\
         {console}\
         \x20 database                             {database}\n\n\
         \x20 Try, in another terminal:\n\
         \x20   {redress} submit{server} --channel web --language en --subject \"Kettle broken\" \\\n\
         \x20       --description \"It arrived in pieces.\" --amount \"EUR 39.90\"\n\
         \x20   {redress} events tail{server} --source cases\n\
         \x20   grpcurl -plaintext {address} list\n"
    )
}

/// Brings every schema up to date, as the database's owner.
#[derive(Args)]
pub(crate) struct Migrate {
    /// The database, as its owner
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: Secret,
    /// Login that services use: lets it become each service's role
    #[arg(long, value_name = "LOGIN")]
    grant_to: Option<String>,
    /// Changes nothing; fails when something lacks
    #[arg(long, conflicts_with = "grant_to")]
    check: bool,
}

impl Migrate {
    pub(crate) async fn run(self) -> anyhow::Result<()> {
        let url = self.database_url.expose();
        if self.check {
            let missing = suite::missing(url).await?;
            if !missing.is_empty() {
                bail!("not up to date: {}", missing.join(", "));
            }
            return Ok(show::say("every schema is up to date")?);
        }
        server::migrate(url, &SERVICES).await?;
        if let Some(login) = &self.grant_to {
            grant(url, login).await.with_context(|| format!("the roles cannot be granted to {login}"))?;
        }
        let names = SERVICES.map(|service| service.name).join(", ");
        Ok(show::say(&format!("up to date: {names}"))?)
    }
}

async fn grant(url: &str, login: &str) -> anyhow::Result<()> {
    let login = format!("\"{}\"", login.replace('"', "\"\""));
    let mut conn = PgConnection::connect(url).await?;
    for service in SERVICES {
        let name = service.name;
        let statement = format!("GRANT redress_{name}, redress_{name}_worker TO {login}");
        conn.execute(sqlx::raw_sql(AssertSqlSafe(statement))).await?;
    }
    Ok(conn.close().await?)
}
