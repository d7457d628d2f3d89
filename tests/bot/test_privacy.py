"""Masked numbers: recognisable, not callable."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.privacy import HIDDEN, mask_number, without_numbers


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+15550002222", "+1555•••2222"),
        ("15550002222", "1555•••2222"),
        ("+44 20 7183 8750", "+4420•••8750"),
        ("+1 (555) 000-2222", "+1555•••2222"),
        ("5550002", "•••002"),
        ("1001", "•••"),
        ("911", "•••"),
        ("anonymous", "anonymous"),
        ("Restricted", "Restricted"),
        ("", ""),
        ("sip:alice@example.com", "sip:a•••@example.com"),
        ("sip:+15550002222@pbx.example.com;user=phone", "sip:+1555•••2222@pbx.example.com"),
        ("sip:+15550002222;phone-context=+1555@pbx.example.com:5060", "sip:+1555•••2222@pbx.example.com:5060"),
        ('"Alice Smith" <sips:alice:secret@example.com>', "sips:a•••@example.com"),
        ("sip:anonymous@anonymous.invalid", "sip:anonymous@anonymous.invalid"),
        ("tel:+15550002222", "tel:+1555•••2222"),
        ("client:alice", "client:a•••"),
        ("whatsapp:+15550002222", "whatsapp:+1555•••2222"),
    ],
)
def test_a_number_is_shown_by_its_ends(number, shown):
    assert mask_number(number) == shown


@given(st.from_regex(r"\+[0-9]{4,15}", fullmatch=True))
def test_at_least_three_digits_of_every_number_are_hidden(number):
    shown = mask_number(number)
    assert HIDDEN in shown
    assert len(re.findall(r"[0-9]", shown)) <= len(number) - 1 - 3


@given(st.text())
def test_any_text_can_be_masked(text):
    assert isinstance(mask_number(text), str)


def test_where_callers_are_put_through_to_is_masked_and_the_rest_stays():
    config = {"name": "shop", "transfers": {"desk": {"number": "+15550003333", "description": "The shop."}}}
    assert without_numbers(config) == {
        "name": "shop",
        "transfers": {"desk": {"number": "+1555•••3333", "description": "The shop."}},
    }
    assert without_numbers({"name": "shop"}) == {"name": "shop"}
    assert without_numbers({"transfers": {"odd": 5}}) == {"transfers": {"odd": 5}}
