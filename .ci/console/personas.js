// The pages of those who work here: each persona signs in, and every page in the list is
// looked at in each language and size. To add a page: a line here.

import { LANGUAGES, SIZES, audit, close, open } from "./browser.js";

// A page is a path, or what finds one out of the suite.
const PERSONAS = [
  { persona: "agent", subject: "carol", pages: [["inbox", "/inbox"]] },
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
