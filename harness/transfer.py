# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Puts a tree of files onto a board so that it never runs half of them.

Changed files go to a folder of their own, are compared there, and take their places in one go,
which the board does alone: it needs no cable for that, and if its power fails in the middle, it
goes on at the next start. Until then the old files are untouched.
"""

import base64
import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from harness.errors import DeployError, FilesystemFull, RemoteError
from harness.repl import REPL

_STAGE = "/.muster-new"
_PIECE = 2048  # of a file, at a time: what a small board has room for, twice
_WINDOW_BITS = 11
_FACTS = "/muster.json"
_NO_SPACE = re.compile(r"ENOSPC|OSError:.*\b28\b")  # not every build knows its errors' names
_MOMENT = "built"  # of the facts, and no reason to write them anew

# On the board: what is there, what arrives, and how much room there is.
_TOOLS = """\
import os, io, hashlib, binascii
try:
    import deflate
except ImportError:
    deflate = None
def digest(path):
    h = hashlib.sha256()
    b = bytearray(512)
    m = memoryview(b)
    with open(path, "rb") as f:
        while True:
            n = f.readinto(b)
            if not n:
                return binascii.hexlify(h.digest()).decode()
            h.update(m[:n])
def walk(path):
    try:
        is_folder = os.stat(path)[0] & 0x4000
    except OSError:
        return
    if is_folder:
        for name in os.listdir(path):
            walk(path + "/" + name)
    else:
        print(digest(path), path)
def clear(path):
    try:
        for name in os.listdir(path):
            os.remove(path + "/" + name)
        os.rmdir(path)
    except OSError:
        pass
def put(path, mode, text):
    data = binascii.a2b_base64(text)
    if deflate:
        data = deflate.DeflateIO(io.BytesIO(data), deflate.ZLIB).read()
    with open(path, mode) as f:
        f.write(data)
"""

# The main.py of a board whose files are being exchanged. The last path is the real main.py.
_EXCHANGE = """\
# muster-unit wrote this while it exchanged the board's files. It goes on where it was cut off.
import os
stage = {stage!r}
paths = {paths!r}
gone = {gone!r}
def stat(path):
    try:
        return os.stat(path)
    except OSError:
        return None
def exchange():
    for path in gone:
        if stat(path):
            os.remove(path)
    for number, path in enumerate(paths):
        new = "%s/%d" % (stage, number)
        if stat(new):
            at = path.find("/", 1)
            while at > 0:
                if not stat(path[:at]):
                    os.mkdir(path[:at])
                at = path.find("/", at + 1)
            os.rename(new, path)
        elif not stat(path) or number == len(paths) - 1:
            print("M 0 E deploy", path, "is missing: run muster-unit deploy again")
            return False
    os.rmdir(stage)
    return True
if exchange() and not globals().get("is_deploying"):
    import machine
    machine.reset()
"""


@dataclass(frozen=True)
class Transfer:
    """What was done: paths on the board, e.g. "/lib/muster/log.mpy"."""

    sent: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]


def put_tree(repl: REPL, tree: Path, owned: Iterable[str]) -> Transfer:
    """Make the board's files those of `tree`; other files below the `owned` folders are removed.

    The tree has a main.py. Raises FilesystemFull or DeployError, and then the board still has
    its old files, or finishes the exchange at its next start.
    """
    wanted = {f"/{path.relative_to(tree)}": path for path in _files(tree)}
    repl.exec(_TOOLS)
    there = _there(repl, [*owned, *wanted])
    changed = [path for path in wanted if there.get(path) != _digest(wanted[path])]
    removed = tuple(path for path in there if path not in wanted)
    if not removed and not _matters(repl, changed, wanted):
        return Transfer((), (), tuple(wanted))
    # main.py stands in for all while they are exchanged, so it always comes anew, and last.
    changed = [path for path in changed if path != "/main.py"] + ["/main.py"]
    try:
        _stage(repl, [wanted[path] for path in changed])
        _compare(repl, changed, wanted)
        _exchange(repl, changed, removed)
    except RemoteError as e:
        raise _give_up(repl, e) from None
    after = _there(repl, [*owned, *wanted])
    missing = [path for path in wanted if after.get(path) != _digest(wanted[path])]
    if missing:
        raise DeployError(f"{', '.join(missing)} did not take its place; deploy once more")
    return Transfer(tuple(changed), removed, tuple(p for p in wanted if p not in changed))


def _there(repl: REPL, paths: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    folders = [path for path in paths if "." not in path.rpartition("/")[2]]
    outside = [p for p in paths if not any(p == f or p.startswith(f + "/") for f in folders)]
    for path in [*folders, *outside]:
        for line in repl.exec(f"walk({path!r})").splitlines():
            digest, _, name = line.partition(" ")
            found[name] = digest
    return found


def _matters(repl: REPL, changed: list[str], wanted: dict[str, Path]) -> bool:
    if changed != [_FACTS]:
        return bool(changed)
    ours = json.loads(wanted[_FACTS].read_text())
    try:
        theirs = json.loads(repl.exec(f"try: print(open({_FACTS!r}).read())\nexcept OSError: 0"))
    except ValueError:
        return True
    return not isinstance(theirs, dict) or ours | {_MOMENT: 0} != theirs | {_MOMENT: 0}


def put_files(repl: REPL, files: dict[str, Path]) -> None:
    """Copy files to where they belong, one after the other; a break leaves some of them.

    Raises FilesystemFull or DeployError.
    """
    repl.exec(_TOOLS)
    folders = {str(parent) for path in files for parent in PurePosixPath(path).parents}
    try:
        for folder in sorted(folders - {"/"}):
            repl.exec(f"try: os.mkdir({folder!r})\nexcept OSError: pass")
        _send(repl, files)
    except RemoteError as e:
        raise _refusal(e) from None


def _stage(repl: REPL, files: list[Path]) -> None:
    repl.exec(f"clear({_STAGE!r})")
    size = sum(file.stat().st_size for file in files)
    free = int(repl.exec("s = os.statvfs('/'); print(s[0] * s[3])"))
    if size > free:
        raise FilesystemFull(_full(f"{size} bytes are needed and {free} are free"))
    repl.exec(f"os.mkdir({_STAGE!r})")
    _send(repl, {f"{_STAGE}/{number}": file for number, file in enumerate(files)})


def _send(repl: REPL, files: dict[str, Path]) -> None:
    has_deflate = bool(repl.eval("deflate is not None"))
    statements: list[str] = []
    taken = 0
    for path, file in files.items():
        for mode, piece in _pieces(file.read_bytes()):
            if taken + len(piece) > _PIECE:
                repl.exec("\n".join(statements))
                statements, taken = [], 0
            packed = zlib.compress(piece, 9, _WINDOW_BITS) if has_deflate else piece
            text = base64.b64encode(packed).decode()
            statements.append(f"put({path!r}, '{mode}', '{text}')")
            taken += len(piece)
    repl.exec("\n".join(statements))


def _pieces(data: bytes) -> Iterator[tuple[str, bytes]]:
    yield "wb", data[:_PIECE]
    for start in range(_PIECE, len(data), _PIECE):
        yield "ab", data[start : start + _PIECE]


def _compare(repl: REPL, changed: list[str], wanted: dict[str, Path]) -> None:
    staged = _there(repl, [_STAGE + "/"])
    wrong = [
        path
        for number, path in enumerate(changed)
        if staged.get(f"{_STAGE}//{number}") != _digest(wanted[path])
    ]
    if wrong:
        repl.exec(f"clear({_STAGE!r})")
        raise DeployError(
            f"{', '.join(wrong)} arrived otherwise than sent, and the old files stay; deploy once "
            "more, and if that does not help the cable or the flash may be worn out"
        )


def _exchange(repl: REPL, changed: list[str], removed: tuple[str, ...]) -> None:
    code = _EXCHANGE.format(stage=_STAGE, paths=changed, gone=list(removed))
    repl.exec(f"f = open('{_STAGE}/main', 'w')")
    for start in range(0, len(code), _PIECE // 2):
        repl.exec(f"f.write({code[start : start + _PIECE // 2]!r})")
    repl.exec(f"f.close(); os.rename('{_STAGE}/main', '/main.py')")
    # From here on the board finishes what is begun, now or at its next start.
    said = repl.exec("exec(open('/main.py').read(), {'is_deploying': True})")
    if said:
        raise DeployError(said.strip())


def _give_up(repl: REPL, error: RemoteError) -> DeployError:
    repl.exec("try: f.close()\nexcept NameError: pass")
    repl.exec(f"clear({_STAGE!r})")
    return _refusal(error)


def _refusal(error: RemoteError) -> DeployError:
    last = str(error).strip().splitlines()[-1]
    if _NO_SPACE.search(last):
        return FilesystemFull(_full("it was full before all files were there"))
    return DeployError(f"the board could not write the files: {last}; reset it and try again")


def _full(what: str) -> str:
    return (
        f"the board's filesystem has no room for the firmware: {what}. The old files are still "
        "in place; remove what the board does not need (mpremote fs ls, mpremote fs rm), try again"
    )


def _files(tree: Path) -> list[Path]:
    return sorted(path for path in tree.rglob("*") if path.is_file())


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
