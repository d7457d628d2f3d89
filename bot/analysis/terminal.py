"""How far a transcription is, on the error output: only where that is a terminal, so that pipes and logs stay clean."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Column
from rich.text import Text

from bot.analysis.asking import Answer
from bot.analysis.correction import Correction
from bot.analysis.sound_parts import SoundPart
from bot.analysis.spending import Tally
from bot.errors import BotError, VoiceError

_LAST_WORDS = 40  # characters


class ProgressBar:
    """One line for each file: its name, how much of the sound is done, and the words as they come."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=16),
            _Clock(),
            TimeRemainingColumn(compact=True),
            TextColumn("[dim]{task.fields[words]}[/]", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
            console=console,
            disable=not console.is_terminal,
            transient=True,
            redirect_stdout=False,
            expand=True,
        )

    def __enter__(self) -> "ProgressBar":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """While something is written that may be on the same terminal."""
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()

    def file(self, name: str, model: str, tally: Tally) -> "FileWatcher":
        task = self._progress.add_task(escape(name), total=None, words="")
        return FileWatcher(self._progress, task, self._console, model, tally)


class FileWatcher:
    """One file's line; what was answered is added to the tally, once."""

    def __init__(self, progress: Progress, task: TaskID, console: Console, model: str, tally: Tally) -> None:
        self._progress, self._task, self._console = progress, task, console
        self._model, self._tally = model, tally
        self._words = ""
        self._counted: set[int] = set()

    def begun(self, seconds: float) -> None:
        self._progress.update(self._task, total=seconds or None)

    def words(self, text: str) -> None:
        self._words = (self._words + text)[-_LAST_WORDS:]
        self._progress.update(self._task, words=escape(self._words.strip().replace("\n", " ")))

    def finished(self, part: SoundPart, answer: Answer) -> None:
        if part.index not in self._counted:
            self._counted.add(part.index)
            self._tally.add(self._model, answer.body.get("usage"), part.end_s - part.start_s)
            self._progress.advance(self._task, part.end_s - part.start_s)

    def trying_again(self, part: SoundPart, error: VoiceError) -> None:
        told = f"[yellow]part {part.index + 1} again:[/] {escape(str(error))}"
        self._console.print(told, highlight=False, soft_wrap=True)


class _Clock(ProgressColumn):
    """12:30/60:00"""

    def render(self, task: Task) -> Text:
        total = f"/{_minutes(task.total)}" if task.total else ""
        return Text(f"{_minutes(task.completed)}{total}")


def print_correction(console: Console, correction: Correction) -> None:
    """Which names were spelt otherwise, each once; and how much of what the model changed was not taken."""
    spelt = dict.fromkeys((edit.before, edit.after) for edit in correction.taken)
    told = ", ".join(f"{before} → {after}" for before, after in spelt) or "nothing"
    kept = f"; {len(correction.refused)} changes that were no spelling were not taken" if correction.refused else ""
    console.print(f"corrected: {escape(told)}{kept}", style="dim", highlight=False, soft_wrap=True)


def print_failure(console: Console, path: Path, why: BotError) -> None:
    console.print(f"[bold red]{escape(str(path))}:[/] {escape(str(why))}", highlight=False, soft_wrap=True)


def print_warning(console: Console, told: str) -> None:
    console.print(f"[yellow]{escape(told)}[/]", highlight=False, soft_wrap=True)


def print_spending(console: Console, files: int, tally: Tally, took_s: float, *, is_free: bool) -> None:
    """The last line of a run."""
    pace = f", {tally.sound_s / took_s:.0f} times as fast as it was spoken" if took_s and tally.sound_s else ""
    counted = sum(tally.tokens.values())
    tokens = f", {counted:,} tokens" if counted and not is_free else ""
    cost = "on this machine, at no cost" if is_free else f"about ${tally.usd:.4f}" if tally.usd else "no price is known"
    console.print(
        f"{files} file{'s' if files != 1 else ''}, {_minutes(tally.sound_s)} of sound in {_minutes(took_s)}{pace}; "
        f"{tally.requests} request{'s' if tally.requests != 1 else ''}{tokens}: {cost}.",
        style="dim",
        highlight=False,
        soft_wrap=True,
    )


def _minutes(seconds: float) -> str:
    minutes, whole = divmod(round(seconds), 60)
    return f"{minutes}:{whole:02d}"
