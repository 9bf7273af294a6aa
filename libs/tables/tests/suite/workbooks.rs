//! Workbooks: typed cells, one row after the other, and what is refused before.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};
use tables::workbook::{MAX_COLUMNS, Refused, Row, Sheet, WrongCell};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A workbook of these parts beside those that every workbook has.
    fn workbook(&self, parts: &[(&str, String)]) -> PathBuf {
        let path = self.path("by-hand.xlsx");
        let mut zip = ZipWriter::new(File::create(&path).unwrap());
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        let relationship = |id: &str, kind: &str, target: &str| {
            format!(
                "<Relationship Id=\"{id}\" Target=\"{target}\" \
                 Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}\"/>"
            )
        };
        let all = [
            (
                "_rels/.rels",
                format!(
                    "<Relationships>{}</Relationships>",
                    relationship("r1", "officeDocument", "xl/workbook.xml")
                ),
            ),
            (
                "xl/_rels/workbook.xml.rels",
                format!(
                    "<Relationships>{}</Relationships>",
                    relationship("r1", "worksheet", "worksheets/sheet1.xml")
                ),
            ),
            (
                "xl/workbook.xml",
                "<workbook><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
                    .to_owned(),
            ),
        ];
        for (name, text) in
            all.iter().map(|(name, text)| (*name, text)).chain(parts.iter().map(|(name, text)| (*name, text)))
        {
            zip.start_file(name, stored).unwrap();
            zip.write_all(text.as_bytes()).unwrap();
        }
        zip.finish().unwrap();
        path
    }

    /// A workbook of one sheet of these rows.
    fn sheet(&self, rows: &str) -> PathBuf {
        self.workbook(&[(
            "xl/worksheets/sheet1.xml",
            format!("<worksheet><sheetData>{rows}</sheetData></worksheet>"),
        )])
    }
}

fn open(path: &Path, sheet: Option<&str>) -> Result<Sheet, Refused> {
    Sheet::open(File::open(path).unwrap(), sheet)
}

fn rows(path: &Path) -> Vec<Row> {
    open(path, None).unwrap().collect::<Result<_, _>>().unwrap()
}

fn refused(path: &Path) -> String {
    match open(path, None) {
        Err(refused) => refused.to_string(),
        Ok(sheet) => sheet.filter_map(Result::err).map(|refused| refused.to_string()).next().unwrap(),
    }
}

fn texts(row: &Row) -> Vec<Result<String, String>> {
    let cells = row.cells.as_ref().unwrap();
    cells.iter().map(|cell| cell.clone().map_err(|wrong| wrong.to_string())).collect()
}

#[test]
fn cells_are_read_by_their_type() {
    let folder = Folder::new();
    let path = folder.path("typed.xlsx");
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.set_name("投诉").unwrap();
    let day = Format::new().set_num_format("yyyy-mm-dd");
    let minute = Format::new().set_num_format("yyyy/m/d hh:mm");
    let clock = Format::new().set_num_format("h:mm");
    let lasting = Format::new().set_num_format("[h]:mm");
    let moment = ExcelDateTime::from_ymd(2026, 1, 5).unwrap().and_hms(8, 3, 0).unwrap();
    sheet.write(0, 0, "编号").unwrap();
    sheet.write(0, 1, "two\nlines").unwrap();
    sheet.write_with_format(1, 0, ExcelDateTime::from_ymd(2026, 1, 5).unwrap(), &day).unwrap();
    sheet.write_with_format(1, 1, moment, &minute).unwrap();
    sheet.write_with_format(1, 2, 0.75, &clock).unwrap();
    sheet.write_with_format(1, 3, 1.5, &lasting).unwrap();
    sheet.write(2, 0, true).unwrap();
    sheet.write(2, 1, 128.5).unwrap();
    sheet.write(2, 2, 0.1 + 0.2).unwrap();
    sheet.write(2, 3, 13_812_345_678.0).unwrap();
    sheet.write(2, 4, 1_234_567_890_123_456_789.0).unwrap();
    sheet.write(2, 5, Formula::new("=1/0").set_result("#DIV/0!")).unwrap();
    sheet.write(2, 6, Formula::new("=A1&\"x\"").set_result("编号x")).unwrap();
    sheet.write(5, 1, "后").unwrap();
    workbook.add_worksheet().set_name("zwei").unwrap().write(0, 0, "other").unwrap();
    workbook.save(&path).unwrap();

    let sheet = open(&path, None).unwrap();
    assert_eq!((sheet.name.as_str(), sheet.all.len(), sheet.rows), ("投诉", 2, Some(6)));
    let read = rows(&path);
    assert_eq!(read.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 2, 3, 6]);
    let ok = |texts: &[&str]| texts.iter().map(|text| Ok((*text).to_owned())).collect::<Vec<_>>();
    assert_eq!(texts(&read[0]), ok(&["编号", "two\nlines"]));
    assert_eq!(texts(&read[1]), ok(&["2026-01-05T00:00:00", "2026-01-05T08:03:00", "18:00:00", "36:00:00"]));
    let third = texts(&read[2]);
    assert_eq!(third[..4], ok(&["true", "128.5", "0.3", "13812345678"]));
    assert_eq!(read[2].cells.as_ref().unwrap()[4], Err(WrongCell::LostDigits));
    assert_eq!(third[5], Err("has the error #DIV/0!".to_owned()));
    assert_eq!(third[6], Ok("编号x".to_owned()));
    assert_eq!(texts(&read[3]), ok(&["", "后"]));

    let other = open(&path, Some("zwei")).unwrap();
    assert_eq!(other.map(|row| texts(&row.unwrap())).collect::<Vec<_>>(), [ok(&["other"])]);
    let none = open(&path, Some("drei")).unwrap_err().to_string();
    assert_eq!(none, "has no sheet \"drei\": it has 投诉, zwei");
}

#[test]
fn who_takes_only_some_rows_leaves_the_rest() {
    let folder = Folder::new();
    let row = |row| format!("<row r=\"{row}\"><c r=\"A{row}\"><v>{row}</v></c></row>");
    let many = (1..=10_000).map(row).collect::<Vec<_>>().concat();
    let path = folder.sheet(&many);
    let first: Vec<_> = open(&path, None).unwrap().take(3).map(|row| row.unwrap().number).collect();
    assert_eq!(first, [1, 2, 3]);
    assert_eq!(rows(&path).len(), 10_000);
}

#[test]
fn files_of_other_kinds_are_refused_with_what_to_do() {
    let folder = Folder::new();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let old = [&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1][..], &[0; 600]].concat();
    assert!(refused(&write("old.xlsx", &old)).contains("(.xls)"), "{}", refused(&write("old.xlsx", &old)));
    assert!(
        refused(&write("text.xlsx", b"a,b\n1,2 and more\n")).starts_with("is no workbook that can be read")
    );
    assert!(refused(&write("empty.xlsx", b"")).contains("too short"));
    let ods = folder.workbook(&[("mimetype", String::new()), ("content.xml", String::new())]);
    assert!(refused(&ods).contains("OpenDocument"));
    let binary = folder.workbook(&[("xl/workbook.bin", String::new())]);
    assert!(refused(&binary).contains("(.xlsb)"));
}

#[test]
fn a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_read() {
    let folder = Folder::new();
    let long =
        format!("<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>{}</t></is></c></row>", "x".repeat(3 << 20));
    assert!(refused(&folder.sheet(&long)).contains("a text of 2 MiB"));
    let sheet =
        "<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c></row></sheetData></worksheet>";
    let shared = |text: &str| {
        folder.workbook(&[
            ("xl/worksheets/sheet1.xml", sheet.to_owned()),
            ("xl/sharedStrings.xml", text.to_owned()),
        ])
    };
    // calamine makes room for as many texts as are said to be there.
    let boast = "<sst count=\"1\" uniqueCount=\"4000000000000000\"><si><t>a</t></si></sst>";
    assert!(refused(&shared(boast)).contains("say they are more than they can be"));
    assert!(refused(&shared("<other/>")).contains("do not begin as such"));
    let honest = shared("<sst count=\"1\" uniqueCount=\"1\"><si><t>a</t></si></sst>");
    assert_eq!(texts(&rows(&honest)[0]), [Ok("a".to_owned())]);
    let many: Vec<(String, String)> =
        (0..5_000).map(|n| (format!("xl/media/{n}.xml"), String::new())).collect();
    let many: Vec<(&str, String)> = many.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
    assert!(refused(&folder.workbook(&many)).contains("4096 parts"));
}

#[test]
fn cells_in_places_that_cannot_be_are_refused() {
    let folder = Folder::new();
    let far = format!("<row r=\"1\"><c r=\"ZZZ1\"><v>{MAX_COLUMNS}</v></c></row>");
    assert!(refused(&folder.sheet(&far)).contains("4096 columns"));
    let deep = "<row r=\"2000000\"><c r=\"A2000000\"><v>1</v></c></row>";
    assert!(refused(&folder.sheet(deep)).contains("1048576 rows"));
    let back = "<row r=\"5\"><c r=\"A5\"><v>1</v></c></row><row r=\"2\"><c r=\"A2\"><v>1</v></c></row>";
    assert!(refused(&folder.sheet(back)).contains("not in order"));
    let overflow = "<row r=\"1\"><c r=\"A99999999999\"><v>1</v></c></row>";
    assert!(!refused(&folder.sheet(overflow)).is_empty());
    let wide =
        (0..3_000).map(|n| format!("<c t=\"inlineStr\"><is><t>{}</t></is></c>", "y".repeat(1_000 + n % 2)));
    let wide = format!("<row r=\"1\">{}</row><row r=\"2\"><c><v>1</v></c></row>", wide.collect::<String>());
    let read = rows(&folder.sheet(&wide));
    assert_eq!((read[0].cells.clone(), read.len()), (None, 2), "a row of too much text spoils no other");
}
