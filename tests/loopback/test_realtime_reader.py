"""A Realtime model that reads aloud, over real sockets: real speech from the local server, and servers that fail."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any, NoReturn

import pytest

from bot.config import ModelServerConfig
from bot.errors import ConfigError, RequestFailedError, VoiceError
from bot.local.realtime.api import RealtimeOptions
from bot.local.serving import serving
from bot.rehearsal.tone_model import ToneModel
from bot.rehearsal.tone_script import Answer, Fail, Faults, Pause, Stall, Tone
from bot.rehearsal.tone_session import Manner
from bot.speech.links import Spent, whole_sound
from bot.speech.local import LocalTranscriber
from bot.speech.reader import Reader
from bot.speech.reader_settings import Patience
from bot.speech.realtime_reader import RealtimeReader
from media.frame import L16_24K
from tests.support.local_server import BUSINESS
from tests.support.words import word_errors

MODEL = "gpt-realtime-2.1-mini"
SENTENCES = (
    "We are open from Monday to Saturday, and closed on Sunday.",
    "Where did you put the bicycle?",
    "Please tell me your name and your telephone number.",
)


@asynccontextmanager
async def reader(base_url: str, **settings: Any) -> AsyncIterator[RealtimeReader]:
    made = RealtimeReader(ModelServerConfig(base_url=base_url, api_key="sk-test"), MODEL, **settings)
    try:
        await made.start()
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def tones(
    script: Sequence[Answer] = (), faults: Faults | Sequence[Faults] = (), manner: Manner | None = None, **settings: Any
) -> AsyncIterator[tuple[RealtimeReader, ToneModel]]:
    """A reader of a model that reads one sentence at a time, as some servers do."""
    async with (
        ToneModel(script=script, faults=faults, manner=manner) as model,
        reader(model.base_url, **settings) as made,
    ):
        yield made, model


async def listen(made: RealtimeReader, text: str, heard: bytearray) -> None:
    async for piece in made.speak(text):
        heard += piece if isinstance(piece, bytes) else b""


# -- real speech ------------------------------------------------------------------------------------------------------


async def test_several_sentences_at_once_come_back_word_for_word():
    transcriber = LocalTranscriber()
    await transcriber.start()
    async with serving(BUSINESS) as url, reader(url) as made:
        sounds = await asyncio.gather(*(whole_sound(made, text) for text in SENTENCES))
        for text, sound in zip(SENTENCES, sounds, strict=True):
            heard = await transcriber.transcribe(sound, rate_hz=made.rate_hz)
            wrong, words = word_errors(text, heard.text)
            assert wrong <= words // 4, heard.text
    await transcriber.close()
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_sound_is_handed_on_while_the_rest_is_made_and_its_cost_is_told():
    async with serving(BUSINESS) as url, reader(url, speed=1.5) as made:
        pieces = [piece async for piece in made.speak(SENTENCES[0])]
    *sound, spent = pieces
    assert len(sound) > 5
    assert isinstance(spent, Spent)
    assert (spent.model, spent.usd > 0) == (MODEL, True)
    length_ms = L16_24K.ms(sum(len(piece) for piece in sound if isinstance(piece, bytes)))
    assert spent.tokens["audio_out"] == pytest.approx(length_ms / 50, abs=1)
    assert 1000 < length_ms < 2800


async def test_sessions_that_end_again_and_again_leave_no_sentence_unread():
    options = RealtimeOptions(session_s=2.0)
    async with serving(BUSINESS, realtime=options) as url, reader(url) as made:
        until = asyncio.get_running_loop().time() + 5.0
        while asyncio.get_running_loop().time() < until:
            assert await whole_sound(made, "Yes.")


# -- a server that reads one at a time --------------------------------------------------------------------------------


async def test_where_sentences_must_take_turns_further_sessions_read_them_at_the_same_time():
    script = [Tone(1000, text="One."), Tone(1000, text="One.")]
    async with tones(script, manner=Manner(pace=2.0)) as (made, model):
        started_at = asyncio.get_running_loop().time()
        sounds = await asyncio.gather(*(whole_sound(made, "One.") for _ in range(3)))
        took_s = asyncio.get_running_loop().time() - started_at
    assert [L16_24K.ms(len(sound)) for sound in sounds] == [1000] * 3
    assert len(model.sessions) == 3
    assert took_s < 0.9  # half a second each


async def test_who_stops_listening_has_the_rest_called_off_and_others_go_on():
    script = [Tone(4000, text="A long one."), Tone(500, text="A short one.")]
    async with tones(script, manner=Manner(pace=2.0)) as (made, model):
        async with aclosing(made.speak("A long one.")) as pieces:
            assert isinstance(await anext(pieces), bytes)
        assert L16_24K.ms(len(await whole_sound(made, "A short one."))) == 500
    [session] = model.sessions
    assert [reply.status for reply in session.replies] == ["cancelled", "completed"]
    [cancel] = session.sent("response.cancel")
    assert cancel["response_id"] == session.replies[0].response_id


async def test_a_task_that_is_cancelled_cancels_what_it_was_having_read():
    async with tones([Tone(4000)], manner=Manner(pace=2.0)) as (made, model):
        task = asyncio.create_task(whole_sound(made, "A long one."))
        connection = await model.connection()
        await connection.until(lambda session: session.replies and session.replies[0].sounded_at)
        task.cancel()
        async with asyncio.timeout(2):
            await connection.until(lambda session: session.replies[0].status == "cancelled")
        with pytest.raises(asyncio.CancelledError):
            await task


# -- what goes wrong --------------------------------------------------------------------------------------------------


async def test_a_socket_that_is_cut_before_any_sound_is_not_noticed():
    async with tones([[Pause(200), Tone(800)]]) as (made, model):
        connection = await model.connection()
        speaking = asyncio.create_task(whole_sound(made, "Well."))
        await connection.until(lambda session: session.replies)
        connection.cut()
        async with asyncio.timeout(5):
            assert L16_24K.ms(len(await speaking)) == 800
    assert len(model.sessions) == 2


async def test_a_socket_that_is_cut_within_a_sentence_fails_that_one_and_the_next_is_read():
    cut = Faults(cut_after_ms=600)
    async with tones([Tone(2000)], [cut], Manner(pace=4.0)) as (made, model):
        heard = bytearray()
        with pytest.raises(RequestFailedError, match=r"the socket broke; check openai\.base_url"):
            await listen(made, "It is cut.", heard)
        assert L16_24K.ms(len(heard)) == 600
        async with asyncio.timeout(5):
            assert await whole_sound(made, "It is not.")
    assert len(model.sessions) == 2


async def test_a_session_that_says_nothing_more_is_replaced():
    patience = Patience(stall_s=0.6)
    script = lambda number: [Tone(400)] if number else [Stall()]  # noqa: E731
    async with ToneModel(script=script) as model, reader(model.base_url, patience=patience) as made:
        async with asyncio.timeout(5):
            assert L16_24K.ms(len(await whole_sound(made, "Well."))) == 400
        assert len(model.sessions) == 2


async def test_an_expiring_session_is_replaced_ahead_of_its_end_and_every_sentence_is_read():
    patience = Patience(renew_before_s=1.0)
    script, manner = [Tone(400, text="Another one.")] * 50, Manner(pace=2.0)
    async with tones(script, [Faults(expires_in_s=2.0)], manner, patience=patience) as (made, model):
        first = await model.connection()
        read = 0
        async with asyncio.timeout(5):
            while not first.ended.is_set():
                assert L16_24K.ms(len(await whole_sound(made, "Another one."))) == 400
                read += 1
    by_session = [len(session.replies) for session in model.sessions]
    assert (len(by_session), sum(by_session)) == (2, read)
    assert all(by_session)
    assert first.close_code == 1000  # we have closed it, long before its time was up


async def test_an_account_without_credit_fails_at_once_and_says_what_to_do():
    async with tones([Fail("insufficient_quota", "You exceeded your current quota.")]) as (made, model):
        with pytest.raises(RequestFailedError, match="add credit to the account") as failed:
            await whole_sound(made, "Well.")
    assert (failed.value.is_fatal, failed.value.code) == (True, "insufficient_quota")
    assert len(model.sessions[0].replies) == 1


async def test_a_busy_server_is_asked_once_more():
    async with tones([Fail("rate_limit_exceeded"), Tone(400)]) as (made, _):
        assert L16_24K.ms(len(await whole_sound(made, "Well."))) == 400


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        (Faults(has_bad_key=True), r"invalid_api_key: .*; set openai\.api_key"),
        (Faults(status=401), r"HTTP 401; set openai\.api_key"),
        (Faults(status=404), r"HTTP 404; see chained\.speaker"),
        (Faults(update_error="invalid_value"), "invalid_value: .*; see chained.speaker_voice"),
    ],
)
async def test_a_session_that_cannot_be_had_stops_the_start_and_says_what_to_change(faults: Faults, told: str):
    with pytest.raises(VoiceError, match=told):
        async with tones([], faults=faults):
            pass


async def test_a_server_that_is_out_of_reach_stops_no_start_and_is_asked_when_there_is_something_to_say():
    patience = Patience(reconnect_s=0.3)
    async with tones([], faults=[Faults(status=503)] * 3, patience=patience) as (made, model):
        model.coming.clear()
        async with asyncio.timeout(5):
            assert await whole_sound(made, "Well.")


async def test_a_bug_is_met_by_who_waits_and_the_next_sentence_is_read(monkeypatch: pytest.MonkeyPatch):
    def break_down(*_: object) -> NoReturn:
        raise ZeroDivisionError

    async with tones() as (made, _):
        with monkeypatch.context() as broken:
            broken.setattr(Reader, "receive", break_down)
            with pytest.raises(ZeroDivisionError):
                await whole_sound(made, "We are open today.")
        assert await whole_sound(made, "We are open today.")


@pytest.mark.parametrize("speed", [0.2, 1.6, float("nan")])
def test_a_speed_that_no_session_takes_is_refused(speed: float):
    with pytest.raises(ConfigError, match=r"speaker_speed must be 0\.25 to 1\.5"):
        RealtimeReader(ModelServerConfig(base_url="http://localhost/v1"), MODEL, speed=speed)


def test_a_model_for_something_else_is_refused_with_those_that_can():
    with pytest.raises(ConfigError, match=r"'gpt-4o-mini-tts' cannot be a reader: .*gpt-realtime-2\.1"):
        RealtimeReader(ModelServerConfig(base_url="http://localhost/v1"), "gpt-4o-mini-tts")
