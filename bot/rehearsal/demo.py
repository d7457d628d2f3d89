"""`offhook demo`: a whole spoken call on this machine, with no account, printed as it is heard.

The caller asks a question, speaks over an answer, asks what the bot cannot know, leaves a message, and says goodbye.
"""

import asyncio
from pathlib import Path

from rich.console import Console

from bot.config import Config, StorageConfig
from bot.errors import RehearsalError
from bot.rehearsal.caller import Interrupt, Say, ScriptedCaller, Step, WaitForReply
from bot.rehearsal.printer import CallPrinter
from bot.rehearsal.report import CallReport
from bot.rehearsal.stage import stage
from bot.rehearsal.studio import CallerVoice
from bot.rehearsal.twilio import place_call

MAX_CALL_S = 180.0


async def script(voice: CallerVoice) -> list[Step]:
    """What the caller does."""
    return [
        WaitForReply(),
        Say(await voice.say("Hello. What are your opening hours?")),
        WaitForReply(),
        Say(await voice.say("How much does a bike service cost?")),
        Interrupt(1500, await voice.say("Sorry, I meant to ask, is there any parking?")),
        WaitForReply(),
        Say(await voice.say("Can you paint my bicycle purple?")),
        WaitForReply(quiet_ms=900),
        Say(await voice.say("Yes, please.")),
        WaitForReply(quiet_ms=900),
        Say(await voice.say("This is Maria Lopez. Please call me back about painting my bicycle.")),
        WaitForReply(quiet_ms=900),
        Say(await voice.say("No, that's all. Thank you, goodbye.")),
    ]


async def demonstrate(console: Console, folder: Path, *, stay: bool) -> CallReport:
    """Hold the call; raises `RehearsalError` if it did not go as a call should."""
    console.print("Loading the models (Whisper listens, Piper speaks; both run on this machine) …", style="dim")
    storage = StorageConfig(
        database=f"sqlite+aiosqlite:///{folder / 'offhook.db'}", recordings=str(folder / "recordings")
    )
    async with stage(Config(storage=storage)) as there:
        steps = await script(CallerVoice(there.speaker))
        console.print(f"A caller dials {there.service.config.bots[0].name} at {there.url}.\n", style="dim")
        with there.service.feed.watched_by(CallPrinter(console)):
            report = await place_call(
                there.url,
                ScriptedCaller(steps, noise_dbfs=-65.0),
                auth_token=there.auth_token,
                account_sid=there.account_sid,
                api=there.api,
                max_s=MAX_CALL_S,
            )
            await there.service.supervisor.empty()
        if report.outcome != "answered" or report.errors or report.ended_by != "bot":
            raise RehearsalError(
                f"the call did not go well: {report.outcome}, ended by {report.ended_by} {report.errors}"
            )
        console.print(f"\nLook at it again: offhook calls list --database {storage.database}", style="dim")
        if stay:
            console.print(f"The service stays up at {there.url}; Ctrl-C stops it.")
            if link := await there.service.site.announce():
                console.print(
                    f"To look at the call in a browser, and to call the bot from there: {link}", soft_wrap=True
                )
            await asyncio.Event().wait()
    return report
