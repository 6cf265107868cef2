# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Checks an application's settings against its profile's JSON Schema, in a process of its own.

That process has bounds of time and memory, so no schema stops the server; one at a time runs.
"""

import json
import subprocess
import sys
import threading
from typing import Any

from muster_server.config_server.schema_process import CPU_S, INSTANCE
from muster_server.document import compact_json, typed, wrong
from muster_server.errors import Unavailable

LARGEST_BYTES = 64 * 1024
# On a machine that is busy the same work takes longer.
_WALL_S = 20.0
_BUSY_RETRY_S = 5
_MODULE = "muster_server.config_server.schema_process"

_place = threading.Lock()


def check_app(app: object, schema: object) -> None:
    """Check `app` of a profile against its `app_schema`.

    Raises Invalid with the path of what is wrong, in either of them, or Unavailable while others
    are being checked.
    """
    typed(schema, dict[str, Any], "app_schema")
    size = len(compact_json(schema).encode("utf-8", "surrogatepass"))
    if size > LARGEST_BYTES:
        raise wrong("app_schema", f"at most {LARGEST_BYTES} bytes are read, and it has {size}")
    found = _judged(json.dumps({"schema": schema, "instance": app}))
    if found is not None:
        name = "app" if found["of"] == INSTANCE else "app_schema"
        raise wrong(f"{name}{_path(found['path'])}", found["detail"])


def _judged(document: str) -> dict[str, Any] | None:
    if not _place.acquire(timeout=_WALL_S):
        raise Unavailable("other profiles are being checked", retry_s=_BUSY_RETRY_S)
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-m", _MODULE],
            input=document.encode(),
            capture_output=True,
            timeout=_WALL_S,
            env={},  # keys and tokens may be in this process's
            check=True,
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        raise wrong(
            "app_schema",
            f"takes more than {CPU_S} s, or too much memory, to check; look for patterns that "
            "repeat a repetition, such as (a+)+, and for references that multiply",
        ) from None
    finally:
        _place.release()
    judgement: dict[str, Any] | None = json.loads(done.stdout)
    return judgement


def _path(parts: list[Any]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
