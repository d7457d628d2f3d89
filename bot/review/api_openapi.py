"""The OpenAPI 3.1 description of the JSON API, made of what the endpoints declare."""

import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

import msgspec
from aiohttp import web

from bot.review import api_bots, api_calls, api_reviews, api_statistics, api_words
from bot.review.api import Endpoint, json_answer
from bot.review.roles import Needs
from bot.review.routes import Route

PATH = "/api/openapi.json"
ENDPOINTS: Sequence[Endpoint] = (
    *api_calls.ENDPOINTS,
    *api_reviews.ENDPOINTS,
    *api_bots.ENDPOINTS,
    *api_statistics.ENDPOINTS,
    *api_words.ENDPOINTS,
)
_ALWAYS = (400, 401, 403, 429, 503)
_REFERENCE = "#/components/schemas/{name}"
_IN_PATH = re.compile(r"\{(\w+)\}")
_PATH_TYPES: dict[str, dict[str, Any]] = {
    "call_id": {"type": "string", "minLength": 1, "maxLength": 256},
    "tag": {"type": "string", "minLength": 1, "maxLength": 64},
    "message_id": {"type": "integer", "minimum": 1, "maximum": 10**18 - 1},
}


class ErrorSaid(msgspec.Struct, frozen=True):
    code: str
    message: str
    request_id: str


class Problem(msgspec.Struct, frozen=True):
    """What went wrong: `code` for programs, `message` for people, `request_id` for finding it in the log."""

    error: ErrorSaid


def description() -> dict[str, Any]:
    """The whole document."""
    types = [Problem, *(kind for endpoint in ENDPOINTS for kind in (endpoint.body, endpoint.answer) if kind)]
    _, schemas = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Offhook",
            "version": version("offhook"),
            "description": "Calls, what was said in them, and what reviewers say of them. Make a token on the page "
            "“API tokens” and send it as Authorization: Bearer offhook_….",
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": endpoint.summary,
        "operationId": endpoint.handler.__name__,
        "description": "For admins." if endpoint.needs is Needs.ADMIN else "For admins and viewers.",
        "parameters": [*_path_parameters(endpoint.path), *_query_parameters(endpoint.query)],
        "responses": _responses(endpoint),
    }
    if endpoint.body is not None:
        operation["requestBody"] = {"required": True, "content": _json(endpoint.body)}
    return operation


def _path_parameters(path: str) -> Iterator[dict[str, Any]]:
    for name in _IN_PATH.findall(path):
        yield {"name": name, "in": "path", "required": True, "schema": _PATH_TYPES[name]}


def _query_parameters(query: type[msgspec.Struct]) -> Iterator[dict[str, Any]]:
    _, schemas = msgspec.json.schema_components([query], ref_template=_REFERENCE)
    schema = schemas[query.__name__]
    for name, kind in schema["properties"].items():
        yield {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": _given(kind)}


def _given(schema: dict[str, Any]) -> dict[str, Any]:
    """A query has no null (what may be null may be left out), and all choices in it are text."""
    schema = {key: value for key, value in schema.items() if key != "default" or value is not None}
    if choices := [choice for choice in schema.pop("anyOf", ()) if choice.get("type") != "null"]:
        schema |= choices[0]
    if "enum" in schema:
        schema = {"type": "string"} | schema | {"enum": [value for value in schema["enum"] if value is not None]}
    return schema


def _responses(endpoint: Endpoint) -> dict[str, Any]:
    problems = sorted({*_ALWAYS, *endpoint.problems})
    return {**_success(endpoint), **{str(status): _problem(status) for status in problems}}


def _success(endpoint: Endpoint) -> dict[str, Any]:
    if endpoint.answer is not None:
        return {"200": {"description": "OK", "content": _json(endpoint.answer)}}
    if endpoint.files:
        return {
            "200": {"description": "OK", "content": {kind: {"schema": {"type": "string"}} for kind in endpoint.files}}
        }
    return {"204": {"description": "Done"}}


def _problem(status: int) -> dict[str, Any]:
    return {"description": HTTPStatus(status).phrase, "content": _json(Problem)}


def _json(kind: Any) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REFERENCE.format(name=kind.__name__)}}}


async def get_description(_: web.Request) -> web.Response:
    return json_answer(description())


ROUTES = [Route("GET", PATH, get_description, Needs.VIEWER)]
