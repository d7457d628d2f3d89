"""People's recordings through whole calls, with the local models: what is understood, said, and written down."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.calllog.store import CallLog
from bot.config import Config, StorageConfig
from bot.local import models
from bot.local.whisper import Whisper
from bot.rehearsal.audio import load_pcm
from bot.rehearsal.caller import HangUp, Interrupt, Say, ScriptedCaller, Wait, WaitForReply
from bot.rehearsal.report import CallReport
from bot.rehearsal.stage import Stage, stage
from bot.rehearsal.studio import CallerVoice
from bot.rehearsal.twilio import place_call
from tests.support.words import word_errors

pytestmark = pytest.mark.asyncio(loop_scope="module")

PEOPLE = (
    "ls-1272-128104-0000", "ls-1995-1837-0001", "ls-3331-159605-0005", "ls-2033-164914-0004", "ls-2414-128291-0007",
    "harvard-spk1_snt1", "harvard-spk1_snt3", "vctk-p225-016", "vctk-p227-024", "arctic-aew_a0003",
)  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def there(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The sample business on the local models, loaded once."""
    folder = tmp_path_factory.mktemp("local")
    storage = StorageConfig(database=f"sqlite+aiosqlite:///{folder}/log.db", recordings=str(folder / "recordings"))
    async with stage(Config(storage=storage)) as running:
        yield running


async def dial(there: Stage, *steps: object) -> CallReport:
    caller = ScriptedCaller([*steps], noise_dbfs=-65.0)  # type: ignore[list-item]
    return await place_call(
        there.url, caller, auth_token=there.auth_token, account_sid=there.account_sid, api=there.api, max_s=60
    )


async def details(there: Stage, report: CallReport):  # type: ignore[no-untyped-def]
    """What the call log holds of a call."""
    await asyncio.wait_for(there.service.supervisor.empty(), 15)
    await there.service.feed.flush()
    log = await CallLog.open(there.service.config.storage.database)
    try:
        for summary in await log.list_calls():
            if summary.carrier_call_id == report.call_sid:
                return await log.get_call(summary.call_id)
    finally:
        await log.close()
    raise AssertionError("the call is not in the log")


async def test_ten_people_are_understood_on_the_telephone_as_well_as_from_their_files(there: Stage, data: Path):
    files = json.loads((data / "manifest.json").read_text())["files"]
    transcripts = {entry["file"]: entry.get("transcript", "") for entry in files}
    whisper = Whisper(models.whisper_folder("whisper-tiny.en"))
    on_file = on_phone = words = 0
    paths = [data / "speech-en" / f"{name}.flac" for name in PEOPLE]
    reports = await asyncio.gather(
        *(dial(there, WaitForReply(), Say(path), Wait(1500), WaitForReply(timeout_s=3), HangUp()) for path in paths)
    )
    for path, report in zip(paths, reports, strict=True):
        truth = transcripts[f"speech-en/{path.name}"]
        call = await details(there, report)
        said = " ".join(turn.text for turn in call.turns if turn.role == "caller")
        errors, count = word_errors(truth, said)
        on_phone, words = on_phone + errors, words + count
        on_file += word_errors(truth, whisper.transcribe(samples_16k(path)).text)[0]
    assert words > 100
    assert on_phone / words <= on_file / words + 0.03


async def test_a_question_an_interruption_a_message_and_a_goodbye(there: Stage):
    voice = CallerVoice(there.speaker)
    report = await dial(
        there,
        WaitForReply(),
        Say(await voice.say("How much does a bike service cost?")),
        Interrupt(1500, await voice.say("Sorry, what are your opening hours?")),
        WaitForReply(),
        Say(await voice.say("Can you paint my bicycle purple?")),
        WaitForReply(quiet_ms=900),
        Say(await voice.say("Yes, please.")),
        WaitForReply(quiet_ms=900),
        Say(await voice.say("This is Maria. Please call me back tomorrow.")),
        WaitForReply(quiet_ms=900),
        Say(await voice.say("No, that's all. Thank you, goodbye.")),
    )
    assert (report.ended_by, report.errors, report.late_audio_ms, report.gap_ms) == ("bot", (), 0, 0)
    assert report.unheard_ms == 0
    call = await details(there, report)
    bot = [turn for turn in call.turns if turn.role == "bot"]
    assert any(turn.interrupted and turn.heard_text and turn.heard_text != turn.text for turn in bot)
    spoken = " ".join(turn.heard_text or "" for turn in bot)
    assert "nine to six, Monday to Saturday" in spoken
    assert "Goodbye" in spoken
    [message] = call.messages
    assert "Maria" in message.text
    assert call.call.end_reason == "bot_hung_up"


async def test_a_cough_over_a_reply_does_not_end_it(there: Stage, data: Path):
    voice = CallerVoice(there.speaker)
    cough = load_pcm(data / "noise" / "cough.wav")
    report = await dial(
        there, WaitForReply(), Say(await voice.say("What are your opening hours?")), Interrupt(900, cough),
        WaitForReply(quiet_ms=2500), HangUp(),
    )  # fmt: skip
    call = await details(there, report)
    spoken = " ".join(turn.heard_text or "" for turn in call.turns if turn.role == "bot")
    assert spoken.endswith("Saturday.")
    assert [turn.text for turn in call.turns if turn.role == "caller"][1:] == []


def samples_16k(path: Path):  # type: ignore[no-untyped-def]
    import soundfile
    from scipy.signal import resample_poly

    samples, rate = soundfile.read(path, dtype="float32")
    return resample_poly(samples, 16000, rate).astype("float32") if rate != 16000 else samples
