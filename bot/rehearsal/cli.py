"""`offhook call` and `offhook demo`: emulated calls, to a running service or to one of their own."""

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from bot import logs
from bot.config import Config, LogConfig, load
from bot.errors import RehearsalError
from bot.rehearsal.api import TwilioApi
from bot.rehearsal.caller import HangUp, Interrupt, Say, ScriptedCaller, Step, WaitForReply
from bot.rehearsal.demo import demonstrate
from bot.rehearsal.line import Line
from bot.rehearsal.printer import CallPrinter
from bot.rehearsal.report import CallReport
from bot.rehearsal.stage import stage
from bot.rehearsal.studio import CallerVoice
from bot.rehearsal.twilio import place_call
from bot.serving import REHEARSAL_ACCOUNT
from bot.speech.links import Speaker
from bot.speech.local import LocalSpeaker

CALLER_NUMBER, BUSINESS_NUMBER = "+15550001111", "+15550002222"
GREETING_QUIET_MS = 500


def call(
    say: Annotated[list[str] | None, typer.Option(metavar="TEXT", help="Say this; repeat it for more turns.")] = None,
    audio: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Play this recording; repeat it. Before any --say.")
    ] = None,
    interrupt_at: Annotated[
        float | None, typer.Option(metavar="SECONDS", help="Say the last one so long into the reply before it.")
    ] = None,
    server: Annotated[
        str | None, typer.Option(metavar="URL", help="A running service; without it one is started for this call.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", envvar="OFFHOOK_CONFIG", help="The service's TOML file.")
    ] = None,
    auth_token: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="Signs the webhook, where the configuration has no carrier.")
    ] = None,
    to: Annotated[str, typer.Option(metavar="NUMBER", help="The number called.")] = BUSINESS_NUMBER,
    caller: Annotated[str, typer.Option("--from", metavar="NUMBER", help="Who calls.")] = CALLER_NUMBER,
    delay_ms: Annotated[float, typer.Option(help="The network's delay, each way.")] = 0.0,
    jitter_ms: Annotated[float, typer.Option(help="What may come on top of it.")] = 0.0,
    loss: Annotated[float, typer.Option(help="Share of the caller's frames that are lost, 0 to 1.")] = 0.0,
    max_s: Annotated[float, typer.Option(help="Hang up after so long.")] = 120.0,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write both sides as the caller's telephone had them.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Place an emulated call: speak or play recordings, hear what comes back, see how long it took."""
    if not say and not audio:
        raise RehearsalError("nothing to say: give --say TEXT or --audio FILE")
    settings = load(config, os.environ)
    logs.configure(LogConfig(level="warning"))
    line = Line(delay_ms=delay_ms, jitter_ms=jitter_ms, loss=loss)
    console = Console(quiet=as_json)

    async def place(there: Address, speaker: Speaker) -> CallReport:
        caller_ = ScriptedCaller(await _steps(speaker, say or [], audio or [], interrupt_at))
        return await place_call(
            there.url,
            caller_,
            auth_token=there.auth_token,
            account_sid=there.account_sid,
            public_url=there.public_url,
            from_number=caller,
            to_number=to,
            line=line,
            api=there.api,
            max_s=max_s,
        )

    async def run() -> CallReport:
        if server is not None:
            speaker = LocalSpeaker()
            if say:
                await speaker.start()
            return await place(_address(server, settings, auth_token), speaker)
        async with stage(settings) as there:
            with there.service.feed.watched_by(CallPrinter(console)):
                report = await place(Address(there.url, there.account_sid, there.auth_token, there.api), there.speaker)
                await there.service.supervisor.empty()
            return report

    report = asyncio.run(run())
    if out is not None:
        report.write_wav(out)
    _print_report(report, console, as_json=as_json)
    if report.outcome != "answered" or report.errors:
        raise typer.Exit(1)


def demo(
    stay: Annotated[bool, typer.Option("--stay", help="Keep the service up afterwards.")] = False,
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the call log and the recording go.")] = Path(
        "data"
    ),
) -> None:
    """Hold a whole spoken call on this machine, with no account, and print it as it is heard."""
    logs.configure(LogConfig(level="warning"))
    asyncio.run(demonstrate(Console(), folder, stay=stay))


@dataclass(frozen=True, slots=True)
class Address:
    """Where to call, and as which account."""

    url: str
    account_sid: str
    auth_token: str
    api: TwilioApi | None = None
    public_url: str | None = None


def _address(server: str, settings: Config, auth_token: str | None) -> Address:
    twilio = settings.carriers.twilio
    token = auth_token or (twilio.auth_token if twilio else None)
    if token is None:
        raise RehearsalError("the webhook must be signed: give --auth-token, or --config with carriers.twilio")
    account_sid = twilio.account_sid if twilio else REHEARSAL_ACCOUNT
    return Address(server, account_sid, token, public_url=settings.server.public_url or None)


async def _steps(
    speaker: Speaker, texts: Sequence[str], files: Sequence[Path], interrupt_at: float | None
) -> list[Step]:
    voice = CallerVoice(speaker)
    sounds: list[tuple[bytes | Path, str]] = [(path, path.name) for path in files]
    sounds += [(await voice.say(text), text) for text in texts]
    steps: list[Step] = [WaitForReply(GREETING_QUIET_MS)]
    for index, (sound, text) in enumerate(sounds):
        if interrupt_at is not None and index and index == len(sounds) - 1:
            steps[-1] = Interrupt(round(interrupt_at * 1000), sound, text)
        else:
            steps.append(Say(sound, text))
        steps.append(WaitForReply())
    return [*steps, HangUp()]


def _print_report(report: CallReport, console: Console, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(report.as_dict()))
        return
    delays = ", ".join(f"{delay:.0f}" for delay in report.reply_delays_ms) or "none"
    console.print(f"\nThe call was {report.outcome}; ended by the {report.ended_by}.", highlight=False)
    for sentence in report.spoken_by_carrier:
        console.print(f"The carrier said: {escape(sentence)}", highlight=False)
    for dialled in report.dialled:
        console.print(f"Put through to {escape(dialled.number)}: {dialled.status}.", highlight=False)
    if report.greeting_ms is not None:
        console.print(f"In the caller's ear: greeting after {report.greeting_ms:.0f} ms; replies after {delays} ms.")
    for error in report.errors:
        console.print(f"[red]{escape(error)}[/]", highlight=False)
