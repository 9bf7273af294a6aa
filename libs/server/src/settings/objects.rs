//! Where files lie beside the database.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use objects::{Bucket, Credentials, Place};

use super::Secret;

/// Where attachments lie beside the database (intake). The `AWS_*` variables are those that other
/// programs read, too.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Services")]
pub struct ObjectSettings {
    /// Bucket that new attachments lie in (intake), as `s3://bucket/prefix`; in the database
    /// without one
    #[arg(long = "attachment-store", env = "REDRESS_ATTACHMENT_STORE")]
    pub store: Option<String>,
    /// Where the store is that has the bucket, as `https://minio:9000`; Amazon's without one
    #[arg(long = "aws-endpoint-url", env = "AWS_ENDPOINT_URL")]
    pub endpoint: Option<String>,
    /// Its region; `us-east-1` without one
    #[arg(long = "aws-region", env = "AWS_REGION")]
    pub region: Option<String>,
    /// Key by which the bucket is used
    #[arg(long = "aws-access-key-id", env = "AWS_ACCESS_KEY_ID", hide_env_values = true)]
    pub key: Option<Secret>,
    /// Secret of the key
    #[arg(long = "aws-secret-access-key", env = "AWS_SECRET_ACCESS_KEY", hide_env_values = true)]
    pub secret: Option<Secret>,
    /// Token of the session that the key is of, if it is of one
    #[arg(long = "aws-session-token", env = "AWS_SESSION_TOKEN", hide_env_values = true)]
    pub token: Option<Secret>,
    /// Authority of the store, PEM, beside those of the web
    #[arg(long = "aws-ca-bundle", env = "AWS_CA_BUNDLE")]
    pub authorities: Option<PathBuf>,
}

impl ObjectSettings {
    /// The bucket; none where attachments lie in the database.
    ///
    /// # Errors
    ///
    /// Fails if it is none, or if there is no key to use it with.
    pub fn bucket(&self) -> anyhow::Result<Option<Bucket>> {
        self.bucket_of(self.store.as_deref(), "REDRESS_ATTACHMENT_STORE")
    }

    /// A bucket that a variable names, at the same store and by the same key.
    ///
    /// # Errors
    ///
    /// Fails if it is none, or if there is no key to use it with.
    pub fn bucket_of(&self, given: Option<&str>, variable: &str) -> anyhow::Result<Option<Bucket>> {
        let Some(store) = given.filter(|store| !store.is_empty()) else { return Ok(None) };
        let place = Place::parse(store, self.endpoint.as_deref(), self.region.as_deref());
        let place = place.with_context(|| format!("{variable}, {store}"))?;
        let (Some(key), Some(secret)) = (&self.key, &self.secret) else {
            anyhow::bail!("{variable} needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
        };
        let token = self.token.as_ref().map(Secret::expose).filter(|token| !token.is_empty());
        let credentials = Credentials::new(key.expose(), secret.expose(), token);
        let read = |path: &PathBuf| {
            std::fs::read(path).with_context(|| format!("AWS_CA_BUNDLE, {}", path.display()))
        };
        let authorities = self.authorities.as_ref().map(read).transpose()?;
        let bucket = Bucket::new(place, Some(credentials), authorities.as_deref());
        bucket.map(Some).context("AWS_CA_BUNDLE")
    }
}
