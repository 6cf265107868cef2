# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Asks a board in one go for its type and its files, before files are sent to it.

A board that was deployed to holds a list of the files that came with the deployment, with their
digests. So a file that somebody else put there, or changed, can be told from ours.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muster_harness.errors import BoardError
from muster_harness.wire.probe import BoardKind
from muster_harness.wire.repl import REPL

LIST = "/.muster-files"  # lines as _lines() makes them
FACTS = "/muster.json"  # ours by its name, and with a date in it: compared by meaning
STAGE = "/.muster-new"
MARK = "# muster-unit wrote this while it exchanged the board's files."

_DIGEST_BYTES = 12  # of SHA-256: enough against accidents, and short on the wire
_MOMENT = "built"  # of the facts, and no reason to write them anew
# What MicroPython itself writes when it formats (ports/esp32/modules/inisetup.py).
FACTORY_BOOT = b"""\
# This file is executed on every boot (including wake-boot from deepsleep)
#import esp
#esp.osdebug(None)
#import webrepl
#webrepl.start()
"""

# On the board. `same` is all that an unchanged board has to say. What its list says was put there
# is looked at too: it may be wanted no more. Garbage is collected often: else each line that is
# kept comes to lie behind that of its file, all over the heap, and nothing long finds room.
_LOOK = """\
import sys,os,gc,json,hashlib,binascii
def digest(p,h):
 b=bytearray(512)
 m=memoryview(b)
 with open(p,"rb") as f:
  while 1:
   n=f.readinto(b)
   if not n:return binascii.b2a_base64(h.digest()[:12])[:-1].decode()
   h.update(m[:n])
def walk(p,l):
 try:
  if os.stat(p)[0]&0x4000:
   for n in os.listdir(p):walk(p+"/"+n,l)
  else:l.append(p+" "+digest(p,hashlib.sha256()))
 except OSError:pass
def text(p,n):
 try:
  with open(p) as f:return f.read(n)
 except(OSError,ValueError):return ""
def look(roots,all):
 l=[]
 g=gc.threshold()
 gc.threshold(4096)
 for p in roots:walk(p,l)
 gc.threshold(g)
 gc.collect()
 l.sort()
 h=hashlib.sha256()
 for s in l:h.update(s+"\\n")
 return ["same"]if binascii.b2a_base64(h.digest()[:12])[:-1]==all else l
"""
_ASK = """\
i=sys.implementation
r={roots!r}
t=text({list!r},32768)
for p in t.split("\\n"):
 p=p.rpartition(" ")[0]
 if p and not any((p+"/").startswith(q+"/")for q in r):r.append(p)
l=look(r,{all!r})
print(json.dumps([sys.platform,getattr(i,"_machine",""),getattr(i,"_mpy",0)&255,os.uname().release,
l,text({facts!r},2048),"" if l==["same"]else t,text("/main.py",{mark})]))
"""


@dataclass(frozen=True)
class Inventory:
    """A board's files below the folders that were asked for, as path → digest."""

    kind: BoardKind
    files: Mapping[str, str]
    put: Mapping[str, str]  # what its list says was put there
    facts: dict[str, Any]  # of /muster.json, empty without one
    is_exchanging: bool  # it was cut off in the middle, and goes on at its next start

    def is_ours(self, path: str) -> bool:
        """Tell whether nobody will miss the present file at a path."""
        there = self.files[path]
        if path in (FACTS, LIST) or there == self.put.get(path) or self.is_exchanging:
            return True
        return path == "/boot.py" and there == digest(FACTORY_BOOT)

    def has_facts(self, wanted: Mapping[str, Any]) -> bool:
        """Tell whether /muster.json says the same, whenever it was written."""
        return bool(self.facts) and {**self.facts, _MOMENT: 0} == {**wanted, _MOMENT: 0}


def look(repl: REPL, roots: Iterable[str], wanted: Mapping[str, str]) -> Inventory:
    """Look at the files below `roots`, paths of files and folders; `wanted` are the files to come.

    The files of an unchanged board are not listed one by one: that would take longer than the
    look. Raises BoardError if the answer is not one.
    """
    said = repl.exec(question(roots, wanted))
    try:
        *kind, lines, facts, put, main = json.loads(said.strip().splitlines()[-1])
        platform, machine, mpy, micropython = kind
        return Inventory(
            BoardKind(platform, machine, micropython, mpy),
            dict(wanted) if lines == ["same"] else _parsed(lines),
            dict(wanted) if lines == ["same"] else _parsed(put.splitlines()),
            _facts(facts),
            main == MARK,
        )
    except (ValueError, TypeError, AttributeError, IndexError):
        raise BoardError(
            "the board's answers are not understood; is its MicroPython older than 1.20?"
        ) from None


def question(roots: Iterable[str], wanted: Mapping[str, str]) -> str:
    """Return the statements with which a board is asked for all that `look` tells."""
    there = sorted({*roots, *wanted})
    return _LOOK + _ASK.format(
        roots=_outermost(there), all=_whole(wanted), facts=FACTS, list=LIST, mark=len(MARK)
    )


def differences(repl: REPL, roots: Iterable[str], wanted: Mapping[str, str]) -> list[str]:
    """Return the paths of `wanted`, below `roots`, that differ on the board.

    Call `look` before.
    """
    said = repl.exec(f"print('\\n'.join(look({_outermost(roots)!r},{_whole(wanted)!r})))")
    lines = said.splitlines()
    if lines == ["same"]:
        return []
    there = _parsed(lines)
    return [path for path in wanted if there.get(path) != wanted[path]]


def digest(data: bytes) -> str:
    """Return a digest in the board's form: 16 characters."""
    return base64.b64encode(hashlib.sha256(data).digest()[:_DIGEST_BYTES]).decode()


def digests(files: Mapping[str, Path]) -> dict[str, str]:
    """Return the digests of files on this host, by their paths on the board; all but the facts."""
    return {path: digest(file.read_bytes()) for path, file in files.items() if path != FACTS}


def listing(put: Mapping[str, str]) -> str:
    """Return the text of the list that lies on the board."""
    return "".join(f"{path} {put[path]}\n" for path in sorted(put))


def _whole(wanted: Mapping[str, str]) -> bytes:
    return digest(listing(wanted).encode()).encode()


def _outermost(paths: Iterable[str]) -> list[str]:
    found: list[str] = []
    for path in sorted(paths):
        if not any(path.startswith(folder + "/") for folder in found):
            found.append(path)
    return found


def _parsed(lines: Iterable[str]) -> dict[str, str]:
    found = {}
    for line in lines:
        path, _, of = line.rpartition(" ")
        found[path] = of
    return found


def _facts(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
