"""What a call comes to when it is over: the columns, words and facets that it is listed, filtered and found by.

Done in the transaction that ends the call, and again when more becomes known of it (a late transcript, a verdict, a
message that was read), always from all that is stored of the call: doing it twice changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.calllog import search_entries
from bot.calllog.facets import facets_of, own_number
from bot.calllog.neighbours import BEGIN
from bot.calllog.records import INTERRUPTED
from bot.calllog.schema import INDEX_VERSION, call_tags, calls, events, messages, turns
from bot.calllog.storable import storable_key
from bot.calllog.words import words_of

SLOW_REPLY_MS = 2000
MAX_TERMS_BYTES = 150_000
"""PostgreSQL's tsvector holds a megabyte, and each word stands there three times: alone, with the next, with two more.
What is said after about 25,000 words is not found by its words."""

FLAGS = (
    "error",
    "slow_reply",
    "failed_transfer",
    "no_words",
    "apology",
    "silence",
    "gap",
)
"""What may be wrong with a call that is over.

error: an engine failed, or the end reason is a fault. slow_reply: a reply took 2 s or more. failed_transfer: the
carrier put nobody through. no_words: the caller was heard and never understood. apology: the bot said that it had not
understood, or that something had gone wrong. silence: the bot hung up because nobody spoke. gap: the caller heard a
hole in a reply.
"""
_FAULTS = frozenset({"voice_failed", "carrier_error", "server_error", INTERRUPTED})
_APOLOGIES = frozenset({"pardon", "apology"})
_KINDS = ("tool_requested", "tokens_used", "transfer_failed", "voice_failed", "no_words")
_MOST_USD = 1e6  # what claims to cost more is no price

Rows = Sequence[Row[Any]]


async def sum_up(connection: AsyncConnection, rows: Iterable[int]) -> None:
    """Write what these calls come to; those that are not over, or are being deleted, are left out."""
    is_over = calls.c.ended_at.is_not(None) & calls.c.place.is_not(None)
    # In order, so that two processes at the same calls wait for each other and never in a ring.
    wanted = select(calls).where(calls.c.id.in_(list(rows)), is_over).order_by(calls.c.id)
    heads = (await connection.execute(wanted)).all()
    if not heads:
        return
    found = [head.id for head in heads]
    said = await _of_calls(connection, select(turns).where(turns.c.call_row.in_(found)).order_by(turns.c.turn_index))
    happened = await _of_calls(
        connection, select(events).where(events.c.call_row.in_(found), events.c.kind.in_(_KINDS)).order_by(events.c.id)
    )
    is_unread = messages.c.call_row.in_(found) & messages.c.read_at.is_(None)
    unread = set((await connection.execute(select(messages.c.call_row).where(is_unread))).scalars())
    tagged = await _of_calls(
        connection, select(call_tags).where(call_tags.c.call_row.in_(found)).order_by(call_tags.c.tag)
    )
    columns, words = [], []
    for head in heads:
        flags = flags_of(head, said[head.id], happened[head.id])
        tools = _tools(happened[head.id])
        columns.append(_columns(head, flags, tools, happened[head.id]))
        tags = [tag.tag for tag in tagged[head.id]]
        facets = list(facets_of(head, flags, tools, tags, unread=head.id in unread))
        words.append(_words(head, said[head.id], facets))
    await connection.execute(_SUMMED_UP, columns)
    await search_entries.learn_own_numbers(connection, map(own_number, heads))
    await search_entries.write(connection, words)


async def _of_calls(connection: AsyncConnection, query: Any) -> Mapping[int, Rows]:
    by_call: defaultdict[int, list[Row[Any]]] = defaultdict(list)
    for row in await connection.execute(query):
        by_call[row.call_row].append(row)
    return by_call


def flags_of(call: Row[Any], said: Rows, happened: Rows) -> list[str]:
    """What may be wrong with a call, by what is stored of it."""
    kinds = {event.kind for event in happened}
    is_understood = any(turn.role == "caller" and turn.text for turn in said)
    is_true = {
        "error": "voice_failed" in kinds or call.end_reason in _FAULTS,
        "slow_reply": any(turn.reply_ms is not None and turn.reply_ms >= SLOW_REPLY_MS for turn in said),
        "failed_transfer": "transfer_failed" in kinds,
        "no_words": "no_words" in kinds and not is_understood,
        "apology": any(turn.kind in _APOLOGIES for turn in said),
        "silence": call.end_reason == "idle",
        "gap": (call.counters or {}).get("starved_ms", 0) > 0,
    }
    return [flag for flag in FLAGS if is_true[flag]]


def _tools(happened: Rows) -> list[str]:
    asked = (event.data.get("name", "") for event in happened if event.kind == "tool_requested")
    return sorted({storable_key(str(name)) for name in asked})


_SUMMED_UP = (
    update(calls)
    .where(calls.c.id == bindparam("row"))
    .values({name: bindparam(f"new_{name}") for name in ("index_version", "cost_microdollars", "flags", "tools")})
)


def _columns(call: Row[Any], flags: Sequence[str], tools: Sequence[str], happened: Rows) -> dict[str, Any]:
    spent = [event.data.get("cost_usd") for event in happened if event.kind == "tokens_used"]
    known = [cost for cost in spent if isinstance(cost, int | float) and 0 <= cost <= _MOST_USD]
    return {
        "row": call.id,
        "new_index_version": INDEX_VERSION,
        "new_cost_microdollars": round(sum(known) * 1e6) if known else (call.counters or {}).get("cost_microdollars"),
        "new_flags": flags,
        "new_tools": tools,
    }


def _words(call: Row[Any], said: Rows, facets: Sequence[str]) -> dict[str, Any]:
    terms: list[str] = []
    indices: list[int] = []
    room = MAX_TERMS_BYTES
    for turn in said:
        words = words_of(turn.text if turn.heard_text is None else turn.heard_text)
        room -= sum(len(word.encode()) + 1 for word in words)
        if words and room > 0:
            terms += [BEGIN, *words]
            indices.append(turn.turn_index)
    return {
        "place": call.place,
        "call_row": call.id,
        "terms": " ".join([*terms, *facets]),
        "turn_indices": " ".join(map(str, indices)),
    }
