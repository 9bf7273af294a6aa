// The pages of those who work here: each persona signs in, and every page in the list is
// looked at in each language and size. To add a page: a line here.

import { LANGUAGES, SIZES, audit, close, open } from "./browser.js";

// A page is a path, or what finds one out of the suite.
const PERSONAS = [
  {
    persona: "agent", subject: "carol", pages: [
      ["inbox", "/inbox"],
      ["inbox-narrowed", "/inbox?view=due&category=delivery&priority=3"],
      ["case", async (suite) => `/cases/${await suite.decidedCase()}`],
    ],
  },
  {
    persona: "admin", subject: "ada", pages: [
      ["home", "/admin"],
      ["categories", "/admin/categories"],
      ["categories-edit", "/admin/categories/edit?id=tree"],
      ["forms", "/admin/forms"],
      ["form-edit", "/admin/forms/edit?id=of%3Adelivery"],
      ["form-history", "/admin/forms/history?id=of%3Adelivery"],
      ["rules", "/admin/rules"],
      ["rules-version", "/admin/rules/version/0"],
      ["rules-edit", "/admin/rules/new"],
      ["rules-trial", "/admin/rules/version/0/trial"],
      ["routing", "/admin/routing"],
      ["routing-edit", "/admin/routing/new"],
      ["routing-trial", "/admin/routing/version/0/trial"],
      ["approvals", "/admin/approvals"],
      ["approvals-edit", "/admin/approvals/new"],
      ["approvals-trial", "/admin/approvals/version/0/trial"],
      ["policies", "/admin/policies"],
      ["policies-version", "/admin/policies/version/0"],
      ["policies-edit", "/admin/policies/new"],
      ["calendars", "/admin/calendars"],
      ["calendar-year", "/admin/calendars/show/cn?year=2026"],
      ["calendar-edit", "/admin/calendars/edit?id=cn"],
      ["templates", "/admin/templates"],
      ["templates-edit", "/admin/templates/new?from=2.en"],
      ["templates-trial", "/admin/templates/version/2.zh.0/trial"],
      ["roster", "/admin/roster"],
      ["department-edit", "/admin/departments/edit?id=care"],
      ["agent-edit", "/admin/agents/edit?id=carol"],
    ],
  },
];

export async function auditPersonas(browser, suite) {
  for (const language of Object.keys(LANGUAGES)) {
    for (const size of Object.keys(SIZES)) {
      for (const { persona, subject, pages } of PERSONAS) {
        const window = await open(browser, suite.console, language, size);
        await window.page.goto("/sign-in");
        await audit(window, "sign-in");
        await window.page.fill("#subject", subject);
        await window.page.selectOption("select[name=persona]", persona);
        await window.page.click(".row .main");
        await window.page.waitForSelector(".person");
        for (const [name, path] of pages) {
          await window.page.goto(typeof path === "function" ? await path(suite) : path);
          await audit(window, `${persona}-${name}`);
        }
        await close(window);
      }
    }
  }
}
