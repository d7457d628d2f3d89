"""`offhook transcribe`: recordings into text, with the models of this machine or of any server."""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot import logs
from bot.analysis.asked_for import AskedWronglyError, Options, engine, goes_by_turn, request
from bot.analysis.business_names import names_of
from bot.analysis.outputs import Output, obstacle
from bot.config import Config, LogConfig, load
from bot.errors import ConfigError
from bot.speech.engine_names import parse

if TYPE_CHECKING:
    from bot.analysis.speakers import KnownSpeaker
    from bot.analysis.transcribing import CorrectionOrder

SHORTEST_PART_S, USUAL_PART_S, LONGEST_PART_S = 20.0, 600.0, 1400.0
"""Models refuse more than the last, and a part that fails is done again."""

Format = Literal["text", "json", "verbose_json", "srt", "vtt", "diarized_json"]


def transcribe(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Recordings of any length.")],
    model: Annotated[
        str, typer.Option(metavar="MODEL", help="local: and a Whisper model's name or folder, or a server's model.")
    ] = "local:whisper-tiny.en",
    server: Annotated[
        str, typer.Option(metavar="NAME", help="One of openai.servers; without it the one in openai itself.")
    ] = "",
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", envvar="OFFHOOK_CONFIG", help="The TOML file.")
    ] = None,
    format_: Annotated[Format, typer.Option("--format", help="What is written.")] = "text",
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE|FOLDER", help="Write here, not to the standard output.")
    ] = None,
    translate: Annotated[bool, typer.Option("--translate", help="Into English, whatever is spoken.")] = False,
    language: Annotated[
        list[str] | None,
        typer.Option(metavar="CODE", help="What is spoken (ISO 639-1); some models take several."),
    ] = None,
    keyword: Annotated[
        list[str] | None, typer.Option(metavar="WORD", help="A word or name to expect; repeat it.")
    ] = None,
    prompt: Annotated[str, typer.Option(metavar="TEXT", help="What the model is to read first.")] = "",
    temperature: Annotated[float, typer.Option(help="0 to 1; 0 rises by itself where the result looks wrong.")] = 0.0,
    timestamps: Annotated[
        list[str] | None, typer.Option(metavar="word|segment", help="Which times verbose_json has; repeat it.")
    ] = None,
    logprobs: Annotated[bool, typer.Option("--logprobs", help="How sure the model is of each token (json).")] = False,
    chunking: Annotated[
        str, typer.Option(metavar="auto|server_vad", help="How the model finds speech; server_vad:threshold=0.4,…")
    ] = "",
    speaker: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME[=FILE]", help="Somebody who speaks, and their voice (2 to 10 s); repeat it."),
    ] = None,
    channels: Annotated[
        bool, typer.Option("--channels", help="The caller speaks on the left channel, the bot (or --speaker) right.")
    ] = False,
    correct: Annotated[
        bool, typer.Option("--correct", help="Have a text model spell names right: --name, and those of the bots.")
    ] = False,
    name: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="With --correct: a name and its spelling; repeat it.")
    ] = None,
    text_model: Annotated[
        str, typer.Option(metavar="MODEL", help="With --correct: openai:MODEL; default: the first bot's responder.")
    ] = "",
    part_s: Annotated[
        float,
        typer.Option(min=SHORTEST_PART_S, max=LONGEST_PART_S, help="What is longer is cut, in pauses, into parts."),
    ] = USUAL_PART_S,
    context: Annotated[
        bool | None, typer.Option(help="Give each part the words before it to read; default: if the model takes them.")
    ] = None,
) -> None:
    """Write down what is said in recordings."""
    from bot.analysis.file_transcription import Manner  # needs the audio packages, which other commands do not
    from bot.analysis.sound_parts import Cutting
    from bot.analysis.transcribing import Order, carry_out

    options = Options(
        response_format=format_,
        translate=translate,
        languages=language or (),
        keywords=keyword or (),
        prompt=prompt,
        temperature=temperature,
        timestamps=timestamps or (),
        logprobs=logprobs,
        chunking=chunking,
        by_channel=channels,
        streams=sys.stderr.isatty(),
    )
    settings = load(config, os.environ)
    logs.configure(LogConfig(level="error"))  # what went wrong is told in sentences
    _check_places(files, output, format_)
    try:
        engine_name = engine(model, server)
        known = _speakers(speaker or (), options)
        order = Order(
            files=tuple(dict.fromkeys(files)),
            name=engine_name,
            request=request(engine_name, _with_speakers(options, known)),
            manner=Manner(
                Cutting(
                    longest_s=part_s,
                    keeps_channels=format_ == "diarized_json",
                    by_turn=channels and goes_by_turn(engine_name),
                ),
                carries_words=context,
                as_json=correct,
            ),
            output=Output(format_, output, sys.stdout),
            channels=_channels(known) if channels else (),
            correction=_correction(name or (), text_model, settings) if correct else None,
        )
    except ConfigError as exc:
        raise typer.BadParameter(str(exc)) from exc
    failed = asyncio.run(carry_out(order, settings.openai))
    if failed:
        raise typer.Exit(1)


def _correction(given: Sequence[str], text_model: str, settings: Config) -> "CorrectionOrder":
    from bot.analysis.transcribing import CorrectionOrder

    names = list(dict.fromkeys([*given, *names_of(settings.bots)]))
    if not names:
        raise AskedWronglyError(
            "--correct needs names: give --name, or --config with bots that have keywords or facts."
        )
    responders = [bot.chained.responder for bot in settings.bots]
    model = text_model or next((one for one in responders if one.startswith("openai:")), "")
    if not model.startswith("openai:"):
        raise AskedWronglyError("--correct needs a text model: give --text-model openai:MODEL, or openai:MODEL@SERVER.")
    return CorrectionOrder(parse(model), names)


def _check_places(files: Sequence[Path], output: Path | None, response_format: str) -> None:
    """Two transcripts never go to one place, none over a recording, and none where it could not be kept."""
    if output is None:
        return
    if len(files) > 1 and not output.is_dir():
        raise typer.BadParameter(f"{output} is no folder: for several recordings make one, and name it")
    place = Output(response_format, output, sys.stdout).place
    taken: dict[Path, Path] = {}
    for path in dict.fromkeys(files):
        target = place(path)
        if target in taken:
            raise typer.BadParameter(f"{taken[target]} and {path} would both be written to {target}")
        if target.exists() and any(target.samefile(one) for one in files if one.exists()):
            raise typer.BadParameter(f"{target} is one of the recordings")
        if why := obstacle(target):
            raise typer.BadParameter(f"{target} cannot be written: {why}")
        taken[target] = path


def _speakers(given: Sequence[str], options: Options) -> "Sequence[KnownSpeaker]":
    if given and not options.by_channel and options.response_format != "diarized_json":
        raise AskedWronglyError("--speaker needs --format diarized_json or --channels, which say who speaks.")
    from bot.analysis.speakers import KnownSpeaker, speaker_from_file

    known = []
    for one in given:
        name, _, path = one.partition("=")
        known.append(speaker_from_file(name, Path(path)) if path else KnownSpeaker(name, name))
    return known


def _channels(known: "Sequence[KnownSpeaker]") -> Sequence[str]:
    """Left first."""
    names = tuple(one.label for one in known)
    if len(names) not in (0, 2) or len(set(names)) < len(names) or any(one.reference for one in known):
        raise AskedWronglyError("--channels takes two different --speaker NAME, left first, and no voices.")
    return names or ("caller", "bot")


def _with_speakers(options: Options, known: "Sequence[KnownSpeaker]") -> Options:
    return replace(
        options,
        speaker_names=tuple(one.name for one in known),
        speaker_references=tuple(one.reference for one in known if one.reference),
    )
