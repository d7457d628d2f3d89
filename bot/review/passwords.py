"""Passwords as argon2id has them, hashed where they cannot stall a call's audio.

One hash takes about a tenth of a second of one core and 64 MiB: they are made one after the other on one thread of the
lowest priority, without Python's lock, and no more than `MAX_WAITING` wait. Parameters: RFC 9106, section 4.
"""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type

from bot.errors import BotError

MIN_CHARS = 12
MAX_CHARS = 1024
MAX_WAITING = 8
_NICE = 19
_HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1, type=Type.ID)
# Verified in the place of an account that does not exist, so that the answer takes as long. No password fits it.
_NOBODYS = "$argon2id$v=19$m=65536,t=3,p=1$b2ZmaG9vay1ub2JvZHk$d2hhdGV2ZXIgdGhlIHBhc3N3b3JkLCBpdCBpcyBubyE"
T = TypeVar("T")


class BusyError(BotError):
    """Too many passwords are being checked at the moment: try again in a few seconds."""


def hash_password(password: str) -> str:
    """Blocks for a tenth of a second."""
    return _HASHER.hash(password.encode("utf-8", "surrogatepass"))


def is_password_hash(text: str) -> bool:
    """Whether this is what `offhook password` prints."""
    try:
        _HASHER.check_needs_rehash(text)
    except InvalidHashError:
        return False
    return text.startswith("$argon2id$")


def problem_of(password: str, repeated: str, account: str) -> str | None:
    """Why this password is not to be had, as a key in strings/en/common.toml; None where nothing is wrong."""
    if len(password) < MIN_CHARS:
        return "too_short"
    if len(password) > MAX_CHARS:
        return "too_long"
    if password.strip().lower() == account or len(set(password)) < 4:
        return "too_simple"
    return "differ" if password != repeated else None


class Passwords:
    """The one place of a process that hashes."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="passwords", initializer=_step_back)
        self._waiting = 0

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """Raises `BusyError`."""
        return await self._run(lambda: hash_password(password))

    async def fits(self, password: str, password_hash: str | None) -> bool:
        """Whether the password is the one of this hash; of no hash none is, which takes as long to say.

        Raises `BusyError`.
        """
        kept = password[: MAX_CHARS + 1] if len(password) <= MAX_CHARS else ""
        return await self._run(lambda: _fits(kept, password_hash or _NOBODYS)) and password_hash is not None

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= MAX_WAITING:
            raise BusyError("too many people are signing in at the moment")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1


def _fits(password: str, password_hash: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password.encode("utf-8", "surrogatepass"))
    except (VerificationError, InvalidHashError):
        return False


def _step_back() -> None:
    """Let calls go first: on Linux each thread has a priority of its own."""
    with suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
