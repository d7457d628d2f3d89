from pathlib import Path

import pytest

from bot.config import Config, load, without_secrets
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
    config = load(None, {})
    assert config == Config()
    assert (config.server.host, config.server.port, config.bots, config.carriers.twilio) == (
        "127.0.0.1",
        8080,
        (),
        None,
    )


def test_a_bot_is_found_by_its_number_and_else_the_one_for_everything(file):
    config = load(file(WHOLE), {"THE_TOKEN": "secret"})
    assert config.bot_for("+15550002222") is config.bots[0]
    assert config.bot_for("+15559999999") is config.bots[1]
    assert load(None, {}).bot_for("+1") is None


def test_a_number_that_nobody_answers_has_no_bot(file):
    config = load(file("[[bots]]\nname = 'a'\nnumbers = ['+1']\n"), {})
    assert config.bot_for("+2") is None


def test_the_bot_that_names_a_number_answers_it_wherever_it_stands(file):
    config = load(file("[[bots]]\nname = 'rest'\n[[bots]]\nname = 'a'\nnumbers = ['+1', '+2']\n"), {})
    assert [config.bot_for(number) for number in ("+2", "+3")] == [config.bots[1], config.bots[0]]


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
        ('[[bots]]\nname = "a"\n[bots.texts]\nidel = "x"\n', ["line 4", "'bots.texts.idel'", "'idle'"]),
        ('[[bots]]\nname = "a"\n[[bots]]\nname = "b"\nrecrd = true\n', ["line 5", "'bots.recrd'", "'record'"]),
        (
            '[[bots]]\nfacts = [\n  { ask = ["q"], answer = "x" },\n  { ask = ["q"], anser = "x" },\n]\n',
            ["line 4", "'bots.facts.anser'"],
        ),
        ("carriers.twilio.auth_tokn = 'x'\n", ["line 1", "'carriers.twilio.auth_tokn'", "'auth_token'"]),
        ("# prot = 1\n\n[server]\nhost = 'prot = 1'\nprot = 1\n", ["line 5", "'server.prot'"]),
        ("[server]\nport = 1\n[storage]\nport = 2\n", ["line 4", "'storage.port'"]),
        ('[[bots]]\ninstruction = """\nBe kind.\n"""\n', ["line 2", "'instructions'"]),
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
        ("[server]\nport = -1\n", "server.port must be 0 to 65535"),
        ("[server]\nmax_calls = 0\n", "max_calls"),
        ("[server]\ndrain_s = -1\n", "server.drain_s must be 0 or more"),
        ("[server]\nport = true\n", "$.server.port"),
        ("server = 5\n", "$.server"),
        ("[bots]\nname = 'a'\n", "$.bots"),
        ("[[bots]]\nname = 5\n", "$.bots[0].name"),
        ("[[bots]]\nname = 'a'\nnumbers = '+1'\n", "$.bots[0].numbers"),
        ("[[bots]]\nname = 'a'\nnumbers = ['+1', '+1']\n", "two bots answer the number '+1'"),
        ("[log]\nlevel = 'loud'\n", "$.log.level"),
        ("[server]\npublic_url = 'bot.example.com'\n", "public_url must begin with https://"),
        ("[carriers.twilio]\naccount_sid = 'AC1'\n", "auth_token"),
        ("[[bots]]\n", "name"),
        ("[[bots]]\nname = 'a'\n[[bots]]\nname = 'a'\nnumbers = ['1']\n", "two bots are named 'a'"),
        ("[[bots]]\nname = 'a'\n[[bots]]\nname = 'b'\n", "two bots answer the number '*'"),
        ("[[bots]]\nname = 'a'\nvoice = 'telepathy'\n", "voice"),
        ("[[bots]]\nname = 'a'\nmax_call_s = 0\n", "max_call_s"),
        ("[[bots]]\nname = 'a'\nmax_call_s = nan\n", "max_call_s must be more than 0"),
        ("[[bots]]\nname = 'a'\nkeep_days = 0\n", "keep_days must be more than 0"),
        ("[[bots]]\nname = 'a'\nkeep_days = nan\n", "keep_days must be more than 0"),
        ("[[bots]]\nname = 'a'\nidle_prompt_s = 0\n", "idle_prompt_s must be more than 0"),
        ("[[bots]]\nname = 'a'\nreply_timeout_s = -1\n", "reply_timeout_s must be more than 0"),
        ("[[bots]]\nname = 'a'\nlead_ms = 99\n", "lead_ms must be 100 to 10000"),
        ("[[bots]]\nname = 'a'\nlead_ms = 10001\n", "lead_ms must be 100 to 10000"),
        ("[[bots]]\nname = 'a'\nlistening = { pause_ms = 600 }\n", "listening.pause_ms"),
        ("[[bots]]\nname = 'a'\nlistening = { pause_ms = 59 }\n", "listening.pause_ms must be 60 or more"),
        ("[[bots]]\nname = 'a'\naudio_chat = { model = '' }\n", "audio_chat.model must name a model"),
        ("[[bots]]\nname = 'a'\naudio_chat = { speaker = '' }\n", "audio_chat.speaker must name a voice"),
        ("[[bots]]\nname = 'a'\naudio_chat = { temperature = 2.5 }\n", "audio_chat.temperature must be 0 to 2"),
        ("[[bots]]\nname = 'a'\naudio_chat = { max_output_tokens = 0 }\n", "audio_chat.max_output_tokens must be 1"),
        ("[[bots]]\nname = 'a'\nlistening = { message_hangover_ms = 100 }\n", "no more than either hangover"),
        ("[[bots]]\nname = 'a'\n[[bots.facts]]\nask = []\nanswer = 'x'\n", "a fact needs ask"),
        ("[[bots]]\nname = 'a'\n[[bots.facts]]\nask = ['x']\nanswer = ''\n", "a fact needs ask and answer"),
        ("[server\n", "is not TOML"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_name(file, text, said):
    with pytest.raises(ConfigError) as refused:
        load(file(text), {})
    assert said in str(refused.value)


def test_a_secret_that_is_not_set_is_named(file):
    with pytest.raises(ConfigError, match=r"carriers.twilio.auth_token wants the environment variable THE_TOKEN"):
        load(file(WHOLE), {})


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml cannot be read: .*No such file"):
        load(tmp_path / "none.toml", {})


def test_a_file_that_is_no_text_is_named(tmp_path):
    path = tmp_path / "offhook.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"offhook\.toml cannot be read"):
        load(path, {})


def test_numbers_and_lists_may_come_from_the_environment_too(file):
    text = "[server]\nport = 'env:PORT'\n[[bots]]\nname = 'a'\nnumbers = ['env:NUMBER', '+2']\n"
    config = load(file(text), {"PORT": "7001", "NUMBER": "+1"})
    assert config.server.port == 7001
    assert config.bots[0].numbers == ("+1", "+2")


def test_numbers_at_their_limits_are_taken(file):
    bots = "".join(
        f"[[bots]]\nname = '{lead_ms}'\nnumbers = []\nlead_ms = {lead_ms}\n"
        "listening = { pause_ms = 60, hangover_ms = 60, message_hangover_ms = 60 }\n"
        for lead_ms in (100, 10_000)
    )
    config = load(file(f"[server]\nport = 65535\nmax_calls = 1\ndrain_s = 0\n{bots}"), {})
    assert [bot.lead_ms for bot in config.bots] == [100, 10_000]


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


def test_the_environment_alone_is_enough():
    name = "OFFHOOK_CARRIERS_TWILIO_"
    config = load(None, {f"{name}ACCOUNT_SID": "AC1", f"{name}AUTH_TOKEN": "x", "OFFHOOK_SERVER_DRAIN_S": "1.5"})
    assert config.carriers.twilio is not None
    assert (config.carriers.twilio.account_sid, config.carriers.twilio.auth_token) == ("AC1", "x")
    assert config.server.drain_s == 1.5


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("OFFHOOK_SERVER_PROT", "OFFHOOK_SERVER_PORT"),
        ("OFFHOOK_PORT", "OFFHOOK_SERVER_PORT"),
        ("OFFHOOK_CARRIERS_TWILIO_AUTH_TOKN", "OFFHOOK_CARRIERS_TWILIO_AUTH_TOKEN"),
        ("OFFHOOK_LOG", "OFFHOOK_LOG_LEVEL"),
        ("OFFHOOK_SERVER", "OFFHOOK_SERVER_"),
        ("OFFHOOK_BOTS_NAME", "OFFHOOK_"),  # bots are a list, which variables cannot reach
        ("OFFHOOK_", "OFFHOOK_"),
    ],
)
def test_a_misspelt_variable_is_refused_with_the_nearest_right_one(name, nearest):
    with pytest.raises(ConfigError, match=f"no setting '{name}'; did you mean '{nearest}"):
        load(None, {name: "1"})


def test_a_variable_that_cannot_be_is_not_blamed_on_the_file_alone(file):
    with pytest.raises(ConfigError, match=r"offhook\.toml and the environment: .*server\.port"):
        load(file(""), {"OFFHOOK_SERVER_PORT": "eighty"})
    with pytest.raises(ConfigError, match=r"^the environment: server\.port must be"):
        load(None, {"OFFHOOK_SERVER_PORT": "70000"})


@pytest.mark.parametrize("text", ["server = 5\n", "server = []\n"])
def test_a_variable_does_not_reach_into_what_is_no_section(file, text):
    with pytest.raises(ConfigError, match="OFFHOOK_SERVER_PORT is set, but in the file 'server' is a value"):
        load(file(text), {"OFFHOOK_SERVER_PORT": "1"})


def test_variables_that_are_no_settings_are_left_alone():
    left_alone = {"OFFHOOK_CONFIG": "x", "OFFHOOK_REQUIRE_ALL": "1", "OFFHOOK_DATA": "/data", "PATH": "/bin"}
    assert load(None, left_alone) == Config()


TOOLS = """
[[bots]]
name = "a"
fallback_transfer = "sales"
builtin_tools = ["hang_up", "transfer"]
transfers.sales = { number = "+15550003333", description = "offers" }
transfers.pbx = { number = "sip:100@pbx.example.com" }

[[bots.tools]]
name = "order_status"
description = "Looks up an order."
url = "https://shop.example.com/tools/order"
headers = { Authorization = "env:SHOP" }
secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
[bots.tools.parameters]
type = "object"
required = ["id"]
properties.id = { type = "string" }

[[bots.tools]]
name = "branch"
description = "Finds a branch."
python = "shop.tools:branch"
parameters = '{"type":"object"}'
"""


def test_tools_and_transfers_are_read(file):
    bot = load(file(TOOLS), {"SHOP": "Bearer x"}).bots[0]
    order, branch = bot.tools
    assert order.headers == {"Authorization": "Bearer x"}
    assert order.parameters == {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    assert (branch.python, branch.parameters) == ("shop.tools:branch", '{"type":"object"}')
    assert bot.transfers["sales"].number == "+15550003333"
    assert bot.builtin_tools == ("hang_up", "transfer")


def test_a_bot_has_every_built_in_tool_unless_told_otherwise(file):
    bot = load(file("[[bots]]\nname = 'a'\n"), {}).bots[0]
    assert bot.builtin_tools == ("hang_up", "take_message", "lookup_fact", "transfer")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"order_status"', '"order status"', "bot 'a': tool 'order status': name must be 1 to 64"),
        ('"order_status"', '"hang_up"', "tool 'hang_up': name belongs to"),
        ('"order_status"', '"branch"', "tool 'branch': name is used twice"),
        ('"Looks up an order."', '""', "tool 'order_status': description"),
        ('python = "shop.tools:branch"', "", "tool 'branch': give it either url or python"),
        ('python = "shop.tools:branch"', "python = 'a:b'\nurl = 'https://a'", "tool 'branch': give it either"),
        ('"https://shop', '"ftp://shop', "tool 'order_status': url must begin with https://"),
        ("secret = ", "timeout_s = 0\nsecret = ", "tool 'order_status': timeout_s"),
        ("secret = ", "timeout_s = nan\nsecret = ", "tool 'order_status': timeout_s"),
        ("secret = ", "retries = -1\nsecret = ", "tool 'order_status': retries"),
        ("secret = ", "max_response_bytes = 0\nsecret = ", "tool 'order_status': max_response_bytes"),
        ("secret = ", 'headers."a b" = "x"\nsecret = ', "tool 'order_status': headers.a b"),
        ('"env:SHOP"', '"a\\nb: c"', "tool 'order_status': headers.Authorization"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "hunter2", "tool 'order_status': secret must be whsec_"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "tool 'order_status': secret must be whsec_"),
        ("secret = ", "secrte = 'a'\nsecret = ", "did you mean 'secret'"),
        ('fallback_transfer = "sales"', 'fallback_transfer = "boss"', "bot 'a': fallback_transfer must be one of"),
        ('"+15550003333"', '"+1 555 000 3333"', "bot 'a': transfers.sales.number must be like"),
        ('"sip:100@pbx.example.com"', '"sip:pbx.example.com"', "bot 'a': transfers.pbx.number must be like"),
        ('"hang_up", "transfer"', '"hangup"', "hangup"),
        ('{ Authorization = "env:SHOP" }', '{ Authorization = "env:NOWHERE" }', "NOWHERE, which is not set"),
    ],
)
def test_tools_and_transfers_that_cannot_be_are_refused(file, old, new, said):
    text = TOOLS.replace(old, new, 1)
    if new.startswith("headers."):
        text = text.replace('headers = { Authorization = "env:SHOP" }\n', "")
    with pytest.raises(ConfigError) as refused:
        load(file(text), {"SHOP": "Bearer x"})
    assert said in str(refused.value)


def test_what_the_call_log_keeps_of_a_bot_holds_no_secrets(file):
    text = TOOLS.replace("https://shop", "https://user:hunter2@shop").replace("tools/order", "tools/order?key=hunter2")
    mcp = '{ type = "mcp", authorization = "hunter2", headers = { X = "hunter2" }, server_label = "shop" }'
    text += f"[bots.realtime]\nsession = {{ tools = [{mcp}] }}\n"
    bot = load(file(text), {"SHOP": "Bearer hunter2"}).bots[0]
    kept = without_secrets(bot)
    assert "hunter2" in str(bot)
    assert "hunter2" not in str(kept)
    assert "whsec_" not in str(kept)
    assert kept.tools[0].url == "https://shop.example.com/tools/order"
    assert (kept.tools[0].headers, kept.tools[1]) == ({"Authorization": "•••"}, bot.tools[1])
    assert kept.realtime.session["tools"][0]["server_label"] == "shop"
