// The web console in a browser that is not ours: Debian's Chromium, driven by Playwright, with
// axe-core. Complainants' pages in each language, at each size, in light and dark.
//
// REDRESS names the `redress` program, CONSOLE the `redress-console` program; SHOTS a folder
// for pictures, CHROMIUM another browser.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import test, { after, before } from "node:test";
import { LANGUAGES, SIZES, arrive, audit, close, launch, open, shoot, tabTo } from "./browser.js";
import { administer, small } from "./administrator.js";
import { auditBoards } from "./boards.js";
import { auditPersonas } from "./personas.js";
import { HOSTILE, Suite, eventually } from "./suite.js";

const FIRST_PAGE_MAX = 100_000;
const PNG = Buffer.from("89504e470d0a1a0a0000000d49484452", "hex");
const picture = (bytes) => Buffer.concat([PNG, randomBytes(bytes)]);

let suite, browser;

before(async () => {
  suite = new Suite();
  await suite.up();
  await suite.furnish();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await suite?.down();
});

const code = (page) => page.locator(".big-code").textContent();

async function fillIn(page, subject) {
  await page.fill("#subject", subject);
  await page.fill("#description", `It came in pieces.\n${HOSTILE}`);
  await page.fill("[name='f.tracking']", "123456");
  await page.check("[name='f.state'][value=broken]");
  await page.selectOption("[name='f.carrier']", "Blue");
  await page.check("[name='f.damage'][value=Box]");
  await page.fill("[name='f.value']", "19.99");
  await page.fill("#product", HOSTILE);
  await page.fill("#wish", "A refund");
  await page.fill("#name", `安娜 ${HOSTILE}`.slice(0, 190));
  await page.fill("#email", "anna@example.com");
  await page.check("#consent");
}

for (const language of Object.keys(LANGUAGES)) {
  for (const size of Object.keys(SIZES)) {
    test(`a complaint from its submission to its survey, ${language}, ${size}`, async () => {
      const window = await open(browser, suite.console, language, size);
      const { page } = window;
      const subject = `Kettle ${language} ${size}`;
      await page.goto("/complaints");
      await audit(window, "home");
      await page.click(".ways a");
      await audit(window, "kinds");
      await page.click(".ways a[href*=delivery]");
      await audit(window, "form");

      // What is wrong stands beside its field, and nothing that was written is lost.
      await fillIn(page, `${subject} ${HOSTILE}`);
      await page.fill("[name='f.tracking']", "12");
      await page.fill("[name='f.value']", "a lot");
      await page.click(".ask .main");
      await page.waitForSelector("#problem");
      assert.equal(await page.locator(".field.wrong").count(), 2);
      assert.equal(await page.inputValue("#description"), `It came in pieces.\n${HOSTILE}`);
      assert.equal(await page.inputValue("#subject"), `${subject} ${HOSTILE}`);
      assert.equal(await page.evaluate(() => document.activeElement.id), "problem");
      await audit(window, "form-wrong");
      await page.fill("[name='f.tracking']", "123456");
      await page.fill("[name='f.value']", "19.99");

      // A paper is sent part by part, and goes on where the connection was lost.
      let lost = 0;
      await page.route("**/complaints/papers/part?*", async (route) => {
        lost += 1;
        if (lost === 2) await route.abort(); else await route.continue();
      });
      const upload = { name: `<img src=x onerror=window.owned=1>.png`, mimeType: "image/png", buffer: picture(2_500_000) };
      await page.setInputFiles("#files", upload);
      await page.waitForSelector(".here input");
      assert.ok(lost >= 4, `the paper went in ${lost} parts`);
      window.faults.splice(0, window.faults.length, ...window.faults.filter((fault) => !fault.includes("ERR_FAILED")));
      await page.unroute("**/complaints/papers/part?*");
      // What somebody chooses may move what is below it.
      await page.evaluate(() => { globalThis.shifted = 0; });
      await audit(window, "form-papers");
      await page.dblclick(".ask .main");
      await page.waitForSelector(".big-code");
      await audit(window, "receipt");
      const receipt = await code(page);
      await page.emulateMedia({ media: "print" });
      await shoot(page, `receipt-${window.name}-print`);
      await page.emulateMedia({ media: "screen" });
      await page.reload();
      assert.equal(await code(page), receipt);
      const { complaints } = await suite.call("IntakeService.ListComplaints", { pageSize: 100 });
      const mine = complaints.filter((one) => one.subject.startsWith(subject));
      assert.equal(mine.length, 1, "a double click is one complaint");
      assert.deepEqual([mine[0].channel, mine[0].language, mine[0].evidence.length], ["CHANNEL_WEB", language, 1]);
      assert.equal(JSON.parse(mine[0].formData).value, 19.99);
      const caseId = mine[0].complaintId;

      await page.click("a[href$='/complaints/mine'].button");
      await page.waitForSelector(".steps .here");
      await audit(window, "progress");
      await page.click(".forget button");
      await page.goto("/complaints/mine");
      assert.ok(page.url().endsWith("/complaints/find"), "the code is forgotten");
      await audit(window, "find");
      await page.fill("#code", "0000-0000-0000");
      await page.click(".ask .main");
      await page.waitForSelector(".field.wrong");
      await audit(window, "find-wrong");
      await page.fill("#code", receipt.toLowerCase().replaceAll("-", " "));
      await page.click(".ask .main");
      await page.waitForSelector(".steps");

      await page.click("a[href$='/mine/add']");
      await audit(window, "add");
      await page.fill("#text", `The box was wet. ${HOSTILE}`);
      await page.click(".ask .main");
      await page.waitForSelector("p.done");

      await suite.decide(caseId);
      await page.goto("/complaints/mine");
      await audit(window, "resolved");
      assert.ok((await page.textContent(".story")).includes(HOSTILE), "the reasons are told as they are");
      await page.click("a[href$='/mine/answer']");
      await page.check("#disputed");
      await page.click(".ask .main");
      await page.waitForSelector("#problem");
      await audit(window, "answer-wrong");
      await page.check("#accepted");
      await audit(window, "answer");
      await page.click(".ask .main");
      await page.waitForSelector("p.done");
      await audit(window, "closed");

      // The code of the survey is in a mail, and good for once.
      const asked = (mail) => mail.includes(subject) && /give this code where|调查码/.test(mail);
      const survey = await eventually("a survey", () => suite.mails.find(asked));
      await page.goto("/complaints/survey");
      await audit(window, "survey-code");
      const [surveyCode] = survey.match(/\b(?:[0-9A-Z]{5}-){4}[0-9A-Z*~$=]/) ?? assert.fail(`no code in ${survey}`);
      await page.fill("#code", surveyCode);
      await page.click(".ask .main");
      await page.waitForSelector(".scores");
      await audit(window, "survey");
      await page.check("[name=handling][value='5']");
      await page.fill("#comment", HOSTILE);
      await page.click(".ask .main");
      await arrive(page, "**/thanks");
      await audit(window, "survey-thanks");
      await close(window);
    });
  }
}

test("a complaint that is withdrawn says so", async () => {
  const window = await open(browser, suite.console, "en", "phone");
  const { page } = window;
  await page.goto("/complaints/new?category=");
  await page.fill("#subject", "Never mind");
  await page.fill("#description", "It was my mistake.");
  await page.check("#consent");
  await page.click(".ask .main");
  await page.waitForSelector(".big-code");
  await page.goto("/complaints/mine/withdraw");
  await audit(window, "withdraw");
  await page.check("#sure");
  await page.click(".ask .main");
  await page.waitForSelector("p.ended");
  await audit(window, "withdrawn");
  await close(window);
});

test("by the keyboard alone, from the start to the receipt", async () => {
  const window = await open(browser, suite.console, "en", "desktop");
  const { page } = window;
  await page.goto("/complaints");
  await page.keyboard.press("Tab");
  assert.ok(await page.evaluate(() => document.activeElement.matches(".skip")), "the content is one key away");
  await page.keyboard.press("Enter");
  await tabTo(page, ".ways a");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/complaints/new");
  await tabTo(page, ".ways a[href*=delivery]");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#subject");
  for (const [field, text] of [["#subject", "By keys"], ["#description", "Only keys."], ["[name='f.tracking']", "654321"]]) {
    await tabTo(page, field);
    await page.keyboard.type(text);
  }
  await tabTo(page, "[name='f.state']");
  await page.keyboard.press("ArrowDown");
  await tabTo(page, "#consent");
  await page.keyboard.press("Space");
  await tabTo(page, ".ask .main");
  await page.keyboard.press("Enter");
  await page.waitForSelector(".big-code");
  await close(window);
});

test("without scripts, with a paper, and what the link told beforehand", async () => {
  const window = await open(browser, suite.console, "zh", "phone", { javaScriptEnabled: false });
  const { page } = window;
  await page.goto("/complaints/new?category=delivery&order=777777&product=Kettle&name=Anna");
  assert.equal(await page.inputValue("[name='f.tracking']"), "777777");
  assert.deepEqual([await page.inputValue("#product"), await page.inputValue("#name")], ["Kettle", "Anna"]);
  await page.fill("#subject", "No scripts");
  await page.fill("#description", "None at all.");
  await page.check("[name='f.state'][value=late]");
  await page.setInputFiles("#files", [
    { name: "one.png", mimeType: "image/png", buffer: picture(600_000) },
    { name: "bad.exe", mimeType: "application/x-msdownload", buffer: Buffer.from("MZ") },
  ]);
  await page.check("#consent");
  await page.click(".ask .main");
  // One was refused and said so; the other need not be sent again.
  await page.waitForSelector("#problem");
  assert.equal(await page.locator(".here input:checked").count(), 1);
  await page.click(".ask .main");
  await page.waitForSelector(".big-code");
  const { complaints } = await suite.call("IntakeService.ListComplaints", { pageSize: 100 });
  const mine = complaints.find((one) => one.subject === "No scripts");
  assert.deepEqual([mine.evidence.length, mine.respondent.orderRef, JSON.parse(mine.formData).tracking], [1, "777777", "777777"]);
  await page.click("a[href$='/complaints/mine'].button");
  await page.waitForSelector(".steps");
  await close(window);
});

test("the first page is small", async () => {
  const window = await open(browser, suite.console, "zh", "phone");
  const network = await window.context.newCDPSession(window.page);
  await network.send("Network.enable");
  let bytes = 0;
  network.on("Network.loadingFinished", ({ encodedDataLength }) => { bytes += encodedDataLength; });
  for (const path of ["/complaints", "/complaints/new?category=delivery"]) {
    bytes = 0;
    await network.send("Network.clearBrowserCache");
    await window.page.goto(path, { waitUntil: "networkidle" });
    assert.ok(bytes > 1_000 && bytes <= FIRST_PAGE_MAX, `${path}: ${bytes} bytes`);
    console.log(`    ${path}: ${bytes} bytes`);
  }
  await close(window);
});

for (const language of Object.keys(LANGUAGES)) {
  for (const size of Object.keys(SIZES)) {
    test(`an administrator, ${language}, ${size}`, async () => administer(browser, suite, language, size));
  }
}

test("an administrator without scripts", async () => administer(browser, suite, "en", "desktop", { javaScriptEnabled: false }));

test("views that are saved, keys, and a code behind an address", async () => small(browser, suite));

test("the pages of those who work here", async () => auditPersonas(browser, suite));

test("the boards of departments, supervisors and managers", async () => auditBoards(browser, suite));
