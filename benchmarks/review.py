"""How long the review pages wait for the call log, with as many calls in it as you say.

Builds the calls once (words by their real frequencies: sentences of tests/data and a long tail of names and numbers;
callers, tools, flags and messages by fixed shares over a year), then asks for pages as people do: first and far down,
by rare, common and absent words, by each filter and by several, and by what is hard to rule out: phrases of which all
parts are common, words that never meet in a call, digits that only seem to be in a number. One call in 500 is deleted.
Prints p50 and p95 of each kind for both databases, from asking to having the calls with their excerpts as Python
objects, one after the other.

    python -m benchmarks.review --folder /var/tmp/calls                       # a million calls, SQLite and PostgreSQL
    python -m benchmarks.review --folder /tmp/calls --calls 100000 --only sqlite
"""

import argparse
import asyncio
import itertools
import json
import random
import re
import shutil
import sqlite3
import string
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import asyncpg
from sqlalchemy import select

from bot.calllog import database, deletion
from bot.calllog.facets import facets_of
from bot.calllog.filters import CallFilter
from bot.calllog.periods import RANGES, period_of
from bot.calllog.reader import CallReader
from bot.calllog.schema import INDEX_VERSION, TOP, WORDS_VERSION, deletions, place_of
from bot.calllog.schema import calls as calls_table
from bot.calllog.search_entries import fts_entry
from bot.calllog.statistics import count_period, statistics_of
from bot.calllog.store import CallLog
from bot.calllog.summing_up import FLAGS
from bot.calllog.words import words_of
from tests.support.postgres import PostgresServer, free_port

DATA = Path(__file__).parents[1] / "tests/data"
NEWEST = datetime(2026, 11, 20, 12, tzinfo=UTC)
YEAR = timedelta(days=365)
BOTS = (("reception", 60), ("sales", 25), ("support", 13), ("night desk", 2))
CARRIERS = (("twilio", 90), ("telnyx", 9), ("sip", 1))
REASONS = (("caller_hung_up", 800), ("bot_hung_up", 120), ("transferred", 50), ("idle", 25), ("voice_failed", 5))
TOOLS = (("lookup_fact", 20), ("take_message", 5), ("transfer", 3), ("cancel_order", 0.1))
SHARES = dict(zip(FLAGS, (0.5, 4.0, 0.3, 1.0, 2.0, 2.5, 0.05), strict=True))  # per cent of calls
TAIL_WORDS = 60_000
POOL = 40_000  # different sentences
TURNS = (2, 4, 6, 6, 8, 8, 10, 14)
ABROAD = 0.35  # of the calls are in another language: none of its words is said in the others
BATCH = 5_000
OUR_NUMBER = "+15550002222"
HIDDEN_EACH = 500
HIDDEN_AT_ONCE = 50
ROUNDS = 30
PAGE = 50

_TABLES = """
calls: id call_id run carrier carrier_call_id bot direction from_number to_number started_at config ended_at duration_ms
    end_reason turns interruptions reply_p50_ms reply_p95_ms counters place index_version cost_microdollars flags tools
    verdict
turns: id call_row turn_index role kind started_ms ended_ms text heard_text generated_ms sent_ms heard_ms interrupted
    reply_ms
call_words: place call_row terms turn_indices version
messages: id call_row turn_index at_ms duration_ms text from_number read_at
call_tags: call_row tag
"""
COLUMNS = {name: columns.split() for name, columns in re.findall(r"(\w+):((?:\s+\w+(?!:))+)(?=\n)", _TABLES)}
Tables = dict[str, list[tuple[Any, ...]]]


# -- the calls --------------------------------------------------------------------------------------------------------


def sentences() -> list[str]:
    """What people and bots really say."""
    found = [
        file["transcript"]
        for file in json.loads((DATA / "manifest.json").read_text())["files"]
        if file.get("transcript")
    ]
    for path in DATA.glob("facts/*.toml"):
        facts = tomllib.loads(path.read_text())
        found += [text for fact in facts.get("facts", []) for text in (*fact["ask"], fact["answer"])]
        found += [text for asked in facts.get("answered", {}).values() for text in asked]
    return [text.capitalize() for text in found]


def _abroad(text: str) -> str:
    """The same in a language whose words have the same frequencies, and are all others."""
    return re.sub(r"[A-Za-z]+", lambda found: found[0][::-1].lower() + "o", text)


class World:
    """All that calls are made of; the same each time."""

    def __init__(self) -> None:
        self._random = random.Random(5)
        self.said = sentences()
        self.tail = [self._name() for _ in range(TAIL_WORDS)]
        weights = list(itertools.accumulate(1 / (rank + 20) for rank in range(TAIL_WORDS)))
        self.pool = []
        for _ in range(POOL):
            names = self._random.choices(self.tail, cum_weights=weights, k=self._random.choice((0, 1, 1, 2, 3)))
            self.pool.append(" ".join([self._random.choice(self.said), *names]))
        self.pools = self.pool, [_abroad(text) for text in self.pool]
        self.words = [[" ".join(words_of(text)) for text in pool] for pool in self.pools]
        self.callers = [f"+1{self._random.randrange(2 * 10**9, 10**10)}" for _ in range(300_000)]

    def never_said(self, length: int) -> list[str]:
        """Phrases that nobody says, each part of which (one word less) is said as often as can be."""
        parts: Counter[tuple[str, ...]] = Counter()
        phrases: set[tuple[str, ...]] = set()
        for text in self.words[0]:
            words = text.split(" ")
            parts.update({tuple(words[at : at + length - 1]) for at in range(len(words) - length + 2)})
            phrases.update(tuple(words[at : at + length]) for at in range(len(words) - length + 1))
        common = parts.most_common(400)
        found = [
            (min(count, other), (*part, after[-1]))
            for part, count in common
            for after, other in common
            if part[1:] == after[:-1] and (*part, after[-1]) not in phrases
        ]
        return ['"' + " ".join(words) + '"' for _, words in sorted(found, reverse=True)[:ROUNDS]]

    def _name(self) -> str:
        return "".join(
            self._random.choices("bcdfghklmnprstvz", k=1) + self._random.choices(string.ascii_lowercase, k=6)
        )

    def batches(self, calls: int) -> Iterator[Tables]:
        """The rows of each table, some thousand calls at a time, the oldest first."""
        turn_row = message_row = 0
        for first in range(1, calls + 1, BATCH):
            tables: Tables = {name: [] for name in ("calls", "turns", "call_words", "messages", "call_tags")}
            for row in range(first, min(first + BATCH, calls + 1)):
                started_at = NEWEST - YEAR * ((calls - row) / calls)
                turn_row, message_row = self._add(tables, row, started_at, turn_row, message_row)
            yield tables

    def _pick(self, choices: Sequence[tuple[str, float]]) -> str:
        names, weights = zip(*choices, strict=True)
        return self._random.choices(names, weights)[0]

    def _add(self, tables: Tables, row: int, started_at: datetime, turn_row: int, message_row: int) -> tuple[int, int]:
        chance = self._random.random
        turns = self._random.choice(TURNS)
        duration_ms = turns * self._random.randrange(2_000, 15_000)
        flags = [flag for flag, share in SHARES.items() if chance() * 100 < share]
        tools = sorted(tool for tool, share in TOOLS if chance() * 100 < share)
        tags = ["follow up"] if chance() < 0.003 else []
        verdict = self._pick((("good", 50), ("bad", 20), ("unsure", 5))) if chance() < 0.02 else None
        has_message = chance() < 0.04
        unread = has_message and chance() < 0.2
        call = SimpleNamespace(
            bot=self._pick(BOTS),
            carrier=self._pick(CARRIERS),
            end_reason=self._pick(REASONS),
            from_number=self._random.choice(self.callers),
            to_number=OUR_NUMBER,
            direction="inbound",
            duration_ms=duration_ms,
            verdict=verdict,
        )
        language = int(chance() < ABROAD)
        place = place_of(started_at, row)
        ended_at = started_at + timedelta(milliseconds=duration_ms)
        tables["calls"].append(
            (row, f"{started_at:%Y%m%dT%H%M%S}-{row:08x}", 1, call.carrier, f"CA{row:032x}", call.bot, "inbound",
             call.from_number, call.to_number, started_at, "{}", ended_at, duration_ms, call.end_reason, turns,
             int(chance() * 3), 600 + int(chance() * 900), 1500, "{}", place, INDEX_VERSION, int(chance() * 9000),
             json.dumps(flags), json.dumps(tools), verdict)
        )  # fmt: skip
        terms = []
        for index in range(turns):
            turn_row += 1
            number = int(chance() * POOL)
            text, words = self.pools[language][number], self.words[language][number]
            if index == 0:
                text, words = f"You have reached {call.bot}. {text}", f"you have reached {call.bot} {words}"
            elif index == 2:
                text, words = f"{text} My order is {row:07}.", f"{words} my order is {row:07}"
            is_bot = index % 2 == 0
            terms.append(f"_ {words}")
            tables["turns"].append(
                (turn_row, row, index, "bot" if is_bot else "caller", "reply" if is_bot else "speech", index * 5000,
                 index * 5000 + 3000, text, text if is_bot else None, 3000, 3000, 3000, False, 700 if is_bot else None)
            )  # fmt: skip
        terms += facets_of(call, flags, tools, tags, unread=unread)
        tables["call_words"].append((place, row, " ".join(terms), " ".join(map(str, range(turns))), WORDS_VERSION))
        tables["call_tags"] += [(row, tag) for tag in tags]
        if has_message:
            message_row += 1
            read_at = None if unread else ended_at
            tables["messages"].append((message_row, row, 1, 5000, 3000, "Call me.", call.from_number, read_at))
        return turn_row, message_row


def said_in(tables: Tables) -> set[str]:
    return {word for row in tables["call_words"] for word in row[2].split(" ") if word[0] != "_"}


def sqlite_value(value: Any) -> Any:
    return f"{value:%Y-%m-%d %H:%M:%S.%f}" if isinstance(value, datetime) else value


async def build_sqlite(path: Path, calls: int) -> str:
    url = f"sqlite+aiosqlite:///{path}"
    if path.exists():
        await (await CallLog.open(url)).close()  # which brings its tables up to date
        return url
    making = path.with_suffix(".making")
    for left in path.parent.glob(f"{making.name}*"):
        left.unlink()
    await (await CallLog.open(f"sqlite+aiosqlite:///{making}")).close()
    connection = sqlite3.connect(making, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -400000")
    known: set[str] = set()
    for tables in World().batches(calls):
        connection.execute("BEGIN")
        for name, rows in tables.items():
            columns = COLUMNS[name]
            marks = ", ".join("?" * len(columns))
            statement = f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})"
            connection.executemany(statement, (tuple(map(sqlite_value, row)) for row in rows))
        entries = ((row[0], fts_entry(row[2])) for row in tables["call_words"])
        connection.executemany("INSERT INTO call_search (rowid, terms) VALUES (?, ?)", entries)
        said = said_in(tables) - known
        connection.executemany("INSERT INTO said_words VALUES (?)", ((word,) for word in sorted(said)))
        known |= said
        connection.execute("COMMIT")
        progress("SQLite", tables, calls)
    connection.execute("INSERT INTO own_numbers VALUES (?)", (OUR_NUMBER,))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    making.rename(path)
    return url


async def build_postgresql(server: PostgresServer, calls: int) -> str:
    url = server.url(f"calls{calls}")
    connection = await asyncpg.connect(server.url().replace("+asyncpg", ""))
    is_there = await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", f"calls{calls}")
    if not is_there:
        await connection.execute("DROP DATABASE IF EXISTS making")
        await connection.execute("CREATE DATABASE making")
        await fill_postgresql(server.url("making"), calls)
        await connection.execute(f"ALTER DATABASE making RENAME TO calls{calls}")
    await connection.close()
    await (await CallLog.open(url)).close()  # which brings its tables up to date
    return url


async def fill_postgresql(url: str, calls: int) -> None:
    await (await CallLog.open(url)).close()
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    await connection.execute("SET maintenance_work_mem = '512MB'")
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", format="binary", decoder=bytes, encoder=lambda value: b"\x01" + value.encode()
    )
    gin = await connection.fetchval("SELECT indexdef FROM pg_indexes WHERE indexname = 'ix_call_words_entries'")
    await connection.execute("DROP INDEX ix_call_words_entries")  # made at once it takes a tenth of the time
    known: set[str] = set()
    for tables in World().batches(calls):
        for name, rows in tables.items():
            await connection.copy_records_to_table(name, records=rows, columns=COLUMNS[name])
        said = said_in(tables) - known
        await connection.copy_records_to_table("said_words", records=[(word,) for word in sorted(said)])
        known |= said
        progress("PostgreSQL", tables, calls)
    await connection.execute("INSERT INTO own_numbers VALUES ($1)", OUR_NUMBER)
    await connection.execute(gin)
    await connection.execute("ALTER INDEX ix_call_words_entries ALTER COLUMN 1 SET STATISTICS 0")
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


async def hide_some(url: str, calls: int) -> None:
    """Delete one call in a few hundred, as retention does before it removes their rows: lists have holes then."""
    log = await CallLog.open(url)
    for first in range(HIDDEN_EACH, calls, HIDDEN_EACH * HIDDEN_AT_ONCE):
        rows = range(first, min(first + HIDDEN_EACH * HIDDEN_AT_ONCE, calls), HIDDEN_EACH)
        async with log.writing() as connection:
            if first == HIDDEN_EACH and (await connection.execute(select(deletions.c.call_id).limit(1))).first():
                break
            found = await connection.execute(
                select(calls_table.c.id, calls_table.c.call_id).where(calls_table.c.id.in_(rows))
            )
            await deletion.hide(connection, {row.id: row.call_id for row in found}, "benchmark", "", NEWEST)
    await log.close()


def progress(name: str, tables: Tables, calls: int) -> None:
    print(f"\r{name}: {tables['calls'][-1][0]:,} of {calls:,} calls", end="", flush=True)


# -- what is asked ----------------------------------------------------------------------------------------------------

Ask = Callable[[random.Random], tuple[CallFilter, int]]


def kinds(world: World, calls: int) -> dict[str, Ask]:
    def place(chosen: random.Random) -> int:
        return place_of(NEWEST - YEAR * chosen.random())

    def day(chosen: random.Random) -> dict[str, datetime]:
        since = NEWEST - YEAR * chosen.random()
        return {"since": since, "until": since + timedelta(days=1)}

    def order(chosen: random.Random) -> str:
        return f"{chosen.randrange(1, calls):07}"

    def name(chosen: random.Random) -> str:
        return chosen.choice(world.tail[:20_000])

    def common(chosen: random.Random) -> str:
        return chosen.choice(("the", "you", "to", "open", "we", "are", "what"))

    def phrase(chosen: random.Random, length: int = 3) -> str:
        words = words_of(chosen.choice(world.said))
        at = chosen.randrange(max(1, len(words) - length))
        return '"' + " ".join(words[at : at + length]) + '"'

    never = {length: world.never_said(length) for length in (2, 3, 4)}

    def caller(chosen: random.Random) -> str:
        return chosen.choice(world.callers)

    def asking(**wanted: Any) -> Ask:
        def ask(chosen: random.Random) -> tuple[CallFilter, int]:
            values = {key: value(chosen) if callable(value) else value for key, value in wanted.items()}
            before = values.pop("before", TOP)
            values |= values.pop("days", {})
            return CallFilter(**values), before

        return ask

    return {
        "first page": asking(),
        "deep page": asking(before=place),
        "a day": asking(days=day),
        "bot": asking(bot="sales"),
        "bot, deep": asking(bot="night desk", before=place),
        "carrier": asking(carrier="sip"),
        "end reason": asking(end_reason="voice_failed"),
        "number": asking(number=caller),
        "part of a number": asking(number_part=lambda chosen: caller(chosen)[-4:]),
        "six digits": asking(number_part=lambda chosen: caller(chosen)[-6:]),
        "digits of our number": asking(number_part="0002222"),
        "digits nobody has": asking(number_part="50022"),
        "three digits": asking(number_part=lambda chosen: caller(chosen)[-3:]),
        "length": asking(min_ms=120_000, max_ms=125_000),
        "just this length": asking(min_ms=95_000, max_ms=95_999),
        "longer than most": asking(min_ms=200_000),
        "longer than any": asking(min_ms=3_600_000),
        "at least a second": asking(min_ms=1_000, bot="night desk", tool="cancel_order"),
        "flag": asking(flags=("error",)),
        "rarest flag": asking(flags=("gap",)),
        "two flags": asking(flags=("error", "slow_reply")),
        "tool": asking(tool="cancel_order"),
        "unread message": asking(has_unread_message=True),
        "verdict": asking(verdict="bad"),
        "no verdict": asking(verdict="none"),
        "tag": asking(tag="follow up"),
        "bot and reason": asking(bot="night desk", end_reason="voice_failed"),
        "three filters": asking(bot="support", carrier="telnyx", flags=("silence",)),
        "filters, no call": asking(bot="night desk", tool="cancel_order", flags=("gap",)),
        "rarest word": asking(text=order),
        "rare word": asking(text=name),
        "common word": asking(text=common),
        "common word, deep": asking(text=common, before=place),
        "two common words": asking(text=lambda chosen: f"{common(chosen)} {common(chosen)}"),
        "common and rare": asking(text=lambda chosen: f"{common(chosen)} {order(chosen)}"),
        "two rare words": asking(text=lambda chosen: f"{name(chosen)} {name(chosen)}"),
        "phrase": asking(text=phrase),
        "phrase, never said": asking(text='"the to you"'),
        "two words, never so": asking(text=lambda chosen: chosen.choice(never[2])),
        "three, each two often": asking(text=lambda chosen: chosen.choice(never[3])),
        "four, each three often": asking(text=lambda chosen: chosen.choice(never[4])),
        "long phrase": asking(text=lambda chosen: phrase(chosen, 6)),
        "never in one call": asking(text=lambda chosen: f"{common(chosen)} {_abroad(common(chosen))}"),
        "three, never in one": asking(text=lambda chosen: f"what you {_abroad(common(chosen))}"),
        "a bot's, never another's": asking(text="sales", bot="reception"),
        "never in one, days": asking(
            text=lambda chosen: f"{common(chosen)} {_abroad(common(chosen))}",
            since=NEWEST - YEAR * 0.9,
            until=NEWEST - YEAR * 0.1,
        ),
        "beginning of a word": asking(text=lambda chosen: name(chosen)[:4] + "*"),
        "thousands of endings": asking(text=lambda chosen: f"{chosen.randrange(1000):03}*"),
        "common beginning": asking(text=lambda chosen: chosen.choice(("ope*", "whe*", "con*", "the*"))),
        "absent word": asking(text="xylophonist"),
        "common word + bot": asking(text=common, bot="night desk"),
        "common word + flag": asking(text=common, flags=("gap",)),
        "common word + day": asking(text=common, days=day),
        "common word + number": asking(text=common, number_part=lambda chosen: caller(chosen)[-4:]),
        "common word + length": asking(text=common, min_ms=120_000, max_ms=125_000),
        "phrase + bot + day": asking(text=phrase, bot="sales", days=day),
        "rare word + bot": asking(text=name, bot="sales"),
        "last page": asking(before=lambda chosen: place_of(NEWEST - YEAR * 0.99999)),
        "common word, last page": asking(text=common, before=lambda chosen: place_of(NEWEST - YEAR * 0.99999)),
        "rare, no call then": asking(flags=("gap",), text=common, days=day),
        "before all calls": asking(text=common, until=NEWEST - 2 * YEAR),
        "everything at once": asking(
            text=lambda chosen: f"{phrase(chosen)} {common(chosen)} {name(chosen)[:4]}*",
            bot="reception",
            carrier="twilio",
            end_reason="caller_hung_up",
            flags=("slow_reply",),
            verdict="none",
            min_ms=10_000,
            max_ms=180_000,
            number_part=lambda chosen: caller(chosen)[-4:],
            has_unread_message=False,
        ),
    }


async def measure(url: str, world: World, calls: int) -> dict[str, list[float]]:
    reader = await CallReader.open(url)
    taken: dict[str, list[float]] = {}
    for kind, ask in kinds(world, calls).items():
        chosen = random.Random(kind)
        for _ in range(ROUNDS):
            filters, before = ask(chosen)
            begin = time.perf_counter()
            await reader.page(filters, PAGE, before)
            taken.setdefault(kind, []).append(time.perf_counter() - begin)
            if before == TOP:
                begin = time.perf_counter()
                await reader.count_calls(filters)
                taken.setdefault(f"count: {kind}", []).append(time.perf_counter() - begin)
    page = await reader.list_calls(limit=ROUNDS)
    for call in page:
        begin = time.perf_counter()
        await reader.get_call(call.call_id)
        taken.setdefault("one call", []).append(time.perf_counter() - begin)
    await reader.close()
    return taken


async def measure_figures(url: str) -> dict[str, list[float]]:
    """What the overview waits for, by its range: both stretches of time, each by a connection of its own."""
    engine = database.create_engine(database.parse_url(url))
    taken: dict[str, list[float]] = {}
    for range_ in RANGES:
        period = period_of(range_, NEWEST)
        for _ in range(ROUNDS):
            begin = time.perf_counter()
            async with engine.connect() as of_now, engine.connect() as of_before:
                counted = count_period(of_now, period), count_period(of_before, period.before, with_delays_by_bot=False)
                statistics_of(period, None, *await asyncio.gather(*counted))
            taken.setdefault(range_, []).append(time.perf_counter() - begin)
    await engine.dispose()
    return taken


def show_figures(taken: dict[str, list[float]]) -> None:
    print("\nms for the figures of a range")
    for range_, times in taken.items():
        print(f"{range_:24}" + "".join(f"{percentile(times, share) * 1000:8.1f}" for share in (50, 95)))


def show(name: str, taken: dict[str, list[float]]) -> None:
    print(
        f"\n{name}: ms for a page of {PAGE}, and for counting what is meant\n"
        f"{'':24}{'p50':>8}{'p95':>8}{'count p50':>12}{'p95':>8}"
    )
    for kind, times in taken.items():
        if kind.startswith("count: "):
            continue
        line = f"{kind:24}" + "".join(f"{percentile(times, share) * 1000:8.1f}" for share in (50, 95))
        if counting := taken.get(f"count: {kind}"):
            line += f"{percentile(counting, 50) * 1000:12.1f}{percentile(counting, 95) * 1000:8.1f}"
        print(line)
    pages = [time for kind, times in taken.items() if not kind.startswith("count: ") for time in times]
    print(f"{'all pages':24}{percentile(pages, 50) * 1000:8.1f}{percentile(pages, 95) * 1000:8.1f}")


def percentile(times: Sequence[float], share: int) -> float:
    return sorted(times)[-(-len(times) * share // 100) - 1]


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True, help="where the calls are kept from one time to the next")
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    world = World()
    if options.only != "postgresql":
        path = options.folder / f"calls{options.calls}.db"
        begin, was_there = time.monotonic(), path.exists()
        url = await build_sqlite(path, options.calls)
        await hide_some(url, options.calls)
        told(was_there, begin, path.stat().st_size)
        show("SQLite", await measure(url, world, options.calls))
        show_figures(await measure_figures(url))
    if options.only != "sqlite":
        await with_postgresql(options.folder / "postgresql", world, options.calls)


async def with_postgresql(folder: Path, world: World, calls: int) -> None:
    server = PostgresServer(folder, free_port())
    if not folder.exists():
        folder.mkdir()
        shutil.chown(folder, "postgres")
        server.initialise()
    server.start()
    try:
        begin = time.monotonic()
        url = await build_postgresql(server, calls)
        await hide_some(url, calls)
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        size = await connection.fetchval("SELECT pg_database_size(current_database())")
        await connection.close()
        told(time.monotonic() - begin < 1, begin, size)
        show("PostgreSQL", await measure(url, world, calls))
        show_figures(await measure_figures(url))
    finally:
        server.stop()


def told(was_there: bool, begin: float, size_bytes: int) -> None:
    built = "there already" if was_there else f"built in {time.monotonic() - begin:.0f} s"
    print(f"\r{built}, {size_bytes / 1e9:.2f} GB{'':30}")


if __name__ == "__main__":
    asyncio.run(main())
