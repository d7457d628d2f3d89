"""The configuration: one frozen value, from one TOML file and the environment, validated before any port opens.

Every value can be given in the environment as `OFFHOOK_` and its path in capitals (`OFFHOOK_SERVER_PORT`), which wins
over the file, or in the file as `"env:NAME"`. No other module reads the environment. docs/operations.md lists all.
"""

import difflib
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from bot.errors import ConfigError

PREFIX = "OFFHOOK_"
NOT_SETTINGS = frozenset({"OFFHOOK_CONFIG", "OFFHOOK_REQUIRE_ALL", "OFFHOOK_DATA"})


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class ServerConfig(_Section, frozen=True):
    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = 8080
    """The port to listen on; 0 takes a free one."""
    public_url: str = ""
    """What carriers reach, as in the number's webhook: signatures are checked against it. Default: host and port."""
    max_calls: int = 100
    """Calls at a time; a caller beyond that hears that all lines are busy."""
    drain_s: float = 60.0
    """How long live calls may go on after SIGTERM before they are told goodbye."""


class StorageConfig(_Section, frozen=True):
    database: str = "sqlite+aiosqlite:///data/offhook.db"
    """The call log: sqlite+aiosqlite:///PATH or postgresql+asyncpg://USER:PASSWORD@HOST/NAME."""
    recordings: str = "data/recordings"
    """The folder for recordings."""


class LogConfig(_Section, frozen=True):
    format: Literal["console", "json"] = "console"
    """How log lines look: for people, or one JSON object a line."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least urgent lines to print."""


class TwilioConfig(_Section, frozen=True):
    account_sid: str
    """The account, AC and 32 hexadecimal digits."""
    auth_token: str
    """The primary auth token: signs webhooks, and authorises hanging up."""
    old_auth_token: str = ""
    """While tokens are being changed: the one before, still accepted on webhooks."""
    api_base: str = "https://api.twilio.com"
    """Where Twilio's REST API is."""


class CarriersConfig(_Section, frozen=True):
    twilio: TwilioConfig | None = None
    """Twilio Programmable Voice; absent, nobody can call but a rehearsal on this machine."""


class ChainedConfig(_Section, frozen=True):
    transcriber: str = "local:whisper-tiny.en"
    """Who listens: local:whisper-tiny.en, or local: and a folder with a CTranslate2 Whisper model."""
    responder: str = "facts"
    """Who thinks: facts answers from the bot's own facts and never invents."""
    speaker: str = "local:piper-joe"
    """Who speaks: local:piper-joe, or local: and the path of a Piper voice's .onnx file."""


class ListeningConfig(_Section, frozen=True):
    pause_ms: int = 200
    """A silence after which the bot begins to guess what was said."""
    hangover_ms: int = 500
    """A silence that ends what the caller says."""
    message_hangover_ms: int = 2000
    """The same while a message is being left."""
    detector: Literal["voice", "silero"] = "voice"
    """How speech is told from noise: voice needs nothing; silero is a small model that starts on fewer noises."""


class TextsConfig(_Section, frozen=True):
    idle: str = "Are you still there?"
    """Said after a long silence."""
    idle_goodbye: str = "I can't hear you, so I will hang up now. Please call again any time. Goodbye."
    """Said before hanging up on silence."""
    time_up: str = "I'm sorry, but our time for this call is up. Please call again. Goodbye."
    """Said when a call reaches max_call_s."""
    pardon: str = "I'm sorry, I had trouble understanding that. Could you say it again, please?"
    """Said when an engine failed once."""
    apology: str = "I'm sorry, something has gone wrong at our end. Please call again later. Goodbye."
    """Said when an engine failed twice in a row, before hanging up."""
    drained: str = "I'm sorry, I have to end this call for maintenance. Please call again in a few minutes. Goodbye."
    """Said when the service stops and cannot wait for the call any longer."""
    busy: str = "All lines are busy at the moment. Please call again in a few minutes."
    """Said by the carrier when max_calls is reached."""


class FactConfig(_Section, frozen=True):
    ask: tuple[str, ...]
    """Ways in which callers ask; four to six different ones are best."""
    answer: str
    """What the bot says, word for word."""


class BotConfig(_Section, frozen=True):
    name: str
    """The bot's name in the call log."""
    numbers: tuple[str, ...] = ("*",)
    """The numbers it answers, as the carrier writes them; "*" answers everything else."""
    language: str = "en"
    """The language it speaks, as in ISO 639-1."""
    instructions: str = ""
    """What the bot is told of itself, for responders that are a model; facts needs none."""
    greeting: str = "Thank you for calling. How can I help?"
    """Its first words."""
    voice: Literal["chained"] = "chained"
    """What the caller talks to: chained is a transcriber, a responder and a speaker."""
    record: bool = True
    """Whether calls are recorded, the caller left and the bot, as heard, right."""
    max_call_s: float = 900.0
    """The longest a call may last."""
    idle_prompt_s: float = 10.0
    """The silence after which the bot asks whether anybody is there; after two such questions, goodbye."""
    reply_timeout_s: float = 10.0
    """How long an engine may take before the caller is asked to say it again."""
    lead_ms: int = 400
    """How much audio the carrier may hold ahead of the ear; more rides out network and processor stalls."""
    listening: ListeningConfig = ListeningConfig()
    chained: ChainedConfig = ChainedConfig()
    texts: TextsConfig = TextsConfig()
    facts: tuple[FactConfig, ...] = ()


class Config(_Section, frozen=True):
    server: ServerConfig = ServerConfig()
    storage: StorageConfig = StorageConfig()
    log: LogConfig = LogConfig()
    carriers: CarriersConfig = CarriersConfig()
    bots: tuple[BotConfig, ...] = ()

    def bot_for(self, number: str) -> BotConfig | None:
        """Who answers a number: the bot that names it, else the one that answers everything."""
        for wanted in (number, "*"):
            for bot in self.bots:
                if wanted in bot.numbers:
                    return bot
        return None


def load(path: Path | None, environment: Mapping[str, str]) -> Config:
    """Read the file (none: only defaults) and the environment; raises `ConfigError` that says what to change."""
    text = _read(path) if path is not None else ""
    where = str(path) if path is not None else "the environment"
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise ConfigError(f"{where} is not TOML: {exc}") from exc
    _refuse_unknown_keys(values, Config, (), text, where)
    values = _resolve(values, environment, (), where)
    overrides = [name for name in environment if name.startswith(PREFIX) and name not in NOT_SETTINGS]
    for name in overrides:
        _override(values, name, environment[name])
    if overrides and path is not None:
        where += " and the environment"  # what is wrong below may be in either
    try:
        config = msgspec.convert(values, Config, strict=False)
    except msgspec.ValidationError as exc:
        raise ConfigError(f"{where}: {exc}") from exc
    _check(config, where)
    return config


def settings() -> Iterator[tuple[str, Any]]:
    """Every setting's path (`bots[].chained.speaker`) with its default; `msgspec.NODEFAULT` where it must be given."""
    yield from _settings(Config, "")


def _settings(section: type, prefix: str) -> Iterator[tuple[str, Any]]:
    for field in msgspec.structs.fields(section):
        inner = _section_of(field.type)
        if inner is None:
            yield prefix + field.encode_name, field.default
        else:
            yield from _settings(inner, f"{prefix}{field.encode_name}{'[]' if _is_list(field.type) else ''}.")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise ConfigError(f"the configuration {path} cannot be read: {exc}") from exc


def _section_of(kind: Any) -> type | None:
    """The section inside an annotation such as `TwilioConfig | None` or `tuple[BotConfig, ...]`."""
    for candidate in (kind, *get_args(kind)):
        if isinstance(candidate, type) and issubclass(candidate, _Section):
            return candidate
    return None


def _is_list(kind: Any) -> bool:
    return get_origin(kind) is tuple


def _refuse_unknown_keys(
    values: Mapping[str, Any], section: type, path: tuple[str, ...], text: str, where: str
) -> None:
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(section)}
    for key, value in values.items():
        if key not in fields:
            line = _line_of((*path, key), text)
            raise ConfigError(f"{where}, line {line}: {_unknown('.'.join((*path, key)), key, fields)}")
        inner = _section_of(fields[key])
        if inner is not None:
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, dict):
                    _refuse_unknown_keys(part, inner, (*path, key), text, where)


def _unknown(name: str, key: str, known: Mapping[str, Any]) -> str:
    nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
    return f"there is no setting {name!r}" + (f"; did you mean {nearest[0]!r}?" if nearest else "")


def _line_of(path: tuple[str, ...], text: str) -> int:
    """The line of a valid TOML text that brings a key in: the text down to there is TOML too, and holds it."""
    lines = text.split("\n")
    begun = 0  # where the present statement begins, for some go over several lines
    for count in range(1, len(lines)):
        try:
            values = tomllib.loads("\n".join(lines[:count]))
        except tomllib.TOMLDecodeError:
            continue
        if _holds(values, path):
            lines = lines[:count]
            break
        begun = count
    key = re.compile(rf"(?<![\w-]){re.escape(path[-1])}(?![\w-])")
    return 1 + next((number for number in range(begun, len(lines)) if key.search(lines[number])), begun)


def _holds(values: Any, path: tuple[str, ...]) -> bool:
    if isinstance(values, list):
        return any(_holds(value, path) for value in values)
    return not path or (isinstance(values, dict) and path[0] in values and _holds(values[path[0]], path[1:]))


def _resolve(value: Any, environment: Mapping[str, str], path: tuple[str, ...], where: str) -> Any:
    """Put the environment's values in the place of "env:NAME"."""
    if isinstance(value, dict):
        return {key: _resolve(inner, environment, (*path, key), where) for key, inner in value.items()}
    if isinstance(value, list):
        return [_resolve(inner, environment, path, where) for inner in value]
    if isinstance(value, str) and value.startswith("env:"):
        name = value.removeprefix("env:")
        if name not in environment:
            raise ConfigError(f"{where}: {'.'.join(path)} wants the environment variable {name}, which is not set")
        return environment[name]
    return value


def _override(values: dict[str, Any], name: str, value: str) -> None:
    """Walk the sections by the variable's name: OFFHOOK_CARRIERS_TWILIO_AUTH_TOKEN is carriers.twilio.auth_token."""
    section: type = Config
    rest = name.removeprefix(PREFIX).lower()
    while True:
        fields = {field.encode_name: field.type for field in msgspec.structs.fields(section)}
        if rest in fields and _section_of(fields[rest]) is None:
            values[rest] = value
            return
        key = next((key for key, kind in fields.items() if rest.startswith(f"{key}_") and _section_of(kind)), None)
        if key is None or _is_list(fields[key]):
            names = {f"{PREFIX}{path.replace('.', '_').upper()}": None for path, _ in settings() if "[]" not in path}
            raise ConfigError(f"the environment: {_unknown(name, name, names)}")
        section = _section_of(fields[key]) or section
        rest = rest.removeprefix(f"{key}_")
        values = values.setdefault(key, {})
        if not isinstance(values, dict):
            raise ConfigError(f"{name} is set, but in the file {key!r} is a value and no section")


def _check(config: Config, where: str) -> None:
    problems = [
        (not 0 <= config.server.port <= 65535, "server.port must be 0 to 65535"),
        (config.server.max_calls < 1, "server.max_calls must be 1 or more"),
        (not config.server.drain_s >= 0, "server.drain_s must be 0 or more"),  # nan is neither less nor more
        (
            bool(config.server.public_url) and not re.match(r"https?://[^/]+", config.server.public_url),
            "server.public_url must begin with https:// (or http:// for a rehearsal)",
        ),
    ]
    names = [bot.name for bot in config.bots]
    problems += [(names.count(name) > 1, f"two bots are named {name!r}") for name in names]
    numbers = [number for bot in config.bots for number in bot.numbers]
    problems += [(numbers.count(number) > 1, f"two bots answer the number {number!r}") for number in numbers]
    for bot in config.bots:
        listening = bot.listening
        problems += [
            (not bot.max_call_s > 0, f"bot {bot.name!r}: max_call_s must be more than 0"),
            (not bot.idle_prompt_s > 0, f"bot {bot.name!r}: idle_prompt_s must be more than 0"),
            (not bot.reply_timeout_s > 0, f"bot {bot.name!r}: reply_timeout_s must be more than 0"),
            (not 100 <= bot.lead_ms <= 10_000, f"bot {bot.name!r}: lead_ms must be 100 to 10000"),
            (
                not 60 <= listening.pause_ms <= min(listening.hangover_ms, listening.message_hangover_ms),
                f"bot {bot.name!r}: listening.pause_ms must be 60 or more, and no more than either hangover",
            ),
            (
                any(not fact.ask or not fact.answer for fact in bot.facts),
                f"bot {bot.name!r}: a fact needs ask and answer",
            ),
        ]
    for is_wrong, message in problems:
        if is_wrong:
            raise ConfigError(f"{where}: {message}")
