// The boards: a department does a refund and hands another back, a supervisor decides, a manager
// sees the figures and the cases behind a number. Every page is looked at, in each language and
// size.

import assert from "node:assert/strict";
import { LANGUAGES, SIZES, arrive, audit, close, open } from "./browser.js";
import { HOSTILE, eventually } from "./suite.js";

// Signs in as somebody.
export async function signIn(page, persona, subject) {
  await page.goto("/sign-in");
  await page.fill("#subject", subject);
  await page.selectOption("select[name=persona]", persona);
  await page.click(".row .main");
  await page.waitForSelector(".person");
}

// Departments, people beside carol, and some complaints that nobody has room for.
export async function furnishBoards(suite) {
  const department = { departmentId: "finance", displayName: "Finance 财务", categories: [] };
  await suite.call("AssignmentService.CreateDepartment", { department });
  for (const agentId of ["dora", "emil"]) {
    const agent = { agentId, departmentId: "finance", displayName: agentId.toUpperCase(), capacity: 2, available: agentId === "dora" };
    await suite.call("AssignmentService.CreateAgent", { agent });
  }
  await suite.call("ProblemService.OpenProblem", { title: `Cups break ${HOSTILE}`, description: HOSTILE });
}

// A case with a plan that waits for approval, or is carried out.
async function planned(suite, subject, approve) {
  const complaint = {
    channel: "CHANNEL_PHONE", subject: `${subject} ${HOSTILE}`, description: `Broken. ${HOSTILE}`, language: "en",
    categoryHint: "delivery/damaged", complainant: { displayName: HOSTILE.slice(0, 100), region: "310000" },
  };
  const { complaintId: caseId } = await suite.call("IntakeService.SubmitComplaint", { complaint });
  await suite.decide(caseId, { remedyDue: true });
  const step = (stepId, units) => ({
    stepId, kind: "REMEDY_KIND_REFUND", departmentId: "finance", amount: { currencyCode: "EUR", units },
    instructions: `To the card it was paid with. ${HOSTILE}`,
  });
  const { plan } = await suite.once("ResolutionService.ProposePlan", { caseId, steps: [step("one", 39), step("two", 7)] });
  if (approve) await suite.call("ResolutionService.ApprovePlan", { planId: plan.planId }, "gu");
  return plan;
}

async function department(browser, suite, language, size) {
  await planned(suite, `Cups ${language} ${size}`, true);
  const window = await open(browser, suite.console, language, size);
  const { page } = window;
  await signIn(page, "finance", `fay-${language}-${size}`);
  await page.goto("/department");
  await audit(window, "department");
  await page.click(".take .main");
  await page.waitForSelector("#reference");
  await audit(window, "task");
  assert.ok((await page.textContent(".said")).includes(HOSTILE), "what is to be known is told as it is");
  // What is written survives, and what lacks is said beside its field.
  await page.fill("#remark", HOSTILE);
  await page.reload();
  assert.equal(await page.inputValue("#remark"), HOSTILE);
  await page.fill("#amount", "much");
  await page.fill("#reference", `PAY ${language} ${size}`);
  await page.locator("#part-actions form.act .main").first().click();
  await page.waitForSelector("#problem");
  await audit(window, "task-wrong");
  await page.fill("#amount", "39.00");
  await page.locator("#part-actions form.act .main").first().dblclick();
  await page.waitForSelector("p.done");
  await audit(window, "task-done");
  await page.goto("/department");
  await page.click(".take .main");
  await page.waitForSelector("#reference");
  await page.click("#act-reject summary");
  await page.fill("#reject-reason", `No such account. ${HOSTILE}`);
  await page.click("#act-reject button");
  await page.waitForSelector("p.done");
  await audit(window, "task-rejected");
  await page.goto("/department?view=attention");
  await audit(window, "department-attention");

  await page.goto("/department/statements");
  await audit(window, "statement");
  const day = new Date().toISOString().slice(0, 10);
  await page.fill("#start", day);
  await page.fill("#end", day);
  const table = `reference,amount,currency\nPAY ${language} ${size},39.00,EUR\n=cmd|'/C calc'!A0,1.00,EUR\nPAY ${language} ${size},5,EUR\n`;
  await page.setInputFiles("#statement", { name: "s.csv", mimeType: "text/csv", buffer: Buffer.from(table) });
  await page.click(".ask .main");
  await arrive(page, "**/department/statements/*");
  await audit(window, "statement-rows");
  await close(window);
}

async function supervisor(browser, suite, language, size) {
  const plan = await planned(suite, `Plates ${language} ${size}`, false);
  const window = await open(browser, suite.console, language, size);
  const { page } = window;
  await signIn(page, "supervisor", "gu");
  await page.goto("/team");
  await audit(window, "team");
  await page.goto("/team/escalations");
  await audit(window, "team-escalations");
  await page.goto("/team/decisions");
  await audit(window, "team-decisions");
  await page.click(`#refuse-plan-${plan.planId} summary`);
  await page.click(`#plan-${plan.planId} form .main`);
  await page.waitForSelector("p.done");
  await audit(window, "team-decided");
  const state = async () => (await suite.call("ResolutionService.GetPlan", { planId: plan.planId })).plan.state;
  assert.equal(await state(), "PLAN_STATE_EXECUTING");
  await close(window);
}

async function manager(browser, suite, language, size) {
  const window = await open(browser, suite.console, language, size);
  const { page } = window;
  await signIn(page, "supervisor", "mia");
  await page.goto("/figures");
  await page.waitForSelector(".chart svg");
  await audit(window, "figures");
  await page.click(".numbers dd a");
  await page.waitForSelector("[data-row]");
  await audit(window, "figures-cases");
  for (const name of ["hours", "signals", "actions", "reports", "scorecards"]) {
    await page.goto(`/figures/${name}`);
    await audit(window, `figures-${name}`);
  }
  await page.goto("/figures/actions");
  await page.fill("#title", `Pad the box ${HOSTILE}`);
  await page.fill("#owner", "carol");
  await page.fill("#due", "2099-12-31");
  await page.click("form.act .main");
  await page.waitForSelector("p.done");
  await page.click("th a");
  await page.waitForSelector("#note");
  await audit(window, "figures-action");
  await page.goto("/figures/reports");
  await page.click("form.card .main");
  await page.waitForSelector("p.done");
  await eventually("a report", async () => {
    await page.goto("/figures/reports");
    return page.locator("a[download]").count();
  });
  await audit(window, "figures-report");
  await close(window);
}

// Without scripts a department's board works as well.
async function withoutScripts(browser, suite) {
  await planned(suite, "Bowls", true);
  const window = await open(browser, suite.console, "en", "phone", { javaScriptEnabled: false });
  const { page } = window;
  await signIn(page, "finance", "fred");
  await page.goto("/department");
  await page.click(".take .main");
  await page.waitForSelector("#reference");
  await page.click(".renew button");
  await page.waitForSelector("p.done");
  await page.fill("#reference", "PAY plain");
  await page.locator("#part-actions form.act .main").first().click();
  await page.waitForSelector("p.done");
  assert.equal(await page.locator("#reference").count(), 0, "it is done");
  await close(window);
}

export async function auditBoards(browser, suite) {
  await furnishBoards(suite);
  for (const language of Object.keys(LANGUAGES)) {
    for (const size of Object.keys(SIZES)) {
      await department(browser, suite, language, size);
      await supervisor(browser, suite, language, size);
      await manager(browser, suite, language, size);
    }
  }
  await withoutScripts(browser, suite);
}
