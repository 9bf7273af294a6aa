//! A cluster lives and dies as promised.

use std::time::{Duration, Instant};

use super::*;

/// Tells the re-executed test which cluster it is the parent of.
const ROLE: &str = "REDRESS_TEST_CLUSTER";

/// A folder of this test's own, removed with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("redress-test-{}-{name}", std::process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn quick() -> Options {
    Options { disposable: false, ..Options::disposable() }
}

async fn ask(cluster: &Cluster, sql: &'static str) -> String {
    let mut conn = cluster.connect(DATABASE).await.unwrap();
    sqlx::query_scalar(sql).fetch_one(&mut conn).await.unwrap()
}

fn postmaster(folder: &Path) -> Option<u32> {
    let text = fs::read_to_string(folder.join("cluster/postmaster.pid")).ok()?;
    text.lines().next()?.parse().ok()
}

fn is_alive(process: u32) -> bool {
    // A zombie is dead; who reaps orphans is not our business.
    fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Kills a process the hard way.
fn kill(process: u32) {
    let mut kill = Command::new("sh");
    kill.args(["-c", "kill -9 \"$1\"", "sh", &process.to_string()]);
    assert!(kill.status().unwrap().success());
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(20), "never: {what}");
        tokio::time::sleep(POLL).await;
    }
}

#[tokio::test]
async fn data_outlives_a_stop_and_a_crash() {
    let folder = Folder::new("outlives");
    let cluster = Cluster::start(&folder.0, &quick()).await.unwrap();
    let mut conn = PgConnection::connect(cluster.url()).await.unwrap();
    sqlx::raw_sql("CREATE TABLE kept AS SELECT 'yes' AS word").execute(&mut conn).await.unwrap();
    assert_eq!(ask(&cluster, "SHOW fsync").await, "off", "settings reach the server");
    assert_eq!(ask(&cluster, "SHOW listen_addresses").await, "", "no network unless asked for");
    let language = "SELECT datcollate || ' ' || datctype FROM pg_database WHERE datname = 'redress'";
    assert_eq!(ask(&cluster, language).await, "C C.UTF-8");
    cluster.stop().await.unwrap();

    let cluster = Cluster::start(&folder.0, &quick()).await.unwrap();
    let process = postmaster(&folder.0).unwrap();
    kill(process);
    eventually("the postmaster is gone", || !is_alive(process)).await;
    assert!(cluster.stop().await.is_err(), "it was told that postgres crashed");

    let cluster = Cluster::start(&folder.0, &Options::default()).await.unwrap();
    assert_eq!(ask(&cluster, "SELECT word FROM kept").await, "yes");
    assert_eq!(ask(&cluster, "SHOW fsync").await, "on", "durable unless told otherwise");
}

#[tokio::test]
async fn a_killed_postmaster_is_started_again_and_given_up_after_a_number_of_times() {
    let folder = Folder::new("killed");
    let mut cluster = Cluster::start(&folder.0, &Options::default()).await.unwrap();
    let url = cluster.url().to_owned();
    let mut conn = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("CREATE TABLE kept AS SELECT 'yes' AS word").execute(&mut conn).await.unwrap();
    let kept = async || {
        let mut conn = PgConnection::connect(&url).await.ok()?;
        sqlx::query_scalar::<_, String>("SELECT word FROM kept").fetch_one(&mut conn).await.ok()
    };
    let mut killed = 0;
    let killing = async {
        loop {
            // The one of before leaves its file behind, and answers no more.
            while kept().await.as_deref() != Some("yes") {
                tokio::time::sleep(POLL).await;
            }
            let process = postmaster(&folder.0).unwrap();
            kill(process);
            killed += 1;
            eventually("the postmaster is gone", || !is_alive(process)).await;
        }
    };
    let gave_up = tokio::select! {
        gave_up = cluster.keep_running() => gave_up,
        () = killing => unreachable!("it goes on"),
    };
    assert!(killed >= 2, "it came back with what was kept");
    let gave_up = gave_up.to_string();
    assert!(gave_up.contains(&format!("after {RESTARTS_MAX} restarts in a row")), "{gave_up}");
    assert!(cluster.stop().await.is_err());
}

#[test]
fn the_pause_before_a_restart_grows_up_to_a_limit() {
    let pauses: Vec<_> = (0..RESTARTS_MAX).map(restart_pause).collect();
    assert!(pauses.is_sorted() && pauses[0] == RESTART_PAUSE, "{pauses:?}");
    assert_eq!(restart_pause(40), RESTART_PAUSE_MAX);
}

#[tokio::test]
async fn a_folder_runs_one_postgres() {
    let folder = Folder::new("one");
    let first = Cluster::start(&folder.0, &quick()).await.unwrap();
    let refusal = Cluster::start(&folder.0, &quick()).await.unwrap_err().to_string();
    assert!(refusal.contains("in use"), "{refusal}");
    assert_eq!(ask(&first, "SELECT 'alive'").await, "alive");
}

#[tokio::test]
async fn a_long_path_has_its_socket_elsewhere_and_nothing_stays_behind() {
    let folder = Folder::new(&"long".repeat(30));
    let cluster = Cluster::start(&folder.0, &Options::disposable()).await.unwrap();
    let socket = PathBuf::from(ask(&cluster, "SHOW unix_socket_directories").await);
    assert!(!socket.starts_with(&folder.0) && socket.exists(), "{}", socket.display());
    drop(cluster);
    assert!(!socket.exists());
    assert!(!folder.0.exists());
}

#[tokio::test]
async fn a_port_is_opened_when_asked_for() {
    let folder = Folder::new("port");
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let options = Options { port: Some(free), ..Options::disposable() };
    let _cluster = Cluster::start(&folder.0, &options).await.unwrap();
    let url = format!("postgres://postgres@127.0.0.1:{free}/redress");
    PgConnection::connect(&url).await.unwrap();
}

#[tokio::test]
async fn a_failed_start_quotes_the_log() {
    let folder = Folder::new("fails");
    let options = Options { settings: vec!["work_mem=nonsense".to_owned()], ..quick() };
    let error = Cluster::start(&folder.0, &options).await.unwrap_err().to_string();
    assert!(error.contains("work_mem"), "{error}");
    Cluster::start(&folder.0, &quick()).await.unwrap();
}

#[tokio::test]
async fn a_folder_out_of_reach_is_said_so() {
    let folder = Folder::new("locked");
    DirBuilder::new().mode(0o700).create(&folder.0).unwrap();
    let inside = folder.0.join("data");
    let is_root = owner::of_postgres(&inside).unwrap().is_some();
    assert_eq!(can_be_kept_in(&inside).unwrap(), !is_root);
    match Cluster::start(&inside, &quick()).await {
        Ok(cluster) if !is_root => cluster.stop().await.unwrap(),
        Err(error) if is_root => assert!(error.to_string().contains("REDRESS_DATA_DIR"), "{error:#}"),
        started => panic!("{:?}", started.map(|_| ())),
    }
}

/// The test runs itself again as the process that is killed.
#[tokio::test]
async fn postgres_dies_with_its_parent() {
    if let Some(folder) = std::env::var_os(ROLE) {
        let _cluster = Cluster::start(Path::new(&folder), &quick()).await.unwrap();
        return std::future::pending().await;
    }
    let folder = Folder::new("parent");
    let mut parent = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::postgres_dies_with_its_parent"])
        .env(ROLE, &folder.0)
        .spawn()
        .unwrap();
    let pid_file = folder.0.join("cluster/postmaster.pid");
    eventually("ready", || fs::read_to_string(&pid_file).is_ok_and(|text| text.contains("ready"))).await;
    let process = postmaster(&folder.0).unwrap();
    parent.kill().unwrap();
    parent.wait().unwrap();
    // The next start waits for the last postmaster by itself.
    let next = Cluster::start(&folder.0, &quick()).await.unwrap();
    assert!(!is_alive(process));
    let log = fs::read_to_string(folder.0.join("postgres.log")).unwrap();
    assert!(log.contains("received fast shutdown request"), "{log}");
    next.stop().await.unwrap();
}
