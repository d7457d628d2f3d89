"""The sound of a session's items, for clients that ask for it again: the newest few minutes, not all of a long call."""

from collections import OrderedDict

import pybase64

from media.frame import L16_24K, AudioFormat
from media.transcode import Transcoder

_MOST_BYTES = 4_000_000


class Sounds:
    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[AudioFormat, bytes]] = OrderedDict()
        self._bytes = 0

    def keep(self, item_id: str, audio: AudioFormat, payload: bytes) -> None:
        """The oldest are forgotten when there is too much."""
        self.forget(item_id)
        self._kept[item_id] = (audio, payload)
        self._bytes += len(payload)
        while self._bytes > _MOST_BYTES:
            self.forget(next(iter(self._kept)))

    def cut(self, item_id: str, ms: float) -> None:
        if item_id in self._kept:
            audio, payload = self._kept[item_id]
            self.keep(item_id, audio, payload[: audio.payload_bytes(ms)])

    def forget(self, item_id: str) -> None:
        if item_id in self._kept:
            self._bytes -= len(self._kept.pop(item_id)[1])

    def as_base64(self, item_id: str) -> str | None:
        """16-bit at 24,000 Hz; None where nothing is kept."""
        if item_id not in self._kept:
            return None
        audio, payload = self._kept[item_id]
        transcoder = Transcoder(audio, L16_24K)
        return pybase64.b64encode(transcoder.push(payload) + transcoder.flush()).decode()
