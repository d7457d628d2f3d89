"""Opening a call log: the tables are made and upgraded, and what cannot be used says what to do."""

import asyncio
import stat
from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from bot.calllog import database
from bot.calllog.access_schema import metadata  # of all tables: this module adds the last
from bot.calllog.filters import CallFilter
from bot.calllog.reader import CallReader
from bot.calllog.schema import place_of
from bot.calllog.store import CallLog
from bot.calllog.upkeep import Upkeep, _renew_words
from bot.errors import StoreError


async def run_sync(url, work):
    address = database.parse_url(url)
    if database.is_sqlite(address):
        database.make_file(address)
    engine = database.create_engine(address)
    async with database.for_writing(engine).begin() as connection:
        result = await connection.run_sync(work)
    await engine.dispose()
    return result


def is_ours(name, kind, _parents):
    """Not the full-text index, which each database has in a way of its own."""
    return not (kind == "table" and name.startswith("call_search")) and name != "ix_call_words_entries"


async def test_the_migrations_make_just_the_tables_of_the_schema(url):
    def differences(connection):
        database.migrate(connection)
        options = {"compare_type": True, "include_name": is_ours}
        return compare_metadata(MigrationContext.configure(connection, opts=options), metadata)

    assert await run_sync(url, differences) == []


async def test_the_migrations_can_be_undone(url):
    def there_and_back(connection):
        database.migrate(connection)
        command.downgrade(database._alembic(connection), "base")
        return inspect(connection).get_table_names()

    assert await run_sync(url, there_and_back) == ["alembic_version"]


async def test_processes_that_start_together_all_find_the_tables(url):
    logs = await asyncio.gather(*(CallLog.open(url) for _ in range(4)))
    assert [await log.list_calls() for log in logs] == [[], [], [], []]
    await asyncio.gather(*(log.close() for log in logs))


async def test_a_call_log_of_a_newer_offhook_is_left_alone(url):
    await (await CallLog.open(url)).close()
    await run_sync(url, lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = '9999'")))
    for kind in (CallLog, CallReader):
        with pytest.raises(StoreError, match=r"newer Offhook \(migration 9999; this one knows up to \d{4}\): install"):
            await kind.open(url)


async def test_reading_does_not_upgrade_an_older_call_log(url):
    await run_sync(url, lambda connection: None)
    with pytest.raises(StoreError, match="start `offhook serve` once"):
        await CallReader.open(url)


async def test_only_the_user_who_runs_offhook_may_read_the_file(tmp_path):
    await (await CallLog.open(f"sqlite:///{tmp_path}/deep/down/calls.db")).close()
    assert stat.S_IMODE((tmp_path / "deep/down/calls.db").stat().st_mode) == 0o600


async def test_a_file_that_cannot_be_made_is_explained(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreError, match=r"cannot open the call log .*Check that the user running Offhook may write"):
        await CallLog.open(f"sqlite:///{tmp_path}/file/calls.db")


async def test_a_file_that_is_no_database_is_explained(tmp_path):
    (tmp_path / "calls.db").write_text("no database at all " * 100)
    with pytest.raises(StoreError, match=r"cannot open the call log .*not a database"):
        await CallLog.open(f"sqlite:///{tmp_path}/calls.db")


async def test_a_reader_makes_no_file(tmp_path):
    with pytest.raises(StoreError, match="there is no call log at"):
        await CallReader.open(f"sqlite:///{tmp_path}/calls.db")
    assert list(tmp_path.iterdir()) == []


async def test_an_unreachable_server_is_explained_without_its_password(unused_tcp_port):
    with pytest.raises(StoreError, match="Check that the server runs") as refused:
        await CallLog.open(f"postgresql+asyncpg://offhook:hunter2@127.0.0.1:{unused_tcp_port}/calls")
    assert "hunter2" not in str(refused.value)


async def test_a_database_that_does_not_exist_is_explained(postgres):
    with pytest.raises(StoreError, match='database "nowhere" does not exist'):
        await CallLog.open(postgres.url("nowhere"))


@pytest.mark.parametrize("address", ["offhook.db", "mysql://localhost/calls", "sqlite://", "sqlite:///:memory:"])
async def test_an_address_that_is_no_call_log_is_explained(address):
    with pytest.raises(StoreError, match="sqlite"):
        await CallLog.open(address)


BEGAN = {"late": "12:00:00.123456", "early": "11:00:00.999999", "same": "12:00:00.123456"}


async def test_calls_of_the_first_offhook_are_listed_in_their_order(url):
    def as_it_was(connection):
        command.upgrade(database._alembic(connection), "0001")
        moments = "opened_at, heartbeat_at, closed_at"
        connection.execute(
            text(
                f"INSERT INTO runs (host, pid, pid_space, process_start, {moments})"
                " VALUES ('', 1, '', '', '2026-01-01', '2026-01-01', '2026-01-01')"
            )
        )
        for call_id, began in BEGAN.items():
            parties = "'twilio', '', 'b', 'inbound', '+1', '+2'"
            call = f"'{call_id}', {parties}, '2026-11-20 {began}', '2026-11-20', 1, 'idle'"
            columns = "call_id, carrier, carrier_call_id, bot, direction, from_number, to_number, started_at, ended_at"
            connection.exec_driver_sql(
                f"INSERT INTO calls ({columns}, duration_ms, end_reason, run, config)"
                f" SELECT {call}, max(id), '{{}}' FROM runs"
            )

    await run_sync(url, as_it_was)
    log = await CallLog.open(url)
    listed = await log.list_calls()
    assert [call.call_id for call in listed] == ["same", "late", "early"]
    assert [call.place for call in listed] == [place_of(call.started_at, call.row) for call in listed]
    found = await log.list_calls(CallFilter(bot="b", carrier="twilio"))  # before anything is summed up
    assert [call.call_id for call in found] == ["same", "late", "early"]
    await log.close()


async def test_calls_that_were_found_before_an_upgrade_are_found_during_it_and_after(url):
    """As an Offhook before words side by side left them: summed up, with lengths by doubling."""

    def as_it_was(connection):
        command.upgrade(database._alembic(connection), "0004")
        connection.exec_driver_sql(
            "INSERT INTO runs (host, pid, pid_space, process_start, opened_at, heartbeat_at, closed_at)"
            " VALUES ('', 1, '', '', '2026-01-01', '2026-01-01', '2026-01-01')"
        )
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("INSERT INTO said_words VALUES ('are'), ('you'), ('open'), ('on'), ('sunday')")
        for number in range(90):
            place = place_of(datetime(2026, 11, 20, 12, tzinfo=UTC) + timedelta(hours=number))
            said = "_ are you open _ open on sunday" if number % 3 else "_ you are _ are open on sunday"
            connection.exec_driver_sql(
                "INSERT INTO calls (call_id, carrier, carrier_call_id, bot, direction, from_number, to_number,"
                " started_at, ended_at, duration_ms, end_reason, run, config, place, index_version)"
                f" SELECT 'call-{number:02}', 'twilio', '', 'b', 'inbound', '+1', '+2', '2026-11-20', '2026-11-20',"
                f" 90000, 'idle', max(id), '{{}}', {place}, 1 FROM runs"
            )
            connection.exec_driver_sql(
                f"INSERT INTO call_words (place, call_row, terms, turn_indices) SELECT {place}, id,"
                f" '{said} _bot_b _secs_7 _verdict_none', '0 1' FROM calls WHERE call_id = 'call-{number:02}'"
            )
            for index, words in enumerate(said.split("_ ")[1:]):
                connection.exec_driver_sql(
                    "INSERT INTO turns (call_row, turn_index, role, kind, started_ms, text, generated_ms, sent_ms,"
                    f" heard_ms, interrupted) SELECT id, {index}, 'caller', 'speech', 0, '{words}', 0, 0, 0, '0'"
                    f" FROM calls WHERE call_id = 'call-{number:02}'"
                )

    await run_sync(url, as_it_was)
    log = await CallLog.open(url)
    upkeep = Upkeep(log, {})
    for is_over in (False, None, True):
        if is_over is None:  # in the middle of it
            async with log.writing() as connection:
                await _renew_words(connection)
        elif is_over:
            await upkeep.once(datetime.now(UTC))
        both = [f"call-{number:02}" for number in range(89, -1, -1)]
        others = [call_id for call_id in both if int(call_id[5:]) % 3]
        for filters, call_ids in (
            (CallFilter(text='"are open"'), [call_id for call_id in both if call_id not in others]),
            (CallFilter(text='"are you open"', min_ms=90_000, max_ms=90_000), others),
            (CallFilter(text='"open open"'), []),
            (CallFilter(text="sund*", min_ms=64_000), both),
            (CallFilter(min_ms=91_000), []),
        ):
            assert [call.call_id for call in await log.list_calls(filters, limit=200)] == call_ids
            assert await log.count_calls(filters) == (len(call_ids), True)
    await log.close()
    assert "lexemes" not in await run_sync(
        url, lambda connection: [column["name"] for column in inspect(connection).get_columns("call_words")]
    )
