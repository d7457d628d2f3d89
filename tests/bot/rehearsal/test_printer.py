"""A call on the terminal: each turn once, when it is over."""

import io

from rich.console import Console

from bot.rehearsal.printer import CallPrinter
from tests.support.calls import turn


def printed(*records: object) -> list[str]:
    out = io.StringIO()
    printer = CallPrinter(Console(file=out, width=200))
    for record in records:
        printer(record)  # type: ignore[arg-type]
    return out.getvalue().splitlines()


def test_words_that_are_still_being_understood_are_not_printed():
    part = turn(role="caller", text="How")
    whole = turn(role="caller", text="How much is it?", ended_ms=900)
    [line] = printed(part, whole)
    assert line.endswith("How much is it?")


def test_a_reply_whose_end_is_corrected_is_printed_once():
    cut = turn(text="We open at nine.", heard_text="We open", ended_ms=900, interrupted=True)
    lines = printed(cut, cut)
    assert [line for line in lines if "We open" in line] == lines[:1]
    assert len(lines) == 2  # and that the caller spoke over it
