//! Files as partners write them: tables in whatever encoding, lines of JSON, workbooks.

use proto::redress::intake::v1::complaint::ChannelDetail;
use proto::redress::intake::v1::{Channel, FileDrop};

use super::{Desk, acme, counts, is_done, set};

const CHINESE: &str = "编号,主题,内容,时间\n\
                       T-1,快递丢件,快递员把包裹弄丢了，至今没有人联系我。,2026-11-05 08:03\n\
                       T-2,退款未到,商家答应三天退款，已经两周了。,昨天\n\
                       T-3,态度恶劣,客服态度恶劣。,2026-11-06 18:00\n";
const MAPPING: &str = "[columns]\nexternal_ref = \"编号\"\nsubject = \"主题\"\ndescription = \"内容\"\n\
                       occur_time = \"时间\"\n[times]\nzone = \"Asia/Shanghai\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_table_in_an_old_encoding_is_read_by_the_mapping_and_a_bad_row_harms_no_other() {
    let desk = Desk::open().await;
    let drop = FileDrop { mapping: MAPPING.to_owned(), language: "zh-CN".to_owned(), ..acme() };
    set(&desk.client, drop).await.expect("set up");
    desk.put("utf8.csv", CHINESE);
    desk.put("gb.csv", encoding_rs::GB18030.encode(&CHINESE.replace("T-", "G-")).0);
    let files = desk.ended(2).await;
    for (name, letter) in [("utf8.csv", "T"), ("gb.csv", "G")] {
        let file = files.iter().find(|file| file.file_name == name).expect("the file");
        assert!(is_done(file), "{file:#?}");
        assert_eq!((file.row_count, counts(file), file.file_drop_version), (3, (2, 0, 1), 1));
        let problem = &file.first_problems[0];
        assert_eq!(
            (problem.row, problem.reason.as_str(), problem.field.as_str()),
            (2, "UNREADABLE_ROW", "occur_time")
        );
        assert!(problem.problem.starts_with("时间: is no time"), "{problem:?}");
        let lines = desk.verdicts(name);
        assert_eq!(lines.len(), 3);
        assert_eq!(
            (lines[0][0].as_str(), lines[0][1].clone(), lines[0][2].as_str()),
            ("1", format!("{letter}-1"), "registered")
        );
        assert!(!lines[0][4].is_empty(), "a receipt code: {:?}", lines[0]);
        assert_eq!(lines[1][2..8], ["refused", "", "", "INVALID_ARGUMENT", "UNREADABLE_ROW", "occur_time"]);
        let complaint = desk.complaint(&lines[0][3]).await;
        assert_eq!((complaint.channel(), complaint.language.as_str()), (Channel::Partner, "zh-CN"));
        assert_eq!(complaint.occur_time.expect("a time").seconds, 1_793_836_980, "08:03 in Shanghai");
    }
    assert_eq!(desk.names("incoming"), Vec::<String>::new());
    assert_eq!(desk.names("done"), ["gb.csv", "gb.csv.done", "utf8.csv", "utf8.csv.done"]);
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_json_are_complaints_of_the_drops_channel_and_authority() {
    let desk = Desk::open().await;
    let drop = FileDrop {
        channel: Channel::Regulator.into(),
        authority: "FCA".to_owned(),
        mapping: MAPPING.to_owned(),
        ..acme()
    };
    set(&desk.client, drop).await.expect("set up");
    let lines = [
        r#"{"externalRef": "1", "subject": "Late", "description": "Two weeks."}"#,
        "",
        r#"{"subject": "Late", "description": "As a partner.", "channel": "CHANNEL_PARTNER"}"#,
        r#"{"subject": "Late", "description": "Theirs.", "regulator": {"authority": "CFPB"}}"#,
        r#"{"subject": "Late", "description": "Known.", "regulator": {"reference": "9"}}"#,
        r#"{"subject": ""#,
        r#"{"subject": "", "description": "No subject."}"#,
        r#"{"subject": "Old", "description": "Closed.", "history": {"outcome": "OUTCOME_UPHELD"}}"#,
    ];
    desk.put("a.jsonl", lines.join("\n"));
    let file = desk.ended(1).await.remove(0);
    assert_eq!((file.row_count, counts(&file)), (7, (2, 0, 5)));
    let told: Vec<(i64, &str)> =
        file.first_problems.iter().map(|problem| (problem.row, problem.reason.as_str())).collect();
    assert_eq!(
        told[..4],
        [(3, "ANOTHER_CHANNEL"), (4, "ANOTHER_AUTHORITY"), (6, "UNREADABLE_ROW"), (7, "INVALID_COMPLAINT")]
    );
    assert_eq!(told[4].0, 8, "what ended elsewhere only an administrator brings: {told:?}");
    for line in desk.verdicts("a.jsonl").iter().filter(|line| line[2] == "registered") {
        let complaint = desk.complaint(&line[3]).await;
        assert_eq!(complaint.channel(), Channel::Regulator);
        let Some(ChannelDetail::Regulator(detail)) = complaint.channel_detail else { panic!("no detail") };
        assert_eq!(detail.authority, "FCA");
    }
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sheet_of_a_workbook_is_read() {
    let desk = Desk::open().await;
    set(&desk.client, FileDrop { sheet: "投诉".to_owned(), ..acme() }).await.expect("set up");
    let mut workbook = rust_xlsxwriter::Workbook::new();
    workbook.add_worksheet().write(0, 0, "not this one").expect("written");
    let sheet = workbook.add_worksheet().set_name("投诉").expect("a name");
    for (row, cells) in [(0, ["subject", "description"]), (1, ["Late", "A week."]), (3, ["", "No subject."])]
    {
        for (column, cell) in (0..).zip(cells) {
            sheet.write(row, column, cell).expect("written");
        }
    }
    desk.put("book.xlsx", workbook.save_to_buffer().expect("a workbook"));
    desk.put("notes.pdf", "no table");
    let files = desk.ended(2).await;
    let book = files.iter().find(|file| file.file_name == "book.xlsx").expect("the workbook");
    assert_eq!((is_done(book), counts(book)), (true, (1, 0, 1)), "{book:#?}");
    let numbers: Vec<String> = desk.verdicts("book.xlsx").iter().map(|line| line[0].clone()).collect();
    assert_eq!(numbers, ["2", "4"], "as the sheet numbers its rows");
    let notes = files.iter().find(|file| file.file_name == "notes.pdf").expect("the other");
    assert_eq!((is_done(notes), notes.reason.as_str()), (false, "FILE_UNREADABLE"));
    let lines = desk.verdicts("notes.pdf");
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0][2..7], ["refused", "", "", "INVALID_ARGUMENT", "FILE_UNREADABLE"]);
    assert_eq!(desk.names("refused"), ["notes.pdf", "notes.pdf.done"]);
    desk.house.done().await;
}
