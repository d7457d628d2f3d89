"""The page of one call and its files, over real sockets: what each role gets, parts of recordings, and long calls."""

import io
import json
import re
import time
import zipfile
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bot.calllog.records import Record, TimelineEvent
from bot.review.roles import Role
from media.wav import wav_bytes
from tests.support.api import Script, service_with_api, whole_call
from tests.support.calls import ended, message, recording, started, turn

CALLER = "+15550001111"
HTML = {"Accept": "text/html"}
SOUND = bytes(range(256)) * 500  # 128,000 bytes: 4 s of two channels
NASTY = "</script><img src=x onerror=alert(1)> '; DROP TABLE calls;-- \u202eback\u202c \x00\x07 --> {\\an8}\r\n\r\n1\n"


@pytest.fixture
async def script(tmp_path: Path) -> AsyncIterator[Script]:
    async with service_with_api(tmp_path) as script:
        (tmp_path / "call-1.wav").write_bytes(wav_bytes(SOUND, 8000, 2))
        await script.write(*whole_call("call-1", path=str(tmp_path / "call-1.wav")))
        yield script


@pytest.fixture
async def viewer(script: Script) -> AsyncIterator[Script]:
    async with script.of(Role.VIEWER) as viewer:
        yield viewer


async def page(script: Script, call_id: str = "call-1") -> tuple[int, str]:
    return await script.ask("GET", f"/calls/{call_id}", headers=HTML)


async def looks(script: Script) -> list[tuple[str, str, str]]:
    """Who looked at what, the newest first."""
    async with script.service.site.storage.reading() as connection:
        rows = await connection.exec_driver_sql("SELECT who, what, detail FROM access_log ORDER BY id DESC")
        return [tuple(row) for row in rows]


# -- the page ---------------------------------------------------------------------------------------------------------


async def test_an_admin_sees_the_number_and_a_viewer_a_masked_one(script, viewer):
    status, text = await page(script)
    assert (status, CALLER in text, 'id="delete"' in text) == (200, True, True)
    status, text = await page(viewer)
    assert (status, CALLER in text, "+1555•••1111" in text, 'id="delete"' in text) == (200, False, True, False)


async def test_looking_at_a_call_is_written_down(script, viewer):
    await page(viewer)
    assert await looks(script) == [("token script of viewer", "call", "")]


async def test_the_end_reason_is_a_sentence_and_unheard_words_are_struck_out(script):
    _, text = await page(script)
    assert "The caller hung up." in text
    assert re.search(r'<span class="heard">We are open</span><span class="sr">[^<]+</span><s class="unheard"> from nine\.</s>', text)  # fmt: skip # noqa: E501


async def test_there_is_no_page_of_a_call_that_never_was(script):
    assert (await page(script, "call-9"))[0] == 404


async def test_a_deleted_call_says_when_and_by_whom(script, viewer):
    assert (await script.ask("DELETE", "/api/calls/call-1", {"why": "<b>asked</b> for"}))[0] == 204
    status, text = await page(viewer)
    assert status == 410
    assert "This call was deleted" in text
    assert "Deleted by token script of admin" in text
    assert "Why: &lt;b&gt;asked&lt;/b&gt; for" in text
    for path in ("recording.wav", "peaks", "transcript.txt", "call.zip", "happened"):
        assert (await viewer.ask("GET", f"/calls/call-1/{path}"))[0] == 404


async def test_a_live_call_leads_to_where_it_is_followed(script):
    await script.write(started("call-live"), turn("call-live"))
    status, text = await page(script, "call-live")
    assert status == 200
    assert 'href="/live/call-live"' in text
    assert 'id="delete"' not in text


async def test_without_a_recording_the_page_says_why(script, tmp_path):
    await script.write(*whole_call("call-2"), *whole_call("call-3", path=str(tmp_path / "gone.wav")))
    assert "This call was not recorded" in (await page(script, "call-2"))[1]
    _, text = await page(script, "call-3")
    assert "The recording is not on the disk any more" in text
    assert "<audio" not in text


# -- the recording ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "status", "content_range", "size"),
    [
        ("", 200, None, 128_044),
        ("bytes=0-99", 206, "bytes 0-99/128044", 100),
        ("bytes=128000-", 206, "bytes 128000-128043/128044", 44),
        ("bytes=-4", 206, "bytes 128040-128043/128044", 4),
        ("bytes=128044-", 416, "bytes */128044", None),
    ],
)
async def test_a_recording_is_sent_whole_or_in_part(script, asked, status, content_range, size):
    headers = {"Range": asked} if asked else {}
    async with script.http.get(f"{script.url}/calls/call-1/recording.wav", headers=headers) as answer:
        body = await answer.read()
        assert (answer.status, answer.headers.get("Content-Range")) == (status, content_range)
        if size is not None:
            assert (len(body), answer.content_type) == (size, "audio/wav")
            assert answer.headers["Accept-Ranges"] == "bytes"
            assert answer.headers["Cache-Control"] == "no-store"
            assert body == wav_bytes(SOUND, 8000, 2)[-size:] if asked != "bytes=0-99" else body[:4] == b"RIFF"


async def test_the_parts_of_a_recording_are_one_look_and_a_download_is_another(script):
    for first in (0, 1000, 2000):
        await script.http.get(f"{script.url}/calls/call-1/recording.wav", headers={"Range": f"bytes={first}-"})
    async with script.http.get(f"{script.url}/calls/call-1/recording.wav?download") as answer:
        assert answer.headers["Content-Disposition"] == 'attachment; filename="call-2026-11-20-1200-call-1.wav"'
    who = "token script of admin"
    assert await looks(script) == [(who, "recording", "download"), (who, "recording", "")]


async def test_peaks_are_there_where_the_recording_is(script, tmp_path):
    status, peaks = await script.get("/calls/call-1/peaks")
    assert (status, peaks["bucket_ms"], len(peaks["caller"])) == (200, 20, 268)
    (tmp_path / "call-1.wav").write_bytes(b"broken")
    assert (await script.get("/calls/call-1/peaks"))[0] == 404
    (tmp_path / "call-1.wav").unlink()
    assert (await script.get("/calls/call-1/peaks"))[0] == 404


# -- downloads --------------------------------------------------------------------------------------------------------


async def test_transcripts_are_files_of_their_kind(script):
    kinds = {}
    for kind in ("txt", "srt", "vtt", "json"):
        async with script.http.get(f"{script.url}/calls/call-1/transcript.{kind}") as answer:
            assert answer.headers["Content-Disposition"].endswith(f'call-1.{kind}"')
            kinds[kind] = answer.content_type
            assert CALLER in await answer.text() or kind in ("srt", "vtt")
    assert kinds == {"txt": "text/plain", "srt": "application/x-subrip", "vtt": "text/vtt", "json": "application/json"}
    assert [what for _, what, _ in await looks(script)] == ["transcript"] * 4
    assert (await script.get("/calls/call-1/transcript.exe"))[0] == 404


async def zipped(script: Script, call_id: str = "call-1") -> dict[str, bytes]:
    async with script.http.get(f"{script.url}/calls/{call_id}/call.zip") as answer:
        assert (answer.status, answer.content_type) == (200, "application/zip")
        archive = zipfile.ZipFile(io.BytesIO(await answer.read()))
    assert archive.testzip() is None
    return {name: archive.read(name) for name in archive.namelist()}


async def test_the_zip_has_everything_and_its_page_needs_nothing_else(script, tmp_path):
    files = await zipped(script)
    assert list(files) == [
        "index.html", "page.css", "page.js", "transcript.txt", "transcript.srt", "transcript.vtt", "transcript.json",
        "call.json", "recording.wav",
    ]  # fmt: skip
    assert files["recording.wav"] == wav_bytes(SOUND, 8000, 2)
    index = files["index.html"].decode()
    assert set(re.findall(r'(?:src|href)="([^"]+)"', index)) == {"page.css", "page.js", "recording.wav"}
    assert "When are you open?" in index
    call = json.loads(files["call.json"])
    assert call["recordings"][0]["path"] == "call-1.wav"
    assert str(tmp_path) not in files["call.json"].decode()
    assert (await looks(script))[0] == ("token script of admin", "export", "zip")


async def test_what_a_viewer_takes_away_has_masked_numbers(script, viewer):
    files = await zipped(viewer)
    assert [name for name, body in files.items() if CALLER.encode() in body] == []
    assert b"+1555\xe2\x80\xa2\xe2\x80\xa2\xe2\x80\xa21111" in files["transcript.txt"]
    assert json.loads(files["call.json"])["messages"][0]["from_number"] == "+1555•••1111"


async def test_a_call_without_its_recording_is_a_zip_without_sound(script):
    await script.write(*whole_call("call-2"))
    files = await zipped(script, "call-2")
    assert "recording.wav" not in files
    assert b"<audio" not in files["index.html"]


# -- long and hostile calls -------------------------------------------------------------------------------------------


def an_hour(call_id: str) -> list[Record]:
    """700 turns and 5,000 events."""
    records: list[Record] = [started(call_id)]
    for index in range(700):
        role, at_ms = ("caller", "bot")[index % 2], index * 5000
        words = f"This is what was said in turn {index}, and it goes on for about as long as people speak."
        records.append(
            turn(
                call_id, index, role=role, text=words, started_ms=at_ms, ended_ms=at_ms + 4000,
                heard_text=None if role == "caller" else words, reply_ms=900 if role == "bot" else None,
                endpointing_ms=300, response_ms=500,
            )
        )  # fmt: skip
    kinds = ("speech_started", "utterance_ended", "playout_cleared", "reply_cut", "tokens_used")
    for number in range(5000):
        data = (
            {"model": "gpt-4.1", "cost_usd": 0.001, "text_in": 100} if number % 5 == 4 else {"reply_id": f"r{number}"}
        )
        records.append(TimelineEvent(call_id, number * 700, kinds[number % 5], data))
    return [*records, ended(call_id, duration_ms=3_600_000)]


async def test_an_hour_with_thousands_of_events_is_a_quick_and_light_page(script):
    await script.write(*an_hour("call-hour"))
    await page(script, "call-hour")  # templates are compiled at their first use
    began = time.perf_counter()
    async with script.http.get(f"{script.url}/calls/call-hour", headers=HTML | {"Accept-Encoding": "gzip"}) as answer:
        assert answer.status == 200
        text = await answer.text()
        weight = int(answer.headers.get("Content-Length") or len(text))
    assert time.perf_counter() - began < 2  # 0.3 s on an idle machine
    assert weight < 150_000
    assert text.count("<tr data-n=") == 100 + 1  # the first hundred, and the template for more
    assert len(re.findall(r'<button type="button" class="mark-', text)) < 2000


async def test_everything_that_happened_is_read_page_by_page(script):
    await script.write(*an_hour("call-hour"))
    status, first = await script.get("/calls/call-hour/happened", **{"from": "100"})
    assert (status, len(first["lines"]), first["lines"][0]["n"], first["next"]) == (200, 100, 100, 200)
    _, last = await script.get("/calls/call-hour/happened", **{"from": "5600"})
    assert (len(last["lines"]), last["next"]) == (100, None)
    assert (await script.get("/calls/call-hour/happened", **{"from": "99999"}))[1] == {"lines": [], "next": None}
    for nonsense in ("-1", "x", "1" * 30, "٣"):
        assert (await script.get("/calls/call-hour/happened", **{"from": nonsense}))[0] == 400


async def test_a_tool_is_shown_with_what_it_was_given_and_what_it_gave_back(script):
    await script.write(
        started("call-2"),
        TimelineEvent("call-2", 100, "tool_began", {"job": 1, "name": "book", "arguments": '{"day": "Friday"}'}),
        TimelineEvent("call-2", 150, "digit_pressed", {"digit": "1"}),
        TimelineEvent("call-2", 900, "tool_ended", {"job": 1, "output": "x" * 5000}),
        ended("call-2"),
    )
    _, shown = await script.get("/calls/call-2/happened", **{"from": "0", "whole": ""})
    assert [line["what"] for line in shown["lines"]] == ["A tool began", "A tool was done"]
    assert ["arguments", '{"day": "Friday"}'] in shown["lines"][0]["facts"]
    assert ["output", "x" * 5000] in shown["lines"][1]["facts"]


class Tags(HTMLParser):
    """What a browser would take for markup."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.handlers: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.handlers |= {name for name, _ in attrs if name.startswith("on")}


async def test_hostile_words_are_text_everywhere_and_files_stay_whole(script):
    long = NASTY + "w" * 100_000
    await script.write(
        started("call-bad", from_number=NASTY, to_number=NASTY, config={NASTY: {NASTY: [NASTY]}}),
        turn("call-bad", 0, role="caller", text=long, heard_text=None, ended_ms=900),
        turn("call-bad", 1, text=long, heard_text=NASTY, kind=NASTY, interrupted=True, ended_ms=2000, reply_ms=5),
        TimelineEvent("call-bad", 3, "tool_began", {"job": NASTY, "name": long, "arguments": long}),
        TimelineEvent("call-bad", 4, NASTY, {NASTY: long}),
        TimelineEvent("call-bad", 5, "tokens_used", {"model": NASTY, NASTY: 5}),
        message("call-bad", text=long),
        recording("call-bad", path="/nowhere/" + "x" * 50),
        ended("call-bad", end_reason=NASTY[:60]),
    )
    await script.ask("PUT", "/api/calls/call-bad/note", json={"note": NASTY})
    await script.ask("POST", "/api/calls/call-bad/tags", json={"tag": "<b>'; --"})
    status, text = await page(script, "call-bad")
    assert status == 200
    files = await zipped(script, "call-bad")
    for document in (text, files["index.html"].decode()):
        tags = Tags()
        tags.feed(document)
        assert (tags.found & {"img", "b", "object"}, tags.handlers) == (set(), set())
        assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", document)
    assert len(text) < 200_000
    assert files["transcript.vtt"].decode().count("-->") == files["transcript.srt"].decode().count("-->")
    assert json.loads(files["call.json"])["turns"][0]["text"].endswith("www")
    _, line = await script.get("/calls/call-bad/happened", **{"from": "0", "whole": ""})
    assert len(json.dumps(line)) < 100_000
