"""What a word is, in any script, and what people may type to find one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.calllog.query import MAX_TERMS, Term, parse
from bot.calllog.words import WORD_CHARS, spans_of, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("When are you OPEN?", ["when", "are", "you", "open"]),
        ("don't re-open", ["don", "t", "re", "open"]),
        ("Café, cafe\u0301, ÇA", ["cafe", "cafe", "ca"]),
        ("Straße ﬁn", ["strasse", "fin"]),
        ("営業時間", ["営", "業", "時", "間"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("\u202eabc\u202c d\u200def", ["abc", "def"]),
        ("snake_case 24/7", ["snake", "case", "24", "7"]),
        ("\0<b>'; DROP--", ["b", "drop"]),
        ("", []),
    ],
)
def test_words_are_the_same_whatever_their_case_accents_and_signs(text, words):
    assert words_of(text) == words


def test_a_word_of_a_hundred_kilobytes_is_cut():
    assert words_of("x" * 100_000) == ["x" * WORD_CHARS]
    assert words_of("é" * 100_000) == ["e" * WORD_CHARS]


@given(st.text())
def test_spans_are_the_words_and_stand_in_order(text):
    spans = list(spans_of(text))
    assert [span.word for span in spans] == words_of(text)
    ends = [0] + [span.end for span in spans]
    assert all(end <= span.start < span.end <= len(text) for end, span in zip(ends, spans, strict=False))


@given(st.text())
def test_no_word_holds_what_a_database_would_read_as_a_sign(text):
    assert all(not set(word) & set(" _'\"*:&|!()\\\0") for word in words_of(text))


@pytest.mark.parametrize(
    ("typed", "terms"),
    [
        ("open Saturday", [Term(("open",)), Term(("saturday",))]),
        ('"open on" saturday', [Term(("open", "on")), Term(("saturday",))]),
        ("don't", [Term(("don", "t"))]),
        ("satur*", [Term(("satur",), is_prefix=True)]),
        ("sa*", [Term(("sa",))]),
        ("re-open*", [Term(("re",)), Term(("open",), is_prefix=True)]),
        ('"never closed', [Term(("never", "closed"))]),
        ("open open OPEN", [Term(("open",))]),
        ('"" ( OR AND NOT ^ :* * -', [Term(("or",)), Term(("and",)), Term(("not",))]),
        ("?!", []),
    ],
)
def test_whatever_is_typed_means_something(typed, terms):
    assert list(parse(typed)) == terms


def test_a_long_text_is_read_up_to_a_number_of_terms():
    assert len(parse(" ".join(map(str, range(1000))))) == MAX_TERMS
