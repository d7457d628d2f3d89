"""`offhook transcribe` as people type it: what is written where, what is said beside it, and the exit code."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import app
from bot.local.http import Keys
from bot.local.serving import serving
from tests.support.local_server import BUSINESS
from tests.support.name_model import name_model
from tests.support.words import normalised

QUESTION = normalised("How old is the Brooklyn Bridge?")


@pytest.fixture
def bridge(data: Path) -> Path:
    return data / "speech-en" / "google-brooklyn-bridge.flac"


@pytest.fixture
def weather(data: Path) -> Path:
    return data / "speech-en" / "ms-whatstheweatherlike.flac"


def offhook(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["transcribe", *map(str, arguments)])


def test_the_words_go_to_the_standard_output_and_the_cost_to_the_other(bridge: Path):
    result = offhook(bridge)
    assert result.exit_code == 0
    assert normalised(result.stdout) == QUESTION
    assert "1 file, 0:02 of sound" in result.stderr
    assert "on this machine, at no cost" in result.stderr
    assert "\x1b" not in result.stderr  # no terminal, no progress


def test_each_of_several_recordings_gets_a_file_of_its_own(bridge: Path, weather: Path, tmp_path: Path):
    result = offhook(bridge, weather, "--format", "srt", "--output", tmp_path)
    assert (result.exit_code, result.stdout) == (0, "")
    assert {path.name for path in tmp_path.iterdir()} == {f"{one.stem}.srt" for one in (bridge, weather)}
    assert (tmp_path / f"{bridge.stem}.srt").read_text().startswith("1\n00:00:00,")


def test_one_recording_that_fails_does_not_stop_the_others(bridge: Path, tmp_path: Path):
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF and no sound")
    result = offhook(broken, tmp_path / "missing.wav", bridge)
    assert result.exit_code == 1
    assert normalised(result.stdout) == QUESTION
    assert "Audio file might be corrupted" in result.stderr or "Invalid file format" in result.stderr
    assert "missing.wav: No such file or directory" in result.stderr


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--model", "openai:gpt-transcribe", "--format", "vtt"], "is not compatible with model"),
        (["--model", "openai:whisper-1", "--speaker", "Ann"], "--speaker needs"),
        (["--server", "nowhere"], "is on this machine"),
        (["--format", "docx"], "docx"),
        (["--part-s", "3"], "part-s"),
        (["--correct", "--name", "Ann"], "--correct needs a text model"),
        (["--correct", "--text-model", "openai:gpt-4.1"], "--correct needs names"),
        (["--channels", "--speaker", "Ann"], "--channels takes two"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_done(bridge: Path, options: list[str], why: str):
    result = offhook(bridge, *options)
    assert result.exit_code == 2
    assert why in " ".join(result.stderr.replace("│", " ").split())


def test_two_transcripts_never_go_to_one_file(bridge: Path, weather: Path, tmp_path: Path):
    assert offhook(bridge, weather, "--output", tmp_path / "one.txt").exit_code == 2
    twin = tmp_path / "other" / bridge.name
    twin.parent.mkdir()
    twin.write_bytes(bridge.read_bytes())
    assert offhook(bridge, twin, "--output", tmp_path).exit_code == 2
    assert offhook(twin, "--output", twin).exit_code == 2


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_paid_for(bridge: Path, tmp_path: Path):
    result = offhook(bridge, "--output", tmp_path / "not" / "there.txt")
    assert result.exit_code == 2
    assert "cannot be written" in " ".join(result.stderr.replace("│", " ").split())


def test_words_have_times_where_they_are_asked_for(bridge: Path, tmp_path: Path):
    place = tmp_path / "bridge.json"
    result = offhook(bridge, "--format", "verbose_json", "--timestamps", "word", "--output", place)
    assert result.exit_code == 0
    words = json.loads(place.read_text())["words"]
    assert [word["word"].lower() for word in words] == QUESTION


async def test_names_are_spelt_right_and_what_changed_is_said(bridge: Path, tmp_path: Path):
    async with name_model() as names:
        config = tmp_path / "offhook.toml"
        config.write_text(f'[openai]\nbase_url = "{names.url}"\n')
        options = ["--config", config, "--correct", "--text-model", "openai:names", "--name", "Brooclin"]
        result = await asyncio.to_thread(offhook, bridge, *options)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "How old is the Brooclin Bridge?\n"
    assert "corrected: Brooklyn → Brooclin" in result.stderr


async def test_a_server_is_asked_with_its_key_and_its_price_is_told(bridge: Path, tmp_path: Path):
    async with serving(BUSINESS, keys=Keys(("sk-branch",))) as url:
        config = tmp_path / "offhook.toml"
        config.write_text(f'[openai.servers.branch]\nbase_url = "{url}"\napi_key = "sk-branch"\n')
        options = ["--config", config, "--server", "branch", "--model", "whisper-1", "--format", "vtt"]
        result = await asyncio.to_thread(offhook, bridge, *options)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("WEBVTT\n\n00:00:00.")
    assert "1 request: about $0.0002" in result.stderr  # two seconds at 0.006 dollars a minute
    assert "whisper-1 off on 2027-02-26; OpenAI names gpt-transcribe as its replacement" in result.stderr


async def test_a_wrong_key_is_a_sentence(bridge: Path, tmp_path: Path):
    async with serving(BUSINESS, keys=Keys(("sk-branch",))) as url:
        config = tmp_path / "offhook.toml"
        config.write_text(f'[openai.servers.branch]\nbase_url = "{url}"\napi_key = "sk-other-and-wrong"\n')
        result = await asyncio.to_thread(offhook, bridge, "--config", config, "--model", "openai:whisper-1@branch")
    assert result.exit_code == 1
    assert "part 1 (00:00:00 to 00:00:02)" in result.stderr
    assert "refuses openai.servers.branch.api_key" in result.stderr
    assert "wrong" not in result.stderr


def test_what_an_english_model_cannot_translate_it_says(bridge: Path):
    result = offhook(bridge, "--translate")
    assert result.exit_code == 1
    assert "knows English only and cannot translate" in result.stderr


def test_a_transcript_that_cannot_be_corrected_is_not_lost(bridge: Path, tmp_path: Path):
    config = tmp_path / "offhook.toml"
    config.write_text('[openai]\nbase_url = "http://127.0.0.1:9/v1"\nretries = 0\n')
    options = ["--config", config, "--correct", "--text-model", "openai:names", "--name", "Ann"]
    result = offhook(bridge, *options)
    assert result.exit_code == 1
    assert normalised(result.stdout) == QUESTION
    assert "the names were not corrected: http://127.0.0.1:9/v1 cannot be reached" in result.stderr


def test_a_server_that_is_not_configured_is_a_sentence(bridge: Path):
    result = offhook(bridge, "--model", "whisper-1", "--server", "nowhere")
    assert result.exit_code == 1
    assert "there is no server 'nowhere'" in str(result.exception)
