"""A private PostgreSQL server for tests: Debian's package, a temporary folder, loopback, a free port.

PostgreSQL refuses to run as root, so a root user (a container, CI) runs it as `postgres`, the user that the package
makes. Durability is off: the server lives as long as the tests.
"""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGE_ROOT = Path("/usr/lib/postgresql")
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=40", "shared_buffers=32MB")


class PostgresMissingError(Exception):
    """No PostgreSQL server is installed; the message says how to get one."""


class PostgresServer:
    """A running server, reached as user `offhook` without a password."""

    def __init__(self, folder: Path, port: int) -> None:
        self._data = folder / "data"
        self._log = folder / "server.log"
        self.port = port

    def url(self, name: str = "postgres") -> str:
        return f"postgresql+asyncpg://offhook@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        options = f"-p {self.port} -h 127.0.0.1 -k ''" + "".join(f" -c {option}" for option in _QUICK)
        _run("pg_ctl", "start", "-w", "-D", str(self._data), "-l", str(self._log), "-o", options)

    def stop(self, mode: str = "fast") -> None:
        """Cut off all clients and stop; "immediate" does not even save what was written."""
        _run("pg_ctl", "stop", "-w", "-D", str(self._data), "-m", mode)

    def initialise(self) -> None:
        _run("initdb", "-D", str(self._data), "-U", "offhook", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8")


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A fresh server, gone at the end; raises `PostgresMissingError` where the package is not installed."""
    _program("initdb")
    folder = Path(tempfile.mkdtemp(prefix="offhook-postgres-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        server = PostgresServer(folder, free_port())
        server.initialise()
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> str:
    found = sorted(PACKAGE_ROOT.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[-3]))
    path = str(found[-1]) if found else shutil.which(name)
    if path is None:
        raise PostgresMissingError("no PostgreSQL server here: apt-get install postgresql")
    return path


def _run(program: str, *arguments: str) -> None:
    server_user = {"user": "postgres", "group": pwd.getpwnam("postgres").pw_gid, "extra_groups": []}
    subprocess.run(
        [_program(program), *arguments],
        check=True,
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,  # the server inherits it: a pipe would never close
        **(server_user if os.geteuid() == 0 else {}),
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
