"""What the input buffer holds, and what it lets go."""

from bot.local.realtime.ear import LONGEST_TURN_MS, Ear
from media.endpointing import SpeechStarted, UtteranceEnded
from media.frame import L16_8K, L16_24K, PCMU_8K
from tests.support.tones import speech

SECOND = bytes(16_000)


def listening(hangover_ms: int = 400) -> Ear:
    ear = Ear()
    ear.listen(0.5, 300, hangover_ms)
    return ear


def test_milliseconds_go_on_over_commits_and_changes_of_format():
    ear = Ear()
    ear.hear(bytes(8000), PCMU_8K)
    ear.take_all()
    ear.hear(bytes(48_000), L16_24K)
    assert (ear.position_ms, ear.buffered_ms) == (2000, 1000)


def test_an_hour_of_silence_is_not_kept():
    ear = listening()
    for _ in range(100):
        ear.hear(SECOND, L16_8K)
    assert ear.position_ms == 100_000
    assert ear.buffered_ms <= 20_000


def test_an_utterance_that_was_taken_leaves_what_came_after_it():
    ear = listening()
    sound = SECOND + speech(800) + 3 * SECOND
    found = ear.hear(sound, L16_8K)
    started, *_, ended = found
    assert isinstance(started, SpeechStarted)
    assert isinstance(ended, UtteranceEnded)
    ear.take_until(ended.end_ms + ear.hangover_ms)
    assert ear.position_ms == 4800
    assert 2000 < ear.buffered_ms < 4800 - ended.end_ms
    assert len(ended.pcm) / 16 > 800


def test_settings_that_change_nothing_do_not_end_the_speech_under_way():
    ear = listening(400)
    ear.hear(speech(600), L16_8K)
    assert not ear.listen(0.5, 300, 400)
    assert any(isinstance(event, UtteranceEnded) for event in ear.hear(SECOND, L16_8K))
    assert ear.listen(0.5, 300, 900)


def test_there_is_room_for_a_turn_of_ten_minutes():
    ear = Ear()
    for _ in range(LONGEST_TURN_MS // 1000):
        assert ear.has_room(len(SECOND), L16_8K)
        ear.hear(SECOND, L16_8K)
    assert not ear.has_room(len(SECOND), L16_8K)
    ear.forget()
    assert ear.has_room(len(SECOND), L16_8K)
