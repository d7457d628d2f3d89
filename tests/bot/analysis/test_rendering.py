from bot.analysis.rendering import rendered

BODY = {
    "text": "Hello. Hi.",
    "segments": [
        {"id": 0, "start": 0.0, "end": 3661.5, "text": " Hello.", "speaker": "caller"},
        {"id": 1, "start": 3661.5, "end": 3662.0, "text": " Hi."},
    ],
}


def test_text_is_one_line():
    assert rendered(BODY, "text") == "Hello. Hi.\n"


def test_subtitles_name_speakers_where_they_are_known():
    assert rendered(BODY, "srt") == (
        "1\n00:00:00,000 --> 01:01:01,500\ncaller: Hello.\n\n2\n01:01:01,500 --> 01:01:02,000\nHi.\n\n"
    )


def test_vtt_has_voices():
    assert rendered(BODY, "vtt") == (
        "WEBVTT\n\n00:00:00.000 --> 01:01:01.500\n<v caller>Hello.\n\n01:01:01.500 --> 01:01:02.000\nHi.\n\n"
    )


def test_json_is_one_line_with_letters_as_they_are():
    assert rendered({"text": "Zoë"}, "verbose_json") == '{"text": "Zoë"}\n'
