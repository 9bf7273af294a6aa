//! The command line as people use it: the real program, against a house of all five
//! services, or with services of its own.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot be set up has failed")]

#[path = "cli/attachments.rs"]
mod attachments;
#[path = "cli/capa.rs"]
mod capa;
#[path = "cli/classifier.rs"]
mod classifier;
#[path = "cli/conformance.rs"]
mod conformance;
#[path = "cli/deciding.rs"]
mod deciding;
#[path = "cli/examples.rs"]
mod examples;
#[path = "cli/exports.rs"]
mod exports;
#[path = "cli/file_drops.rs"]
mod file_drops;
#[path = "cli/first_hour.rs"]
mod first_hour;
#[path = "cli/imports.rs"]
mod imports;
#[path = "cli/knowledge.rs"]
mod knowledge;
#[path = "cli/mailboxes.rs"]
mod mailboxes;
#[path = "cli/notices.rs"]
mod notices;
#[path = "cli/posts.rs"]
mod posts;
#[path = "cli/recalls.rs"]
mod recalls;
#[path = "cli/remedies.rs"]
mod remedies;
#[path = "cli/reports.rs"]
mod reports;
#[path = "cli/returns.rs"]
mod returns;
#[path = "cli/staff.rs"]
mod staff;
#[path = "cli/subscriptions.rs"]
mod subscriptions;
#[path = "cli/supervised.rs"]
mod supervised;
#[path = "cli/supervision.rs"]
mod supervision;
#[path = "cli/topics.rs"]
mod topics;
#[path = "cli/training.rs"]
mod training;
#[path = "cli/voices.rs"]
mod voices;

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use testkit::House;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

const PROGRAM: &str = env!("CARGO_BIN_EXE_redress");
/// Longest that one command may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A command of the program, with nothing of this machine's settings.
fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).kill_on_drop(true).stdin(Stdio::null());
    for (name, _) in std::env::vars() {
        if name.starts_with("REDRESS_") || name.starts_with("OTEL_") || name == "KEEP" {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command to its end.
async fn run(arguments: &[&str]) -> Output {
    tokio::time::timeout(PATIENCE, program(arguments).output()).await.expect("an end in time").unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Whether a text has a line of these words, however they are aligned.
fn has_line(text: &str, words: &str) -> bool {
    text.lines().any(|line| line.split_whitespace().eq(words.split_whitespace()))
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A house, and someone who types commands at it.
struct Terminal {
    house: House,
    server: String,
}

impl Terminal {
    async fn open() -> Self {
        Self::open_with(|_| ()).await
    }

    async fn open_with(settings: impl FnOnce(&mut server::Settings)) -> Self {
        let house = House::builder(&redress::SERVICES).settings(settings).open().await;
        let server = format!("http://{}", house.address());
        Self { house, server }
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        run(&[arguments, &["--server", &self.server]].concat()).await
    }

    /// The answer of a command that succeeds.
    async fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        assert!(output.status.success(), "{arguments:?}: {}", err(&output));
        out(&output)
    }

    async fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.text(&[arguments, &["--json"]].concat()).await).unwrap()
    }

    /// What a command that is refused says.
    async fn refusal(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", out(&output));
        err(&output)
    }

    /// Someone to handle every case.
    async fn staff(&self) {
        self.text(&["department", "add", "care", "--name", "Care", "--categories", "*"]).await;
        self.text(&["agent", "add", "lin", "--department", "care", "--name", "Lin"]).await;
    }

    /// Registers a complaint; answers its id and receipt code.
    async fn submit(&self) -> (String, String) {
        let who = ["submit", "--channel", "web", "--language", "en", "--customer", "C1"];
        let what = ["--subject", "Kettle broken", "--description", "It arrived in pieces."];
        let answer = self.json(&[&who[..], &what, &["--amount", "EUR 39.90"]].concat()).await;
        self.house.settled().await;
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        (text("complaintId"), text("receiptCode"))
    }

    async fn state(&self, case: &str) -> String {
        self.json(&["case", "get", case]).await["state"].as_str().unwrap().to_owned()
    }

    /// A worker of a department, at work once this returns.
    async fn worker(
        &self,
        department: &str,
        ledger: &Path,
        options: &[&str],
    ) -> (Child, Lines<BufReader<ChildStdout>>) {
        let ledger = ledger.to_str().unwrap();
        let mut command = program(&["worker", "--department", department, "--ledger", ledger]);
        command.args(options);
        command.args(["--server", &self.server]).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next_line().await.unwrap().unwrap();
        assert!(first.contains(department), "{first}");
        (child, lines)
    }
}

fn terminate(child: &Child) {
    testkit::terminate(child.id().unwrap()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complaint_is_brought_to_its_end_by_hand() {
    let terminal = Terminal::open().await;
    terminal.staff().await;
    terminal.text(&["department", "add", "finance", "--name", "Finance"]).await;
    terminal.text(&["department", "add", "warehouse", "--name", "Warehouse"]).await;
    let (case, code) = terminal.submit().await;
    terminal.text(&["case", "accept", &case, "--as", "lin"]).await;
    terminal.house.settled().await;
    terminal.text(&["case", "findings", &case, "It was badly packed", "--as", "lin"]).await;
    terminal
        .text(&["case", "decide", &case, "upheld", "--reasons", "So it is", "--remedy", "--as", "lin"])
        .await;
    terminal.house.settled().await;
    let (money, swap) =
        ("money=refund@finance,amount=EUR 39.90", "swap=exchange@warehouse,goods=K-1,after=money");
    let plan =
        terminal.json(&["plan", "propose", &case, "--step", money, "--step", swap, "--as", "lin"]).await;
    let plan = plan["planId"].as_str().unwrap();
    let refused = terminal.refusal(&["plan", "approve", plan, "--as", "lin"]).await;
    assert!(refused.starts_with("redress: APPROVER_IS_PROPOSER: "), "{refused}");
    terminal.text(&["plan", "approve", plan, "--as", "gu"]).await;

    let ledgers = tempfile::tempdir().unwrap();
    let (as_text, as_json): (&[&str], &[&str]) = (&[], &["--json"]);
    let work = [("finance", "refund EUR 39.90", as_text), ("warehouse", "warehouse-000001", as_json)];
    for (department, done, options) in work {
        let (mut worker, mut lines) =
            terminal.worker(department, &ledgers.path().join(format!("{department}.jsonl")), options).await;
        let line = lines.next_line().await.unwrap().unwrap();
        if options.is_empty() {
            assert!(line.starts_with(&format!("{department}-000001  {done}")), "{line}");
        } else {
            let line: Value = serde_json::from_str(&line).expect("a line of JSON");
            assert_eq!((line["reference"].as_str(), line["doneBefore"].as_bool()), (Some(done), Some(false)));
        }
        terminate(&worker);
        assert!(worker.wait().await.unwrap().success(), "a worker ends in good order");
    }
    terminal.house.settled().await;
    assert_eq!(terminal.state(&case).await, "CASE_STATE_RESOLVED");
    assert!(terminal.text(&["track", &code]).await.contains("resolved"));

    terminal.text(&["feedback", "respond", &case, "--accept", "--handling", "5", "--outcome", "4"]).await;
    terminal.house.settled().await;
    assert_eq!(terminal.state(&case).await, "CASE_STATE_CLOSED");
    let timeline = terminal.text(&["case", "timeline", &case]).await;
    for word in
        ["opened", "assigned", "accepted", "It was badly packed (lin)", "plan approved", "refund", "closed"]
    {
        assert!(timeline.contains(word), "{word} in:\n{timeline}");
    }
    let watched = terminal.text(&["case", "watch", &case]).await;
    assert!(watched.contains("closed"), "{watched}");
    let tail = terminal.text(&["events", "tail", "--source", "cases", "--count", "4"]).await;
    // Behind the position, the day, the time and its zone.
    let names: Vec<_> = tail.lines().map(|line| line.split_whitespace().nth(4).unwrap()).collect();
    assert_eq!(names, ["CaseOpened", "CaseDecided", "CaseResolved", "CaseClosed"]);
    terminal.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_command_shows_what_there_is() {
    let terminal = Terminal::open().await;
    let (case, _) = terminal.submit().await;
    assert!(terminal.text(&["queue"]).await.contains(&case), "no department: nobody's queue");
    terminal.staff().await;
    terminal.house.settled().await;
    let lists: [(&[&str], &str); 25] = [
        (&["case", "list", "--customer", "C1"], "Kettle broken"),
        (&["case", "list", "--filter", "open = true kettle", "--order-by", "due_time"], "Kettle broken"),
        (&["case", "count"], "1      assigned"),
        (&["case", "count", "--by", "state,priority", "--filter", "customer = C1"], "1      ASSIGNED"),
        (&["case", "handler", &case], "care"),
        (&["queue", "--department", "care"], "no cases waiting"),
        (&["agent", "list"], "lin"),
        (&["department", "list"], "care"),
        (&["task", "list", "--case", &case], "no tasks"),
        (&["plan", "list", &case], "no plans"),
        (&["parked", "list", "--consumer", "cases"], "no events set aside"),
        (&["rules", "get"], "speaks_of(text, 'safety')"),
        (&["rules", "list"], "no rule sets"),
        (&["rules", "replay", "0"], "0 of 1 cases would come out otherwise"),
        (&["rules", "explain", &case], "usual"),
        (&["category", "list"], "no categories"),
        (&["channel", "list"], "partner"),
        (&["channel", "set", "partner", "--numbers-repeat", "true"], "numbers repeat  yes"),
        (&["channel", "set", "partner", "--owner", "ada", "--silent-after", "48"], "may be silent for  48 h"),
        (&["channel", "get", "partner"], "numbers repeat     yes"),
        (&["form", "list"], "no forms"),
        (&["form", "information", &case], "nothing was added"),
        (&["classifier", "list"], "no classifiers"),
        (&["classifier", "unconfirmed"], "no cases wait to be confirmed"),
        (&["classifier", "reading", &case], "emotion"),
    ];
    for (arguments, word) in lists {
        let text = terminal.text(arguments).await;
        assert!(text.contains(word), "{arguments:?}: {text}");
    }
    assert!(terminal.text(&["notices", "--case", &case]).await.contains("acknowledgement"));
    assert_eq!(terminal.json(&["case", "list"]).await["cases"][0]["caseId"], case.as_str());
    assert_eq!(terminal.text(&["health"]).await, "SERVING\n");
    terminal.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_said_in_plain_words() {
    let terminal = Terminal::open().await;
    let refused = terminal.refusal(&["submit"]).await;
    assert!(refused.starts_with("redress: INVALID_COMPLAINT: "), "{refused}");
    for field in ["complaint.channel", "complaint.subject", "complaint.description", "complaint.language"] {
        assert!(refused.contains(&format!("\n  {field} ")), "{field} in:\n{refused}");
    }
    let unknown = "01890000-0000-7000-8000-000000000000";
    let refused = terminal.refusal(&["case", "get", unknown]).await;
    assert!(refused.starts_with("redress: CASE_NOT_FOUND: "), "{refused}");

    let refused = terminal.refusal(&["case", "list", "--filter", "open = true) AND state = OPEN"]).await;
    assert!(refused.contains("\n  filter at character 12: "), "{refused}");
    assert!(refused.contains("\n  filter at character 26: OPEN is none of RECEIVED, "), "{refused}");

    let (case, _) = terminal.submit().await;
    let again = ["case", "note", &case, "heard", "--request-id", "once"];
    assert_eq!(terminal.text(&again).await, terminal.text(&again).await);
    let other = ["case", "note", &case, "heard more", "--request-id", "once"];
    assert!(terminal.refusal(&other).await.contains("IDEMPOTENCY_KEY_REUSED"));
    let stale = ["case", "withdraw", &case, "--expect", "99"];
    assert!(terminal.refusal(&stale).await.contains("VERSION_MISMATCH"));
    terminal.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_imported_closed_and_nobody_hears_of_it() {
    let terminal = Terminal::open().await;
    terminal.staff().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.csv");
    let text = "channel,language,subject,description,complainant.email,receive_time,history.outcome,\
                history.reasons,history.close_time\n\
                letter,en,Late,It came late.,ann@example.org,2024-03-01,upheld,So it was,2024-03-20 24:00\n";
    std::fs::write(&path, text).unwrap();
    let told = terminal.json(&["import", path.to_str().unwrap()]).await;
    assert_eq!((&told["registered"], &told["encoding"]), (&1.into(), &"UTF-8".into()));
    terminal.house.settled().await;
    let cases = terminal.json(&["case", "list"]).await;
    let case = &cases["cases"][0];
    assert_eq!((&case["state"], &case["outcome"]), (&"CASE_STATE_CLOSED".into(), &"OUTCOME_UPHELD".into()));
    assert_eq!(
        (&case["receiveTime"], &case["closeTime"]),
        (&"2024-03-01T00:00:00Z".into(), &"2024-03-21T00:00:00Z".into())
    );
    let case = case["caseId"].as_str().unwrap();
    assert!(terminal.text(&["case", "timeline", case]).await.contains("imported: it was closed on"));
    assert!(terminal.json(&["notices", "--case", case]).await["notices"].is_null(), "nothing was sent");
    assert!(terminal.json(&["clock", "list", case]).await["clocks"].is_null(), "nothing is promised");
    assert!(terminal.refusal(&["case", "handler", case]).await.contains("ASSIGNMENT_NOT_FOUND"));
    assert!(terminal.text(&["queue"]).await.contains("no cases waiting"));
    let told = terminal.text(&["import", "--formats"]).await;
    assert!(told.contains("complaint.history.close_time") && told.contains("serial-1900"), "{told}");
    terminal.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_imported_once_however_often() {
    let terminal = Terminal::open().await;
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let file = write("two.csv", "Nr,What,When\n1,Late,2026-01-02 03:04\n2,Broken,\n3,Torn,soon\n");
    let mapping = write(
        "map.toml",
        "[columns]\n\"complaint.external_ref\" = \"Nr\"\n\"complaint.subject\" = \"What\"\n\
         \"complaint.description\" = \"What\"\n\"complaint.occur_time\" = \"When\"\n\
         [constants]\n\"complaint.channel\" = \"CHANNEL_WEB\"\n\"complaint.language\" = \"en\"\n\
         [times]\nformats = [\"%Y-%m-%d %H:%M\"]\nzone = \"Europe/Dublin\"\n",
    );
    let verdicts = folder.path().join("verdicts.jsonl");
    let (file, mapping, verdicts) =
        (file.to_str().unwrap(), mapping.to_str().unwrap(), verdicts.to_str().unwrap());
    let import = ["import", file, "--mapping", mapping, "--verdicts", verdicts];
    let verdicts_of = || -> Vec<Value> {
        let read = std::fs::read_to_string(verdicts).unwrap();
        read.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let refused = terminal.run(&import).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(has_line(&out(&refused), "registered 2"), "{}", out(&refused));
    assert!(out(&refused).contains("row 3: complaint.occur_time is no time as told"), "{}", out(&refused));
    let first = verdicts_of();
    // Corrected, moved, and written otherwise: what was registered is known.
    let mended = "Nr;What;When\n3;Torn;2026-01-02 03:05\n\n1;Late;2026-01-02 03:04\n2;Broken;\n";
    std::fs::write(file, format!("\u{feff}{mended}")).unwrap();
    let text = terminal.text(&import).await;
    assert!(has_line(&text, "registered 1"), "{text}");
    assert!(has_line(&text, "registered before 2"), "{text}");
    assert!(has_line(&text, "read as UTF-8 (it begins with its mark), separated by ;"), "{text}");
    let again = verdicts_of();
    for (before, now) in [(0, 1), (1, 2)] {
        assert_eq!(first[before]["receiptCode"], again[now]["receiptCode"], "the same answers");
        assert_eq!(again[now]["registeredBefore"], true);
    }
    terminal.house.settled().await;
    assert_eq!(terminal.json(&["case", "count"]).await["total"], "3");

    let bad = write("bad.jsonl", "{\"subject\":\"only\"}\nnonsense\n");
    let refused = terminal.run(&["import", bad.to_str().unwrap(), "--verdicts", verdicts]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("2 of 2 rows were refused"), "{}", err(&refused));
    let read = std::fs::read_to_string(verdicts).unwrap();
    let rows: Vec<Value> = read.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows[0]["refused"]["reason"], "INVALID_COMPLAINT");
    assert!(rows[0]["refused"]["violations"].as_array().unwrap().len() >= 3);
    assert_eq!((&rows[1]["row"], &rows[1]["refused"]["reason"]), (&2.into(), &"UNREADABLE_ROW".into()));
    terminal.house.done().await;
}

#[tokio::test]
async fn nobody_there_is_said_at_once() {
    let output = run(&["case", "list", "--server", "http://127.0.0.1:1"]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).starts_with("redress: nothing answers at http://127.0.0.1:1"), "{}", err(&output));
    let output = run(&["health", "--server", "http://127.0.0.1:1"]).await;
    assert!(!output.status.success());
    let output = run(&["case", "decide", "x", "maybe", "--reasons", "y"]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("upheld, partly-upheld, not-upheld"), "{}", err(&output));
}

/// `redress up` with a Postgres of its own, and its address.
async fn up(data: &Path) -> (Child, String) {
    let mut command = program(&["up", "--listen", "127.0.0.1:0", "--data", data.to_str().unwrap()]);
    let mut child =
        command.env_remove("DATABASE_URL").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = async {
        loop {
            let line = lines.next_line().await.unwrap().expect("an address before the end");
            if let Some(rest) = line.trim().strip_prefix("gRPC, gRPC-Web, Connect, HTTP/JSON") {
                return rest.split_whitespace().next().unwrap().to_owned();
            }
        }
    };
    let address = tokio::time::timeout(PATIENCE, address).await.expect("up in time");
    (child, format!("http://{address}"))
}

#[tokio::test]
async fn up_brings_its_own_postgres_and_keeps_what_it_holds() {
    let data = std::env::temp_dir().join(testkit::request_id());
    let complaint = r#"{"channel":"CHANNEL_WEB","subject":"a","description":"b","language":"en"}"#;
    let file = data.with_extension("json");
    std::fs::write(&file, complaint).unwrap();
    for round in 0..2 {
        let (mut server, address) = up(&data).await;
        let file = file.to_str().unwrap();
        let submit =
            run(&["submit", "--file", file, "--request-id", "once", "--json", "--server", &address]).await;
        assert!(submit.status.success(), "round {round}: {}", err(&submit));
        testkit::eventually(async || {
            let count = run(&["case", "count", "--json", "--server", &address]).await;
            serde_json::from_slice::<Value>(&count.stdout).is_ok_and(|count| count["total"] == "1")
        })
        .await;
        terminate(&server);
        assert!(server.wait().await.unwrap().success(), "round {round}: it ends in good order");
    }
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::remove_file(&file).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn migrate_says_which_services_lack_what() {
    let empty = testkit::Database::copy_of("empty", async |_| Ok(())).await.unwrap();
    let url = empty.url().to_owned();
    let lacking = run(&["migrate", "--check", "--database-url", &url]).await;
    assert_eq!(lacking.status.code(), Some(1));
    assert!(err(&lacking).contains("intake, cases, assignment, resolution, feedback"), "{}", err(&lacking));
    for arguments in [&["migrate", "--grant-to", "postgres"][..], &["migrate"], &["migrate", "--check"]] {
        let output = run(&[arguments, &["--database-url", &url]].concat()).await;
        assert!(output.status.success(), "{arguments:?}: {}", err(&output));
    }
    empty.drop().await.unwrap();
}

#[tokio::test]
async fn the_demo_plays_to_its_end() {
    let mut command = program(&["demo"]);
    let output = tokio::time::timeout(2 * PATIENCE, command.env_remove("DATABASE_URL").output());
    let output = output.await.expect("an end in time").unwrap();
    let text = out(&output);
    assert!(output.status.success(), "{text}\n{}", err(&output));
    for word in [
        "248 complaints, from submission to their end",
        "closed",
        "response times",
        "One case in full",
        "trace",
        ".en.html",
        "Open it in a browser",
        "grpcurl",
    ] {
        assert!(text.contains(word), "{word} in:\n{text}");
    }
    let sum =
        |name: &str| text.lines().find_map(|line| line.trim().strip_prefix(name).map(str::trim)).unwrap();
    assert_eq!(sum("approved"), sum("paid"));
}
