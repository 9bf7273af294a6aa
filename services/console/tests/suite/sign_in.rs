//! Signing in and out without an identity provider.

use http::StatusCode;

use crate::browser::Desk;

#[tokio::test]
async fn whoever_comes_chooses_whom_to_be_and_signs_out_again() {
    let desk = Desk::open().await;
    let mut browser = desk.browser();
    let asked = browser.get("/inbox").await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER);
    assert_eq!(asked.location(), "/sign-in?back=%2Finbox");
    let page = browser.get(asked.location()).await;
    let before = browser.cookies.clone();
    let signed = browser.send(page.form("/sign-in/persona").with("persona", "supervisor")).await;
    assert_eq!((signed.status, signed.location()), (StatusCode::SEE_OTHER, "/inbox"));
    assert_ne!(browser.cookies["redress-session"], before["redress-session"], "it is another session");
    let set = signed.headers["set-cookie"].to_str().unwrap();
    assert!(set.contains("HttpOnly; SameSite=Lax") && set.contains("Path=/;"), "{set}");
    let page = browser.get("/nowhere").await;
    page.assert_has(">gu</span>");
    let form = page.form("/sign-out");
    let out = browser.send(form.clone()).await;
    assert_eq!(out.location(), "/sign-in");
    assert_eq!(browser.get("/inbox").await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.send(form).await.status, StatusCode::CONFLICT, "the form was of that session");
    // A cookie that somebody made up is none.
    browser.cookies.insert("redress-session".to_owned(), "AAAA".to_owned());
    assert_eq!(browser.get("/inbox").await.status, StatusCode::SEE_OTHER);
    desk.done().await;
}

#[tokio::test]
async fn a_name_that_no_header_may_have_is_refused() {
    let desk = Desk::open().await;
    let mut browser = desk.browser();
    let page = browser.get("/sign-in").await;
    for name in ["安娜", "a b", "a\u{1}"] {
        let page =
            browser.send(page.form("/sign-in/persona").with("persona", "agent").with("subject", name)).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
    }
    desk.done().await;
}
