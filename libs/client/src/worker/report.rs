//! Tells what came of a task, until the server has heard it.

use std::time::Instant;

use proto::redress::resolution::v1::{
    CompleteTaskRequest, FailTaskRequest, RejectTaskRequest, ReportShortageRequest, TaskResult,
};
use tonic::{Code, Status};

use super::hold::Held;
use super::{Bench, Failure, is_answered};

impl Bench {
    /// Reports an outcome under one `request_id`, however often it has to be told.
    pub(super) async fn report(&self, held: &Held, outcome: Result<TaskResult, Failure>) {
        let completed = outcome.is_ok();
        match self.tell(held, outcome).await {
            Ok(()) => {}
            // A result the contract does not allow: it was done, and people must say how.
            Err(status) if completed && status.code() == Code::InvalidArgument => {
                let code = "INVALID_RESULT".to_owned();
                let failure = Failure::Unknown { code, message: status.message().to_owned() };
                if let Err(status) = self.tell(held, Err(failure)).await {
                    unheard(held, &status);
                }
            }
            Err(status) => unheard(held, &status),
        }
    }

    async fn tell(&self, held: &Held, outcome: Result<TaskResult, Failure>) -> Result<(), Status> {
        let request_id = self.client.request_id();
        let begun = Instant::now();
        loop {
            let answer = self.tell_once(held, request_id.clone(), outcome.clone()).await;
            let Err(status) = answer else { return Ok(()) };
            // When stopping, wait no longer than the task is ours anyway.
            let in_vain = self.stop.is_cancelled() && begun.elapsed() > self.worker.lease;
            if is_answered(&status) || in_vain {
                return Err(status);
            }
            self.pause().await;
        }
    }

    async fn tell_once(
        &self,
        held: &Held,
        request_id: String,
        outcome: Result<TaskResult, Failure>,
    ) -> Result<(), Status> {
        let Held { task_id, lease_token, .. } = held;
        let (task_id, lease_token) = (task_id.clone(), lease_token.clone());
        let mut service = self.service.clone();
        let fail = |request_id, (code, message), retryable, outcome_unknown| FailTaskRequest {
            request_id,
            task_id: task_id.clone(),
            lease_token: lease_token.clone(),
            code,
            message,
            retryable,
            outcome_unknown,
        };
        match outcome {
            Ok(result) => {
                let message = CompleteTaskRequest { request_id, task_id, lease_token, result: Some(result) };
                service.complete_task(held.request(message)).await.map(drop)
            }
            Err(Failure::Rejected { reason }) => {
                let message = RejectTaskRequest { request_id, task_id, lease_token, reason };
                service.reject_task(held.request(message)).await.map(drop)
            }
            Err(Failure::OutOfStock { sku, expected }) => {
                let expect_time = Some(expected);
                let message = ReportShortageRequest { request_id, task_id, lease_token, sku, expect_time };
                self.stock.clone().report_shortage(held.request(message)).await.map(drop)
            }
            Err(Failure::Retryable { code, message }) => {
                let failed = fail(request_id, (code, message), true, false);
                service.fail_task(held.request(failed)).await.map(drop)
            }
            Err(Failure::Final { code, message }) => {
                let failed = fail(request_id, (code, message), false, false);
                service.fail_task(held.request(failed)).await.map(drop)
            }
            Err(Failure::Unknown { code, message }) => {
                let failed = fail(request_id, (code, message), false, true);
                service.fail_task(held.request(failed)).await.map(drop)
            }
        }
    }
}

fn unheard(held: &Held, status: &Status) {
    tracing::warn!(
        task.id = held.task_id,
        rpc.code = %status.code(),
        rpc.message = status.message(),
        "the server does not take what came of a task"
    );
}
