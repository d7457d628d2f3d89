"""What every test shares: the recordings, and the rule that CI skips nothing.

On a developer's machine a test whose part is missing (a database server, a model package) is skipped with the reason.
With `OFFHOOK_REQUIRE_ALL=1`, as CI sets it, such a skip is a failure.
"""

import ctypes
import gc
import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

DATA = Path(__file__).parent / "data"


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


@pytest.fixture(scope="module", autouse=True)
def models_are_let_go() -> Iterator[None]:
    """Models are hundreds of megabytes behind small objects: the collector does not see that it is time for them."""
    yield
    gc.collect()
    if (trim := getattr(ctypes.CDLL(None), "malloc_trim", None)) is not None:  # glibc keeps what threads gave back
        trim(0)
