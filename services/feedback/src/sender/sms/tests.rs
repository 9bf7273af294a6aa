//! What gateways are sent, and what their answers come to.

use std::time::Duration;

use server::Secret;

use super::*;

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.notices.sms_url = Some(Secret::from("https://sms.example.org/send?key=hunter2".to_owned()));
    settings
}

fn sms(change: impl FnOnce(&mut Settings)) -> anyhow::Result<Sms> {
    let mut settings = settings();
    change(&mut settings);
    Ok(Sms::of(&settings)?.expect("it is configured"))
}

fn form_of(settings: &mut Settings) {
    settings.notices.sms_content_type = "application/x-www-form-urlencoded; charset=utf-8".to_owned();
    settings.notices.sms_body =
        "mobile={{ number }}&content={{ text }}&uid={{ id }}&n={{ parts }}".to_owned();
}

fn reply(status: u16, body: &str) -> Reply {
    Reply { status, retry_after: None, body: body.to_owned().into(), is_whole: true }
}

#[test]
fn whatever_a_text_holds_the_body_is_json() {
    let sms = sms(|_| {}).expect("as shipped");
    let text = "he said \"no\" \\ \n{{ id }} 投诉 \u{1}";
    let body: Value = serde_json::from_slice(&sms.body("+8613800138000", text, "7").unwrap()).unwrap();
    assert_eq!(body, serde_json::json!({"to": "+8613800138000", "text": text, "id": "7"}));
}

#[test]
fn a_form_has_nothing_in_it_that_divides_it() {
    let sms = sms(form_of).expect("a form");
    let body = sms.body("+8613800138000", "a b&c=d+e%投", "7").unwrap();
    assert_eq!(
        String::from_utf8(body).unwrap(),
        "mobile=%2B8613800138000&content=a+b%26c%3Dd%2Be%25%E6%8A%95&uid=7&n=1"
    );
}

#[test]
fn the_id_that_a_gateway_gives_is_the_evidence() {
    let sms = sms(|settings| settings.notices.sms_id_pointer = "/messages/0/sid".to_owned()).unwrap();
    let taken = |body: &str| sms.taken(&reply(201, body), 2);
    for (body, id) in [(r#"{"messages": [{"sid": "SM 7"}]}"#, "SM 7"), (r#"{"messages": [{"sid": 7}]}"#, "7")]
    {
        assert_eq!(taken(body), Answer::Taken(format!("201 id {id}; parts: 2")));
    }
    // Beyond what numbers of programs hold, two would be one.
    for number in ["18446744073709551617", "-99999999999999999999999999", "1.50"] {
        let body = format!(r#"{{"messages": [{{"sid": {number}, "other": 1}}]}}"#);
        assert_eq!(taken(&body), Answer::Taken(format!("201 id {number}; parts: 2")));
    }
    for body in ["", "ok", r#"{"messages": []}"#, r#"{"messages": [{"sid": ""}]}"#, r#"{"error": 42}"#] {
        assert!(
            matches!(taken(body), Answer::Refused(said) if said.starts_with("no id at /messages/0/sid: 201"))
        );
    }
}

#[test]
fn an_id_is_found_where_the_pointer_leads() {
    let body = br#"{"a/b": [{"m~n": "x"}, 7], "twice": 1, "twice": 2, "0": true}"#;
    for (pointer, found) in [
        ("/a~1b/0/m~0n", Some("x")),
        ("/a~1b/1", Some("7")),
        ("/a~1b/01", None),
        ("/a~1b/+1", None),
        ("/a~1b/2", None),
        ("/a~1b/x", None),
        ("/a~1b/1/x", None),
        ("/twice", Some("2")),
        ("/0", None),
        ("/a~1b", None),
    ] {
        assert_eq!(id(body, pointer).as_deref(), found, "{pointer}");
        let value: Value = serde_json::from_slice(body).unwrap();
        let theirs = value.pointer(pointer).filter(|value| value.is_string() || value.is_number());
        assert_eq!(theirs.is_some(), found.is_some(), "as the library does: {pointer}");
    }
}

#[test]
fn only_statuses_named_as_final_are() {
    let sms = sms(|settings| settings.notices.sms_final_statuses = vec![409]).unwrap();
    let answer = |status| {
        let reply = Reply { retry_after: Some(Duration::from_secs(7)), ..reply(status, "no") };
        unsuccessful(&reply, |status| sms.final_statuses.contains(&status))
    };
    assert_eq!(answer(409), Answer::Refused("409 no".to_owned()));
    for status in [400, 401, 429, 503] {
        assert_eq!(answer(status), Answer::Later(format!("{status} no"), Some(Duration::from_secs(7))));
    }
}

#[test]
fn a_wrong_setting_stops_the_start_and_keeps_secrets() {
    type Change = fn(&mut Settings);
    let wrong: [(Change, &str); 9] = [
        (
            |all| all.notices.sms_url = Some(Secret::from("http://sms.example.org/hunter2".to_owned())),
            "must be https",
        ),
        (|all| all.notices.sms_url = Some(Secret::from("ftp://hunter2".to_owned())), "REDRESS_SMS_URL"),
        (|all| all.notices.sms_content_type = "text/xml".to_owned(), "REDRESS_SMS_CONTENT_TYPE"),
        (
            |all| all.notices.sms_body = r#"{"to": {{ number }}, "text": {{ text }}}"#.to_owned(),
            "must write JSON",
        ),
        (|all| all.notices.sms_body = r#"{"to": "{{ number }}"}"#.to_owned(), "must have the places"),
        (
            |all| all.notices.sms_body = r#"{"to": "{{ number }}", "t": "{{ txt }}"}"#.to_owned(),
            "REDRESS_SMS_BODY",
        ),
        (|all| all.notices.sms_headers = Some(Secret::from("hunter2".to_owned())), "REDRESS_SMS_HEADERS"),
        (|all| all.notices.sms_id_pointer = "id".to_owned(), "REDRESS_SMS_ID_POINTER"),
        (|all| all.notices.sms_country = "+86".to_owned(), "REDRESS_SMS_COUNTRY"),
    ];
    for (change, said) in wrong {
        let told = format!("{:#}", sms(change).err().unwrap());
        assert!(told.contains(said) && !told.contains("hunter2"), "{said}: {told}");
    }
    let secret = "Authorization: Bearer hunter2\n\n x-tenant : seven ";
    let sms = sms(|all| all.notices.sms_headers = Some(Secret::from(secret.to_owned()))).unwrap();
    assert_eq!(sms.headers["authorization"], "Bearer hunter2");
    assert_eq!(sms.headers["x-tenant"], "seven");
    assert!(!format!("{:?}", sms.headers).contains("hunter2"));
}
