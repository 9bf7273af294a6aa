//! Views of the inbox that somebody saves: kept by their browser, theirs alone.

use http::StatusCode;

use crate::browser::Desk;

const HOSTILE: &str = "\"><script>alert(1)</script>";

#[tokio::test]
async fn a_view_is_saved_under_a_name_and_is_its_owners_alone() {
    let desk = Desk::open().await;
    let mut ann = desk.browser_as("agent", "ann").await;
    let page = ann.get("/inbox?view=due&category=delivery&priority=1").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    let form = page.form("/inbox/views").with("name", "Late parcels");
    let saved = ann.send(form.clone()).await;
    assert_eq!(saved.location(), "/inbox?view=due&category=delivery&priority=1");
    let page = ann.get(saved.location()).await;
    page.assert_has("aria-current=\"page\" dir=\"auto\">Late parcels</a>");
    ann.get("/inbox").await.assert_has("Late parcels");
    // Another person at this browser has others.
    let mut bob = ann.clone();
    let page = bob.get("/inbox").await;
    let out = bob.send_and_follow(page.form("/sign-out")).await;
    bob.send(out.form("/sign-in/persona").with("persona", "agent").with("subject", "bob")).await;
    bob.get("/inbox").await.assert_lacks("Late parcels");
    // A cookie that somebody made up is none, and no failure.
    let name = ann.cookies.keys().find(|name| name.starts_with("redress-views-")).unwrap().clone();
    let kept = ann.cookies.insert(name.clone(), "AAAA".to_owned()).unwrap();
    ann.get("/inbox").await.assert_lacks("Late parcels");
    ann.cookies.insert(name, kept);
    let page = ann.get("/inbox").await;
    ann.send(page.form("/inbox/views").with("name", HOSTILE)).await;
    let page = ann.get("/inbox").await;
    page.assert_lacks("<script>alert");
    page.assert_has("&#62;&#60;script&#62;alert");
    let page = ann.send_and_follow(page.form("/inbox/views/remove").with("name", "Late parcels")).await;
    page.assert_lacks("Late parcels");
    desk.done().await;
}

#[tokio::test]
async fn there_is_room_for_some_views_and_no_more() {
    let desk = Desk::open().await;
    let mut ann = desk.browser_as("agent", "ann").await;
    let form = ann.get("/inbox").await.form("/inbox/views");
    assert_eq!(ann.send(form.clone().with("name", " ")).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    for number in 0..12 {
        let saved = ann.send(form.clone().with("name", &format!("View {number}"))).await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "{number}");
    }
    let full = ann.send(form.clone().with("name", "One more")).await;
    assert_eq!(full.status, StatusCode::UNPROCESSABLE_ENTITY);
    full.assert_has("There is no room for more saved views.");
    assert_eq!(ann.send(form.clone().with("name", "View 3")).await.status, StatusCode::SEE_OTHER);
    // As long as they may be they do not fit into a cookie, and that is told.
    let (long, words) = ("视".repeat(40), "词".repeat(200));
    let mut last = StatusCode::SEE_OTHER;
    let mut bob = desk.browser_as("agent", "bob").await;
    let form = bob.get("/inbox").await.form("/inbox/views").with("q", &words).with("category", &words);
    for number in 0..12 {
        last =
            bob.send(form.clone().with("name", &format!("{number}{}", &long[..long.len() - 6]))).await.status;
    }
    assert_eq!(last, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(bob.get("/inbox").await.status, StatusCode::OK);
    desk.done().await;
}

#[tokio::test]
async fn who_is_to_sign_in_finds_the_way_to_complain() {
    let desk = Desk::open().await;
    desk.browser().get("/sign-in").await.assert_has("href=\"/complaints\"");
    desk.done().await;
}
