//! Tasks handed out as they come, as many at once as a worker has credits.

use std::sync::Arc;

use fault::Fault;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use kernel::Caller;
use pg::Db;
use proto::redress::resolution::v1::{StreamTasksRequest, StreamTasksResponse};
use tokio::time::sleep;
use tonic::{Request, Response, Status};

use super::poll::{FLOOR, POLL, claim};
use crate::flow::departments::Departments;
use crate::flow::progress::TASKS;
use crate::poll_fairness::PollFairness;
use crate::task::Task;
use crate::wire::tasks::Poll;
use crate::{store, wire};

/// What a worker is handed, one after the other.
pub(in crate::rpc) type Leases = BoxStream<'static, Result<StreamTasksResponse, Status>>;

/// What a stream looks with.
#[derive(Clone)]
pub(in crate::rpc) struct Streams {
    db: Db,
    /// Of the streams of one department, one looks at a time. Who polls waits in another
    /// line, for as long as it polls.
    fairness: Arc<PollFairness>,
    departments: Arc<Departments>,
}

impl Streams {
    pub(in crate::rpc) fn new(db: Db, departments: Arc<Departments>) -> Self {
        Self { db, fairness: Arc::default(), departments }
    }

    /// `StreamTasks`. A caller who goes away drops the stream; what it holds is handed out
    /// again when its leases end, or to the stream that is begun again.
    pub(in crate::rpc) async fn stream(
        &self,
        request: Request<StreamTasksRequest>,
    ) -> Result<Response<Leases>, Fault> {
        let caller = server::caller(&request)?;
        let poll = wire::tasks::stream(request.into_inner())?;
        server::serving(&caller, &poll.department_id)?;
        self.departments.ensure(&self.db, &caller.tenant, &poll.department_id).await?;
        let again = Poll { replays: true, max_tasks: 0, ..poll.clone() };
        let held = claim(&self.db, &self.departments, &caller, &again).await?;
        Ok(Response::new(self.clone().handed_out(caller, poll, held)))
    }

    fn handed_out(self, caller: Caller, poll: Poll, held: Vec<Task>) -> Leases {
        let stream = async_stream::try_stream! {
            let mut listener = self.db.notifier().listen(TASKS);
            let mut leased = held;
            loop {
                for task in &leased {
                    yield StreamTasksResponse { lease: Some(wire::tasks::leased(task)) };
                }
                leased = self.look(&caller, &poll).await?;
                if leased.is_empty() {
                    listener.notified_within(POLL).await;
                    sleep(FLOOR).await;
                }
            }
        };
        stream.boxed()
    }

    /// Hands out what is due, as far as there are credits.
    async fn look(&self, caller: &Caller, poll: &Poll) -> Result<Vec<Task>, Fault> {
        let place = self.fairness.join(&caller.tenant, &poll.department_id);
        let _turn = place.turn().await;
        let held = self
            .db
            .transact("resolution.stream_credits", &caller.tenant, async |mut tx| {
                let now = tx.now();
                let held = store::tasks::held(&mut tx, &poll.request_id, now).await?;
                Ok((tx, held))
            })
            .await?;
        let free = i64::from(poll.max_tasks).saturating_sub(held);
        match i32::try_from(free) {
            Ok(free) if free > 0 => {
                let poll = Poll { max_tasks: free, ..poll.clone() };
                claim(&self.db, &self.departments, caller, &poll).await
            }
            _ => Ok(Vec::new()),
        }
    }
}
