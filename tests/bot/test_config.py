from pathlib import Path

import pytest

from bot.config import Config, load
from bot.errors import ConfigError

WHOLE = """
[server]
port = 9000
public_url = "https://bot.example.com"

[carriers.twilio]
account_sid = "AC1"
auth_token = "env:THE_TOKEN"

[[bots]]
name = "reception"
numbers = ["+15550002222"]
greeting = "Hello."

[bots.listening]
hangover_ms = 700

[[bots.facts]]
ask = ["When are you open?"]
answer = "From nine."

[[bots]]
name = "rest"
"""


@pytest.fixture
def file(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "offhook.toml"
        path.write_text(text)
        return path

    return write


def test_a_whole_file_is_read_with_its_secrets_from_the_environment(file):
    config = load(file(WHOLE), {"THE_TOKEN": "secret"})
    assert config.server.port == 9000
    assert config.carriers.twilio is not None
    assert config.carriers.twilio.auth_token == "secret"
    assert config.bots[0].listening.hangover_ms == 700
    assert config.bots[0].facts[0].answer == "From nine."


def test_without_a_file_everything_has_its_default():
    assert load(None, {}) == Config()


def test_a_bot_is_found_by_its_number_and_else_the_one_for_everything(file):
    config = load(file(WHOLE), {"THE_TOKEN": "secret"})
    assert config.bot_for("+15550002222") is config.bots[0]
    assert config.bot_for("+15559999999") is config.bots[1]
    assert load(None, {}).bot_for("+1") is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[server]\nprot = 1\n", ["line 2", "'server.prot'", "'port'"]),
        ("[sevrer]\n", ["line 1", "'sevrer'", "'server'"]),
        ('[[bots]]\nname = "a"\ngreting = "x"\n', ["line 3", "'bots.greting'", "'greeting'"]),
        (
            '[[bots]]\nname = "a"\n[[bots.facts]]\nask = ["q"]\nanser = "x"\n',
            ["line 5", "'bots.facts.anser'", "'answer'"],
        ),
        ('[[bots]]\nname = "a"\nlistening = { hangover = 3 }\n', ["line 3", "'hangover_ms'"]),
    ],
)
def test_a_misspelt_key_is_named_with_its_line_and_the_nearest_right_one(file, text, said):
    with pytest.raises(ConfigError) as refused:
        load(file(text), {})
    for part in said:
        assert part in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[server]\nport = 'x'\n", "port"),
        ("[server]\nport = 70000\n", "server.port must be 0 to 65535"),
        ("[server]\nmax_calls = 0\n", "max_calls"),
        ("[server]\npublic_url = 'bot.example.com'\n", "public_url must begin with https://"),
        ("[carriers.twilio]\naccount_sid = 'AC1'\n", "auth_token"),
        ("[[bots]]\n", "name"),
        ("[[bots]]\nname = 'a'\n[[bots]]\nname = 'a'\nnumbers = ['1']\n", "two bots are named 'a'"),
        ("[[bots]]\nname = 'a'\n[[bots]]\nname = 'b'\n", "two bots answer the number '*'"),
        ("[[bots]]\nname = 'a'\nvoice = 'telepathy'\n", "voice"),
        ("[[bots]]\nname = 'a'\nmax_call_s = 0\n", "max_call_s"),
        ("[[bots]]\nname = 'a'\nlead_ms = 5\n", "lead_ms"),
        ("[[bots]]\nname = 'a'\nlistening = { pause_ms = 600 }\n", "listening.pause_ms"),
        ("[[bots]]\nname = 'a'\n[[bots.facts]]\nask = []\nanswer = 'x'\n", "a fact needs ask"),
        ("[server\n", "is not TOML"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_name(file, text, said):
    with pytest.raises(ConfigError, match=r".*") as refused:
        load(file(text), {})
    assert said in str(refused.value)


def test_a_secret_that_is_not_set_is_named(file):
    with pytest.raises(ConfigError, match=r"carriers.twilio.auth_token wants the environment variable THE_TOKEN"):
        load(file(WHOLE), {})


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "none.toml", {})


def test_the_environment_wins_over_the_file(file):
    environment = {
        "THE_TOKEN": "secret",
        "OFFHOOK_SERVER_PORT": "7000",
        "OFFHOOK_CARRIERS_TWILIO_AUTH_TOKEN": "other",
        "OFFHOOK_STORAGE_DATABASE": "postgresql+asyncpg://h/d",
        "OFFHOOK_LOG_FORMAT": "json",
    }
    config = load(file(WHOLE), environment)
    assert config.server.port == 7000
    assert config.carriers.twilio is not None
    assert config.carriers.twilio.auth_token == "other"
    assert config.storage.database == "postgresql+asyncpg://h/d"
    assert config.log.format == "json"


@pytest.mark.parametrize("name", ["OFFHOOK_SERVER_PROT", "OFFHOOK_PORT", "OFFHOOK_BOTS_NAME"])
def test_a_misspelt_variable_is_refused_with_the_nearest_right_one(name):
    with pytest.raises(ConfigError, match=f"{name}.*did you mean 'OFFHOOK_"):
        load(None, {name: "1"})


def test_variables_that_are_no_settings_are_left_alone():
    load(None, {"OFFHOOK_CONFIG": "x", "OFFHOOK_REQUIRE_ALL": "1", "OFFHOOK_DATA": "/data", "PATH": "/bin"})
