"""OpenAI's own SDK for Node as a judge of `offhook local`: a transcription, a speech and a realtime turn."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bot.rehearsal.audio import load_pcm
from media.frame import L16_8K, L16_24K
from media.transcode import Transcoder
from tests.support.local_server import samples_of, sound_file
from tests.support.words import word_errors

PROJECT = Path(__file__).parents[1] / "node"
QUESTION = "How old is the Brooklyn Bridge?"
ANSWER = "The Brooklyn Bridge was opened in 1883."
TODAY = "Today is a wonderful day to build something people love!"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The script with its packages, installed as the lock file has them."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"no {program} here: apt-get install nodejs npm")
    folder = tmp_path_factory.mktemp("node") / "sdk"
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("node_modules"))
    install = ["npm", "ci", "--prefer-offline", "--ignore-scripts", "--no-progress"]
    installed = subprocess.run(install, cwd=folder, capture_output=True, text=True, timeout=120)
    assert installed.returncode == 0, installed.stderr
    return folder


@pytest.fixture(scope="module")
def told(project: Path, local_url: str) -> dict[str, Any]:
    """What came of it all."""
    recording = PROJECT.parent / "data" / "speech-en" / "google-brooklyn-bridge.flac"
    wav, pcm = project / "question.wav", project / "question.pcm"
    wav.write_bytes(sound_file(*samples_of(recording.read_bytes())))
    pcm.write_bytes(Transcoder(L16_8K, L16_24K).push(load_pcm(recording)))
    command = ["node", "turns.mjs", local_url, str(wav), str(pcm)]
    ran = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=100)
    assert ran.returncode == 0, ran.stderr
    result: dict[str, Any] = json.loads(ran.stdout)
    return result


pytestmark = pytest.mark.timeout(240)  # the first test installs the packages


def test_a_recording_is_written_down_with_its_words(told: dict[str, Any]):
    assert told["transcription"]["text"] == QUESTION
    words = [word["word"] for word in told["transcription"]["words"]]
    assert words == ["How", "old", "is", "the", "Brooklyn", "Bridge"]


def test_a_transcription_is_streamed(told: dict[str, Any]):
    assert told["stream"] == {"text": QUESTION, "types": ["transcript.text.delta", "transcript.text.done"]}


def test_what_is_spoken_is_understood(told: dict[str, Any]):
    assert told["speech"]["type"] == "audio/mpeg"
    assert word_errors(TODAY, told["speech"]["heard"])[0] <= 1


def test_a_spoken_question_is_answered_in_a_realtime_session(told: dict[str, Any]):
    turn = told["realtime"]
    assert (turn["asked"], turn["answered"], turn["status"]) == (QUESTION, ANSWER, "completed")
    assert 1500 < L16_24K.ms(turn["soundBytes"]) < 5000
    happened = [kind for kind in turn["types"] if kind.endswith(("_started", "_stopped", "committed", "response.done"))]
    assert happened == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "response.done",
    ]


def test_models_and_refusals_are_understood_too(told: dict[str, Any]):
    assert {"whisper-1", "gpt-realtime-2.1", "piper-joe"} <= set(told["models"])
    refusal = told["refusal"]
    assert (refusal["kind"], refusal["status"], refusal["param"]) == ("BadRequestError", 400, "response_format")
    assert refusal["id"].startswith("req_")
