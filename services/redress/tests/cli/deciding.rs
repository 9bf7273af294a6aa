//! Rules, categories, forms, clocks, policies and calendars, as people type them.

use super::Desk;

#[tokio::test(flavor = "multi_thread")]
async fn rules_and_categories_are_edited_as_files() {
    let desk = Desk::open().await;
    let (case, _) = desk.submit().await;
    desk.house.settled().await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let mut rules = desk.json(&["rules", "get"]).await;
    rules["rules"][0]["when"] = "text.contains('kettle')".into();
    let edited = file("rules.json", &rules.to_string());
    let created = desk.text(&["rules", "create", &edited, "--note", "kettles"]).await;
    assert!(created.contains("kettles"), "{created}");
    let replayed = desk.text(&["rules", "replay", "1"]).await;
    assert!(replayed.contains("P3 -> P1") && replayed.contains("1 of 1"), "{replayed}");
    assert!(desk.text(&["rules", "activate", "1"]).await.contains("version 1 is active"));
    let triaged = desk.text(&["rules", "retriage", &case]).await;
    assert!(triaged.contains("version 1") && triaged.contains("P1"), "{triaged}");
    rules["rules"][1]["when"] = "text.contains('kettle') && surge".into();
    let shadowed = file("shadowed.json", &rules.to_string());
    let refused = desk.refusal(&["rules", "create", &shadowed]).await;
    assert!(refused.contains("INVALID_RULE_SET") && refused.contains("is shadowed by"), "{refused}");

    let schema = r#"{"type": "object", "properties": {"order": {"type": "string"}, "when": {}}}"#;
    assert!(desk.text(&["form", "create", &file("form.json", schema)]).await.contains(schema));
    let answer = file("answer.json", r#"{"order": 7}"#);
    let checked = desk.text(&["form", "check", "loan", &answer]).await;
    assert!(checked.contains("50 %") && checked.contains("order"), "{checked}");
    let answer = file("answer.json", r#"{"order": "7"}"#);
    let added = desk.text(&["form", "add", &case, "the number", "--answer", &answer]).await;
    assert!(added.contains("50 %") && added.contains("when"), "{added}");
    desk.house.settled().await;
    let information = desk.text(&["form", "information", &case]).await;
    assert!(information.contains("complainant") && information.contains("the number"), "{information}");

    let tree = "level 1,level 2,title\nloan,,Loans\nloan,rate,\n";
    let imported = desk.text(&["category", "import", &file("tree.csv", tree)]).await;
    assert!(imported.contains("version 1: 2 categories, 1 of them"), "{imported}");
    assert_eq!(desk.text(&["category", "export"]).await, tree);
    assert!(desk.text(&["category", "get", "loan"]).await.contains("Loans"));
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deadlines_are_explained_paused_and_extended() {
    let desk = Desk::open().await;
    let (case, _) = desk.submit().await;
    desk.house.settled().await;
    let list = desk.text(&["clock", "list", &case]).await;
    assert!(list.contains("acknowledge") && list.contains("7 working days"), "{list}");
    let explained = desk.text(&["clock", "explain", &case, "decide"]).await;
    assert!(explained.contains("Asia/Shanghai") && explained.contains("counts"), "{explained}");
    let pause = ["clock", "pause", &case, "--reason", "appraisal", "--remark", "at the laboratory"];
    assert!(desk.text(&pause).await.contains("paused"));
    assert!(!desk.text(&["clock", "resume", &case, "--remark", "it has answered"]).await.contains("paused"));
    let extend = ["clock", "extend", &case, "decide", "5", "--reason", "an expert looks at it"];
    assert!(desk.text(&extend).await.contains("pending"));
    assert!(desk.text(&["clock", "extensions", &case]).await.contains("an expert looks at it"));
    let none = desk.refusal(&["clock", "extend", &case, "acknowledge", "1", "--reason", "x"]).await;
    assert!(none.contains("may not be extended"), "{none}");
    assert!(desk.text(&["policy", "get"]).await.contains("general-e-commerce@1"));
    assert!(desk.text(&["policy", "add", "cn-xinfang"]).await.contains("cn-xinfang@1"));
    let tried = desk.text(&["policy", "activate", "1", "--dry-run"]).await;
    assert!(tried.contains("due times move"), "{tried}");
    assert!(desk.text(&["policy", "list"]).await.contains("cn-xinfang@1"));
    desk.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calendars_are_edited_as_files() {
    let desk = Desk::open().await;
    assert!(desk.text(&["calendar", "list"]).await.contains("built in"));
    assert!(desk.text(&["calendar", "get", "uk"]).await.contains("last monday of may"));
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let written = desk.text(&["calendar", "get", "uk", "--toml"]).await;
    let toml = file("shop.toml", &written.replace("17:30", "20:00"));
    assert!(desk.text(&["calendar", "add", "shop", &toml]).await.contains("Europe/London"));
    let set = desk.text(&["calendar", "set", "shop", &toml, "--expect", "1"]).await;
    for line in ["version      2", "has reached  all", "0 due times move"] {
        assert!(set.contains(line), "{line} in {set}");
    }
    let csv = file("days.csv", "date,kind,name\n2027-01-04,holiday,Stock-taking\n");
    let tried = desk.text(&["calendar", "import", "shop", &csv, "--dry-run"]).await;
    assert!(tried.contains("0 due times move"), "{tried}");
    desk.text(&["calendar", "import", "shop", &csv, "--known-until", "2027-12-31"]).await;
    let shop = desk.text(&["calendar", "get", "shop"]).await;
    assert!(shop.contains("Stock-taking") && shop.contains("09:00-20:00"), "{shop}");
    assert!(!desk.text(&["calendar", "get", "shop", "--edition", "2"]).await.contains("Stock-taking"));
    for options in [&["calendar", "zones", "--dry-run"][..], &["calendar", "zones", "--request-id", "z1"]] {
        let told = desk.text(options).await;
        assert!(told.contains("time zones of 20") && told.contains("0 due times move"), "{told}");
    }
    let wrong = file("wrong.toml", "zone = 'Mars'\nhours.monday = ['9-5']\n");
    let refused = desk.refusal(&["calendar", "set", "shop", &wrong]).await;
    assert!(
        refused.contains("content.time_zone") && refused.contains("content.hours.monday[0]"),
        "{refused}"
    );
    desk.house.done().await;
}
