"""How log lines look. What goes into them is decided where they are written: events, never frames, names or words."""

import logging
import sys

import structlog
from structlog.stdlib import ProcessorFormatter

from bot.config import LogConfig

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure(config: LogConfig) -> None:
    """Send our own lines, and warnings of libraries, to standard error."""
    is_json = config.format == "json"
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if is_json
        # A plain traceback: the default one prints local variables, and with them numbers, tokens and callers' words.
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), pad_event_to=24, exception_formatter=structlog.dev.plain_traceback
        )
    )
    gathering: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    rendering: list[structlog.types.Processor] = [renderer]
    if is_json:
        rendering.insert(0, structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*gathering, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[config.level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *gathering],
            processors=[ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    logging.basicConfig(level=max(logging.WARNING, _LEVELS[config.level]), handlers=[libraries])
