//! Files, read row by row.

use std::collections::HashSet;
use std::io::Write as _;

use super::*;
use crate::problem::sentence;

/// The sample of complaints that the demonstration plays.
const SAMPLE: &str = include_str!("../../../../services/demo/sample/complaints.jsonl");

fn rows(source: Source) -> Vec<Row> {
    let reading = source.rows(Mapping::default(), &Written::default(), |bytes| bytes).unwrap();
    reading.rows.map(Result::unwrap).collect()
}

/// The rows of a file of these bytes.
fn file(name: &str, bytes: &[u8]) -> Vec<Row> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    rows(Source::open(&path).unwrap())
}

#[test]
fn every_row_of_the_shipped_sample_can_be_read() {
    let rows = file("complaints.jsonl", SAMPLE.as_bytes());
    assert!(rows.len() >= 240, "{}", rows.len());
    let keys: HashSet<_> = rows.iter().map(|row| row.key).collect();
    assert_eq!(keys.len(), rows.len());
    for row in rows {
        let complaint = row.complaint.unwrap_or_else(|wrong| panic!("line {}: {wrong:?}", row.number));
        assert!(!complaint.subject.is_empty() && complaint.channel != 0, "line {}", row.number);
    }
}

#[test]
fn a_table_reads_the_same_however_it_is_written() {
    let text = "subject,description\n丢件,\"two\nlines\"\n,empty subject\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let files: [(&str, Vec<u8>); 6] = [
        ("a.csv", text.as_bytes().to_vec()),
        ("marked.csv", format!("\u{feff}\n{text}\n,\n").into_bytes()),
        ("a.csv.gz", gzip.finish().unwrap()),
        ("a.txt", text.replace(',', ";").into_bytes()),
        ("a.tsv", text.replace(',', "\t").into_bytes()),
        ("wide.csv", wide),
    ];
    let keys: HashSet<Vec<[u8; 32]>> = files
        .iter()
        .map(|(name, bytes)| {
            let rows = file(name, bytes);
            let subjects: Vec<_> = rows.iter().map(|row| row.complaint.clone().unwrap().subject).collect();
            assert_eq!(subjects, ["丢件", ""], "{name}");
            assert_eq!(rows[0].complaint.clone().unwrap().description, "two\nlines");
            rows.iter().map(|row| row.key).collect()
        })
        .collect();
    assert_eq!(keys.len(), 1, "the same rows have the same keys");
}

#[test]
fn a_bad_line_harms_no_other() {
    let text = "\u{feff}{\"subject\":\"a\"}\n\n{\"subjekt\":1}\nnonsense\n{\"complaintId\":\"x\"}\n";
    let bytes = [text.as_bytes(), b"{\"subject\":\"\xff\"}\n{\"subject\":\"b\"}"].concat();
    let rows = file("a.jsonl", &bytes);
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 3, 4, 5, 6, 7]);
    let good: Vec<_> = rows.iter().map(|row| row.complaint.is_ok()).collect();
    assert_eq!(good, [true, false, false, false, false, true]);
    let kinds: Vec<_> = rows[1..5].iter().map(|row| row.complaint.as_ref().unwrap_err()[0].kind).collect();
    assert_eq!(kinds, [Kind::NotJson, Kind::NotJson, Kind::Given, Kind::NotText]);
    assert!(sentence(rows[3].complaint.as_ref().unwrap_err()).starts_with("complaint.complaint_id"));
}

#[test]
fn a_bad_row_harms_no_other() {
    let long = "x".repeat(5 << 20);
    let text = [b"subject,description\na,b\nc\n\xff,d\n", long.as_bytes(), b",x\n\ne,f\n"].concat();
    let rows = file("a.csv", &text);
    let wrong: Vec<_> =
        rows.iter().map(|row| row.complaint.as_ref().err().map(|wrong| sentence(wrong))).collect();
    let wrong: Vec<_> = wrong.iter().map(Option::as_deref).collect();
    assert_eq!(wrong[0], None);
    assert_eq!(wrong[1], Some("has 1 cells, where the headings are 2"));
    assert_eq!(wrong[2], Some("has bytes that are not UTF-8: --encoding names another"));
    assert_eq!(wrong[3], Some("has more than 2 MiB, or more than 4 096 cells"));
    assert_eq!((wrong[4], wrong.len(), rows[4].number), (None, 5, 5));
}

#[test]
fn a_file_of_another_kind_is_refused() {
    let refused = |name: &str| Source::open(Path::new(name)).err().unwrap().to_string();
    assert!(refused("complaints.pdf").contains("must end in .csv"));
    assert_eq!(
        refused("complaints.XLS"),
        "complaints.XLS: is an old Excel workbook: save it as an Excel workbook (.xlsx) or as CSV UTF-8"
    );
    assert!(refused("a.xlsb").contains("a binary Excel workbook"));
    assert!(refused("a.ods").contains("an OpenDocument sheet"));
    assert!(refused("a.xlsx.gz").contains("unpack it first"));
    assert_eq!(separator_named("tab"), Ok(b'\t'));
    assert!(separator_named("ab").is_err() && separator_named("\"").is_err());
}

/// One short row in an old Chinese encoding: told by the headings of the mapping.
#[test]
fn one_short_row_of_chinese_is_read_as_it_was_written() {
    let mapping = "[columns]\nsubject = \"主题\"\n\"complainant.display_name\" = \"姓名\"\n";
    for encoding in [encoding_rs::GB18030, encoding_rs::UTF_8] {
        let bytes = encoding.encode("姓名,主题\n张伟,丢件\n").0.into_owned();
        let (found, why) = by_sample(&bytes, &Mapping::read(mapping).unwrap()).unwrap();
        assert_eq!((found, why.as_str()), (encoding, "so read, 姓名 is a heading"));
    }
    let bytes = encoding_rs::BIG5.encode("姓名,主題\n陳大文,遺失\n").0.into_owned();
    assert_eq!(by_sample(&bytes, &Mapping::default()).unwrap().0, encoding_rs::BIG5);
}

#[test]
fn a_sheet_is_read_as_a_table_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.xlsx");
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let day = rust_xlsxwriter::Format::new().set_num_format("yyyy-mm-dd hh:mm");
    let when = rust_xlsxwriter::ExcelDateTime::from_ymd(2026, 1, 5).unwrap().and_hms(8, 3, 0).unwrap();
    let sheet = workbook.add_worksheet().set_name("投诉").unwrap();
    for (column, heading) in ["主题", "时间", "金额", "同意", "备注"].into_iter().enumerate() {
        sheet.write(2, u16::try_from(column).unwrap(), heading).unwrap();
    }
    sheet.write(3, 0, "丢件").unwrap();
    sheet.write_with_format(3, 1, when, &day).unwrap();
    sheet.write(3, 2, 128.5).unwrap();
    sheet.write(3, 3, true).unwrap();
    sheet.write(3, 4, rust_xlsxwriter::Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
    sheet.write(6, 0, "退款").unwrap();
    sheet.write(6, 1, rust_xlsxwriter::Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
    sheet.write(6, 2, "很多").unwrap();
    sheet.write(7, 0, "退货").unwrap();
    sheet.write(7, 6, "a seventh cell").unwrap();
    workbook.save(&path).unwrap();
    let mapping = "[columns]\nsubject = \"主题\"\noccur_time = \"时间\"\n\"remedy_sought.amount\" = \"金额\"\n\
                   consent_given = \"同意\"\n[times]\nzone = \"Asia/Shanghai\"\nformats = [\"%d.%m.%Y\"]\n\
                   [numbers]\ncurrency = \"CNY\"\n";
    let read = |written: Written| {
        let mapping = Mapping::read(mapping).unwrap();
        Source::open(&path).unwrap().rows(mapping, &written, |bytes| bytes)
    };
    let Reading { rows, layout } = read(Written::default()).unwrap();
    let rows: Vec<Row> = rows.map(Result::unwrap).collect();
    assert_eq!(layout.sheet.as_deref(), Some("投诉"));
    assert_eq!(layout.plan.unwrap().ignored, ["备注"]);
    assert_eq!(rows.iter().map(|row| row.number).collect::<Vec<_>>(), [4, 7, 8]);
    let complaint = rows[0].complaint.as_ref().unwrap();
    assert_eq!(complaint.occur_time.unwrap().seconds, 1_767_571_380, "08:03 in Shanghai");
    assert!(complaint.consent_given);
    assert_eq!(complaint.remedy_sought.as_ref().unwrap().amount.as_ref().unwrap().units, 128);
    let wrong = rows[1].complaint.as_ref().unwrap_err();
    assert_eq!(wrong.iter().map(|problem| problem.kind).collect::<Vec<_>>(), [Kind::Cell, Kind::Number]);
    assert_eq!(wrong[0].to_string(), "occur_time has the error #DIV/0!");
    assert_eq!(wrong[0].column.as_deref(), Some("时间"));
    assert_eq!(sentence(rows[2].complaint.as_ref().unwrap_err()), "has 7 cells, where the headings are 5");
    let named = |sheet: &str| Written { sheet: Some(sheet.to_owned()), ..Written::default() };
    assert!(read(named("zwei")).err().unwrap().to_string().contains("it has 投诉"));
    assert!(read(Written { separator: Some(b';'), ..Written::default() }).is_err());
}

#[test]
fn rows_that_are_passed_over_are_counted_and_the_next_is_the_next() {
    let text = "subject\none\ntwo\n\nthree\n";
    let lines = "{\"subject\": \"one\"}\n\nno JSON\n{\"subject\": \"three\"}\n";
    for (name, text) in [("a.csv", text), ("a.jsonl", lines)] {
        let open = || {
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            io::Seek::rewind(&mut file).unwrap();
            let source = Source::of(file, name, 1 << 20).unwrap();
            source.rows(Mapping::default(), &Written::default(), |bytes| bytes).unwrap().rows
        };
        assert_eq!(open().pass(100).unwrap(), 3, "{name}");
        let mut rows = open();
        assert_eq!(rows.pass(2).unwrap(), 2);
        assert_eq!(rows.next().unwrap().unwrap().complaint.unwrap().subject, "three");
        assert_eq!(rows.pass(1).unwrap(), 0);
    }
}

#[test]
fn a_text_that_unpacks_to_more_than_it_may_is_read_up_to_there() {
    let mut gzip = flate2::write::GzEncoder::new(tempfile::tempfile().unwrap(), flate2::Compression::fast());
    gzip.write_all(format!("subject\n{}", "late\n".repeat(1 << 20)).as_bytes()).unwrap();
    let mut file = gzip.finish().unwrap();
    io::Seek::rewind(&mut file).unwrap();
    let source = Source::of(file, "a.csv.gz", 2 << 20).unwrap();
    let mut rows = source.rows(Mapping::default(), &Written::default(), |bytes| bytes).unwrap().rows;
    assert!(rows.pass(1 << 21).unwrap_err().to_string().contains("unpacks to more"));
}

#[test]
fn a_workbook_that_unpacks_to_more_than_it_may_is_refused_whole() {
    let mut workbook = rust_xlsxwriter::Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.write(0, 0, "subject").unwrap();
    for row in 1..20_000 {
        sheet.write(row, 0, row).unwrap();
    }
    let bytes = workbook.save_to_buffer().unwrap();
    let rows = |most| {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        io::Seek::rewind(&mut file).unwrap();
        let source = Source::of(file, "a.xlsx", most).unwrap();
        source.rows(Mapping::default(), &Written::default(), |bytes| bytes).map(|reading| reading.rows)
    };
    assert!(bytes.len() < 512 << 10, "it is small as it is: {}", bytes.len());
    assert_eq!(rows(1 << 30).unwrap().pass(1 << 20).unwrap(), 19_999);
    let refused = rows(512 << 10).err().unwrap().to_string();
    assert!(refused.contains("unpacks to more than a workbook may"), "{refused}");
}
