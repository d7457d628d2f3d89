import numpy as np
import pytest

from bot.rehearsal.caller import HangUp, Interrupt, Press, Say, ScriptedCaller, Step, Wait, WaitForReply
from bot.rehearsal.sound import Stretch
from media.g711 import decode_ulaw, encode_ulaw
from media.level import tone

SILENCE = b"\xff" * 160
BOT = encode_ulaw(tone(440, 20, 8000))


class Telephone:
    """Holds a caller's ear and mouth, frame by frame; time is the number of frames."""

    def __init__(self, *steps: Step, **options) -> None:
        self.caller = ScriptedCaller(steps, **options)
        self.at_ms = 0
        self.pressed: list[tuple[int, str]] = []

    def hears(self, payload: bytes, ms: int) -> bytes:
        """What the caller says meanwhile; stops when it hangs up."""
        said = b""
        for _ in range(ms // 20):
            self.pressed += [(self.at_ms, key) for key in self.caller.keys(self.at_ms)]
            frame = self.caller.frame(self.at_ms)
            if frame is None:
                return said
            assert len(frame) == 160
            said += frame
            self.caller.hear(self.at_ms, payload)
            self.at_ms += 20
        return said

    def begun(self) -> list[int]:
        return [taken.start_ms for taken in self.caller.taken]


def test_speech_is_said_to_the_sample_and_its_last_frame_filled_with_silence():
    words = tone(300, 50, 8000)
    telephone = Telephone(Say(words), HangUp())
    assert telephone.hears(SILENCE, 1000) == encode_ulaw(words) + b"\xff" * 80
    assert telephone.at_ms == 60


def test_a_caller_with_nothing_left_to_do_stays_on_the_line_in_silence():
    telephone = Telephone(Wait(40))
    assert telephone.hears(SILENCE, 500) == b"\xff" * 4000


def test_a_reply_is_over_when_the_bot_has_been_quiet_long_enough():
    telephone = Telephone(WaitForReply(quiet_ms=300), HangUp())
    telephone.hears(SILENCE, 400)
    telephone.hears(BOT, 200)
    telephone.hears(SILENCE, 200)
    telephone.hears(BOT, 100)  # it went on
    telephone.hears(SILENCE, 1000)
    assert telephone.at_ms == 900 + 300


def test_what_the_bot_says_while_the_caller_still_speaks_is_no_reply_to_it():
    telephone = Telephone(Say(tone(300, 400, 8000)), WaitForReply(quiet_ms=100), HangUp())
    telephone.hears(BOT, 300)
    telephone.hears(SILENCE, 500)
    assert telephone.at_ms == 800
    telephone.hears(BOT, 100)
    telephone.hears(SILENCE, 1000)
    assert telephone.at_ms == 1000


def test_a_caller_does_not_wait_for_ever():
    telephone = Telephone(WaitForReply(timeout_s=0.5), HangUp())
    telephone.hears(SILENCE, 2000)
    assert telephone.at_ms == 500
    assert telephone.caller.taken[0].timed_out


def test_an_interruption_begins_so_long_into_the_bots_speech():
    telephone = Telephone(Interrupt(200, tone(300, 100, 8000)), HangUp())
    telephone.hears(SILENCE, 300)
    telephone.hears(BOT, 600)
    [spoken] = telephone.caller.utterances()
    assert spoken.start_ms == pytest.approx(500, abs=25)
    assert telephone.at_ms == 620


def test_a_bot_that_stops_too_soon_is_interrupted_the_next_time():
    telephone = Telephone(Interrupt(500, tone(300, 20, 8000)), HangUp())
    telephone.hears(BOT, 200)
    telephone.hears(SILENCE, 600)
    telephone.hears(BOT, 1000)
    [spoken] = telephone.caller.utterances()
    assert spoken.start_ms == pytest.approx(1300, abs=25)


def test_an_interruption_that_finds_nothing_to_interrupt_is_left_out():
    telephone = Telephone(Interrupt(200, tone(300, 100, 8000), timeout_s=0.4), HangUp())
    telephone.hears(SILENCE, 1000)
    assert telephone.at_ms == 400
    assert telephone.caller.taken[0].timed_out
    assert telephone.caller.utterances() == []


def test_keys_are_pressed_one_after_the_other():
    telephone = Telephone(Wait(100), Press("12#"), HangUp())
    telephone.hears(SILENCE, 2000)
    assert telephone.pressed == [(100, "1"), (300, "2"), (500, "#")]
    assert telephone.at_ms == 700


def test_steps_are_noted_with_their_times():
    telephone = Telephone(Wait(100), Say(tone(300, 100, 8000), "hello"), Press("1"), HangUp())
    telephone.hears(SILENCE, 2000)
    assert telephone.begun() == [0, 100, 200, 400]
    assert [taken.end_ms for taken in telephone.caller.taken] == [100, 200, 400, 400]


def test_an_utterance_reaches_from_its_first_to_its_last_sound_not_over_its_silence():
    pause = bytes(2 * 8 * 100)
    telephone = Telephone(Say(pause + tone(1000, 100, 8000) + pause), HangUp())
    telephone.hears(SILENCE, 1000)
    [spoken] = telephone.caller.utterances()
    assert tuple(spoken) == pytest.approx((100, 200), abs=1)


def test_a_recording_can_be_said(data):
    path = data / "signals/dtmf/baresip-1.wav"
    said = Telephone(Say(path), HangUp()).hears(SILENCE, 20_000)
    assert np.abs(np.frombuffer(decode_ulaw(said), "<i2").astype(int)).max() > 1000


def test_between_words_a_line_can_hiss():
    said = Telephone(Wait(2000), noise_dbfs=-50.0).hears(SILENCE, 2000)
    samples = np.frombuffer(decode_ulaw(said), "<i2").astype(float)
    level_dbfs = 20 * np.log10(np.sqrt(np.mean(samples**2)) / 32768)
    assert level_dbfs == pytest.approx(-50, abs=1)


def test_speech_without_sound_counts_as_long_as_it_is():
    telephone = Telephone(Say(bytes(1600)), HangUp())
    telephone.hears(SILENCE, 500)
    assert telephone.caller.utterances() == [Stretch(0, 100)]
