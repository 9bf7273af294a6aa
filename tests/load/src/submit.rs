//! Submissions: as fast as answers come (closed loop), or at a rate whatever the
//! answers do (open loop; latency counts from when a submission was due).

use std::str::FromStr as _;
use std::time::Duration;

use anyhow::{Context as _, Result};
use futures::future::try_join_all;
use http::Uri;
use proto::redress::intake::v1::intake_service_client::IntakeServiceClient;
use proto::redress::intake::v1::{Channel, Complainant, Complaint, SubmitComplaintRequest};
use tokio::time::Instant;
use uuid::Uuid;

use crate::connection::Connection;
use crate::run::{Run, histogram, micros};
use crate::suite::Suite;
use crate::words;

/// Connections the closed loop spreads over.
const CONNECTIONS: usize = 4;

/// A submission of about one kilobyte. The same words over and over would make
/// every case a duplicate of all before it.
pub(crate) fn submission(number: u64) -> SubmitComplaintRequest {
    #[expect(clippy::disallowed_methods, reason = "a client's own key, as clients make it")]
    let key = Uuid::new_v4();
    let (subject, description) = words::complaint(number);
    SubmitComplaintRequest {
        request_id: key.to_string(),
        complaint: Some(Complaint {
            channel: Channel::Web.into(),
            complainant: Some(Complainant {
                customer_id: format!("C-{number}"),
                display_name: "Wei Zhang".to_owned(),
                email: "wei.zhang@example.com".to_owned(),
                ..Complainant::default()
            }),
            subject,
            description,
            language: "en".to_owned(),
            category_hint: "delivery/damaged".to_owned(),
            consent_given: true,
            ..Complaint::default()
        }),
    }
}

/// Keeps so many submissions in flight for so long.
pub(crate) async fn closed(suite: &Suite, in_flight: usize, length: Duration) -> Result<Run> {
    let lines = (0..CONNECTIONS.min(in_flight)).map(|_| Connection::connect(suite.address()));
    let origin = Uri::from_str(&format!("http://{}", suite.address()))?;
    let client = |line| IntakeServiceClient::with_origin(line, origin.clone());
    let clients: Vec<_> = try_join_all(lines).await?.into_iter().map(client).collect();
    let before = suite.cpu()?;
    let started = Instant::now();
    let end = started + length;
    let loops = (0..in_flight).map(|place| {
        let mut client = clients[place % clients.len()].clone();
        tokio::spawn(async move {
            let mut latency = histogram()?;
            let mut number = place as u64;
            while Instant::now() < end {
                let sent = Instant::now();
                client.submit_complaint(submission(number)).await?;
                latency.saturating_record(micros(sent.elapsed()));
                number += 1_000;
            }
            anyhow::Ok(latency)
        })
    });
    let latencies = try_join_all(loops).await?.into_iter().collect::<Result<Vec<_>>>()?;
    Run::of(suite, before, started, latencies)
}

/// Sends so many a second for so long.
pub(crate) async fn open(suite: &Suite, rate: u64, length: Duration) -> Result<Run> {
    let before = suite.cpu()?;
    let started = Instant::now();
    let client = IntakeServiceClient::new(suite.channel.clone());
    let gap = Duration::from_secs(1) / u32::try_from(rate)?;
    let mut calls = Vec::new();
    for number in 0..rate * length.as_secs() {
        let due = started + gap * u32::try_from(number)?;
        tokio::time::sleep_until(due).await;
        let mut client = client.clone();
        calls.push(tokio::spawn(async move {
            client.submit_complaint(submission(number)).await?;
            anyhow::Ok(due.elapsed())
        }));
    }
    let mut latency = histogram()?;
    for call in calls {
        latency.saturating_record(micros(call.await.context("a submission panicked")??));
    }
    Run::of(suite, before, started, vec![latency])
}
