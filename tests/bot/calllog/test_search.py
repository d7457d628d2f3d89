"""Calls are found by what was said and by what they are, in any combination, alike in both databases."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.calllog.filters import CallFilter
from bot.calllog.records import TimelineEvent
from bot.calllog.schema import TOP
from bot.calllog.store import CallLog
from tests.support.calls import NOON, ended, message, started, turn


async def write(log, *records):
    for record in records:
        log.write(record)
    await log.flush()


def call(call_id, *said, end=None, at_s=0, **changes):
    """A call that is over, in which the caller and the bot took turns."""
    yield started(call_id, started_at=NOON + timedelta(seconds=at_s), **changes)
    for index, text in enumerate(said):
        is_bot = index % 2 == 1
        yield turn(call_id, index, role="bot" if is_bot else "caller", text=text, heard_text=text if is_bot else None)
    yield ended(call_id, **(end or {}))


async def found(log, **filters):
    return [call.call_id for call in await log.list_calls(CallFilter(**filters))]


@pytest.mark.parametrize(
    ("text", "call_ids"),
    [
        ("saturday", ["later", "hours"]),
        ("SATURDAY open", ["later", "hours"]),
        ("open cake", []),
        ('"open on saturday"', ["hours"]),
        ('"saturday yes"', []),  # one turn ends, another begins
        ("satur*", ["later", "hours"]),
        ("satu* cake*", []),
        ("zzz*", []),
        ("creme brulee", ["cake"]),
        ("Crème brûlée", ["cake"]),
        ("営業", ["japanese"]),
        ("業営", []),
        ("bot reception", []),  # what a call is, is not what was said
        ("_bot_reception", []),
        ("'; DROP TABLE calls --", []),
        ("?", ["japanese", "cake", "later", "hours"]),  # no word at all: nothing is looked for
    ],
)
async def test_calls_are_found_by_what_was_said(log, text, call_ids):
    await write(
        log,
        *call("hours", "Are you open on Saturday?", "Yes, we are open.", at_s=1),
        *call("later", "Saturday, are you", "We open later.", at_s=2),
        *call("cake", "Do you have crème brûlée?", "Sorry, only cake.", at_s=3),
        *call("japanese", "営業時間は?", at_s=4),
    )
    assert await found(log, text=text) == call_ids
    assert await log.count_calls(CallFilter(text=text)) == (len(call_ids), True)


async def test_what_was_generated_but_never_heard_was_not_said(log):
    await write(log, started(), turn(text="We are open until midnight.", heard_text="We are open"), ended())
    assert await found(log, text="open") == ["call-1"]
    assert await found(log, text="midnight") == []


async def test_a_turn_transcribed_after_the_end_is_found(log):
    await write(log, *call("call-1", "hello"))
    assert await found(log, text="goodbye") == []
    await write(log, turn("call-1", 0, role="caller", text="goodbye", heard_text=None))
    assert await found(log, text="goodbye") == ["call-1"]
    assert await found(log, text="hello") == []


async def test_a_live_call_is_found_by_what_it_is_and_not_yet_by_its_words(log):
    await write(log, started("live"), turn("live", 0, text="hello"))
    assert await found(log, bot="reception", carrier="twilio") == ["live"]
    assert await found(log, number_part="555", has_unread_message=False, verdict="none") == ["live"]
    assert await found(log, is_live=True, number_part="555", number="+15550001111") == ["live"]
    assert await found(log, is_live=True, verdict="bad") == await found(log, is_live=True, tag="x") == []
    assert await found(log, text="hello") == await found(log, min_ms=0) == await found(log, flags=("error",)) == []


@pytest.mark.parametrize(
    ("filters", "call_ids"),
    [
        ({"flags": ("error",)}, ["broken"]),
        ({"flags": ("slow_reply",)}, ["slow", "broken"]),
        ({"flags": ("slow_reply", "error")}, ["broken"]),
        ({"flags": ("failed_transfer",)}, ["slow"]),
        ({"flags": ("no_words",)}, ["mute"]),
        ({"flags": ("silence",)}, ["mute"]),
        ({"flags": ("apology",)}, ["broken"]),
        ({"flags": ("gap",)}, ["mute"]),
        ({"tool": "Look Up_1"}, ["slow"]),
        ({"tool": "look"}, []),
        ({"has_unread_message": True}, ["broken"]),
        ({"min_ms": 61_000}, ["mute"]),
        ({"max_ms": 11_999}, ["broken"]),
        ({"min_ms": 12_000, "max_ms": 12_000}, ["slow"]),
        (
            {"since": NOON - timedelta(days=200_000), "until": NOON + timedelta(days=2_000_000)},
            ["mute", "slow", "broken"],
        ),
        ({"min_ms": 50_000, "max_ms": 1_000}, []),
        ({"max_ms": 10**15}, ["mute", "slow", "broken"]),
        ({"bot": "sales", "carrier": "telnyx"}, ["slow"]),
        ({"bot": "sales", "carrier": "twilio"}, []),
        ({"number": "+17770000000", "bot": "sales"}, ["slow"]),
        ({"number_part": "7700", "text": "hello"}, ["slow"]),
        ({"number_part": "7702"}, []),
        ({"verdict": "none"}, ["mute", "slow", "broken"]),
        ({"text": "hello", "flags": ("error",), "bot": "reception", "since": NOON}, ["broken"]),
        ({"text": "hello", "until": NOON + timedelta(seconds=3)}, ["slow", "broken"]),
        ({"text": "hello", "since": NOON + timedelta(seconds=2), "until": NOON + timedelta(seconds=2)}, []),
    ],
)
async def test_any_filters_can_be_combined(log, filters, call_ids):
    await write(
        log,
        started("broken", started_at=NOON + timedelta(seconds=1)),
        turn("broken", 0, role="caller", text="hello", heard_text=None),
        turn("broken", 1, reply_ms=2000, kind="apology"),
        message("broken"),
        TimelineEvent("broken", 5, "voice_failed", {"message": "no"}),
        ended("broken", duration_ms=11_000),
        started(
            "slow",
            bot="sales",
            carrier="telnyx",
            from_number="+17770000000",
            started_at=NOON + timedelta(seconds=2),
        ),
        turn("slow", 0, role="caller", text="hello", heard_text=None),
        turn("slow", 1, reply_ms=5000),
        TimelineEvent("slow", 5, "tool_requested", {"name": "Look Up_1"}),
        TimelineEvent("slow", 6, "transfer_failed", {"message": "busy"}),
        ended("slow"),
        started("mute", started_at=NOON + timedelta(seconds=3)),
        turn("mute", 0, text="Are you still there? Hello?", heard_text="Are you still there? Hello?"),
        TimelineEvent("mute", 5, "no_words", {}),
        ended("mute", end_reason="idle", duration_ms=61_000, counters={"starved_ms": 20}),
    )
    assert await found(log, **filters) == call_ids
    assert await log.count_calls(CallFilter(**filters)) == (len(call_ids), True)


async def test_what_a_call_cost_and_which_tools_it_used_stand_in_the_list(log):
    spent = [TimelineEvent("call-1", at, "tokens_used", {"model": "m", "cost_usd": 0.0025}) for at in (1, 2)]
    asked = [TimelineEvent("call-1", 3, "tool_requested", {"name": name}) for name in ("b", "a", "b")]
    await write(log, started(), *spent, *asked, ended())
    [listed] = await log.list_calls()
    assert (listed.cost_microdollars, listed.tools, listed.flags) == (5000, ["a", "b"], [])


async def test_what_events_hold_by_mistake_spoils_no_call(log):
    odd = [
        {"cost_usd": None},
        {"cost_usd": "much"},
        {"cost_usd": 1e300},
        {"cost_usd": float("nan")},
        {},
        {"cost_usd": 1},
    ]
    spent = [TimelineEvent("call-1", at, "tokens_used", data) for at, data in enumerate(odd)]
    asked = [TimelineEvent("call-1", 9, "tool_requested", {"name": name}) for name in (None, ["a"], "b")]
    await write(log, started(), *spent, *asked, ended())
    [listed] = await log.list_calls(CallFilter(tool="b"))
    assert listed.cost_microdollars == 1_000_000


async def test_pages_of_a_search_hold_every_call_once_in_the_lists_order(log):
    for number in range(30):
        await write(log, *call(f"call-{number:02}", "one word" if number % 3 else "two words", at_s=number * 7 % 30))
    seen, before = [], TOP
    while page := await log.list_calls(CallFilter(text="word"), 4, before):
        seen += page
        before = page[-1].place
        await write(log, *call(f"new-{len(seen)}", "word", at_s=3600 + len(seen)))
    assert len(seen) == len({listed.call_id for listed in seen}) == 20
    assert [listed.started_at for listed in seen] == sorted((listed.started_at for listed in seen), reverse=True)


async def test_calls_are_counted_up_to_a_limit(log):
    for number in range(5):
        await write(log, *call(f"call-{number}", "hello"))
    for filters in (
        CallFilter(),
        CallFilter(text="hello"),
        CallFilter(bot="reception"),
        CallFilter(number="+15550001111"),
    ):
        assert await log.count_calls(filters) == (5, True)
        assert await log.count_calls(filters, limit=3) == (3, False)


HOSTILE = "\0 \ud800 \x1b[31m '; DROP TABLE calls; -- <script> \u202e " + "x" * 100_000


async def test_hostile_words_are_found_and_harm_nothing(log):
    event = TimelineEvent("call-1", 1, "tool_requested", {"name": HOSTILE})
    await write(log, *call("call-1", HOSTILE, HOSTILE, from_number=HOSTILE, bot=HOSTILE, carrier=HOSTILE), event)
    for text in ("script", '"drop table calls"', "x" * 100_000, HOSTILE):
        assert await found(log, text=text) == ["call-1"]
    assert await found(log, number=HOSTILE, bot=HOSTILE, carrier=HOSTILE, tool=HOSTILE) == ["call-1"]
    assert await found(log, bot="'", carrier="'") == []


async def test_a_call_of_more_words_than_an_index_holds_is_kept(log):
    words = " ".join(f"word{number}" for number in range(100_000))
    await write(log, *call("call-1", "hello", words))
    assert await found(log, text="hello") == ["call-1"]
    assert (await log.get_call("call-1")).turns[1].text == words


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.text(max_size=60), bot=st.text(max_size=5), part=st.text(min_size=3, max_size=6))
async def test_nothing_that_is_typed_is_an_error(log: CallLog, text, bot, part):
    await log.list_calls(CallFilter(text=text, bot=bot, number_part=part, tool=bot, tag=bot, flags=(bot,)))
    await log.count_calls(CallFilter(text=f'"{text}" {text}*', number=bot, end_reason=part))


@pytest.mark.parametrize(
    ("text", "call_ids"),
    [
        ('"are you open"', ["open"]),
        ('"you open on"', ["open"]),
        ('"are you open on sunday"', ["open"]),
        ('"are you closed"', ["closed"]),
        ('"are you closed on sunday"', []),  # each three of these words were said
        ('"you closed on sunday"', ["closed"]),
        ('"sunday are"', []),
        ('"on sunday" are', ["closed", "open"]),
        ("open-on", ["open"]),
        ("clo*", ["closed"]),
    ],
)
async def test_a_phrase_is_what_one_turn_has_word_for_word(log, text, call_ids):
    await write(
        log,
        *call("open", "Are you open on Sunday?", "Are you there?", at_s=1),
        *call("closed", "Are you closed?", "You closed on Sunday?", at_s=2),
    )
    assert await found(log, text=text) == call_ids
    assert await log.count_calls(CallFilter(text=text)) == (len(call_ids), True)


@pytest.mark.parametrize(
    ("shortest_s", "longest_s", "lengths_s"),
    [
        (0, 0, [0]),
        (1, 63, [1, 59, 60]),
        (59, 59, [59]),
        (60, None, [60, 64, 3599, 3600, 2_147_483]),
        (3600, None, [3600, 2_147_483]),
        (None, 3599, [0, 1, 59, 60, 64, 3599]),
        (65, 3598, []),
    ],
)
async def test_calls_are_found_by_their_length(log, shortest_s, longest_s, lengths_s):
    for at, length_s in enumerate((0, 1, 59, 60, 64, 3599, 3600, 2_147_483)):
        await write(log, *call(str(length_s), at_s=-at, end={"duration_ms": length_s * 1000}))
    limits = {"min_ms": shortest_s, "max_ms": longest_s}
    filters = {name: seconds * 1000 for name, seconds in limits.items() if seconds is not None}
    assert await found(log, **filters) == list(map(str, lengths_s))


async def test_calls_of_years_are_found_in_the_lists_order(log):
    """However far apart they began, which is how PostgreSQL looks for them."""
    days = [0, 0.01, 0.4, 3, 24, 26, 180, 230, 231, 3000]
    for number, day in enumerate(days):
        await write(log, *call(f"{number}", "hello", at_s=-round(day * 86400)))
    assert await found(log, text="hello") == list(map(str, range(len(days))))
    assert await found(log, text="hello", since=NOON - timedelta(days=25)) == list("01234")
    assert await found(log, text="hello", until=NOON - timedelta(days=25)) == list("56789")
    [third] = [listed for listed in await log.list_calls(CallFilter(text="hello")) if listed.call_id == "3"]
    assert [listed.call_id for listed in await log.list_calls(CallFilter(text="hello"), 3, third.place)] == list("456")


async def test_more_calls_within_an_hour_than_are_read_at_once_are_found_in_order(log, monkeypatch):
    monkeypatch.setattr("bot.calllog.search_postgresql._MANY", 4)
    for number in range(40):
        await write(log, *call(f"{number:02}", "hello" if number % 2 else "bye", at_s=-number * 300))
    assert await found(log, text="hello") == [f"{number:02}" for number in range(1, 40, 2)]
    assert await log.count_calls(CallFilter(text="hello"), limit=7) == (7, False)


@pytest.mark.parametrize(
    ("part", "call_ids"),
    [
        ("000", ["called", "fours", "zeros"]),
        ("0022", ["called", "fours", "zeros"]),
        ("00222", ["called", "fours", "zeros"]),
        ("0002222", ["called", "fours", "zeros"]),
        ("50022", []),  # its parts of three are all there, and it is not
        ("22222", []),
        ("4444", ["fours"]),
        ("+1444", ["fours"]),
        ("14444444444", ["fours"]),
        ("44444444444", []),
        ("7770", ["called"]),
        ("888888", ["called"]),
        ("%", []),
    ],
)
async def test_calls_are_found_by_a_part_of_either_number(log, part, call_ids):
    await write(
        log,
        *call("zeros", "hello", from_number="+19990000000", at_s=1),
        *call("fours", "hello", from_number="+14444444444", at_s=2),
        *call("called", "hello", direction="outbound", from_number="+17770002222", to_number="+18888888888", at_s=3),
    )
    assert await found(log, number_part=part) == call_ids
    assert await log.count_calls(CallFilter(number_part=part)) == (len(call_ids), True)
