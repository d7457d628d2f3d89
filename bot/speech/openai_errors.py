"""What the official SDK raises, as our own error: one place, and for each fault a sentence that says what to do.

Fatal is what will not go away by itself: a wrong key, an unknown model, a parameter that is not taken, an empty
account. All else (time-outs, busy or broken servers, connections that fail) may be better a moment later. What the
server wrote is quoted, for it names the parameter; keys in it are not.

https://platform.openai.com/docs/guides/error-codes
"""

import json
import re
from dataclasses import dataclass
from typing import Any

import httpx2
import openai

from bot.config import ModelServerConfig
from bot.errors import RequestFailedError

SDK_ERRORS = (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError, json.JSONDecodeError, UnicodeDecodeError)
"""All that a request through the SDK raises where nobody here has made a mistake."""

NO_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_KEY = re.compile(r"\b(?:sk|sess|ek)[-_][\w*.-]{4,}")
_LONGEST_QUOTE = 300
_PASSING = frozenset({408, 409, 425, 429})
_PASSING_CODES = frozenset({"rate_limit_exceeded", "server_error", "overloaded", "timeout"})


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom a request was meant for, as the sentences about it say."""

    server: ModelServerConfig
    setting: str  # where the server is configured: `openai`, `openai.servers.branch`
    model: str
    timeout_s: float


def failure(fault: Exception, asked: Asked) -> RequestFailedError:
    """One of `SDK_ERRORS`, or the `TimeoutError` of a first answer that did not come, in our words."""
    where = asked.server.base_url
    match fault:
        case openai.APIStatusError():
            return _refusal(fault, asked)
        case openai.APITimeoutError() | httpx2.TimeoutException() | TimeoutError():
            return RequestFailedError(
                f"{where} did not answer within {asked.timeout_s:g} s: check its state, or raise openai.timeout_s",
                is_fatal=False,
            )
        case openai.APIConnectionError():
            why = fault.__cause__ or fault
            return RequestFailedError(_unreachable(asked, why), is_fatal=False)
        case openai.APIError():  # an error in the middle of an answer that had begun well
            is_fatal = fault.code in NO_CREDIT
            return RequestFailedError(
                f"{where} broke off its answer: {_quoted(fault, asked)}", is_fatal=is_fatal, code=fault.code
            )
        case httpx2.HTTPError():
            return RequestFailedError(_unreachable(asked, fault), is_fatal=False)
        case _:
            return RequestFailedError(
                f"{where} sent what is no answer of OpenAI's API ({type(fault).__name__}): "
                f"check {asked.setting}.base_url",
                is_fatal=False,
            )


def _refusal(fault: openai.APIStatusError, asked: Asked) -> RequestFailedError:
    status, code = fault.status_code, fault.code
    is_passing = status in _PASSING or status >= 500 or code in _PASSING_CODES
    sentence = _sentence(fault, asked)
    if fault.request_id:
        sentence = f"{sentence} (request {fault.request_id})"
    return RequestFailedError(
        sentence,
        is_fatal=not is_passing or code in NO_CREDIT or _type(fault) in NO_CREDIT,
        status=status,
        code=code,
        param=fault.param,
        request_id=fault.request_id,
    )


def _sentence(fault: openai.APIStatusError, asked: Asked) -> str:
    """What was refused, and what to do about it."""
    where, model, told = asked.server.base_url, asked.model, _quoted(fault, asked)
    if fault.code in NO_CREDIT or _type(fault) in NO_CREDIT:
        return f"the account at {where} has no credit left: add some, or raise its limit"
    match fault.status_code:
        case 401:
            return f"{where} refuses {asked.setting}.api_key: set it to a key that is valid there"
        case 403:
            return f"{where} does not let this key use {model!r}: {told}; check the project's permissions and limits"
        case 404 if fault.code == "model_not_found" or model in told:
            return f"{where} knows no model {model!r}, or this key may not use it: {told}"
        case 404 | 405:
            return f"{where} has no such service: check {asked.setting}.base_url, which ends with /v1 as a rule"
        case 413:
            return f"{where} finds the request too large: {told}"
        case 429:
            return f"{where} is asked too often for {model!r}: {told}; raise its rate limit, or lower server.max_calls"
        case status if status >= 500 or status in _PASSING:
            return f"{where} is busy or broken (HTTP {status}): {told}"
        case status:
            return f"{where} refuses the request to {model!r} (HTTP {status}): {told}"


def _type(fault: openai.APIError) -> str | None:
    return fault.type


def _unreachable(asked: Asked, why: BaseException) -> str:
    reason = _without_keys(str(why), asked) or type(why).__name__
    return f"{asked.server.base_url} cannot be reached: {reason}; check {asked.setting}.base_url and the network"


def _quoted(fault: openai.APIError, asked: Asked) -> str:
    told = _message(fault.body) or fault.message
    short = " ".join(_without_keys(told, asked).split())
    return short if len(short) <= _LONGEST_QUOTE else short[: _LONGEST_QUOTE - 1] + "…"


def _message(body: Any) -> str:
    """The sentence in an error object, or in one of those that other servers write."""
    if isinstance(body, dict):
        for name in ("message", "detail", "error"):
            if isinstance(told := body.get(name), str):
                return told
        return _message(body.get("message")) or _complaints(body.get("detail"))
    return body if isinstance(body, str) else ""


def _complaints(detail: Any) -> str:
    """What servers made with FastAPI write, Mistral's too: which fields, and why; what was in them is not quoted."""
    rows = [row for row in detail if isinstance(row, dict)] if isinstance(detail, list) else []
    return "; ".join(f"{'.'.join(map(str, row.get('loc') or ()))}: {row.get('msg', '')}" for row in rows)


def _without_keys(text: str, asked: Asked) -> str:
    if asked.server.api_key:
        text = text.replace(asked.server.api_key, "•••")
    return _KEY.sub("•••", text)
