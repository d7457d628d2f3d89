"""A service whose voice is a stand-in realtime model, over real sockets on this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from bot.calllog.store import CallLog
from bot.config import OpenAIConfig, RealtimeConfig
from bot.rehearsal.caller import ScriptedCaller
from bot.rehearsal.line import Line
from bot.rehearsal.report import CallReport
from bot.rehearsal.stage import Stage, stage
from bot.rehearsal.tone_model import ToneModel
from bot.rehearsal.twilio import place_call
from tests.support.tones import tones_config


@dataclass(frozen=True, slots=True)
class Scene:
    """A service, its model, and the emulated carrier."""

    there: Stage
    model: ToneModel

    async def dial(self, *steps: object, line: Line | None = None, max_s: float = 40.0) -> CallReport:
        report = await place_call(
            self.there.url,
            ScriptedCaller([*steps]),  # type: ignore[list-item]
            auth_token=self.there.auth_token,
            account_sid=self.there.account_sid,
            api=self.there.api,
            line=line,
            max_s=max_s,
        )
        await asyncio.wait_for(self.there.service.supervisor.empty(), 15)
        return report

    async def logged(self) -> Any:
        """The one call in the log, whole."""
        await self.there.service.feed.flush()
        async with asyncio.timeout(5):
            reader = await CallLog.open(self.there.service.config.storage.database)
        try:
            [call] = [await reader.get_call(summary.call_id) for summary in await reader.list_calls()]
            return call
        finally:
            await reader.close()

    async def model_is_left_alone(self) -> None:
        """Wait until the model has seen each of its sockets end."""
        async with asyncio.timeout(10):
            for connection in self.model.connections:
                if connection.session.faults.stops_reading_after_ms is None:  # else it cannot notice
                    await connection.ended.wait()


@asynccontextmanager
async def scene(
    folder: Path, model: ToneModel, *, bot: dict[str, Any] | None = None, **realtime: Any
) -> AsyncIterator[Scene]:
    """`realtime` are settings of the voice, `bot` of the bot."""
    async with model:
        config = tones_config(folder, voice="realtime", realtime=RealtimeConfig(**realtime), **(bot or {}))
        openai = OpenAIConfig(base_url=model.base_url, api_key="sk-test")
        async with stage(msgspec.structs.replace(config, openai=openai)) as there:
            yield Scene(there, model)
