# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Log lines as JSON, one object each, with the id of the request."""

import json
import logging
from datetime import UTC, datetime
from typing import Any

from muster_server import request_id


class JsonFormatter(logging.Formatter):
    """Writes at, level, logger, message, and what a record carries as `facts`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        own = request_id.current()
        if own is not None:
            line["request"] = own
        line |= getattr(record, "facts", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)
