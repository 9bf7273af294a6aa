//! Returns to regulators, of what was heard: mapped, checked, refused, sent whole.

use std::time::Duration;

use futures::TryStreamExt as _;
use kernel::Clock as _;
use proto::google::r#type::Money;
use proto::redress::cases::v1::{CaseMerged, CaseOpened, CloseReason, HoldingReplySent};
use proto::redress::feedback::v1::kpi_service_client::KpiServiceClient;
use proto::redress::feedback::v1::return_service_client::ReturnServiceClient;
use proto::redress::feedback::v1::{
    CheckReturnRequest, ExportReturnRequest, ExportReturnResponse, GetReturnMappingRequest,
    RebuildFactsRequest, ReturnCheck, ReturnFile, ReturnFormat, ReturnMapping, ReturnRegime, ReturnRule,
    ReturnValue, UpdateReturnMappingRequest,
};
use proto::redress::intake::v1::complaint::ChannelDetail;
use proto::redress::intake::v1::{
    Channel, ComplaintRegistered, History, HistoryOutcome, Matter, RegulatorDetail, Respondent,
};
use proto::redress::resolution::v1::{RemedyKind, TaskCompleted};
use sha2::{Digest as _, Sha256};
use sqlx::AssertSqlSafe;
use testkit::{CallerChannel, House, MockClock, eventually, reason, request_id, violations};
use tonic::{Code, Status};
use uuid::Uuid;

use crate::{case, closed, house, registered, resolved};

/// The period ends before this.
const AFTER: Duration = Duration::from_hours(40 * 24);

fn returns(house: &House) -> ReturnServiceClient<CallerChannel> {
    ReturnServiceClient::new(house.channel())
}

/// The month that it is, and the first day of the next.
fn this_month() -> (String, String) {
    let now = MockClock::default().now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let next = now.last_of_month().tomorrow().unwrap();
    (now.first_of_month().to_string(), next.to_string())
}

fn export_request(regime: ReturnRegime) -> ExportReturnRequest {
    let (start_date, end_date) = this_month();
    ExportReturnRequest { regime: regime.into(), start_date, end_date, ..ExportReturnRequest::default() }
}

async fn exported(house: &House, request: ExportReturnRequest) -> Result<(ReturnFile, String), Status> {
    let messages: Vec<ExportReturnResponse> =
        returns(house).export_return(request).await?.into_inner().try_collect().await?;
    let told = messages[0].file.clone().unwrap();
    assert!(messages[0].data.is_empty() && messages[1..].iter().all(|message| message.file.is_none()));
    assert!(messages.iter().all(|message| message.data.len() <= 256 * 1024));
    let bytes: Vec<u8> = messages.into_iter().flat_map(|message| message.data).collect();
    let hash: String =
        Sha256::digest(&bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    assert_eq!((i64::try_from(bytes.len()).unwrap(), &hash), (told.size_bytes, &told.sha256));
    Ok((told, String::from_utf8(bytes).unwrap()))
}

async fn checked(house: &House, regime: ReturnRegime) -> Result<ReturnCheck, Status> {
    let (start_date, end_date) = this_month();
    let request =
        CheckReturnRequest { regime: regime.into(), start_date, end_date, ..CheckReturnRequest::default() };
    Ok(returns(house).check_return(request).await?.into_inner().check.unwrap())
}

fn values(of: &[(&str, &str)]) -> Vec<ReturnValue> {
    of.iter()
        .map(|(field, value)| ReturnValue { field: (*field).to_owned(), value: (*value).to_owned() })
        .collect()
}

fn rule(category: &str, codes: &[(&str, &str)]) -> ReturnRule {
    ReturnRule { category: category.to_owned(), codes: values(codes), ..ReturnRule::default() }
}

fn cfpb() -> ReturnMapping {
    ReturnMapping {
        regime: ReturnRegime::Cfpb.into(),
        constants: values(&[("company", "ACME BANK")]),
        rules: vec![rule("cards", &[("product", "Credit card")]), rule("", &[("submitted_via", "Web")])],
        ..ReturnMapping::default()
    }
}

async fn set(house: &House, mapping: ReturnMapping) -> Result<ReturnMapping, Status> {
    let request = UpdateReturnMappingRequest {
        request_id: request_id(),
        expected_version: mapping.version,
        mapping: Some(mapping),
    };
    Ok(returns(house).update_return_mapping(request).await?.into_inner().mapping.unwrap())
}

/// A complaint that a regulator handed over, of an elderly customer in California.
fn handed_over(one: Uuid) -> ComplaintRegistered {
    let mut told = registered(one, "ada@example.org");
    let complaint = told.complaint.as_mut().unwrap();
    complaint.channel = Channel::Regulator.into();
    complaint.external_ref = String::from("Ada's letter");
    let organisation = "Acme".to_owned();
    complaint.respondent = Some(Respondent { organisation, ..Respondent::default() });
    complaint.receive_time = Some(proto::timestamp(MockClock::default().now()));
    complaint.channel_detail = Some(ChannelDetail::Regulator(RegulatorDetail {
        authority: "CFPB".to_owned(),
        reference: "20261234".to_owned(),
        forward_time: Some(proto::timestamp(MockClock::default().now())),
    }));
    let complainant = complaint.complainant.as_mut().unwrap();
    complainant.region = String::from("US-CA");
    complainant.vulnerabilities = vec!["Elderly, lives alone".to_owned()];
    told
}

/// It is about cards, it takes longer, and it is paid for.
async fn handled(house: &House, one: Uuid) {
    let case_id = one.to_string();
    let category = "cards/fees".to_owned();
    let opened = CaseOpened { case_id: case_id.clone(), cycle: 1, category, ..CaseOpened::default() };
    house.tell("cases", one, &opened).await;
    let held = HoldingReplySent {
        case_id: case_id.clone(),
        cycle: 1,
        text: "Ada, it takes longer".to_owned(),
        ..HoldingReplySent::default()
    };
    house.tell("cases", one, &held).await;
    let done = TaskCompleted {
        case_id,
        cycle: 1,
        task_id: Uuid::from_u128(one.as_u128() ^ 2).to_string(),
        department_id: "finance".to_owned(),
        kind: RemedyKind::Refund.into(),
        amount: Some(Money { currency_code: "USD".into(), units: 39, nanos: 900_000_000 }),
        ..TaskCompleted::default()
    };
    house.tell("resolution", one, &done).await;
    house.settled().await;
}

#[tokio::test]
async fn what_was_heard_is_checked_mapped_and_sent_whole_and_names_nobody() {
    let house = house().await;
    let one = case();
    house.tell("intake", one, &handed_over(one)).await;
    handled(&house, one).await;
    let bare = checked(&house, ReturnRegime::Cfpb).await.unwrap();
    let fields: Vec<_> =
        bare.issues.iter().map(|issue| (issue.case_id.as_str(), issue.field.as_str())).collect();
    let id = one.to_string();
    assert_eq!(fields, [(id.as_str(), "product"), (&id, "submitted_via"), ("", "company")]);
    assert_eq!((bare.record_count, bare.incomplete_record_count, bare.issue_count), (1, 1, 3));
    assert_eq!(bare.mapping_version, 0);

    let early = exported(&house, export_request(ReturnRegime::Cfpb)).await.unwrap_err();
    assert_eq!((early.code(), reason(&early).as_str()), (Code::FailedPrecondition, "RETURN_PERIOD_OPEN"));
    house.advance(AFTER);
    let refused = exported(&house, export_request(ReturnRegime::Cfpb)).await.unwrap_err();
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "RETURN_INCOMPLETE"));
    assert_eq!(
        violations(&refused),
        [format!("{id}.product"), format!("{id}.submitted_via"), "company".into()]
    );

    let made = set(&house, cfpb()).await.unwrap();
    assert_eq!((made.version, made.creator.is_empty()), (1, false));
    let (file, text) = exported(&house, export_request(ReturnRegime::Cfpb)).await.unwrap();
    assert_eq!((file.record_count, file.mapping_version), (1, 1));
    assert_eq!(file.name, "cfpb-2026-11-01-2026-11-30.csv");
    let today = MockClock::default().now().strftime("%Y-%m-%d").to_string();
    let row = format!(
        "{today},\"Credit card\",,,,,,\"ACME BANK\",CA,,\"Older American\",Web,{today},\"In progress\",Yes,20261234\r\n"
    );
    assert!(text.ends_with(&row), "{text}");
    assert!(!text.contains("Ada") && !text.contains("example.org") && !text.contains("alone"), "{text}");
    assert_eq!(checked(&house, ReturnRegime::Cfpb).await.unwrap().issue_count, 0);
    house.done().await;
}

#[tokio::test]
async fn what_was_done_for_complainants_is_what_the_company_responded() {
    let house = house().await;
    set(&house, cfpb()).await.unwrap();
    let kinds = [
        (RemedyKind::ServiceUpgrade, false, "Closed with non-monetary relief"),
        (RemedyKind::ServiceUpgrade, true, "Closed with explanation"),
        (RemedyKind::RecallNotice, false, "Closed with explanation"),
        (RemedyKind::FeeWaiver, false, "Closed with monetary relief"),
    ];
    for (place, (kind, undone, _)) in (1_u32..).zip(kinds) {
        let one = case();
        let mut told = handed_over(one);
        if let Some(ChannelDetail::Regulator(regulator)) =
            &mut told.complaint.as_mut().unwrap().channel_detail
        {
            regulator.reference = place.to_string();
        }
        house.tell("intake", one, &told).await;
        let (case_id, category) = (one.to_string(), "cards".to_owned());
        let opened = CaseOpened { case_id: case_id.clone(), cycle: 1, category, ..CaseOpened::default() };
        house.tell("cases", one, &opened).await;
        let moves_money = kind == RemedyKind::FeeWaiver;
        let amount = moves_money.then(|| Money { currency_code: "USD".into(), units: 5, nanos: 0 });
        for compensation in [false, true].into_iter().take(if undone { 2 } else { 1 }) {
            let done = TaskCompleted {
                case_id: case_id.clone(),
                cycle: 1,
                task_id: case().to_string(),
                kind: kind.into(),
                amount: amount.clone(),
                compensation,
                ..TaskCompleted::default()
            };
            house.tell("resolution", one, &done).await;
        }
        house.tell("cases", one, &resolved(one, 1)).await;
        house.settled().await;
        house.tell("cases", one, &closed(one, 1, CloseReason::Staff)).await;
    }
    house.settled().await;
    house.advance(AFTER);
    let (_, text) = exported(&house, export_request(ReturnRegime::Cfpb)).await.unwrap();
    for (place, (kind, _, response)) in (1_u32..).zip(kinds) {
        let ends = format!(",\"{response}\",Yes,{place}\r\n");
        assert!(text.contains(&ends), "{kind:?}: {ends}: {text}");
    }
    house.done().await;
}

#[tokio::test]
async fn a_refusal_of_many_records_names_what_there_is_room_for_and_counts_the_rest() {
    let house = house().await;
    for _ in 0..300 {
        let one = case();
        house.tell("intake", one, &handed_over(one)).await;
    }
    house.settled().await;
    house.advance(AFTER);
    let refused = exported(&house, export_request(ReturnRegime::Cfpb)).await.unwrap_err();
    let details = refused.details().len();
    assert!(details < 8 << 10, "{details} bytes");
    let fields = violations(&refused);
    assert!(fields.len() > 20 && fields.last().is_some_and(String::is_empty), "{}", fields.len());
    let check = checked(&house, ReturnRegime::Cfpb).await.unwrap();
    // Product, way of submission and, as all have one number, that; and the company.
    assert_eq!((check.record_count, check.issue_count, check.issues.len()), (300, 901, 200));
    house.done().await;
}

#[tokio::test]
async fn pages_of_more_cases_than_a_statement_looks_at_are_one_file() {
    let house = house().await;
    set(
        &house,
        ReturnMapping {
            regime: ReturnRegime::CnBank.into(),
            constants: values(&[("institution", "=某某银行")]),
            rules: vec![rule("", &[("channel", "01"), ("business_type", "0203"), ("cause", "05")])],
            headings: values(&[("机构", "银行机构名称")]),
            ..ReturnMapping::default()
        },
    )
    .await
    .unwrap();
    let mut owner = house.owner().await;
    let one = case();
    house.tell("intake", one, &handed_over(one)).await;
    house.settled().await;
    // As many more as one, received at one moment.
    let copies = "INSERT INTO feedback.case_fact SELECT (f).* FROM (
            SELECT jsonb_populate_record(c, jsonb_build_object('case_id', gen_random_uuid())) AS f
            FROM feedback.case_fact c, generate_series(1, 2500)) x";
    sqlx::query(AssertSqlSafe(copies)).execute(&mut owner).await.unwrap();
    house.advance(AFTER);
    let (file, text) = exported(&house, export_request(ReturnRegime::CnBank)).await.unwrap();
    assert_eq!(file.record_count, 2_501);
    let mut lines: Vec<&str> = text.trim_start_matches('\u{feff}').split_terminator("\r\n").collect();
    assert!(lines.remove(0).starts_with("银行机构名称,分支机构,"), "{}", &text[..80]);
    assert!(lines.iter().all(|line| line.starts_with("'=某某银行,,")), "no formula");
    lines.sort_unstable();
    lines.dedup();
    assert_eq!(lines.len(), 2_501, "each once");
    house.done().await;
}

#[tokio::test]
async fn reports_and_merged_cases_are_not_told_but_for_those_of_other_people() {
    let house = house().await;
    let (told, report, merged, apart) = (case(), case(), case(), case());
    for one in [told, report, merged, apart] {
        let mut complaint = handed_over(one);
        if one == report {
            complaint.complaint.as_mut().unwrap().matter = Matter::Report.into();
        }
        house.tell("intake", one, &complaint).await;
    }
    for (one, complainants_differ) in [(merged, false), (apart, true)] {
        let into_case_id = told.to_string();
        let event = CaseMerged {
            case_id: one.to_string(),
            cycle: 1,
            into_case_id,
            reason: "the same".to_owned(),
            complainants_differ,
        };
        house.tell("cases", one, &event).await;
    }
    house.settled().await;
    let check = checked(&house, ReturnRegime::FcaDisp1Annex1r).await.unwrap();
    assert_eq!(check.record_count, 2);
    house.done().await;
}

#[tokio::test]
async fn what_ended_elsewhere_is_counted_and_of_the_fca_there_is_an_object_too() {
    let house = house().await;
    let one = case();
    let mut complaint = handed_over(one);
    let now = MockClock::default().now();
    let told = complaint.complaint.as_mut().unwrap();
    let received = now - jiff::SignedDuration::from_hours(60 * 24);
    told.receive_time = Some(proto::timestamp(received));
    told.history = Some(History {
        outcome: HistoryOutcome::Upheld.into(),
        close_time: Some(proto::timestamp(now)),
        ..History::default()
    });
    house.tell("intake", one, &complaint).await;
    house.settled().await;
    let mapping = ReturnMapping {
        regime: ReturnRegime::FcaDisp1Annex1r.into(),
        entity_id: "acme-uk".to_owned(),
        organisations: vec!["ACME".to_owned()],
        constants: values(&[("firm_reference", "123456")]),
        rules: vec![rule("", &[("product", "Cards"), ("cause", "Other")])],
        ..ReturnMapping::default()
    };
    set(&house, mapping).await.unwrap();
    house.advance(AFTER);
    let request = ExportReturnRequest {
        entity_id: "acme-uk".to_owned(),
        format: ReturnFormat::Json.into(),
        ..export_request(ReturnRegime::FcaDisp1Annex1r)
    };
    let (file, text) = exported(&house, request).await.unwrap();
    assert_eq!(file.name, "fca-disp-1-annex-1r-acme-uk-2026-11-01-2026-11-30.json");
    let object: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&object["fields"]["3"], &object["fields"]["49"]), (&1.into(), &0.into()), "{text}");
    assert_eq!(object["total"]["closed after 8 weeks"], 1);
    assert_eq!(object["total"]["upheld"], 1);
    assert_eq!(object["outstanding_at_end"], 0);
    house.done().await;
}

#[tokio::test]
async fn facts_of_before_are_filled_by_the_feeds_and_nothing_is_told_meanwhile() {
    let house = house().await;
    set(&house, cfpb()).await.unwrap();
    let one = case();
    house.tell("intake", one, &handed_over(one)).await;
    handled(&house, one).await;
    house.advance(AFTER);
    let (_, before) = exported(&house, export_request(ReturnRegime::Cfpb)).await.unwrap();
    let mut owner = house.owner().await;
    let forget = "UPDATE feedback.case_fact SET organisation = NULL, branch = NULL, is_report = NULL,
            vulnerable = NULL, older = NULL, servicemember = NULL, outside_id = NULL, forwarded_at = NULL";
    sqlx::query(forget).execute(&mut owner).await.unwrap();
    let lacking = checked(&house, ReturnRegime::Cfpb).await.unwrap();
    assert_eq!(lacking.issues[0].field, "complaint_id");
    // What the migration does once its columns are there.
    let migration = include_str!("../../migrations/20261129140000_returns.sql");
    let again = &migration[migration.find("-- Of cases that are known").unwrap()..];
    let again = format!("SET search_path TO feedback; {again}");
    // A worker may hold what it locks: then Postgres ends one of the two, and it is done anew.
    while let Err(error) = sqlx::raw_sql(AssertSqlSafe(again.clone())).execute(&mut owner).await {
        let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
        assert_eq!(code.as_deref(), Some("40P01"), "{error}");
    }
    let told_again = || async {
        match exported(&house, export_request(ReturnRegime::Cfpb)).await {
            Ok((_, text)) => text == before,
            Err(status) => {
                assert_eq!(reason(&status), "FACTS_REBUILDING");
                false
            }
        }
    };
    eventually(told_again).await;
    let mut kpis = KpiServiceClient::new(house.channel());
    kpis.rebuild_facts(RebuildFactsRequest { request_id: request_id() }).await.unwrap();
    eventually(told_again).await;
    house.done().await;
}

#[tokio::test]
async fn a_mapping_is_told_all_that_is_wrong_with_it_and_replaced_by_who_has_seen_it() {
    let house = house().await;
    let hidden = ReturnMapping {
        rules: vec![rule("", &[("product", "A")]), rule("cards", &[("product", "B")])],
        ..cfpb()
    };
    let status = set(&house, hidden).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_RETURN_MAPPING"));
    assert_eq!(violations(&status), ["mapping.rules[1]"]);
    let wrong = ReturnMapping {
        entity_id: "Acme UK".to_owned(),
        organisations: vec![" ".to_owned()],
        calendar: "mars".to_owned(),
        closed_dates: vec!["soon".to_owned()],
        constants: values(&[("company", "A"), ("company", "B"), ("brand", "C")]),
        rules: vec![
            ReturnRule { channel: 99, outcome: 9, ..rule("", &[("state", "Kent"), ("", "x")]) },
            ReturnRule::default(),
        ],
        headings: values(&[("Product", "P")]),
        ..cfpb()
    };
    assert_eq!(
        violations(&set(&house, wrong).await.unwrap_err()),
        [
            "mapping.entity_id",
            "mapping.organisations[0]",
            "mapping.calendar",
            "mapping.closed_dates[0]",
            "mapping.constants[1].field",
            "mapping.constants[2].field",
            "mapping.rules[0].channel",
            "mapping.rules[0].outcome",
            "mapping.rules[0].codes[0].value",
            "mapping.rules[0].codes[1].field",
            "mapping.rules[1].codes",
            "mapping.headings[0].field",
        ]
    );
    let first = set(&house, cfpb()).await.unwrap();
    let stale = set(&house, cfpb()).await.unwrap_err();
    assert_eq!(reason(&stale), "VERSION_MISMATCH");
    let note = "cards too".to_owned();
    let second = set(&house, ReturnMapping { note, ..first.clone() }).await.unwrap();
    assert_eq!(second.version, 2);
    let get = async |version| {
        let regime = ReturnRegime::Cfpb.into();
        let request = GetReturnMappingRequest { regime, version, ..GetReturnMappingRequest::default() };
        returns(&house).get_return_mapping(request).await.map(|answer| answer.into_inner().mapping.unwrap())
    };
    assert_eq!((get(None).await.unwrap(), get(Some(1)).await.unwrap()), (second, first));
    let shipped = get(Some(0)).await.unwrap();
    assert!(shipped.rules.is_empty() && shipped.constants.is_empty() && shipped.version == 0);
    // Another entity has another.
    let other = ReturnMapping { entity_id: "acme-us".to_owned(), ..cfpb() };
    assert_eq!(set(&house, other).await.unwrap().version, 1);
    house.done().await;
}

#[tokio::test]
async fn a_return_of_another_tenant_is_empty() {
    let builder = House::builder(&[feedback::SERVICE]).clock(MockClock::default());
    let house = builder.identified().open().await;
    let one = case();
    house.tell_as("acme", "intake", one, &handed_over(one)).await;
    house.settled().await;
    let asked = async |tenant: &str| {
        let (start_date, end_date) = this_month();
        let regime = ReturnRegime::CnBank.into();
        let request = CheckReturnRequest { regime, start_date, end_date, ..CheckReturnRequest::default() };
        let mut service = ReturnServiceClient::new(house.channel_as(tenant, "eve", &["supervisor"]));
        service.check_return(request).await.unwrap().into_inner().check.unwrap().record_count
    };
    assert_eq!((asked("acme").await, asked("other").await), (1, 0));
    house.done().await;
}
