//! Posts, read by a mapping.

use posts::{Content, Field, Mapping, Rule, Spec, Template, reply};
use serde_json::json;

fn spec(fields: &[(Field, &str)]) -> Spec {
    let fields = fields.iter().map(|(field, path)| (field.to_string(), (*path).to_owned()));
    Spec { fields: fields.collect(), ..Spec::default() }
}

fn mapping(fields: &[(Field, &str)]) -> Mapping {
    spec(fields).compile().expect("a mapping")
}

#[test]
fn a_post_is_read_field_by_field() {
    let all = mapping(&[
        (Field::Text, "$.text"),
        (Field::Title, "$.title"),
        (Field::Author, "$.user.screen_name"),
        (Field::AuthorId, "$.user.id"),
        (Field::ExternalId, "$.id"),
        (Field::Uri, "$.url"),
        (Field::Reach, "$.user.followers"),
        (Field::Time, "$.created_at"),
        (Field::Language, "$.lang"),
        (Field::CustomerId, "$.crm"),
        (Field::Email, "$.email"),
        (Field::Phone, "$.phone"),
        (Field::OrderRef, "$.order"),
        (Field::ParentId, "$.reply_to"),
        (Field::OriginId, "$.retweeted.id"),
        (Field::OriginUri, "$.retweeted.url"),
        (Field::EvidenceUris, "$.pics[*]"),
    ]);
    let post = json!({
        "text": " 快递丢了 ", "title": "T", "user": {"screen_name": "Ann", "id": 42, "followers": "1200"}, "id": 7,
        "url": "https://x.example/7", "created_at": "Tue May 31 17:46:55 +0800 2011", "lang": "zh_CN", "crm": "C-7",
        "email": "ann@example.org", "phone": "13800138000", "order": "A1", "reply_to": null,
        "retweeted": {"id": "6", "url": "https://x.example/6"}, "pics": ["https://x.example/p.jpg"],
    });
    let (content, problems) = all.content(&post);
    assert_eq!(problems, []);
    let expected = Content {
        text: "快递丢了".to_owned(),
        title: "T".to_owned(),
        author: "Ann".to_owned(),
        author_id: "42".to_owned(),
        external_id: "7".to_owned(),
        uri: "https://x.example/7".to_owned(),
        reach: 1_200,
        time: Some("2011-05-31T09:46:55Z".parse().unwrap()),
        language: "zh-CN".to_owned(),
        customer_id: "C-7".to_owned(),
        email: "ann@example.org".to_owned(),
        phone: "13800138000".to_owned(),
        order_ref: "A1".to_owned(),
        parent_id: String::new(),
        origin_id: "6".to_owned(),
        origin_uri: "https://x.example/6".to_owned(),
        evidence_uris: vec!["https://x.example/p.jpg".to_owned()],
    };
    assert_eq!(content, expected);
    assert_eq!((content.account().as_str(), content.words().as_str()), ("42", "T\n快递丢了"));
}

#[test]
fn times_are_read_as_networks_write_them() {
    let mapping = mapping(&[(Field::Text, "$.text"), (Field::Time, "$.time")]);
    for time in [
        json!("2011-05-31T17:46:55+08:00"),
        json!("2011-05-31T09:46:55.000Z"),
        json!("Tue, 31 May 2011 17:46:55 +0800"),
        json!("Tue May 31 17:46:55 +0800 2011"),
        json!(1_306_835_215),
        json!(1_306_835_215_000_i64),
        json!("1306835215"),
    ] {
        let (content, problems) = mapping.content(&json!({"text": "x", "time": time}));
        assert_eq!(content.time, Some("2011-05-31T09:46:55Z".parse().unwrap()), "{time}: {problems:?}");
    }
}

#[test]
fn what_is_not_as_it_should_be_is_left_out_and_told() {
    let fields = [
        Field::Text,
        Field::ExternalId,
        Field::Uri,
        Field::Reach,
        Field::Time,
        Field::Language,
        Field::Email,
        Field::EvidenceUris,
    ];
    let paths: Vec<String> = fields.iter().map(|field| format!("$.{field}")).collect();
    let pairs: Vec<(Field, &str)> = fields.iter().copied().zip(paths.iter().map(String::as_str)).collect();
    let post = json!({
        "text": {"a": 1}, "external_id": "x".repeat(201), "uri": "javascript:alert(1)", "reach": -1,
        "time": "yesterday", "language": "?", "email": "ann", "evidence_uris": ["file:///etc/passwd"],
    });
    let (content, problems) = mapping(&pairs).content(&post);
    assert_eq!(content, Content::default());
    assert_eq!(problems.iter().map(|one| one.field).collect::<Vec<_>>(), fields);
    let (_, problems) = mapping(&pairs).content(&json!({}));
    assert_eq!(problems.iter().map(|one| one.field).collect::<Vec<_>>(), [Field::Text], "there is no text");
    let long = "长".repeat(20_001);
    let (content, _) = mapping(&pairs).content(&json!({"text": long}));
    assert_eq!(content.text.chars().count(), 20_000);
}

#[test]
fn a_body_is_a_post_a_list_of_them_or_what_its_path_leads_to() {
    let plain = mapping(&[(Field::Text, "$")]);
    assert_eq!(plain.items(&json!({"a": 1})), Ok(vec![&json!({"a": 1})]));
    assert_eq!(plain.items(&json!([1, 2])), Ok(vec![&json!(1), &json!(2)]));
    assert_eq!(plain.items(&json!([])), Ok(vec![]));
    assert!(plain.items(&json!(vec![1; 100])).is_ok());
    assert!(plain.items(&json!(vec![1; 101])).is_err());
    let nested = Spec { items: "$.entry[*].changes[*].value".to_owned(), ..spec(&[(Field::Text, "$.m")]) };
    let body = json!({"entry": [{"changes": [{"value": {"m": "a"}}, {"value": {"m": "b"}}]}]});
    let nested = nested.compile().expect("a mapping");
    let texts: Vec<String> =
        nested.items(&body).unwrap().into_iter().map(|item| nested.content(item).0.text).collect();
    assert_eq!(texts, ["a", "b"]);
}

#[test]
fn everything_that_is_wrong_with_a_mapping_is_told_at_once() {
    let rule = |name: &str, any: &[&str]| Rule {
        name: name.to_owned(),
        any_of: any.iter().map(ToString::to_string).collect(),
        ..Rule::default()
    };
    let template =
        |language: &str, text: &str| Template { language: language.to_owned(), text: text.to_owned() };
    let wrong = Spec {
        items: "items".to_owned(),
        fields: vec![
            ("author".to_owned(), "$..a..b".to_owned()),
            ("author".to_owned(), "$.a".to_owned()),
            ("mood".to_owned(), "$.a".to_owned()),
        ],
        rules: vec![rule("", &["x"]), rule("a", &[]), rule("a", &["\u{200b}"])],
        mention_thresholds: vec![10, 5],
        reach_thresholds: vec![0],
        templates: vec![template("en", "{phone}"), template("EN", " "), template("?", "x")],
    };
    let wrong = wrong.compile().expect_err("all of it is wrong");
    let fields: Vec<&str> = wrong.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "items",
            "fields[0].path",
            "fields[2].field",
            "fields",
            "rules[0].name",
            "rules[1]",
            "rules[2].name",
            "rules[2].any_of[0]",
            "mention_thresholds",
            "reach_thresholds",
            "templates[0].text",
            "templates[1].language",
            "templates[1].text",
            "templates[2].language",
        ]
    );
}

#[test]
fn a_reply_names_the_account_and_the_case_and_is_as_long_as_networks_count() {
    let spec = Spec {
        templates: vec![
            Template { language: "en".to_owned(), text: "@{author} we look into it: {reference}".to_owned() },
            Template { language: "zh-CN".to_owned(), text: "您好".to_owned() },
        ],
        ..Spec::default()
    };
    let of = |language: &str| spec.template(language).map(|one| one.language.as_str());
    assert_eq!(
        (of("zh-cn"), of("zh-TW"), of("en-GB"), of("de")),
        (Some("zh-CN"), Some("zh-CN"), Some("en"), Some("en"))
    );
    let text = reply::rendered(&spec.templates[0].text, "{reference}", "c-7");
    assert_eq!(
        text, "@{reference} we look into it: c-7",
        "what an account calls itself is not looked through"
    );
    assert_eq!((reply::length("ab"), reply::length("您好,"), reply::length("您好，")), (2, 5, 6));
}

#[test]
fn an_id_that_json_cannot_keep_is_left_out_and_told() {
    let ids = [
        Field::AuthorId,
        Field::ExternalId,
        Field::CustomerId,
        Field::Phone,
        Field::OrderRef,
        Field::ParentId,
        Field::OriginId,
    ];
    for field in ids {
        let all = mapping(&[(Field::Text, "$.text"), (field, "$.id")]);
        let read = |id: &str| {
            let body = format!(r#"{{"text": "x", "id": {id}}}"#);
            all.content(&posts::read(body.as_bytes()).expect("JSON"))
        };
        let empty = Content { text: "x".to_owned(), ..Content::default() };
        for lossy in ["18446744073709551617", "18446744073709551618", "-9223372036854775809", "1.5", "1e3"] {
            let (content, problems) = read(lossy);
            assert_eq!(content, empty, "{field:?} {lossy}");
            let what = "is a number that JSON does not keep digit by digit: it must be a text";
            assert_eq!(
                problems.iter().map(|one| (one.field, one.what.as_str())).collect::<Vec<_>>(),
                [(field, what)]
            );
        }
        for whole in ["18446744073709551615", "-9223372036854775808", "\"18446744073709551617\""] {
            let (content, problems) = read(whole);
            assert_eq!(problems, [], "{field:?} {whole}");
            assert_ne!(content, empty, "{field:?} {whole}");
        }
    }
}

#[test]
fn nothing_that_is_kept_of_a_mapping_has_a_nul() {
    let rule = |name: &str, word: &str| Rule {
        name: name.to_owned(),
        any_of: vec![word.to_owned()],
        all_of: vec![word.to_owned()],
        none_of: vec![word.to_owned()],
    };
    let template = Template { language: "en".to_owned(), text: "a\0b".to_owned() };
    let wrong = Spec {
        rules: vec![rule("a\0b", "c\0d")],
        templates: vec![template],
        ..spec(&[(Field::Text, "$.text")])
    };
    let found = wrong.compile().expect_err("Postgres keeps none");
    let fields: Vec<&str> = found.iter().map(|one| one.field.as_str()).collect();
    let expected = [
        "rules[0].name",
        "rules[0].any_of[0]",
        "rules[0].all_of[0]",
        "rules[0].none_of[0]",
        "templates[0].text",
    ];
    assert_eq!(fields, expected);
}
