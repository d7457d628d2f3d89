"""The `offhook` command. Each subcommand reads its options, does one thing, and says in a sentence what went wrong."""

import os
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from bot import logs
from bot.analysis.cli import transcribe
from bot.calllog.cli import app as calls_app
from bot.config import load
from bot.doctor.cli import doctor
from bot.errors import BotError
from bot.local.cli import local
from bot.rehearsal.cli import call, demo
from bot.review.cli import password
from bot.serving import completed, run, serve
from bot.workers.foreman import serve_with_workers

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
app.command("doctor")(doctor)
app.command("local")(local)
app.command("transcribe")(transcribe)
app.command("password")(password)

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", metavar="FILE", envvar="OFFHOOK_CONFIG", help="The TOML file; none: defaults."),
]


@app.command("serve")
def serve_command(
    config: ConfigFile = None,
    workers: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, max=256, help="Processes that share the port; default: server.workers."),
    ] = None,
) -> None:
    """Answer calls until SIGTERM."""
    settings = load(config, os.environ)
    if workers is not None:
        settings = msgspec.structs.replace(settings, server=msgspec.structs.replace(settings.server, workers=workers))
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
    run(serve(complete) if complete.server.workers == 1 else serve_with_workers(complete))


def main() -> None:
    """The command's entry point: an error made on purpose is a sentence and exit code 1, not a trace."""
    try:
        app()
    except BotError as exc:
        Console(stderr=True).print(f"[bold red]offhook:[/] {escape(str(exc))}", highlight=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
