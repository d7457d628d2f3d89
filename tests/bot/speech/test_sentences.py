import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.speech.sentences import LONGEST, Sentences, plain, sentences


def told(text: str) -> list[str]:
    return [piece.strip() for piece in sentences(text)]


@pytest.mark.parametrize(
    "text",
    [
        "We open at nine.|We close at six.",
        "Hello!|How can I help you today?",
        "It costs 3.50 dollars.|Is that fine?",
        "Dr. Smith is in.|Mrs. Jones is not.",
        "Ask for J. Smith.|He knows.",
        "The U.S. office is closed.|Sorry.",
        "We open at 9 a.m. on Monday.|See you.",
        "Bring a form, e.g. Form 5, with you.|Thanks.",
        "No.|We are closed.",
        "Take No. 5 to the bridge.|It is near.",
        "On Jan. 5 we are closed.|On Sun.|We are too.",
        "Well... maybe.|Let me see...|Yes.",
        'She said "Yes."|Then she left.',
        "(We are closed.)|Sorry.",
        "**Opening hours.**|We open at nine.",
        "1. Check in.|2. Wait.",
        "First line\n|second line",
        "今日は休みです。|明日は開いています。",
        "Are you there?|yes",
        "Wir haben z.B. Kuchen.|Und Tee bzw. Kaffee.",
        "Call 555.1234 or visit example.com.|Goodbye.",
    ],
)
def test_a_sentence_ends_where_a_reader_would_stop(text: str):
    assert told(text.replace("|", " ")) == [part.strip() for part in text.split("|")]


def test_a_sentence_is_given_out_as_soon_as_the_next_one_begins():
    splitter = Sentences()
    given_out = [list(splitter.push(piece)) for piece in ("We op", "en at nine", ".", " We", " close at six.")]
    assert given_out == [[], [], [], ["We open at nine."], []]
    assert splitter.flush() == " We close at six."
    assert splitter.flush() == ""


def test_a_question_does_not_wait_for_what_follows():
    assert list(Sentences().push("Is it you? ")) == ["Is it you?"]


def test_a_text_without_an_end_is_cut_at_a_comma():
    clause = "and then you turn left, "
    first, *_ = sentences(clause * 30)
    assert first.endswith("left, ")
    assert LONGEST * 2 // 3 < len(first) <= LONGEST


def test_a_text_without_any_mark_is_cut_between_words():
    assert all(len(piece) <= LONGEST and not piece.startswith("ord") for piece in sentences("word " * 200))


@given(st.text(alphabet="ab .,!?\n1*。I", max_size=900), st.integers(1, 50))
def test_nothing_is_lost_or_changed_however_it_comes(text: str, size: int):
    splitter = Sentences()
    pieces = [piece for start in range(0, len(text), size) for piece in splitter.push(text[start : start + size])]
    assert "".join(pieces) + splitter.flush() == text
    assert all(pieces)


@given(st.text(alphabet="ab ", min_size=600, max_size=900))
def test_no_piece_is_too_long(text: str):
    assert all(len(piece.strip()) <= LONGEST for piece in sentences(text))


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("**We open** at *nine*.", "We open at nine."),
        ("- Bread\n", "Bread"),
        ("* Bread", "Bread"),
        ("## Opening hours", "Opening hours"),
        ("1. Check in.", "1. Check in."),
        ("See [our site](https://example.com/a).", "See our site."),
        ("Use `code` here.", "Use code here."),
        ("Hello! 😀👋🏽", "Hello!"),
        ("| Monday | nine to six |", "Monday, nine to six"),
        ("It is 2 * 3 and snake_case.", "It is 2 * 3 and snake_case."),
        ("---", ""),
        ("- 5 degrees", "5 degrees"),
        ("  Two\n lines. ", "Two lines."),
    ],
)
def test_a_listener_hears_no_markdown(written: str, spoken: str):
    assert plain(written) == spoken
