import pytest

from bot.config import BotConfig
from bot.tickets import Ticket, Tickets, issuer_of


def ticket(call: str = "CA1") -> Ticket:
    return Ticket(f"id-{call}", "twilio", call, "+15550001111", "+15550002222", BotConfig(name="a"))


def test_a_token_lets_its_call_in_once():
    tickets = Tickets()
    token = tickets.issue(ticket(), now=0.0)
    assert tickets.claim(token, "twilio", now=1.0) == ticket()
    assert tickets.claim(token, "twilio", now=1.0) is None


def test_a_token_lives_a_minute():
    tickets = Tickets()
    first, second = tickets.issue(ticket("CA1"), now=0.0), tickets.issue(ticket("CA2"), now=0.0)
    assert tickets.claim(first, "twilio", now=59.9) is not None
    assert tickets.claim(second, "twilio", now=60.0) is None


def test_a_token_is_for_its_carrier_only():
    tickets = Tickets()
    token = tickets.issue(ticket(), now=0.0)
    assert tickets.claim(token, "other", now=1.0) is None
    assert tickets.claim(token, "twilio", now=1.0) is not None


def test_a_repeated_webhook_replaces_the_token_and_counts_as_one_call():
    tickets = Tickets()
    first, second = tickets.issue(ticket(), now=0.0), tickets.issue(ticket(), now=1.0)
    assert tickets.count(now=1.0) == 1
    assert tickets.claim(first, "twilio", now=2.0) is None
    assert tickets.claim(second, "twilio", now=2.0) is not None


def test_tokens_that_nobody_used_are_forgotten():
    tickets = Tickets()
    for index in range(10):
        tickets.issue(ticket(f"CA{index}"), now=float(index))
    assert tickets.count(now=64.5) == 5
    assert tickets.count(now=100.0) == 0


def test_tokens_cannot_be_guessed():
    tokens = {Tickets().issue(ticket(), now=0.0) for _ in range(100)}
    assert len(tokens) == 100
    assert min(len(token) for token in tokens) >= 32


def test_a_token_says_which_process_issued_it():
    assert issuer_of(Tickets(issuer=12).issue(ticket(), now=0.0)) == 12


@pytest.mark.parametrize("token", ["", "-", "abc", "12", "-1-abc", "²-abc", "999999999-abc", "1.5-abc"])
def test_a_token_of_nobody_names_no_process(token):
    assert issuer_of(token) is None
