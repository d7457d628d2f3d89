"""All checks at once: what is asked of whom, and the findings in a fixed order. Each asking has its own time limit."""

import asyncio
import base64
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

import aiohttp

from bot.config import Config, ModelServerConfig
from bot.doctor import machine, storage, twilio_account
from bot.doctor.asking import Answered, ask
from bot.doctor.clock import clock_findings
from bot.doctor.findings import Finding, Report
from bot.doctor.local_models import local_findings
from bot.doctor.models import model_findings, model_url, socket_findings
from bot.doctor.port_probe import PortSeen, look_at_port
from bot.doctor.public_url import is_local, public_url_findings
from bot.doctor.session_probe import open_session
from bot.doctor.storage_probe import DatabaseSeen, look_at_database, look_at_recordings
from bot.doctor.wanted_engines import WantedModel, wanted_engines
from bot.errors import ConfigError
from bot.review.accounts import Accounts
from bot.review.storage import Storage
from bot.speech.engine_names import server_of
from bot.speech.model_table import Use

_SESSIONS = (Use.REALTIME, Use.LIVE_TRANSCRIPTION)


async def examine(config: Config, public_url: str = "") -> Report:
    """Nothing is raised for what is wrong: that is what is found. `public_url` is where carriers reach us."""
    async with aiohttp.ClientSession() as http:
        port, seen = await asyncio.gather(look_at_port(config.server, http), look_at_database(config.storage.database))
        parts = await asyncio.gather(
            _carrier(config, public_url or config.server.public_url, http),
            _reachable(config, port, http),
            _engines(config, http),
            _storage(config, seen),
            _service(config, port, seen),
        )
    clocks = [told for _, clocks in parts for told in clocks]
    findings = [*machine.bot_findings(config), *(finding for found, _ in parts for finding in found)]
    return Report(at=datetime.now(UTC), findings=[*findings, *clock_findings(clocks)])


Part = tuple[Sequence[Finding], Sequence[tuple[str, float]]]
"""Findings, and what servers elsewhere told of their clocks."""


async def _carrier(config: Config, public_url: str, http: aiohttp.ClientSession) -> Part:
    twilio = config.carriers.twilio
    found = twilio_account.credential_findings(twilio)
    if found or twilio is None:
        return found, []
    login = base64.b64encode(f"{twilio.account_sid}:{twilio.auth_token}".encode()).decode()
    headers = {"Authorization": f"Basic {login}"}
    account = await ask(http, twilio_account.account_url(twilio), headers)
    found = twilio_account.account_findings(twilio, account)
    if account.status == 200 and public_url:
        numbers = await ask(http, twilio_account.numbers_url(twilio), headers)
        found += twilio_account.number_findings(config, public_url, numbers)
    return found, _clock(twilio.api_base, account)


async def _reachable(config: Config, port: PortSeen, http: aiohttp.ClientSession) -> Part:
    url = config.server.public_url
    answered = await ask(http, f"{url.rstrip('/')}/readyz") if url else None
    return public_url_findings(config, answered, is_listening=port.is_offhook), []


async def _engines(config: Config, http: aiohttp.ClientSession) -> Part:
    try:
        models, local = wanted_engines(config)
        servers = [server_of(wanted.name, config.openai) for wanted in models]
    except ConfigError as exc:
        return [Finding("engines", "engines", "problem", str(exc), "correct the name in the bot's settings")], []
    here, there = await asyncio.gather(
        asyncio.to_thread(local_findings, local),
        asyncio.gather(*(_model(wanted, server, http) for wanted, server in zip(models, servers, strict=True))),
    )
    findings = [*here, *(finding for found, _ in there for finding in found)]
    return findings, [told for _, clocks in there for told in clocks]


async def _model(wanted: WantedModel, server: ModelServerConfig, http: aiohttp.ClientSession) -> Part:
    headers = {"Authorization": f"Bearer {server.api_key}"} if server.api_key else {}
    answered = await ask(http, model_url(server, wanted.name.model), headers)
    found = model_findings(wanted, server, answered, datetime.now(UTC).date())
    if wanted.use in _SESSIONS and not any(finding.level == "problem" for finding in found):
        fault, took_ms = await open_session(server, wanted.name.model, wanted.use)
        found += socket_findings(wanted, server, fault, took_ms)
    return found, _clock(server.base_url, answered)


async def _storage(config: Config, seen: DatabaseSeen) -> Part:
    recordings = await asyncio.to_thread(look_at_recordings, config.storage)
    return [*storage.database_findings(config, seen), *storage.recordings_findings(config, recordings)], []


async def _service(config: Config, port: PortSeen, seen: DatabaseSeen) -> Part:
    found = [
        *machine.port_findings(config, port),
        *machine.worker_findings(config, len(os.sched_getaffinity(0))),
        *machine.account_findings(await _has_admin(config, seen)),
    ]
    return found, []


async def _has_admin(config: Config, seen: DatabaseSeen) -> bool | None:
    """None where the accounts cannot be read."""
    if config.review.admin_password_hash:
        return True
    if seen.fault or not seen.is_current:
        return None
    if not seen.is_there:
        return False
    kept = Storage(config.storage.database)
    try:
        return await Accounts(kept, config.review).has_admin()
    finally:
        await kept.close()


def _clock(url: str, answered: Answered) -> list[tuple[str, float]]:
    """A server on this machine has our own clock."""
    if answered.clock_ahead_s is None or is_local(url):
        return []
    return [(urlsplit(url).hostname or url, answered.clock_ahead_s)]
