//! Rules, categories, forms, clocks, policies and calendars, as people type them.

use super::Terminal;

#[tokio::test(flavor = "multi_thread")]
async fn rules_and_categories_are_edited_as_files() {
    let terminal = Terminal::open().await;
    let (case, _) = terminal.submit().await;
    terminal.house.settled().await;
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let mut rules = terminal.json(&["rules", "get"]).await;
    rules["rules"][0]["when"] = "text.contains('kettle')".into();
    let edited = file("rules.json", &rules.to_string());
    let created = terminal.text(&["rules", "create", &edited, "--note", "kettles"]).await;
    assert!(created.contains("kettles"), "{created}");
    let replayed = terminal.text(&["rules", "replay", "1"]).await;
    assert!(replayed.contains("P3 -> P1") && replayed.contains("1 of 1"), "{replayed}");
    assert!(terminal.text(&["rules", "activate", "1"]).await.contains("version 1 is active"));
    let triaged = terminal.text(&["rules", "retriage", &case]).await;
    assert!(triaged.contains("version 1") && triaged.contains("P1"), "{triaged}");
    rules["rules"][1]["when"] = "text.contains('kettle') && surge".into();
    let shadowed = file("shadowed.json", &rules.to_string());
    let refused = terminal.refusal(&["rules", "create", &shadowed]).await;
    assert!(refused.contains("INVALID_RULE_SET") && refused.contains("is shadowed by"), "{refused}");

    let schema = r#"{"type": "object", "properties": {"order": {"type": "string"}, "when": {}}}"#;
    assert!(terminal.text(&["form", "create", &file("form.json", schema)]).await.contains(schema));
    let answer = file("answer.json", r#"{"order": 7}"#);
    let checked = terminal.text(&["form", "check", "loan", &answer]).await;
    assert!(checked.contains("50 %") && checked.contains("order"), "{checked}");
    let answer = file("answer.json", r#"{"order": "7"}"#);
    let added = terminal.text(&["form", "add", &case, "the number", "--answer", &answer]).await;
    assert!(added.contains("50 %") && added.contains("when"), "{added}");
    terminal.house.settled().await;
    let information = terminal.text(&["form", "information", &case]).await;
    assert!(information.contains("complainant") && information.contains("the number"), "{information}");

    let tree = "level 1,level 2,title\nloan,,Loans\nloan,rate,\n";
    let imported = terminal.text(&["category", "import", &file("tree.csv", tree)]).await;
    assert!(imported.contains("version 1: 2 categories, 1 of them"), "{imported}");
    assert_eq!(terminal.text(&["category", "export"]).await, tree);
    assert!(terminal.text(&["category", "get", "loan"]).await.contains("Loans"));
    terminal.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deadlines_are_explained_paused_and_extended() {
    let terminal = Terminal::open().await;
    let (case, _) = terminal.submit().await;
    terminal.house.settled().await;
    let list = terminal.text(&["clock", "list", &case]).await;
    assert!(list.contains("acknowledge") && list.contains("7 working days"), "{list}");
    let explained = terminal.text(&["clock", "explain", &case, "decide"]).await;
    assert!(explained.contains("Asia/Shanghai") && explained.contains("counts"), "{explained}");
    let pause = ["clock", "pause", &case, "--reason", "appraisal", "--remark", "at the laboratory"];
    assert!(terminal.text(&pause).await.contains("paused"));
    assert!(
        !terminal.text(&["clock", "resume", &case, "--remark", "it has answered"]).await.contains("paused")
    );
    let extend = ["clock", "extend", &case, "decide", "5", "--reason", "an expert looks at it"];
    assert!(terminal.text(&extend).await.contains("pending"));
    assert!(terminal.text(&["clock", "extensions", &case]).await.contains("an expert looks at it"));
    let none = terminal.refusal(&["clock", "extend", &case, "acknowledge", "1", "--reason", "x"]).await;
    assert!(none.contains("may not be extended"), "{none}");
    assert!(terminal.text(&["policy", "get"]).await.contains("general-e-commerce@1"));
    assert!(terminal.text(&["policy", "add", "cn-xinfang"]).await.contains("cn-xinfang@1"));
    let tried = terminal.text(&["policy", "activate", "1", "--dry-run"]).await;
    assert!(tried.contains("due times move"), "{tried}");
    assert!(terminal.text(&["policy", "list"]).await.contains("cn-xinfang@1"));
    terminal.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_policy_is_edited_as_a_file_tried_and_put_in_force() {
    let terminal = Terminal::open().await;
    let folder = tempfile::tempdir().unwrap();
    let shipped = terminal.text(&["approval", "policy", "get"]).await;
    assert!(shipped.contains("no rules: one person approves"), "{shipped}");
    let mut policy = terminal.json(&["approval", "policy", "get"]).await;
    policy["rules"] = serde_json::json!([{
        "name": "small", "when": "total_minor <= 5000", "reason": "small enough",
        "demand": "APPROVAL_DEMAND_AUTOMATIC",
    }]);
    policy["approverLimits"] =
        serde_json::json!([{"approver": "gu", "limits": [{"currencyCode": "CNY", "units": "500"}]}]);
    let path = folder.path().join("policy.json");
    std::fs::write(&path, policy.to_string()).unwrap();
    let file = path.to_str().unwrap();
    let tried = terminal.text(&["approval", "policy", "replay", "--file", file]).await;
    assert!(tried.contains("0 of 0 plans and revisions would be judged otherwise"), "{tried}");
    let created = terminal.text(&["approval", "policy", "create", file, "--note", "by themselves"]).await;
    for told in ["by themselves", "small", "automatic", "total_minor <= 5000", "gu", "CNY 500.00"] {
        assert!(created.contains(told), "{told} in {created}");
    }
    assert!(terminal.text(&["approval", "policy", "activate", "1"]).await.contains("version 1 is active"));
    assert!(terminal.text(&["approval", "policy", "list"]).await.contains("by themselves"));
    std::fs::write(&path, policy.to_string().replace("total_minor", "sum")).unwrap();
    let refused = terminal.refusal(&["approval", "policy", "create", file]).await;
    assert!(refused.contains("rule small does not type-check: there is no sum"), "{refused}");

    let until = ["--until", "2099-01-01T00:00:00Z", "--reason", "away"];
    let far = terminal.refusal(&[&["approval", "delegate", "li"][..], &until].concat()).await;
    assert!(far.contains("at most 366 days"), "{far}");
    let (from, until) = ("2098-12-01T00:00:00Z", "2099-01-01T00:00:00Z");
    let delegate = ["approval", "delegate", "li", "--from", from, "--until", until, "--reason", "away"];
    let given = terminal.json(&delegate).await;
    let id = given["delegationId"].as_str().unwrap();
    assert!(terminal.text(&["approval", "revoke", id]).await.contains("revoked"));
    assert!(terminal.text(&["approval", "delegations"]).await.contains("away"));
    terminal.house.done().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calendars_are_edited_as_files() {
    let terminal = Terminal::open().await;
    assert!(terminal.text(&["calendar", "list"]).await.contains("built in"));
    assert!(terminal.text(&["calendar", "get", "uk"]).await.contains("last monday of may"));
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let written = terminal.text(&["calendar", "get", "uk", "--toml"]).await;
    let toml = file("shop.toml", &written.replace("17:30", "20:00"));
    assert!(terminal.text(&["calendar", "add", "shop", &toml]).await.contains("Europe/London"));
    let set = terminal.text(&["calendar", "set", "shop", &toml, "--expect", "1"]).await;
    for line in ["version      2", "has reached  all", "0 due times move"] {
        assert!(set.contains(line), "{line} in {set}");
    }
    let csv = file("days.csv", "date,kind,name\n2027-01-04,holiday,Stock-taking\n");
    let tried = terminal.text(&["calendar", "import", "shop", &csv, "--dry-run"]).await;
    assert!(tried.contains("0 due times move"), "{tried}");
    terminal.text(&["calendar", "import", "shop", &csv, "--known-until", "2027-12-31"]).await;
    let shop = terminal.text(&["calendar", "get", "shop"]).await;
    assert!(shop.contains("Stock-taking") && shop.contains("09:00-20:00"), "{shop}");
    assert!(!terminal.text(&["calendar", "get", "shop", "--edition", "2"]).await.contains("Stock-taking"));
    for options in [&["calendar", "zones", "--dry-run"][..], &["calendar", "zones", "--request-id", "z1"]] {
        let told = terminal.text(options).await;
        assert!(told.contains("time zones of 20") && told.contains("0 due times move"), "{told}");
    }
    let wrong = file("wrong.toml", "zone = 'Mars'\nhours.monday = ['9-5']\n");
    let refused = terminal.refusal(&["calendar", "set", "shop", &wrong]).await;
    assert!(
        refused.contains("content.time_zone") && refused.contains("content.hours.monday[0]"),
        "{refused}"
    );
    terminal.house.done().await;
}
