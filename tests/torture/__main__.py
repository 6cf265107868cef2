# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`make torture`: everything that may go wrong does, and the device comes home each time.

Progress goes to standard output, figures and findings to build/torture.json; the exit status is 1
if anything was found.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.flash import ROOT, make_flash
from tests.torture import labelling, planted, rot, stuck
from tests.torture.bench import Bench
from tests.torture.inspector import Inspector
from tests.torture.messages import Messages
from tests.torture.parts import KINDS, Fault, Part
from tests.torture.power import Power, Sample
from tests.torture.scenarios import CHANGE, ONBOARDING

OUTPUT = ROOT / "build" / "torture.json"
_LIMIT_S = 4 * 3600


class Run:
    """One run of all parts that were chosen, in a directory of its own."""

    def __init__(self, directory: Path, seed: int, points: Sample) -> None:
        self._directory = directory
        self._seed = seed
        self._points = points
        self._flash = make_flash(directory / "deployed")

    def _bench(self, name: str) -> Bench:
        own = self._directory / name
        own.mkdir()
        return Bench(own, self._flash)

    def images(self, part: Part) -> None:
        """Every image that a power cut can leave, down to the byte, and rotten records."""
        with self._bench("images") as bench, Power(part, bench, self._seed) as power:
            for played in power.each():
                power.images(played, "every", self._points)
            played = power.play(CHANGE)
            with Inspector() as inspector:
                allowed = [played.before, played.after]
                limit = None if self._points == "all" else self._points
                rot.flip_all(part, inspector, played.end.content, allowed, self._seed, limit)
                bare = make_flash(self._directory / "bare", with_main=False)
                labelling.write_all(part, inspector, bare, self._directory / "labels", "every")

    def lives(self, part: Part) -> None:
        """A restart from every cut, with the true servers."""
        with self._bench("lives") as bench, Power(part, bench, self._seed) as power:
            for played in power.each():
                power.lives(played, "some", self._points)

    def messages(self, part: Part) -> None:
        """Every message lost, doubled and late."""
        limit = None if self._points == "all" else self._points
        with self._bench("messages") as bench, Power(part, bench, self._seed) as power:
            with Inspector() as inspector:
                for played in power.each():
                    if played.scenario.go:
                        Messages(part, bench, inspector, played).run(self._seed, limit)
            stuck.bite(part, bench, power.play(ONBOARDING).end)

    def planted(self, part: Part) -> None:
        """Bugs that have to be found."""
        planted.plant_all(part, self._directory)


OWN: dict[str, Callable[[Run, Part], None]] = {
    "images": Run.images,
    "lives": Run.lives,
    "messages": Run.messages,
    "planted": Run.planted,
}


def main() -> int:
    options = _options()
    began = time.monotonic()
    documents = []
    with tempfile.TemporaryDirectory(prefix="muster-torture-") as made:
        run = Run(Path(made), options.seed, options.points or "all")
        for name in options.parts:
            if name in OWN:
                part = Part(name)
                OWN[name](run, part)
                documents.append(part.document())
    for name, command in _others(options).items():
        if name in options.parts:
            documents.append(_other(name, command))
    total = _total(documents, options.seed, time.monotonic() - began)
    OUTPUT.parent.mkdir(exist_ok=True)
    OUTPUT.write_text(json.dumps(total, indent=1) + "\n")
    print(json.dumps(total["figures"], indent=1))
    print(f"{len(total['findings'])} findings; {OUTPUT}")
    return 1 if total["findings"] else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    names = [*OWN, "fuzz", "soak"]
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(names)}")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--points", type=int, help="only so many of each kind, by chance")
    parser.add_argument("--fuzz-seconds", type=float, default=20.0, help="for each parser")
    options = parser.parse_args()
    if unknown := [part for part in options.parts if part not in names]:
        parser.error(f"no part is named {unknown[0]!r}; there are {', '.join(names)}")
    options.parts = options.parts or names
    return options


def _others(options: argparse.Namespace) -> dict[str, Sequence[str]]:
    seed = ["--seed", str(options.seed)]
    return {
        "fuzz": ["-m", "tests.fuzz", "--seconds", str(options.fuzz_seconds), *seed],
        "soak": ["-m", "tests.soak"],
    }


def _other(name: str, arguments: Sequence[str]) -> dict[str, Any]:
    """A part that is a program of its own; its document is {name: figures, maybe by subject}."""
    part = Part(name)
    with tempfile.TemporaryDirectory() as made:
        file = Path(made) / "part.json"
        command = [sys.executable, *arguments, "--json", str(file)]
        done = subprocess.run(command, cwd=ROOT, check=False, timeout=_LIMIT_S)
        told: dict[str, Any] = json.loads(file.read_text())[name] if file.exists() else {}
    if name == "soak":
        part.count("soak days", int(told.get("days", 0)))
        part.findings += told.get("findings", [])
    for subject, figures in told.items() if name == "fuzz" else ():
        part.count("fuzz inputs", figures["inputs"])
        part.count(f"fuzz inputs, {figures['kind']}", figures["inputs"])
        part.findings += [f"{subject}: {text}" for text in figures["findings"]]
    if done.returncode and not part.findings:
        part.find(Fault(f"it ended with {done.returncode}"))
    return part.document() | {name: told}


def _total(documents: list[dict[str, Any]], seed: int, seconds: float) -> dict[str, Any]:
    figures: dict[str, int] = {}
    for document in documents:
        for name, number in document["figures"].items():
            figures[name] = figures.get(name, 0) + number
    findings = [f"{d['part']}: {text}" for d in documents for text in d["findings"]]
    for kind in KINDS:
        figures[kind] = sum(document["kinds"].get(kind, 0) for document in documents)
    return {
        "seed": seed,
        "seconds": round(seconds, 1),
        "figures": figures,
        "findings": findings,
        "parts": documents,
    }


if __name__ == "__main__":
    sys.exit(main())
