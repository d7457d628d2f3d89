"""When each word of a call was said is found in its recording: real people's speech, the real model."""

import pytest

from bot.analysis.call_words import Order, SaidTurn
from bot.analysis.word_finding import matched, words_of_call
from bot.errors import VoiceError
from bot.local.models import whisper_folder
from tests.support import read_aloud

TOLERANCE_MS = 250
MODEL = "whisper-tiny.en"


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    path = tmp_path_factory.mktemp("recordings") / "call.wav"
    read_aloud.write_recording(path)
    return path


def order(recording, *turns, language="en"):
    return Order(str(recording), MODEL, language, list(turns))


def said(index=0, **changes):
    turn = read_aloud.turns()[index]
    facts = {"role": turn.role, "from_ms": turn.from_ms, "to_ms": turn.to_ms, "text": turn.text}
    return SaidTurn(index=index, **(facts | changes))


def test_words_are_found_where_they_are_said(recording):
    turns = read_aloud.turns()
    found = list(words_of_call(order(recording, *map(said, range(len(turns))))))
    for turn, words in zip(turns, found, strict=True):
        written = [turn.text[word.letter : word.letter + word.letters] for word in words.words]
        assert written == turn.text.split()
        begins_ms = {word.letter: word.from_ms for word in words.words}
        for reading in turn.readings:
            assert begins_ms[reading.letter] == pytest.approx(reading.begin_ms, abs=TOLERANCE_MS)


def test_words_follow_each_other(recording):
    [found] = words_of_call(order(recording, said(1)))
    times = [at for word in found.words for at in (word.from_ms, word.to_ms)]
    assert times == sorted(times)
    assert said(1).from_ms - 300 < times[0] < times[-1] < said(1).to_ms + 300


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "The weather in the mountains was not at all what we expected."},  # of something else
        {"role": "caller"},  # who was silent
        {"text": "word " * 1000},
        {"from_ms": 10_000_000, "to_ms": 10_001_000},  # after the recording's end
        {"text": "\u202e\x07<b>\x00"},
    ],
)
def test_what_was_not_said_has_no_times(recording, changes):
    [found] = words_of_call(order(recording, said(**changes)))
    assert found.words == []


def test_a_turn_longer_than_the_model_hears_at_once_has_times_too(recording, tmp_path):
    """The bot's two turns as one: between them the caller speaks, on the other channel."""
    first, last = said(0), said(2)
    text = f"{first.text} {last.text}"
    [found] = words_of_call(order(recording, said(0, to_ms=last.to_ms, text=text)))
    begins_ms = {word.letter: word.from_ms for word in found.words}
    for turn, offset in ((read_aloud.turns()[0], 0), (read_aloud.turns()[2], len(first.text) + 1)):
        for reading in turn.readings:
            assert begins_ms[offset + reading.letter] == pytest.approx(reading.begin_ms, abs=2 * TOLERANCE_MS)


def test_a_language_that_the_model_does_not_know_does_not_stop_it(recording):
    [found] = words_of_call(order(recording, said(0), language="tlh"))
    assert found.words


def test_a_recording_that_is_none_is_told(tmp_path):
    (tmp_path / "call.wav").write_bytes(b"RIFF")
    with pytest.raises(VoiceError, match=r"cannot read .*call\.wav"):
        list(words_of_call(order(tmp_path / "call.wav", said())))
    assert whisper_folder(MODEL).is_dir()


@pytest.mark.parametrize(
    ("heard", "times"),
    [
        ([("We", 1, 2), ("open", 2, 3), ("at", 3, 4), ("nine.", 4, 5)], [(1, 2), (2, 3), (3, 4), (4, 5)]),
        ([("we", 1, 2), ("OPEN!", 2, 3), ("mine", 4, 5)], [(1, 2), (2, 3), (3, 3.5714), (3.5714, 5)]),
        ([("well", 0.5, 1), ("open", 2, 3), ("at", 3, 4), ("nine", 4, 5)], [(0.5, 2), (2, 3), (3, 4), (4, 5)]),
        ([("goodbye", 1, 2)], []),
        ([], []),
    ],
    ids=["as written", "the end otherwise", "the beginning otherwise", "something else", "nothing"],
)
def test_words_that_were_heard_otherwise_share_the_time_between_their_neighbours(heard, times):
    found = matched("We open at nine.", heard)
    assert [(word.start_s, word.end_s) for word in found] == [pytest.approx(time, abs=0.001) for time in times]
    assert [word.letter for word in found] == ([0, 3, 8, 11] if times else [])
