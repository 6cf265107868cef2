# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Sends files over a REPL: compressed, several to a message, each message bounded."""

import base64
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from muster_harness.errors import DeployError, FilesystemFull, RemoteError
from muster_harness.wire.repl import REPL

Progress = Callable[[int, int], None]  # bytes that have arrived, of how many

_PIECE = 4096  # of a file, at a time: what a small board has room for, twice
_WINDOW_BITS = 12
_TEXT = 6144  # of one message: a REPL compiles it as a whole
_NO_SPACE = re.compile(r"ENOSPC|OSError:.*\b28\b")  # not every build knows its errors' names

# Without `z` what comes is packed wherever the board can unpack it.
PUT = """\
import os,io,binascii
try:
 from deflate import DeflateIO
except ImportError:
 DeflateIO=None
def put(p,o,t,z=DeflateIO is not None):
 t=binascii.a2b_base64(t)
 with open(p,o) as f:f.write(DeflateIO(io.BytesIO(t)).read()if z else t)
print(DeflateIO is not None)
"""


def put_files(repl: REPL, files: Mapping[str, Path]) -> None:
    """Copy files to their places, one after the other; a break leaves some of them there.

    Raises FilesystemFull or DeployError.
    """
    folders = {str(parent) for path in files for parent in PurePosixPath(path).parents}
    try:
        for folder in sorted(folders - {"/"}):
            repl.exec(f"import os\ntry: os.mkdir({folder!r})\nexcept OSError: pass")
        send(repl, {path: file.read_bytes() for path, file in files.items()})
    except RemoteError as e:
        raise refusal(e) from None


def send(repl: REPL, files: Mapping[str, bytes], progress: Progress | None = None) -> None:
    """Write each file anew into a folder that is there. Raises RemoteError as it came."""
    packs = repl.exec(PUT).endswith("True\n")
    total = sum(map(len, files.values()))
    done = 0
    for text, size in _messages(files, packs):
        repl.exec(text)
        done += size
        if progress:
            progress(done, total)


def _messages(files: Mapping[str, bytes], packs: bool) -> Iterator[tuple[str, int]]:
    """Yield statements for one exec each, and how many bytes of files each holds."""
    text, size = "", 0
    for path, data in files.items():
        for mode, piece in pieces(data):
            statement = f"put({path!r},{mode!r},'{as_text(piece, packs)}')\n"
            if text and len(text) + len(statement) > _TEXT:
                yield text, size
                text, size = "", 0
            text += statement
            size += len(piece)
    if text:
        yield text, size


def as_text(piece: bytes, packs: bool) -> str:
    """Return a part of a file as `put` takes it."""
    packed = zlib.compress(piece, 9, _WINDOW_BITS) if packs else piece
    return base64.b64encode(packed).decode()


def pieces(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield a file in parts, each with the mode in which the board opens the file for it."""
    yield "wb", data[:_PIECE]
    for start in range(_PIECE, len(data), _PIECE):
        yield "ab", data[start : start + _PIECE]


def refusal(error: RemoteError) -> DeployError:
    """Translate the board's exception for the person who deploys."""
    last = (str(error).strip().splitlines() or ["an unknown error"])[-1]
    if _NO_SPACE.search(last):
        return full("it was full before all files were there")
    return DeployError(f"the board could not write the files: {last}; reset it and try again")


def full(what: str) -> FilesystemFull:
    """Make the error for a full filesystem: `what` happened, and what to try."""
    return FilesystemFull(
        f"the board's filesystem has no room for the firmware: {what}. The old files are still "
        "in place; remove what the board does not need (mpremote fs ls, mpremote fs rm), try again"
    )
