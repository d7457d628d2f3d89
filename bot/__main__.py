"""The `offhook` command. Each subcommand reads its options, does one thing, and says in a sentence what went wrong."""

import asyncio
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from bot import logs
from bot.calllog.cli import app as calls_app
from bot.config import load
from bot.errors import BotError
from bot.rehearsal.cli import call, demo
from bot.serving import completed, serve

app = typer.Typer(
    name="offhook",
    help="A voice that answers telephone calls.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(calls_app)
app.command("call")(call)
app.command("demo")(demo)

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", envvar="OFFHOOK_CONFIG", help="The TOML file; none: defaults."),
]


@app.command("serve")
def serve_command(config: ConfigFile = None) -> None:
    """Answer calls until SIGTERM."""
    settings = load(config, os.environ)
    logs.configure(settings.log)
    complete = completed(settings)
    if settings.carriers.twilio is None and complete.carriers.twilio is not None:
        token = complete.carriers.twilio.auth_token
        Console(stderr=True).print(
            "No carrier is configured, so only rehearsals can call. When it listens, try from another terminal:\n"
            f"  offhook call --server http://{complete.server.host}:{complete.server.port} --auth-token {token} "
            '--say "When are you open?"',
            highlight=False,
            soft_wrap=True,
        )
    run(serve(complete))


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run on uvloop where there is one."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(work)
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work)


def main() -> None:
    """The command's entry point: an error made on purpose is a sentence and exit code 1, not a trace."""
    try:
        app()
    except BotError as exc:
        Console(stderr=True).print(f"[bold red]offhook:[/] {escape(str(exc))}", highlight=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
