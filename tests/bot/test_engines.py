from pathlib import Path

import msgspec
import pytest

from bot import engines as engines_module
from bot.config import BotConfig, ChainedConfig, ListeningConfig, ModelServerConfig, OpenAIConfig
from bot.engines import Engines
from bot.errors import ConfigError, VoiceError
from bot.prompts import Prompt
from media.detector import VoiceDetector
from media.frame import PCMU_8K

TONES = ChainedConfig(transcriber="tones", responder="tones", speaker="tones")


def bot(name: str, language: str = "en", **chained: str) -> BotConfig:
    return BotConfig(name=name, language=language, chained=msgspec.structs.replace(TONES, **chained))


@pytest.mark.parametrize("link", ["transcriber", "speaker"])
@pytest.mark.parametrize("name", ["", "whisper-tiny.en", "local:", "cloud:best"])
def test_an_engine_that_nobody_knows_is_refused_with_what_to_write(link: str, name: str):
    with pytest.raises(ConfigError, match=f"no engine '{name}': write tones, local:, openai:"):
        Engines([bot("a", **{link: name})])


def test_a_responder_that_nobody_knows_is_refused_with_its_bot_and_what_to_write():
    with pytest.raises(ConfigError, match="no engine 'oracle': write tones, facts, local:, openai:"):
        Engines([bot("a"), bot("b", responder="oracle")])
    with pytest.raises(ConfigError, match="bot 'b': there is no responder 'local:llama': write facts or openai:MODEL"):
        Engines([bot("a"), bot("b", responder="local:llama")])


def test_bots_share_what_listens_and_what_speaks():
    bots = [
        bot("a", transcriber="local:whisper-tiny.en", speaker="local:piper-joe"),
        bot("b", transcriber="local:whisper-tiny.en", speaker="local:piper-joe"),
        bot("c", transcriber="local:/models/own", speaker="local:/voices/own.onnx"),
        bot("d", transcriber="local:/models/own", language="de", speaker="local:/voices/own.onnx"),
    ]
    engines = Engines(bots)
    a, b, c, d = (engines.links(each) for each in bots)
    assert a.transcriber is b.transcriber
    assert a.speaker is b.speaker
    assert a.transcriber is not c.transcriber
    assert a.speaker is not c.speaker
    assert c.transcriber is not d.transcriber, "a model listens for one language"
    assert c.speaker is d.speaker


def test_bots_that_are_read_to_alike_share_a_reader_and_its_sessions():
    reader = "openai-realtime:gpt-realtime-2.1-mini"
    bots = [
        bot("a", speaker=reader),
        msgspec.structs.replace(bot("b", speaker=reader), voice="realtime"),
        bot("c", speaker=reader, speaker_voice="cedar"),
        bot("d", speaker=reader, language="de"),
        bot("e", speaker=f"{reader}@branch"),
    ]
    branch = ModelServerConfig(base_url="http://branch.example/v1")
    engines = Engines(bots, OpenAIConfig(servers={"branch": branch}))
    a, b, *others = (engines.speaker(each) for each in bots)
    assert a is b
    assert len({a, *others}) == 4


def test_a_speed_that_a_reader_cannot_speak_at_stops_the_start():
    chained = msgspec.structs.replace(TONES, speaker="openai-realtime:gpt-realtime-2.1-mini", speaker_speed=2.0)
    with pytest.raises(ConfigError, match=r"speaker_speed must be 0\.25 to 1\.5, and is 2"):
        Engines([msgspec.structs.replace(bot("a"), chained=chained)])


def test_bots_do_not_share_what_they_know():
    bots = [bot("a", responder="facts"), bot("b", responder="facts")]
    engines = Engines(bots)
    assert engines.links(bots[0]).responder is not engines.links(bots[1]).responder


async def test_once_started_each_bot_can_say_its_own_greeting_without_an_engine():
    bots = [msgspec.structs.replace(bot(name), greeting=f"Hello from {name}.") for name in "ab"]
    engines = Engines(bots)
    await engines.start(PCMU_8K)
    for each in bots:
        prepared = engines.prepared(each, PCMU_8K)
        assert prepared.keys() == set(Prompt)
        assert prepared[Prompt.GREETING].text == each.greeting
        assert all(audio.payload for audio in prepared.values())
    await engines.close()


async def test_a_model_that_is_not_there_stops_the_start_with_its_name(tmp_path: Path):
    engines = Engines([bot("a", speaker=f"local:{tmp_path / 'voice.onnx'}")])
    with pytest.raises(VoiceError, match=r"voice\.onnx"):
        await engines.start(PCMU_8K)
    await engines.close()


def test_every_call_has_a_detector_of_its_own():
    one = bot("a")
    engines = Engines([one])
    first, second = engines.detector(one), engines.detector(one)
    assert isinstance(first, VoiceDetector)
    assert first is not second


def test_a_detector_that_is_not_installed_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch):
    def missing() -> Path:
        raise FileNotFoundError("no model here")

    monkeypatch.setattr(engines_module, "bundled_model", missing)
    wanting = msgspec.structs.replace(bot("a"), listening=ListeningConfig(detector="silero"))
    with pytest.raises(VoiceError, match=r'pip install "offhook\[local\]"'):
        Engines([wanting])
