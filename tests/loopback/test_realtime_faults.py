"""What goes wrong between us and the model, over real sockets.

The caller always hears something sensible soon, the call ends for one reason, and no task or socket is left.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot.config import TransferConfig
from bot.rehearsal.caller import HangUp, Say, Wait, WaitForReply
from bot.rehearsal.report import CallReport
from bot.rehearsal.tone_model import ToneModel
from bot.rehearsal.tone_script import Answer, Complain, Fail, Faults, Pause, Stall, Tone
from bot.rehearsal.tone_session import Manner
from tests.support.realtime_stage import scene
from tests.support.starved import starving
from tests.support.tones import speech

SOON_MS = 2000
GREETING_MS = 38 * 25  # "A greeting of tones, a second long....", at the pace of the voice of tones


@dataclass(frozen=True, slots=True)
class Result:
    """What the caller, the log and the model saw of one call."""

    report: CallReport
    call: Any
    model: ToneModel
    starved_ms: float

    @property
    def kinds(self) -> list[str]:
        """What the bot said, by kind."""
        return [turn.kind for turn in self.call.turns if turn.role == "bot"]

    @property
    def events(self) -> list[str]:
        return [event.kind for event in self.call.events]


@dataclass(frozen=True, slots=True)
class Fault:
    """How the model misbehaves, and what becomes of the call."""

    faults: Faults | Sequence[Faults] = ()
    script: Sequence[Answer] = ()
    manner: Manner = field(default_factory=Manner)
    bot: dict[str, Any] = field(default_factory=dict)
    realtime: dict[str, Any] = field(default_factory=dict)
    ends: str = "caller_hung_up"
    says: Sequence[str] = ("greeting", "reply")
    steps: Sequence[object] = (WaitForReply(), Say(speech(900)), WaitForReply(), Wait(2500), HangUp())


FAULTS = {
    "the socket is cut with the first sound": Fault(
        [Faults(cut_after_ms=0)], says=("greeting", "reply", "reply"),
    ),
    "the socket is cut in the middle of a reply": Fault(
        [Faults(cut_after_ms=800)], manner=Manner(pace=2.0), says=("greeting", "reply", "reply"),
    ),
    "the model is slow": Fault(Faults(delay_ms=2500), says=("greeting", "filler", "reply")),
    "the model never answers": Fault(
        Faults(never_answers=True), realtime={"stall_s": 1.5}, ends="voice_failed",
        says=("greeting", "filler", "apology"),
    ),
    "the model says nothing at all": Fault(
        Faults(is_mute=True), realtime={"connect_timeout_s": 1.0, "reconnect_s": 3.0}, ends="voice_failed",
        says=("greeting", "filler", "apology"), steps=(WaitForReply(), Wait(15_000), HangUp()),
    ),
    "the model stops reading": Fault(
        [Faults(stops_reading_after_ms=1200)], says=("greeting", "filler", "reply"),
        steps=(WaitForReply(), Say(speech(900)), WaitForReply(), WaitForReply(), Wait(1500), HangUp()),
    ),
    "the key is wrong, told after the handshake": Fault(
        Faults(has_bad_key=True), ends="voice_failed", says=("greeting", "apology"), steps=(Wait(9000), HangUp()),
    ),
    "the key is wrong, told by the handshake": Fault(
        Faults(status=401), ends="voice_failed", says=("greeting", "apology"), steps=(Wait(9000), HangUp()),
    ),
    "the model is unknown": Fault(
        Faults(status=404), ends="voice_failed", says=("greeting", "apology"), steps=(Wait(9000), HangUp()),
    ),
    "the service is down for a moment": Fault([Faults(status=503), Faults(status=503)]),
    "the service stays down": Fault(
        Faults(status=503), realtime={"reconnect_s": 2.0}, ends="voice_failed",
        says=("greeting", "filler", "apology"), steps=(Wait(12_000), HangUp()),
    ),
    "a setting is refused": Fault([Faults(update_error="unknown_parameter")], ends="voice_failed",
        says=("greeting", "apology"), steps=(Wait(9000), HangUp())),
    "the account has no money": Fault(
        script=[Fail("insufficient_quota")], ends="voice_failed", says=("greeting", "apology"),
    ),
    "the rate limit is reached once": Fault(script=[Fail("rate_limit_exceeded"), Tone(1000)]),
    "the rate limit stays": Fault(
        script=[Fail("rate_limit_exceeded")] * 3 + [Tone(900)], says=("greeting", "pardon"),
    ),
    "the server fails once": Fault(script=[Fail("server_error", kind="server_error"), Tone(1000)]),
    "an error comes that means little": Fault(script=[[Complain("something_new"), Tone(1000)]]),
    "errors of races come": Fault(script=[[Complain("response_cancel_not_active"), Tone(1000)]]),
    "a response stalls before its sound": Fault(
        script=[Stall()], realtime={"stall_s": 1.8}, says=("greeting", "filler", "reply"),
    ),
    "a response stalls within its sound": Fault(
        script=[[Tone(600), Stall()]], realtime={"stall_s": 1.0}, says=("greeting", "reply", "reply"),
    ),
    "the voice has failed and somebody else takes the call": Fault(
        script=[Fail("insufficient_quota")], ends="transferred", says=("greeting", "transfer"),
        bot={"transfers": {"desk": TransferConfig("+15550003333")}, "fallback_transfer": "desk"},
    ),
}  # fmt: skip


async def meet(folder: Path, fault: Fault) -> Result:
    """One call with this fault."""
    model = ToneModel(
        script=lambda number: fault.script if number == 0 else (), manner=fault.manner, faults=fault.faults
    )
    async with scene(folder, model, bot=fault.bot, **fault.realtime) as one:
        async with starving() as starved:
            report = await one.dial(*fault.steps)
        await one.model_is_left_alone()
        return Result(report, await one.logged(), model, starved.ms)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result | BaseException]:
    """Every fault in a call of its own, a few at a time."""

    async def meet_all() -> dict[str, Result | BaseException]:
        room = asyncio.Semaphore(7)

        async def one(fault: Fault) -> Result:
            async with room:
                return await meet(tmp_path_factory.mktemp("fault"), fault)

        met = await asyncio.gather(*(one(fault) for fault in FAULTS.values()), return_exceptions=True)
        assert [task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
        return dict(zip(FAULTS, met, strict=True))

    return asyncio.run(meet_all())


def of(results: dict[str, Result | BaseException], name: str) -> Result:
    result = results[name]
    if isinstance(result, BaseException):
        raise result
    return result


@pytest.mark.parametrize("name", FAULTS)
def test_the_caller_hears_something_sensible_and_the_call_ends_for_one_reason(
    results: dict[str, Result | BaseException], name: str
) -> None:
    fault, result = FAULTS[name], of(results, name)
    assert result.kinds == list(fault.says)
    assert result.call.call.end_reason == fault.ends


@pytest.mark.parametrize("name", FAULTS)
def test_nobody_waits_in_silence(results: dict[str, Result | BaseException], name: str):
    result = of(results, name)
    report, allowed_ms = result.report, result.starved_ms
    assert report.greeting_ms is not None
    assert report.greeting_ms <= 300 + allowed_ms
    for utterance in report.utterances:
        answers = [stretch.start_ms for stretch in report.stretches if stretch.start_ms >= utterance.end_ms]
        assert answers
        assert min(answers) - utterance.end_ms <= SOON_MS + allowed_ms


async def test_a_session_that_reaches_its_end_is_replaced_inaudibly(tmp_path: Path):
    model = ToneModel(faults=[Faults(expires_in_s=8.0)])
    async with scene(tmp_path, model, renew_before_s=6.0) as one:
        turn = (Say(speech(800)), WaitForReply())
        report = await one.dial(WaitForReply(), *turn, *turn, *turn, HangUp())
        call = await one.logged()
        await one.model_is_left_alone()
    assert len(model.sessions) == 2
    assert len(report.reply_delays_ms) == 3
    assert report.gap_ms == 0
    assert [turn.kind for turn in call.turns if turn.role == "bot"] == ["greeting", "reply", "reply", "reply"]
    created = [event for event in model.sessions[1].events if event["type"] == "conversation.item.create"]
    assert created  # it was told what had been said
    assert model.sessions[1].loud


async def test_a_session_that_is_ended_in_the_middle_of_a_reply_is_taken_up_by_the_next(tmp_path: Path):
    model = ToneModel(script=lambda number: [Tone(1500)] if number else [[Tone(700), Pause(4000), Tone(1500)]],
                      faults=[Faults(expires_in_s=4.0)])  # fmt: skip
    async with scene(tmp_path, model, renew_before_s=0.0) as one:
        await one.dial(WaitForReply(), Say(speech(800)), WaitForReply(), Wait(4500), HangUp())
        call = await one.logged()
        await one.model_is_left_alone()
    assert [turn.kind for turn in call.turns if turn.role == "bot"] in (
        ["greeting", "reply", "reply"],
        ["greeting", "reply", "filler", "reply"],
    )


async def test_one_calls_broken_model_is_not_noticed_by_another(tmp_path: Path):
    model = ToneModel(faults=[Faults(cut_after_ms=300)])
    async with scene(tmp_path, model) as one, starving() as starved:
        steps = (WaitForReply(), Say(speech(800)), WaitForReply(), Wait(1500), HangUp())
        reports = await asyncio.gather(one.dial(*steps), one.dial(*steps))
    assert [report.outcome for report in reports] == ["answered", "answered"]
    assert max(max(report.reply_delays_ms) for report in reports) <= SOON_MS + starved.ms
