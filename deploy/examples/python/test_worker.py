#!/usr/bin/env python3
"""Tests of the worker: its books, and all of it against `redress conformance worker`.

test_worker.py REDRESS, the path of the `redress` program.
"""

import sqlite3
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

import worker

WORKER = Path(__file__).with_name("worker.py")
REDRESS = None


class BooksTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = f"{folder.name}/books.sqlite"
        self.books = worker.Books(self.file)

    def paid(self):
        with sqlite3.connect(self.file) as books:
            return [task for (task,) in books.execute("SELECT task FROM payment ORDER BY number")]

    def task(self, task_id):
        task = worker.tasks.Task(task_id=task_id)
        task.amount.currency_code, task.amount.units = "EUR", 39
        return task

    def test_a_task_is_paid_once_however_often_it_comes(self):
        first = self.books.pay(self.task("a"))
        again = worker.Books(self.file).pay(self.task("a"))
        other = self.books.pay(self.task("b"))
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)
        self.assertEqual(self.paid(), ["a", "b"])

    def test_a_task_that_comes_to_eight_threads_at_once_is_paid_once(self):
        references = []
        pay = lambda: references.append(worker.Books(self.file).pay(self.task("a")))
        threads = [threading.Thread(target=pay) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(references, ["PAY-1"] * 8)
        self.assertEqual(self.paid(), ["a"])

    def test_a_cancelled_task_is_not_paid_and_one_that_was_paid_says_so(self):
        with self.assertRaises(worker.Cancelled):
            self.books.pay(self.task("a"), cancelled=True)
        self.assertEqual(self.paid(), [])
        reference = self.books.pay(self.task("a"))
        self.assertEqual(self.books.pay(self.task("a"), cancelled=True), reference)


class ConformanceTest(unittest.TestCase):
    def test_the_worker_keeps_every_rule(self):
        with tempfile.TemporaryDirectory() as folder:
            books = f"{folder}/books.sqlite"
            read = f"import sqlite3; [print(*row) for row in sqlite3.connect('{books}').execute('SELECT task FROM payment')]"
            effects = f'"{sys.executable}" -c "{read}"'
            command = [REDRESS, "conformance", "worker", "--address", "127.0.0.1:0", "--effects", effects]
            tried = subprocess.run(
                [*command, "--", sys.executable, str(WORKER), books], stdout=subprocess.PIPE, text=True, timeout=180
            )
            self.assertEqual(tried.returncode, 0, tried.stdout)
            self.assertIn("14 rules kept, 0 broken", tried.stdout)
            print(f"    python worker: {tried.stdout.splitlines()[-1]}")


if __name__ == "__main__":
    REDRESS = sys.argv.pop(1)
    unittest.main()
