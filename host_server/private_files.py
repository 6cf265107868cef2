# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Files that only their owner can read, written whole or not at all."""

import os
import secrets
from pathlib import Path


def check_place(path: Path) -> None:
    """OSError if no such file could be written; nothing is left behind."""
    if path.exists() and not path.is_file():
        raise OSError(0, "wanted a file, and something else is there")
    draft, descriptor = _draft(path)
    os.close(descriptor)
    draft.unlink()


def write_private(path: Path, content: bytes) -> None:
    """In place of a former file of this name, whoever could read that one."""
    draft, descriptor = _draft(path)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _draft(path: Path) -> tuple[Path, int]:
    draft = path.with_name(f".muster-{secrets.token_hex(8)}")
    return draft, os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
