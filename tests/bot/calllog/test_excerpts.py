"""A search shows where each call says what was looked for, as text in pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.calllog.excerpts import CHARS, marked, shortened
from bot.calllog.filters import CallFilter
from bot.calllog.query import parse
from tests.support.calls import ended, started, turn


@pytest.mark.parametrize(
    ("typed", "pieces"),
    [
        ("ópen", [("Are you ", False), ("open", True), ("? ", False), ("Ópen", True), ("!", False)]),
        ('"are you"', [("Are you", True), (" open? Ópen!", False)]),
        ("you*", [("Are ", False), ("you", True), (" open? Ópen!", False)]),
        ('"are you" "you open"', [("Are you open", True), ("? Ópen!", False)]),
        ("closed", [("Are you open? Ópen!", False)]),
    ],
)
def test_hits_are_told_apart(typed, pieces):
    assert marked("Are you open? Ópen!", parse(typed)) == pieces


@given(st.text(), st.text())
def test_pieces_put_together_are_the_text(text, typed):
    assert "".join(piece for piece, _ in marked(text, parse(typed))) == text


def test_a_long_turn_is_cut_around_the_first_hit():
    pieces = shortened("word " * 500 + "<b>needle</b> " + "word " * 500, parse("needle"))
    text = "".join(piece for piece, _ in pieces)
    assert ("needle", True) in pieces
    assert text.startswith("… word")
    assert text.endswith(" …")
    assert len(text) <= CHARS + 4


async def test_a_page_of_a_search_shows_the_turns_with_hits(log):
    log.write(started())
    said = ["Hello.", "When are you open?", "<i>Open</i> from nine", "The \0 sky \u202e is blue", "open open"]
    for index, text in enumerate(said):
        is_bot = bool(index % 2)
        heard = text if is_bot else None
        log.write(turn(index=index * 2, role="bot" if is_bot else "caller", text=text, heard_text=heard))
    log.write(ended())
    await log.flush()
    page = await log.page(CallFilter(text='sky "from nine" open'))
    [listed] = page.calls
    assert page.next is None
    assert [(hit.turn_index, hit.role, hit.pieces) for hit in listed.excerpts] == [
        (4, "caller", [("<i>", False), ("Open", True), ("</i> ", False), ("from nine", True)]),
        (6, "bot", [("The \ufffd ", False), ("sky", True), (" \u202e is blue", False)]),
    ]


async def test_a_hit_has_its_moment_in_the_turn(log):
    log.write(started())
    log.write(turn(index=1, started_ms=2000, ended_ms=4000, text="We open at nine.", heard_text="We open at nine."))
    log.write(turn(index=2, role="caller", started_ms=5000, text="And on Sundays?", heard_text=None))
    log.write(ended())
    await log.flush()
    [listed] = (await log.page(CallFilter(text="nine sundays"))).calls
    assert [(hit.at_ms, hit.letter) for hit in listed.excerpts] == [(3375, 11), (5455, 7)]


async def test_a_page_without_a_search_has_no_excerpts_and_says_where_the_next_begins(log):
    for number in range(3):
        log.write(started(f"call-{number}"))
    await log.flush()
    first = await log.page(CallFilter(), limit=2)
    rest = await log.page(CallFilter(), limit=2, before=first.next)
    assert [listed.call.call_id for listed in first.calls + rest.calls] == ["call-2", "call-1", "call-0"]
    assert [listed.excerpts for listed in first.calls] == [[], []]
    assert rest.next is None
