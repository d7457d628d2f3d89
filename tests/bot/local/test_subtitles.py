"""Subtitle files, byte for byte."""

from bot.local.subtitles import clock, plain_text, srt, vtt
from bot.local.transcription import Segment


def said(text: str, start_s: float, end_s: float) -> Segment:
    return Segment(text, start_s, end_s, 0, (), 0.0, -0.2, 1.0, 0.0)


BEACH = [
    said(" The beach was a popular spot on a hot summer day.", 0.0, 3.32),
    said(" People were swimming in the ocean,", 3.32, 5.28),
]


def test_srt_numbers_its_cues_and_has_a_comma_before_the_milliseconds():
    assert srt(BEACH) == (
        "1\n00:00:00,000 --> 00:00:03,320\nThe beach was a popular spot on a hot summer day.\n\n"
        "2\n00:00:03,320 --> 00:00:05,280\nPeople were swimming in the ocean,\n\n"
    )


def test_vtt_begins_with_its_name_and_has_a_point_before_the_milliseconds():
    assert vtt(BEACH) == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:03.320\nThe beach was a popular spot on a hot summer day.\n\n"
        "00:00:03.320 --> 00:00:05.280\nPeople were swimming in the ocean,\n\n"
    )


def test_a_recording_without_words_makes_an_empty_srt_and_a_vtt_of_its_head():
    assert srt([]) == ""
    assert vtt([]) == "WEBVTT\n\n"


def test_text_cannot_end_a_cue_or_look_like_its_times():
    assert srt([said(" one\n\ntwo --> three", 0, 1)]) == "1\n00:00:00,000 --> 00:00:01,000\none two -> three\n\n"


def test_hours_are_printed_and_go_beyond_a_day():
    assert clock(3600 * 25 + 61.0014, ",") == "25:01:01,001"


def test_a_time_is_rounded_and_carried_over_into_the_next_minute():
    assert clock(59.9996, ".") == "00:01:00.000"


def test_plain_text_ends_with_one_line_feed():
    assert plain_text(" Hello there. ") == "Hello there.\n"
