import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.errors import VoiceError
from bot.prompt_store import PromptStore


class Paid:
    """A speaker whose every sentence is counted, and which may be out of reach."""

    name = "paid"

    def __init__(self, rate_hz: int = 24000) -> None:
        self.rate_hz = rate_hz
        self.said: list[str] = []
        self.is_down = False

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def speak(self, text: str) -> AsyncIterator[bytes]:
        if self.is_down:
            raise VoiceError("out of reach")
        self.said.append(text)
        yield text.encode("utf-16-le")


async def test_a_sentence_is_paid_once_and_kept_over_restarts(tmp_path: Path):
    speaker, folder = Paid(), tmp_path / "data" / "prompts"
    first = await PromptStore(folder).sound(speaker, ("joe",), "Hello.")
    speaker.is_down = True
    assert await PromptStore(folder).sound(speaker, ("joe",), "Hello.") == first == "Hello.".encode("utf-16-le")
    assert speaker.said == ["Hello."]


async def test_whatever_shapes_the_sound_makes_another(tmp_path: Path):
    store, speaker = PromptStore(tmp_path), Paid()
    await store.sound(speaker, ("joe", "1"), "Hello.")
    await store.sound(speaker, ("ann", "1"), "Hello.")
    await store.sound(speaker, ("joe", "1"), "Goodbye.")
    await store.sound(speaker, ("joe1",), "Hello.")
    slow = Paid(rate_hz=16000)
    await store.sound(slow, ("joe", "1"), "Hello.")
    assert (len(speaker.said), len(slow.said)) == (4, 1)


async def test_a_file_that_is_no_sound_is_made_again(tmp_path: Path):
    store, speaker = PromptStore(tmp_path), Paid()
    whole = await store.sound(speaker, (), "Hello.")
    [file] = tmp_path.iterdir()
    for broken in (b"", whole[:-1]):
        file.write_bytes(broken)
        assert await store.sound(speaker, (), "Hello.") == whole
    assert file.read_bytes() == whole
    assert [*tmp_path.iterdir()] == [file]


async def test_a_folder_that_cannot_be_written_costs_money_but_no_call(tmp_path: Path):
    (tmp_path / "file").touch()
    with capture_logs() as logs:
        assert await PromptStore(tmp_path / "file" / "prompts").sound(Paid(), (), "Hello.")
    assert [line["event"] for line in logs] == ["prompt_not_kept"]


async def test_what_was_never_made_cannot_be_said_while_the_speaker_is_down(tmp_path: Path):
    speaker = Paid()
    speaker.is_down = True
    with pytest.raises(VoiceError):
        await PromptStore(tmp_path).sound(speaker, (), "Hello.")
    assert [*tmp_path.iterdir()] == []


DAY_S = 86_400


async def test_what_nobody_has_said_for_a_month_is_deleted(tmp_path: Path):
    await PromptStore(tmp_path).sound(Paid(), (), "Hello.")
    await PromptStore(tmp_path).sound(Paid(), (), "Goodbye.")
    note = tmp_path / "note.pcm"
    note.write_text("not ours")
    now = time.time()
    store = PromptStore(tmp_path)
    await store.sound(Paid(), (), "Hello.")
    await store.prune(now + 29 * DAY_S)
    assert len([*tmp_path.iterdir()]) == 3
    await store.prune(now + 31 * DAY_S)
    assert len([*tmp_path.iterdir()]) == 2
    assert note.exists()
    speaker = Paid()
    await store.sound(speaker, (), "Hello.")
    await store.sound(speaker, (), "Goodbye.")
    assert speaker.said == ["Goodbye."]


async def test_what_another_configuration_said_this_month_is_kept(tmp_path: Path):
    await PromptStore(tmp_path).sound(Paid(), (), "Hello.")
    [file] = tmp_path.iterdir()
    now = time.time()
    os.utime(file, (now - 40 * DAY_S, now - 40 * DAY_S))
    await PromptStore(tmp_path).sound(Paid(), (), "Hello.")
    await PromptStore(tmp_path).prune(now)
    assert file.exists()


async def test_what_was_being_written_when_the_process_died_is_deleted(tmp_path: Path):
    rest = tmp_path / ".prompt-abc12345"
    rest.touch()
    store, now = PromptStore(tmp_path), time.time()
    await store.prune(now)
    assert rest.exists()
    await store.prune(now + 2 * DAY_S)
    assert not rest.exists()


async def test_a_folder_that_is_not_there_yet_is_pruned_in_peace(tmp_path: Path):
    await PromptStore(tmp_path / "prompts").prune(time.time())
    assert [*tmp_path.iterdir()] == []


async def test_what_cannot_be_put_in_its_place_leaves_nothing_behind(tmp_path: Path):
    store, speaker = PromptStore(tmp_path), Paid()
    await store.sound(speaker, (), "Hello.")
    [file] = tmp_path.iterdir()
    file.unlink()
    file.mkdir()
    with capture_logs() as logs:
        assert await store.sound(speaker, (), "Hello.")
    assert [line["event"] for line in logs] == ["prompt_not_kept"]
    assert [*tmp_path.iterdir()] == [file]
