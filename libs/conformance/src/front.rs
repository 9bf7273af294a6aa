//! The address a worker connects to: passes everything on, until connections are to
//! break.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Passes connections on to the server behind it.
#[derive(Debug)]
pub(crate) struct Front {
    /// Where the worker connects to.
    pub(crate) address: SocketAddr,
    /// Whether connections live.
    open: Arc<watch::Sender<bool>>,
    _passing: JoinSet<()>,
}

impl Front {
    pub(crate) async fn bind(address: SocketAddr, behind: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let open = Arc::new(watch::Sender::new(true));
        let mut passing = JoinSet::new();
        passing.spawn(pass_all(listener, behind, open.clone()));
        Ok(Self { address, open, _passing: passing })
    }

    /// Breaks every connection, and each that is made for some time.
    pub(crate) async fn break_for(&self, away: Duration) {
        self.open.send_replace(false);
        tokio::time::sleep(away).await;
        self.open.send_replace(true);
    }
}

async fn pass_all(listener: TcpListener, behind: SocketAddr, open: Arc<watch::Sender<bool>>) {
    let mut passing = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        while passing.try_join_next().is_some() {}
        if *open.borrow() {
            passing.spawn(pass(stream, behind, open.subscribe()));
        }
    }
}

/// Passes one connection on until it ends or is to break.
async fn pass(mut worker: TcpStream, behind: SocketAddr, mut open: watch::Receiver<bool>) {
    let Ok(mut server) = TcpStream::connect(behind).await else { return };
    // Whether small frames may wait for more of them only makes them later.
    let _ = (worker.set_nodelay(true), server.set_nodelay(true));
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut worker, &mut server) => {}
        _ = open.wait_for(|open| !open) => {}
    }
}
