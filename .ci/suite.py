"""A suite of its own for a check: `redress up`, with a Postgres of its own."""

import contextlib
import os
import re
import subprocess
import tempfile
from pathlib import Path

PATIENCE_SECONDS = 30


@contextlib.contextmanager
def up(program, **settings):
    """The address of a suite with these settings; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="redress-ci-") as folder:
        # Postgres may run as a user of its own, who has to get there.
        Path(folder).chmod(0o755)
        environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        suite = subprocess.Popen(
            [program, "up", "--data", f"{folder}/data", "--listen", "127.0.0.1:0", "--log", "warn"],
            stdout=subprocess.PIPE,
            env={**environment, **settings},
            text=True,
        )
        try:
            addresses = (re.search(r"127\.0\.0\.1:\d+", line) for line in suite.stdout)
            address = next(filter(None, addresses), None)
            assert address, "redress up ends without a word of where it listens"
            yield address.group()
        finally:
            suite.terminate()
            suite.wait(PATIENCE_SECONDS)
