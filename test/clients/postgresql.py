"""A PostgreSQL cluster of the tests' own, and databases in it, for servers whose catalog lies there."""

import itertools
import subprocess

from quire_server import REPOSITORY

TIMEOUT = 120


class Postgresql:
    """Runs as long as this object is not stopped (test/suites/with-postgresql)."""

    def __init__(self):
        self.process = subprocess.Popen(
            [REPOSITORY / "test/suites/with-postgresql", "sh", "-c", 'echo "$QUIRE_TEST_POSTGRESQL"; exec cat >/dev/null'],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        self.url = self.process.stdout.readline().strip()
        assert self.url, "PostgreSQL did not start; is the package postgresql installed?"
        self.numbers = itertools.count(1)

    def stop(self):
        self.process.stdin.close()
        self.process.wait(TIMEOUT)

    def sql(self, *statements, url=None):
        """What the last statement gives, a line a row."""
        words = [word for statement in statements for word in ("-c", statement)]
        run = subprocess.run(["psql", "-d", url or self.url, "-qtAX", "-v", "ON_ERROR_STOP=1", *words],
                             capture_output=True, text=True, timeout=TIMEOUT)
        assert run.returncode == 0, run.stderr
        return run.stdout.strip()

    def new_database(self, password=None):
        """The URL of an empty one. The cluster trusts everybody; a password in the URL is there to be kept secret."""
        name = f"quire_{next(self.numbers)}"
        self.sql(f"CREATE DATABASE {name}")
        user, place = self.url.removesuffix("/postgres").split("@")
        return f"{user}{':' + password if password else ''}@{place}/{name}"
