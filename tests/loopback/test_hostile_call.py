"""A caller whose number, words and tools are written to break something: a whole call, and all that shows it."""

import csv
import io
import json
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from bot.config import OpenAIConfig, RealtimeConfig, ToolConfig
from bot.rehearsal.caller import HangUp, Say, ScriptedCaller, WaitForReply
from bot.rehearsal.stage import stage
from bot.rehearsal.tone_model import ToneModel
from bot.rehearsal.tone_script import FunctionCall, Tone
from bot.rehearsal.tone_session import Manner
from bot.rehearsal.twilio import place_call
from tests.support.tones import speech
from tests.support.visitors import VIEWER, browsing, pages_config

pytestmark = pytest.mark.asyncio(loop_scope="module")

NASTY = "=cmd|'/c calc'!A1 <script>alert(1)</script> '); DROP TABLE calls;-- \u202eback\u202c \x00\x07\x1b[2J\r\n-->\n"
LONG = NASTY + "lorem <b>ipsum</b> " * 5200  # 100 KB in one utterance
NUMBER = '"><img src=x onerror=alert(1)>@sip.example.com'
TOOL = ToolConfig(
    name="look_up", description="Looks something up.", python="tests.loopback.test_hostile_call:look_up",
    parameters={"type": "object", "properties": {"what": {"type": "string"}}, "required": ["what"]},
)  # fmt: skip


def look_up(what: str) -> str:
    """A tool that gives back what it was given, and worse."""
    return what + LONG


class Tags(HTMLParser):
    """What a browser would take for markup."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def is_harmless(page: str) -> bool:
    tags = Tags()
    tags.feed(page)
    scripts = [attributes for tag, attributes in tags.found if tag == "script"]
    handlers = [name for _, attributes in tags.found for name in attributes if name.startswith("on")]
    strangers = {tag for tag, _ in tags.found} & {"img", "b", "iframe", "object"}
    return not handlers and not strangers and all(one.get("src", "") and "/static/" in one["src"] for one in scripts)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def called(tmp_path_factory: pytest.TempPathFactory):
    """The service after the call, and the call's name."""
    folder: Path = tmp_path_factory.mktemp("hostile")
    answers = [[FunctionCall("look_up", {"what": NASTY})], Tone(700, text=NASTY), Tone(700, text="Goodbye.")]
    async with ToneModel(script=answers, manner=Manner(utterances=(LONG, "Goodbye."))) as model:
        config = pages_config(folder)
        bot = msgspec.structs.replace(
            config.bots[0], voice="realtime", tools=(TOOL,), realtime=RealtimeConfig(audio="pcmu")
        )
        openai = OpenAIConfig(base_url=model.base_url, api_key="sk-test")
        async with stage(msgspec.structs.replace(config, openai=openai, bots=(bot,))) as there:
            steps = [WaitForReply(), Say(speech(1000)), WaitForReply(), Say(speech(600)), WaitForReply(), HangUp()]
            report = await place_call(
                there.url, ScriptedCaller(steps), auth_token=there.auth_token, account_sid=there.account_sid,
                api=there.api, from_number=NUMBER, max_s=40,
            )  # fmt: skip
            assert (report.outcome, report.ended_by, report.errors) == ("answered", "caller", ())
            await there.service.supervisor.empty()
            await there.service.feed.flush()
            [summary] = await there.service.site.calllog.list_calls()
            yield there, summary.call_id


@pytest_asyncio.fixture(params=["admin", VIEWER], loop_scope="module")
async def browser(called, request):
    async with browsing(called[0].url) as browser:
        await browser.sign_in(request.param)
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def admin(called):
    async with browsing(called[0].url) as browser:
        await browser.sign_in()
        yield browser


async def test_every_page_shows_it_as_text(called, browser):
    for path in (f"/calls/{called[1]}", "/calls", "/calls?q=lorem", "/calls?q=%3Cscript%3E", "/live", "/overview"):
        page = await browser.get(path)
        assert page.status == 200, path
        assert is_harmless(page.text), path


async def test_a_viewer_gets_nothing_of_the_number(called):
    async with browsing(called[0].url) as viewer:
        await viewer.sign_in(VIEWER)
        for path in (f"/calls/{called[1]}", "/calls", f"/api/calls/{called[1]}", "/api/calls"):
            assert "onerror" not in (await viewer.get(path)).text, path


async def test_what_was_said_comes_back_whole_through_the_api(called, admin):
    call = json.loads((await admin.get(f"/api/calls/{called[1]}", Accept="application/json")).text)
    said = next(turn["text"] for turn in call["turns"] if turn["role"] == "caller")
    assert len(said) > 95_000
    assert said.startswith("=cmd|'/c calc'!A1 <script>alert(1)</script> '); DROP TABLE calls;-- \u202eback\u202c ")
    [began] = [event for event in call["events"] if event["kind"] == "tool_began"]
    [ended] = [event for event in call["events"] if event["kind"] == "tool_ended"]
    assert "DROP TABLE" in began["data"]["arguments"]
    assert len(ended["data"]["output"]) == 4000  # the timeline keeps the beginning


async def test_it_is_found_by_its_words(admin):
    for words in ("lorem", '"drop table"', "calc'", "alert(1)", "');--"):
        page = await admin.get("/api/calls?q=" + words.replace("'", "%27").replace('"', "%22").replace(" ", "%20"))
        assert page.status == 200, words


async def test_exports_stay_parseable_and_hold_no_formula(called, admin):
    rows = list(csv.DictReader(io.StringIO((await admin.get("/api/calls/export?format=csv")).text)))
    assert [row["call_id"] for row in rows] == [called[1]]
    assert all(cell[:1] not in ("=", "@", "\t", "\r") for cell in rows[0].values())
    [line] = (await admin.get("/api/calls/export?format=jsonl")).text.splitlines()
    assert json.loads(line)["call_id"] == called[1]


async def test_the_live_stream_stays_a_stream_of_events(called, admin):
    stream = (await admin.get(f"/live/{called[1]}/events")).text
    events = [block.split("\n") for block in stream.strip().split("\n\n")]
    assert all(lines[0].startswith("event: ") and lines[1].startswith("data: ") for lines in events)
    assert all(len(lines) == 2 for lines in events)
    assert json.loads(events[-1][1].removeprefix("data: "))["reason"] == "caller_hung_up"
