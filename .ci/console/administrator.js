// What an administrator does: a category, a form, a rule, each tried before it holds; a calendar
// looked at over a year. In each language, with scripts and without.

import assert from "node:assert/strict";
import { audit, close, open } from "./browser.js";
import { HOSTILE } from "./suite.js";

let days = 0;

async function signIn(window, persona, subject) {
  const { page } = window;
  await page.goto("/sign-in");
  await page.fill("#subject", subject);
  await page.selectOption("select[name=persona]", persona);
  await page.click(".row .main");
  await page.waitForSelector(".person");
}

export async function administer(browser, suite, language, size, options = {}) {
  const window = await open(browser, suite.console, language, size, options);
  const { page } = window;
  const look = options.javaScriptEnabled === false ? async () => {} : (what) => audit(window, `admin-${what}`);
  const name = `garden-${language}-${size}${options.javaScriptEnabled === false ? "-plain" : ""}`;
  // Each run adds a day of its own.
  days += 1;
  const day = String(days).padStart(2, "0");
  await signIn(window, "admin", "ada");

  // A category: tried against the tree there is.
  await page.goto("/admin/categories");
  await page.click(".actions .main");
  const tree = await page.inputValue("#categories");
  await page.fill("#categories", `${tree}\n${name} | ${HOSTILE}`.trim());
  await page.click("#edited .main");
  await page.waitForSelector("form.act .main");
  assert.ok((await page.textContent("table")).includes(name));
  await look("categories-trial");
  await page.click("form.act .main");
  await page.waitForSelector(".tree");
  assert.ok((await page.textContent(".tree")).includes(name));

  // A form, drawn while it is written.
  await page.goto("/admin/forms/edit");
  await page.fill("#category", name);
  await page.fill("#title", `Garden ${HOSTILE}`);
  const schema = { type: "object", required: ["plant"], properties: { plant: { type: "string", title: `Which plant? ${HOSTILE}` } } };
  await page.fill("#schema", JSON.stringify(schema, null, 2));
  if (options.javaScriptEnabled === false) await page.click("[formaction$=preview]");
  await page.waitForSelector("#preview .drawn input");
  assert.ok((await page.textContent("#preview")).includes("Which plant?"));
  if (options.javaScriptEnabled !== false) await page.evaluate(() => window.forgetShifts());
  await look("form-preview");
  await page.click("#edited .main");
  await page.waitForSelector("form.act .main");
  await look("form-trial");
  await page.click("form.act .main");
  await page.waitForURL(/\/admin\/forms(\?|$)/);

  // A rule that is wrong says where; mended, it is tried, and only then put in force.
  await page.goto("/admin/rules/new");
  const wrong = { rules: [{ name: "one", when: "nonsense ==", reason: "r", priority: "PRIORITY_P1" }] };
  await page.fill("#rule_set", JSON.stringify(wrong, null, 2));
  await page.fill("#note", HOSTILE);
  await page.click("#edited .main");
  await page.waitForSelector(".faults");
  assert.equal(await page.inputValue("#rule_set"), JSON.stringify(wrong, null, 2));
  await look("rules-wrong");
  const right = { rules: [{ name: "hurt", when: "is_regulator", reason: `Somebody may be hurt. ${HOSTILE}`.slice(0, 290), priority: "PRIORITY_P1" }] };
  await page.fill("#rule_set", JSON.stringify(right, null, 2));
  await page.click("#edited .main");
  await page.waitForSelector("p.done");
  await look("rules-kept");
  assert.equal(await page.locator("form.act").count(), 0, "it is put in force where its trial is shown");
  await page.click("a[href$='/trial']");
  await page.waitForSelector("dl.counts");
  await look("rules-tried");
  await page.click("form.act .main");
  await page.waitForSelector("p.done");
  await look("rules-in-force");

  // A calendar over a year, and a day added.
  await page.goto("/admin/calendars/show/cn?year=2026");
  assert.ok(await page.locator(".day.makeup").count() > 3, "days that are made up for");
  await page.goto("/admin/calendars/edit?id=cn");
  await page.fill("#days", `${await page.inputValue("#days")}\n2027-03-${day} holiday ${name}`);
  await page.click("#edited .main");
  await page.waitForSelector("dl.counts");
  await look("calendar-trial");
  await page.click("form.act .main");
  await page.waitForSelector(".year");
  await page.goto("/admin/calendars/show/cn?year=2027");
  assert.ok((await page.textContent("main")).includes(name));
  await close(window);
}

// A view of the inbox is saved and found again; the keys say what they do; a survey's code comes
// out of the address.
export async function small(browser, suite) {
  const window = await open(browser, suite.console, "en", "desktop");
  const { page } = window;
  await page.goto("/complaints/survey#ABCDE-12345");
  await page.waitForFunction(() => document.querySelector("#code").value === "ABCDE-12345");
  assert.ok(!page.url().includes("ABCDE"), "the code is out of the address");
  await page.goBack();
  assert.ok(!page.url().includes("ABCDE"), "and out of the history");
  await signIn(window, "agent", "carol");
  await page.goto("/inbox?view=due&category=delivery");
  await page.fill("#view-name", "Parcels");
  await page.click("form[action$='/inbox/views'] button");
  await page.waitForSelector("a[aria-current]:has-text('Parcels')");
  await page.locator("body").press("?");
  assert.ok(await page.locator("#keys[open] kbd").first().isVisible());
  await audit(window, "inbox-saved");
  await close(window);
}
