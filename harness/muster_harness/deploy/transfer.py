# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Puts a tree of files onto a board so that it never runs half of them.

Changed files go to a folder of their own, are compared there, and take their places in one go. The
board does that alone: it needs no cable for it, and after a power cut in the middle it goes on at
its next start. Until then the old files are untouched. A file that arrived before a cable was
pulled is not sent again.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from muster_harness.deploy.inventory import (
    FACTS,
    LIST,
    MARK,
    STAGE,
    Inventory,
    differences,
    digest,
    digests,
    listing,
    look,
)
from muster_harness.deploy.sending import Progress, full, refusal, send
from muster_harness.errors import DeployError, FilesystemFull, ForeignFiles, RemoteError
from muster_harness.wire.repl import REPL

Agree = Callable[[list[str]], bool]  # may these files of somebody else be replaced or removed?

# The main.py of a board whose files are being exchanged. The last path is the real main.py.
EXCHANGE = """\
{mark} It goes on where it was cut off.
import os
stage = {stage!r}
files = {files!r}
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
        try:
            while path.count("/") > 1:
                path = path[:path.rfind("/")]
                os.rmdir(path)
        except OSError:
            pass  # other files are there
    for new, path in files:
        new = stage + "/" + new
        if stat(new):
            at = path.find("/", 1)
            while at > 0:
                if not stat(path[:at]):
                    os.mkdir(path[:at])
                at = path.find("/", at + 1)
            os.rename(new, path)
        elif not stat(path) or path == "/main.py":
            print("M 0 E deploy", path, "is missing: run muster-unit deploy again")
            return False
    for name in os.listdir(stage):
        os.remove(stage + "/" + name)
    os.rmdir(stage)
    return True
if exchange() and not globals().get("is_deploying"):
    import machine
    machine.reset()
"""
_SCRIPT = STAGE + "/main"
_LIB = "/lib/"
_MUSTER = "/lib/muster/"
STAGED = """\
def staged():
 for n in os.listdir({stage!r}):
  p={stage!r}+"/"+n
  d=n[:16]
  if d!=digest(p,hashlib.sha256()).replace("/","_"):os.remove(p)
  else:print(n)
try:os.mkdir({stage!r})
except OSError:pass
staged()
s=os.statvfs("/")
print(s[0]*s[3])
"""


@dataclass(frozen=True)
class Transfer:
    """The result of a transfer: paths on the board, e.g. "/lib/muster/log.mpy"."""

    sent: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]


def put_tree(
    repl: REPL,
    tree: Path,
    agree: Agree | None = None,
    progress: Progress | None = None,
) -> Transfer:
    """Make the board's files those of `tree`, which has a main.py.

    Files that an earlier deployment put there, and this one does not want, are removed. Of files
    that somebody else put there only those in the way are touched, and only if `agree` says so.

    Raises ForeignFiles, FilesystemFull or DeployError; then the board still has its old files, or
    finishes the exchange at its next start.
    """
    wanted = files_of(tree)
    return update(repl, wanted, examine(repl, wanted), agree, progress)


def files_of(tree: Path) -> dict[str, Path]:
    """Return the files of a tree by the paths that they shall have on the board."""
    files = sorted(path for path in tree.rglob("*") if path.is_file())
    return {f"/{path.relative_to(tree)}": path for path in files}


def examine(repl: REPL, wanted: Mapping[str, Path]) -> Inventory:
    """Look at the board: its type, the wanted files, files in their way, and files put there
    before."""
    roots = roots_of(wanted)
    all_digests = digests(wanted)
    all_digests[LIST] = digest(listing(digests(wanted)).encode())
    seen = look(repl, roots, all_digests)
    if seen.is_exchanging:
        _run_exchange(repl, must_succeed=False)
        seen = look(repl, roots, all_digests)
    return seen


def roots_of(wanted: Iterable[str]) -> list[str]:
    """Return the files and folders to look at: those of the modules, and what would hide them."""
    modules = _module_roots(wanted)
    return [*modules, *(path for root in modules for path in _shadows(root))]


def hiding(paths: Iterable[str]) -> set[str]:
    """Return the files and folders that the interpreter would find before these, or beside."""
    paths = set(paths)
    found = {path for root in _module_roots(paths) for path in _shadows(root)}
    found |= {path[:-4] + ".py" for path in paths if path.endswith(".mpy")}
    return found | {path[:-3] + ".mpy" for path in paths if path.endswith(".py")}


def update(
    repl: REPL,
    wanted: Mapping[str, Path],
    seen: Inventory,
    agree: Agree | None = None,
    progress: Progress | None = None,
) -> Transfer:
    """Do the part of `put_tree` after `examine`, in the same session.

    Raises ForeignFiles, FilesystemFull or DeployError, as `put_tree` does.
    """
    new = digests(wanted)
    data = {path: file.read_bytes() for path, file in wanted.items()}
    data[LIST] = listing(new).encode()
    new[LIST] = digest(data[LIST])
    changed = [path for path in new if seen.files.get(path) != new[path]]
    strays = [p for p in seen.files if p not in new and seen.put.get(p) == seen.files[p]]
    if FACTS not in wanted and any(path.startswith(_MUSTER) for path in seen.put):
        strays.append(FACTS)  # of a firmware that gives way to another
    foreign = _in_the_way(seen, new, changed)
    if foreign and not (agree and agree(foreign)):
        raise ForeignFiles(_why_not(foreign))
    removed = tuple(sorted({*strays, *(path for path in foreign if path not in new)}))
    if FACTS in wanted and not seen.has_facts(json.loads(data[FACTS])):
        changed.append(FACTS)
        new[FACTS] = digest(data[FACTS])
    if not changed and not removed:
        return Transfer((), (), tuple(wanted))
    # main.py stands in for all while they are exchanged, so it always comes anew, and last.
    changed = [path for path in changed if path != "/main.py"] + ["/main.py"]
    try:
        _stage(repl, {path: data[path] for path in changed}, new, removed, progress)
    except RemoteError as e:
        reason = refusal(e)
        if isinstance(reason, FilesystemFull):
            _clear(repl)
        raise reason from None
    try:
        _run_exchange(repl)
    except RemoteError as e:
        raise _unfinished(e) from None
    missing = differences(repl, {_root_of(path) for path in new}, new)
    if missing:
        raise DeployError(f"{', '.join(missing)} did not take its place; deploy once more")
    sent = tuple(path for path in changed if path != LIST)
    return Transfer(sent, removed, tuple(path for path in wanted if path not in sent))


# What was staged stays: the board goes on with it at its next start, or at the next deployment.
def _unfinished(error: RemoteError) -> DeployError:
    last = (str(error).strip().splitlines() or ["an unknown error"])[-1]
    return DeployError(
        f"the files are all on the board, and some have not taken their places yet: {last}; make "
        "room if its filesystem is full (mpremote fs ls, mpremote fs rm), then deploy once more"
    )


def _in_the_way(seen: Inventory, new: Mapping[str, str], changed: list[str]) -> list[str]:
    """Return the foreign files that stand where ours belong, or would hide ours."""
    before = hiding(new)

    def is_foreign(path: str) -> bool:
        if path in new:
            return path in changed and not seen.is_ours(path)
        hides = path in before or any(path.startswith(folder + "/") for folder in before)
        return hides and seen.put.get(path) != seen.files[path]

    return sorted(filter(is_foreign, seen.files))


# Where the modules are, e.g. "/lib/muster" for "/lib/muster/log.mpy", "/helper.py" for itself.
def _module_roots(paths: Iterable[str]) -> set[str]:
    return {_root_of(path) for path in paths if path.endswith((".py", ".mpy"))}


# What the interpreter finds before it: it prefers .py, and sys.path begins with the folder that a
# program is in, which is the root.
def _shadows(root: str) -> list[str]:
    module = root.removesuffix(".py").removesuffix(".mpy")
    found = [f"{module}.py"] if root.endswith(".mpy") else []
    if root.startswith(_LIB):
        name = "/" + module.removeprefix(_LIB)
        found += [name, f"{name}.py", f"{name}.mpy"]
    return found


def _why_not(foreign: list[str]) -> str:
    return (
        f"{', '.join(foreign)} on the board would be replaced or removed, and muster-unit did not "
        "put it there, or somebody has changed it since; save what you need (mpremote cp), then "
        "deploy with --force"
    )


def _stage(
    repl: REPL,
    files: Mapping[str, bytes],
    new: Mapping[str, str],
    removed: Iterable[str],
    progress: Progress | None,
) -> None:
    names = {path: staged_name(path, new[path]) for path in files}
    script = EXCHANGE.format(
        mark=MARK, stage=STAGE, files=[(names[p], p) for p in files], gone=list(removed)
    )
    *there, free = repl.exec(STAGED.format(stage=STAGE)).split()
    coming = {f"{STAGE}/{names[p]}": data for p, data in files.items() if names[p] not in there}
    size = sum(map(len, coming.values())) + len(script)
    if size > int(free):
        _clear(repl)
        raise full(f"{size} bytes are needed and {free} are free")
    send(repl, coming | {_SCRIPT: script.encode()}, progress)
    arrived = {f"{STAGE}/{names[p]}": new[p] for p in files}
    wrong = differences(repl, [STAGE], arrived | {_SCRIPT: digest(script.encode())})
    if wrong:
        paths = {f"{STAGE}/{name}": path for path, name in names.items()}
        raise DeployError(
            f"{', '.join(paths.get(name, name) for name in wrong)} arrived otherwise than sent, "
            "and the old files stay; deploy once more, and if that does not help the cable or the "
            "flash may be worn out"
        )


def _clear(repl: REPL) -> None:
    repl.exec(f"for n in os.listdir({STAGE!r}): os.remove({STAGE!r} + '/' + n)")


# e.g. "/lib/muster" for "/lib/muster/log.mpy", "/pkg" for "/pkg/log.mpy", "/main.py" for itself
def _root_of(path: str) -> str:
    return "/".join(path.split("/")[: 3 if path.startswith(_LIB) else 2])


# The digest tells whether a file of an earlier attempt is whole, the rest two equal ones apart.
def staged_name(path: str, of: str) -> str:
    """Return the name of a file, of this digest, while it waits for its place."""
    return of.replace("/", "_") + digest(path.encode())[:4].replace("/", "_")


def _run_exchange(repl: REPL, must_succeed: bool = True) -> None:
    begin = f"import os\ntry: os.rename({_SCRIPT!r}, '/main.py')\nexcept OSError: pass\n"
    # From here on the board finishes what is begun, now or at its next start.
    said = repl.exec(begin + "exec(open('/main.py').read(), {'is_deploying': True})")
    if said and must_succeed:
        raise DeployError(said.strip())
