//! What tests share: who keeps messages, patience, certificates.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mailbox::{Arrived, Keep, Kept, Origin, Outline};
use tokio::time::Instant;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

pub(crate) const CA: &[u8] = include_bytes!("../../../server/tests/it/pems/ca.pem");
const CERTIFICATE: &[u8] = include_bytes!("../../../server/tests/it/pems/server.pem");
const KEY: &[u8] = include_bytes!("../../../server/tests/it/pems/server.key");

/// How long a test waits for what must come.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(5);

/// Waits until something holds; fails the test if it does not come to hold.
pub(crate) async fn until(mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "what the test waits for does not happen");
        tokio::time::sleep(LOOK).await;
    }
}

/// A future that must end.
pub(crate) async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap()
}

/// Who serves as `localhost` and 127.0.0.1.
pub(crate) fn server_tls() -> Arc<ServerConfig> {
    let chain = CertificateDer::pem_slice_iter(CERTIFICATE).map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    Arc::new(ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap())
}

pub(crate) fn client_tls() -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(CA).unwrap()).unwrap();
    Arc::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth())
}

/// Keeps in memory, and answers as it was told: the answers given, one each, then always
/// that it is kept.
#[derive(Clone, Default)]
pub(crate) struct Memory {
    pub(crate) met: Arc<Mutex<Vec<Arrived>>>,
    /// What it was told of messages that were not fetched.
    pub(crate) outlines: Arc<Mutex<Vec<Outline>>>,
    pub(crate) answers: Arc<Mutex<VecDeque<Kept>>>,
    pub(crate) pause: Duration,
    /// How many messages it was handed, those it still ponders too.
    pub(crate) begun: Arc<AtomicUsize>,
}

impl Memory {
    pub(crate) fn answering(answers: impl IntoIterator<Item = Kept>) -> Self {
        Self { answers: Arc::new(Mutex::new(answers.into_iter().collect())), ..Self::default() }
    }

    pub(crate) fn count(&self) -> usize {
        self.met.lock().unwrap().len()
    }

    /// What was met, as texts.
    pub(crate) fn texts(&self) -> Vec<String> {
        let met = self.met.lock().unwrap();
        met.iter().map(|arrived| String::from_utf8_lossy(&arrived.raw).into_owned()).collect()
    }

    pub(crate) fn uids(&self) -> Vec<u32> {
        let met = self.met.lock().unwrap();
        met.iter()
            .map(|arrived| match &arrived.origin {
                Origin::Imap { uid, .. } => *uid,
                Origin::Smtp { .. } => panic!("not fetched"),
            })
            .collect()
    }

    pub(crate) fn origin(&self, index: usize) -> Origin {
        self.met.lock().unwrap()[index].origin.clone()
    }
}

impl Keep for Memory {
    async fn keep(&self, message: Arrived) -> Kept {
        self.begun.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(self.pause).await;
        self.met.lock().unwrap().push(message);
        self.answers.lock().unwrap().pop_front().unwrap_or(Kept::Kept)
    }

    async fn keep_outline(&self, message: Outline) -> Kept {
        self.outlines.lock().unwrap().push(message);
        self.answers.lock().unwrap().pop_front().unwrap_or(Kept::Kept)
    }
}
