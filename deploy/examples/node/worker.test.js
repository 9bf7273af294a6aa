// Tests of the worker: its books, and all of it against `redress conformance worker`.
// REDRESS names the `redress` program.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { Books } from "./worker.js";

const WORKER = fileURLToPath(new URL("worker.js", import.meta.url));

function books(t) {
  const folder = mkdtempSync(join(tmpdir(), "redress-node-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, "books.sqlite");
}

const task = (task_id) => ({ task_id, amount: { currency_code: "EUR", units: "39", nanos: 900000000 } });

test("a task is paid once however often it comes, whoever opens the books", (t) => {
  const file = books(t);
  const [one, other] = [new Books(file), new Books(file)];
  const first = one.pay(task("a"), false);
  assert.equal(other.pay(task("a"), false), first);
  assert.notEqual(other.pay(task("b"), false), first);
  assert.deepEqual(one.payments(), ["a", "b"]);
});

test("a cancelled task is not paid, and one that was paid says so", (t) => {
  const finance = new Books(books(t));
  assert.equal(finance.pay(task("a"), true), undefined);
  assert.deepEqual(finance.payments(), []);
  const reference = finance.pay(task("a"), false);
  assert.equal(finance.pay(task("a"), true), reference);
});

test("the worker keeps every rule", (t) => {
  const file = books(t);
  const read = `new (require('node:sqlite').DatabaseSync)('${file}').prepare('SELECT task FROM payment').all().forEach((row) => console.log(row.task))`;
  const effects = `"${process.execPath}" --no-warnings -e "${read}"`;
  const words = ["conformance", "worker", "--address", "127.0.0.1:0", "--effects", effects, "--"];
  const tried = spawnSync(process.env.REDRESS, [...words, process.execPath, "--no-warnings", WORKER, file], {
    encoding: "utf8",
    timeout: 180_000,
  });
  assert.equal(tried.status, 0, tried.stdout + tried.stderr);
  assert.match(tried.stdout, /14 rules kept, 0 broken/);
});
