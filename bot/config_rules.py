"""What a configuration must keep to besides its types: what would only fail in the middle of a call is refused."""

import base64
import re
from collections.abc import Collection, Iterator
from ipaddress import ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.config import AudioChatConfig, BotConfig, Config, RealtimeConfig, ReviewConfig, ServerConfig

SECRET_PREFIX = "whsec_"
_MAX_KEEP_DAYS = 36_500
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")  # OpenAI's rule for the names of functions
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_PASSWORD_HASH = re.compile(r"\$argon2id\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+")
_DIALLABLE = re.compile(r"\+[1-9][0-9]{5,14}|sips?:[^\s@]+@[^\s@]+")
_ADDRESS = re.compile(r"https?://[^/]+")

Rule = tuple[bool, str]
"""Whether it is broken, and what it says."""


def first_broken(config: "Config", builtin_tools: Collection[str]) -> str | None:
    """What must be put right first; None where all is well. `builtin_tools` are names that no other tool may have."""
    return next((rule for is_broken, rule in _rules(config, builtin_tools) if is_broken), None)


def _rules(config: "Config", builtin_tools: Collection[str]) -> Iterator[Rule]:
    yield from _server_rules(config.server)
    names = [bot.name for bot in config.bots]
    yield from ((names.count(name) > 1, f"two bots are named {name!r}") for name in names)
    numbers = [number for bot in config.bots for number in bot.numbers]
    yield from ((numbers.count(number) > 1, f"two bots answer the number {number!r}") for number in numbers)
    for bot in config.bots:
        yield from ((is_broken, f"bot {bot.name!r}: {rule}") for is_broken, rule in _bot_rules(bot, builtin_tools))
    yield (
        not _ADDRESS.match(config.openai.base_url),
        "openai.base_url must begin with https:// (or http:// for a server here)",
    )
    yield from _review_rules(config.review)


def _server_rules(server: "ServerConfig") -> Iterator[Rule]:
    yield not 0 <= server.port <= 65535, "server.port must be 0 to 65535"
    yield server.max_calls < 1, "server.max_calls must be 1 or more"
    yield not 1 <= server.workers <= 256, "server.workers must be 1 to 256"
    yield not server.drain_s >= 0, "server.drain_s must be 0 or more"  # nan is neither less nor more
    yield (
        bool(server.public_url) and not _ADDRESS.match(server.public_url),
        "server.public_url must begin with https:// (or http:// for a rehearsal)",
    )


def _bot_rules(bot: "BotConfig", builtin_tools: Collection[str]) -> Iterator[Rule]:
    listening, days = bot.listening, bot.keep_days
    yield not bot.max_call_s > 0, "max_call_s must be more than 0"
    yield (
        days is not None and not 0 < days <= _MAX_KEEP_DAYS,
        f"keep_days must be more than 0, and {_MAX_KEEP_DAYS} at most",
    )
    yield not bot.idle_prompt_s > 0, "idle_prompt_s must be more than 0"
    yield not bot.filler_after_s > 0, "filler_after_s must be more than 0"
    yield not bot.reply_timeout_s > 0, "reply_timeout_s must be more than 0"
    yield not 100 <= bot.lead_ms <= 10_000, "lead_ms must be 100 to 10000"
    yield (
        not 60 <= listening.pause_ms <= min(listening.hangover_ms, listening.message_hangover_ms),
        "listening.pause_ms must be 60 or more, and no more than either hangover",
    )
    yield any(not fact.ask or not fact.answer for fact in bot.facts), "a fact needs ask and answer"
    yield from _transfer_rules(bot)
    yield from ((is_broken, f"realtime.{rule}") for is_broken, rule in _realtime_rules(bot.realtime))
    yield from ((is_broken, f"audio_chat.{rule}") for is_broken, rule in _chat_rules(bot.audio_chat))
    yield from _tool_rules(bot, builtin_tools)


def _review_rules(review: "ReviewConfig") -> Iterator[Rule]:
    for name in ("admin_password_hash", "viewer_password_hash"):
        text = getattr(review, name)
        yield bool(text) and not _PASSWORD_HASH.fullmatch(text), f"review.{name} must be what `offhook password` prints"
    yield not review.session_h > 0, "review.session_h must be more than 0"
    yield review.access_log_days < 1, "review.access_log_days must be 1 or more"
    yield (
        bool(review.word_times) and not re.fullmatch("local:.+", review.word_times),
        "review.word_times must be local: and a Whisper model's name or folder, or empty",
    )
    yield (
        not _are_networks(review.proxies),
        "review.proxies must be addresses or networks: 127.0.0.1,10.0.0.0/8",
    )


def _are_networks(text: str) -> bool:
    try:
        for part in filter(str.strip, text.split(",")):
            ip_network(part.strip(), strict=False)
    except ValueError:
        return False
    return True


def _realtime_rules(realtime: "RealtimeConfig") -> list[Rule]:
    """What OpenAI would refuse in the middle of a call is refused at the start (Realtime API, session object)."""
    idle_ms, ratio, tokens = realtime.idle_timeout_ms, realtime.retention_ratio, realtime.max_output_tokens
    return [
        (not realtime.model, "model must name a model"),
        (not 0.25 <= realtime.speed <= 1.5, "speed must be 0.25 to 1.5"),
        (not 0 <= realtime.threshold <= 1, "threshold must be 0 to 1"),
        (not 0 <= realtime.prefix_padding_ms <= 2000, "prefix_padding_ms must be 0 to 2000"),
        (not 0 < realtime.silence_ms <= 10_000, "silence_ms must be 1 to 10000"),
        (idle_ms is not None and not 5000 <= idle_ms <= 30_000, "idle_timeout_ms must be 5000 to 30000"),
        (ratio is not None and not 0 <= ratio <= 1, "retention_ratio must be 0 to 1"),
        (realtime.retention_tokens is not None and ratio is None, "retention_tokens needs retention_ratio"),
        (tokens is not None and not 1 <= tokens <= 4096, "max_output_tokens must be 1 to 4096"),
        (not realtime.connect_timeout_s > 0, "connect_timeout_s must be more than 0"),
        (not realtime.reconnect_s >= 0, "reconnect_s must be 0 or more"),
        (not realtime.stall_s > 0, "stall_s must be more than 0"),
        (not realtime.renew_before_s >= 0, "renew_before_s must be 0 or more"),
    ]


def _chat_rules(chat: "AudioChatConfig") -> Iterator[Rule]:
    yield not chat.model, "model must name a model"
    yield not chat.speaker, "speaker must name a voice"
    yield chat.temperature is not None and not 0 <= chat.temperature <= 2, "temperature must be 0 to 2"
    yield chat.max_output_tokens is not None and chat.max_output_tokens < 1, "max_output_tokens must be 1 or more"


def _transfer_rules(bot: "BotConfig") -> Iterator[Rule]:
    fallback = bot.fallback_transfer
    yield bool(fallback) and fallback not in bot.transfers, "fallback_transfer must be one of the bot's transfers"
    for name, to in bot.transfers.items():
        where = f"transfers.{name}.number"
        yield not name, "a transfer needs a name"
        yield not _DIALLABLE.fullmatch(to.number), f"{where} must be like +15550003333 or sip:user@example.com"


def _tool_rules(bot: "BotConfig", builtin_tools: Collection[str]) -> Iterator[Rule]:
    """What needs nothing but the configuration to be seen; schemas and functions are checked by bot/tools."""
    names = [tool.name for tool in bot.tools]
    for tool in bot.tools:
        where = f"tool {tool.name!r}:"
        yield not _TOOL_NAME.fullmatch(tool.name), f"{where} name must be 1 to 64 letters, digits, _ or -"
        yield tool.name in builtin_tools, f"{where} name belongs to one of Offhook's own tools"
        yield names.count(tool.name) > 1, f"{where} name is used twice"
        yield not tool.description, f"{where} description must tell the model what it does"
        yield bool(tool.url) == bool(tool.python), f"{where} give it either url or python"
        yield (
            bool(tool.url) and not _ADDRESS.match(tool.url),
            f"{where} url must begin with https:// or http://",
        )
        yield not tool.timeout_s > 0, f"{where} timeout_s must be more than 0"
        yield not 0 <= tool.retries <= 10, f"{where} retries must be 0 to 10"
        yield tool.max_response_bytes < 1, f"{where} max_response_bytes must be 1 or more"
        for header, value in tool.headers.items():
            is_plain = _HEADER_NAME.fullmatch(header) and value.isprintable() and value.isascii()
            yield not is_plain, f"{where} headers.{header} is no name and text that HTTP can carry"
        is_key = not tool.secret or _is_key(tool.secret)
        yield not is_key, f"{where} secret must be whsec_ and 24 bytes or more in base64 (openssl rand -base64 32)"


def _is_key(secret: str) -> bool:
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError:
        return False
    return secret.startswith(SECRET_PREFIX) and len(key) >= 24
