"""Whole calls with a realtime voice over loopback: carrier, service and a stand-in model, each with real sockets."""

import asyncio
from pathlib import Path

import pytest

from bot.config import FactConfig
from bot.events import EndReason
from bot.rehearsal.caller import HangUp, Interrupt, Say, ScriptedCaller, Wait, WaitForReply
from bot.rehearsal.line import Line
from bot.rehearsal.report import CallReport
from bot.rehearsal.tone_model import ToneModel
from bot.rehearsal.tone_script import FunctionCall, Tone
from bot.rehearsal.tone_session import Manner
from bot.rehearsal.twilio import place_call
from tests.support.realtime_stage import Scene, scene
from tests.support.tones import TOKEN, speech

UNDERSTOOD = Manner(utterances=("When do you open?", "And on Sundays?", "Thank you.", "Goodbye."))


def heard_of(report: CallReport, reply: int) -> float:
    """How long one stretch of the bot sounded in the ear, in ms."""
    stretch = report.stretches[reply]
    return stretch.end_ms - stretch.start_ms


WAYS = (("pcm", "server_vad"), ("pcmu", "server_vad"), ("pcma", "semantic_vad"), ("pcm", "local"), ("pcmu", "local"))
"""What the model hears and speaks, and who decides when the caller has finished."""


async def test_a_caller_is_answered_and_what_they_cut_short_is_cut_in_the_models_memory(tmp_path: Path):
    async with asyncio.TaskGroup() as calls:
        for number, (audio, turn_detection) in enumerate(WAYS):
            (folder := tmp_path / str(number)).mkdir()
            calls.create_task(conversation(folder, audio, turn_detection))


async def conversation(folder: Path, audio: str, turn_detection: str) -> None:
    model = ToneModel(manner=UNDERSTOOD)
    async with scene(folder, model, audio=audio, turn_detection=turn_detection) as one:
        report = await one.dial(
            WaitForReply(), Say(speech(1000)), WaitForReply(), Say(speech(800)), Interrupt(700, speech(900)),
            WaitForReply(), HangUp(),
        )  # fmt: skip
        call = await one.logged()
        await one.model_is_left_alone()
    assert (report.outcome, report.ended_by, report.errors) == ("answered", "caller", ())
    assert len(report.reply_delays_ms) == 3
    assert max(report.reply_delays_ms) <= 900
    assert (report.gap_ms, report.late_audio_ms) == (0, 0)
    [truncation] = model.sessions[0].truncations
    assert not truncation.is_refused
    assert truncation.audio_end_ms == pytest.approx(heard_of(report, 2), abs=20)
    said = [turn.text for turn in call.turns if turn.role == "caller"]
    assert said == ["When do you open?", "And on Sundays?", "Thank you."]
    assert [turn.role for turn in call.turns] == ["bot", "caller", "bot", "caller", "bot", "caller", "bot"]


async def test_a_truncation_under_jitter_is_what_the_carrier_had_played(tmp_path: Path):
    model = ToneModel()
    async with scene(tmp_path, model) as one:
        report = await one.dial(
            WaitForReply(), Say(speech(800)), Interrupt(1200, speech(900)), WaitForReply(), HangUp(),
            line=Line(delay_ms=40, jitter_ms=40, seed=3),
        )  # fmt: skip
    [truncation] = model.sessions[0].truncations
    assert truncation.audio_end_ms == pytest.approx(heard_of(report, 1), abs=20)


async def test_several_items_of_one_response_are_heard_in_order_and_cut_one_by_one(tmp_path: Path):
    model = ToneModel(script=[[Tone(1500, 440), Tone(1500, 880)]])
    async with scene(tmp_path, model) as one:
        await one.dial(WaitForReply(), Say(speech(800)), Interrupt(900, speech(900)), WaitForReply(), HangUp())
    first, second = model.sessions[0].truncations
    assert 800 <= first.audio_end_ms <= 1400
    assert second.audio_end_ms == 0


async def test_the_session_is_configured_before_the_media_socket_opens(tmp_path: Path):
    model = ToneModel()
    async with scene(tmp_path, model) as one:
        report = await one.dial(Wait(300), HangUp(), line=Line(late_start_ms=200))
        session = model.sessions[0]
    assert report.outcome == "answered"
    assert session.events[0]["type"] == "session.update"
    assert [event["type"] for event in session.events].count("response.create") == 0


async def test_a_call_that_never_comes_costs_nothing_and_leaves_nothing(tmp_path: Path):
    model = ToneModel()
    async with scene(tmp_path, model) as one:
        report = await place_call(
            one.there.url, ScriptedCaller([HangUp()]), auth_token=one.there.auth_token,
            account_sid=one.there.account_sid, line=Line(close_after_ms=0), max_s=5,
        )  # fmt: skip
        assert report.outcome in ("answered", "failed")
        await one.model_is_left_alone()
    assert [event["type"] for event in model.sessions[0].events if event["type"] == "response.create"] == []


async def test_the_model_can_say_the_greeting_itself(tmp_path: Path):
    model = ToneModel(script=[Tone(900, 500, "Good morning!")])
    async with scene(tmp_path, model, greeting="model", bot={}) as one:
        report = await one.dial(WaitForReply(), HangUp())
        call = await one.logged()
    assert report.greeting_ms is not None
    assert report.greeting_ms <= 300
    assert call.turns[0].text == "Good morning!"
    [create] = [event for event in model.sessions[0].events if event["type"] == "response.create"]
    assert create["response"]["instructions"].startswith("Say exactly this, word for word:")


# -- tools -----------------------------------------------------------------------------------------------------


async def test_the_bot_hangs_up_when_its_last_words_were_heard(tmp_path: Path):
    model = ToneModel(script=[[Tone(1200, 440, "Goodbye!"), FunctionCall("hang_up")]])
    async with scene(tmp_path, model) as one:
        report = await one.dial(WaitForReply(), Say(speech(800)), WaitForReply(), Wait(5000), HangUp())
        call = await one.logged()
    assert report.ended_by == "bot"
    assert heard_of(report, 1) == pytest.approx(1200, abs=25)
    assert call.call.end_reason == EndReason.BOT_HUNG_UP.value


async def test_a_message_is_kept_and_a_fact_is_looked_up(tmp_path: Path):
    fact = FactConfig(ask=("When are you open?",), answer="We are open from nine to six.")
    model = ToneModel(
        script=[
            [FunctionCall("lookup_fact", {"question": "When are you open?"})],
            Tone(800, 440),
            [FunctionCall("take_message", {"message": "Please call Ann.", "callback_number": "+15550009999"})],
            Tone(800, 440),
        ]
    )
    async with scene(tmp_path, model, bot={"facts": (fact,)}) as one:
        await one.dial(WaitForReply(), Say(speech(800)), WaitForReply(), Say(speech(800)), WaitForReply(), HangUp())
        call = await one.logged()
    outputs = [event["item"]["output"] for event in model.sessions[0].events if "output" in event.get("item", {})]
    assert "We are open from nine to six." in outputs[0]
    assert outputs[1] == "kept"
    assert [message.text for message in call.messages] == ["Please call Ann. — +15550009999"]


async def test_calls_at_once_do_not_mix(tmp_path: Path):
    model = ToneModel(script=lambda number: [Tone(1000, 300 + 100 * number)] * 3)
    async with scene(tmp_path, model) as one:
        steps = (WaitForReply(), Say(speech(800)), WaitForReply(), HangUp())
        reports = await asyncio.gather(*(self_dial(one, *steps) for _ in range(5)))
        await asyncio.wait_for(one.there.service.supervisor.empty(), 15)
    assert [len(report.reply_delays_ms) for report in reports] == [1] * 5
    assert len(model.sessions) == 5


async def self_dial(one: Scene, *steps: object) -> CallReport:
    return await place_call(
        one.there.url, ScriptedCaller([*steps]), auth_token=TOKEN, account_sid=one.there.account_sid, max_s=20
    )  # fmt: skip
