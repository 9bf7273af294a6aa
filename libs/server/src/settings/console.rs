//! Where people work: the web console.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::ensure;
use clap::Args;
use http::Uri;

use super::{IdentitySettings, Secret};

/// Where the console listens when nothing says so.
const LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 50080);
/// Shortest key that sessions are sealed with.
const KEY_MIN: usize = 32;
/// Longest path the console can be below.
const BASE_PATH_MAX: usize = 200;
const SCOPES: &str = "openid,profile";

/// The web console.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Console")]
pub struct ConsoleSettings {
    /// Address the console listens on; 127.0.0.1:50080 by default
    #[arg(id = "console_listen", long = "console-listen", env = "REDRESS_CONSOLE_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// Path its pages are below, where a proxy has it on a site of others: `/complaints`
    #[arg(id = "console_base_path", long = "console-base-path", env = "REDRESS_CONSOLE_BASE_PATH", default_value = "",
          value_parser = base_path)]
    pub base_path: String,
    /// Its address as browsers see it, without the base path: `https://desk.example.org`
    #[arg(id = "console_url", long = "console-url", env = "REDRESS_CONSOLE_URL")]
    pub url: Option<Uri>,
    /// Key that sessions are sealed with, at least 32 characters; two, with a comma, while it
    /// is changed. Without one the sessions end with the process
    #[arg(id = "console_key", long = "console-key", env = "REDRESS_CONSOLE_KEY", hide_env_values = true)]
    pub key: Option<Secret>,
    /// Longest a session lasts, whatever its identity provider renews, in hours
    #[arg(id = "console_session_hours", long = "console-session-hours", env = "REDRESS_CONSOLE_SESSION_HOURS", default_value_t = 12,
          value_parser = clap::value_parser!(u32).range(1..=720))]
    pub session_hours: u32,
    /// File with the token that complainants' pages call with, of role `channel`; without one
    /// these pages are not served, but in development
    #[arg(id = "console_token_file", long = "console-token-file", env = "REDRESS_CONSOLE_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// How many proxies stand before the console, each of which adds to `X-Forwarded-For` who
    /// called it; strangers are counted by the address that the outermost of them saw
    #[arg(id = "console_proxies", long = "console-proxies", env = "REDRESS_CONSOLE_PROXIES", default_value_t = 0,
          value_parser = clap::value_parser!(u8).range(0..=8))]
    pub proxies: u8,
    /// Identity provider that people sign in at, `OpenID` Connect; without one, on the loopback
    /// only, they choose whom to be
    #[arg(long = "console-oidc-issuer", env = "REDRESS_CONSOLE_OIDC_ISSUER")]
    pub oidc_issuer: Option<String>,
    /// What the console is called there
    #[arg(
        long = "console-oidc-client-id",
        env = "REDRESS_CONSOLE_OIDC_CLIENT_ID",
        default_value = "redress-console"
    )]
    pub oidc_client_id: String,
    /// Its secret there, where it has one
    #[arg(
        long = "console-oidc-client-secret",
        env = "REDRESS_CONSOLE_OIDC_CLIENT_SECRET",
        hide_env_values = true
    )]
    pub oidc_client_secret: Option<Secret>,
    /// Scopes asked for there; `offline_access` where it renews tokens only with it
    #[arg(long = "console-oidc-scopes", env = "REDRESS_CONSOLE_OIDC_SCOPES", value_delimiter = ',',
          default_value = SCOPES)]
    pub oidc_scopes: Vec<String>,
    /// Authority of the identity provider's certificate, PEM, beside those of the web
    #[arg(long = "console-oidc-ca", env = "REDRESS_CONSOLE_OIDC_CA")]
    pub oidc_ca: Option<PathBuf>,
}

impl Default for ConsoleSettings {
    fn default() -> Self {
        Self {
            listen: None,
            base_path: String::new(),
            url: None,
            key: None,
            session_hours: 12,
            token_file: None,
            proxies: 0,
            oidc_issuer: None,
            oidc_client_id: "redress-console".to_owned(),
            oidc_client_secret: None,
            oidc_scopes: SCOPES.split(',').map(str::to_owned).collect(),
            oidc_ca: None,
        }
    }
}

/// Empty, or a path of plain segments, without a slash at its end.
fn base_path(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let path = text.trim_end_matches('/');
    let is_path = path.is_empty()
        || path.strip_prefix('/').is_some_and(|rest| {
            rest.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && part.chars().all(plain))
        });
    if is_path && path.len() <= BASE_PATH_MAX {
        Ok(path.to_owned())
    } else {
        Err("must be empty or a path such as /complaints, of letters, digits, dots and dashes".to_owned())
    }
}

impl ConsoleSettings {
    /// Where it listens.
    pub fn listen(&self) -> SocketAddr {
        self.listen.unwrap_or(LISTEN)
    }

    /// Whether people choose whom to be, as nobody proves anything.
    pub fn is_development(&self) -> bool {
        self.oidc_issuer.is_none()
    }

    /// Whether browsers reach it over TLS.
    pub fn is_secure(&self, identity: &IdentitySettings) -> bool {
        match &self.url {
            Some(url) => url.scheme_str() == Some("https"),
            None => identity.tls_cert.is_some(),
        }
    }

    /// Refuses settings that do not fit together, in one sentence.
    ///
    /// # Errors
    ///
    /// Fails if anybody could be whom they like from elsewhere, if an identity provider cannot
    /// be used without what lacks, or if the key is too short.
    pub fn check(&self, listen: SocketAddr) -> anyhow::Result<()> {
        if self.is_development() {
            ensure!(
                listen.ip().is_loopback(),
                "without REDRESS_CONSOLE_OIDC_ISSUER whoever comes chooses whom to be, so the console listens \
                 on a loopback address only, not on {listen}"
            );
        } else {
            ensure!(
                self.url.is_some() && self.key.is_some(),
                "REDRESS_CONSOLE_OIDC_ISSUER needs REDRESS_CONSOLE_URL, which the identity provider sends people \
                 back to, and REDRESS_CONSOLE_KEY, which all replicas seal sessions with"
            );
        }
        if let Some(url) = &self.url {
            let whole = matches!(url.scheme_str(), Some("http" | "https"))
                && url.authority().is_some()
                && matches!(url.path(), "" | "/")
                && url.query().is_none();
            ensure!(whole, "REDRESS_CONSOLE_URL must be like https://desk.example.org, unlike {url}");
        }
        let keys = self.keys();
        ensure!(
            self.key.is_none() || (keys.len() <= 2 && keys.iter().all(|key| key.len() >= KEY_MIN)),
            "REDRESS_CONSOLE_KEY must have at least {KEY_MIN} characters, or be two such keys with a comma"
        );
        Ok(())
    }

    /// The keys that sessions are opened with; the first seals them.
    pub fn keys(&self) -> Vec<&str> {
        self.key.as_ref().map(|key| key.expose().split(',').collect()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_path_is_plain() {
        assert_eq!(base_path("/desk/cases/"), Ok("/desk/cases".to_owned()));
        assert_eq!(base_path(""), Ok(String::new()));
        assert_eq!(base_path("/"), Ok(String::new()));
        for odd in ["desk", "//x", "/a//b", "/..", "/a/../b", "/a b", "/a?b", "/\"", "http://x/"] {
            assert!(base_path(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn nobody_chooses_whom_to_be_from_elsewhere() {
        let settings = ConsoleSettings::default();
        assert!(settings.check(settings.listen()).is_ok());
        let refusal = settings.check(SocketAddr::from(([0, 0, 0, 0], 80))).unwrap_err().to_string();
        assert!(refusal.contains("REDRESS_CONSOLE_OIDC_ISSUER"), "{refusal}");
    }

    #[test]
    fn an_identity_provider_needs_an_address_and_a_key() {
        let mut settings =
            ConsoleSettings { oidc_issuer: Some("https://id.example.org".into()), ..Default::default() };
        let any = SocketAddr::from(([0, 0, 0, 0], 80));
        assert!(settings.check(any).is_err());
        settings.url = Some(Uri::from_static("https://desk.example.org"));
        settings.key = Some(Secret::from("short".to_owned()));
        assert!(settings.check(any).unwrap_err().to_string().contains("at least 32"));
        settings.key = Some(Secret::from("k".repeat(32)));
        assert!(settings.check(any).is_ok());
        settings.url = Some(Uri::from_static("https://desk.example.org/complaints"));
        assert!(settings.check(any).is_err(), "the path is set by itself");
    }
}
