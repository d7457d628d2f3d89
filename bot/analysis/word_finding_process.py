"""The process that finds when words were said: an order on the standard input, what was found on the standard output.

It takes only processor time that nobody else wants. What it cannot do it says on the error output, with status 1.
"""

import os
import sys

import msgspec

from bot.analysis.call_words import Order
from bot.errors import BotError


def main() -> int:
    _step_back()
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    try:
        from bot.analysis.word_finding import words_of_call  # raises where the local models are not installed

        found = list(words_of_call(order))
    except BotError as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    sys.stdout.buffer.write(msgspec.json.encode(found))
    return 0


def _step_back() -> None:
    """Before the model's threads begin, which take this from their parent."""
    os.nice(19)
    if sys.platform == "linux":
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


if __name__ == "__main__":
    sys.exit(main())
