"""The TwiML that an answering service needs, read as Twilio reads it: a list of verbs, in order.

Verbs that are no part of answering a call (Gather, Record, Enqueue ...) are refused by name rather than passed over.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit
from xml.etree import ElementTree

from bot.errors import RehearsalError

_MAX_PARAMETER_CHARS = 500
_KNOWN = ("Connect", "Dial", "Say", "Play", "Pause", "Redirect", "Reject", "Hangup")
_PHONE_NUMBER = re.compile(r"\+?[0-9][0-9 ().-]{1,20}")
_SIP_ADDRESS = re.compile(r"sips?:[^\s@]+@[^\s@]+")


class TwimlError(RehearsalError):
    """The document is none that this emulation can follow."""


@dataclass(frozen=True, slots=True)
class Connect:
    """A bidirectional media stream; `action` is asked for what comes next once the server has closed it."""

    url: str
    parameters: Mapping[str, str]
    action: str = ""
    action_method: str = "POST"
    status_callback: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Dial:
    """Put the call through to one number or sip: address; `action` is asked for what comes next."""

    number: str
    caller_id: str = ""  # the call's own caller where it is not given
    timeout_s: float = 30.0
    action: str = ""
    action_method: str = "POST"


@dataclass(frozen=True, slots=True)
class Say:
    text: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Play:
    url: str


@dataclass(frozen=True, slots=True)
class Pause:
    length_s: float


@dataclass(frozen=True, slots=True)
class Redirect:
    url: str
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Reject:
    reason: str  # rejected | busy


@dataclass(frozen=True, slots=True)
class Hangup:
    pass


Verb = Connect | Dial | Say | Play | Pause | Redirect | Reject | Hangup


def parse(body: str) -> list[Verb]:
    """The verbs of a document; raises `TwimlError`."""
    try:
        response = ElementTree.fromstring(body.encode())
    except ElementTree.ParseError as exc:
        raise TwimlError(f"the answer is not XML (Twilio error 12100): {exc}") from exc
    if response.tag != "Response":
        raise TwimlError(f"the answer's root is <{response.tag}>, not <Response> (Twilio error 12102)")
    return [_verb(element) for element in response]


def _verb(element: ElementTree.Element) -> Verb:
    text = (element.text or "").strip()
    match element.tag:
        case "Connect":
            return _connect(element)
        case "Dial":
            return _dial(element)
        case "Say":
            return Say(" ".join("".join(element.itertext()).split()), element.get("language", ""))
        case "Play":
            return Play(text)
        case "Pause":
            return Pause(_seconds(element.get("length", "1"), "Pause length"))
        case "Redirect":
            return Redirect(text, element.get("method", "POST").upper())
        case "Reject":
            return Reject(element.get("reason", "rejected"))
        case "Hangup":
            return Hangup()
        case tag:
            raise TwimlError(f"<{tag}> is not emulated; known are {', '.join(_KNOWN)}")


def _connect(element: ElementTree.Element) -> Connect:
    stream = element.find("Stream")
    if stream is None or len(element) != 1:
        raise TwimlError("<Connect> must hold one <Stream>; nothing else is emulated")
    if not stream.get("url"):
        raise TwimlError("<Stream> has no url")
    if stream.get("track", "inbound_track") != "inbound_track":
        raise TwimlError("<Connect><Stream> carries only inbound_track")
    return Connect(
        url=_without_query(stream.get("url", "")),
        parameters=dict(_parameter(child) for child in stream),
        action=element.get("action", ""),
        action_method=element.get("method", "POST").upper(),
        status_callback=stream.get("statusCallback", ""),
        name=stream.get("name", ""),
    )


def _dial(element: ElementTree.Element) -> Dial:
    """`<Dial>` with a number as its text, or with one `<Number>` or `<Sip>`."""
    inside = list(element) or [element]
    target = inside[0]
    if len(inside) != 1 or target.tag not in ("Dial", "Number", "Sip"):
        raise TwimlError("<Dial> must hold one number, <Number> or <Sip>; nothing else is emulated")
    number = (target.text or "").strip()
    if not (_SIP_ADDRESS if target.tag == "Sip" else _PHONE_NUMBER).fullmatch(number):
        raise TwimlError(f"<Dial> has {number!r}, which cannot be dialled (Twilio error 13224)")
    return Dial(
        number=number,
        caller_id=element.get("callerId", ""),
        timeout_s=_seconds(element.get("timeout", "30"), "Dial timeout"),
        action=element.get("action", ""),
        action_method=element.get("method", "POST").upper(),
    )


def _parameter(element: ElementTree.Element) -> tuple[str, str]:
    name, value = element.get("name", ""), element.get("value", "")
    if element.tag != "Parameter" or not name:
        raise TwimlError(f"<Stream> holds a <{element.tag}> that is no named <Parameter>")
    if len(name) + len(value) >= _MAX_PARAMETER_CHARS:
        raise TwimlError(f"<Parameter> {name!r} and its value have {_MAX_PARAMETER_CHARS} characters or more")
    return name, value


def _without_query(url: str) -> str:
    """Twilio drops a stream URL's query without a word; parameters travel as <Parameter>."""
    return urlunsplit(urlsplit(url)._replace(query="", fragment=""))


def _seconds(text: str, what: str) -> float:
    if not text.isascii() or not text.isdigit():
        raise TwimlError(f"<{what}> is {text!r}, not a whole number of seconds")
    return float(text)
