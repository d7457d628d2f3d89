"""Which models' names the local server answers to, and its refusals of those it does not.

Programs come with the names of OpenAI's models; the local models stand in for every one that OpenAI's table has, also
for those that OpenAI has switched off. A name of our own model takes whatever our model can do.
"""

from pathlib import PurePath

from bot.local.errors import RequestError
from bot.speech.model_table import Use, lookup
from bot.speech.requests import Problem


def check(problem: Problem | None) -> None:
    """Raises `RequestError` for a request that is not allowed."""
    if problem is not None:
        raise RequestError(problem.message, problem.param, problem.code)


def check_model(name: str, use: Use, own: str) -> None:
    """Raises `RequestError` unless `name` is one of OpenAI's for this use, or of the local model `own`."""
    if is_own(name, own):
        return
    model = lookup(name)
    if model is None:
        raise RequestError(
            f"The model `{name}` does not exist or you do not have access to it.", "model", "model_not_found", 404
        )
    if use not in model.uses:
        raise RequestError(f"The model '{name}' is not supported for {use.value}.", "model", "unsupported_value")


def is_own(name: str, own: str) -> bool:
    """Whether `name` means the local model: as configured, with `local:`, or by a path's last part."""
    return name.removeprefix("local:") in (own, PurePath(own).name, short_name(own))


def short_name(own: str) -> str:
    """What a local model is called where its path is nobody's business: the folder's or the voice's own name."""
    return PurePath(own.removeprefix("local:")).name.removesuffix(".onnx")
