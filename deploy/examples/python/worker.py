#!/usr/bin/env python3
"""A finance department's worker that knows nothing of Redress but its contracts.

    worker.py BOOKS [--department finance] [--server 127.0.0.1:50051] [--token-file FILE]

BOOKS is a SQLite file with the department's payments. Each task is paid once, whatever
is handed out twice, lost or killed: the payment and the record that its task is done are
written in one transaction, under the task's id.
"""

import argparse
import os
import sqlite3
import sys
import threading
import time
import uuid
from contextlib import closing
from pathlib import Path

import grpc

# The contracts are read as they are: nothing is generated beforehand.
CONTRACTS = Path(__file__).resolve().parents[3] / "proto"
sys.path.insert(0, str(CONTRACTS))
messages, services = grpc.protos_and_services("redress/resolution/v1/service.proto")
tasks, _ = grpc.protos_and_services("redress/resolution/v1/task.proto")

WAIT_SECONDS = 5
LEASE_SECONDS = 30
# On top of a poll's wait, and for every other call.
CALL_SECONDS = 10
PAUSE_FIRST, PAUSE_LONGEST = 0.1, 2.0
# Nobody answered, or nobody could: the same again, in the same words.
UNANSWERED = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.INTERNAL,
}
CHANNEL = [
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.keepalive_time_ms", 20000),
]


class Cancelled(Exception):
    """The work is no longer wanted, and was not done."""


class Books:
    """Payments, and which task each was for."""

    def __init__(self, file):
        self.file = file
        with closing(self.open()) as books, books:
            books.execute(
                "CREATE TABLE IF NOT EXISTS payment (number INTEGER PRIMARY KEY, task TEXT NOT NULL,"
                " currency TEXT NOT NULL, units INTEGER NOT NULL, nanos INTEGER NOT NULL)"
            )
            books.execute("CREATE TABLE IF NOT EXISTS redress_task (task TEXT PRIMARY KEY, reference TEXT NOT NULL)")

    def open(self):
        # Transactions are begun by hand; who finds another at it waits.
        return sqlite3.connect(self.file, isolation_level=None, timeout=60)

    def pay(self, task, cancelled=False):
        """Pays a task unless it was paid, and answers the reference."""
        with closing(self.open()) as books:
            # Immediate: from here on nobody else pays, before it is known whether we do.
            books.execute("BEGIN IMMEDIATE")
            try:
                before = books.execute("SELECT reference FROM redress_task WHERE task = ?", [task.task_id]).fetchone()
                if before:
                    return before[0]
                if cancelled:
                    raise Cancelled
                sum_ = task.amount
                paid = books.execute(
                    "INSERT INTO payment (task, currency, units, nanos) VALUES (?, ?, ?, ?)",
                    [task.task_id, sum_.currency_code, sum_.units, sum_.nanos],
                )
                reference = f"PAY-{paid.lastrowid}"
                books.execute("INSERT INTO redress_task VALUES (?, ?)", [task.task_id, reference])
                books.execute("COMMIT")
                return reference
            finally:
                if books.in_transaction:
                    books.execute("ROLLBACK")


class Worker:
    """Polls, pays and reports, one task at a time; start more of it for more."""

    def __init__(self, server, department, books, token=None):
        self.service = services.ResolutionServiceStub(grpc.insecure_channel(server, options=CHANNEL))
        self.department = department
        self.books = books
        self.metadata = [("authorization", f"Bearer {token}")] if token else []

    def run(self):
        while True:
            for lease in self.poll():
                self.carry_out(lease)

    def poll(self):
        request = messages.PollTasksRequest(
            request_id=str(uuid.uuid4()), department_id=self.department, worker=f"python-{os.getpid()}", max_tasks=1
        )
        request.wait_duration.seconds = WAIT_SECONDS
        request.lease_duration.seconds = LEASE_SECONDS
        return self.answered(self.service.PollTasks, request, WAIT_SECONDS + CALL_SECONDS).leases

    def answered(self, rpc, request, seconds=CALL_SECONDS):
        """Sends a request until it is answered: under one request_id, so that what it does is done once."""
        pause = PAUSE_FIRST
        while True:
            try:
                return rpc(request, timeout=seconds, metadata=self.metadata)
            except grpc.RpcError as error:
                if error.code() not in UNANSWERED:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, PAUSE_LONGEST)

    def carry_out(self, lease):
        task = lease.task
        held = {"request_id": str(uuid.uuid4()), "task_id": task.task_id, "lease_token": lease.lease_token}
        cancelled, ended = threading.Event(), threading.Event()
        if task.cancel_requested:
            cancelled.set()
        beating = threading.Thread(target=self.beat, args=(lease, cancelled, ended), daemon=True)
        beating.start()
        try:
            self.report(task, held, cancelled)
        except grpc.RpcError as error:
            # Answered, and refused: somebody else holds the task, or people must look.
            print(f"task {task.task_id}: {error.code().name}: {error.details()}", file=sys.stderr)
        finally:
            ended.set()
            beating.join()

    def report(self, task, held, cancelled):
        if not task.HasField("amount"):
            reject = messages.RejectTaskRequest(reason="finance pays sums only", **held)
            self.answered(self.service.RejectTask, reject)
            return
        try:
            reference = self.books.pay(task, cancelled.is_set())
        except Cancelled:
            failed = messages.FailTaskRequest(code="CANCELLED", message="stopped as asked", **held)
            self.answered(self.service.FailTask, failed)
        except sqlite3.Error as error:
            # Nothing was written: it may be tried again.
            failed = messages.FailTaskRequest(code="BOOKS_UNAVAILABLE", message=str(error), retryable=True, **held)
            self.answered(self.service.FailTask, failed)
        else:
            result = tasks.TaskResult(reference=reference, amount=task.amount)
            self.answered(self.service.CompleteTask, messages.CompleteTaskRequest(result=result, **held))

    def beat(self, lease, cancelled, ended):
        """Holds the lease until the task has ended."""
        sign = messages.HeartbeatRequest(task_id=lease.task.task_id, lease_token=lease.lease_token)
        sign.lease_duration.seconds = LEASE_SECONDS
        while not ended.wait(LEASE_SECONDS / 3):
            try:
                heard = self.service.Heartbeat(sign, timeout=CALL_SECONDS, metadata=self.metadata)
            except grpc.RpcError as error:
                if error.code() in UNANSWERED:
                    continue
                cancelled.set()  # It is somebody else's by now.
                return
            if heard.cancel_requested:
                cancelled.set()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("books")
    parser.add_argument("--department", default="finance")
    parser.add_argument("--server", default=os.environ.get("REDRESS_SERVER", "127.0.0.1:50051"))
    parser.add_argument("--token-file", type=Path)
    arguments = parser.parse_args()
    token = arguments.token_file.read_text().strip() if arguments.token_file else None
    server = arguments.server.removeprefix("http://")
    Worker(server, arguments.department, Books(arguments.books), token).run()


if __name__ == "__main__":
    main()
