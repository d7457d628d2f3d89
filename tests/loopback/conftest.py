from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.rehearsal.stage import Stage, stage
from tests.support.tones import tones_config


@pytest.fixture
async def there(tmp_path: Path) -> AsyncIterator[Stage]:
    """A service of tones, with the carrier's REST API emulated beside it."""
    async with stage(tones_config(tmp_path)) as running:
        yield running
