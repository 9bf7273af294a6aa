//! One of the letters that complainants got.

use std::time::{Duration, Instant};

use client::Client;
use proto::redress::feedback::v1::feedback_service_client::FeedbackServiceClient;
use proto::redress::feedback::v1::{ListNoticesRequest, Notice, NoticeKind, NoticeState};
use show::{lines, table};

use super::{heading, indented, telling};
use crate::life::End;
use crate::mail::MailSink;

/// Cases that are looked at, to find a letter to show.
const LOOKED_AT: usize = 24;
/// Longest that it is waited for, and how often it is looked for.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(100);

/// The letter that told an outcome, as its mail was taken over: of the case that is told in
/// full, or of another one.
pub(crate) async fn letter(client: &Client, mail: &MailSink, ends: &[End]) -> anyhow::Result<String> {
    let begun = Instant::now();
    let mut shown = None;
    while shown.is_none() && begun.elapsed() < PATIENCE {
        shown = find(client, mail, ends).await?;
        if shown.is_none() {
            tokio::time::sleep(LOOK).await;
        }
    }
    let Some((notice, recipient)) = shown else { return Ok(String::new()) };
    let mut text = heading(&format!("One of the {} letters that the mail server took over", mail.count()));
    text.push_str(&table::facts(&[
        ("  to", recipient),
        ("  subject", notice.subject),
        ("  taken over", lines::time(notice.end_time.as_ref())),
        ("  evidence", notice.evidence),
    ]));
    text.push('\n');
    text.push_str(&indented(&notice.body));
    Ok(text)
}

async fn find(client: &Client, mail: &MailSink, ends: &[End]) -> anyhow::Result<Option<(Notice, String)>> {
    let mut feedback = FeedbackServiceClient::new(client.calls());
    for end in telling(ends).into_iter().chain(ends.iter().take(LOOKED_AT)) {
        let request = ListNoticesRequest { case_id: end.case_id.clone(), ..ListNoticesRequest::default() };
        let notices = feedback.list_notices(request).await?.into_inner().notices;
        let told = notices
            .into_iter()
            .find(|notice| notice.kind() == NoticeKind::Outcome && notice.state() == NoticeState::Delivered);
        let taken = told.and_then(|notice| {
            let recipient = mail.recipient(&format!("<{}@redress>", notice.notice_id))?;
            Some((notice, recipient))
        });
        if taken.is_some() {
            return Ok(taken);
        }
    }
    Ok(None)
}
