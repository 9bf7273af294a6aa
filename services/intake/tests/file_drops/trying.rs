//! A mapping is tried before it is put in force, and registers nothing.

use std::fs;
use std::io::Write as _;

use flate2::write::GzEncoder;
use proto::redress::intake::v1::{
    Channel, DeleteFileDropRequest, TriedHeading, TryDropMappingRequest, TryDropMappingResponse,
};
use testkit::{reason, request_id, violations};
use tonic::Status;

use super::{Desk, acme, set, table};

const MAPPING: &str = "[columns]\nexternal_ref = \"编号\"\nsubject = \"标题\"\ndescription = \"内容\"\n\
    [constants]\n\"complainant.display_name\" = \"n/a\"\n[times]\nzone = \"Asia/Shanghai\"\n";

fn sample(name: &str, content: impl Into<Vec<u8>>) -> TryDropMappingRequest {
    TryDropMappingRequest {
        language: "en".to_owned(),
        sample: content.into(),
        file_name: name.to_owned(),
        ..TryDropMappingRequest::default()
    }
}

async fn tried(desk: &Desk, request: TryDropMappingRequest) -> Result<TryDropMappingResponse, Status> {
    Ok(desk.client.clone().try_drop_mapping(request).await?.into_inner())
}

fn problems(tried: &TryDropMappingResponse) -> Vec<(i64, &str, &str)> {
    tried.first_problems.iter().map(|one| (one.row, one.reason.as_str(), one.field.as_str())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_tells_its_headings_how_rows_are_read_and_what_is_wrong() {
    let desk = Desk::open().await;
    let text = "编号,标题,备注,内容\nA-1,快递晚了,x,晚了一周\nA-2,,y,没有标题\nA-3,太\n";
    let (bytes, _, _) = encoding_rs::GB18030.encode(text);
    let request = TryDropMappingRequest {
        mapping: MAPPING.to_owned(),
        language: "zh-CN".to_owned(),
        ..sample("monday.csv", bytes.into_owned())
    };
    let told = tried(&desk, request).await.expect("tried");
    assert_eq!(told.refused_because, "");
    assert_eq!((told.encoding.as_str(), told.separator.as_str()), ("gb18030", ","));
    let heading = |(heading, fields): (&str, &[&str])| TriedHeading {
        heading: heading.to_owned(),
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
    };
    let expected = [
        ("编号", ["external_ref"].as_slice()),
        ("标题", &["subject"]),
        ("备注", &[]),
        ("内容", &["description"]),
    ];
    assert_eq!(told.headings, expected.map(heading));
    assert_eq!(told.constants[0].field, "complainant.display_name");
    assert_eq!((told.time_zone.as_str(), told.currency.as_str()), ("Asia/Shanghai", ""));
    assert_eq!((told.row_count, told.refused_count, told.has_more_rows), (3, 2, false));
    assert_eq!(problems(&told), [(2, "INVALID_COMPLAINT", "complaint.subject"), (3, "UNREADABLE_ROW", "")]);
    assert_eq!(told.first_rows.len(), 1);
    let row = &told.first_rows[0];
    let value = |field: &str| row.values.iter().find(|one| one.field == field).map(|one| one.value.as_str());
    assert_eq!((row.row, value("subject"), value("external_ref")), (1, Some("快递晚了"), Some("A-1")));
    assert_eq!((value("channel"), value("language")), (Some("partner"), Some("zh-CN")), "the drop adds it");
    assert_eq!(desk.count().await, 0, "nothing is registered");
    assert!(desk.files().await.is_empty());
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_be_refused_whole_says_why_and_a_row_of_another_channel_is_told() {
    let desk = Desk::open().await;
    let other = TryDropMappingRequest { mapping: MAPPING.to_owned(), ..sample("a.csv", "a,b\n1,2\n") };
    let told = tried(&desk, other).await.expect("tried");
    assert!(told.refused_because.contains("内容"), "{}", told.refused_because);
    let told = tried(&desk, sample("a.pdf", "x")).await.expect("tried");
    assert!(told.refused_because.contains("must end in .csv"), "{}", told.refused_because);
    let lines = "{\"channel\": \"CHANNEL_WEB\", \"subject\": \"a\", \"description\": \"b\"}\n?\n";
    let told = tried(&desk, sample("a.jsonl", lines)).await.expect("tried");
    assert_eq!(problems(&told), [(1, "ANOTHER_CHANNEL", "complaint.channel"), (2, "UNREADABLE_ROW", "")]);
    assert!(told.headings.is_empty() && told.separator.is_empty());
    let of_web = TryDropMappingRequest { channel: Channel::Web.into(), ..sample("a.jsonl", lines) };
    assert_eq!(tried(&desk, of_web).await.expect("tried").refused_count, 1);
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_is_read_than_a_thousand_rows_and_no_more_told_than_twenty_problems() {
    let desk = Desk::open().await;
    let mut text = table(0..975);
    text.push_str(&"X,,no subject\n".repeat(40));
    let mut packed = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).expect("packed");
    let told = tried(&desk, sample("a.csv.gz", packed.finish().expect("packed"))).await.expect("tried");
    assert_eq!((told.row_count, told.refused_count, told.has_more_rows), (1_000, 25, true));
    assert_eq!((told.first_rows.len(), told.first_problems.len()), (5, 20));
    // What unpacks to more than there is room for would be refused.
    let mut member = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    member.write_all(&vec![b'a'; 1 << 20]).expect("packed");
    let bomb = member.finish().expect("packed").repeat(130);
    let told = tried(&desk, sample("a.csv.gz", bomb)).await.expect("tried");
    assert!(!told.refused_because.is_empty() && told.row_count == 0, "{told:?}");
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_lies_in_a_drop_is_tried_where_it_lies() {
    let desk = Desk::open().await;
    set(&desk.client, acme()).await.expect("set up");
    desk.put("a.csv", table(0..3));
    let id = desk.ended(1).await.remove(0).dropped_file_id;
    let request = |id: &str| TryDropMappingRequest {
        dropped_file_id: id.to_owned(),
        language: "en".to_owned(),
        mapping: "[columns]\nsubject = \"description\"\n".to_owned(),
        ..TryDropMappingRequest::default()
    };
    let told = tried(&desk, request(&id)).await.expect("tried");
    assert_eq!((told.row_count, told.refused_count), (3, 3), "no description any more");
    // It was moved under another name, as one of its name lay there.
    desk.put("a.csv", table(3..5));
    let other = desk.ended(2).await.remove(1).dropped_file_id;
    assert_eq!(tried(&desk, request(&other)).await.expect("tried").row_count, 2);
    assert_eq!(tried(&desk, request(&id)).await.expect("tried").row_count, 3);
    fs::write(desk.at("done/a.csv"), table(9..12)).expect("replaced");
    assert_eq!(reason(&tried(&desk, request(&id)).await.expect_err("another")), "DROPPED_FILE_GONE");
    desk.run("UPDATE intake.dropped_file SET size_bytes = 33554433").await;
    assert_eq!(reason(&tried(&desk, request(&other)).await.expect_err("large")), "DROPPED_FILE_TOO_LARGE");
    desk.run("UPDATE intake.dropped_file SET size_bytes = 1").await;
    fs::rename(desk.folder.path().join("development"), desk.folder.path().join("away")).expect("away");
    assert_eq!(reason(&tried(&desk, request(&other)).await.expect_err("away")), "FILE_DROP_UNREACHABLE");
    let delete = DeleteFileDropRequest {
        request_id: request_id(),
        file_drop_id: "acme".to_owned(),
        expected_version: None,
    };
    desk.client.clone().delete_file_drop(delete).await.expect("deleted");
    assert_eq!(reason(&tried(&desk, request(&other)).await.expect_err("no drop")), "FILE_DROP_NOT_FOUND");
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_both_is_tried_and_what_is_wrong_is_told_at_once() {
    let desk = Desk::open().await;
    let wrong = TryDropMappingRequest {
        mapping: "[colums]".to_owned(),
        encoding: "none".to_owned(),
        authority: "FCA".to_owned(),
        dropped_file_id: "x".to_owned(),
        ..sample("", vec![0; (2 << 20) + 1])
    };
    let refused = tried(&desk, TryDropMappingRequest { language: String::new(), ..wrong }).await;
    let refused = refused.expect_err("all of it is wrong");
    assert_eq!(reason(&refused), "INVALID_DROP_TRIAL");
    let mut fields = violations(&refused);
    fields.sort();
    fields.dedup();
    let expected = ["authority", "dropped_file_id", "encoding", "file_name", "language", "mapping", "sample"];
    assert_eq!(fields, expected);
    desk.house.done().await;
}
