//! Files on the command line, as people have them: looked at before, imported in pieces,
//! broken off and gone on with.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use proto::redress::intake::v1::GetComplaintRequest;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use serde_json::Value;

use super::{PATIENCE, Terminal, err, out, program, run, terminate};

/// Nobody listens here: a command that connects fails.
const NOWHERE: [&str; 2] = ["--server", "http://127.0.0.1:1"];
const MAPPING: &str = "[columns]\n\"complaint.external_ref\" = \"编号\"\n\"complaint.subject\" = \"主题\"\n\
     \"complaint.description\" = \"主题\"\n\"complaint.occur_time\" = \"时间\"\n\
     \"complaint.remedy_sought.amount\" = \"金额\"\n\"complaint.complainant.phone\" = \"电话\"\n\
     \"complaint.evidence.uri\" = \"附件\"\n[constants]\n\"complaint.channel\" = \"web\"\n\
     \"complaint.language\" = \"zh-CN\"\n\"complaint.evidence.kind\" = \"photograph\"\n\
     [times]\nzone = \"Asia/Shanghai\"\n[numbers]\ncurrency = \"CNY\"\n[phones]\ncountry = \"CN\"\n\
     [evidence]\nseparator = \"|\"\n";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), bytes).unwrap();
        self.name(name)
    }

    fn name(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }
}

fn gbk(text: &str) -> Vec<u8> {
    encoding_rs::GBK.encode(text).0.into_owned()
}

#[tokio::test]
async fn a_dry_run_tells_all_and_connects_to_nobody() {
    let folder = Folder::new();
    let mapping = folder.write("m.toml", MAPPING);
    let good = "编号,主题,时间,金额,电话,附件,备注\n\
                1,快递丢件,2026年1月5日 下午3点05分,￥１２８．５０,138 1234 5678,https://a.example/1.jpg|https://a.example/2.jpg,x\n";
    let file = folder.write("good.csv", gbk(good));
    let dry = ["import", &file, "--mapping", &mapping, "--dry-run"];
    let told = run(&[&dry[..], &NOWHERE].concat()).await;
    assert!(told.status.success(), "{}", err(&told));
    let told = out(&told);
    for wanted in [
        "gb18030 (so read, 编号 is a heading), separated by ,",
        "of Asia/Shanghai",
        "column 主题",
        "always web",
        "not imported: 备注",
        "2026-01-05 15:05:00 +08:00",
        "CNY 128.50",
        "+8613812345678",
        "https://a.example/2.jpg",
        "1 rows: 1 can be read, 0 have problems",
        "what only the server checks was not checked",
    ] {
        assert!(told.contains(wanted), "{wanted}: {told}");
    }

    let bad = (2..=50).map(|row| format!("{row},主题,05/01/2026,很多,110,,\n")).collect::<Vec<_>>().concat();
    let file = folder.write("bad.csv", gbk(&format!("{good}{bad}")));
    let dry = ["import", &file, "--mapping", &mapping, "--dry-run"];
    let told = run(&[&dry[..], &NOWHERE].concat()).await;
    assert_eq!(told.status.code(), Some(1));
    assert!(err(&told).contains("49 of 50 rows have problems"), "{}", err(&told));
    assert!(out(&told).contains("NOT_A_TIME  49"), "{}", out(&told));
    let told = run(&[&dry[..], &NOWHERE, &["--json"]].concat()).await;
    let told: Value = serde_json::from_str(&out(&told)).unwrap();
    assert_eq!((&told["rows"], &told["wrong"]), (&50.into(), &49.into()));
    assert_eq!(told["problems"].as_array().unwrap().len(), 20);
    assert_eq!(told["problems"][0]["row"], 2);
    assert_eq!(told["kinds"], serde_json::json!({"NOT_A_NUMBER": 49, "NOT_A_PHONE": 49, "NOT_A_TIME": 49}));
    assert_eq!(told["preview"][0]["complaint"]["complainant"]["phone"], "+8613812345678");
    let told = run(&[&dry[..], &NOWHERE, &["--json", "--rows", "1"]].concat()).await;
    assert!(told.status.success());
    let told: Value = serde_json::from_str(&out(&told)).unwrap();
    assert_eq!((&told["rows"], &told["stopped"]), (&1.into(), &true.into()));

    let told = run(&[&dry[..], &NOWHERE, &["--encoding", "big5"]].concat()).await;
    assert!(err(&told).contains("the file has no column"), "--encoding is believed: {}", err(&told));
    let other = folder.write("old.xls", b"\xd0\xcf\x11\xe0");
    let told = run(&[&["import", &other, "--dry-run"][..], &NOWHERE].concat()).await;
    assert!(err(&told).contains("save it as an Excel workbook (.xlsx)"), "{}", err(&told));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_is_imported_with_its_evidence() {
    let terminal = Terminal::open().await;
    let folder = Folder::new();
    let mapping = folder.write("m.toml", MAPPING);
    let mut workbook = rust_xlsxwriter::Workbook::new();
    workbook.add_worksheet().set_name("说明").unwrap();
    let sheet = workbook.add_worksheet().set_name("投诉").unwrap();
    let headings = ["编号", "主题", "时间", "金额", "电话", "附件"];
    for (column, heading) in (0..).zip(headings) {
        sheet.write(0, column, heading).unwrap();
    }
    let day = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd hh:mm");
    let when = rust_xlsxwriter::ExcelDateTime::from_ymd(2026, 1, 5).unwrap().and_hms(8, 3, 0).unwrap();
    sheet.write(1, 0, 7).unwrap();
    sheet.write(1, 1, "快递丢件").unwrap();
    sheet.write_with_format(1, 2, when, &day).unwrap();
    sheet.write(1, 3, 128.5).unwrap();
    sheet.write(1, 4, 13_812_345_678.0).unwrap();
    sheet.write(1, 5, "https://a.example/1.jpg").unwrap();
    workbook.save(folder.path("a.xlsx")).unwrap();
    let file = folder.name("a.xlsx");
    let import = ["import", &file, "--mapping", &mapping, "--verdicts", &folder.name("v")];
    assert!(terminal.refusal(&import).await.contains("there are no headings"), "the first sheet is empty");
    let told = terminal.json(&[&import[..], &["--sheet", "投诉"]].concat()).await;
    assert_eq!((&told["registered"], &told["sheet"]), (&1.into(), &"投诉".into()));
    let verdict: Value = serde_json::from_str(&std::fs::read_to_string(folder.path("v")).unwrap()).unwrap();
    assert_eq!(verdict["row"], 2, "as the sheet counts");
    let complaint_id = verdict["complaintId"].as_str().unwrap().to_owned();
    let mut intake = IntakeServiceClient::new(terminal.house.channel());
    let complaint = intake.get_complaint(GetComplaintRequest { complaint_id }).await.unwrap().into_inner();
    let complaint = complaint.complaint.unwrap();
    assert_eq!(complaint.occur_time.unwrap().seconds, 1_767_571_380, "08:03 in Shanghai");
    assert_eq!(complaint.complainant.unwrap().phone, "+8613812345678");
    let [evidence] = complaint.evidence.as_slice() else { panic!("{:?}", complaint.evidence) };
    assert_eq!((evidence.uri.as_str(), evidence.kind.as_str()), ("https://a.example/1.jpg", "photograph"));
    terminal.house.done().await;
}

/// So many complaints, as JSON lines.
fn complaints(count: u32) -> String {
    let line = |row| {
        let complaint = serde_json::json!({
            "channel": "CHANNEL_WEB", "language": "en", "subject": format!("No {row}"), "description": "x",
        });
        format!("{complaint}\n")
    };
    (1..=count).map(line).collect::<Vec<_>>().concat()
}

/// The rows that have a verdict on disk, in its order.
fn rows(path: &Path) -> Vec<u64> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    whole.map(|line| serde_json::from_str::<Value>(line).unwrap()["row"].as_u64().unwrap()).collect()
}

/// Waits until so many rows have a verdict on disk.
async fn until(verdicts: &Path, wanted: usize) {
    let begun = Instant::now();
    while rows(verdicts).len() < wanted {
        assert!(begun.elapsed() < PATIENCE, "{} rows", rows(verdicts).len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_breaks_off_goes_on_with_no_row_missing_and_none_twice() {
    let terminal = Terminal::open().await;
    let folder = Folder::new();
    let text = complaints(120);
    let file = folder.write("many.jsonl", &text);
    let (verdicts, state) = (folder.path("v"), folder.name("s"));
    let name = folder.name("v");
    let import = ["import", &file, "--verdicts", &name, "--state", &state, "--chunk", "7"];
    let server = ["--server", &terminal.server];
    let slow = [&import[..], &["--rate", "40"], &server].concat();

    // Killed, wherever it is.
    let mut child = program(&slow).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until(&verdicts, 14).await;
    child.kill().await.unwrap();
    // Told to stop: the rows under way are finished.
    let child = program(&slow).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    until(&verdicts, 35).await;
    let refused = terminal.refusal(&import).await;
    assert!(refused.contains("another import goes on with it"), "{refused}");
    terminate(&child);
    let told = tokio::time::timeout(PATIENCE, child.wait_with_output()).await.unwrap().unwrap();
    assert_eq!(told.status.code(), Some(1));
    let before = rows(&verdicts).len();
    let said = format!("stopped after {before} rows: the same command goes on there");
    assert!(err(&told).contains(&said), "{said}: {}", err(&told));
    assert!((35..120).contains(&before), "{before}");

    let told = terminal.json(&import).await;
    assert_eq!((&told["rows"], &told["refused"]), (&120.into(), &0.into()));
    assert_eq!(told["rowsNow"], 120 - before);
    assert_eq!(rows(&verdicts), (1..=120).collect::<Vec<u64>>());
    let text_of = std::fs::read_to_string(&verdicts).unwrap();
    let ids: HashSet<String> = text_of
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["complaintId"].to_string())
        .collect();
    assert_eq!(ids.len(), 120);
    assert!(terminal.text(&import).await.contains("120 rows, all of them done before"));
    terminal.house.settled().await;
    assert_eq!(terminal.json(&["case", "count"]).await["total"], "120");

    std::fs::write(folder.path("many.jsonl"), text.replacen("No 1\"", "No 1!\"", 1)).unwrap();
    let refused = terminal.refusal(&import).await;
    assert!(refused.contains("the file was changed since the import began"), "{refused}");
    terminal.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_is_kept_to() {
    let terminal = Terminal::open().await;
    let folder = Folder::new();
    let text = complaints(30);
    let file = folder.write("a.jsonl", text);
    let begun = Instant::now();
    let told = terminal.json(&["import", &file, "--rate", "10"]).await;
    assert_eq!(told["registered"], 30);
    assert!(begun.elapsed() >= Duration::from_secs(3), "{:?}", begun.elapsed());
    assert!(told["rowsPerSecond"].as_f64().unwrap() <= 10.0, "{told}");
    terminal.house.done().await;
}
