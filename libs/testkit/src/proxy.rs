//! A state that breaks: stands before Postgres or a peer, and cuts or swallows what
//! passes.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr as _;

use sqlx::ConnectOptions as _;
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

/// Where the proxy leads.
#[derive(Clone, Debug)]
enum Goal {
    Tcp(String, u16),
    Unix(PathBuf),
}

/// What happens to traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum LinkState {
    #[default]
    Open,
    /// Connections are closed, new ones at once.
    Cut,
    /// Connections stay, nothing arrives.
    Hole,
}

/// A proxy on a port of the loopback; gone when dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    state: watch::Sender<LinkState>,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// Before a server on this machine.
    ///
    /// # Errors
    ///
    /// Fails if no port of the loopback is free.
    pub async fn before(server: SocketAddr) -> anyhow::Result<Self> {
        Self::open(Goal::Tcp(server.ip().to_string(), server.port())).await
    }

    /// Before a database; answers also the database's URL through the proxy.
    ///
    /// # Errors
    ///
    /// Fails if the URL is none of a Postgres, or if no port of the loopback is free.
    pub async fn before_database(url: &str) -> anyhow::Result<(Self, String)> {
        let options = PgConnectOptions::from_str(url)?;
        let (goal, rest) = match options.get_socket() {
            // From parts: a socket, once named, wins over a host.
            Some(folder) => (
                Goal::Unix(folder.join(format!(".s.PGSQL.{}", options.get_port()))),
                PgConnectOptions::new_without_pgpass()
                    .username(options.get_username())
                    .database(options.get_database().unwrap_or_default()),
            ),
            None => (Goal::Tcp(options.get_host().to_owned(), options.get_port()), options.clone()),
        };
        let proxy = Self::open(goal).await?;
        let through = rest.host("127.0.0.1").port(proxy.address.port());
        Ok((proxy, through.to_url_lossy().to_string()))
    }

    async fn open(goal: Goal) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let state = watch::Sender::default();
        let task = tokio::spawn(accept(listener, goal, state.subscribe()));
        Ok(Self { address, state, task })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes every connection, and new ones as soon as they are made.
    pub fn cut(&self) {
        self.state.send_replace(LinkState::Cut);
    }

    /// Keeps connections, but nothing arrives any more, either way.
    pub fn swallow(&self) {
        self.state.send_replace(LinkState::Hole);
    }

    /// Lets everything pass again; what was held back arrives.
    pub fn restore(&self) {
        self.state.send_replace(LinkState::Open);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, goal: Goal, state: watch::Receiver<LinkState>) {
    while let Ok((near, _)) = listener.accept().await {
        let (goal, mut until, state) = (goal.clone(), state.clone(), state.clone());
        tokio::spawn(async move {
            tokio::select! {
                _ = until.wait_for(|state| *state == LinkState::Cut) => {}
                _ = carry(near, goal, state) => {}
            }
        });
    }
}

/// Carries both ways until either side closes.
async fn carry(near: TcpStream, goal: Goal, state: watch::Receiver<LinkState>) -> io::Result<()> {
    near.set_nodelay(true)?;
    match goal {
        Goal::Tcp(host, port) => {
            let far = TcpStream::connect((host, port)).await?;
            far.set_nodelay(true)?;
            between(near, far, state).await
        }
        Goal::Unix(path) => between(near, UnixStream::connect(path).await?, state).await,
    }
}

async fn between(
    near: TcpStream,
    far: impl AsyncRead + AsyncWrite,
    state: watch::Receiver<LinkState>,
) -> io::Result<()> {
    let (from_near, to_near) = split(near);
    let (from_far, to_far) = split(far);
    tokio::select! {
        done = pump(from_near, to_far, state.clone()) => done,
        done = pump(from_far, to_near, state) => done,
    }
}

async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut state: watch::Receiver<LinkState>,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        // The end, too, does not get through a hole.
        if state.wait_for(|state| *state != LinkState::Hole).await.is_err() || length == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..length]).await?;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A server that says back what it hears.
    async fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let (mut from, mut to) = split(connection);
                tokio::spawn(async move { tokio::io::copy(&mut from, &mut to).await });
            }
        });
        address
    }

    async fn ask(connection: &mut TcpStream) -> io::Result<u8> {
        connection.write_all(&[42]).await?;
        connection.read_u8().await
    }

    #[tokio::test]
    async fn a_cut_road_closes_connections_until_it_is_restored() {
        let proxy = Proxy::before(echo().await).await.unwrap();
        let mut connection = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(ask(&mut connection).await.unwrap(), 42);
        proxy.cut();
        assert!(ask(&mut connection).await.is_err());
        let mut refused = TcpStream::connect(proxy.address()).await.unwrap();
        assert!(ask(&mut refused).await.is_err());
        proxy.restore();
        let mut connection = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(ask(&mut connection).await.unwrap(), 42);
    }

    #[tokio::test]
    async fn a_hole_holds_everything_back_until_it_is_restored() {
        let proxy = Proxy::before(echo().await).await.unwrap();
        let mut connection = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(ask(&mut connection).await.unwrap(), 42);
        proxy.swallow();
        let silence = tokio::time::timeout(Duration::from_millis(100), ask(&mut connection)).await;
        assert!(silence.is_err());
        proxy.restore();
        assert_eq!(connection.read_u8().await.unwrap(), 42);
    }
}
