"""Every test of the call log runs on SQLite and on a real PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.calllog.store import CallLog
from tests.support.postgres import PostgresMissingError, PostgresServer, postgres_server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    try:
        with postgres_server() as server:
            yield server
    except PostgresMissingError as exc:
        pytest.skip(str(exc))


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/new/offhook.db"
    return await new_database(request.getfixturevalue("postgres"))


async def new_database(server: PostgresServer) -> str:
    name = f"calls_{uuid4().hex}"
    engine = create_async_engine(server.url(), isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()
    return server.url(name)


@pytest.fixture
async def log(url: str) -> AsyncIterator[CallLog]:
    opened = await CallLog.open(url)
    yield opened
    await opened.close()
