"""A caller's voice for emulated calls: the bot's own speaker, a little faster and higher."""

from bot.rehearsal.sound import RATE_HZ
from bot.speech.links import Speaker, whole_sound
from media.resample import Resampler

_PITCH = 24000 / 22050  # played as if it had been taken at this multiple of its rate


class CallerVoice:
    """Speaks what a caller says. The speaker must have been started."""

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker

    async def say(self, text: str) -> bytes:
        """One utterance: 16-bit mono at 8,000 Hz; raises `VoiceError`."""
        pcm = await whole_sound(self._speaker, text)
        heard_as_hz = round(self._speaker.rate_hz * _PITCH, -2)  # to a rate that has a short ratio to the line's
        resampler = Resampler(int(heard_as_hz), RATE_HZ)
        return resampler.push(pcm) + resampler.flush()
