//! How often one end user may be wrong about secret codes, as receipt codes are. Only
//! wrong codes count, and of them not those their check character shows to be misspelt,
//! which nobody who guesses would send. A right code is always answered: of 100 secret bits none is
//! found by guessing, and whoever has used their guesses up must not keep others, or
//! themselves, from their own complaint. A code that opens nothing yet is as wrong as any
//! until it does.
//!
//! A channel calls for many people as one subject, and says for whom; where it does
//! not, all of them share an allowance that is a hundred times as large.
//!
//! Counted in the schema of the service, hence for all its replicas together.

use std::sync::Arc;
use std::time::Duration;

use fault::{Check, Fault};
use kernel::receipt::ReceiptCode;
use kernel::{Caller, CaseId, Role, TenantId};
use pg::{Allowance, Db, Tx};
use sha2::{Digest as _, Sha256};

/// Longest code that is read, with all the separators people may put into it.
const MAX_CODE: usize = 200;
/// Characters of an end user's name that count.
const MAX_END_USER: usize = 200;

/// What an end user has whom the channel names.
const END_USER: Allowance = Allowance { burst: 10, interval: Duration::from_secs(6) };
/// What a caller has who names nobody.
const CALLER: Allowance = Allowance { burst: 1_000, interval: Duration::from_millis(100) };

/// Whose guesses are counted together.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LimitKey {
    tenant: TenantId,
    subject: Arc<str>,
    /// Empty for the caller's own.
    end_user: String,
}

impl LimitKey {
    /// Who guesses when a caller asks for an end user, whom only channels may name.
    pub fn new(caller: &Caller, end_user: &str) -> Self {
        let is_believed = caller.roles.may_act_as(Role::Channel);
        let end_user =
            if is_believed { end_user.chars().take(MAX_END_USER).collect() } else { String::new() };
        Self { tenant: caller.tenant.clone(), subject: caller.subject.clone(), end_user }
    }

    fn allowance(&self) -> Allowance {
        if self.end_user.is_empty() { CALLER } else { END_USER }
    }

    /// Tells keys apart, and nobody's name.
    fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for part in [&*self.subject, &self.end_user] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// The wrong guesses of late at the codes of a schema.
#[derive(Clone)]
pub struct CodeRateLimit {
    db: Db,
}

impl CodeRateLimit {
    /// Counts in a schema.
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// Counts a wrong guess; answers how long who made it has to wait where it is one
    /// too many, which is not counted.
    ///
    /// # Errors
    ///
    /// Fails if the database does.
    pub async fn count(&self, key: LimitKey) -> Result<Option<Duration>, Fault> {
        let now = self.db.clock().now();
        let (hash, allowance) = (key.hash(), key.allowance());
        self.db
            .transact("code.wrong", &key.tenant, async move |mut tx| {
                let wait = pg::count_wrong_code(&mut tx, hash, allowance, now).await?;
                Ok((tx, wait))
            })
            .await
    }

    /// What somebody is told whose code is wrong, which counts as a guess: `unknown`, or
    /// `too_many` with the time to wait.
    pub async fn wrong(
        &self,
        caller: &Caller,
        end_user: &str,
        unknown: impl Into<Fault>,
        too_many: impl Into<Fault>,
    ) -> Fault {
        match self.count(LimitKey::new(caller, end_user)).await {
            Ok(None) => unknown.into(),
            Ok(Some(wait)) => too_many.into().retry_after(wait),
            Err(fault) => fault,
        }
    }

    /// The case that a reference means; `find` looks a code up by its hash. A code that is
    /// misspelt, unknown or another tenant's is `unknown`; unless misspelt it counts as a
    /// guess.
    ///
    /// # Errors
    ///
    /// Fails with `unknown` or `too_many` where the code is wrong, and if the database does.
    pub async fn case<U: Into<Fault>>(
        &self,
        caller: &Caller,
        reference: CaseReference,
        find: impl AsyncFnOnce(&mut Tx, [u8; 32]) -> Result<Option<CaseId>, Fault>,
        (unknown, too_many): (U, U),
    ) -> Result<CaseId, Fault> {
        let (code, end_user) = match reference {
            CaseReference::Id(id) => return Ok(id),
            CaseReference::Code { code, end_user } => (code, end_user),
        };
        let Some(code) = code else { return Err(unknown.into()) };
        let hash = code.hash();
        let found = self
            .db
            .transact("code.find", &caller.tenant, async move |mut tx| {
                let found = find(&mut tx, hash).await?;
                Ok((tx, found))
            })
            .await?;
        match found {
            Some(id) => Ok(id),
            None => Err(self.wrong(caller, &end_user, unknown, too_many).await),
        }
    }
}

/// By what a request names a case: its id, or the receipt code of its complaint.
#[derive(Clone, Debug)]
pub enum CaseReference {
    /// The id.
    Id(CaseId),
    /// The receipt code.
    Code {
        /// The code; none where it is misspelt.
        code: Option<ReceiptCode>,
        /// For whom the caller asks.
        end_user: String,
    },
}

impl CaseReference {
    /// Reads it; one of the two must be given. `field` is the field of the id.
    pub fn read(check: &mut Check, field: &str, id: &str, receipt_code: &str, end_user: String) -> Self {
        if receipt_code.trim().is_empty() {
            return Self::Id(check.id(field, id));
        }
        check.ensure(id.is_empty(), "receipt_code", "must be empty where the id is given");
        let code = if receipt_code.len() > MAX_CODE { None } else { ReceiptCode::parse(receipt_code) };
        Self::Code { code, end_user }
    }

    /// Whether it is a receipt code.
    pub fn is_code(&self) -> bool {
        matches!(self, Self::Code { .. })
    }
}

#[cfg(test)]
mod tests {
    use kernel::{RandomIds, Roles};
    use testkit::{Database, MockClock};

    use super::*;

    fn caller(roles: &str) -> Caller {
        let roles = Roles::read(roles.split_whitespace());
        Caller { tenant: TenantId::development(), subject: "portal".into(), roles }
    }

    fn key(end_user: &str) -> LimitKey {
        LimitKey::new(&caller("channel"), end_user)
    }

    struct Scene {
        clock: MockClock,
        database: Database,
    }

    impl Scene {
        async fn new(name: &str) -> Self {
            let migrate = async |url: String| pg::migrate(&url, "cases", &[&pg::MIGRATIONS]).await;
            let database = Database::copy_of(name, migrate).await.unwrap();
            Self { clock: MockClock::default(), database }
        }

        /// One replica.
        fn replica(&self) -> CodeRateLimit {
            let (clock, ids) = (Arc::new(self.clock.clone()), Arc::new(RandomIds));
            CodeRateLimit::new(Db::open(self.database.url(), 2, "cases", clock, ids).unwrap())
        }

        async fn end(self, replicas: Vec<CodeRateLimit>) {
            for replica in replicas {
                replica.db.pool().close().await;
            }
            self.database.drop().await.unwrap();
        }
    }

    #[tokio::test]
    async fn an_end_user_has_ten_wrong_codes_at_all_replicas_then_one_in_six_seconds() {
        let scene = Scene::new("guesses").await;
        let (one, other) = (scene.replica(), scene.replica());
        for guess in 0..5 {
            assert_eq!(one.count(key("ann")).await.unwrap(), None, "guess {guess}");
            assert_eq!(other.count(key("ann")).await.unwrap(), None, "guess {guess}");
        }
        for replica in [&one, &other] {
            assert_eq!(replica.count(key("ann")).await.unwrap(), Some(Duration::from_secs(6)));
        }
        scene.clock.advance(Duration::from_secs(5));
        assert_eq!(other.count(key("ann")).await.unwrap(), Some(Duration::from_secs(1)));
        // Others pay for themselves.
        assert_eq!(other.count(key("bob")).await.unwrap(), None);
        assert_eq!(other.count(key("")).await.unwrap(), None);
        scene.clock.advance(Duration::from_secs(1));
        assert_eq!(one.count(key("ann")).await.unwrap(), None);
        assert_eq!(other.count(key("ann")).await.unwrap(), Some(Duration::from_secs(6)));
        scene.clock.advance(Duration::from_mins(1));
        assert_eq!(one.count(key("ann")).await.unwrap(), None);
        scene.end(vec![one, other]).await;
    }

    #[tokio::test]
    async fn an_unnamed_audience_has_a_thousand_and_the_forgiven_are_forgotten() {
        let scene = Scene::new("audience").await;
        let limit = scene.replica();
        for guess in 0..1_000 {
            assert_eq!(limit.count(key("")).await.unwrap(), None, "guess {guess}");
        }
        assert_eq!(limit.count(key("")).await.unwrap(), Some(Duration::from_millis(100)));
        assert_eq!(limit.count(key("ann")).await.unwrap(), None);
        scene.clock.advance(Duration::from_mins(3));
        assert_eq!(limit.count(key("bob")).await.unwrap(), None);
        let mut owner = scene.database.connect().await.unwrap();
        let left: i64 =
            sqlx::query_scalar("SELECT count(*) FROM cases.wrong_code").fetch_one(&mut owner).await.unwrap();
        assert_eq!(left, 1, "bob's alone");
        drop(owner);
        scene.end(vec![limit]).await;
    }

    #[test]
    fn only_channels_name_end_users() {
        assert_eq!(LimitKey::new(&caller("reader"), "ann"), LimitKey::new(&caller("reader"), "bob"));
        assert_ne!(LimitKey::new(&caller("channel reader"), "ann"), LimitKey::new(&caller("channel"), "bob"));
        assert_eq!(key(&"x".repeat(300)), key(&"x".repeat(200)), "the rest does not count");
        assert_ne!(key("ann").hash(), key("bob").hash());
    }

    #[test]
    fn a_case_is_named_by_its_id_or_by_a_code() {
        let read = |id: &str, code: &str| {
            let mut check = Check::new();
            let read = CaseReference::read(&mut check, "case_id", id, code, String::new());
            (read.is_code(), check.violations().map(|wrong| wrong.field.clone()).collect::<Vec<_>>())
        };
        let id = uuid::Uuid::max().to_string();
        assert_eq!(read(&id, " "), (false, vec![]));
        assert_eq!(read("", "0000"), (true, vec![]));
        assert_eq!(read("", ""), (false, vec!["case_id".to_owned()]));
        assert_eq!(read(&id, "0000"), (true, vec!["receipt_code".to_owned()]));
    }
}
