//! `redress health`: for probes and scripts.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use http::Uri;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::connection::{Connection, DEFAULT_SERVER};

#[derive(Args)]
pub(crate) struct Health {
    #[command(flatten)]
    connection: Connection,
    /// A gRPC service, e.g. `redress.cases.v1.CaseService`; the whole process without
    #[arg(default_value = "")]
    service: String,
    /// Address the server beside this command was told to listen on: asked unless
    /// --server says otherwise
    #[arg(long, env = "REDRESS_LISTEN", hide = true)]
    listen: Option<SocketAddr>,
}

impl Health {
    pub(crate) async fn run(mut self) -> anyhow::Result<()> {
        if let Some(address) = self.listen
            && self.connection.server == Uri::from_static(DEFAULT_SERVER)
        {
            self.connection.server = Uri::try_from(format!("http://{}", reachable(address)))?;
        }
        let caller = self.connection.open().await?;
        let mut health = HealthClient::new(caller.client.calls());
        let request = HealthCheckRequest { service: self.service };
        let patience = Duration::from_secs(self.connection.timeout);
        let answer = tokio::time::timeout(patience, health.check(request)).await??.into_inner();
        let Ok(status) = ServingStatus::try_from(answer.status) else {
            bail!("an unknown status, {}", answer.status);
        };
        let name = status.as_str_name();
        show::say(&if caller.json { format!("{{\"status\":\"{name}\"}}") } else { name.to_owned() })?;
        if status != ServingStatus::Serving {
            bail!("not ready");
        }
        Ok(())
    }
}

/// An address that listens everywhere is asked on the loopback.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_address_is_asked_at_home() {
        let asked = |text: &str| reachable(text.parse().unwrap()).to_string();
        assert_eq!(asked("0.0.0.0:50052"), "127.0.0.1:50052");
        assert_eq!(asked("[::]:1"), "[::1]:1");
        assert_eq!(asked("10.0.0.7:1"), "10.0.0.7:1");
    }
}
