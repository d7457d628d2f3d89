"""`offhook password`: makes the hash that stands in the configuration for a password."""

import typer

from bot.errors import ConfigError
from bot.review.passwords import MIN_CHARS, hash_password, problem_of

_PROBLEMS = {
    "too_short": f"at least {MIN_CHARS} characters, please; several words are good",
    "too_long": "that is too long",
    "too_simple": "that is too easy to guess",
    "differ": "the two passwords are not the same",
}


def password() -> None:
    """Read a password twice and print its hash, for review.admin_password_hash or review.viewer_password_hash."""
    text = typer.prompt("Password", hide_input=True, err=True)
    again = typer.prompt("The same again", hide_input=True, err=True)
    if problem := problem_of(text, again, ""):
        raise ConfigError(_PROBLEMS[problem])
    typer.echo(hash_password(text))
