"""Items that a client makes itself: from the wire to our own, with the sound that is in them."""

from collections.abc import Mapping

import pybase64

from bot.local.errors import RequestError
from bot.local.realtime.items import Item
from bot.local.realtime.wire import Json, NewId
from bot.speech.matching import sentences
from media.frame import L16_8K, AudioFormat
from media.transcode import Transcoder


def given_item(given: Json, new_id: NewId, audio: AudioFormat, tags: Mapping[str, str]) -> tuple[Item, bytes]:
    """The item, and its sound (16-bit, 8,000 Hz), if it has any whose words are not told.

    `tags` tells what the responder once meant by its sentences. Raises `RequestError` for sound that is no base64.
    """
    body = {**given, "id": given.get("id") or new_id("item"), "status": "completed"}
    item = Item(body)
    match body["type"]:
        case "function_call":
            body["call_id"] = body.get("call_id") or new_id("call")
        case "message":
            return item, _read_content(item, audio, tags)
    return item, b""


def _read_content(item: Item, audio: AudioFormat, tags: Mapping[str, str]) -> bytes:
    parts, shown, words, pcm = item.body["content"], [], [], b""
    for part in parts:
        words.append(part.get("text") or part.get("transcript") or "")
        if part["type"] == "input_audio":
            pcm += _decoded(part.get("audio") or "", audio)
            part = {"type": "input_audio", "transcript": part.get("transcript")}
        shown.append(part)
    item.body["content"] = shown
    item.sound_ms = L16_8K.ms(len(pcm))
    item.words = " ".join(word for word in words if word)
    if item.body["role"] == "assistant":
        for sentence in sentences(item.words):
            item.add_sentence(sentence, tags.get(sentence, ""))
    return b"" if item.words else pcm


def _decoded(text: str, audio: AudioFormat) -> bytes:
    try:
        payload = pybase64.b64decode(text, validate=True)
    except ValueError as exc:
        raise RequestError("Invalid 'item.content': the audio is not base64.", "item.content", "invalid_value") from exc
    transcoder = Transcoder(audio, L16_8K)
    return transcoder.push(payload) + transcoder.flush()
