import socket

import pytest

from bot.carrier.twilio import TwilioCarrier
from bot.config import Config, ServerConfig
from bot.errors import ConfigError
from bot.serving import completed, running


def test_without_bots_the_sample_business_answers_every_number():
    config = completed(Config())
    bot = config.bot_for("+15550002222")
    assert bot is not None
    assert len(bot.facts) > 10


def test_without_a_carrier_only_this_runs_own_token_can_call_and_no_api_is_asked():
    first, second = completed(Config()).carriers.twilio, completed(Config()).carriers.twilio
    assert first is not None
    assert second is not None
    assert first.auth_token != second.auth_token
    carrier = TwilioCarrier(first.account_sid, (first.auth_token,), "http://127.0.0.1:1", first.api_base)
    assert carrier.hang_up("CA1") is None


async def test_a_port_in_use_is_named_before_anything_is_loaded():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}.*server.port"):
            async with running(completed(Config(server=ServerConfig(port=port)))):
                pass
