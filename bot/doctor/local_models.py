"""Whether the models that run on this machine are installed, and whole."""

from collections.abc import Sequence

from bot.doctor.findings import Finding
from bot.doctor.wanted_engines import WantedLocal
from bot.errors import VoiceError
from bot.local.models import INSTALL, piper_files, whisper_folder
from media.silero import bundled_model


def local_findings(wanted: Sequence[WantedLocal]) -> list[Finding]:
    """Reads the models' files to compare their hashes: some hundred milliseconds each, so not on an event loop."""
    return [_find(one) for one in wanted]


def _find(wanted: WantedLocal) -> Finding:
    subject = f"local {wanted.kind} {wanted.name}"
    try:
        match wanted.kind:
            case "transcriber":
                whisper_folder(wanted.name)
            case "speaker":
                piper_files(wanted.name)
            case "detector":
                bundled_model()
    except (VoiceError, FileNotFoundError, ImportError) as exc:
        return Finding("engines", subject, "problem", str(exc), INSTALL)
    return Finding("engines", subject, "ok", f"{wanted.name} is installed (for {', '.join(wanted.bots)})")
