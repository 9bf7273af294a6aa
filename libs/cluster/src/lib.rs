//! A private Postgres in a folder, for `redress up` and for tests: made by the
//! installed binaries, reached through a unix socket that only its user can open,
//! and gone when the process that started it is gone, however that ended.
//!
//! The folder holds `cluster/` (the data), `socket/`, `postgres.log` and `lock`.
//! Between this process and Postgres stands a shell, the *supervisor*. It reads a
//! pipe from this process; at the end of the pipe, be it a stop, a drop or a
//! `kill -9`, it shuts Postgres down. It shares the lock, so that the next start
//! waits until the last postmaster is really gone.
#![warn(clippy::missing_errors_doc)]

mod binaries;
mod owner;

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::str::FromStr as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

use owner::Owner;

/// The database a cluster is made with.
pub const DATABASE: &str = "redress";
/// Longest path a unix socket can have on Linux, without the closing zero.
const SOCKET_PATH_MAX: usize = 107;
/// Port in the socket's name when there is no TCP.
const SOCKET_PORT: u16 = 5432;
/// How long to wait for the postmaster of a process that has just been killed.
const PATIENCE_LOCK: Duration = Duration::from_secs(5);
/// How long recovery after a crash may take.
const PATIENCE_READY: Duration = Duration::from_mins(2);
const POLL: Duration = Duration::from_millis(20);
/// How often to look whether Postgres still runs.
const LOOK: Duration = Duration::from_millis(100);
/// How often Postgres is started again in a row before it is given up.
pub const RESTARTS_MAX: u32 = 6;
/// How long Postgres must run for its last end to be forgotten.
pub const STEADY: Duration = Duration::from_mins(1);
/// Pause before the first restart; it doubles with each.
const RESTART_PAUSE: Duration = Duration::from_millis(200);
const RESTART_PAUSE_MAX: Duration = Duration::from_secs(10);
/// The log is cut at a start when it has grown beyond this.
const LOG_BYTES_MAX: u64 = 16 << 20;
/// How much of the log a failed start quotes.
const LOG_LINES_QUOTED: usize = 12;

/// What the supervisor does. Its arguments: the signal that stops Postgres; a
/// socket folder and a data folder to remove afterwards, or ''; the postmaster
/// and its arguments. Ignoring signals leaves the decision with the parent: who
/// signals the whole container must not pull the database from under a drain.
/// Its standard output is the lock, which Postgres must not hold.
const SUPERVISOR: &str = r#"
trap '' HUP INT TERM
signal=$1 socket=$2 data=$3
shift 3
exec 3<&0
"$@" </dev/null >&2 3<&- &
postmaster=$!
(read -r _ <&3; kill -"$signal" "$postmaster") &
reader=$!
wait "$postmaster"
status=$?
kill -KILL "$reader" 2>/dev/null
[ -z "$socket" ] || rm -rf "$socket"
[ -z "$data" ] || rm -rf "$data"
exit "$status"
"#;

/// How a cluster is run. The default is durable, and deaf to the network.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Server settings (`name=value`) on top of the usual ones.
    pub settings: Vec<String>,
    /// Also listens on this port of the loopback address, where anyone on this
    /// machine may then connect.
    pub port: Option<u16>,
    /// The folder is removed when the cluster stops.
    pub disposable: bool,
}

impl Options {
    /// For tests: fast, not durable, leaves nothing behind.
    pub fn disposable() -> Self {
        let settings = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"];
        Self { settings: settings.map(str::to_owned).into(), port: None, disposable: true }
    }

    /// A disposable cluster is stopped at once, a durable one in good order.
    fn stop_signal(&self) -> &'static str {
        if self.disposable { "QUIT" } else { "INT" }
    }
}

/// A running cluster; stops when dropped.
#[derive(Debug)]
pub struct Cluster {
    url: String,
    supervisor: Child,
    house: House,
}

impl Cluster {
    /// Starts the cluster of a folder, makes it first when there is none, and
    /// answers when the database [`DATABASE`] can be used.
    ///
    /// # Errors
    ///
    /// Fails if no PostgreSQL that will do is installed, if the folder is in use, or out of
    /// reach of the user who runs Postgres, and, with the end of its log, if Postgres does not
    /// start.
    pub async fn start(folder: &Path, options: &Options) -> anyhow::Result<Self> {
        let (folder, options) = (folder.to_owned(), options.clone());
        let house = tokio::task::spawn_blocking(move || House::prepare(&folder, options)).await??;
        let mut cluster = Self { url: house.url(), supervisor: house.launch()?, house };
        cluster.ready().await?;
        cluster.create_database().await?;
        Ok(cluster)
    }

    /// Starts Postgres again whenever it ends without having been told to, after a pause
    /// that grows. Answers why it gave up, after [`RESTARTS_MAX`] ends in a row; one that
    /// has run for [`STEADY`] begins a new row. May be dropped at any moment.
    pub async fn keep_running(&mut self) -> anyhow::Error {
        let (mut restarts, mut since) = (0, Instant::now());
        loop {
            let status = match self.ended().await {
                Ok(status) => status,
                Err(error) => return anyhow::Error::new(error).context("the embedded Postgres is lost"),
            };
            if since.elapsed() >= STEADY {
                restarts = 0;
            }
            if restarts == RESTARTS_MAX {
                let log = self.house.quote_log();
                return anyhow::anyhow!(
                    "the embedded Postgres has ended again ({status}), after {RESTARTS_MAX} restarts in a row; \
                     its log says:\n{log}"
                );
            }
            let pause = restart_pause(restarts);
            restarts += 1;
            tracing::error!(
                %status,
                restart = restarts,
                of = RESTARTS_MAX,
                pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
                "the embedded Postgres has ended; it is started again"
            );
            tokio::time::sleep(pause).await;
            since = Instant::now();
            if let Err(error) = self.restart().await {
                tracing::warn!(error = format!("{error:#}"), "the embedded Postgres did not start");
            }
        }
    }

    /// Until Postgres has ended, with its supervisor.
    async fn ended(&mut self) -> std::io::Result<std::process::ExitStatus> {
        loop {
            if let Some(status) = self.supervisor.try_wait()? {
                return Ok(status);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn restart(&mut self) -> anyhow::Result<()> {
        self.house.make_socket_folder()?;
        self.supervisor = self.house.launch()?;
        self.ready().await?;
        tracing::info!("the embedded Postgres runs again");
        Ok(())
    }

    /// Where it is reached, as its superuser.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops in good order: open transactions are rolled back, all else is on disk.
    ///
    /// # Errors
    ///
    /// Fails if Postgres had ended before, or ends in any other way than in good order.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        // `wait` closes the pipe first.
        let status = tokio::task::spawn_blocking(move || self.supervisor.wait()).await??;
        ensure!(status.success(), "postgres did not stop in good order ({status})");
        Ok(())
    }

    async fn ready(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        loop {
            if let Some(status) = self.supervisor.try_wait()? {
                bail!("postgres did not start ({status}); its log says:\n{}", self.house.quote_log());
            }
            match self.connect("postgres").await {
                Ok(conn) => return Ok(conn.close().await?),
                Err(error) if started.elapsed() > PATIENCE_READY => {
                    return Err(error).context("postgres is started but lets nobody in");
                }
                Err(_) => tokio::time::sleep(POLL).await,
            }
        }
    }

    async fn create_database(&self) -> anyhow::Result<()> {
        let mut conn = self.connect("postgres").await?;
        let exists: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = 'redress')")
                .fetch_one(&mut conn)
                .await?;
        if !exists {
            sqlx::raw_sql("CREATE DATABASE redress").execute(&mut conn).await?;
        }
        Ok(conn.close().await?)
    }

    async fn connect(&self, database: &str) -> sqlx::Result<PgConnection> {
        PgConnectOptions::from_str(&self.url)?.database(database).connect().await
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Err(error) = self.supervisor.wait() {
            tracing::warn!(%error, "the supervisor of the embedded postgres is lost");
        }
    }
}

/// How long to wait before a restart: longer each time, up to a limit.
fn restart_pause(restarts: u32) -> Duration {
    (RESTART_PAUSE * 2u32.saturating_pow(restarts)).min(RESTART_PAUSE_MAX)
}

/// A folder made ready to run a postmaster in.
#[derive(Debug)]
struct House {
    options: Options,
    folder: PathBuf,
    socket: PathBuf,
    binaries: PathBuf,
    owner: Option<Owner>,
    lock: File,
    log: File,
    log_start: u64,
}

impl House {
    fn prepare(folder: &Path, options: Options) -> anyhow::Result<Self> {
        let what = || format!("the data folder {}", folder.display());
        // Only the folder itself is private: its owner must be able to walk to it.
        fs::create_dir_all(parent(folder)).with_context(what)?;
        let parent = parent(folder).canonicalize().with_context(what)?;
        let owner = owner::of_postgres(&folder.join("cluster"))?;
        if let Some(owner) = owner {
            ensure!(
                may_enter(&parent, owner)?,
                "postgres does not run as root, and user {}, who would run it, may not enter {}: let them, or \
                 keep the data in another folder (REDRESS_DATA_DIR), say below /var/lib",
                owner.user,
                parent.display()
            );
        }
        DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(what)?;
        let folder = folder.canonicalize().with_context(what)?;
        let lock = lock(&folder)?;
        let data = folder.join("cluster");
        owner::give(&folder, owner)?;
        let binaries = binaries::find(&data)?;
        if !data.exists() {
            init(&folder, &binaries, owner, &lock, &options)?;
        }
        let (log, log_start) = open_log(&folder)?;
        let socket = socket_folder(&folder)?;
        owner::give(&socket, owner)?;
        Ok(Self { options, folder, socket, binaries, owner, lock, log, log_start })
    }

    fn port(&self) -> u16 {
        self.options.port.unwrap_or(SOCKET_PORT)
    }

    fn url(&self) -> String {
        let socket: String =
            self.socket.as_os_str().as_bytes().iter().copied().map(percent_encoded).collect();
        format!("postgres://postgres@localhost:{}/{DATABASE}?host={socket}", self.port())
    }

    fn settings(&self) -> Vec<String> {
        let listen = if self.options.port.is_some() { "127.0.0.1" } else { "" };
        let mut settings = vec![
            format!("listen_addresses={listen}"),
            format!("port={}", self.port()),
            format!("unix_socket_directories={}", self.socket.display()),
            "max_connections=200".to_owned(),
            "shared_buffers=128MB".to_owned(),
            "log_checkpoints=off".to_owned(),
            // A table without statistics is read in bad plans: have them soon after the
            // first rows, then with every doubling. More often would only have every
            // connection plan anew.
            "autovacuum_naptime=1s".to_owned(),
            "autovacuum_analyze_threshold=250".to_owned(),
            "autovacuum_analyze_scale_factor=1".to_owned(),
            "autovacuum_vacuum_threshold=5000".to_owned(),
        ];
        settings.extend(self.options.settings.iter().cloned());
        settings
    }

    /// Makes the socket's folder again, which goes with the supervisor where it is not
    /// in the data folder.
    fn make_socket_folder(&self) -> anyhow::Result<()> {
        if !self.socket.exists() {
            DirBuilder::new().mode(0o700).create(&self.socket)?;
            owner::give(&self.socket, self.owner)?;
        }
        Ok(())
    }

    fn launch(&self) -> anyhow::Result<Child> {
        let own_socket = self.socket.parent() != Some(&self.folder);
        let mut supervisor = command(Path::new("/bin/sh"), self.owner);
        supervisor
            .args(["-c", SUPERVISOR, "redress-postgres", self.options.stop_signal()])
            .arg(if own_socket { self.socket.as_path() } else { Path::new("") })
            .arg(if self.options.disposable { self.folder.as_path() } else { Path::new("") })
            .arg(self.binaries.join("postgres"))
            .arg("-D")
            .arg(self.folder.join("cluster"))
            .args(self.settings().iter().flat_map(|setting| ["-c", setting]))
            // A group of its own: Ctrl-C is for us, who stop Postgres last.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(self.lock.try_clone()?)
            .stderr(self.log.try_clone()?);
        supervisor.spawn().context("/bin/sh, which watches over postgres, does not start")
    }

    /// The end of what was logged since the start began.
    fn quote_log(&mut self) -> String {
        let mut text = Vec::new();
        let read =
            self.log.seek(SeekFrom::Start(self.log_start)).and_then(|_| self.log.read_to_end(&mut text));
        if let Err(error) = read {
            return format!("(not readable: {error})");
        }
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES_QUOTED)..].join("\n")
    }
}

/// A command as the owner of the data, anywhere that owner can be.
fn command(program: &Path, owner: Option<Owner>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").env("LC_ALL", "C.UTF-8");
    if let Some(owner) = owner {
        command.uid(owner.user).gid(owner.group);
    }
    command
}

/// Whether who runs Postgres may walk to a folder and into it.
fn may_enter(folder: &Path, owner: Owner) -> anyhow::Result<bool> {
    let mut walk = command(Path::new("/bin/sh"), Some(owner));
    walk.args(["-c", "cd \"$1\"", "sh"]).arg(folder.canonicalize()?).stderr(Stdio::null());
    Ok(walk.status().context("/bin/sh does not start")?.success())
}

/// Whether a cluster can be kept in a folder, which need not exist yet, as far as
/// walking there goes: where we are root, somebody else runs Postgres.
///
/// # Errors
///
/// Fails if nobody is there to run Postgres for root, or if a folder on the way cannot be
/// looked at.
pub fn can_be_kept_in(folder: &Path) -> anyhow::Result<bool> {
    match owner::of_postgres(&folder.join("cluster"))? {
        Some(owner) => may_enter(parent(folder), owner),
        None => Ok(true),
    }
}

fn parent(folder: &Path) -> &Path {
    folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the folder this process's own.
fn lock(folder: &Path) -> anyhow::Result<File> {
    let path = folder.join("lock");
    let lock = OpenOptions::new().create(true).append(true).open(&path);
    let lock = lock.with_context(|| format!("the lock {}", path.display()))?;
    let started = Instant::now();
    loop {
        match lock.try_lock() {
            Ok(()) => return Ok(lock),
            Err(TryLockError::WouldBlock) if started.elapsed() < PATIENCE_LOCK => std::thread::sleep(POLL),
            Err(TryLockError::WouldBlock) => {
                bail!("the data folder {} is in use: its postgres is running", folder.display())
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
}

/// Makes the cluster aside and moves it in place: a half-made one is never started.
fn init(
    folder: &Path,
    binaries: &Path,
    owner: Option<Owner>,
    lock: &File,
    options: &Options,
) -> anyhow::Result<()> {
    let aside = folder.join("cluster.new");
    if aside.exists() {
        fs::remove_dir_all(&aside)?;
    }
    let mut initdb = command(&binaries.join("initdb"), owner);
    initdb
        // Names and keys are compared byte by byte, not by a language's rules.
        .args(["--username=postgres", "--auth=trust", "--encoding=UTF8"])
        .args(["--locale=C.UTF-8", "--lc-collate=C", "--pgdata"])
        .arg(&aside)
        // Holds the lock should this process be killed now; it reads no input.
        .stdin(lock.try_clone()?);
    if options.disposable {
        initdb.arg("--no-sync");
    }
    let output = initdb.output().context("initdb does not run")?;
    ensure!(
        output.status.success(),
        "initdb cannot make a cluster in {}{}: {}",
        folder.display(),
        owner.map(|owner| format!(" as user {}", owner.user)).unwrap_or_default(),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(fs::rename(aside, folder.join("cluster"))?)
}

fn open_log(folder: &Path) -> anyhow::Result<(File, u64)> {
    let log = OpenOptions::new().create(true).append(true).read(true).open(folder.join("postgres.log"))?;
    let mut length = log.metadata()?.len();
    if length > LOG_BYTES_MAX {
        log.set_len(0)?;
        length = 0;
    }
    Ok((log, length))
}

/// A folder for the socket that only its owner can enter: in the data folder, or,
/// where the socket's path would be too long, a fresh one for temporary files.
fn socket_folder(folder: &Path) -> anyhow::Result<PathBuf> {
    let usual = folder.join("socket");
    let longest = usual.join(".s.PGSQL.65535");
    if longest.as_os_str().len() <= SOCKET_PATH_MAX {
        DirBuilder::new().recursive(true).mode(0o700).create(&usual)?;
        return Ok(usual);
    }
    let temporary = std::env::temp_dir();
    for number in 0..u16::MAX {
        let path = temporary.join(format!("redress-{}-{number}", std::process::id()));
        // Not recursive: what exists may be another's.
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| format!("a socket folder {}", path.display())),
        }
    }
    bail!("no socket folder can be made in {}", temporary.display())
}

fn percent_encoded(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' => char::from(byte).into(),
        other => format!("%{other:02X}"),
    }
}

#[cfg(test)]
mod tests;
