//! How many waiting cases are assigned in a second, and whether one costs more the more
//! cases wait: agents of many departments are given more room, which is filled from the
//! queues at once.

use std::time::Duration;

use anyhow::{Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use proto::redress::assignment::v1::assignment_service_client::AssignmentServiceClient;
use proto::redress::assignment::v1::{Agent, UpdateAgentRequest};
use tokio::time::Instant;
use tonic::transport::Channel;

use crate::report::Report;
use crate::suite::{Base, Suite};

/// Departments, each with as many agents.
const DEPARTMENTS: usize = 20;
/// Agents of all of them.
const AGENTS: usize = 1_000;
/// Cases that a call gives an agent room for.
const ROOM: i32 = 50;
/// Calls of a round: together they give out what waits least.
const CALLS: usize = 20;
/// Calls in flight.
const IN_FLIGHT: usize = 4;
/// Cases that wait least, and most.
const FEW: u32 = 1_000;
const MANY: u32 = 100_000;

/// What rounds came to.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    assigned: u64,
    took: Duration,
    cpu: Duration,
}

impl Spent {
    fn cpu_each(&self) -> f64 {
        self.cpu.as_secs_f64() / f64::from(u32::try_from(self.assigned).unwrap_or(u32::MAX))
    }

    fn per_second(&self) -> f64 {
        f64::from(u32::try_from(self.assigned).unwrap_or(u32::MAX)) / self.took.as_secs_f64()
    }
}

/// Measures it on two databases, in turn: so that a drifting machine favours neither.
pub(crate) async fn measure(base: &Base, rounds: u32, report: &mut Report) -> Result<()> {
    let mut few = Queue::open(base, "load_routing_few", FEW).await?;
    let mut many = Queue::open(base, "load_routing_many", MANY).await?;
    for queue in [&mut few, &mut many] {
        queue.round(base).await?; // warm
        queue.spent = Spent::default();
    }
    for _ in 0..rounds {
        few.round(base).await?;
        many.round(base).await?;
    }
    report.assignments_per_s = Some(many.spent.per_second());
    report.assignment_backlog_ratio = Some(many.spent.cpu_each() / few.spent.cpu_each());
    println!("assigned of {FEW}: {:?}, of {MANY}: {:?}", few.spent, many.spent);
    few.suite.stop().await?;
    many.suite.stop().await
}

/// A service with cases that wait.
struct Queue {
    suite: Suite,
    url: String,
    waiting: u32,
    /// Room of each agent so far.
    room: Vec<i32>,
    next: usize,
    spent: Spent,
}

impl Queue {
    async fn open(base: &Base, database: &str, waiting: u32) -> Result<Self> {
        let suite = Suite::assignment(base, database).await?;
        let url = base.create_database(database).await?;
        let roster = format!(
            "INSERT INTO assignment.department (tenant_id, department_id, version, display_name, categories)
             SELECT 'development', 'd' || n, 1, 'd' || n, ARRAY['c' || n]
             FROM generate_series(0, {DEPARTMENTS} - 1) AS n;
             INSERT INTO assignment.agent (tenant_id, agent_id, version, department_id, display_name, capacity,
                                           available, load, turn)
             SELECT 'development', 'a' || n, 1, 'd' || n % {DEPARTMENTS}, 'Agent ' || n, 1, true, 1, 0
             FROM generate_series(0, {AGENTS} - 1) AS n"
        );
        base.execute(&url, &roster).await?;
        Ok(Self { suite, url, waiting, room: vec![1; AGENTS], next: 0, spent: Spent::default() })
    }

    /// Has as many cases wait as shall, then gives agents room for some.
    async fn round(&mut self, base: &Base) -> Result<()> {
        self.fill(base).await?;
        let before = self.held(base).await?;
        let calls: Vec<UpdateAgentRequest> = (0..CALLS).map(|_| self.more_room()).collect();
        let client = AssignmentServiceClient::new(self.suite.channel.clone());
        let (begun, cpu) = (Instant::now(), self.suite.cpu()?);
        stream::iter(calls)
            .map(|request| give_room(client.clone(), request))
            .buffer_unordered(IN_FLIGHT)
            .try_collect::<()>()
            .await?;
        let (took, after) = (begun.elapsed(), self.suite.cpu()?);
        let assigned = self.held(base).await? - before;
        let wanted = u64::try_from(CALLS)? * u64::from(ROOM.unsigned_abs());
        ensure!(assigned == wanted, "{assigned} of {wanted} cases were assigned");
        self.spent.assigned += assigned;
        self.spent.took += took;
        let used = |after: Duration, before: Duration| after.saturating_sub(before);
        self.spent.cpu += used(after.services, cpu.services) + used(after.postgres, cpu.postgres);
        Ok(())
    }

    /// As many wait in each department as in any other.
    async fn fill(&self, base: &Base) -> Result<()> {
        let waiting = self.waiting;
        let fill = format!(
            "INSERT INTO assignment.assignment (tenant_id, case_id, version, cycle, state, department_id,
                 priority, category, enqueued_at, explanation, transfers, rank_at)
             SELECT 'development', gen_random_uuid(), 1, 1, 1, want.department_id, 3, 'c', now(), '', 0,
                    now() + interval '24 h'
             FROM (SELECT department_id, {waiting} / {DEPARTMENTS} - (
                       SELECT count(*) FROM assignment.assignment a
                       WHERE a.department_id = d.department_id AND a.state = 1) AS lacking
                   FROM assignment.department d) AS want
             CROSS JOIN LATERAL generate_series(1, want.lacking)"
        );
        base.execute(&self.url, &fill).await?;
        base.execute(&self.url, "VACUUM ANALYZE assignment.assignment").await?;
        base.execute(&self.url, "CHECKPOINT").await.map(drop)
    }

    async fn held(&self, base: &Base) -> Result<u64> {
        let held = "COPY (SELECT count(*) FROM assignment.assignment WHERE state = 2) TO STDOUT";
        Ok(base.execute(&self.url, held).await?.trim().parse()?)
    }

    /// The next agent, of the next department, with more room.
    fn more_room(&mut self) -> UpdateAgentRequest {
        let number = self.next % AGENTS;
        self.next += 1;
        self.room[number] += ROOM;
        let agent = Agent {
            agent_id: format!("a{number}"),
            department_id: format!("d{}", number % DEPARTMENTS),
            display_name: format!("Agent {number}"),
            capacity: self.room[number],
            available: true,
            ..Agent::default()
        };
        UpdateAgentRequest {
            request_id: format!("room-{}", self.next),
            expected_version: None,
            agent: Some(agent),
        }
    }
}

async fn give_room(mut client: AssignmentServiceClient<Channel>, request: UpdateAgentRequest) -> Result<()> {
    client.update_agent(request).await?;
    Ok(())
}
