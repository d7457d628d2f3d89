"""What every test shares: the recordings, and the rule that CI skips nothing.

On a developer's machine a test whose part is missing (a database server, a model package) is skipped with the reason.
With `OFFHOOK_REQUIRE_ALL=1`, as CI sets it, such a skip is a failure.
"""

import ctypes
import os
import platform
from collections.abc import Generator, Iterator
from mmap import PAGESIZE
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web_app

DATA = Path(__file__).parent / "data"
_MUCH = 600_000_000  # bytes
_MEMORY = Path("/proc/self/statm")
_GLIBC = ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of small recordings; tests/data/README.md says where each comes from."""
    return DATA


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and os.environ.get("OFFHOOK_REQUIRE_ALL") == "1":
        report.outcome = "failed"
        report.longrepr = f"skipped, but OFFHOOK_REQUIRE_ALL=1 forbids it: {call.excinfo.value if call.excinfo else ''}"
    return report


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Three processes for a folder of tests, each taking whole files; none but pytest itself where files are named.

    Calls are heard in real time: three keep two processors busy, and hold no more than 4 GB.
    """
    is_files = all(Path(asked.partition("::")[0]).is_file() for asked in config.args)
    return 0 if is_files else 3


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    from tests.support.by_file import ByFile

    return ByFile(config, log)


@pytest.fixture(scope="module", autouse=True)
def servers_are_forgotten() -> Iterator[None]:
    """aiohttp keeps the handlers of its last thousand routes, and through them all that their servers were made of."""
    yield
    if (kept := getattr(web_app, "_cached_build_middleware", None)) is not None:
        kept.cache_clear()


@pytest.fixture(autouse=True)
def memory_is_given_back() -> Iterator[None]:
    """Models free what they took, but glibc keeps it for their threads: 150 MB for each server that was open."""
    yield
    if _GLIBC is not None and int(_MEMORY.read_text().split()[1]) * PAGESIZE > _MUCH:
        _GLIBC.malloc_trim(0)
