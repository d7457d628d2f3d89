from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot.rehearsal.stage import Stage, stage
from tests.support.local_process import offhook_local
from tests.support.tones import tones_config


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Stage]:
    """A service of tones, with the carrier's REST API emulated beside it."""
    async with stage(tones_config(tmp_path)) as running:
        yield running


@pytest.fixture(scope="session")
def local_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of `offhook local`, a process of its own that knows a business's hours and a bridge's age."""
    with offhook_local(tmp_path_factory.mktemp("local")) as url:
        yield url
