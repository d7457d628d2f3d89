"""A tool that is a Python function of the operator's, found by its import path when the service starts.

It gets the arguments by keyword, and a `ToolContext` where it has a parameter named `context`. A function that is
`async` is awaited; any other runs in a thread of its own, which nobody can end: when the deadline is over the call goes
on without it. The function may raise `ToolError` itself, with a sentence for the model.
"""

import asyncio
import importlib
import inspect
import threading
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from typing import Any, cast

import structlog

from bot.config import ToolConfig
from bot.errors import ConfigError, ToolError
from bot.tools.spec import ToolContext, ToolSpec, output

log = structlog.get_logger()

MAX_THREADS = 16
"""So many uses of one function at a time, those that were given up but still run included."""


class PythonTool:
    def __init__(self, config: ToolConfig, spec: ToolSpec) -> None:
        """Raises `ConfigError` where there is no such function, or it does not take what the schema describes."""
        self.spec = spec
        self.timeout_s = config.timeout_s
        self._function = _found(config.python)
        self._signature = _signature(self._function, config.python)
        self._is_async = _is_async(self._function)
        self._wants_context = "context" in self._signature.parameters and "context" not in spec.parameters["properties"]
        self._room = threading.Semaphore(MAX_THREADS)
        self._check_fit()

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def run(self, arguments: Mapping[str, Any], context: ToolContext) -> str:
        given = dict(arguments) | ({"context": context} if self._wants_context else {})
        try:
            self._signature.bind(**given)
        except TypeError as exc:
            raise ToolError(f"{self.spec.name} does not take these arguments: {exc}") from exc
        try:
            return output(await self._called(given))
        except ToolError:
            raise
        except Exception as exc:  # whatever the operator's function raises must not end the call
            log.exception("tool_raised", tool=self.spec.name)
            raise ToolError(f"{self.spec.name} failed") from exc

    async def _called(self, given: Mapping[str, Any]) -> Any:
        if self._is_async:
            return await cast(Awaitable[Any], self._function(**given))
        if not self._room.acquire(blocking=False):
            raise ToolError(f"{self.spec.name} is busy")
        return await _in_thread(partial(self._function, **given), self._room.release)

    def _check_fit(self) -> None:
        """Both the fewest and the most arguments that the schema allows must be what the function takes."""
        schema = self.spec.parameters
        always = ["context"] if self._wants_context else []
        for names in (schema.get("required", ()), schema["properties"]):
            try:
                self._signature.bind(**dict.fromkeys([*always, *names]))
            except TypeError as exc:
                raise ConfigError(f"the function does not take what parameters describe: {exc}") from exc


def _found(path: str) -> Callable[..., Any]:
    module_name, colon, name = path.partition(":")
    if not (module_name and colon and name):
        raise ConfigError(f"python is {path!r}; write it as package.module:function")
    try:
        found = importlib.import_module(module_name)
        for part in name.split("."):
            found = getattr(found, part)
    except ImportError as exc:
        raise ConfigError(f"python = {path!r} cannot be imported: {exc} (is its folder in PYTHONPATH?)") from exc
    except AttributeError as exc:
        raise ConfigError(f"python = {path!r}: {exc}") from exc
    if not callable(found):
        raise ConfigError(f"python = {path!r} is no function")
    return found


def _signature(function: Callable[..., Any], path: str) -> inspect.Signature:
    try:
        return inspect.signature(function)
    except ValueError as exc:
        raise ConfigError(f"python = {path!r}: {exc}") from exc


def _is_async(function: Callable[..., Any]) -> bool:
    called = function if inspect.isroutine(function) else type(function).__call__  # an object with `async __call__`
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(called)


async def _in_thread(function: Callable[[], Any], done: Callable[[], None]) -> Any:
    """Like `asyncio.to_thread`, but a function that never returns keeps neither a shared thread nor the process."""
    future: Future[tuple[Any, BaseException | None]] = Future()
    future.set_running_or_notify_cancel()  # from here on it cannot be taken back
    context = copy_context()

    def work() -> None:
        try:
            future.set_result((context.run(function), None))
        except (Exception, SystemExit) as exc:
            future.set_result((None, exc))  # as a value, since no future takes a StopIteration
        finally:
            done()

    threading.Thread(target=work, name="tool", daemon=True).start()
    value, error = await asyncio.wrap_future(future)
    if isinstance(error, SystemExit):
        raise RuntimeError("the function wanted to end the process") from error
    if error is not None:
        raise error
    return value
