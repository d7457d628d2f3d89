"""When the words of a call were said, as scripts and downloads get it: found once, kept, and gone with the call."""

import asyncio
import io
import json
import os
import re
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.calllog.recorded import words_beside
from bot.review.word_times import MAX_UNDER_WAY
from media.wav import wav_bytes
from tests.support import read_aloud
from tests.support.api import Script, service_with_api, whole_call
from tests.support.calls import NOON, started
from tests.support.read_aloud import READ_ALOUD

WORDS = f"/api/calls/{READ_ALOUD}/words"
TOLERANCE_MS = 250


@pytest.fixture
async def script(tmp_path: Path) -> AsyncIterator[Script]:
    async with service_with_api(tmp_path) as script:
        path = tmp_path / "recordings" / "call.wav"
        await script.write(*read_aloud.records(NOON, path, read_aloud.write_recording(path)))
        yield script


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return tmp_path / "recordings" / "call.wav"


async def found(script: Script, path: str = WORDS) -> dict:
    """What is answered in the end."""
    while (answer := (await script.get(path))[1])["state"] == "coming":
        pass  # each asking waits a few seconds for it
    return answer


async def test_each_word_has_its_time_in_the_recording(script):
    answer = await found(script)
    assert answer["state"] == "found"
    for turn, words in zip(read_aloud.turns(), answer["turns"], strict=True):
        begins_ms = {word["letter"]: word["from_ms"] for word in words["words"]}
        assert len(begins_ms) == len(turn.text.split())
        for reading in turn.readings:
            assert begins_ms[reading.letter] == pytest.approx(reading.begin_ms, abs=TOLERANCE_MS)


async def test_they_are_found_once_and_kept_beside_the_recording(script, recording):
    answer = await found(script)
    kept = words_beside(recording)
    written_at = kept.stat().st_mtime_ns
    assert await found(script) == answer
    assert kept.stat().st_mtime_ns == written_at
    kept.write_bytes(b'{"of": "another", "turns": []}')  # of the call as it was before
    assert await found(script) == answer
    assert kept.stat().st_mtime_ns != written_at
    assert sorted(path.name for path in recording.parent.iterdir()) == ["call.wav", "call.words.json"]


async def test_they_are_deleted_with_the_call(script, recording):
    await found(script)
    assert words_beside(recording).is_file()
    assert (await script.ask("DELETE", f"/api/calls/{READ_ALOUD}"))[0] == 204
    assert list(recording.parent.iterdir()) == []
    assert (await script.get(WORDS))[0] == 410


async def test_a_call_that_is_deleted_while_they_are_sought_leaves_nothing(script, recording):
    words = script.service.site.word_times
    detail = await script.service.site.calllog.get_call(READ_ALOUD)
    assert await words.find(detail, 0) is None
    [task] = words._under_way.values()
    assert (await script.ask("DELETE", f"/api/calls/{READ_ALOUD}"))[0] == 204
    await asyncio.wait([task])
    assert list(recording.parent.iterdir()) == []


async def test_downloads_have_them(script):
    await found(script)
    turn = read_aloud.turns()[2]
    _, text = await script.get(f"/calls/{READ_ALOUD}/transcript.json")
    words = text["turns"][2]["words"]
    assert [word["text"] for word in words] == turn.text.split()
    _, subtitles = await script.get(f"/calls/{READ_ALOUD}/transcript.vtt")
    spoken = [cue for cue in subtitles.split("\n\n")[1:] if "bot" in cue.lower()]
    begins = [_ms(found) for cue in spoken for found in re.findall(r"^([\d:.]+) -->", cue, re.MULTILINE)]
    said = {word["from_ms"] for turn in text["turns"] for word in turn["words"]}
    assert set(begins) <= said
    assert len(begins) > 4


async def test_the_zip_has_them_and_its_page_knows_them(script):
    async with script.http.get(f"{script.url}/calls/{READ_ALOUD}/call.zip") as answer:
        archive = zipfile.ZipFile(io.BytesIO(await answer.read()))
    turns = json.loads(archive.read("transcript.json"))["turns"]
    assert all(turn["words"] for turn in turns)
    first = turns[0]["words"][0]
    assert f'data-words="0:{first["from_ms"]} ' in archive.read("index.html").decode()


async def test_one_call_is_worked_at_by_a_process_that_steps_back(script, recording):
    others = ["call-1", "call-2"]
    for name in others:
        path = recording.with_name(f"{name}.wav")
        path.write_bytes(recording.read_bytes())
        await script.write(*whole_call(name, path=str(path)))
    asking = [asyncio.create_task(found(script, f"/api/calls/{name}/words")) for name in others]
    policies: dict[int, int] = {}
    while not all(task.done() for task in asking):
        children = _word_finders()
        assert len(children) <= 1
        policies |= children
        await asyncio.wait(asking, timeout=0.02)
    assert list(policies.values()) == [os.SCHED_IDLE] * len(others)  # what they had last


async def test_where_many_wait_another_is_asked_to_come_again(script, recording):
    words = script.service.site.word_times
    async with words._turn:  # somebody's long call
        for number in range(MAX_UNDER_WAY):
            path = recording.with_name(f"call-{number}.wav")
            path.write_bytes(wav_bytes(bytes(32_000), 8000, 2))
            await script.write(*whole_call(f"call-{number}", path=str(path)))
            detail = await script.service.site.calllog.get_call(f"call-{number}")
            assert await words.find(detail, 0) is None
        detail = await script.service.site.calllog.get_call(READ_ALOUD)
        assert await words.find(detail, 0) is None
        assert len(words._under_way) == MAX_UNDER_WAY


async def test_what_has_no_words_to_find_says_so(script, recording):
    await script.write(*whole_call("unrecorded"), started("live"))
    await script.write(*whole_call("gone", path=str(recording.with_name("gone.wav"))))
    for name in ("unrecorded", "live", "gone"):
        assert await script.get(f"/api/calls/{name}/words") == (200, {"state": "none", "turns": []})
    assert (await script.get("/api/calls/nobody/words"))[0] == 404


async def test_a_recording_that_cannot_be_read_is_tried_once(script, recording):
    recording.write_bytes(b"not a recording")
    assert (await found(script))["state"] == "none"
    under_way = script.service.site.word_times._under_way
    assert (await script.get(WORDS), under_way) == ((200, {"state": "none", "turns": []}), {})
    assert not words_beside(recording).exists()


def _word_finders() -> dict[int, int]:
    """The processes of this one that find words, each with how it is scheduled."""
    children = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    pids = [int(pid) for file in children for pid in file.read_text().split()]
    return {pid: os.sched_getscheduler(pid) for pid in pids if b"word_finding_process" in _command(pid)}


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _ms(clock: str) -> int:
    hours, minutes, seconds = clock.split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000 + round(float(seconds) * 1000)
