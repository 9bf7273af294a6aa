// A finance department's worker that knows nothing of Redress but its contracts.
//
//     node worker.js BOOKS [DEPARTMENT]
//
// BOOKS is a SQLite file with the department's payments; REDRESS_SERVER says where the
// tasks are (127.0.0.1:50051), REDRESS_TOKEN who asks. Each task is paid once, whatever
// is handed out twice, lost or killed: the payment and the record that its task is done
// are written in one transaction, under the task's id.

import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const CONTRACTS = fileURLToPath(new URL("../../../proto", import.meta.url));
const WAIT_SECONDS = 5;
const LEASE_SECONDS = 30;
// On top of a poll's wait, and for every other call.
const CALL_SECONDS = 10;
const CONCURRENCY = 4;
const [PAUSE_FIRST, PAUSE_LONGEST] = [100, 2000];
// Nobody answered, or nobody could: the same again, in the same words.
const UNANSWERED = new Set([
  grpc.status.UNAVAILABLE,
  grpc.status.DEADLINE_EXCEEDED,
  grpc.status.RESOURCE_EXHAUSTED,
  grpc.status.ABORTED,
  grpc.status.CANCELLED,
  grpc.status.UNKNOWN,
  grpc.status.INTERNAL,
]);

/** Payments, and which task each was for. */
export class Books {
  constructor(file) {
    this.books = new DatabaseSync(file, { timeout: 60_000 });
    this.books.exec(`
      CREATE TABLE IF NOT EXISTS payment (number INTEGER PRIMARY KEY, task TEXT NOT NULL,
        currency TEXT NOT NULL, units TEXT NOT NULL, nanos INTEGER NOT NULL);
      CREATE TABLE IF NOT EXISTS redress_task (task TEXT PRIMARY KEY, reference TEXT NOT NULL);`);
  }

  /** Pays a task unless it was paid. Answers the reference; none if it was not to be paid any more. */
  pay(task, cancelled) {
    // Immediate: from here on nobody else pays, before it is known whether we do.
    this.books.exec("BEGIN IMMEDIATE");
    try {
      const before = this.books.prepare("SELECT reference FROM redress_task WHERE task = ?").get(task.task_id);
      if (before) return before.reference;
      if (cancelled) return undefined;
      const { currency_code, units, nanos } = task.amount;
      const paid = this.books
        .prepare("INSERT INTO payment (task, currency, units, nanos) VALUES (?, ?, ?, ?)")
        .run(task.task_id, currency_code, units, nanos);
      const reference = `PAY-${paid.lastInsertRowid}`;
      this.books.prepare("INSERT INTO redress_task VALUES (?, ?)").run(task.task_id, reference);
      this.books.exec("COMMIT");
      return reference;
    } finally {
      if (this.books.isTransaction) this.books.exec("ROLLBACK");
    }
  }

  /** The tasks that were paid for, a payment each. */
  payments() {
    return this.books.prepare("SELECT task FROM payment ORDER BY number").all().map((row) => row.task);
  }
}

/** Polls, pays and reports, several tasks at a time. */
export class Worker {
  constructor(server, department, books, token) {
    const options = { keepCase: true, longs: String, enums: String, defaults: true, includeDirs: [CONTRACTS] };
    const contracts = grpc.loadPackageDefinition(loadSync("redress/resolution/v1/service.proto", options));
    this.service = new contracts.redress.resolution.v1.ResolutionService(server, grpc.credentials.createInsecure(), {
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 2000,
      "grpc.keepalive_time_ms": 20000,
    });
    this.metadata = new grpc.Metadata();
    if (token) this.metadata.set("authorization", `Bearer ${token}`);
    this.department = department;
    this.books = books;
  }

  async run() {
    await Promise.all(Array.from({ length: CONCURRENCY }, () => this.work()));
  }

  async work() {
    for (;;) {
      const poll = {
        request_id: randomUUID(),
        department_id: this.department,
        worker: `node-${process.pid}`,
        max_tasks: 1,
        wait_duration: { seconds: WAIT_SECONDS },
        lease_duration: { seconds: LEASE_SECONDS },
      };
      const { leases } = await this.answered("PollTasks", poll, WAIT_SECONDS + CALL_SECONDS);
      for (const lease of leases) await this.carryOut(lease);
    }
  }

  call(rpc, request, seconds = CALL_SECONDS) {
    const deadline = Date.now() + seconds * 1000;
    return new Promise((resolve, reject) => {
      this.service[rpc](request, this.metadata, { deadline }, (error, answer) => (error ? reject(error) : resolve(answer)));
    });
  }

  /** Sends a request until it is answered: under one request_id, so that what it does is done once. */
  async answered(rpc, request, seconds) {
    for (let pause = PAUSE_FIRST; ; pause = Math.min(2 * pause, PAUSE_LONGEST)) {
      try {
        return await this.call(rpc, request, seconds);
      } catch (error) {
        if (!UNANSWERED.has(error.code)) throw error;
      }
      await sleep(pause);
    }
  }

  async carryOut({ task, lease_token }) {
    const held = { task_id: task.task_id, lease_token };
    let cancelled = task.cancel_requested;
    const beating = setInterval(async () => {
      try {
        const heard = await this.call("Heartbeat", { ...held, lease_duration: { seconds: LEASE_SECONDS } });
        cancelled ||= heard.cancel_requested;
      } catch (error) {
        // Answered, and refused: it is somebody else's by now.
        cancelled ||= !UNANSWERED.has(error.code);
      }
    }, (LEASE_SECONDS * 1000) / 3);
    try {
      const [rpc, report] = this.outcome(task, () => cancelled);
      await this.answered(rpc, { request_id: randomUUID(), ...held, ...report });
    } catch (error) {
      // Answered, and refused: somebody else holds the task, or people must look.
      console.error(`task ${task.task_id}: ${error.message}`);
    } finally {
      clearInterval(beating);
    }
  }

  /** Carries a task out, and answers how that is reported. */
  outcome(task, cancelled) {
    if (!task.amount) return ["RejectTask", { reason: "finance pays sums only" }];
    try {
      const reference = this.books.pay(task, cancelled());
      if (reference) return ["CompleteTask", { result: { reference, amount: task.amount } }];
      return ["FailTask", { code: "CANCELLED", message: "stopped as asked" }];
    } catch (error) {
      // Nothing was written: it may be tried again.
      return ["FailTask", { code: "BOOKS_UNAVAILABLE", message: error.message, retryable: true }];
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [books, department = "finance"] = process.argv.slice(2);
  if (!books) throw new Error("usage: node worker.js BOOKS [DEPARTMENT]");
  const { REDRESS_SERVER = "127.0.0.1:50051", REDRESS_TOKEN } = process.env;
  const server = REDRESS_SERVER.replace(/^http:\/\//, "");
  await new Worker(server, department, new Books(books), REDRESS_TOKEN).run();
}
