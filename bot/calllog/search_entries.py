"""What stands in the search index of each call: written when it is summed up, taken out when it is deleted.

PostgreSQL makes its index from `call_words` by itself. SQLite's FTS5 keeps no copy of what it was given, and must be
told the same again to forget it: so `call_words` has the version of what that was.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ARRAY, BigInteger, Column, Select, Text, bindparam, column, delete, func, select, table, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog.neighbours import BEGIN, side_by_side, turns_of
from bot.calllog.schema import WORDS_VERSION, call_words, own_numbers, said_words

_left = table("call_search_left", column("place", BigInteger), column("terms"), column("version"))
_WRITTEN = ("terms", "turn_indices", "version")
_ADD = text("INSERT INTO call_search (rowid, terms) VALUES (:place, :entry)")
_TAKE_OUT = text("INSERT INTO call_search (call_search, rowid, terms) VALUES ('delete', :place, :entry)")
_IS_SAID = {
    "sqlite": text("SELECT 1 FROM call_search WHERE call_search MATCH :word LIMIT 1"),
    "postgresql": text(
        """SELECT 1 FROM call_words WHERE version = 2
            AND call_entries(terms, place) @@ CAST(:word AS tsquery) LIMIT 1"""
    ),
}
_BY_THE_INDEX = select(func.set_config("enable_seqscan", "off", True))
_LATELY = 200


def fts_entry(terms: str, version: int = WORDS_VERSION) -> str:
    """What FTS5 is told of a call: its terms, and from the second version on each two words side by side."""
    if version == 1:
        return terms
    turns = (" ".join(side_by_side(words, 2)) for words in turns_of(terms) if len(words) > 1)
    return f" {BEGIN} ".join([terms, *turns])


async def write(connection: AsyncConnection, entries: Sequence[Mapping[str, Any]]) -> None:
    """Let calls be found by their `terms`; each has `place`, `call_row`, `terms` and `turn_indices`."""
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    if dialect is sqlite:
        places = [entry["place"] for entry in entries]
        await _take_out(connection, select(call_words).where(call_words.c.place.in_(places)))
        await _take_out_left(connection, select(_left).where(_left.c.place.in_(places)))
        added = [{"place": entry["place"], "entry": fts_entry(entry["terms"])} for entry in entries]
        await connection.execute(_ADD, added)
    words = dialect.insert(call_words)
    changed = {name: words.excluded[name] for name in _WRITTEN}
    rows = [{**entry, "version": WORDS_VERSION} for entry in entries]
    await connection.execute(words.on_conflict_do_update(index_elements=["place"], set_=changed), rows)
    await _learn(connection, said_words.c.word, _said(entry["terms"] for entry in entries))


async def learn_own_numbers(connection: AsyncConnection, numbers: Iterable[str]) -> None:
    """Remember which numbers are ours."""
    await _learn(connection, own_numbers.c.number, sorted({*numbers}))


async def forget(connection: AsyncConnection, rows: Sequence[int]) -> None:
    """Take calls out of the search, and with them the words that nobody else has said."""
    is_meant = call_words.c.call_row.in_(rows)
    known = (await connection.execute(select(call_words.c.place, call_words.c.terms).where(is_meant))).all()
    await connection.execute(delete(call_words).where(is_meant))
    if connection.dialect.name == "sqlite":
        await _take_out_left(connection, select(_left).where(_left.c.place.in_([call.place for call in known])))
    unheard = _said(call.terms for call in known)
    if unheard:
        # Most of them have been said lately: what is left are few.
        lately = select(call_words.c.terms).order_by(call_words.c.place.desc()).limit(_LATELY)
        still_said = _said((await connection.execute(lately)).scalars())
        unheard = sorted({*unheard} - {*still_said})
    is_said, quote = _IS_SAID[connection.dialect.name], "'" if connection.dialect.name == "postgresql" else '"'
    if connection.dialect.name == "postgresql":
        await connection.execute(_BY_THE_INDEX)
    for word in unheard:
        if (await connection.execute(is_said, {"word": f"{quote}{word}{quote}"})).first() is None:
            await connection.execute(delete(said_words).where(said_words.c.word == word))


async def _learn(connection: AsyncConnection, learnt: Column[Any], texts: Sequence[str]) -> None:
    """In order, so that two processes that learn the same wait for each other and never in a ring."""
    if not texts:
        return
    if connection.dialect.name == "sqlite":
        insert = sqlite.insert(learnt.table).on_conflict_do_nothing()
        await connection.execute(insert, [{learnt.name: text} for text in texts])
    else:
        new = select(func.unnest(bindparam("texts", list(texts), ARRAY(Text))))
        await connection.execute(postgresql.insert(learnt.table).from_select([learnt], new).on_conflict_do_nothing())


async def take_out_left(connection: AsyncConnection, limit: int) -> int:
    """SQLite: take some calls that are no longer in `call_words` out of FTS5 too; returns how many there were."""
    return await _take_out_left(connection, select(_left).limit(limit))


async def _take_out_left(connection: AsyncConnection, some: Select[Any]) -> int:
    places = await _take_out(connection, some)
    await connection.execute(delete(_left).where(_left.c.place.in_(places)))
    return len(places)


async def _take_out(connection: AsyncConnection, some: Select[Any]) -> list[int]:
    """What `some` asks for has `place`, `terms` and `version` of calls; returns the places."""
    known = (await connection.execute(some)).all()
    if known:
        told = [{"place": call.place, "entry": fts_entry(call.terms, call.version)} for call in known]
        await connection.execute(_TAKE_OUT, told)
    return [call.place for call in known]


def _said(terms: Iterable[str]) -> list[str]:
    """The words among the facets, each once."""
    return sorted({word for call in terms for word in call.split(" ") if word and not word.startswith(BEGIN)})
