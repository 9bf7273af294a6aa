//! Mappings, fitted to headings and read row by row.

use proto::redress::intake::v1::Channel;
use proto::redress::intake::v1::complaint::ChannelDetail;

use super::*;
use crate::problem::sentence;

const MAPPINGS: [&str; 2] = [
    include_str!("../../../../services/redress/sample/mappings/cfpb.toml"),
    include_str!("../../../../services/redress/sample/mappings/zh-gov-messages.toml"),
];

fn headings(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn cells(cells: &[&str]) -> Vec<String> {
    headings(cells)
}

/// Everything that is wrong with a row.
fn wrong(fitted: &Fitted, row: &[&str]) -> String {
    sentence(&fitted.complaint(&cells(row)).unwrap_err())
}

fn fitted(mapping: &str, names: &[&str]) -> Fitted {
    Mapping::read(mapping).unwrap().fit(&headings(names)).unwrap()
}

#[test]
fn the_mappings_of_the_sample_fit() {
    let cfpb = Mapping::read(MAPPINGS[0]).unwrap();
    let fitted = cfpb.fit(&headings(&["src_row", "Product", "Consumer complaint narrative"])).unwrap();
    let row = cells(&["7", "Credit card", "They charged me twice."]);
    let complaint = fitted.complaint(&row).unwrap();
    assert_eq!(complaint.channel(), Channel::Regulator);
    assert_eq!(complaint.external_ref, "7");
    assert_eq!(complaint.category_hint, "banking/card");
    assert!(complaint.consent_given);
    let Some(ChannelDetail::Regulator(detail)) = complaint.channel_detail else { panic!("no detail") };
    assert_eq!(detail.reference, "7");

    let gov = Mapping::read(MAPPINGS[1]).unwrap();
    let names = ["留言编号", "留言用户", "留言主题", "留言时间", "留言详情", "答复意见"];
    let fitted = gov.fit(&headings(&names)).unwrap();
    let row = cells(&["2549", "A00045581", "物业费", "2019/4/25 9:32:09", "太高", "x"]);
    let complaint = fitted.complaint(&row).unwrap();
    assert_eq!(complaint.occur_time.unwrap().seconds, 1_556_155_929);
    let row = cells(&["2549", "A00045581", "物业费", "yesterday", "太高", "x"]);
    assert!(sentence(&fitted.complaint(&row).unwrap_err()).starts_with("complaint.occur_time is no time"));
}

#[test]
fn without_a_mapping_headings_are_fields() {
    let fitted = Mapping::default().fit(&headings(&["subject", "complaint.respondent.product"])).unwrap();
    let complaint = fitted.complaint(&cells(&["Late", "Kettle"])).unwrap();
    assert_eq!(complaint.subject, "Late");
    assert_eq!(complaint.respondent.unwrap().product, "Kettle");
}

#[test]
fn cells_are_read_as_spreadsheets_write_them() {
    let mapping = "[columns]\nchannel = \"c\"\nconsent_given = \"y\"\n\"remedy_sought.amount\" = \"m\"\n\
                   \"social.reach\" = \"r\"\n[constants]\n\"remedy_sought.amount.currency_code\" = \"CNY\"";
    let fitted = Mapping::read(mapping).unwrap().fit(&headings(&["c", "y", "m", "r"])).unwrap();
    let sum = |complaint: Complaint| complaint.remedy_sought.unwrap().amount.unwrap();
    for (channel, yes) in [("web", "TRUE"), ("CHANNEL_WEB", "是"), (" Web ", "1")] {
        let complaint = fitted.complaint(&cells(&[channel, yes, "1,128.50", "12.0"])).unwrap();
        assert_eq!((complaint.channel(), complaint.consent_given), (Channel::Web, true));
        let sum = sum(complaint);
        assert_eq!((sum.currency_code.as_str(), sum.units, sum.nanos), ("CNY", 1_128, 500_000_000));
    }
    assert!(wrong(&fitted, &["fax", "no", "", ""]).contains("in-app"));
    assert!(fitted.complaint(&cells(&["in-app", "maybe", "", ""])).is_err());
    assert!(wrong(&fitted, &["in-app", "no", "a lot", ""]).contains("128.50"));
    let parts = "[columns]\n\"remedy_sought.amount.units\" = \"m\"\n\
                 [constants]\n\"remedy_sought.amount.currency_code\" = \"EUR\"";
    let fitted = Mapping::read(parts).unwrap().fit(&headings(&["m"])).unwrap();
    let sum = sum(fitted.complaint(&cells(&["128.50"])).unwrap());
    assert_eq!((sum.currency_code.as_str(), sum.units, sum.nanos), ("EUR", 128, 500_000_000));
}

#[test]
fn what_registration_gives_cannot_be_imported() {
    for given in GIVEN {
        let as_heading = Mapping::default().fit(&headings(&["subject", given])).unwrap_err().to_string();
        assert!(as_heading.starts_with(&format!("complaint.{given} is given at registration")));
    }
    let stated = Complaint { form_version: 3, ..Complaint::default() };
    assert!(nothing_given(&stated).unwrap_err().starts_with("complaint.form_version"));
    assert_eq!(nothing_given(&Complaint::default()), Ok(()));
    // The list is the contract's: what it calls output only.
    let complaint = json::descriptor::<Complaint>().unwrap();
    let said = |field: &FieldDescriptor| {
        crate::fields::comment(field.parent_file().file_descriptor_proto(), field.path())
    };
    let output_only: Vec<String> = complaint
        .fields()
        .filter(|field| said(field).split_whitespace().collect::<Vec<_>>().join(" ").contains("Output only"))
        .map(|field| field.name().to_owned())
        .collect();
    assert_eq!(output_only, GIVEN);
}

#[test]
fn what_does_not_exist_is_refused_before_the_first_row() {
    let error = |text: &str| {
        Mapping::read(text).and_then(|mapping| mapping.fit(&headings(&["a"]))).unwrap_err().to_string()
    };
    assert!(error("[columns]\n\"complaint.subjekt\" = \"a\"").contains("no field"));
    assert!(error("[columns]\n\"complaint.subject\" = \"b\"").contains("no column"));
    assert!(error("[columns]\n\"complaint.evidence\" = \"a\"").contains("lists"));
    assert!(error("[columns]\n\"complaint.complainant\" = \"a\"").contains("fields of its own"));
    assert!(error("[columns]\nsubject = \"a\"\n[constants]\nsubject = \"x\"").contains("both"));
    assert!(
        error("[columns]\nsubject = \"a\"\n[values.language]\nx = \"y\"").contains("no column is mapped")
    );
    assert!(error("[colums]\nsubject = \"a\"").contains("colums"));
}

#[test]
fn all_that_is_wrong_with_a_row_is_told_with_its_columns() {
    let mapping = "[columns]\nchannel = \"渠道\"\noccur_time = \"时间\"\nconsent_given = \"同意\"\n\
                   \"complainant.phone\" = \"电话\"\n[phones]\ncountry = \"CN\"\n";
    let fitted = fitted(mapping, &["渠道", "时间", "同意", "电话"]);
    let problems = fitted.complaint(&cells(&["fax", "05/01/2026", "vielleicht", "110"])).unwrap_err();
    let told: Vec<_> = problems
        .iter()
        .map(|problem| (problem.kind, problem.column.as_deref().unwrap(), problem.value.as_deref().unwrap()))
        .collect();
    let right = [
        (Kind::Choice, "渠道", "fax"),
        (Kind::Phone, "电话", "110"),
        (Kind::Truth, "同意", "vielleicht"),
        (Kind::Time, "时间", "05/01/2026"),
    ];
    assert_eq!(told, right);
}

#[test]
fn numbers_sums_and_telephone_numbers_are_read_as_the_mapping_says() {
    let mapping = "[columns]\n\"remedy_sought.amount\" = \"m\"\n\"complainant.phone\" = \"p\"\n\
                   [numbers]\ndecimal = \",\"\ncurrency = \"CAD\"\n[phones]\ncountry = \"CN\"\n";
    let fitted = fitted(mapping, &["m", "p"]);
    let read = |sum: &str, phone: &str| {
        let complaint = fitted.complaint(&cells(&[sum, phone])).unwrap();
        let sum = complaint.remedy_sought.unwrap().amount.unwrap();
        (format!("{} {} {}", sum.currency_code, sum.units, sum.nanos), complaint.complainant.unwrap().phone)
    };
    let cases = [
        ("1.280,50", "138 1234 5678", "CAD 1280 500000000", "+8613812345678"),
        ("$12,50", "（０１０）６５５２－９９８８", "CAD 12 500000000", "+861065529988"),
        ("1,2万", "138****1234", "CAD 12000 0", "138****1234"),
        ("￥１２８，５０", "010-65529988转8001", "CNY 128 500000000", "+861065529988;ext=8001"),
    ];
    for (sum, phone, told, called) in cases {
        assert_eq!(read(sum, phone), (told.to_owned(), called.to_owned()));
    }
    let plan = fitted.plan();
    assert_eq!(
        (plan.decimal, plan.currency.as_deref(), plan.country.as_deref()),
        (Some(','), Some("CAD"), Some("CN"))
    );
    let error = |text: &str| Mapping::read(text).unwrap_err().to_string();
    assert!(error("[numbers]\ndecimal = \"x\"").contains("decimal"));
    assert!(error("[numbers]\ncurrency = \"Dollar\"").contains("Dollar"));
    assert!(error("[phones]\ncountry = \"China\"").contains("China"));
    assert!(error("[times]\nformats = [\"%d/%m/%y\"]").contains("pivot"));
    assert!(error("[evidence]\nseparator = \"\"").contains("separator"));
}

#[test]
fn evidence_comes_from_columns() {
    let mapping = "[columns]\n\"evidence.uri\" = \"u\"\n\"complaint.evidence.attachment_id\" = \"a\"\n\
                   \"evidence.kind\" = \"k\"\n[evidence]\nseparator = \"|\"\n";
    let fitted = fitted(mapping, &["u", "a", "k"]);
    let read = |row: &[&str]| {
        let evidence = fitted.complaint(&cells(row)).unwrap().evidence;
        evidence
            .iter()
            .map(|one| format!("{}{}:{}", one.uri, one.attachment_id, one.kind))
            .collect::<Vec<_>>()
    };
    assert_eq!(read(&["https://a/1", "", "photo"]), ["https://a/1:photo"]);
    assert_eq!(
        read(&["https://a/1 | https://a/2|", "id-1", "photo"]),
        ["https://a/1:photo", "https://a/2:photo", "id-1:photo"]
    );
    assert_eq!(read(&["https://a/1", "id-1", "photo|receipt"]), ["https://a/1:photo", "id-1:receipt"]);
    assert!(read(&["", "", "photo"]).is_empty());
    assert!(wrong(&fitted, &["https://a/1", "", "photo|receipt"]).contains("2 kinds of 1 pieces"));
    let error = Mapping::read("[columns]\n\"evidence.sha256\" = \"a\"").unwrap().fit(&headings(&["a"]));
    assert!(error.unwrap_err().to_string().contains("kind, uri and attachment_id"));
}

#[test]
fn a_heading_that_is_there_twice_is_not_guessed() {
    let mapping = Mapping::read("[columns]\nsubject = \"a\"").unwrap();
    assert!(mapping.fit(&headings(&["a", "b", "a"])).unwrap_err().to_string().contains("two columns \"a\""));
}

#[test]
fn a_mapping_is_looked_at_without_a_file() {
    for mapping in MAPPINGS {
        Mapping::check(mapping).unwrap();
    }
    assert!(Mapping::check("[columns]\nsubjekt = \"a\"").unwrap_err().to_string().contains("no field"));
    assert!(Mapping::check("[constants]\nform_version = \"1\"").is_err());
    Mapping::check("[columns]\nsubject = \"a\"\ndescription = \"a\"").unwrap();
    Mapping::check("").unwrap();
}
