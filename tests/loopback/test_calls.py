"""Whole calls over loopback: webhook, socket, tones for a voice, call log and recording."""

import asyncio
from pathlib import Path

import pytest

from bot.calllog.store import CallLog
from bot.rehearsal.caller import HangUp, Interrupt, Press, Say, ScriptedCaller, Wait, WaitForReply
from bot.rehearsal.line import Line
from bot.rehearsal.report import CallReport
from bot.rehearsal.stage import Stage, stage
from bot.rehearsal.twilio import place_call
from tests.support.starved import starving
from tests.support.tones import TOKEN, channels, speech, tones_config
from tests.support.virtual_call import loud_spans


async def dial(there: Stage, *steps: object, line: Line | None = None, max_s: float = 30.0) -> CallReport:
    report = await place_call(
        there.url,
        ScriptedCaller([*steps]),  # type: ignore[list-item]
        auth_token=there.auth_token,
        account_sid=there.account_sid,
        api=there.api,
        line=line,
        max_s=max_s,
    )
    await asyncio.wait_for(there.service.supervisor.empty(), 15)
    return report


async def call_begun(there: Stage) -> None:
    """Wait until a call is under way."""
    begun = asyncio.Event()
    with there.service.feed.watched_by(lambda _: begun.set()):
        await asyncio.wait_for(begun.wait(), 10)


async def logged(there: Stage) -> list:
    """Every call in the log, whole."""
    async with asyncio.timeout(5):
        reader = await CallLog.open(there.service.config.storage.database)
    try:
        return [await reader.get_call(summary.call_id) for summary in await reader.list_calls()]
    finally:
        await reader.close()


def recording(there: Stage) -> Path:
    [path] = Path(there.service.config.storage.recordings).glob("*.wav")
    return path


async def test_a_caller_is_greeted_answered_and_can_hang_up(there: Stage):
    report = await dial(there, WaitForReply(), Say(speech(1000)), WaitForReply(), HangUp())
    assert (report.outcome, report.ended_by, report.errors) == ("answered", "caller", ())
    assert report.greeting_ms is not None
    assert report.greeting_ms <= 300
    assert len(report.reply_delays_ms) == 1
    assert 500 <= report.reply_delays_ms[0] <= 900
    assert report.gap_ms == 0


async def test_speaking_over_a_reply_silences_it_and_nothing_of_it_comes_late(there: Stage):
    report = await dial(there, WaitForReply(), Say(speech(800)), Interrupt(700, speech(1200)), WaitForReply(), HangUp())
    [clear] = report.clears
    assert clear.dropped_ms > 0
    assert report.late_audio_ms == 0
    _, cut, answer = report.stretches
    assert 700 <= cut.end_ms - cut.start_ms <= 1100
    assert answer.end_ms - answer.start_ms == pytest.approx(2000, abs=25)


@pytest.mark.parametrize("line", [Line(), Line(delay_ms=60, jitter_ms=40, seed=7)])
async def test_the_recording_is_what_the_ear_had_to_the_frame(there: Stage, line: Line):
    steps = (WaitForReply(), Say(speech(800)), Interrupt(700, speech(1200)), WaitForReply(), HangUp())
    async with starving() as starved:
        report = await dial(there, *steps, line=line)
    caller, bot = channels(recording(there))
    heard_ms = [tuple(stretch) for stretch in report.stretches]
    within = 25 + line.jitter_ms / 2  # a frame, and what one message's luck can do
    assert loud_spans(bot) == [pytest.approx(span, abs=within) for span in heard_ms]
    said_ms = [tuple(stretch) for stretch in report.utterances]
    assert loud_spans(caller, join_ms=400) == [pytest.approx(span, abs=within) for span in said_ms]
    until_closed_ms = 20 + 2 * (line.delay_ms + line.jitter_ms) + starved.ms
    assert len(caller) / 8 == pytest.approx(report.duration_ms, abs=until_closed_ms)


async def test_the_call_log_tells_who_said_what_and_how_much_was_heard(there: Stage):
    await dial(there, WaitForReply(), Say(speech(800)), Interrupt(700, speech(1200)), WaitForReply(), HangUp())
    await there.service.feed.flush()
    [call] = await logged(there)
    assert call.call.end_reason == "caller_hung_up"
    assert [(turn.role, turn.kind) for turn in call.turns] == [
        ("bot", "greeting"), ("caller", "speech"), ("bot", "reply"), ("caller", "speech"), ("bot", "reply"),
    ]  # fmt: skip
    cut = call.turns[2]
    assert cut.interrupted
    assert 600 <= cut.heard_ms <= 1100
    assert cut.generated_ms == pytest.approx(2000, abs=3)
    assert all(turn.reply_ms and turn.endpointing_ms for turn in call.turns if turn.kind == "reply")
    assert [recorded.path for recorded in call.recordings] == [str(recording(there))]


async def test_a_silent_caller_is_asked_twice_and_then_hung_up_on_over_rest(tmp_path: Path):
    async with stage(tones_config(tmp_path, idle_prompt_s=0.6)) as there:
        report = await dial(there, Wait(60_000), max_s=40)
        assert report.ended_by == "bot"
        assert len(report.stretches) == 4
        assert report.unheard_ms == 0  # the last words were heard, not only sent
        assert [(method, status) for method, _, status in there.api.requests] == [("POST", 200)]


async def test_a_call_ends_at_its_longest_length_with_a_word(tmp_path: Path):
    async with stage(tones_config(tmp_path, max_call_s=1.5)) as there:
        report = await dial(there, Wait(60_000), max_s=20)
        assert report.ended_by == "bot"
        assert report.unheard_ms == 0
        assert report.duration_ms < 6000


async def test_keys_are_noted(there: Stage):
    await dial(there, Wait(200), Press("1#"), HangUp())
    await there.service.feed.flush()
    [call] = await logged(there)
    assert [event.data for event in call.events if event.kind == "digit_pressed"] == [{"digit": "1"}, {"digit": "#"}]


async def test_a_line_that_is_cut_without_a_word_ends_the_call(there: Stage):
    report = await dial(there, Wait(60_000), line=Line(close_after_ms=700))
    assert report.ended_by == "network"
    await there.service.feed.flush()
    [call] = await logged(there)
    assert call.call.end_reason == "caller_hung_up"


async def test_lost_and_doubled_frames_leave_the_recording_in_time(there: Stage):
    report = await dial(
        there, WaitForReply(), Say(speech(2000)), WaitForReply(), HangUp(), line=Line(loss=0.05, duplicate=0.05, seed=3)
    )
    caller, _ = channels(recording(there))
    [(start, end)] = loud_spans(caller, join_ms=400)
    assert (start, end) == pytest.approx(tuple(report.utterances[0]), abs=45)


async def test_more_calls_than_lines_hear_that_all_are_busy(tmp_path: Path):
    async with stage(tones_config(tmp_path, max_calls=1)) as there:
        first = asyncio.create_task(dial(there, Wait(2000), HangUp()))
        await call_begun(there)
        refused = await place_call(there.url, ScriptedCaller([]), auth_token=TOKEN, account_sid=there.account_sid)
        assert (refused.outcome, refused.spoken_by_carrier) == ("refused", (there.service.config.bots[0].texts.busy,))
        assert (await first).outcome == "answered"


async def test_a_stopping_service_tells_its_callers_goodbye(there: Stage):
    call = asyncio.create_task(dial(there, Wait(60_000), max_s=20))
    await call_begun(there)
    assert await there.service.supervisor.drain(0.2, 15.0) == 1
    assert len(there.service.supervisor) == 0
    report = await call
    assert report.ended_by == "bot"
    assert report.unheard_ms == 0


async def test_nothing_is_left_of_a_call(there: Stage):
    await dial(there, WaitForReply(), Say(speech(800)), Interrupt(500, speech(600)), HangUp())
    await dial(there, Wait(60_000), line=Line(close_after_ms=300))
    ours = [task for task in asyncio.all_tasks() if "bot/runner.py" in str(task.get_coro().cr_code.co_filename)]
    assert ours == []


async def test_calls_do_not_notice_each_other(there: Stage):
    steps = [WaitForReply(), Say(speech(800)), WaitForReply(), HangUp()]
    reports = await asyncio.gather(
        *(place_call(there.url, ScriptedCaller(steps), auth_token=TOKEN, account_sid=there.account_sid, api=there.api)
          for _ in range(8))
    )  # fmt: skip
    assert {report.outcome for report in reports} == {"answered"}
    assert {len(report.reply_delays_ms) for report in reports} == {1}
    assert sum(report.gap_ms for report in reports) == 0
