# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The lines of a firmware's sources that emulated boards have run, over all boards and resets.

A board's file is known by its content: what a test writes itself is none of the sources, and runs
as it is.
"""

import hashlib
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from muster_harness.coverage.marking import Marked, marked

_NAME_DIGITS = 8


@dataclass(frozen=True)
class FileCoverage:
    """One source: for each line that can be watched, how many runs of a program have run it."""

    path: Path
    hits: dict[int, int]

    @property
    def missed(self) -> list[int]:
        """The lines that never ran."""
        return sorted(line for line, count in self.hits.items() if not count)

    @property
    def rate(self) -> float:
        """The share of lines that ran, 0 to 1; 1 of a file without any."""
        return 1 - len(self.missed) / len(self.hits) if self.hits else 1.0


@dataclass
class _Source:
    name: str  # of its array, and of the file with the marks
    paths: list[Path]
    marked: Marked
    counts: list[int] = field(default_factory=list)


class Coverage:
    """The sources, and what has run of them. Boards' threads and tests may use it at once."""

    def __init__(self, paths: Iterable[Path], folder: Path):
        """Read the sources; `folder` gets those with marks, for boards to read."""
        self.folder = folder
        self._lock = threading.Lock()
        self._sources: dict[str, _Source] = {}
        for path in paths:
            text = path.read_bytes()
            digest = hashlib.sha256(text).hexdigest()
            if digest not in self._sources:
                name = f"_hil{digest[:_NAME_DIGITS]}"
                self._sources[digest] = _Source(name, [], marked(text, name))
            self._sources[digest].paths.append(path)
        for source in self._sources.values():
            source.counts = [0] * source.marked.marks
            if source.marked.lines:
                (folder / f"{source.name}.py").write_bytes(source.marked.text)

    def known(self, digest: str) -> tuple[str, int] | None:
        """Return the name and size of the array for a file's content, None for no source."""
        source = self._sources.get(digest)
        return (source.name, len(source.counts)) if source and source.counts else None

    def add(self, digest: str, marks: bytes) -> None:
        """Take the array of one run of a program."""
        with self._lock:
            counts = self._sources[digest].counts
            for number, mark in enumerate(marks[: len(counts)]):
                counts[number] += bool(mark)

    def counts(self) -> dict[str, list[int]]:
        """Return what has been counted, for `merge` in another process."""
        with self._lock:
            return {digest: list(source.counts) for digest, source in self._sources.items()}

    def merge(self, counts: Mapping[str, list[int]]) -> None:
        """Add what another process has counted."""
        with self._lock:
            for digest, more in counts.items():
                source = self._sources.get(digest)
                if source is not None:
                    source.counts = [a + b for a, b in zip(source.counts, more, strict=True)]

    def files(self) -> list[FileCoverage]:
        """Return the coverage of each source, by its path; one that nobody ran is among them."""
        with self._lock:
            return sorted(
                (
                    FileCoverage(path, {n: s.counts[mark] for n, mark in s.marked.lines.items()})
                    for s in self._sources.values()
                    for path in s.paths
                ),
                key=lambda file: file.path,
            )
