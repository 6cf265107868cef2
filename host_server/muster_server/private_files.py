# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Files that only their owner can read, written whole or not at all."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from muster_server.errors import SettingsError

FOR_ALL = 0o644  # of what is no secret
_FOR_OWNER = 0o600


@contextmanager
def named(option: str, path: Path) -> Iterator[None]:
    """Raise SettingsError, naming option and path, for what the system refuses in the block."""
    try:
        yield
    except (FileExistsError, NotADirectoryError) as error:
        raise SettingsError(f"{option}: {path}: wanted a folder, and a file is there") from error
    except OSError as error:
        raise SettingsError(f"{option}: {path}: {error.strerror}") from error


def check_place(path: Path) -> None:
    """OSError if no such file could be written; nothing is left behind."""
    if path.exists() and not path.is_file():
        raise OSError(0, "wanted a file, and something else is there")
    _draft(path, b"", _FOR_OWNER).unlink()


def write_private(path: Path, content: bytes, mode: int = _FOR_OWNER) -> None:
    """In place of a former file of this name, whoever could read that one."""
    draft = _draft(path, content, mode)
    try:
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def write_once(path: Path, text: str) -> bool:
    """A file with one line; False, and nothing done, if it is there."""
    draft = _draft(path, text.encode() + b"\n", _FOR_OWNER)
    try:
        # A link is exclusive and atomic: whoever comes second finds the whole text.
        path.hardlink_to(draft)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def read_private(path: Path) -> str:
    """The text of a file that nobody else may read; SettingsError if others can, or if it is not
    text, OSError if it cannot be read.
    """
    if path.stat().st_mode & 0o077:
        raise SettingsError(f"{path} can be read by others; try: chmod 600 {path}")
    try:
        return path.read_text("utf-8").strip()
    except UnicodeDecodeError:
        raise SettingsError(f"{path} is not text in UTF-8") from None


def _draft(path: Path, content: bytes, mode: int) -> Path:
    """The content on the disk, beside the place where it is to be."""
    draft = path.with_name(f".muster-{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        draft.unlink()
        raise
    return draft
