"""Passwords: hashed on a thread of their own, one after the other, and the command that prints a hash."""

import asyncio

import pytest
from typer.testing import CliRunner

from bot.__main__ import app
from bot.config import load
from bot.errors import ConfigError
from bot.review.passwords import MAX_WAITING, BusyError, Passwords, is_password_hash

GOOD = "bicycle marmalade fog"


@pytest.fixture
def passwords():
    made = Passwords()
    yield made
    made.close()


async def test_only_the_right_password_fits(passwords):
    kept = await passwords.hash(GOOD)
    assert is_password_hash(kept)
    found = [await passwords.fits(text, kept) for text in (GOOD, GOOD + " ", "", "x" * 100_000, "\ud800")]
    assert found == [True, False, False, False, False]


@pytest.mark.parametrize("password_hash", [None, "", "no hash", "$argon2id$v=19$m=65536,t=3,p=1$x$y"])
async def test_nothing_fits_what_is_no_hash(passwords, password_hash):
    assert not await passwords.fits(GOOD, password_hash)
    assert not await passwords.fits("", password_hash)


async def test_no_more_than_a_few_wait_and_the_rest_are_told_to_come_back(passwords):
    results = await asyncio.gather(*(passwords.hash(GOOD) for _ in range(MAX_WAITING + 2)), return_exceptions=True)
    assert sum(isinstance(result, BusyError) for result in results) == 2
    assert await passwords.hash(GOOD)  # and then there is room again


def test_the_command_prints_a_hash_that_the_configuration_takes():
    result = CliRunner().invoke(app, ["password"], input=f"{GOOD}\n{GOOD}\n")
    assert result.exit_code == 0
    printed = result.stdout.strip().splitlines()[-1]
    assert is_password_hash(printed)
    assert GOOD not in result.output
    assert load(None, {"OFFHOOK_REVIEW_ADMIN_PASSWORD_HASH": printed}).review.admin_password_hash == printed


@pytest.mark.parametrize(
    ("first", "second", "said"), [("short", "short", "at least 12"), (GOOD, GOOD + "!", "not the same")]
)
def test_the_command_refuses_what_will_not_do(first, second, said):
    result = CliRunner().invoke(app, ["password"], input=f"{first}\n{second}\n")
    assert isinstance(result.exception, ConfigError)
    assert said in str(result.exception)


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("ADMIN_PASSWORD_HASH", GOOD, "must be what `offhook password` prints"),
        ("VIEWER_PASSWORD_HASH", "$2b$12$abc", "must be what `offhook password` prints"),
        ("SESSION_H", "0", "session_h must be more than 0"),
        ("SESSION_H", "nan", "session_h must be more than 0"),
        ("ACCESS_LOG_DAYS", "0", "access_log_days must be 1 or more"),
        ("PROXIES", "nginx", "proxies must be addresses or networks"),
    ],
)
def test_settings_that_make_no_sense_stop_the_start(setting, value, said):
    with pytest.raises(ConfigError, match=said.replace("`", ".")) as refused:
        load(None, {f"OFFHOOK_REVIEW_{setting}": value})
    assert GOOD not in str(refused.value)
