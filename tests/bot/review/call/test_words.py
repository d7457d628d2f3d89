"""Whatever can happen to a call has words on its page."""

import re
from pathlib import Path

import bot
from bot.calllog.records import INTERRUPTED
from bot.events import EndReason
from bot.review.call.delays import PARTS
from bot.review.call.lanes import LANES
from bot.review.strings import Strings
from bot.speech.prices import TOKEN_KINDS

STRINGS = Strings.load("en")
TIMELINE = (Path(bot.__file__).parent / "timeline.py").read_text(encoding="utf-8")


def missing(family: str, names: object) -> list[str]:
    return [name for name in names if not STRINGS.find(f"call.{family}.{name}", "")]  # type: ignore[attr-defined]


def test_every_end_reason_is_a_sentence():
    reasons = [*(reason.value for reason in EndReason), INTERRUPTED]
    assert missing("ended_because", reasons) == []
    assert [name for name in reasons if not STRINGS(f"call.ended_because.{name}").endswith(".")] == []


def test_every_event_that_a_call_writes_down_is_told_in_words():
    kinds = re.findall(r'_note\(\s*\w+, "(\w+)"', TIMELINE)
    kinds += re.findall(r'kind = "(\w+)" if \w+ else "(\w+)"', TIMELINE)[0]
    assert len(kinds) > 20
    assert missing("happened", kinds) == []


def test_lanes_parts_and_tokens_have_names():
    assert missing("lane", LANES) == []
    assert missing("part", PARTS) == []
    assert missing("token", TOKEN_KINDS) == []
