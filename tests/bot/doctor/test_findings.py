"""What checks make of what they see."""

from datetime import date
from pathlib import Path

import msgspec
import pytest

from bot.config import (
    AudioChatConfig,
    BotConfig,
    CarriersConfig,
    ChainedConfig,
    Config,
    FactConfig,
    ListeningConfig,
    ModelServerConfig,
    OpenAIConfig,
    ServerConfig,
    TwilioConfig,
)
from bot.doctor import machine, storage
from bot.doctor.asking import Answered
from bot.doctor.clock import clock_findings
from bot.doctor.models import model_findings
from bot.doctor.port_probe import PortSeen
from bot.doctor.public_url import public_url_findings
from bot.doctor.storage_probe import DatabaseSeen, FolderSeen
from bot.doctor.twilio_account import account_findings, credential_findings, number_findings
from bot.doctor.wanted_engines import WantedLocal, WantedModel, wanted_engines
from bot.speech.engine_names import EngineName
from bot.speech.model_table import Use

ACCOUNT = "AC" + "1" * 32
TWILIO = TwilioConfig(account_sid=ACCOUNT, auth_token="secret")
URL = "https://bot.example.com"
TODAY = date(2026, 11, 21)
READY = Answered(200, b'{"status": "ready", "live_calls": 0}')


def config(*bots: BotConfig, twilio: TwilioConfig | None = TWILIO, **server: object) -> Config:
    return Config(
        server=ServerConfig(**({"public_url": URL} | server)), carriers=CarriersConfig(twilio=twilio), bots=bots
    )


def levels(findings) -> list[str]:
    return [finding.level for finding in findings]


def everything_says_what_to_do(findings) -> bool:
    return all(bool(finding.remedy) == (finding.level != "ok") for finding in findings)


@pytest.mark.parametrize(
    ("url", "answered", "is_listening", "expected"),
    [
        (URL, READY, True, ["ok", "ok"]),
        (URL, Answered(503, b'{"status": "draining"}'), True, ["ok", "warning"]),
        (URL, Answered(502, b"<html>"), True, ["ok", "problem"]),
        (URL, Answered(200, b"<html>some other page"), True, ["ok", "problem"]),
        (URL, Answered(fault="Connection refused"), False, ["ok", "warning"]),
        ("http://bot.example.com", READY, True, ["problem", "ok"]),
        ("http://127.0.0.1:8080", READY, True, ["warning", "ok"]),
        ("", None, True, ["problem"]),
    ],
)
def test_the_public_url_must_lead_here_and_be_encrypted(url, answered, is_listening, expected):
    findings = public_url_findings(config(public_url=url), answered, is_listening=is_listening)
    assert levels(findings) == expected
    assert everything_says_what_to_do(findings)


def test_without_a_carrier_no_public_url_is_needed():
    assert levels(public_url_findings(config(twilio=None, public_url=""), None, is_listening=True)) == ["ok"]


@pytest.mark.parametrize(
    ("ahead_s", "level"), [(0.4, "ok"), (-3.0, "ok"), (20.0, "warning"), (-20.0, "warning"), (-90.0, "problem")]
)
def test_the_clock_may_be_off_by_seconds_and_not_by_a_minute(ahead_s, level):
    [finding] = clock_findings([("api.twilio.com", ahead_s), ("wrong.example.com", 5000.0)])
    assert finding.level == level
    assert ("behind" in finding.says) == (ahead_s < -5)


def test_nobody_who_tells_the_time_is_no_finding():
    assert clock_findings([]) == []


@pytest.mark.parametrize(
    ("answered", "level", "says"),
    [
        (Answered(200, b'{"status": "active", "type": "Full"}'), "ok", "active"),
        (Answered(200, b'{"status": "active", "type": "Trial"}'), "warning", "trial"),
        (Answered(200, b'{"status": "suspended"}'), "problem", "suspended"),
        (Answered(401, b'{"code": 20003}'), "problem", "refuses"),
        (Answered(500), "warning", "500"),
        (Answered(fault="no answer within 6 s"), "problem", "cannot be reached"),
    ],
)
def test_the_account_must_be_there_and_active(answered, level, says):
    [finding] = account_findings(TWILIO, answered)
    assert finding.level == level
    assert says in finding.says
    assert everything_says_what_to_do([finding])


@pytest.mark.parametrize(
    "twilio",
    [None, TwilioConfig(account_sid="AC1", auth_token="secret"), TwilioConfig(account_sid=ACCOUNT, auth_token="")],
)
def test_credentials_that_are_missing_are_told(twilio):
    [finding] = credential_findings(twilio)
    assert finding.level == ("warning" if twilio is None else "problem")
    assert "secret" not in finding.says + finding.remedy


def numbers(**changes: str | None) -> Answered:
    one = {"phone_number": "+15550002222", "voice_url": f"{URL}/twilio/voice"} | changes
    return Answered(200, msgspec.json.encode({"incoming_phone_numbers": [one]}))


@pytest.mark.parametrize(
    ("bot", "answered", "level"),
    [
        (("+15550002222",), numbers(), "ok"),
        (("+15550002222",), numbers(voice_url=f"{URL}/voice"), "problem"),
        (("+15550002222",), numbers(voice_url=""), "problem"),
        (("+15550002222",), numbers(trunk_sid="TK1"), "warning"),
        (("+15550002222",), numbers(voice_application_sid="AP1"), "warning"),
        (("+15550003333",), numbers(voice_url="https://elsewhere.example.com"), "problem"),
        (("*",), numbers(), "ok"),
        (("*",), numbers(voice_url="https://elsewhere.example.com"), "problem"),
        (("*",), Answered(fault="no answer within 6 s"), "warning"),
    ],
)
def test_a_number_must_lead_to_this_service(bot, answered, level):
    findings = number_findings(config(BotConfig(name="reception", numbers=bot)), URL + "/", answered)
    assert levels(findings) == [level]
    assert everything_says_what_to_do(findings)
    assert "+15550002222" not in findings[0].says  # numbers are masked


def test_a_number_that_leads_here_and_that_no_bot_answers_is_told():
    findings = number_findings(config(BotConfig(name="reception", numbers=("+15550003333",))), URL, numbers())
    assert levels(findings) == ["problem", "problem"]
    assert "no bot answers it" in findings[1].says


MODEL = WantedModel(EngineName("openai-realtime", "gpt-realtime-2.1"), Use.REALTIME, ("reception",))
OLD = WantedModel(EngineName("openai", "gpt-audio-mini"), Use.CHAT, ("reception",))
SERVER = ModelServerConfig(base_url="https://api.example.com/v1", api_key="sk-secret")


@pytest.mark.parametrize(
    ("wanted", "answered", "level", "says"),
    [
        (MODEL, Answered(200, b'{"id": "gpt-realtime-2.1"}'), "ok", "key is accepted"),
        (MODEL, Answered(401), "problem", "refuses openai.api_key"),
        (MODEL, Answered(404, b'{"error": {"code": "model_not_found"}}'), "problem", "knows no model"),
        (MODEL, Answered(404, b"Not Found"), "warning", "does not tell"),
        (MODEL, Answered(fault="Name or service not known"), "problem", "cannot be reached"),
        (MODEL, Answered(200, b'{"shutdown_date": "2027-01-01"}'), "warning", "2027-01-01"),
        (OLD, Answered(200, b"{}"), "warning", "gpt-audio-1.5"),
    ],
)
def test_a_model_must_be_there_and_stay(wanted, answered, level, says):
    [finding] = model_findings(wanted, SERVER, answered, TODAY)
    assert finding.level == level
    assert says in finding.says
    assert "sk-secret" not in finding.says + finding.remedy
    assert everything_says_what_to_do([finding])


def test_engines_are_named_once_for_all_bots_that_need_them():
    chained = ChainedConfig(transcriber="openai:gpt-transcribe@branch", responder="openai:gpt-4.1")
    bots = (
        BotConfig(name="a", numbers=("1",), chained=chained, listening=ListeningConfig(detector="silero")),
        BotConfig(name="b", numbers=("2",), chained=chained),
        BotConfig(name="c", numbers=("3",), voice="realtime"),
        BotConfig(name="d", numbers=("4",), voice="audio-chat", audio_chat=AudioChatConfig(transcriber="")),
    )
    branch = ModelServerConfig(base_url="http://branch/v1")
    models, local = wanted_engines(Config(bots=bots, openai=OpenAIConfig(servers={"branch": branch})))
    assert [(wanted.name.model, wanted.name.server, wanted.use, wanted.bots) for wanted in models] == [
        ("gpt-transcribe", "branch", Use.TRANSCRIPTION, ("a", "b")),
        ("gpt-4.1", "", Use.CHAT, ("a", "b")),
        ("gpt-realtime-2.1", "", Use.REALTIME, ("c",)),
        ("gpt-transcribe", "", Use.LIVE_TRANSCRIPTION, ("c",)),
        ("gpt-audio-1.5", "", Use.CHAT, ("d",)),
    ]
    assert local == [
        WantedLocal("speaker", "piper-joe", ("a", "b", "c", "d")),
        WantedLocal("detector", "silero", ("a",)),
    ]


@pytest.mark.parametrize(
    ("seen", "level"),
    [
        (DatabaseSeen(), "ok"),
        (DatabaseSeen(is_there=False), "ok"),
        (DatabaseSeen(is_current=False), "warning"),
        (DatabaseSeen(fault="cannot write the call log"), "problem"),
    ],
)
def test_the_call_log_must_be_writable(seen, level):
    findings = storage.database_findings(config(), seen)
    assert levels(findings) == [level]


@pytest.mark.parametrize(
    ("free", "fault", "level"),
    [(50e9, "", "ok"), (2e9, "", "warning"), (1e8, "", "problem"), (50e9, "Permission denied", "problem")],
)
def test_recordings_need_a_folder_and_room(free, fault, level):
    seen = FolderSeen(Path("data"), True, fault, int(free))
    findings = storage.recordings_findings(config(BotConfig(name="reception")), seen)
    assert levels(findings) == [level]
    assert everything_says_what_to_do(findings)
    assert levels(storage.recordings_findings(config(BotConfig(name="quiet", record=False)), seen)) == ["ok"]


def test_the_port_is_ours_or_free():
    assert levels(machine.port_findings(config(), PortSeen(True))) == ["ok"]
    assert levels(machine.port_findings(config(), PortSeen(False))) == ["ok"]
    assert levels(machine.port_findings(config(), PortSeen(False, "Address already in use"))) == ["problem"]
    assert levels(machine.port_findings(config(port=0), PortSeen(False))) == ["warning"]


def test_more_workers_than_cores_are_told():
    assert levels(machine.worker_findings(config(workers=2), cores=4)) == ["ok"]
    assert levels(machine.worker_findings(config(workers=8), cores=4)) == ["warning"]


def test_somebody_must_be_able_to_sign_in():
    assert levels(machine.account_findings(True)) == ["ok"]
    assert levels(machine.account_findings(False)) == ["warning"]
    assert machine.account_findings(None) == []


def test_a_bot_that_answers_from_facts_needs_some():
    with_facts = BotConfig(name="reception", facts=(FactConfig(ask=("When?",), answer="Now."),))
    assert levels(machine.bot_findings(config(with_facts))) == ["ok"]
    assert levels(machine.bot_findings(config(BotConfig(name="empty")))) == ["ok", "warning"]
