"""`media/` is sound and arithmetic: whoever imports it gets neither the call nor the network with it."""

import subprocess
import sys
from pathlib import Path

import pytest

import media

MODULES = sorted(f"media.{path.stem}" for path in Path(media.__file__).parent.glob("*.py") if path.stem != "__init__")
FORBIDDEN = {"bot", "asyncio", "socket", "ssl", "selectors", "http", "urllib.request", "aiohttp", "websockets", "httpx"}
FORBIDDEN |= {"openai", "uvloop", "sqlalchemy", "asyncpg"}


def imported_with(statement: str) -> set[str]:
    """Which of the forbidden modules a fresh interpreter has loaded after a statement."""
    code = f"{statement}\nimport sys; print(*sys.modules)"
    return FORBIDDEN & set(subprocess.check_output([sys.executable, "-c", code], text=True).split())


def test_the_modules_are_found():
    assert {"media.frame", "media.g711", "media.playout", "media.resample"} <= set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_media_knows_nothing_of_the_network(module):
    assert imported_with(f"import {module}") == set()


def test_the_check_itself_notices_an_import():
    assert imported_with("import asyncio, http") >= {"asyncio", "http"}
