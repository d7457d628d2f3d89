"""Every test of the call log runs on SQLite and on a real PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

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
    return await emptied(request.getfixturevalue("postgres"))


async def emptied(server: PostgresServer) -> str:
    """The server's one database without any table; a new database for each test would take much longer."""
    engine = create_async_engine(server.url())
    async with engine.begin() as connection:
        await connection.execute(text("DROP SCHEMA public CASCADE"))
        await connection.execute(text("CREATE SCHEMA public"))
    await engine.dispose()
    return server.url()


@pytest.fixture
async def log(url: str) -> AsyncIterator[CallLog]:
    opened = await CallLog.open(url)
    yield opened
    await opened.close()
