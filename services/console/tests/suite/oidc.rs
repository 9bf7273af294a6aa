//! Signing in at an identity provider: a small one that is strict about what matters (the
//! redirect, PKCE, codes and refresh tokens that are good once).

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::StatusCode;
use kernel::{Clock as _, SystemClock};
use serde_json::json;
use server::{Secret, Settings};
use sha2::{Digest as _, Sha256};
use testkit::{House, badge};

use crate::browser::{ALL, Browser, Desk};

const CLIENT: &str = "redress-console";

/// What somebody began at the provider.
#[derive(Clone)]
struct Begun {
    challenge: String,
    nonce: String,
    redirect: String,
}

#[derive(Default)]
struct Inner {
    issuer: String,
    codes: HashMap<String, Begun>,
    refresh: Option<String>,
    count: u64,
    /// How long access tokens are good for.
    seconds: u64,
    /// Who signed in there.
    roles: Vec<String>,
    is_ended: bool,
}

#[derive(Clone, Default)]
struct Provider(Arc<Mutex<Inner>>);

fn now() -> u64 {
    u64::try_from(SystemClock.now().as_second()).unwrap()
}

impl Provider {
    async fn start(seconds: u64, roles: &[&str]) -> Self {
        let provider = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        {
            let mut inner = provider.0.lock().unwrap();
            inner.issuer = format!("http://{}", listener.local_addr().unwrap());
            inner.seconds = seconds;
            inner.roles = roles.iter().map(|role| (*role).to_owned()).collect();
        }
        let site = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/jwks", get(async || ([("content-type", "application/json")], badge::jwks())))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, site).await });
        provider
    }

    fn issuer(&self) -> String {
        self.0.lock().unwrap().issuer.clone()
    }
}

async fn configuration(State(provider): State<Provider>) -> Json<serde_json::Value> {
    let issuer = provider.issuer();
    Json(json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/jwks"),
        "end_session_endpoint": format!("{issuer}/end"), "response_types_supported": ["code"],
        "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["EdDSA"],
    }))
}

/// Lets whoever comes in, as Ann.
async fn authorize(
    State(provider): State<Provider>,
    Query(asked): Query<HashMap<String, String>>,
) -> Response {
    let of = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let fit =
        of("response_type") == "code" && of("client_id") == CLIENT && of("code_challenge_method") == "S256";
    if !fit || !of("scope").split(' ').any(|scope| scope == "openid") {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let begun = Begun { challenge: of("code_challenge"), nonce: of("nonce"), redirect: of("redirect_uri") };
    let mut inner = provider.0.lock().unwrap();
    inner.count += 1;
    let code = format!("code-{}", inner.count);
    inner.codes.insert(code.clone(), begun);
    Redirect::to(&format!("{}?code={code}&state={}", of("redirect_uri"), of("state"))).into_response()
}

async fn token(State(provider): State<Provider>, Form(asked): Form<HashMap<String, String>>) -> Response {
    let of = |name: &str| asked.get(name).cloned().unwrap_or_default();
    let refused = || (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    let mut inner = provider.0.lock().unwrap();
    if inner.is_ended {
        return refused();
    }
    let nonce = if of("grant_type") == "refresh_token" {
        // Good once: who uses it twice is taken for a thief.
        if inner.refresh.take() != Some(of("refresh_token")) {
            inner.is_ended = true;
            return refused();
        }
        None
    } else {
        let Some(begun) = inner.codes.remove(&of("code")) else { return refused() };
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(of("code_verifier").as_bytes()));
        if challenge != begun.challenge || of("redirect_uri") != begun.redirect {
            return refused();
        }
        Some(begun.nonce)
    };
    inner.count += 1;
    let refresh = format!("refresh-{}", inner.count);
    inner.refresh = Some(refresh.clone());
    let expires = now() + inner.seconds;
    let access = badge::signed(&json!({
        "tenant": "acme", "sub": "ann", "roles": inner.roles, "exp": expires, "jti": inner.count.to_string(),
    }));
    let mut answer = json!({
        "access_token": access, "token_type": "Bearer", "expires_in": inner.seconds, "refresh_token": refresh,
    });
    if let Some(nonce) = nonce {
        answer["id_token"] = json!(badge::signed(&json!({
            "iss": inner.issuer, "aud": CLIENT, "sub": "ann", "nonce": nonce, "iat": now(), "exp": now() + 600,
            "name": "Ann Example",
        })));
    }
    Json(answer).into_response()
}

async fn desk(provider: &Provider) -> Desk {
    let house = House::builder(&ALL).identified().open().await;
    let issuer = provider.issuer();
    Desk::before(house, move |settings: &mut Settings| {
        settings.console.oidc_issuer = Some(issuer);
        // Only its form matters: the test's browser goes where it is sent.
        settings.console.url = Some("http://desk.example".parse().unwrap());
        settings.console.key = Some(Secret::from("k".repeat(32)));
    })
    .await
}

/// A browser whose pages are of the address that is set.
fn browser_of(desk: &Desk) -> Browser {
    let mut browser = desk.browser();
    browser.headers.push(("origin", "http://desk.example".to_owned()));
    browser
}

/// Goes to the provider and comes back to the page that was asked for.
async fn sign_in(browser: &mut Browser) -> crate::browser::Page {
    let page = browser.follow("/inbox").await;
    assert!(page.text.contains("/sign-in/start?back=%2Finbox"), "{}", page.text);
    let sent = browser.get("/sign-in/start?back=%2Finbox").await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text);
    let back = browser.get(sent.location()).await;
    let here = back.location().replace("http://desk.example", "");
    assert!(here.starts_with("/sign-in/callback?code="), "{here}");
    browser.get(&here).await
}

#[tokio::test]
async fn somebody_signs_in_at_the_provider_and_acts_with_their_own_rights() {
    let provider = Provider::start(3600, &["agent"]).await;
    let desk = desk(&provider).await;
    let mut browser = browser_of(&desk);
    let page = sign_in(&mut browser).await;
    assert_eq!((page.status, page.location()), (StatusCode::SEE_OTHER, "/inbox"), "{}", page.text);
    let page = browser.get("/inbox").await;
    page.assert_has("Ann Example");
    assert_eq!(page.status, StatusCode::OK);
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.ends_with(&format!("form-action 'self' {}", provider.issuer())), "{policy}");
    let sealed = &browser.cookies["redress-session"];
    assert!(!sealed.contains("ey") || !sealed.contains('.'), "no token is to be read in it");
    let out = browser.send(page.form("/sign-out")).await;
    let end = out.location();
    assert!(end.starts_with(&format!("{}/end?", provider.issuer())), "{end}");
    assert!(end.contains("id_token_hint=") && end.contains("desk.example%2Fsign-in"), "{end}");
    assert_eq!(browser.get("/inbox").await.status, StatusCode::SEE_OTHER);
    desk.done().await;
}

#[tokio::test]
async fn nobody_comes_back_who_was_not_sent() {
    let provider = Provider::start(3600, &["agent"]).await;
    let desk = desk(&provider).await;
    let mut browser = browser_of(&desk);
    let sent = browser.get("/sign-in/start").await;
    let back = browser.get(sent.location()).await;
    let here = back.location().replace("http://desk.example", "");
    // The link in somebody else's browser; another state; a refusal of the provider.
    let mut other = desk.browser();
    assert_eq!(other.get(&here).await.status, StatusCode::CONFLICT);
    let forged = format!("{here}x");
    browser.get(&forged).await.assert_has("SIGN_IN_EXPIRED");
    let state = here.split("state=").nth(1).unwrap();
    browser
        .get(&format!("/sign-in/callback?error=access_denied&state={state}"))
        .await
        .assert_has("SIGN_IN_REFUSED");
    assert_eq!(browser.get(&here).await.location(), "/");
    let again = browser.get(&here).await;
    assert_eq!(again.status, StatusCode::CONFLICT, "a code is good once");
    // Nobody chooses whom to be here.
    let page = browser.get("/inbox").await;
    let form = page.form("/sign-out");
    let form =
        crate::browser::Form { action: "/sign-in/persona".to_owned(), ..form }.with("persona", "admin");
    assert_eq!(browser.send(form).await.status, StatusCode::NOT_FOUND);
    desk.done().await;
}

#[tokio::test]
async fn tokens_are_renewed_once_for_all_pages_and_end_with_the_provider() {
    // Good for less than what is left when they are renewed: each page renews them.
    let provider = Provider::start(30, &["agent"]).await;
    let desk = desk(&provider).await;
    let mut browser = browser_of(&desk);
    sign_in(&mut browser).await;
    let (mut one, mut two) = (browser.clone(), browser.clone());
    let (first, second) = tokio::join!(one.get("/inbox"), two.get("/inbox"));
    assert_eq!((first.status, second.status), (StatusCode::OK, StatusCode::OK));
    assert_ne!(one.cookies["redress-session"], browser.cookies["redress-session"], "it was renewed");
    assert_eq!(one.get("/inbox").await.status, StatusCode::OK);
    assert!(!provider.0.lock().unwrap().is_ended, "no refresh token was used twice");
    provider.0.lock().unwrap().is_ended = true;
    assert_eq!(one.get("/inbox").await.status, StatusCode::SEE_OTHER, "the provider has ended it");
    desk.done().await;
}
