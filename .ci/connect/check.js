// The official client of the Connect protocol, against the running suite: with JSON and
// binary messages, over HTTP/1.1 and HTTP/2, one message, a stream of answers, a stream of
// requests, errors with their details, and time that runs out.
//
// REDRESS names the `redress` program, CONTRACTS a file of compiled contracts (`buf build`).

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { randomUUID } from "node:crypto";
import test, { after, before } from "node:test";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";

const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(process.env.CONTRACTS)));
let suite, folder, baseUrl;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "redress-connect-"));
  // Postgres may run as a user of its own, who has to get there.
  chmodSync(folder, 0o755);
  const { DATABASE_URL, ...env } = process.env;
  const words = ["up", "--data", join(folder, "data"), "--listen", "127.0.0.1:0", "--log", "warn"];
  suite = spawn(process.env.REDRESS, words, { env, stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface({ input: suite.stdout })) {
    const address = line.match(/127\.0\.0\.1:\d+/);
    if (address) {
      baseUrl = `http://${address[0]}`;
      break;
    }
  }
  assert.ok(baseUrl, "redress up ends without a word of where it listens");
  suite.stdout.resume();
});

after(async () => {
  const ended = new Promise((resolve) => suite.once("exit", resolve));
  suite.kill();
  await ended;
  rmSync(folder, { recursive: true });
});

const complaint = (subject) => ({
  channel: 1,
  subject,
  description: "It came in pieces.",
  language: "en",
  consentGiven: true,
  complainant: { customerId: "C-9" },
});

async function refused(call) {
  try {
    await call;
  } catch (error) {
    return ConnectError.from(error);
  }
  assert.fail("it was not refused");
}

const reasons = (error) => error.details.map((detail) => detail.debug?.reason).filter(Boolean);

for (const httpVersion of ["1.1", "2"]) {
  for (const useBinaryFormat of [false, true]) {
    test(`HTTP/${httpVersion}, ${useBinaryFormat ? "binary" : "JSON"}`, async () => {
      const transport = createConnectTransport({ baseUrl, httpVersion, useBinaryFormat });
      const client = (name) => createClient(registry.getService(name), transport);
      const intake = client("redress.intake.v1.IntakeService");
      const cases = client("redress.cases.v1.CaseService");

      const { complaintId } = await intake.submitComplaint({ requestId: randomUUID(), complaint: complaint("Kettle") });
      const read = await intake.getComplaint({ complaintId });
      assert.equal(read.complaint.subject, "Kettle");

      const invalid = await refused(intake.submitComplaint({ requestId: randomUUID(), complaint: { subject: "" } }));
      assert.equal(invalid.code, Code.InvalidArgument);
      assert.deepEqual(reasons(invalid), ["INVALID_COMPLAINT"]);

      const rows = ["One", "Two"].map((subject) => ({ requestId: randomUUID(), complaint: complaint(subject) }));
      const { verdicts } = await intake.submitComplaints((async function* () { yield* rows; })());
      assert.equal(verdicts.length, 2);

      const first = await firstOf(cases, complaintId);
      assert.equal(first.case.caseId, complaintId);
      const ended = await refused((async () => { for await (const _ of cases.watchCase({ caseId: complaintId }, { timeoutMs: 1500 })); })());
      assert.equal(ended.code, Code.DeadlineExceeded);
      const nobody = { headers: { "redress-subject": "" } };
      const unknown = await refused(cases.getCase({ caseId: complaintId }, nobody));
      assert.equal(unknown.code, Code.Unauthenticated);
      // Over HTTP/1.1 who is refused while still sending may find the connection closed instead.
      if (httpVersion === "2") {
        const watching = await refused((async () => { for await (const _ of cases.watchCase({ caseId: complaintId }, nobody)); })());
        assert.equal(watching.code, Code.Unauthenticated);
      }
    });
  }
}

// The case is opened when its service has heard of the complaint.
async function firstOf(cases, caseId) {
  for (const end = Date.now() + 30_000; ; ) {
    try {
      for await (const answer of cases.watchCase({ caseId })) return answer;
    } catch (error) {
      if (ConnectError.from(error).code !== Code.NotFound || Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
