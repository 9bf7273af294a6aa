// A suite of its own for the check: `redress up`, the console before it, and a mail server
// that keeps what it is handed.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const PATIENCE_MS = 60_000;
const SERVICES = {
  IntakeService: "intake", FormService: "intake", CaseService: "cases", DecisionService: "cases", AssignmentService: "assignment",
  FeedbackService: "feedback", SurveyService: "feedback", ProblemService: "feedback", TriageService: "cases", ResolutionService: "resolution",
  RevisionService: "resolution", RemedyTypeService: "resolution",
};

export const pause = (ms) => new Promise((go) => { setTimeout(go, ms); });

// Calls until it answers something: services follow each other.
export async function eventually(what, attempt) {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end;) {
    const found = await attempt();
    if (found) return found;
    await pause(50);
  }
  throw new Error(`never: ${what}`);
}

// The first of a program's lines in which this is found.
async function told(program, pattern) {
  for await (const line of createInterface({ input: program.stdout })) {
    const found = line.match(pattern);
    if (found) {
      program.stdout.resume();
      return found[1];
    }
  }
  throw new Error("a program ended without a word of where it listens");
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((ready) => server.once("listening", ready));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

// A mail server that takes everything; as much of SMTP as that takes.
function mailServer(mails) {
  const server = createServer((socket) => {
    const say = (line) => socket.write(`${line}\r\n`);
    let data = null;
    socket.on("error", () => {});
    say("220 check");
    createInterface({ input: socket }).on("line", (line) => {
      if (data !== null) {
        if (line !== ".") { data.push(line); return; }
        mails.push(readable(data.join("\n")));
        data = null;
        say("250 taken");
      } else if (/^EHLO/i.test(line)) say("250 check");
      else if (/^DATA/i.test(line)) { data = []; say("354 go on"); }
      else if (/^QUIT/i.test(line)) { say("221 bye"); socket.end(); }
      else say("250 well");
    });
  });
  server.listen(0, "127.0.0.1");
  return server;
}

// Quoted-printable and base64 undone, as far as letters of ours need it.
function readable(mail) {
  const plain = mail.replace(/=\n/g, "").replace(/=([0-9A-F]{2})/g, (_, digits) => String.fromCharCode(parseInt(digits, 16)));
  const parts = mail.match(/(?:^[A-Za-z0-9+/=]{20,}$\n?)+/gm) || [];
  return [plain, ...parts.map((part) => Buffer.from(part, "base64").toString())].join("\n");
}

export class Suite {
  programs = [];
  mails = [];

  async up() {
    this.folder = mkdtempSync(join(tmpdir(), "redress-console-"));
    // Postgres may run as a user of its own, who has to get there.
    chmodSync(this.folder, 0o755);
    this.mailServer = mailServer(this.mails);
    await new Promise((ready) => this.mailServer.once("listening", ready));
    const { DATABASE_URL, ...env } = process.env;
    env.REDRESS_SMTP_URL = `smtp://127.0.0.1:${this.mailServer.address().port}`;
    const words = ["up", "--data", join(this.folder, "data"), "--listen", "127.0.0.1:0", "--log", "warn"];
    this.programs.push(spawn(process.env.REDRESS, words, { env, stdio: ["ignore", "pipe", "inherit"] }));
    this.services = `http://${await told(this.programs[0], /(127\.0\.0\.1:\d+)/)}`;
    await this.openConsole(env);
  }

  // Beside the suite: CONSOLE names its program.
  async openConsole(env) {
    const address = `127.0.0.1:${await freePort()}`;
    const peers = ["INTAKE", "CASES", "ASSIGNMENT", "RESOLUTION", "FEEDBACK"].map((peer) => [`REDRESS_PEER_${peer}`, this.services]);
    // Each window comes from an address of its own, as people do: what one may do is counted.
    const settings = { ...env, ...Object.fromEntries(peers), REDRESS_CONSOLE_LISTEN: address, REDRESS_CONSOLE_PROXIES: "1" };
    this.programs.push(spawn(process.env.CONSOLE, ["--log", "warn"], { env: settings, stdio: ["ignore", "ignore", "inherit"] }));
    this.console = `http://${address}`;
    const [, console] = this.programs;
    await eventually("the console answers", () => {
      assert.equal(console.exitCode, null, "the console ended by itself");
      return fetch(`${this.console}/health`).then((answer) => answer.ok, () => false);
    });
  }

  async down() {
    for (const program of this.programs.reverse()) {
      if (program.exitCode !== null || program.signalCode !== null) continue;
      const ended = new Promise((resolve) => { program.once("exit", resolve); });
      program.kill();
      await ended;
    }
    this.mailServer?.close();
    rmSync(this.folder, { recursive: true });
  }

  // Calls an rpc by its name, as somebody.
  async call(rpc, fields, subject = "carol") {
    const [service, method] = rpc.split(".");
    const path = `${this.services}/redress.${SERVICES[service]}.v1.${service}/${method}`;
    // Only what changes something has a key.
    const message = /^(Get|List)/.test(method) ? fields : { requestId: randomUUID(), ...fields };
    const headers = { "content-type": "application/json", "redress-subject": subject };
    const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(message) });
    const text = await answer.text();
    assert.ok(answer.ok, `${rpc}: ${text}`);
    return JSON.parse(text);
  }

  // The same where something must have been heard of before.
  async once(rpc, fields, subject) {
    return eventually(rpc, () => this.call(rpc, fields, subject).catch((error) => {
      if (/not_found|failed_precondition/.test(error.message)) return null;
      throw error;
    }));
  }

  // People, forms and a questionnaire that is sent at once.
  async furnish() {
    const department = { departmentId: "care", displayName: "Care", categories: ["*"] };
    await this.call("AssignmentService.CreateDepartment", { department });
    const agent = { agentId: "carol", departmentId: "care", displayName: "Carol", capacity: 50, available: true };
    await this.call("AssignmentService.CreateAgent", { agent });
    for (const form of FORMS) await this.call("FormService.CreateForm", { form: { ...form, schema: JSON.stringify(form.schema) } });
    const { questionnaire } = await this.call("SurveyService.GetQuestionnaire", {});
    const wanted = { wordings: questionnaire.wordings, sendAfterHours: 0, remindAfterHours: 0, validForHours: 48, lowScore: 2, note: "at once" };
    const made = await this.call("SurveyService.CreateQuestionnaire", { questionnaire: wanted });
    await this.call("SurveyService.ActivateQuestionnaire", { version: made.questionnaire.version });
  }

  // Brings a case to its outcome, or to where a remedy is due.
  async decide(caseId, { remedyDue = false } = {}) {
    const at = (state) => eventually(state, async () => (await this.once("CaseService.GetCase", { caseId })).case.state === state);
    await at("CASE_STATE_ASSIGNED");
    await this.call("AssignmentService.AcceptCase", { caseId, agentId: "carol" });
    await at("CASE_STATE_INVESTIGATING");
    await this.call("CaseService.RecordFindings", { caseId, findings: "the parcel was dropped", rootCause: "carrier" });
    await this.call("CaseService.DecideCase", { caseId, outcome: "OUTCOME_UPHELD", reasons: `Our fault. ${HOSTILE}`, remedyDue });
    await at(remedyDue ? "CASE_STATE_DECIDED" : "CASE_STATE_RESOLVED");
  }

  // A case with a decision, a pause, a plan that is revised and more, for its page; made once.
  async decidedCase() {
    this.decidedCaseId ??= await this.makeDecidedCase();
    return this.decidedCaseId;
  }

  async makeDecidedCase() {
    const remedyType = {
      typeId: "gift-card", title: "Gift card · 礼品卡", departmentId: "care",
      inputSchema: JSON.stringify({ type: "object", required: ["value"], properties: { value: { type: "integer", title: "Value" } } }),
      resultSchema: JSON.stringify({ type: "object" }),
    };
    await this.call("RemedyTypeService.SetRemedyType", { remedyType });
    const complaint = {
      channel: "CHANNEL_WEB", subject: `Kettle with a crack ${HOSTILE}`, description: `It leaks. ${HOSTILE}`, language: "en",
      complainant: { displayName: "Anna" },
    };
    const { complaintId: caseId } = await this.call("IntakeService.SubmitComplaint", { complaint });
    const at = (state) => eventually(state, async () => (await this.once("CaseService.GetCase", { caseId })).case.state === state);
    await at("CASE_STATE_ASSIGNED");
    await this.call("AssignmentService.AcceptCase", { caseId, agentId: "carol" });
    await at("CASE_STATE_INVESTIGATING");
    await this.call("TriageService.RaisePriority", { caseId, priority: "PRIORITY_P2", reason: "A child was near." });
    await this.call("CaseService.RecordFindings", { caseId, findings: "A crack from the factory.", rootCause: "casting" });
    await this.call("CaseService.DecideCase", { caseId, outcome: "OUTCOME_UPHELD", reasons: "Our fault.", remedyDue: true });
    const refund = { stepId: "refund", kind: "REMEDY_KIND_REFUND", departmentId: "care", amount: { currencyCode: "EUR", units: "39" } };
    const card = { stepId: "card", kind: "REMEDY_KIND_CUSTOM", remedyType: "gift-card", input: "{\"value\":20}", dependsOn: ["refund"] };
    const { plan } = await this.once("ResolutionService.ProposePlan", { caseId, steps: [refund, card] });
    const more = { ...refund, amount: { currencyCode: "EUR", units: "45" } };
    await this.call("RevisionService.RevisePlan", { planId: plan.planId, steps: [more, card], reason: "Postage, too." });
    const correction = { caseId, outcome: "OUTCOME_PARTLY_UPHELD", reasons: "The lid was fine.", remedyDue: true, reason: "Misread." };
    await this.call("DecisionService.CorrectDecision", correction);
    return caseId;
  }

  // The newest case about something.
  async caseOf(subject) {
    return eventually(`a case about ${subject}`, async () => {
      const { complaints = [] } = await this.call("IntakeService.ListComplaints", { pageSize: 100 });
      return complaints.find((one) => one.subject.includes(subject))?.complaintId;
    });
  }
}

// What a page must show as it is, and never act on.
export const HOSTILE = `<script>window.owned=1</script> "><img src=x onerror="window.owned=1"> {{7*7}} \${7*7} =HYPERLINK("https://evil.example","x")`;

const FORMS = [
  {
    category: "delivery",
    title: "Delivery · 物流配送",
    schema: {
      type: "object",
      required: ["tracking", "state"],
      properties: {
        tracking: { type: "string", title: "Tracking number", description: "As on the label, six digits", pattern: "^[0-9]{6}$", "x-prefill": "order.order_ref" },
        state: { title: "How did it arrive?", oneOf: [{ const: "broken", title: "Broken" }, { const: "late", title: "Late" }, { const: "never", title: "Not at all" }] },
        carrier: { title: "Carrier", enum: ["Red", "Green", "Blue", "White", "Black", "Grey"] },
        opened: { type: "boolean", title: "Was it opened?" },
        damage: { type: "array", title: "What is damaged?", items: { enum: ["Box", "Content", "Seal"] } },
        value: { type: "number", title: "What was it worth?" },
        day: { type: "string", format: "date", title: "Day of delivery" },
        place: { type: "object", title: "Where it was left", properties: { street: { type: "string", title: "Street" }, floor: { type: "integer", title: "Floor" } } },
        story: { type: "string", maxLength: 2000, title: "Anything else about the delivery" },
      },
    },
  },
  { category: "billing", title: "Bills · 账单", schema: { type: "object", properties: { account: { type: "string", title: "Account" } } } },
];
