"""The configuration: one frozen value, from one TOML file and the environment, validated before any port opens.

Every value can be given in the environment as `OFFHOOK_` and its path in capitals (`OFFHOOK_SERVER_PORT`), which wins
over the file, or in the file as `"env:NAME"`. No other module reads the environment. docs/operations.md lists all.
Here are the settings; `config_file.py` reads them, and what they must keep to stands in `config_rules.py`.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit, urlunsplit

import msgspec

from bot.config_file import read_values
from bot.config_rules import SECRET_PREFIX as SECRET_PREFIX
from bot.config_rules import first_broken
from bot.config_shape import settings_of
from bot.errors import ConfigError
from bot.privacy import HIDDEN

_KEYS_TO_DOORS = frozenset({"authorization", "headers"})


class _Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    pass


class ServerConfig(_Section, frozen=True):
    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = 8080
    """The port to listen on; 0 takes a free one."""
    public_url: str = ""
    """What carriers reach, as in the number's webhook: signatures are checked against it. Default: host and port."""
    workers: int = 1
    """Processes that share the port and the calls, each with the models loaded; about one for each core."""
    max_calls: int = 100
    """Calls at a time, over all workers; a caller beyond that hears that all lines are busy."""
    drain_s: float = 60.0
    """How long live calls may go on after SIGTERM before they are told goodbye."""


class StorageConfig(_Section, frozen=True):
    database: str = "sqlite+aiosqlite:///data/offhook.db"
    """The call log: sqlite+aiosqlite:///PATH or postgresql+asyncpg://USER:PASSWORD@HOST/NAME."""
    recordings: str = "data/recordings"
    """The folder for recordings; beside it, in prompts, is kept what speakers that cost money have prepared."""


class ReviewConfig(_Section, frozen=True):
    admin_password_hash: str = ""
    """The admin's password as `offhook password` prints it; empty: the log shows a link to set one."""
    viewer_password_hash: str = ""
    """The same for the account named viewer, who sees numbers masked and deletes nothing; empty: there is none."""
    session_h: float = 168.0
    """How long somebody stays signed in without looking at a page."""
    proxies: str = ""
    """Proxies in front whose X-Forwarded-For is believed: addresses or networks, with commas between them."""
    access_log_days: int = 365
    """How long it is kept who looked at which call."""
    word_times: str = "local:whisper-tiny.en"
    """The local Whisper that finds when each word of a call was said, once somebody looks at it; empty: none does."""


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


class PriceConfig(_Section, frozen=True):
    """US dollars for a million tokens, or for a minute."""

    audio_in: float = 0.0
    """A million tokens of the caller's sound."""
    audio_cached: float = 0.0
    """The same, where the model remembered them from the response before."""
    audio_out: float = 0.0
    """A million tokens of the bot's sound."""
    text_in: float = 0.0
    """A million tokens of text that the model reads."""
    text_cached: float = 0.0
    """The same, remembered."""
    text_out: float = 0.0
    """A million tokens of text that the model writes."""
    minute: float = 0.0
    """A minute of sound, for models that are charged by its length."""


class ModelServerConfig(_Section, frozen=True):
    base_url: str
    """Its address up to and with /v1; the realtime socket is the ws or wss twin."""
    api_key: str = ""
    """The key; a server on this machine may need none."""
    organization: str = ""
    """The organization that pays, where a key has several."""
    project: str = ""
    """The project that pays, where a key has several."""


class OpenAIConfig(ModelServerConfig, frozen=True):
    base_url: str = "https://api.openai.com/v1"
    """Any server that speaks OpenAI's audio APIs; the realtime socket is its ws or wss twin."""
    timeout_s: float = 30.0
    """How long a request over HTTP may take until its first answer; a caller who waits is told so much earlier."""
    retries: int = 2
    """How often such a request is made again when the connection fails, or the server is busy or broken."""
    servers: dict[str, ModelServerConfig] = {}
    """Further servers, by a name of your own: openai:MODEL@NAME is a model of that one."""
    prices: dict[str, PriceConfig] = {}
    """What models cost, by name; these win over the table that Offhook brings."""


class RealtimeConfig(_Section, frozen=True):
    model: str = "gpt-realtime-2.1"
    """The realtime model; OpenAI retires names, and the log says so ahead of time."""
    speaker: str = "marin"
    """The model's voice: alloy, ash, ballad, cedar, coral, echo, marin, sage, shimmer, verse, or a custom id."""
    speed: float = 1.0
    """How fast it speaks, 0.25 to 1.5."""
    audio: Literal["pcm", "pcmu", "pcma"] = "pcm"
    """What the model hears and speaks: pcm at 24 kHz, or the carrier's own 8 kHz mu-law or A-law, which costs less."""
    greeting: Literal["prepared", "model"] = "prepared"
    """Who says the first words: prepared is at once, in the voice of chained.speaker; model takes a moment longer."""
    turn_detection: Literal["server_vad", "semantic_vad", "local"] = "server_vad"
    """Who decides when the caller has finished: the model by silence or by meaning, or Offhook on this machine."""
    threshold: float = 0.5
    """server_vad: how loud speech must be, 0 to 1."""
    prefix_padding_ms: int = 300
    """server_vad and local: how much sound before the beginning of speech the model gets."""
    silence_ms: int = 500
    """server_vad: the silence that ends what the caller says."""
    idle_timeout_ms: int | None = None
    """server_vad: after so long a silence the model speaks up by itself; idle_prompt_s works without it."""
    eagerness: Literal["auto", "low", "medium", "high"] = "auto"
    """semantic_vad: how soon the model takes the floor."""
    create_response: bool = True
    """Whether the model answers by itself; else Offhook asks it to, after each utterance."""
    interrupt_response: bool = True
    """Whether the caller can interrupt."""
    noise_reduction: Literal["near_field", "far_field", "off"] = "near_field"
    """How the model cleans the caller's sound: near_field for handsets, far_field for speakerphones."""
    transcription_model: str = "gpt-transcribe"
    """Who writes down what the caller said, for the call log; empty: nobody."""
    transcription_prompt: str = ""
    """Words and names that this transcription should expect."""
    tool_choice: str = "auto"
    """Whether the model may use tools: auto, none, required, or the name of one tool."""
    parallel_tool_calls: bool | None = None
    """Whether it may ask for several at once; only for reasoning models."""
    reasoning_effort: Literal["minimal", "low", "medium", "high", "xhigh"] | None = None
    """How long a reasoning model thinks before it speaks."""
    max_output_tokens: int | None = None
    """The longest response; none: no limit."""
    truncation: Literal["auto", "disabled"] = "auto"
    """What happens when the conversation outgrows the model: auto forgets its beginning, disabled is an error."""
    retention_ratio: float | None = None
    """The share of the conversation to keep when some must go, 0 to 1; 0.8 keeps long calls cheap."""
    retention_tokens: int | None = None
    """With retention_ratio: the most tokens of conversation after the instructions."""
    prompt_id: str = ""
    """A stored prompt at OpenAI (switched off there on 2026-11-30)."""
    prompt_version: str = ""
    """The stored prompt's version."""
    prompt_variables: dict[str, str] = {}
    """The stored prompt's variables."""
    tracing: Literal["off", "auto"] = "off"
    """Whether OpenAI keeps a trace of the session."""
    session: dict[str, Any] = {}
    """Anything else for the session object, as in OpenAI's documentation; laid over all of the above."""
    connect_timeout_s: float = 5.0
    """How long the model's socket may take until it is ready."""
    reconnect_s: float = 8.0
    """When the socket is lost: how long to try again before the caller is told."""
    stall_s: float = 5.0
    """How long the model may leave a question unanswered before its socket is replaced."""
    renew_before_s: float = 120.0
    """How long before the model's session expires a second one is made ready to take over in a silence."""


class ChainedConfig(_Section, frozen=True):
    transcriber: str = "local:whisper-tiny.en"
    """Who listens: local: and a Whisper model's name or folder, openai:MODEL by request, openai-realtime:MODEL live."""
    responder: str = "facts"
    """Who thinks: facts answers from the bot's own facts and never invents; openai:MODEL is a text model."""
    speaker: str = "local:piper-joe"
    """Who speaks: local: and a Piper voice's name or .onnx file, openai:MODEL, openai-realtime:MODEL as a reader."""
    turn_detection: Literal["local", "server_vad", "semantic_vad"] = "local"
    """Who decides when the caller has finished: Offhook, or a live transcriber that can."""
    keywords: tuple[str, ...] = ()
    """Names and words of the business that a transcriber should expect."""
    transcriber_prompt: str = ""
    """Text that a transcriber is to read first, where its model takes one."""
    temperature: float | None = None
    """How freely a text model writes, 0 to 2; none: as its server has it."""
    max_output_tokens: int | None = None
    """The longest answer of a text model; none: no limit."""
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high"] | None = None
    """How long a text model that reasons thinks before it writes, which the caller waits for; none: as it has it."""
    speaker_voice: str = "marin"
    """The voice of a speaker at OpenAI, or a custom id."""
    speaker_speed: float = 1.0
    """How fast it speaks, 0.25 to 4 (openai:), 0.25 to 1.5 (openai-realtime:)."""
    speaker_instructions: str = ""
    """How it speaks, for speakers that can be told."""


class AudioChatConfig(_Section, frozen=True):
    model: str = "gpt-audio-1.5"
    """The model of Chat Completions with audio; MODEL@NAME is one of openai.servers."""
    speaker: str = "marin"
    """Its voice."""
    temperature: float | None = None
    """How freely it speaks, 0 to 2; none: as its server has it."""
    max_output_tokens: int | None = None
    """The longest answer; none: no limit."""
    transcriber: str = "local:whisper-tiny.en"
    """Who writes down what the caller said, for the call log; as chained.transcriber, or empty: nobody."""


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
    filler: str = "One moment, please."
    """Said when an answer takes long."""
    pardon: str = "I'm sorry, I had trouble understanding that. Could you say it again, please?"
    """Said when an engine failed once."""
    apology: str = "I'm sorry, something has gone wrong at our end. Please call again later. Goodbye."
    """Said when an engine failed twice in a row, before hanging up."""
    drained: str = "I'm sorry, I have to end this call for maintenance. Please call again in a few minutes. Goodbye."
    """Said when the service stops and cannot wait for the call any longer."""
    transferring: str = "I am putting you through to somebody. One moment, please."
    """Said before a caller is handed over because the voice has failed."""
    transfer_failed: str = "I'm sorry, nobody can take your call at the moment. Please call again later. Goodbye."
    """Said by the carrier when nobody answers a transfer."""
    busy: str = "All lines are busy at the moment. Please call again in a few minutes."
    """Said by the carrier when max_calls is reached."""


class FactConfig(_Section, frozen=True):
    ask: tuple[str, ...]
    """Ways in which callers ask; four to six different ones are best."""
    answer: str
    """What the bot says, word for word."""


class TransferConfig(_Section, frozen=True):
    number: str
    """Where callers are put through to: a number as +15550003333, or a sip: address."""
    description: str = ""
    """Whom they reach there, for the model that decides."""


class ToolConfig(_Section, frozen=True):
    name: str
    """What the model calls it: letters, digits, _ and -."""
    description: str
    """What it does and when to use it, for the model."""
    parameters: dict[str, Any] | str = {}
    """Its arguments as a JSON schema, in TOML or as a string with JSON; none: it takes none."""
    url: str = ""
    """The HTTP endpoint that does it; a tool has either this or python."""
    python: str = ""
    """The Python function that does it, as package.module:function."""
    method: Literal["POST", "GET"] = "POST"
    """How the endpoint is asked: POST sends JSON, GET a query."""
    headers: dict[str, str] = {}
    """What else the endpoint gets, such as Authorization = "env:NAME"."""
    secret: str = ""
    """Signs each request as Standard Webhooks has it: whsec_ and 24 bytes or more in base64."""
    timeout_s: float = 10.0
    """How long it may take, tries included, until the model hears that it failed."""
    retries: int = 1
    """How often the endpoint is asked again when the connection fails or it answers 5xx."""
    max_response_bytes: int = 32_768
    """The longest answer of the endpoint that the model gets to read."""


BuiltinTool = Literal["hang_up", "take_message", "lookup_fact", "transfer"]


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
    voice: Literal["chained", "realtime", "audio-chat"] = "chained"
    """What callers talk to: chained is transcriber, responder, speaker; realtime and audio-chat hear and speak."""
    record: bool = True
    """Whether calls are recorded, the caller left and the bot, as heard, right."""
    keep_days: float | None = None
    """How long calls are kept, with their recordings; none: until somebody deletes them."""
    max_call_s: float = 900.0
    """The longest a call may last."""
    idle_prompt_s: float = 10.0
    """The silence after which the bot asks whether anybody is there; after two such questions, goodbye."""
    reply_timeout_s: float = 10.0
    """How long an engine may take before the caller is asked to say it again."""
    filler_after_s: float = 1.2
    """How long the caller waits in silence for an answer, a tool or a lost model before hearing texts.filler."""
    lead_ms: int = 600
    """How much audio the carrier may hold ahead of the ear; more rides out network and processor stalls."""
    listening: ListeningConfig = ListeningConfig()
    chained: ChainedConfig = ChainedConfig()
    realtime: RealtimeConfig = RealtimeConfig()
    audio_chat: AudioChatConfig = AudioChatConfig()
    texts: TextsConfig = TextsConfig()
    facts: tuple[FactConfig, ...] = ()
    builtin_tools: tuple[BuiltinTool, ...] = get_args(BuiltinTool)
    """What a model may do besides talking; lookup_fact needs facts, transfer needs transfers."""
    tools: tuple[ToolConfig, ...] = ()
    transfers: dict[str, TransferConfig] = {}
    fallback_transfer: str = ""
    """Which transfer gets the caller when the voice has failed for good; empty: they are told goodbye."""


class Config(_Section, frozen=True):
    server: ServerConfig = ServerConfig()
    storage: StorageConfig = StorageConfig()
    review: ReviewConfig = ReviewConfig()
    log: LogConfig = LogConfig()
    carriers: CarriersConfig = CarriersConfig()
    openai: OpenAIConfig = OpenAIConfig()
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
    values, where = read_values(path, environment, Config)
    try:
        config = msgspec.convert(values, Config, strict=False)
    except msgspec.ValidationError as exc:
        raise ConfigError(f"{where}: {exc}") from exc
    if (broken := first_broken(config, get_args(BuiltinTool))) is not None:
        raise ConfigError(f"{where}: {broken}")
    return config


def without_secrets(bot: BotConfig) -> BotConfig:
    """A bot's settings as the call log may keep them: without what opens doors elsewhere."""
    tools = tuple(
        msgspec.structs.replace(
            tool,
            url=urlunsplit(urlsplit(tool.url)._replace(netloc=urlsplit(tool.url).netloc.rpartition("@")[2], query="")),
            headers=dict.fromkeys(tool.headers, HIDDEN),
            secret=HIDDEN if tool.secret else "",
        )
        for tool in bot.tools
    )
    session = _hidden(bot.realtime.session)
    return msgspec.structs.replace(bot, tools=tools, realtime=msgspec.structs.replace(bot.realtime, session=session))


def _hidden(value: Any) -> Any:
    """A session object without what a remote tool server (MCP) is let in with."""
    if isinstance(value, list):
        return [_hidden(inner) for inner in value]
    if isinstance(value, dict):
        return {key: HIDDEN if key in _KEYS_TO_DOORS else _hidden(inner) for key, inner in value.items()}
    return value


def settings() -> Iterator[tuple[str, Any]]:
    """Every setting's path (`bots[].chained.speaker`) with its default; `msgspec.NODEFAULT` where it must be given."""
    return settings_of(Config)
