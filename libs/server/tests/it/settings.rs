//! What can be set, and what stops the start.

use std::net::SocketAddr;

use clap::Parser;
use server::{IdentitySettings, LogFormat, PeerSettings, Secret, Settings};

use crate::probe::{self, FEEDBACK};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    settings: Settings,
}

fn parse(line: &[&str]) -> Result<Settings, clap::Error> {
    Line::try_parse_from([&["test"], line].concat()).map(|line| line.settings)
}

#[test]
fn what_is_not_set_has_the_defaults_of_the_code() {
    // An address of the test run's own must not change the outcome, nor what other programs are told
    // of a store (`AWS_…`).
    let objects = Settings::default().objects;
    let parsed = Settings { database_url: None, objects, ..parse(&[]).unwrap() };
    assert_eq!(format!("{parsed:?}"), format!("{:?}", Settings::default()));
}

#[test]
fn settings_are_read_from_flags() {
    let line =
        ["--listen", "127.0.0.1:0", "--log-format", "pretty", "--web-origins", "https://a.org,http://b:1"];
    let settings = parse(&line).unwrap();
    assert_eq!(settings.listen, Some(SocketAddr::from(([127, 0, 0, 1], 0))));
    assert_eq!(settings.log_format, Some(LogFormat::Pretty));
    assert_eq!(settings.web_origins, ["https://a.org", "http://b:1"]);
}

#[test]
fn wrong_values_are_refused() {
    for wrong in [
        ["--listen", "nowhere"],
        ["--db-connections", "0"],
        ["--max-in-flight", "0"],
        ["--max-connections", "0"],
        ["--max-connections-per-address", "0"],
        ["--replicas", "0"],
        ["--platform-tenants", "Not A Tenant"],
        ["--max-message-bytes", "1"],
        ["--threads", "0"],
        ["--web-origins", "*"],
        ["--web-origins", "https://a.org/page"],
        ["--peer-cases", "::"],
    ] {
        assert!(parse(&wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn secrets_do_not_show() {
    let settings = Settings {
        database_url: Some(Secret::from("postgres://u:hunter2@h/d".to_owned())),
        receipt_key: Some(Secret::from("hunter2hunter2hunter2".to_owned())),
        ..Settings::default()
    };
    assert!(!format!("{settings:?}").contains("hunter2"));
    assert_eq!(settings.database_url(), "postgres://u:hunter2@h/d");
}

async fn refusal(settings: Settings) -> String {
    let error = probe::try_serve(settings, &[FEEDBACK]).await.err().expect("the start is stopped");
    format!("{error:#}")
}

#[tokio::test]
async fn settings_that_do_not_fit_together_stop_the_start() {
    let identity = |change: fn(&mut IdentitySettings)| {
        let mut settings = Settings::default();
        change(&mut settings.identity);
        settings
    };
    let peers = |uri: &'static str| Settings {
        peers: PeerSettings { cases: uri.parse().unwrap(), ..PeerSettings::default() },
        ..Settings::default()
    };
    for (settings, names) in [
        (identity(|identity| identity.tls_cert = Some("x".into())), "REDRESS_TLS_KEY"),
        (identity(|identity| identity.tls_client_ca = Some("x".into())), "REDRESS_TLS_CLIENT_CA"),
        (identity(|identity| identity.jwt_issuer = Some("x".into())), "REDRESS_JWT_ISSUER"),
        (identity(|identity| identity.jwks = Some("/nowhere.json".into())), "REDRESS_JWKS"),
        (
            identity(|identity| {
                identity.tls_cert = Some("/nowhere.pem".into());
                identity.tls_key = Some("/nowhere.key".into());
            }),
            "REDRESS_TLS_CERT",
        ),
        (peers("ftp://somewhere"), "REDRESS_PEER_CASES"),
        (peers("https://somewhere"), "REDRESS_PEER_CA"),
        (
            Settings { database_url: Some("no address".parse().unwrap()), ..Settings::default() },
            "DATABASE_URL",
        ),
    ] {
        let refusal = refusal(settings).await;
        assert!(refusal.contains(names), "{refusal:?} names {names}");
        assert!(!refusal.contains('\n'), "one sentence: {refusal:?}");
    }
}

#[tokio::test]
async fn without_identity_only_the_loopback_is_served() {
    let open = || Settings { listen: Some(SocketAddr::from(([0, 0, 0, 0], 0))), ..Settings::default() };
    let start = async |settings: Settings| {
        server::start(server::Assembly {
            settings,
            services: vec![FEEDBACK],
            clock: std::sync::Arc::new(kernel::SystemClock),
            ids: std::sync::Arc::new(kernel::RandomIds),
            listener: None,
            sources: std::collections::HashMap::new(),
        })
        .await
    };
    let refusal = start(open()).await.err().expect("the start is stopped");
    assert!(refusal.to_string().contains("loopback"), "{refusal}");

    let mut identified = open();
    identified.identity.jwks = Some(crate::identity::pem("jwks.json"));
    for (issuer, audience) in [(None, None), (Some("https://idp"), None), (None, Some("redress"))] {
        let mut vague = identified.clone();
        vague.identity.jwt_issuer = issuer.map(str::to_owned);
        vague.identity.jwt_audience = audience.map(str::to_owned);
        let refusal = start(vague).await.err().expect("tokens of other applications would be believed");
        assert!(refusal.to_string().contains("REDRESS_JWT_AUDIENCE"), "{refusal}");
    }
    identified.identity.jwt_issuer = Some("https://idp".to_owned());
    identified.identity.jwt_audience = Some("redress".to_owned());
    start(identified).await.expect("callers are told apart").stop().await.unwrap();
}
