"""Whether a request was made by one of our own pages, as browsers say it."""

import pytest

from bot.review.origin import is_from_elsewhere, must_be_checked

HOST = "bot.example.com"


@pytest.mark.parametrize(
    ("headers", "is_foreign"),
    [
        ({}, False),  # no browser
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "none"}, False),  # typed in by the visitor
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, True),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://behind.a.proxy"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": f"https://{HOST}"}, True),
        ({"Origin": f"https://{HOST}"}, False),
        ({"Origin": "http://127.0.0.1:8080", "Host": "127.0.0.1:8080"}, False),
        ({"Origin": f"https://{HOST}.evil.example"}, True),
        ({"Origin": "https://evil.example"}, True),
        ({"Origin": "null"}, True),
        ({"Origin": ""}, True),
    ],
)
def test_the_browser_says_who_asks(headers, is_foreign):
    assert is_from_elsewhere(headers, f"https://{HOST}") is is_foreign


@pytest.mark.parametrize(
    ("method", "headers", "checked"),
    [
        ("GET", {}, False),
        ("POST", {}, True),
        ("DELETE", {}, True),
        ("GET", {"Upgrade": "WebSocket"}, True),
        ("GET", {"Upgrade": "h2c"}, False),
    ],
)
def test_what_changes_something_and_sockets_are_checked(method, headers, checked):
    assert must_be_checked(method, headers) is checked
