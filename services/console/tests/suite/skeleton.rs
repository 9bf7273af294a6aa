//! What holds of every page: who may load what, how large it is, in which language, under which
//! path, and what is said when something goes wrong.

use http::{Method, StatusCode, header};

use crate::browser::Desk;

/// The first page with all it loads, compressed.
const FIRST_PAGE_MAX: usize = 100 * 1024;

/// The addresses of what a page loads.
fn loaded(text: &str) -> Vec<String> {
    let all = text.split("href=\"").skip(1).chain(text.split("src=\"").skip(1));
    let addresses = all.filter_map(|rest| rest.split('"').next());
    addresses.filter(|address| address.contains("/static/")).map(str::to_owned).collect()
}

#[tokio::test]
async fn the_first_page_is_small_and_loads_nothing_from_elsewhere() {
    let desk = Desk::open().await;
    let mut browser = desk.browser();
    let page = browser.follow("/").await;
    assert_eq!(page.status, StatusCode::OK);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
    for (name, value) in [("x-content-type-options", "nosniff"), ("cache-control", "no-store")] {
        assert_eq!(page.headers[name], value);
    }
    for inline in ["<style", " style=", " onclick=", "javascript:", "hx-on"] {
        page.assert_lacks(inline);
    }
    assert!(!page.text.split("<script").skip(1).any(|rest| !rest.contains("src=\"/static/")));
    let mut bytes = page.bytes;
    let files = loaded(&page.text);
    assert_eq!(files.len(), 4, "{files:?}");
    for file in files {
        let file = browser.get(&file).await;
        assert_eq!(file.status, StatusCode::OK);
        assert!(file.headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        bytes += file.bytes;
    }
    assert!(bytes < FIRST_PAGE_MAX, "{bytes} bytes");
    desk.done().await;
}

#[tokio::test]
async fn a_page_is_in_the_language_that_is_asked_for_or_was_chosen() {
    let desk = Desk::open().await;
    let mut browser = desk.browser().speaking("zh-CN,zh;q=0.9");
    let page = browser.get("/sign-in").await;
    page.assert_has("<html lang=\"zh-Hans\"");
    page.assert_has("请选择身份");
    let page = browser.send_and_follow(page.form("/language").with("language", "en")).await;
    page.assert_has("<html lang=\"en\"");
    page.assert_has("Whom do you want to be?");
    let odd = browser.send(page.form("/language").with("language", "xx")).await;
    assert_eq!(odd.status, StatusCode::UNPROCESSABLE_ENTITY);
    desk.done().await;
}

#[tokio::test]
async fn all_of_it_is_below_the_base_path() {
    let desk = Desk::with(|settings| settings.console.base_path = "/desk/complaints".to_owned()).await;
    let mut browser = desk.browser();
    assert_eq!(browser.get("/sign-in").await.status, StatusCode::NOT_FOUND);
    let page = browser.follow("/desk/complaints").await;
    assert_eq!(page.status, StatusCode::OK);
    for rest in page
        .text
        .split("href=\"")
        .chain(page.text.split("action=\""))
        .chain(page.text.split("src=\""))
        .skip(1)
    {
        let address = rest.split('"').next().unwrap();
        let is_ours =
            address.starts_with("/desk/complaints") || address.starts_with('#') || !address.starts_with('/');
        assert!(is_ours, "{address}");
    }
    assert_eq!(browser.get(&loaded(&page.text)[0]).await.status, StatusCode::OK);
    let cookie = page.headers.get(header::SET_COOKIE).map(|value| value.to_str().unwrap().to_owned());
    assert!(cookie.is_none_or(|cookie| cookie.contains("Path=/desk/complaints")));
    desk.done().await;
}

#[tokio::test]
async fn what_is_not_there_is_told_as_a_page() {
    let desk = Desk::open().await;
    let page = desk.browser().get("/no/such/page").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    page.assert_has("There is no such page.");
    page.assert_has("PAGE_NOT_FOUND");
    assert_eq!(desk.browser().get("/static/console-000000000000.css").await.status, StatusCode::NOT_FOUND);
    assert_eq!(desk.browser().get("/health").await.text, "ok\n");
    desk.done().await;
}

#[tokio::test]
async fn pages_of_others_send_nothing_here() {
    let desk = Desk::open().await;
    let mut browser = desk.browser();
    let page = browser.get("/sign-in").await;
    let form = page.form("/sign-in/persona").with("persona", "agent");
    for (name, value) in [
        ("origin", "http://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        let mut led = browser.clone();
        led.headers.push((name, value.to_owned()));
        assert_eq!(led.send(form.clone()).await.status, StatusCode::FORBIDDEN, "{name}: {value}");
    }
    for form in [form.clone().with("_token", ""), form.clone().with("_token", "a.b")] {
        let page = browser.send(form).await;
        assert_eq!(page.status, StatusCode::CONFLICT);
        page.assert_has("FORM_EXPIRED");
    }
    let mut other = desk.browser();
    other.get("/sign-in").await;
    assert_eq!(other.send(form.clone()).await.status, StatusCode::CONFLICT, "it is another's form");
    // A name that is made to point here (DNS rebinding).
    let mut rebound = browser.clone();
    rebound.headers.push(("host", "evil.example".to_owned()));
    assert_eq!(rebound.get("/sign-in").await.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.send(form).await.status, StatusCode::SEE_OTHER);
    let page = browser.fetch(Method::DELETE, "/sign-in", String::new()).await;
    assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED);
    desk.done().await;
}
