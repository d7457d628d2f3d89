"""The JSON API over real sockets: what each role gets, what is refused and how, and files that stay parseable."""

import asyncio
import csv
import io
import json
import re
import sys
from datetime import timedelta

import pytest

from bot.calllog.summing_up import FLAGS
from bot.review import api_openapi
from bot.review.api_calls import Flag
from bot.review.roles import Role
from tests.support.api import service_with_api, whole_call
from tests.support.calls import NOON, started
from tests.support.visitors import browsing

HOSTILE = "=cmd|' /C calc'!A0 <script>alert(1)</script> '; DROP TABLE calls; -- \u202e \x1b[31m \"quoted\",\r\n\tnext"


@pytest.fixture
async def script(tmp_path):
    async with service_with_api(tmp_path) as script:
        yield script


@pytest.fixture
async def viewer(script):
    async with script.of(Role.VIEWER) as viewer:
        yield viewer


async def ids(script, **query):
    status, answer = await script.get("/api/calls", **query)
    assert status == 200, answer
    return [call["call_id"] for call in answer["calls"]]


async def test_calls_are_listed_page_by_page(script):
    for number in range(5):
        await script.write(*whole_call(f"call-{number}", started_at=NOON + timedelta(seconds=number)))
    status, first = await script.get("/api/calls", limit="3")
    assert status == 200
    assert [call["call_id"] for call in first["calls"]] == ["call-4", "call-3", "call-2"]
    assert await ids(script, limit="3", before=first["next"]) == ["call-1", "call-0"]
    assert (await script.get("/api/calls", before="1"))[1] == {"calls": [], "next": None}
    assert (await script.get("/api/calls/count"))[1] == {"count": 5, "is_exact": True}


async def test_a_search_shows_what_was_found_as_text(script):
    await script.write(*whole_call("call-1", "<b>Opening</b> hours"), *whole_call("call-2"))
    [call] = (await script.get("/api/calls", q="opening"))[1]["calls"]
    assert call["found"] == [
        {
            "turn_index": 0,
            "role": "caller",
            "started_ms": 0,
            "at_ms": 195,
            "pieces": [
                {"text": "<b>", "is_hit": False},
                {"text": "Opening", "is_hit": True},
                {"text": "</b> hours", "is_hit": False},
            ],
        }
    ]


async def test_parameters_narrow_the_list(script):
    await script.write(*whole_call("call-1", bot="sales"), *whole_call("call-2", started_at=NOON + timedelta(days=1)))
    await script.write(started("live"))
    assert await ids(script, bot="sales", tool="lookup_fact", unread="true") == ["call-1"]
    assert await ids(script, since="2026-11-21T00:00:00Z") == ["call-2"]
    assert await ids(script, until="2026-11-21T01:00:00+01:00", live="false") == ["call-1"]
    assert await ids(script, live="true") == ["live"]
    assert await ids(script, number_part="1111", verdict="none", min_ms="12000") == ["call-2", "call-1"]
    assert await ids(script, since="0001-01-01T00:00:00+23:59", until="9999-12-31T23:59:59-23:59", live="true") == [
        "live"
    ]
    assert (await script.ask("GET", "/api/calls", [("flag", "error"), ("flag", "gap")]))[1]["calls"] == []


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"before": "x"}, "before"),
        ({"before": "9" * 19}, "before"),
        ({"since": "yesterday"}, "since"),
        ({"since": "0.5"}, "since"),
        ({"since": "2026-11-20T12:00:00"}, "since"),
        ({"flag": "nice"}, "flag"),
        ({"verdict": "great"}, "verdict"),
        ({"min_ms": "-1"}, "min_ms"),
        ({"q": "x" * 401}, "q"),
        ({"bot": ""}, "bot"),
        ({"verdict": "null"}, "verdict"),
        ({"max_ms": "null"}, "max_ms"),
        ({"number_part": "12"}, "number_part"),
        ({"colour": "red"}, "colour"),
        ([("bot", "a"), ("bot", "b")], "bot"),
    ],
)
async def test_a_parameter_that_cannot_be_meant_is_named(script, query, sentence):
    status, answer = await script.ask("GET", "/api/calls", query)
    assert (status, answer["error"]["code"]) == (400, "bad_request")
    assert sentence in answer["error"]["message"]


async def test_a_viewer_sees_masked_numbers_and_looks_for_no_part_of_one(script, viewer):
    await script.write(*whole_call("call-1"))
    _, mine = await script.get("/api/calls/call-1")
    _, theirs = await viewer.get("/api/calls/call-1")
    assert (mine["call"]["from_number"], mine["messages"][0]["from_number"]) == ("+15550001111", "+15550001111")
    assert (theirs["call"]["from_number"], theirs["messages"][0]["from_number"]) == ("+1555•••1111", "+1555•••1111")
    assert (await viewer.get("/api/calls"))[1]["calls"][0]["to_number"] == "+1555•••2222"
    status, answer = await viewer.get("/api/calls", number_part="0001")
    assert (status, answer["error"]["code"]) == (403, "forbidden")


async def test_one_call_is_given_whole_and_the_look_is_written_down(script, tmp_path):
    await script.write(*whole_call("call-1", path=str(tmp_path / "call-1.wav")))
    status, call = await script.get("/api/calls/call-1")
    assert status == 200
    assert [turn["heard_text"] for turn in call["turns"]] == [None, "We are open"]
    assert call["recordings"] == [
        {"format": "wav", "rate_hz": 8000, "channels": 2, "duration_ms": 12_000, "size_bytes": 384_044}
    ]
    assert str(tmp_path) not in json.dumps(call)
    async with script.service.site.storage.reading() as connection:
        looks = (await connection.exec_driver_sql("SELECT who, what, call_id FROM access_log")).all()
    assert looks == [("token script of admin", "call", "call-1")]


async def test_what_reviewers_say_is_kept_with_their_names(script, viewer):
    await script.write(*whole_call("call-1"))
    for path, body in (("verdict", {"verdict": "bad"}), ("note", {"note": HOSTILE}), ("verdict", {"verdict": "good"})):
        assert await viewer.ask("PUT", f"/api/calls/call-1/{path}", json=body) == (204, "")
    for _ in range(2):
        assert (await viewer.ask("POST", "/api/calls/call-1/tags", json={"tag": "a/b ?&ä"}))[0] == 204
    assert (await viewer.get("/api/tags"))[1] == {"tags": ["a/b ?&ä"]}
    assert await ids(viewer, verdict="good", tag="a/b ?&ä") == ["call-1"]
    _, call = await viewer.get("/api/calls/call-1")
    assert (call["call"]["verdict"], call["call"]["note"], call["tags"]) == ("good", HOSTILE, ["a/b ?&ä"])
    assert [(said["by"], said["kind"]) for said in call["reviews"]] == [
        ("token script of viewer", kind) for kind in ("verdict", "note", "verdict", "tag_added")
    ]
    assert (await viewer.ask("DELETE", "/api/calls/call-1/tags/a%2Fb%20%3F&%C3%A4"))[0] == 204
    assert (await viewer.get("/api/calls/call-1"))[1]["tags"] == []
    [left] = call["messages"]
    assert (await viewer.ask("PUT", f"/api/messages/{left['message_id']}", json={"is_read": True}))[0] == 204
    assert await ids(viewer, unread="true") == []


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "code"),
    [
        ("GET", "/api/calls/nobody", {}, 404, "not_found"),
        ("GET", "/api/calls/%00", {}, 404, "not_found"),
        ("GET", "/api/calls/" + "x" * 2000, {}, 404, "not_found"),
        ("PUT", "/api/calls/nobody/verdict", {"json": {"verdict": "good"}}, 404, "not_found"),
        ("PUT", "/api/calls/call-1/verdict", {"json": {"verdict": "great"}}, 400, "bad_request"),
        ("PUT", "/api/calls/call-1/verdict", {"json": {}}, 400, "bad_request"),
        ("PUT", "/api/calls/call-1/verdict", {"json": {"verdict": "good", "x": 1}}, 400, "bad_request"),
        ("PUT", "/api/calls/call-1/verdict", {"data": "{"}, 415, "wrong_media_type"),
        ("PUT", "/api/calls/call-1/note", {"json": {"note": "x" * 10_001}}, 400, "bad_request"),
        ("PUT", "/api/calls/call-1/note", {"json": {"note": "x" * 70_000}}, 413, "too_large"),
        ("POST", "/api/calls/call-1/tags", {"json": {"tag": " "}}, 400, "bad_request"),
        ("PUT", "/api/messages/404", {"json": {"is_read": True}}, 404, "not_found"),
        ("PUT", "/api/messages/x", {"json": {"is_read": True}}, 404, "not_found"),
        ("DELETE", "/api/calls/nobody", {}, 404, "not_found"),
        ("POST", "/api/calls", {}, 405, "method_not_allowed"),
    ],
)
async def test_what_cannot_be_done_says_why(script, method, path, options, status, code):
    headers = {"Content-Type": "application/json"} if options.get("data") and status != 415 else {}
    answered, answer = await script.ask(method, path, headers=headers, **options)
    assert (answered, answer["error"]["code"]) == (status, code)
    assert answer["error"]["message"]
    assert answer["error"]["request_id"]


async def test_only_admins_delete_and_export(script, viewer, tmp_path):
    (tmp_path / "call-1.wav").write_bytes(b"RIFF")
    await script.write(*whole_call("call-1", path=str(tmp_path / "call-1.wav")), started("live"))
    assert (await viewer.ask("DELETE", "/api/calls/call-1"))[0] == 403
    assert (await viewer.get("/api/calls/export"))[0] == 403
    assert (await script.ask("DELETE", "/api/calls/live"))[1]["error"]["code"] == "conflict"
    assert await script.ask("DELETE", "/api/calls/call-1", {"why": "the caller asked"}) == (204, "")
    assert not (tmp_path / "call-1.wav").exists()
    assert await ids(script) == ["live"]
    for method in ("GET", "DELETE"):
        status, answer = await script.ask(method, "/api/calls/call-1")
        assert (status, answer["error"]["code"]) == (410, "gone")
        assert "token script of admin" in answer["error"]["message"]


async def test_nobody_gets_anything_without_signing_in(script):
    await script.write(*whole_call("call-1"))
    async with browsing(script.url) as stranger:
        for endpoint in api_openapi.ENDPOINTS:
            path = re.sub(r"\{\w+\}", "call-1", endpoint.path)
            async with stranger.http.request(endpoint.method, script.url + path) as response:
                assert response.status == 401, endpoint.path
                assert (await response.json())["error"]["code"] == "not_signed_in"


async def test_a_cookie_alone_changes_nothing(script):
    """Another site can make a browser send its cookies, but not the token of our pages."""
    await script.write(*whole_call("call-1"))
    async with browsing(script.url) as browser:
        await browser.sign_in()
        put = script.url + "/api/calls/call-1/verdict"
        async with browser.http.put(put, json={"verdict": "good"}) as response:
            assert response.status == 403
        token = (await browser.get("/account")).form_token
        ours = {"X-CSRF-Token": token, "Origin": script.url, "Sec-Fetch-Site": "same-origin"}
        async with browser.http.put(put, json={"verdict": "good"}, headers=ours) as response:
            assert response.status == 204


async def test_an_exported_table_is_parseable_and_holds_no_formula(script):
    for number in range(250):
        await script.write(*whole_call(f"call-{number:03}", started_at=NOON + timedelta(seconds=number)))
    await script.write(*whole_call("hostile", bot=HOSTILE, carrier_call_id="@SUM(A1)", from_number="-1+2"))
    status, text = await script.get("/api/calls/export", format="csv")
    assert status == 200
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == 251
    assert rows[0]["call_id"] == "call-249"
    [hostile] = [row for row in rows if row["call_id"] == "hostile"]
    assert (hostile["bot"], hostile["carrier_call_id"], hostile["from_number"]) == ("'" + HOSTILE, "'@SUM(A1)", "'-1+2")
    assert hostile["to_number"] == "+15550002222"  # a plain number is no formula
    assert not any(cell.startswith(("=", "-", "@", "\t", "\r")) for row in rows for cell in row.values())


async def test_exported_calls_are_whole_and_narrowed(script):
    await script.write(*whole_call("call-1", HOSTILE), *whole_call("call-2", bot="sales"))
    _, text = await script.get("/api/calls/export", format="jsonl", q="calc")
    [call] = [json.loads(line) for line in text.splitlines()]
    assert call["call_id"] == "call-1"
    assert call["turns"][0]["text"] == HOSTILE


async def test_bots_and_choices_are_told(script):
    await script.write(*whole_call("call-1", carrier="telnyx", bot="a bot of before"))
    _, answer = await script.get("/api/bots")
    [bot] = answer["bots"]
    _, choices = await script.get("/api/choices")
    assert choices["bots"] == sorted(["a bot of before", bot["name"]])
    assert (choices["carriers"], choices["end_reasons"]) == (["telnyx"], ["caller_hung_up"])
    assert choices["flags"] == list(FLAGS)


def test_every_flag_can_be_asked_for():
    assert set(Flag.__args__) == set(FLAGS)


def test_the_description_names_each_route_once():
    described = {
        (method.upper(), path) for path, methods in api_openapi.description()["paths"].items() for method in methods
    }
    served = {(endpoint.route.method, endpoint.route.path) for endpoint in api_openapi.ENDPOINTS}
    assert described == served
    assert len(served) == len(api_openapi.ENDPOINTS)


SCHEMATHESIS = """
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "401", "403", "404", "409", "410"]
negative_data_rejection.expected-statuses = ["400", "401", "403", "404", "405", "409", "410", "413", "415"]
"""
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
CHECKS += "negative_data_rejection,positive_data_acceptance,unsupported_method,ignored_auth"


async def test_schemathesis_finds_nothing(script, tmp_path):
    """Reads the description, and sends what fits it and what does not."""
    await script.write(*whole_call("call-1"))
    token = script.http.headers["Authorization"]
    (tmp_path / "schemathesis.toml").write_text(SCHEMATHESIS)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "schemathesis.cli", "run", f"{script.url}/api/openapi.json",
        "--header", f"Authorization: {token}", "--checks", CHECKS, "--max-examples", "15", "--seed", "1",
        "--generation-database", "none", "--no-color", "--phases", "examples,coverage,fuzzing",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=tmp_path,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
