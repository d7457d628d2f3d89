"""The transcripts of parts become that of the whole: times, numbers, words, figures and what it cost."""

import pytest

from bot.analysis.joining import Json, PartText, joined, joined_text


def segment(number: int | str, start: float, end: float, text: str, **more: object) -> Json:
    return {"id": number, "start": start, "end": end, "text": text, **more}


def test_texts_stand_one_after_the_other():
    parts = [PartText(0, 10, {"text": "One."}), PartText(10, 20, {"text": ""}), PartText(20, 30, {"text": " Two. "})]
    assert joined(parts) == {"text": "One. Two."}


@pytest.mark.parametrize(
    ("texts", "whole"),
    [
        (["今日は。", "明日も。"], "今日は。明日も。"),
        (["それは", "offhook"], "それは offhook"),
        (["Guten Tag.", "Wie geht's?"], "Guten Tag. Wie geht's?"),
    ],
)
def test_scripts_without_spaces_get_none(texts: list[str], whole: str):
    assert joined_text(texts) == whole


def test_segments_and_words_move_to_their_place_and_are_numbered_anew():
    parts = [
        PartText(
            0.0,
            30.5,
            {
                "duration": 30.5,
                "text": "One.",
                "segments": [segment(0, 0.5, 1.0, " One.", seek=0)],
                "words": [{"word": "One", "start": 0.5, "end": 1.0}],
            },
        ),
        PartText(
            30.5,
            50.0,
            {
                "duration": 19.5,
                "text": "Two.",
                "segments": [segment(0, 1.25, 2.0, " Two.", seek=120)],
                "words": [{"word": "Two", "start": 1.25, "end": 2.0}],
            },
        ),
    ]
    whole = joined(parts)
    assert whole["segments"] == [
        segment(0, 0.5, 1.0, " One.", seek=0),
        segment(1, 31.75, 32.5, " Two.", seek=3170),
    ]
    assert whole["words"] == [
        {"word": "One", "start": 0.5, "end": 1.0},
        {"word": "Two", "start": 31.75, "end": 32.5},
    ]
    assert whole["duration"] == 50.0


def test_a_time_after_the_end_of_its_part_is_its_end():
    parts = [
        PartText(0, 10, {"text": "One.", "segments": [segment(0, 9, 30, " One.")]}),
        PartText(10, 20, {"text": "", "segments": []}),
    ]
    assert joined(parts)["segments"] == [segment(0, 9, 10, " One.")]


def test_speakers_lines_are_written_from_the_segments():
    def diarized(text: str, speaker: str) -> Json:
        return {"text": f"{speaker}: {text}", "segments": [segment("seg_001", 1.0, 2.0, text, speaker=speaker)]}

    whole = joined([PartText(0, 10, diarized("Hello.", "A")), PartText(10, 20, diarized("Hi.", "B"))])
    assert whole["text"] == "A: Hello.\nB: Hi."
    assert [one["id"] for one in whole["segments"]] == ["seg_001", "seg_002"]


def test_what_it_cost_is_added_up():
    def used(count: int) -> Json:
        inner = {"text_tokens": 1, "audio_tokens": count}
        return {"text": "", "usage": {"type": "tokens", "input_tokens": count + 1, "input_token_details": inner}}

    assert joined([PartText(0, 1, used(10)), PartText(1, 2, used(32))])["usage"] == {
        "type": "tokens",
        "input_tokens": 44,
        "input_token_details": {"text_tokens": 2, "audio_tokens": 42},
    }


def test_logprobs_follow_each_other_and_each_language_is_told_once():
    parts = [
        PartText(0, 1, {"text": "a", "logprobs": [1], "languages": [{"code": "en"}]}),
        PartText(1, 2, {"text": "b", "logprobs": [2, 3], "languages": [{"code": "fr"}, {"code": "en"}]}),
    ]
    whole = joined(parts)
    assert whole["logprobs"] == [1, 2, 3]
    assert whole["languages"] == [{"code": "en"}, {"code": "fr"}]


def test_the_language_is_the_one_spoken_longest():
    parts = [
        PartText(0, 20, {"text": "", "language": "english"}),
        PartText(20, 50, {"text": "", "language": "french"}),
        PartText(50, 55, {"text": "", "language": "english"}),
    ]
    assert joined(parts)["language"] == "french"
