//! `redress keys …`: keys and tokens for installations without an identity provider.
//!
//! A folder holds `signing.key` (Ed25519, PKCS #8; whoever has it can be anyone),
//! `jwks.json` (its public half, for REDRESS_JWKS) and `platform.jwt` (the token
//! services show each other, for REDRESS_PEER_TOKEN_FILE).

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, ensure};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use clap::{Args, Subcommand};
use jiff::{SignedDuration, Span, SpanRelativeTo};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use kernel::{Clock as _, Role, Roles, SystemClock, TenantId};
use serde_json::json;
use sha2::{Digest as _, Sha256};

const SIGNING_KEY: &str = "signing.key";
const JWKS: &str = "jwks.json";
const PLATFORM: &str = "platform.jwt";
/// Tenant of the services' own token: that in which the role `platform` counts.
const PLATFORM_TENANT: &str = "platform";
/// Issuer and audience that tokens name when nobody says.
const OURS: &str = "redress";
const PLATFORM_HOURS: i64 = 365 * 24;
const PEM_HEAD: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_TAIL: &str = "-----END PRIVATE KEY-----";

#[derive(Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Makes a signing key unless there is one, its JWKS, and the services' own token
    Init {
        /// Folder to keep them in
        #[arg(long, default_value = ".redress/keys")]
        dir: PathBuf,
        #[command(flatten)]
        names: Names,
    },
    /// Prints a token for somebody
    Token {
        /// Folder of the signing key
        #[arg(long, default_value = ".redress/keys")]
        dir: PathBuf,
        /// Whose data they may touch
        #[arg(long, value_parser = tenant)]
        tenant: TenantId,
        /// Who they are
        #[arg(long)]
        subject: String,
        /// What they may do, e.g. `channel,agent`: channel (submits and answers for
        /// complainants), reader (sees everything of the tenant), agent (works cases;
        /// a reader too), supervisor (assigns, approves, closes; an agent too),
        /// department-worker (carries out tasks; `department-worker:finance` those of
        /// finance), admin (settings), platform (the services themselves: everything)
        #[arg(long, visible_alias = "role", required = true, value_delimiter = ',', value_parser = role)]
        roles: Vec<String>,
        /// How long it is good for, e.g. `8h`, `30m`, `7d`
        #[arg(long, default_value = "8h", value_parser = time_to_live)]
        ttl: SignedDuration,
        #[command(flatten)]
        names: Names,
    },
}

/// Whose a token is, and whom it is meant for.
#[derive(Args)]
struct Names {
    /// Issuer that tokens name, as REDRESS_JWT_ISSUER of the services
    #[arg(long, env = "REDRESS_JWT_ISSUER", default_value = OURS)]
    issuer: String,
    /// Audience that tokens name, as REDRESS_JWT_AUDIENCE of the services
    #[arg(long, env = "REDRESS_JWT_AUDIENCE", default_value = OURS)]
    audience: String,
}

fn tenant(text: &str) -> Result<TenantId, String> {
    TenantId::parse(text).map_err(|error| error.to_string())
}

/// Other names mean nothing to the services: whoever asks for one has mistyped it.
fn role(text: &str) -> Result<String, String> {
    let names_nothing = text.ends_with(':');
    if !names_nothing && Roles::read([text]) != Roles::default() {
        return Ok(text.to_owned());
    }
    let names: Vec<_> = Role::ALL.iter().map(|role| role.name()).collect();
    Err(format!("there are {}, and department-worker:DEPARTMENT", names.join(", ")))
}

fn time_to_live(text: &str) -> Result<SignedDuration, String> {
    let span: Span = text.parse().map_err(|error: jiff::Error| error.to_string())?;
    let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|error| error.to_string())?;
    if length.is_positive() { Ok(length) } else { Err("must be longer than nothing".to_owned()) }
}

impl Keys {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        match self.verb {
            Verb::Init { dir, names } => init(&dir, &names)?,
            Verb::Token { dir, tenant, subject, roles, ttl, names } => {
                let key = Signer::open(&dir)?;
                show::say(&key.token(&names, tenant.as_str(), &subject, &roles, ttl)?)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Safe to repeat: the key stays, the services' token is renewed.
fn init(dir: &Path, names: &Names) -> anyhow::Result<()> {
    fs::create_dir_all(dir).with_context(|| format!("{}", dir.display()))?;
    let made = make_key(&dir.join(SIGNING_KEY))?;
    let key = Signer::open(dir)?;
    write(&dir.join(JWKS), 0o644, &key.jwks())?;
    let roles = [Role::Platform.to_string()];
    let hours = SignedDuration::from_hours(PLATFORM_HOURS);
    let token = key.token(names, PLATFORM_TENANT, PLATFORM_TENANT, &roles, hours)?;
    write(&dir.join(PLATFORM), 0o600, &token)?;
    let (dir, Names { issuer, audience }) = (dir.display(), names);
    let what = if made { "made" } else { "kept" };
    show::say(&format!(
        "{what} {dir}/{SIGNING_KEY}; whoever has it can be anyone\n\
         REDRESS_JWKS={dir}/{JWKS}\n\
         REDRESS_JWT_ISSUER={issuer}\n\
         REDRESS_JWT_AUDIENCE={audience}\n\
         REDRESS_PEER_TOKEN_FILE={dir}/{PLATFORM}"
    ))?;
    Ok(())
}

/// Whether it was made: one that exists is kept.
fn make_key(path: &Path) -> anyhow::Result<bool> {
    let mut file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(error).with_context(|| format!("{}", path.display())),
    };
    let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .map_err(|_| anyhow!("this machine has no randomness to make a key of"))?;
    writeln!(file, "{PEM_HEAD}\n{}\n{PEM_TAIL}", BASE64_STANDARD.encode(key.as_ref()))?;
    Ok(true)
}

/// Replaces a file in one step: a service may read it at any moment.
fn write(path: &Path, mode: u32, text: &str) -> anyhow::Result<()> {
    let aside = path.with_extension("new");
    let attempt = || {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&aside)?;
        file.write_all(text.as_bytes())?;
        file.write_all(b"\n")?;
        fs::rename(&aside, path)
    };
    attempt().with_context(|| format!("{}", path.display()))
}

/// A signing key.
struct Signer {
    encoding: EncodingKey,
    public: Vec<u8>,
}

impl Signer {
    fn open(dir: &Path) -> anyhow::Result<Self> {
        let path = dir.join(SIGNING_KEY);
        let pem = fs::read_to_string(&path)
            .with_context(|| format!("{}: make one with `redress keys init`", path.display()))?;
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).map(str::trim).collect();
        let der = BASE64_STANDARD.decode(body).ok();
        let pair = der.as_deref().and_then(|der| Ed25519KeyPair::from_pkcs8(der).ok());
        let (der, pair) =
            der.zip(pair).with_context(|| format!("{} is no Ed25519 key in PKCS #8", path.display()))?;
        Ok(Self { encoding: EncodingKey::from_ed_der(&der), public: pair.public_key().as_ref().to_vec() })
    }

    fn id(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(&self.public)[..9])
    }

    fn jwks(&self) -> String {
        let x = BASE64_URL_SAFE_NO_PAD.encode(&self.public);
        let key =
            json!({ "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.id(), "x": x });
        json!({ "keys": [key] }).to_string()
    }

    fn token(
        &self,
        names: &Names,
        tenant: &str,
        subject: &str,
        roles: &[String],
        ttl: SignedDuration,
    ) -> anyhow::Result<String> {
        ensure!(!subject.is_empty(), "a token needs a subject");
        let now = SystemClock.now();
        let claims = json!({
            "tenant": tenant, "sub": subject, "roles": roles, "iss": names.issuer, "aud": names.audience,
            "iat": now.as_second(), "exp": (now + ttl).as_second(),
        });
        let header = Header { kid: Some(self.id()), ..Header::new(Algorithm::EdDSA) };
        Ok(encode(&header, &claims, &self.encoding)?)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{DecodingKey, Validation, decode};
    use serde_json::Value;

    use super::*;

    fn names() -> Names {
        Names { issuer: OURS.to_owned(), audience: OURS.to_owned() }
    }

    #[test]
    fn tokens_are_believed_by_the_key_set() {
        let dir = tempfile::tempdir().unwrap();
        init(dir.path(), &names()).unwrap();
        let keys: JwkSet = serde_json::from_str(&fs::read_to_string(dir.path().join(JWKS)).unwrap()).unwrap();
        let key = DecodingKey::from_jwk(&keys.keys[0]).unwrap();
        let read = |token: &str| {
            let mut validation = Validation::new(Algorithm::EdDSA);
            validation.set_issuer(&["redress"]);
            validation.set_audience(&["redress"]);
            decode::<Value>(token.trim(), &key, &validation).unwrap().claims
        };
        let platform = read(&fs::read_to_string(dir.path().join(PLATFORM)).unwrap());
        assert_eq!(platform["roles"], json!(["platform"]));
        let signer = Signer::open(dir.path()).unwrap();
        let day = time_to_live("1d").unwrap();
        let token = signer.token(&names(), "acme", "lin", &["agent".into()], day).unwrap();
        let claims = read(&token);
        assert_eq!((&claims["tenant"], &claims["sub"]), (&json!("acme"), &json!("lin")));
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 86_400);
    }

    #[test]
    fn a_key_is_kept_and_secret() {
        let dir = tempfile::tempdir().unwrap();
        init(dir.path(), &names()).unwrap();
        let key = dir.path().join(SIGNING_KEY);
        let before = fs::read(&key).unwrap();
        init(dir.path(), &names()).unwrap();
        assert_eq!(fs::read(&key).unwrap(), before);
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_role_is_one_of_ours() {
        for good in ["agent", "platform", "department-worker", "department-worker:finance"] {
            assert_eq!(role(good).as_deref(), Ok(good));
        }
        for bad in ["approver", "Agent", "", "agent:finance", "department-worker:"] {
            assert!(role(bad).is_err_and(|names| names.contains("supervisor")), "{bad}");
        }
    }

    #[test]
    fn a_time_to_live_is_positive() {
        assert!(time_to_live("0h").is_err());
        assert!(time_to_live("-1h").is_err());
        assert!(time_to_live("soon").is_err());
    }
}
