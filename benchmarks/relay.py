"""The least a Python process can do between a telephone call and a realtime model: the reference for bridge.py.

One aiohttp WebSocket to the carrier, one `websockets` client to the model, mu-law passed through in base64 as it is,
a clear when the caller speaks. It checks no signature and truncates, records, logs and counts nothing.

    python benchmarks/relay.py http://127.0.0.1:9000/v1
"""

import asyncio
import sys

import msgspec
import uvloop
from aiohttp import web
from websockets.asyncio.client import ClientConnection, connect

SESSION_UPDATE = msgspec.json.encode(
    {
        "type": "session.update",
        "session": {
            "type": "realtime",
            "audio": {
                "input": {
                    "format": {"type": "audio/pcmu"},
                    "turn_detection": {"type": "server_vad", "silence_duration_ms": 200},
                },
                "output": {"format": {"type": "audio/pcmu"}, "voice": "marin"},
            },
        },
    }
).decode()


class Media(msgspec.Struct):
    payload: str


class Start(msgspec.Struct):
    stream_sid: str = msgspec.field(name="streamSid")


class CarrierMessage(msgspec.Struct):
    event: str
    media: Media | None = None
    start: Start | None = None


class ModelEvent(msgspec.Struct):
    type: str
    delta: str = ""


read_carrier = msgspec.json.Decoder(CarrierMessage).decode
read_model = msgspec.json.Decoder(ModelEvent).decode


class Relay:
    def __init__(self, model_url: str) -> None:
        self._model_url = model_url

    async def voice(self, request: web.Request) -> web.Response:
        twiml = f'<Response><Connect><Stream url="ws://{request.host}/media"/></Connect></Response>'
        return web.Response(text=twiml, content_type="text/xml")

    async def media(self, request: web.Request) -> web.WebSocketResponse:
        carrier = web.WebSocketResponse()
        await carrier.prepare(request)
        async with connect(self._model_url, compression=None) as model:
            await model.recv()  # session.created
            await model.send(SESSION_UPDATE)
            await model.recv()  # session.updated
            await self._carry(carrier, model)
        return carrier

    async def _carry(self, carrier: web.WebSocketResponse, model: ClientConnection) -> None:
        down = None
        async for frame in carrier:
            message = read_carrier(frame.data)
            if message.media is not None:
                await model.send(f'{{"type":"input_audio_buffer.append","audio":"{message.media.payload}"}}')
            elif message.start is not None:
                down = asyncio.create_task(self._speak(carrier, model, message.start.stream_sid))
        if down is not None:
            down.cancel()

    async def _speak(self, carrier: web.WebSocketResponse, model: ClientConnection, stream_sid: str) -> None:
        before = f'{{"event":"media","streamSid":"{stream_sid}","media":{{"payload":"'
        clear = f'{{"event":"clear","streamSid":"{stream_sid}"}}'
        async for frame in model:
            event = read_model(frame)
            if event.type == "response.output_audio.delta":
                await carrier.send_str(f'{before}{event.delta}"}}}}')
            elif event.type == "input_audio_buffer.speech_started":
                await carrier.send_str(clear)


async def main(base_url: str) -> None:
    relay = Relay(f"ws{base_url.removeprefix('http')}/realtime?model=tones")
    app = web.Application()
    app.router.add_post("/twilio/voice", relay.voice)
    app.router.add_get("/media", relay.media)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
