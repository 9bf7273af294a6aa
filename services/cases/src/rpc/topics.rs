//! `TopicService`: read, compute beside the calls, render.

use std::collections::BTreeMap;

use fault::Fault;
use filter::terms::Terms;
use kernel::{CaseId, TenantId};
use pg::Db;
use proto::redress::cases::v1::topic_service_server::TopicService;
use proto::redress::cases::v1::{GetTopicRequest, GetTopicResponse, ListTopicsRequest, ListTopicsResponse};
use server::Length;
use tonic::{Request, Response, Status};
use uuid::Uuid;

use crate::article::today;
use crate::refusal::Refusal;
use crate::store::topics::{self as store, Sample};
use crate::topic::{self, Before, Coverage, Days, KeptCase, Recent, Told, Topic, Window};
use crate::wire::topics as wire;

/// Texts of a topic that phrases are read off.
const TEXTS: usize = 20;

/// The rpcs of `TopicService`.
#[derive(Clone)]
pub(crate) struct Topics {
    db: Db,
}

/// What a window speaks of.
struct Found {
    topics: Vec<Topic>,
    coverage: Coverage,
    samples: (Sample, Sample),
}

impl Topics {
    /// Serves the topics of a schema.
    pub(crate) fn new(db: Db) -> Self {
        Self { db }
    }

    /// Compares a window with its baseline. Cases are read page by page, and what they say is
    /// counted on no thread of the calls.
    async fn find(&self, tenant: &TenantId, window: Window) -> Result<Found, Fault> {
        let samples = self
            .db
            .transact("topic.sample", tenant, async move |mut tx| {
                let samples = Sample::both(&mut tx, &window).await?;
                Ok((tx, samples))
            })
            .await?;
        let kept = self.read(tenant, samples.0).await?;
        let terms = Terms::of(tenant);
        let count = move || Recent::of(kept, &terms);
        let recent = server::blocking(tenant, Length::Long, "topic.count", count).await?;
        let (words, tags) = (recent.terms(), Terms::of(tenant));
        let before: Before = self
            .db
            .transact("topic.before", tenant, async move |mut tx| {
                let before = store::before(&mut tx, &samples.1, &words, &tags).await?;
                Ok((tx, before))
            })
            .await?;
        let coverage = Coverage {
            window,
            now: (recent.count(), samples.0.one_in),
            before: (before.cases, samples.1.one_in),
            words: recent.looked_at,
            is_capped: recent.is_capped,
        };
        let compare = move || topic::topics(&recent, &before);
        let topics = server::blocking(tenant, Length::Long, "topic.compare", compare).await?;
        Ok(Found { topics, coverage, samples })
    }

    async fn read(&self, tenant: &TenantId, sample: Sample) -> Result<Vec<KeptCase>, Fault> {
        let mut kept: Vec<KeptCase> = Vec::new();
        let mut after = Some(Uuid::nil());
        while let Some(from) = after {
            let page = self
                .db
                .transact("topic.read", tenant, async move |mut tx| {
                    let page = store::page(&mut tx, &sample, from).await?;
                    Ok((tx, page))
                })
                .await?;
            let is_full = i64::try_from(page.len()) == Ok(store::PAGE);
            after = page.last().map(|last| last.case.0).filter(|_| is_full);
            kept.extend(page);
        }
        Ok(kept)
    }

    /// What is told of topics beside their words, and all cases by day.
    async fn tell(&self, tenant: &TenantId, found: &Found) -> Result<(Vec<Told>, Days), Fault> {
        let (topics, samples, terms) = (found.topics.clone(), found.samples, Terms::of(tenant));
        let (topics, texts, now, before) = self
            .db
            .transact("topic.tell", tenant, async move |mut tx| {
                let cases = topics.iter().flat_map(|topic| topic.cases.iter().take(TEXTS));
                let cases: Vec<CaseId> = cases.copied().collect();
                let texts = store::texts(&mut tx, &cases).await?;
                let now = store::days(&mut tx, &samples.0, &topics, &terms).await?;
                let before = store::days(&mut tx, &samples.1, &topics, &terms).await?;
                Ok((tx, (topics, texts, now, before)))
            })
            .await?;
        let (days, mut all) = now;
        all.extend(before.1);
        let days = days.into_iter().zip(before.0);
        let told = move || topics.iter().zip(days).map(|(topic, days)| told(topic, &texts, days)).collect();
        Ok((server::blocking(tenant, Length::Quick, "topic.phrases", told).await?, all))
    }
}

fn told(topic: &Topic, texts: &BTreeMap<CaseId, String>, (mut days, before): (Days, Days)) -> Told {
    let of_topic = topic.cases.iter().take(TEXTS).filter_map(|case| texts.get(case).cloned());
    let phrases = topic::phrases(topic, &of_topic.collect::<Vec<_>>());
    let count = before.values().sum();
    days.extend(before);
    Told { phrases, before: count, days }
}

#[tonic::async_trait]
impl TopicService for Topics {
    async fn list_topics(
        &self,
        request: Request<ListTopicsRequest>,
    ) -> Result<Response<ListTopicsResponse>, Status> {
        let caller = server::caller(&request)?;
        let query = wire::listed(request.into_inner())?;
        let window = query.window(today(self.db.clock().now()));
        let mut found = self.find(&caller.tenant, window).await?;
        found.topics.truncate(query.most);
        let (told, all) = self.tell(&caller.tenant, &found).await?;
        let Found { topics, coverage, samples: _ } = found;
        let shown = topics.into_iter().zip(told);
        Ok(Response::new(ListTopicsResponse {
            topics: shown.map(|(topic, told)| wire::topic_in_short(topic, told, &all, &coverage)).collect(),
            coverage: Some(wire::coverage(&coverage)),
        }))
    }

    async fn get_topic(
        &self,
        request: Request<GetTopicRequest>,
    ) -> Result<Response<GetTopicResponse>, Status> {
        let caller = server::caller(&request)?;
        let (window, word) = wire::wanted(request.into_inner())?;
        let mut found = self.find(&caller.tenant, window).await?;
        found.topics.retain(|topic| topic.terms.iter().any(|term| term.word == word));
        found.topics.truncate(1);
        let (mut told, all) = self.tell(&caller.tenant, &found).await?;
        let Found { mut topics, coverage, samples: _ } = found;
        let one = topics.pop().zip(told.pop());
        let (topic, told) = one.ok_or(Refusal::TopicNotFound).map_err(Fault::from)?;
        Ok(Response::new(GetTopicResponse {
            topic: Some(wire::topic(topic, told, &all, &coverage)),
            coverage: Some(wire::coverage(&coverage)),
        }))
    }
}
