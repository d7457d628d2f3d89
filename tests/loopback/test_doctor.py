"""`offhook doctor` and what it asks, over real sockets: an emulated Twilio, a local model server, a running service."""

import asyncio
import json
import sys

import msgspec
import pytest

from bot.config import BotConfig, CarriersConfig, ChainedConfig, OpenAIConfig, RealtimeConfig, TwilioConfig
from bot.doctor.examination import examine
from bot.local.http import Keys
from bot.local.serving import serving as local_server
from bot.rehearsal.api import TwilioApi
from tests.support.process import serving
from tests.support.tones import ACCOUNT, TOKEN, tones_config

URL = "https://bot.example.invalid"
TONES = ChainedConfig(transcriber="tones", responder="tones", speaker="tones")
LOCAL = BotConfig(name="local", chained=TONES)


def told(report, subject):
    """The level and the sentence about a subject."""
    return [(finding.level, finding.says) for finding in report.findings if subject in finding.subject]


def with_twilio(config, api, *, token=TOKEN, public_url=""):
    twilio = TwilioConfig(account_sid=ACCOUNT, auth_token=token, api_base=api.url)
    server = msgspec.structs.replace(config.server, public_url=public_url)
    return msgspec.structs.replace(config, carriers=CarriersConfig(twilio=twilio), server=server)


async def test_the_carrier_is_asked_for_the_account_and_where_its_numbers_lead(tmp_path):
    config = tones_config(tmp_path, numbers=("+15550002222", "+15550003333"))
    async with TwilioApi(ACCOUNT, TOKEN) as api:
        api.numbers = {"+15550002222": f"{URL}/twilio/voice", "+15550003333": f"{URL}/voice"}
        report = await examine(with_twilio(config, api), URL)
        assert told(report, "Twilio account") == [("ok", "Twilio accepts the token, and the account is active")]
        assert [level for level, _ in told(report, "+1555")] == ["ok", "problem"]
        api.account_status = "suspended"
        assert told(await examine(with_twilio(config, api), URL), "Twilio account")[0][0] == "problem"
        refused = await examine(with_twilio(config, api, token="f" * 32), URL)
        assert told(refused, "Twilio account") == [
            ("problem", "Twilio refuses carriers.twilio.account_sid and auth_token")
        ]
        assert told(refused, "+1555") == []


async def test_a_carrier_that_is_out_of_reach_is_told(tmp_path):
    async with TwilioApi(ACCOUNT, TOKEN) as api:
        config = with_twilio(tones_config(tmp_path), api)
    [(level, says)] = told(await examine(config), "Twilio account")
    assert level == "problem"
    assert "cannot be reached" in says


@pytest.mark.parametrize(
    ("key", "model", "levels"),
    [
        ("right", "gpt-realtime-2.1", ["ok", "ok", "ok", "ok"]),
        ("wrong", "gpt-realtime-2.1", ["problem", "problem"]),
        ("right", "gpt-unheard-of", ["problem", "ok", "ok"]),
    ],
)
async def test_models_are_looked_up_and_a_session_is_opened(tmp_path, key, model, levels):
    realtime = RealtimeConfig(model=model, transcription_model="gpt-live-transcribe")
    config = tones_config(tmp_path, voice="realtime", realtime=realtime)
    async with local_server(LOCAL, keys=Keys(("right",))) as base_url:
        config = msgspec.structs.replace(config, openai=OpenAIConfig(base_url=base_url, api_key=key))
        report = await examine(config)
    found = told(report, base_url)
    assert [level for level, _ in found] == levels, found
    if levels[0] == "ok":
        assert "a realtime session with gpt-realtime-2.1 began in" in found[1][1]


async def test_a_server_that_is_not_there_is_told_once_for_each_model(tmp_path):
    async with local_server(LOCAL) as base_url:
        pass
    config = tones_config(tmp_path, voice="realtime")
    config = msgspec.structs.replace(config, openai=OpenAIConfig(base_url=base_url))
    assert [level for level, _ in told(await examine(config), base_url)] == ["problem", "problem"]


async def test_a_call_log_that_cannot_be_written_is_told(tmp_path):
    config = tones_config(tmp_path)
    (tmp_path / "log.db").write_bytes(b"this is no database" * 100)
    [(level, says)] = told(await examine(config), "call log")
    assert level == "problem"
    assert "not a database" in says
    nowhere = msgspec.structs.replace(config.storage, database="mysql://localhost/calls")
    [(level, _)] = told(await examine(msgspec.structs.replace(config, storage=nowhere)), "call log")
    assert level == "problem"


async def test_looking_changes_nothing(tmp_path):
    config = tones_config(tmp_path)
    assert told(await examine(config), "call log")[0][0] == "ok"
    assert list(tmp_path.iterdir()) == []


async def run(*arguments):
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "doctor", *arguments,
        stdout=asyncio.subprocess.PIPE, env={"TEST_TWILIO_TOKEN": TOKEN, "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    printed, _ = await process.communicate()
    return process.returncode, " ".join(printed.decode().split())  # lines are broken according to how long paths are


async def test_the_command_prints_findings_and_what_to_do(tmp_path):
    async with serving(tmp_path):
        status, printed = await run("--config", str(tmp_path / "offhook.toml"))
    assert status == 1
    assert "http://127.0.0.1:9 cannot be reached" in printed
    assert "→ check the network and api_base" in printed
    assert "its tables are up to date" in printed
    assert TOKEN not in printed


async def test_the_command_prints_json_for_scripts(tmp_path):
    config = tmp_path / "offhook.toml"
    config.write_text(f'[storage]\ndatabase = "sqlite+aiosqlite:///{tmp_path}/log.db"\n')
    status, printed = await run("--json", "--config", str(config))
    report = json.loads(printed)
    assert status == (1 if report["problems"] else 0)
    assert report["problems"] == sum(finding["level"] == "problem" for finding in report["findings"])
    assert "no bot is configured, so the sample business answers" in [one["says"] for one in report["findings"]]
    assert any("piper-joe" in one["says"] and one["level"] == "ok" for one in report["findings"])


async def test_a_configuration_that_cannot_be_read_is_the_one_finding(tmp_path):
    config = tmp_path / "offhook.toml"
    config.write_text("[server]\nprot = 1\n")
    status, printed = await run("--json", "--config", str(config))
    [finding] = json.loads(printed)["findings"]
    assert status == 1
    assert "did you mean 'port'?" in finding["says"]
