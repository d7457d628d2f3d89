import asyncio
import math
import socket

import msgspec
import pytest

from bot.config import Config, ServerConfig
from bot.workers.lifeline import Orders, Report, encode, read_report, receive_orders
from tests.support.tones import tones_config


def test_orders_arrive_as_they_were_given(tmp_path):
    config = msgspec.structs.replace(tones_config(tmp_path), server=ServerConfig(drain_s=math.inf))
    orders = Orders(2, "/tmp/x", "http://127.0.0.1:1", config)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(encode(orders))
        assert receive_orders(theirs) == orders


async def test_a_report_arrives_as_it_was_given():
    reader = asyncio.StreamReader()
    reader.feed_data(encode(Report("no such model")))
    assert await read_report(reader) == Report("no such model")


async def test_the_silence_of_the_dead_is_told_from_a_message():
    ours, theirs = socket.socketpair()
    with theirs:
        ours.sendall(encode(Orders(1, "", "", Config()))[:10])
        ours.close()
        with pytest.raises(EOFError):
            receive_orders(theirs)
    reader = asyncio.StreamReader()
    reader.feed_eof()
    with pytest.raises(EOFError):
        await read_report(reader)
