//! Returns of invented cases: known files, byte for byte, what is refused, and counts against a
//! recount by day.

mod counts;
mod mappings;

use std::collections::BTreeMap;

use uuid::Uuid;

use super::mapping::Rule;
use super::record::{Cycle, Deed, Payment};
use super::*;
use crate::fact::Ending;

/// Time zone of the examples.
const LONDON: &str = "Europe/London";

fn zone(name: &str) -> TimeZone {
    calendar::zones::get(name).expect("a zone")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn pairs(of: &[(&str, &str)]) -> BTreeMap<String, String> {
    of.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect()
}

fn rule(category: &str, codes: &[(&str, &str)]) -> Rule {
    Rule { category: category.to_owned(), codes: pairs(codes), ..Rule::default() }
}

fn case(number: u128, received: &str) -> Record {
    Record {
        case_id: CaseId(Uuid::from_u128(number)),
        received: at(received),
        channel: 5,
        region: String::new(),
        product: String::new(),
        category: String::new(),
        root_cause: String::new(),
        organisation: String::new(),
        branch: String::new(),
        outside_id: String::new(),
        is_outside_id_shared: false,
        forwarded: None,
        history: false,
        is_report: false,
        vulnerable: Some(false),
        older: false,
        servicemember: false,
        merged_apart: false,
        ended: None,
        limit_breached: None,
        held: None,
        cycles: Vec::new(),
        payments: Vec::new(),
        deeds: Vec::new(),
    }
}

fn told(at_time: &str, outcome: i16) -> Cycle {
    let told = Some(at(at_time));
    Cycle { resolved: told, told, outcome: Some(outcome), satisfaction: None }
}

fn paid(at_time: &str, minor: i64, currency: &str) -> Payment {
    Payment { paid: at(at_time), amount: Money { minor, currency: currency.to_owned() } }
}

fn asked(regime: Regime, format: Format, zone_name: &str, term: (Date, Date), mapping: Mapping) -> Return {
    let term = Term { start: term.0, end: term.1 };
    Return::new((regime, format, term), zone(zone_name), (mapping, 3), at("2030-01-01T00:00:00Z"))
}

/// The file of some records, in pages of two, and how complete it is.
fn made(of: Return, records: &[Record]) -> (String, Completeness) {
    let mut maker = Maker::new(Arc::new(of));
    let mut file = maker.head();
    for page in records.chunks(2) {
        file += &maker.take(page);
    }
    file += &maker.tail();
    (file, maker.completeness)
}

fn issues(of: &Completeness) -> Vec<(Option<u128>, &'static str)> {
    of.first.iter().map(|issue| (issue.case.map(|case| case.0.as_u128()), issue.field)).collect()
}

const NOVEMBER: (Date, Date) = (date(2026, 11, 1), date(2026, 12, 1));
const SECOND_HALF: (Date, Date) = (date(2026, 7, 1), date(2027, 1, 1));

fn of_cfpb() -> Mapping {
    let cards = [
        ("product", "Credit card"),
        ("sub_product", "Store credit card"),
        ("issue", "Fees or interest"),
        ("sub_issue", "Problem with fees"),
    ];
    let by_regulator = Rule { channel: 9, codes: pairs(&[("submitted_via", "Referral")]), ..Rule::default() };
    Mapping {
        constants: pairs(&[("company", "ACME BANK, N.A."), ("company_public_response", "=none")]),
        rules: vec![rule("cards/fees", &cards), rule("cards", &cards[..1]), by_regulator],
        ..Mapping::default()
    }
}

#[test]
fn the_columns_of_the_cfpb_are_filled_in_its_order_byte_for_byte() {
    let paid_card = Record {
        category: "cards/fees/late".to_owned(),
        region: "us-ca".to_owned(),
        channel: 9,
        outside_id: "1234567".to_owned(),
        forwarded: Some(at("2026-11-04T12:00:00Z")),
        older: true,
        servicemember: true,
        cycles: vec![told("2026-11-19T23:00:00Z", 1)],
        payments: vec![paid("2026-11-18T00:00:00Z", 2_500, "USD")],
        ..case(1, "2026-11-02T12:00:00Z")
    };
    let explained = Record {
        category: "cards".to_owned(),
        outside_id: "1234568".to_owned(),
        held: Some(at("2026-11-10T00:00:00Z")),
        cycles: vec![told("2026-11-29T00:00:00Z", 3)],
        ..case(2, "2026-11-03T12:00:00Z")
    };
    let repaired = Record {
        category: "cards".to_owned(),
        outside_id: "1234569".to_owned(),
        channel: 7,
        cycles: vec![told("2026-11-29T00:00:00Z", 2)],
        deeds: vec![Deed { at: at("2026-11-20T00:00:00Z"), undone: false }],
        ..case(3, "2026-11-04T12:00:00Z")
    };
    let open = Record {
        category: "cards".to_owned(),
        outside_id: "1234570".to_owned(),
        channel: 1,
        // What happens after the period is not told.
        cycles: vec![told("2026-12-01T00:00:00Z", 2)],
        ..case(4, "2026-11-05T12:00:00Z")
    };
    let withdrawn = Record {
        category: "cards".to_owned(),
        outside_id: "1234571".to_owned(),
        ended: Some((at("2026-11-25T12:00:00Z"), Ending::Withdrawn)),
        ..case(5, "2026-11-25T12:00:00Z")
    };
    let new = Record {
        category: "cards".to_owned(),
        outside_id: "1234572".to_owned(),
        ..case(6, "2026-11-28T12:00:00Z")
    };
    let of = asked(Regime::Cfpb, Format::Csv, "UTC", NOVEMBER, of_cfpb());
    let (file, completeness) = made(of, &[paid_card, explained, repaired, open, withdrawn, new]);
    assert_eq!(completeness, Completeness { records: 6, ..Completeness::default() });
    let expected = "\"Date received\",Product,Sub-product,Issue,Sub-issue,\"Consumer complaint narrative\",\
\"Company public response\",Company,State,\"ZIP code\",Tags,\"Submitted via\",\"Date sent to company\",\
\"Company response to consumer\",\"Timely response?\",\"Complaint ID\"\r\n\
2026-11-02,\"Credit card\",\"Store credit card\",\"Fees or interest\",\"Problem with fees\",,'=none,\
\"ACME BANK, N.A.\",CA,,\"Older American, Servicemember\",Referral,2026-11-04,\
\"Closed with monetary relief\",Yes,1234567\r\n\
2026-11-03,\"Credit card\",,,,,'=none,\"ACME BANK, N.A.\",,,,Web,2026-11-03,\"Closed with explanation\",Yes,1234568\r\n\
2026-11-04,\"Credit card\",,,,,'=none,\"ACME BANK, N.A.\",,,,\"Postal mail\",2026-11-04,\
\"Closed with non-monetary relief\",No,1234569\r\n\
2026-11-05,\"Credit card\",,,,,'=none,\"ACME BANK, N.A.\",,,,Phone,2026-11-05,\"Untimely response\",No,1234570\r\n\
2026-11-25,\"Credit card\",,,,,'=none,\"ACME BANK, N.A.\",,,,Web,2026-11-25,Closed,Yes,1234571\r\n\
2026-11-28,\"Credit card\",,,,,'=none,\"ACME BANK, N.A.\",,,,Web,2026-11-28,\"In progress\",Yes,1234572\r\n";
    assert_eq!(file, expected);
}

#[test]
fn whatever_is_missing_of_a_record_is_told_at_once_and_the_return_with_it() {
    let bare = Record {
        channel: 8,
        region: "CN-SH".to_owned(),
        forwarded: Some(at("2026-11-01T00:00:00Z")),
        cycles: vec![told("2026-11-01T10:00:00Z", 1)],
        ..case(1, "2026-11-02T12:00:00Z")
    };
    let not_digits = Record {
        outside_id: "C-1".to_owned(),
        category: "cards".to_owned(),
        ..case(2, "2026-11-02T13:00:00Z")
    };
    let shared = Record {
        outside_id: "7".to_owned(),
        is_outside_id_shared: true,
        category: "cardsharp".to_owned(),
        ..case(3, "2026-11-02T14:00:00Z")
    };
    let mapping = Mapping { constants: BTreeMap::new(), organisations: vec!["Acme".to_owned()], ..of_cfpb() };
    let of = asked(Regime::Cfpb, Format::Csv, "UTC", NOVEMBER, mapping);
    let (_, completeness) = made(of, &[bare, not_digits, shared]);
    let expected = [
        (Some(1), "date_closed"),
        (Some(1), "organisation"),
        (Some(1), "date_sent_to_company"),
        (Some(1), "product"),
        (Some(1), "submitted_via"),
        (Some(1), "state"),
        (Some(1), "complaint_id"),
        (Some(2), "organisation"),
        (Some(2), "complaint_id"),
        (Some(3), "organisation"),
        (Some(3), "product"),
        (Some(3), "complaint_id"),
        (None, "company"),
    ];
    assert_eq!(issues(&completeness), expected);
    assert_eq!((completeness.records, completeness.incomplete, completeness.issues), (3, 3, 13));
}

#[test]
fn what_is_of_others_or_no_complaint_is_not_told() {
    let acme = |number| Record { organisation: "ACME".to_owned(), ..case(number, "2026-11-02T12:00:00Z") };
    let merged = Some((at("2026-11-03T00:00:00Z"), Ending::Merged));
    let all = [
        acme(1),
        Record { organisation: "Other".to_owned(), ..case(2, "2026-11-02T12:00:00Z") },
        Record { is_report: true, ..acme(3) },
        Record { ended: merged, ..acme(4) },
        Record { ended: merged, merged_apart: true, ..acme(5) },
        Record { received: at("2026-12-01T00:00:00Z"), ..acme(6) },
        Record { received: at("2026-10-31T23:59:59Z"), ..acme(7) },
        Record { channel: 9, ..acme(8) },
    ];
    let told_of = |mapping: Mapping| {
        let of = asked(Regime::Cfpb, Format::Csv, "UTC", NOVEMBER, mapping);
        let told = all.iter().filter(|record| record.belongs_to(&of));
        told.map(|record| record.case_id.0.as_u128()).collect::<Vec<_>>()
    };
    let ours = Mapping { organisations: vec!["acme".to_owned()], ..Mapping::default() };
    assert_eq!(told_of(ours.clone()), [1, 5, 8]);
    assert_eq!(told_of(Mapping { regulator_only: true, ..ours }), [8]);
    assert_eq!(told_of(Mapping::default()), [1, 2, 5, 8]);
}

#[test]
fn a_row_of_asic_is_closed_with_an_outcome_or_open_without() {
    let codes = [("channel", "ONLINE"), ("product", "P-10"), ("issue", "I-20")];
    let by_outcome = Rule { outcome: 1, codes: pairs(&[("outcome", "O-1")]), ..Rule::default() };
    let mapping = Mapping {
        constants: pairs(&[("brand", "Acme"), ("status_open", "S-O"), ("status_closed", "S-C")]),
        rules: vec![rule("", &codes), by_outcome],
        headings: pairs(&[("unique_id", "Unique Identifier")]),
        ..Mapping::default()
    };
    let carried = Record {
        cycles: vec![told("2026-07-02T00:00:00Z", 1)],
        payments: vec![paid("2026-07-01T00:00:00Z", 12_345, "AUD"), paid("2027-01-02T00:00:00Z", 1, "AUD")],
        ..case(1, "2026-06-20T12:00:00Z")
    };
    let gone = Record { cycles: vec![told("2026-06-29T00:00:00Z", 1)], ..case(2, "2026-06-20T12:00:00Z") };
    let open = Record { cycles: vec![told("2027-01-02T00:00:00Z", 1)], ..case(3, "2026-12-30T12:00:00Z") };
    let of = asked(Regime::AsicIdr, Format::Csv, "Australia/Sydney", SECOND_HALF, mapping.clone());
    let (file, completeness) = made(of, &[carried.clone(), gone, open]);
    assert_eq!((completeness.records, completeness.issues), (2, 0));
    let expected = "\"Unique Identifier\",brand,complainant_type,gender,age,postcode,status,channel,date_received,\
date_closed,days_to_close,about_representative,product,issue,outcome,compensation\r\n\
00000000-0000-0000-0000-000000000001,Acme,,,,,S-C,ONLINE,2026-06-20,2026-07-02,12,,P-10,I-20,O-1,123.45\r\n\
00000000-0000-0000-0000-000000000003,Acme,,,,,S-O,ONLINE,2026-12-30,,,,P-10,I-20,,0.00\r\n";
    assert_eq!(file, expected);

    let rejected = Record {
        cycles: vec![told("2026-07-02T00:00:00Z", 3)],
        payments: vec![paid("2026-07-01T00:00:00Z", 5, "USD")],
        ..carried
    };
    let nothing = Mapping { constants: BTreeMap::new(), ..mapping };
    let of = asked(Regime::AsicIdr, Format::Csv, "Australia/Sydney", SECOND_HALF, nothing);
    let (_, completeness) = made(of, &[rejected]);
    let expected = [
        (Some(1), "brand"),
        (Some(1), "outcome"),
        (Some(1), "redress"),
        (None, "status_open"),
        (None, "status_closed"),
    ];
    assert_eq!(issues(&completeness), expected);
}

#[test]
fn a_row_of_a_bank_in_china_has_what_facts_know() {
    let codes = [("channel", "01"), ("business_type", "0203"), ("cause", "05")];
    let mapping = Mapping {
        constants: pairs(&[("institution", "某某银行")]),
        rules: vec![
            Rule { root_cause: "system".to_owned(), codes: pairs(&[("cause", "07")]), ..Rule::default() },
            rule("", &codes),
        ],
        ..Mapping::default()
    };
    let one = Record {
        channel: 9,
        branch: "上海分行".to_owned(),
        region: "CN-SH".to_owned(),
        outside_id: "NFRA-2026-1".to_owned(),
        forwarded: Some(at("2026-11-02T20:00:00Z")),
        root_cause: "system/outage".to_owned(),
        vulnerable: Some(true),
        limit_breached: Some(at("2026-11-17T16:00:00Z")),
        cycles: vec![Cycle {
            satisfaction: Some((4, at("2026-11-20T00:00:00Z"))),
            ..told("2026-11-18T02:00:00Z", 2)
        }],
        payments: vec![paid("2026-11-18T00:00:00Z", 3_990, "CNY")],
        ..case(1, "2026-11-02T17:00:00Z")
    };
    let bare = Record { vulnerable: None, outside_id: "X-9".to_owned(), ..case(2, "2026-11-03T00:00:00Z") };
    let of = asked(Regime::CnBank, Format::Csv, "Asia/Shanghai", NOVEMBER, mapping);
    let (file, completeness) = made(of, &[one, bare]);
    assert_eq!((completeness.records, completeness.issues), (2, 0));
    let expected = "\u{feff}机构,分支机构,投诉编号,收到日期,渠道代码,监管转办编号,监管转办日期,业务类型代码,\
投诉原因代码,地区,特殊群体,办理状态,办结日期,办理天数,是否超过法定期限,处理结果,赔付金额（元）,办理次数,满意度\r\n\
某某银行,上海分行,00000000-0000-0000-0000-000000000001,2026-11-03,01,NFRA-2026-1,2026-11-03,0203,07,CN-SH,是,\
已办结,2026-11-18,15,是,部分属实,39.90,1,4\r\n\
某某银行,,00000000-0000-0000-0000-000000000002,2026-11-03,01,,,0203,05,,,办理中,,,否,,0.00,0,\r\n";
    assert_eq!(file, expected);
}

fn of_fca() -> Mapping {
    Mapping {
        constants: pairs(&[("firm_reference", "123456")]),
        rules: vec![
            rule("mortgages", &[("product", "Mortgages"), ("cause", "Delays/timescales")]),
            rule("", &[("product", "Current accounts"), ("cause", "Other")]),
        ],
        ..Mapping::default()
    }
}

/// What the cases below come to.
const FCA_FILE: &str = "section,field,product,value\r\n\
firm,\"firm reference\",,123456\r\n\
period,\"first day\",,2026-07-01\r\n\
period,\"last day\",,2026-12-31\r\n\
head,\"1 covers more than one entity\",,no\r\n\
head,\"34 firm references of the others\",,\r\n\
head,\"2 nil return\",,no\r\n\
head,\"3 outstanding at the start\",,2\r\n\
head,\"49 opened in the period\",,3\r\n\
head,\"47 consent to early publication\",,\r\n\
head,\"48 accuracy confirmed\",,\r\n\
head,\"closed in the period\",,4\r\n\
head,\"outstanding at the end\",,1\r\n\
product,opened,\"Current accounts\",2\r\n\
product,\"closed within 3 business days\",\"Current accounts\",1\r\n\
product,\"closed after 3 business days and within 8 weeks\",\"Current accounts\",1\r\n\
product,\"closed after 8 weeks\",\"Current accounts\",1\r\n\
product,upheld,\"Current accounts\",3\r\n\
product,\"redress for upheld (GBP)\",\"Current accounts\",107\r\n\
product,\"redress for not upheld (GBP)\",\"Current accounts\",70\r\n\
product,\"cause: Other\",\"Current accounts\",2\r\n\
product,opened,Mortgages,1\r\n\
product,\"closed within 3 business days\",Mortgages,1\r\n\
product,\"closed after 3 business days and within 8 weeks\",Mortgages,0\r\n\
product,\"closed after 8 weeks\",Mortgages,0\r\n\
product,upheld,Mortgages,0\r\n\
product,\"redress for upheld (GBP)\",Mortgages,0\r\n\
product,\"redress for not upheld (GBP)\",Mortgages,0\r\n\
product,\"cause: Delays/timescales\",Mortgages,1\r\n\
total,opened,,3\r\n\
total,\"closed within 3 business days\",,2\r\n\
total,\"closed after 3 business days and within 8 weeks\",,1\r\n\
total,\"closed after 8 weeks\",,1\r\n\
total,upheld,,3\r\n\
total,\"redress for upheld (GBP)\",,107\r\n\
total,\"redress for not upheld (GBP)\",,70\r\n\
total,\"cause: Delays/timescales\",,1\r\n\
total,\"cause: Other\",,2\r\n";

#[test]
fn the_return_of_the_fca_counts_by_product_byte_for_byte() {
    // Friday 18 December 2026: the third business day after it is 23 December; then Christmas.
    let quick = Record {
        category: "mortgages/rates".to_owned(),
        cycles: vec![told("2026-12-23T23:00:00Z", 3)],
        ..case(1, "2026-12-18T09:00:00Z")
    };
    let slow = Record {
        cycles: vec![told("2026-12-24T00:30:00Z", 2)],
        payments: vec![paid("2026-12-20T00:00:00Z", 10_049, "GBP")],
        ..case(2, "2026-12-18T09:00:00Z")
    };
    let late = Record {
        cycles: vec![told("2026-07-02T12:00:00Z", 1)],
        payments: vec![paid("2026-07-10T00:00:00Z", 150, "GBP")],
        ..case(3, "2026-05-01T09:00:00Z")
    };
    // Undecided, and paid for: upheld.
    let goodwill = Record {
        ended: Some((at("2026-08-01T12:00:00Z"), Ending::Withdrawn)),
        payments: vec![paid("2026-08-01T00:00:00Z", 500, "GBP")],
        ..case(4, "2026-07-30T12:00:00Z")
    };
    let open = case(5, "2026-06-30T22:59:59Z");
    // Closed before, paid for within.
    let settled = Record {
        cycles: vec![told("2026-06-20T12:00:00Z", 3)],
        payments: vec![paid("2026-09-01T00:00:00Z", 7_000, "GBP")],
        ..case(6, "2026-06-10T12:00:00Z")
    };
    let all = [quick, slow, late, goodwill, open, settled];
    let of = asked(Regime::FcaDisp1Annex1r, Format::Csv, LONDON, SECOND_HALF, of_fca());
    let (file, completeness) = made(of, &all);
    assert_eq!(issues(&completeness), []);
    assert_eq!(completeness.records, 6);
    assert_eq!(file, FCA_FILE);

    let of = asked(Regime::FcaDisp1Annex1r, Format::Json, LONDON, SECOND_HALF, of_fca());
    let (file, _) = made(of, &all);
    let object: serde_json::Value = serde_json::from_str(&file).expect("an object");
    assert_eq!(object["fields"]["3"], 2);
    assert_eq!(object["total"]["upheld"], 3);
    assert_eq!(object["products"][1]["causes"]["Delays/timescales"], 1);
    assert!(object["vulnerability"].is_null());
}

#[test]
fn a_nil_return_is_blank_and_of_2027_vulnerable_customers_are_counted() {
    let of = asked(Regime::FcaDisp1Annex1r, Format::Json, LONDON, SECOND_HALF, of_fca());
    let (file, completeness) = made(of, &[]);
    assert_eq!(completeness, Completeness::default());
    let object: serde_json::Value = serde_json::from_str(&file).expect("an object");
    assert_eq!((&object["fields"]["2"], &object["fields"]["49"]), (&"yes".into(), &serde_json::Value::Null));
    assert!(object["products"].is_null() && object["total"].is_null());

    let term = (date(2027, 1, 1), date(2027, 7, 1));
    let mut mapping = of_fca();
    mapping.rules[1].codes.insert("cause".to_owned(), "NEW-1".to_owned());
    let known = Record {
        vulnerable: Some(true),
        cycles: vec![told("2027-02-03T00:00:00Z", 1)],
        ..case(1, "2027-02-01T00:00:00Z")
    };
    let unknown = Record { vulnerable: None, ..case(2, "2027-02-02T00:00:00Z") };
    let (file, completeness) = made(
        asked(Regime::FcaDisp1Annex1r, Format::Csv, LONDON, term, mapping.clone()),
        &[known.clone(), unknown],
    );
    assert_eq!(issues(&completeness), [(Some(2), "vulnerable_customer")], "the old causes hold no more");
    assert!(
        file.contains("vulnerability,\"opened, customers in vulnerable circumstances\",,1\r\n"),
        "{file}"
    );
    assert!(file.contains("vulnerability,\"opened, failure to consider vulnerability\",,\r\n"), "{file}");
    mapping.rules.push(rule("care", &[(fca::FAILURE, "yes")]));
    let failed = Record { category: "care/missed".to_owned(), ..known };
    let (file, _) = made(asked(Regime::FcaDisp1Annex1r, Format::Csv, LONDON, term, mapping), &[failed]);
    assert!(file.contains("vulnerability,\"closed, failure to consider vulnerability\",,1\r\n"), "{file}");
}

#[test]
fn a_return_of_the_fca_names_what_its_head_lacks_and_causes_that_are_none() {
    let mut mapping = of_fca();
    mapping.constants = pairs(&[("covers_more_than_one_entity", "yes")]);
    mapping.rules[1].codes.insert("cause".to_owned(), "Gremlins".to_owned());
    let many: Vec<Record> = (0..500).map(|number| case(number + 1, "2026-08-01T00:00:00Z")).collect();
    let (_, completeness) =
        made(asked(Regime::FcaDisp1Annex1r, Format::Csv, LONDON, SECOND_HALF, mapping.clone()), &many);
    assert_eq!((completeness.records, completeness.incomplete, completeness.issues), (500, 500, 503));
    assert_eq!(completeness.first.len(), MAX_ISSUES, "the others are counted");
    let (_, completeness) =
        made(asked(Regime::FcaDisp1Annex1r, Format::Csv, LONDON, SECOND_HALF, of_fca()), &many);
    assert_eq!(issues(&completeness), [(None, "early_publication_consent")]);
    mapping.constants = pairs(&[("firm_reference", "123456"), ("early_publication_consent", "yes")]);
    let few = asked(
        Regime::FcaDisp1Annex1r,
        Format::Csv,
        LONDON,
        SECOND_HALF,
        Mapping { rules: of_fca().rules, ..mapping },
    );
    assert_eq!(issues(&made(few, &many).1), [(None, "accuracy_confirmed")]);
    let mut counts = fca::Counts { opened: 2, outstanding_end: 1, ..fca::Counts::default() };
    counts.products.insert("P".to_owned(), fca::Product { opened: 1, upheld: 1, ..fca::Product::default() });
    let broken: Vec<&str> = counts.broken().into_iter().map(|(field, _)| field).collect();
    assert_eq!(broken, ["outstanding", "opened", "cause", "upheld"]);
}
