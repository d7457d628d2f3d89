"""Sentences as they are said on a telephone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.local.spoken import as_spoken, clauses


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("It is $65.", "It is 65 dollars."),
        ("It costs $12.50.", "It costs 12 dollars and 50 cents."),
        ("That is $1,299.", "That is 1,299 dollars."),
        ("From $1 to $2.00.", "From 1 dollar to 2 dollars."),
        ("It's $0.99, or £3.01.", "It's 99 cents, or 3 pounds and 1 penny."),
        ("The price is 5€.", "The price is 5 euros."),
        ("$1.5 million", "1.5 million dollars"),
        ("From $25/day.", "From 25 dollars per day."),
        ("We open at 9:30.", "We open at 9 30."),
        ("We open at 9:00.", "We open at 9 o'clock."),
        ("It's 12:05 now.", "It's 12 oh 5 now."),
        ("From 9:00-17:30.", "From 9 o'clock to 5 30 p.m."),
        ("10:00 am to 5:30 p.m.", "10 a.m. to 5 30 p.m."),
        ("Mon-Fri, 9am-5pm.", "Monday to Friday, 9am to 5pm."),
        ("Sun and sea, Sat 10:00.", "Sun and sea, Saturday 10 o'clock."),
        ("Call us on 555-010-4477.", "Call us on 5 5 5, 0 1 0, 4 4 7 7."),
        ("Call +1 (555) 010-4477.", "Call plus 1, 5 5 5, 0 1 0, 4 4 7 7."),
        ("Our number is 020 7946 0018.", "Our number is 0 2 0, 7 9 4 6, 0 0 1 8."),
        ("zip code 90210, ext. 12", "zip code 9 0 2 1 0, extension 1 2"),
        ("Write to hello@my-shop.example.", "Write to hello at my dash shop dot example."),
        ("The website is www.millbrook.example.", "The website is w w w dot millbrook dot example."),
        ("See https://shop.example.org/bikes for more.", "See shop dot example dot org slash bikes for more."),
        ("On 2026-11-21.", "On November 21, 2026."),
        ("Until 24 Dec.", "Until December 24"),
        ("Dr. Lind treats rabbits.", "Doctor Lind treats rabbits."),
        ("No. 5 is free.", "number 5 is free."),
    ],
)
def test_what_would_be_misread_is_written_out(written: str, spoken: str) -> None:
    assert as_spoken(written) == spoken


@pytest.mark.parametrize(
    "plain",
    [
        "No. We are closed.",
        "We are at 14 Mill Lane, next to the old post office.",
        "Bikes from 12 to 24 inches.",
        "It takes 1.5 hours.",
        "I have 3 bikes, 4 cars and 2 boats.",
        "Since 2026 we sell e-bikes.",
        "Most repairs are done within two working days.",
    ],
)
def test_what_is_read_well_stays_as_it_is(plain: str) -> None:
    assert as_spoken(plain) == plain


def test_the_first_clause_of_a_long_sentence_comes_by_itself() -> None:
    said = "I'm not certain about that, but I can take a message for the team."
    assert clauses(said) == ["I'm not certain about that,", "but I can take a message for the team."]


@pytest.mark.parametrize("whole", ["All right, then.", "Yes, we rent city bikes and electric bikes by the day.", "Mm"])
def test_a_short_sentence_or_a_short_beginning_is_not_cut(whole: str) -> None:
    assert clauses(whole) == [whole]


def test_digits_read_out_are_not_torn_apart() -> None:
    said = as_spoken("You can reach the vet at night on 555-010-4477, or on 555-010-4478.")
    assert clauses(said)[0].endswith("4 4 7 7,")


@given(st.text(max_size=200))
def test_no_text_breaks_it_and_no_clause_is_lost(text: str) -> None:
    said = as_spoken(text)
    assert " ".join(" ".join(clauses(said)).split()) == said
