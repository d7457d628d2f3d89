"""Transcripts as files: exactly what is in them, and that nothing said in a call can break one."""

import re

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from bot.analysis.call_words import TurnWords, WordTime
from bot.review.call.said import turns_said, with_words
from bot.review.call.transcript_files import CUE_CHARS, json_file, srt_file, text_file, vtt_file
from tests.bot.review.call.test_lanes import detail
from tests.support.calls import NOON, turn

NAMES = {"caller": "Caller", "bot": "Bot", "unheard": "not heard"}
TURNS = [
    turn(index=0, kind="greeting", started_ms=400, ended_ms=1400, text="Hello.", heard_text="Hello."),
    turn(
        index=1, role="caller", started_ms=2000, ended_ms=3500, text="A table\nfor <b>four</b> & more", heard_text=None
    ),
    turn(index=2, started_ms=3_600_000, ended_ms=3_601_000, text="Friday? Saturday?", heard_text="Friday?"),
]
SAID = turns_said(TURNS, 4_000_000)
TIME = r"\d\d:\d\d:\d\d[,.]\d{3}"


def call():
    found = detail(turns=TURNS)
    head = msgspec.structs.replace(
        found.call, from_number="+15550001111", to_number="+15550002222", bot="reception", started_at=NOON
    )
    return msgspec.structs.replace(found, call=head)


def test_plain_text_has_who_said_what_when_and_what_was_not_heard():
    assert text_file(call(), SAID, NAMES) == (
        "2026-11-20 12:00:00 UTC\n"
        "Caller: +15550001111\n"
        "Bot: reception, +15550002222\n"
        "\n"
        "[00:00:00.400] Bot: Hello.\n"
        "[00:00:02.000] Caller: A table for <b>four</b> & more\n"
        "[01:00:00.000] Bot: Friday? [not heard: Saturday?]\n"
    )


def test_subrip_has_what_was_heard_without_anything_a_player_takes_for_markup():
    assert srt_file(SAID, NAMES) == (
        "1\n00:00:00,400 --> 00:00:01,400\nBot: Hello.\n"
        "\n"
        "2\n00:00:02,000 --> 00:00:03,500\nCaller: A table for ‹b›four‹/b› & more\n"
        "\n"
        "3\n01:00:00,000 --> 01:00:01,000\nBot: Friday?\n"
    )


def test_webvtt_names_the_speaker_and_escapes_markup():
    assert vtt_file(SAID, NAMES) == (
        "WEBVTT\n"
        "\n"
        "00:00:00.400 --> 00:00:01.400\n<v Bot>Hello.\n"
        "\n"
        "00:00:02.000 --> 00:00:03.500\n<v Caller>A table for &lt;b&gt;four&lt;/b&gt; &amp; more\n"
        "\n"
        "01:00:00.000 --> 01:00:01.000\n<v Bot>Friday?\n"
    )


def test_a_long_turn_is_cut_between_words_into_pieces_with_their_own_times():
    text = "One two three four five six seven eight nine ten. " * 10
    [said] = turns_said([turn(started_ms=0, ended_ms=50_000, text=text, heard_text=text)], 60_000)
    cues = srt_file([said], NAMES).split("\n\n")
    assert len(cues) > 5
    words = [cue.splitlines()[2].removeprefix("Bot: ") for cue in cues]
    assert max(map(len, words)) <= CUE_CHARS
    assert " ".join(words) == text.strip()
    assert cues[1].splitlines()[1].startswith("00:00:0")
    assert cues[-1].splitlines()[1].endswith("--> 00:00:49,900")


def test_json_has_the_turns_with_their_times():
    values = msgspec.json.decode(json_file(call(), SAID, NAMES))
    assert (values["call_id"], values["from_number"], values["started_at"]) == (
        "call-1",
        "+15550001111",
        "2026-11-20T12:00:00Z",
    )
    assert values["turns"][2] == {
        "index": 2,
        "role": "bot",
        "kind": "reply",
        "from_ms": 3_600_000,
        "to_ms": 3_601_000,
        "heard": "Friday?",
        "unheard": " Saturday?",
        "is_interrupted": False,
        "is_under_way": False,
        "words": [],
    }


def test_words_whose_times_were_found_are_in_json_and_decide_about_subtitles():
    words = [WordTime(0, 1, 2100, 2200), WordTime(2, 5, 2300, 2600), WordTime(8, 3, 2600, 2700)]
    said = with_words(SAID, [TurnWords(1, words)])
    turns = msgspec.json.decode(json_file(call(), said, NAMES))["turns"]
    assert turns[1]["words"][1] == {"text": "table", "from_ms": 2300, "to_ms": 2600}
    assert "00:00:02,100 --> 00:00:02,700\nCaller: A table" in srt_file(said, NAMES)


hostile = st.text(st.sampled_from("a <>-&{}\n\r\t\x00\x1b\u2028\u202e\x85\x0b") | st.characters(), max_size=200)


@given(hostile)
def test_nothing_that_was_said_ends_a_cue_or_begins_one(text):
    said = turns_said([turn(started_ms=0, ended_ms=2000, text=text or "x", heard_text=text or "x")], 2000)
    for body in (srt_file(said, NAMES), vtt_file(said, NAMES).removeprefix("WEBVTT\n")):
        for cue in filter(None, body.split("\n\n")):
            lines = [line for line in re.split(r"\r\n|\n|\r", cue.strip("\n")) if not line.isdecimal()]
            assert len(lines) == 2, body
            assert re.fullmatch(f"{TIME} --> {TIME}", lines[0])
            assert "-->" not in lines[1]
            assert lines[1].count("<") == (1 if lines[1].startswith("<v Bot>") else 0)
