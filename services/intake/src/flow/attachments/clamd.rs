//! What is said to clamd, the daemon of ClamAV: a content goes to it in pieces
//! (`INSTREAM`), and it answers whether it has found something.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// Begins a content; both it and its answer end with NUL.
const INSTREAM: &[u8] = b"zINSTREAM\0";
/// What an address of a socket in the file system begins with.
const UNIX: &str = "unix:";
/// Longest that it may take to be connected, and to take or answer anything.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest answer that is read.
const MAX_ANSWER: u64 = 4 << 10;

/// Where clamd is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// `host:port`.
    Tcp(String),
    /// `unix:/path`.
    Unix(PathBuf),
}

/// What it says of a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It has found nothing.
    Clean,
    /// It has found what this signature stands for.
    Found(String),
}

impl Address {
    /// Reads an address.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        if let Some(path) = text.strip_prefix(UNIX) {
            if !path.starts_with('/') {
                bail!("REDRESS_CLAMD must name an absolute path after unix:, unlike {text}");
            }
            return Ok(Self::Unix(PathBuf::from(path)));
        }
        let (host, port) =
            text.rsplit_once(':').context("REDRESS_CLAMD must be host:port or unix:/path of clamd")?;
        let is_port = port.parse::<u16>().is_ok_and(|port| port != 0);
        if host.is_empty() || !is_port {
            bail!("REDRESS_CLAMD must be host:port or unix:/path of clamd, unlike {text}");
        }
        Ok(Self::Tcp(text.to_owned()))
    }

    /// Begins to send a content.
    pub(crate) async fn begin(&self) -> io::Result<Scan> {
        let connection: Box<dyn Connection> = match self {
            Self::Tcp(address) => Box::new(within(TcpStream::connect(address)).await?),
            Self::Unix(path) => Box::new(within(UnixStream::connect(path)).await?),
        };
        let mut scan = Scan { connection };
        scan.write(INSTREAM).await?;
        Ok(scan)
    }
}

/// A socket, of whichever kind.
trait Connection: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Connection for T {}

/// A content on its way.
pub(crate) struct Scan {
    connection: Box<dyn Connection>,
}

impl Scan {
    /// Sends a piece; an empty one is none.
    pub(crate) async fn send(&mut self, piece: &[u8]) -> io::Result<()> {
        if piece.is_empty() {
            return Ok(());
        }
        let length = u32::try_from(piece.len()).map_err(io::Error::other)?;
        self.write(&length.to_be_bytes()).await?;
        self.write(piece).await
    }

    /// Ends the content, and waits for what is said of it.
    pub(crate) async fn verdict(mut self) -> io::Result<Verdict> {
        self.write(&0_u32.to_be_bytes()).await?;
        let mut answer = Vec::new();
        within((&mut self.connection).take(MAX_ANSWER).read_to_end(&mut answer)).await?;
        read(&String::from_utf8_lossy(&answer))
    }

    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        within(self.connection.write_all(bytes)).await
    }
}

async fn within<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(PATIENCE, work).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

/// Reads an answer: `stream: OK`, `stream: Eicar-Signature FOUND`, or an error.
fn read(answer: &str) -> io::Result<Verdict> {
    let said = answer.trim_matches(['\0', '\n', '\r', ' ']);
    let said = said.strip_prefix("stream: ").unwrap_or(said);
    match said.strip_suffix(" FOUND") {
        Some(signature) => Ok(Verdict::Found(signature.chars().take(MAX_SIGNATURE).collect())),
        None if said == "OK" => Ok(Verdict::Clean),
        None if said.is_empty() => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
        // Such as `INSTREAM size limit exceeded. ERROR`.
        None => Err(io::Error::other(format!("clamd says: {said}"))),
    }
}

/// Longest name of a signature that is kept, in characters.
const MAX_SIGNATURE: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_host_with_a_port_or_a_path() {
        let read = |text| Address::parse(text).ok();
        assert_eq!(read("clamd:3310"), Some(Address::Tcp("clamd:3310".to_owned())));
        assert_eq!(read("[::1]:3310"), Some(Address::Tcp("[::1]:3310".to_owned())));
        assert_eq!(read("unix:/run/clamd.sock"), Some(Address::Unix(PathBuf::from("/run/clamd.sock"))));
        for wrong in ["", "clamd", "clamd:", ":3310", "clamd:0", "clamd:x", "unix:", "unix:clamd.sock"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_what_is_said_to_be_clean_is_clean() {
        let told = |answer| read(answer).ok();
        assert_eq!(told("stream: OK\0"), Some(Verdict::Clean));
        assert_eq!(told("stream: Win.Test FOUND\0"), Some(Verdict::Found("Win.Test".to_owned())));
        for unclear in ["", "\0", "INSTREAM size limit exceeded. ERROR\0", "stream: NOT OK", "stream: O"] {
            assert_eq!(told(unclear), None, "{unclear}");
        }
    }
}
