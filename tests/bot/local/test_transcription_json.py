"""Transcripts on the wire: what each shape holds, and how a stream adds up to its end."""

from bot.local.byte_level import token_bytes
from bot.local.transcription import Segment, Token, Transcription, Word
from bot.local.transcription_json import bare, by_duration, by_tokens, deltas, diarized, plain, speakers, verbose


def said(text: str, start_s: float = 0.0, end_s: float = 1.0, channel: int | None = None) -> Segment:
    """A segment in which every word is a token and they share the time evenly."""
    words = [f" {word}" for word in text.split()]
    step = (end_s - start_s) / len(words)
    return Segment(
        "".join(words), start_s, end_s, 0, (1,), 0.0, -0.2, 1.1, 0.01,
        words=tuple(Word(w, start_s + step * n, start_s + step * (n + 1), 0.9) for n, w in enumerate(words)),
        tokens=tuple(Token(word, -0.5, word.encode()) for word in words),
        channel=channel,
    )  # fmt: skip


HEARD = Transcription([said("It's open, now.", 0, 1.5), said("¿Qué?", 2, 2.5)], 8.1, "es")


def test_words_lose_their_punctuation_but_not_their_apostrophes():
    body = verbose(HEARD, "transcribe", ("word",))
    assert [word["word"] for word in body["words"]] == ["It's", "open", "now", "Qué"]
    assert bare(" —") == ""


def test_verbose_names_the_language_and_gives_segments_unless_only_words_are_wanted():
    assert verbose(HEARD, "transcribe", ())["language"] == "spanish"
    assert "words" not in verbose(HEARD, "transcribe", ("segment",))
    assert "segments" not in verbose(HEARD, "transcribe", ("word",))
    assert verbose(HEARD, "translate", ())["language"] == "english"


def test_seconds_are_counted_whole_and_upwards():
    assert by_duration(8.1) == {"type": "duration", "seconds": 9}


def test_tokens_are_those_of_the_prompt_the_sound_and_the_text():
    usage = by_tokens(8.1, 10, HEARD.segments)
    assert usage["input_token_details"] == {"text_tokens": 10, "audio_tokens": 81}
    assert (usage["output_tokens"], usage["total_tokens"]) == (4, 95)


def test_a_text_without_known_tokens_still_counts():
    heard = [Segment(" twelve letters", 0, 1, 0, (), 0, 0, 0, 0)]
    assert by_tokens(1, 0, heard)["output_tokens"] == 4


def test_the_pieces_of_a_stream_are_the_whole_text():
    for segment in (HEARD.segments[0], Segment(" known as words only", 0, 1, 0, (), 0, 0, 0, 0)):
        events = list(deltas(segment, is_first=True, logprobs=True))
        assert "".join(event["delta"] for event in events) == segment.text.strip()
        assert len(events) == len(segment.text.split())


def test_a_token_of_half_a_letter_goes_with_its_word():
    tokens = (Token(" \ufffd", -1, b" \xc3"), Token("\ufffd", -1, b"\xa9"), Token(" x", -1, b" x"))
    segment = Segment(" é x", 0, 1, 0, (), 0, 0, 0, 0, (Word(" é", 0, 0.5, 1), Word(" x", 0.5, 1, 1)), tokens)
    first, second = deltas(segment, is_first=True, logprobs=True)
    assert [token["bytes"] for token in first["logprobs"]] == [[32, 0xC3], [0xA9]]
    assert [token["bytes"] for token in second["logprobs"]] == [[32, 120]]


def test_logprobs_and_languages_come_only_where_they_belong():
    assert set(plain(HEARD, {})) == {"text", "usage"}
    body = plain(HEARD, {}, logprobs=True, languages=True)
    assert body["languages"] == [{"code": "es"}]
    assert body["logprobs"][0] == {"token": " It's", "logprob": -0.5, "bytes": list(b" It's")}
    assert plain(Transcription([], 1, "en"), {}, languages=True)["languages"] == []


def test_speakers_are_letters_in_the_order_in_which_they_speak():
    segments = [said("Hello.", channel=1), said("Hi.", channel=0), said("So.", channel=1)]
    assert speakers(segments, ()) == {1: "A", 0: "B"}
    assert speakers(segments, ("agent",)) == {1: "A", 0: "agent"}
    body = diarized(Transcription(segments, 3, "en"), speakers(segments, ("agent", "customer")))
    assert body["text"] == "customer: Hello.\nagent: Hi.\ncustomer: So."
    assert [segment["id"] for segment in body["segments"]] == ["seg_001", "seg_002", "seg_003"]


def test_tokens_of_the_vocabulary_are_bytes():
    assert token_bytes("Ġthe") == b" the"
    assert token_bytes("Ã©") == "é".encode()
    assert token_bytes("<|日|>") == "<|日|>".encode()
