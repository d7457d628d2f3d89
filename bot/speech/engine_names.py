"""What the names of engines in the configuration mean: `facts`, `local:whisper-tiny.en`, `openai:gpt-4.1@branch`."""

from dataclasses import dataclass
from typing import Literal

from bot.config import ModelServerConfig, OpenAIConfig
from bot.errors import ConfigError

Kind = Literal["local", "openai", "openai-realtime", "own"]


@dataclass(frozen=True, slots=True)
class EngineName:
    kind: Kind
    model: str  # of what is built in (`facts`, `tones`): its name
    server: str = ""  # one of `openai.servers`; "": the one in `openai` itself


def parse(name: str, own: tuple[str, ...] = ()) -> EngineName:
    """Raises `ConfigError` for what is neither one of the built-in names `own` nor a kind and a model."""
    if name in own:
        return EngineName("own", name)
    kind, _, model = name.partition(":")
    if kind == "local" and model:
        return EngineName("local", model)
    if kind in ("openai", "openai-realtime") and model:
        model, _, server = model.rpartition("@") if "@" in model else (model, "", "")
        return EngineName("openai" if kind == "openai" else "openai-realtime", model, server)
    built_in = "".join(f"{one}, " for one in own)
    raise ConfigError(f"there is no engine {name!r}: write {built_in}local:, openai: or openai-realtime: and a model")


def server_of(name: EngineName, openai: OpenAIConfig) -> ModelServerConfig:
    """Where the engine's requests go; raises `ConfigError` for a server that is not configured."""
    if not name.server:
        return openai
    if name.server not in openai.servers:
        raise ConfigError(f"there is no server {name.server!r}: give openai.servers.{name.server} a base_url")
    return openai.servers[name.server]


def setting_of(name: EngineName) -> str:
    """Where the engine's server is configured, for messages: `openai`, or `openai.servers.NAME`."""
    return f"openai.servers.{name.server}" if name.server else "openai"
