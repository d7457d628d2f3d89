"""The form of a transcription or translation, read into the request that it means."""

import math
from collections.abc import Mapping

import msgspec

from bot.local.errors import RequestError
from bot.local.upload import Form
from bot.speech.requests import Chunking, ServerVad, TranscriptionRequest, TranslationRequest


def transcription_request(form: Form) -> TranscriptionRequest:
    """Raises `RequestError` for a value of the wrong kind; which values go together is not looked at."""
    return TranscriptionRequest(
        model=model_name(form),
        response_format=form.one("response_format", "json"),
        language=form.one("language"),
        languages=form.many("languages"),
        keywords=form.many("keywords"),
        prompt=form.one("prompt"),
        temperature=_temperature(form),
        granularities=form.many("timestamp_granularities"),
        include=form.many("include"),
        stream=_truth(form, "stream"),
        chunking=_chunking(form),
        speaker_names=form.many("known_speaker_names"),
        speaker_references=form.many("known_speaker_references"),
    )


def translation_request(form: Form) -> TranslationRequest:
    """Raises `RequestError` likewise."""
    return TranslationRequest(
        model=model_name(form),
        response_format=form.one("response_format", "json"),
        prompt=form.one("prompt"),
        temperature=_temperature(form),
    )


def model_name(form: Form) -> str:
    if not form.one("model"):
        raise RequestError("you must provide a model parameter", "model")
    return form.one("model")


def uploaded(form: Form) -> bytes:
    if form.file is None:
        raise RequestError("Missing required parameter: 'file'.", "file", "missing_required_parameter")
    return form.file


def _temperature(form: Form) -> float:
    text = form.one("temperature", "0")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise RequestError(f"Invalid type for 'temperature': {text!r} is not a number.", "temperature", "invalid_type")
    return number


def _truth(form: Form, name: str) -> bool:
    text = form.one(name, "false").lower()
    if text not in ("true", "false", "1", "0"):
        raise RequestError(f"Invalid type for '{name}': {text!r} is neither true nor false.", name, "invalid_type")
    return text in ("true", "1")


def _chunking(form: Form) -> Chunking | None:
    """As a word, as JSON, or as the fields of a flattened object."""
    text, members = form.one("chunking_strategy"), form.inner("chunking_strategy")
    if members:
        return _vad(members)
    if not text or text == "null":
        return None
    if text.strip('"') == "auto":
        return "auto"
    try:
        return _vad(msgspec.json.decode(text, type=dict[str, str | float]))
    except msgspec.DecodeError as exc:
        raise _bad_chunking(f"{text!r} is neither 'auto' nor an object") from exc


def _vad(members: Mapping[str, object]) -> ServerVad:
    if members.get("type") != "server_vad":
        raise _bad_chunking(f"its type is {members.get('type')!r}, not 'server_vad'")
    try:
        return msgspec.convert({key: value for key, value in members.items() if key != "type"}, ServerVad, strict=False)
    except msgspec.ValidationError as exc:
        raise _bad_chunking(str(exc)) from exc


def _bad_chunking(why: str) -> RequestError:
    return RequestError(f"Invalid chunking_strategy: {why}.", "chunking_strategy", "invalid_value")
