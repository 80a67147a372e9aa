"""Log lines of the faces: one line a record on stderr, as text or as JSON.

The library's records never hold a body or a secret, so neither do these lines.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from typed_pubsub.texts import printable

LEVELS = ("debug", "info", "warning", "error", "critical")
FORMATS = ("text", "json")

#: The environment's names of the options that every face has.
LOG_LEVEL_ENV = "TYPED_PUBSUB_LOG_LEVEL"
LOG_FORMAT_ENV = "TYPED_PUBSUB_LOG_FORMAT"

DEFAULT_LEVEL = "info"
DEFAULT_FORMAT = "text"

# What these say at debug is about frames, not events; a handler that speaks at debug shall still be heard.
_CHATTY = ("amqp", "kombu", "celery")

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


def configure_logging(level: str | None, log_format: str | None, number: int | None = None) -> str | None:
    """Sets up logging for a process that is a subscriber; gives the format, or None: the service's own.

    A service that has set up logging itself (the root logger has handlers) keeps its handlers and levels, but for what
    is given here; None is the default only where it has not. The ``number`` of a process among several is
    ``process_number`` of each of its records, whoever writes them.
    """
    if number is not None:
        _number_records(number)
    root = logging.getLogger()
    own = bool(root.handlers)
    if log_format is not None or not own:
        handler = logging.StreamHandler()
        handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
        root.handlers[:] = [handler]
        logging.captureWarnings(capture=True)
    if level is not None or not own:
        least = logging.getLevelNamesMapping()[(level or DEFAULT_LEVEL).upper()]
        root.setLevel(least)
        logging.getLogger("typed_pubsub").setLevel(least)
        for name in _CHATTY:
            logging.getLogger(name).setLevel(max(least, logging.INFO))
    return None if log_format is None and own else log_format or DEFAULT_FORMAT


def _number_records(number: int) -> None:
    make = logging.getLogRecordFactory()

    def numbered(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        record.process_number = number
        return record

    logging.setLogRecordFactory(numbered)


class TextFormatter(logging.Formatter):
    """Time, level, logger and message on one line; a traceback, if any, below it. Of several processes the number."""

    def __init__(self) -> None:
        """The one format there is."""
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # the name is logging's
        """The line without its traceback."""
        number = getattr(record, "process_number", None)
        line = printable(_one_line(record), keep="\t")
        record.message = line if number is None else f"[{number}] {line}"
        return super().formatMessage(record)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: ``time``, ``level``, ``logger``, ``message``, ``exception``, and the record's extras."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _one_line(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        extra = {name: value for name, value in vars(record).items() if name not in _STANDARD and name not in line}
        return json.dumps({**line, **extra}, default=str)


def _one_line(record: logging.LogRecord) -> str:
    text = record.getMessage()
    if record.name == "py.warnings":
        # The line of code that the warning was raised for says nothing that its place does not.
        text = text.partition("\n")[0]
    return text.replace("\n", " ")
