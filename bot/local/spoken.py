"""How a written sentence is said on a telephone: prices, times, numbers, addresses. English; pure text to text.

The phonemiser behind Piper reads "$65" as "dollar sixty-five" and a telephone number as one in the millions, so what it
gets wrong is written out here, and only that. And a long sentence is cut after its first clause, since the sound of the
first can play while the rest is made.
"""

import re
from collections.abc import Callable
from typing import Final

Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]

_DAYS: Final = {
    "Mon": "Monday",
    "Tue": "Tuesday",
    "Tues": "Tuesday",
    "Wed": "Wednesday",
    "Thu": "Thursday",
    "Thurs": "Thursday",
    "Fri": "Friday",
    "Sat": "Saturday",
    "Sun": "Sunday",
}
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_SHORT_WORDS: Final = {
    "dr.": "Doctor",
    "mr.": "Mister",
    "mrs.": "Missis",
    "ms.": "Miz",
    "ext.": "extension",
    "approx.": "approximately",
    "e.g.": "for example",
    "i.e.": "that is",
    "no.": "number",
}
_CURRENCIES: Final = {"$": ("dollar", "cent"), "£": ("pound", "penny"), "€": ("euro", "cent")}
_LONG_SENTENCE = 45  # characters; about 2.5 s
_WHOLE_CLAUSE = 12  # characters; shorter pieces sound chopped

_AMOUNT = r"\d{1,3}(?:,\d{3})+|\d+"
_DAY = "|".join(_DAYS)


def as_spoken(text: str) -> str:
    """The sentence with everything that would be misread written out."""
    for pattern, say in _RULES:
        text = pattern.sub(say, text)
    return " ".join(text.replace(".m..", ".m.").split())


def clauses(text: str) -> list[str]:
    """The sentence in one or two pieces: if it is long, its first clause comes by itself."""
    if len(text) < _LONG_SENTENCE:
        return [text]
    for cut in re.finditer(r"[,;:]\s+(?=\D)", text):
        if cut.start() >= _WHOLE_CLAUSE and len(text) - cut.end() >= _WHOLE_CLAUSE:
            return [text[: cut.start() + 1], text[cut.end() :]]
    return [text]


def _time(match: re.Match[str]) -> str:
    hour, minute, half = int(match[1]), match[2], (match[3] or "").replace(".", "").lower()
    if hour > 12 and not half:
        hour, half = hour - 12, "pm"
    minutes = "" if minute == "00" else f" oh {minute[1]}" if minute[0] == "0" else f" {minute}"
    if half:
        return f"{hour}{minutes} {' '.join(half)}".replace("a m", "a.m.").replace("p m", "p.m.")
    return f"{hour}{minutes}" if minutes else f"{hour} o'clock"


def _price(match: re.Match[str]) -> str:
    symbol = match["before"] or match["after"]
    whole, small, scale = match["whole"], match["small"], match["scale"]
    one, hundredth = _CURRENCIES[symbol]
    if scale:
        return f"{whole}{'.' + small if small else ''} {scale} {one}s"
    parts = [] if whole == "0" and small else [_counted(whole, one)]
    if small and int(small):
        parts.append(_counted(str(int(small)), hundredth))
    return " and ".join(parts) + (" per " if match["per"] else "")


def _counted(amount: str, unit: str) -> str:
    many = "pence" if unit == "penny" else f"{unit}s"
    return f"{amount} {unit if amount == '1' else many}"


def _date(match: re.Match[str]) -> str:
    return f"{_MONTHS[int(match[2]) - 1]} {int(match[3])}, {match[1]}"


def _telephone(match: re.Match[str]) -> str:
    groups = re.findall(r"\d+", match[0])
    if sum(len(group) for group in groups) < 7:
        return match[0]
    said = ", ".join(" ".join(group) for group in groups)
    return f"plus {said}" if match[0].startswith("+") else said


def _address(match: re.Match[str]) -> str:
    said = re.sub(r"^https?://", "", match[0], flags=re.IGNORECASE)
    for sign, word in (("@", "at"), (".", "dot"), ("-", "dash"), ("_", "underscore"), ("/", "slash")):
        said = said.replace(sign, f" {word} ")
    return re.sub(r"\bwww\b", "w w w", said.strip())


_RULES: Final[tuple[Rule, ...]] = (
    (re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", re.I), _address),
    (re.compile(r"(?:https?://|www\.)[\w-]+(?:\.[\w-]+)+(?:/[\w-]+)*/?", re.I), _address),
    (re.compile(r"\b[\w-]+\.(?:com|org|net|info|edu|gov|co\.uk)\b(?:/[\w-]+)*", re.I), _address),
    (re.compile(r"\b(\d{4})-(0[1-9]|1[0-2])-(\d\d)\b"), _date),
    (
        re.compile(
            rf"(?:(?P<before>[$£€])\s?)?(?P<whole>{_AMOUNT})(?:\.(?P<small>\d\d?))?(?:\s?(?P<after>[$£€]))?"
            r"(?:\s(?P<scale>thousand|million|billion))?(?P<per>\s?/\s?(?=[a-z]))?"
        ),
        lambda match: _price(match) if match["before"] or match["after"] else match[0],
    ),
    (re.compile(r"\b([01]?\d|2[0-3]):([0-5]\d)(?:\s?([ap]\.?m\b\.?))?", re.I), _time),
    (re.compile(rf"\b({_DAY})\s?[-–]\s?({_DAY})\b"), lambda match: f"{_DAYS[match[1]]} to {_DAYS[match[2]]}"),
    (re.compile(rf"\b({_DAY})\.?(?=,?\s\d)"), lambda match: _DAYS[match[1]]),
    (re.compile(r"(?<![\w.])\+?\(?\d[\d\s()./-]{5,}\d\b"), _telephone),
    (
        re.compile(r"(?<=\d)\s?[-–]\s?(?=\d)|(?<=\d[ap]m)\s?[-–]\s?(?=\d)|(?<=o'clock)\s?[-–]\s?(?=\d)", re.I),
        lambda _: " to ",
    ),
    (re.compile(r"\b0\d+\b"), lambda match: " ".join(match[0])),
    (
        re.compile(r"(?<=\bcode )\d+|(?<=\bPIN )\d+|(?<=\bextension )\d+|(?<=\bext\. )\d+", re.I),
        lambda match: " ".join(match[0]),
    ),
    (
        re.compile(r"\b(?:Dr|Mr|Mrs|Ms|[Ee]xt|[Aa]pprox)\.(?=\s?\w)|\bNo\.(?=\s?\d)|\b(?:e\.g|i\.e)\."),
        lambda match: _SHORT_WORDS[match[0].lower()],
    ),
    (
        re.compile(r"\b(\d{1,2})\s(Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)\b\.?"),
        lambda match: f"{_month(match[2])} {match[1]}",
    ),
    (
        re.compile(r"\b(Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)\b\.?\s(\d{1,2})\b"),
        lambda match: f"{_month(match[1])} {match[2]}",
    ),
)


def _month(short: str) -> str:
    return next(month for month in _MONTHS if month.startswith(short[:3]))
