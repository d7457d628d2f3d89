"""GET /v1/models and /v1/models/{id}: the names of OpenAI's that the local models stand in for, and their own."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from aiohttp import web

from bot.local.errors import RequestError
from bot.speech.model_table import MODELS, lookup

_CREATED = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp())  # the table does not know; programs want a number


class ModelsApi:
    def __init__(self, own: Sequence[str]) -> None:
        """`own` are the names of the local models themselves."""
        self._own = tuple(own)

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/v1/models", self.list)
        app.router.add_get("/v1/models/{model:.+}", self.show)

    async def list(self, _: web.Request) -> web.Response:
        models = [_model(name, None) for name in self._own]
        models += [_model(model.name, model.shutdown) for model in MODELS.values()]
        return web.json_response({"object": "list", "data": models})

    async def show(self, request: web.Request) -> web.Response:
        """Raises `RequestError` (404) for a name that stands for nothing here."""
        name = request.match_info["model"]
        if name in self._own:
            return web.json_response(_model(name, None))
        if (model := lookup(name)) is None:
            raise RequestError(f"The model '{name}' does not exist", "model", "model_not_found", 404)
        return web.json_response(_model(name, model.shutdown))


def _model(name: str, shutdown: date | None) -> dict[str, Any]:
    end = {} if shutdown is None else {"shutdown_date": shutdown.isoformat()}
    return {"id": name, "object": "model", "created": _CREATED, "owned_by": "offhook", **end}
