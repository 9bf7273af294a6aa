// A browser that is not ours, and what must hold of every page it shows.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
// Where screenshots go; without it none are made.
const SHOTS = process.env.SHOTS;

export const SIZES = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };
export const LANGUAGES = { en: "en-GB", zh: "zh-CN" };
// Longest that anything a page does may take.
const PATIENCE_MS = 30_000;

export async function launch() {
  const executablePath = process.env.CHROMIUM || "/usr/bin/chromium";
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"] });
}

let windows = 0;

// A window of this size and language, at an address of its own. What goes wrong on its pages is kept in `faults`.
export async function open(browser, origin, language, size, options = {}) {
  windows += 1;
  const context = await browser.newContext({
    extraHTTPHeaders: { "x-forwarded-for": `198.51.100.${windows % 250}` },
    baseURL: origin, viewport: SIZES[size], locale: LANGUAGES[language], timezoneId: "Asia/Shanghai", colorScheme: "light",
    reducedMotion: "reduce", hasTouch: size === "phone", isMobile: size === "phone", ...options,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const faults = [];
  await context.exposeBinding("fault", (_, text) => { faults.push(text); });
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => window.fault(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
    window.shifted = 0;
    const observer = new PerformanceObserver((list) => {
      for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifted += one.value;
    });
    observer.observe({ type: "layout-shift", buffered: true });
    // What was moved by hand is no shift: it is told some frames later.
    window.forgetShifts = async () => {
      for (let frame = 0; frame < 3; frame += 1) await new Promise((resolve) => requestAnimationFrame(resolve));
      observer.takeRecords();
      window.shifted = 0;
    };
  });
  const page = await context.newPage();
  page.on("console", (message) => {
    // A page that refuses a form says so by its status, which browsers note here.
    const isStatus = /the server responded with a status of 4(04|09|22|29)/.test(message.text());
    if (message.type() === "error" && !isStatus) faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => { faults.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => {
    if (!request.url().startsWith(origin) && !request.url().startsWith("blob:")) faults.push(`elsewhere: ${request.url()}`);
  });
  return { context, page, faults, name: `${language}-${size}` };
}

// Holds of every page: no violation of WCAG in light and dark, no layout shift, nothing wider
// than the window (also where it reads from right to left), nothing done that a text asked for.
export async function audit(window, what) {
  const { page, faults, name } = window;
  const where = `${what} (${name})`;
  await page.waitForLoadState("load");
  const [shifted, owned] = await page.evaluate(() => [window.shifted, window.owned]);
  if (shifted) faults.push(`${where}: the page shifts by ${shifted} while it loads`);
  if (owned !== undefined) faults.push(`${where}: a text was run`);
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    const violations = await violationsOf(page, colorScheme);
    await shoot(page, `${what}-${name}-${colorScheme}`);
    faults.push(...violations.map((one) => `${where}, ${colorScheme}: ${one}`));
  }
  await page.emulateMedia({ colorScheme: "light" });
  for (const dir of ["rtl", "ltr"]) {
    const over = await page.evaluate((dir) => {
      document.documentElement.dir = dir;
      return document.documentElement.scrollWidth - document.documentElement.clientWidth;
    }, dir);
    if (over > 0) faults.push(`${where}, ${dir}: ${over} pixels wider than the window`);
  }
  await page.evaluate(() => window.forgetShifts());
}

// Waits for a page; where another came, fails with what that says.
export async function arrive(page, url) {
  await page.waitForURL(url).catch(async (late) => {
    assert.fail(`${late.message.split("\n")[0]} It is at ${page.url()}: ${(await page.textContent("main")).replace(/\s+/g, " ")}`);
  });
}

// Closes a window in which nothing may have gone wrong.
export async function close(window) {
  await window.context.close();
  assert.deepEqual(window.faults, [], window.name);
}

// In the dark only colours differ.
async function violationsOf(page, colorScheme) {
  const isThere = await page.evaluate(() => Boolean(window.axe));
  if (!isThere) await page.evaluate(AXE);
  const runOnly = colorScheme === "dark" ? { type: "rule", values: ["color-contrast"] } : { type: "tag", values: TAGS };
  return page.evaluate(async (runOnly) => {
    const { violations } = await window.axe.run(document, { runOnly, resultTypes: ["violations"] });
    return violations.map((one) => `${one.id}: ${one.nodes.map((node) => `${node.target} ${node.any.map((why) => why.message)}`).join("; ")}`);
  }, runOnly);
}

export async function shoot(page, name, options = {}) {
  if (!SHOTS) return;
  mkdirSync(SHOTS, { recursive: true });
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true, ...options });
}

// Goes on by the keyboard until this has the focus.
export async function tabTo(page, selector) {
  for (let pressed = 0; pressed < 80; pressed += 1) {
    await page.keyboard.press("Tab");
    const [isThere, isSeen] = await page.evaluate((selector) => {
      const at = document.activeElement;
      const style = getComputedStyle(at);
      return [at.matches(selector), style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2];
    }, selector);
    if (!isThere) continue;
    assert.ok(isSeen, `${selector} does not show that it has the focus`);
    return;
  }
  assert.fail(`no way to ${selector} by the keyboard`);
}
