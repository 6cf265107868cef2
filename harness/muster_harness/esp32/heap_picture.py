# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Heap over time as a picture (SVG) that browsers and image viewers open."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 960, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 60, 40
_STEPS = (1, 2, 5)
_MOST_LABELS = 24
_STYLE = (
    "text{font:12px sans-serif;fill:#333}.grid{stroke:#ddd}.used{fill:#9cc4e4;stroke:#1f6fa8}"
    ".size{stroke:#1f6fa8;stroke-dasharray:4 3}.idf{fill:none;stroke:#b3541e;stroke-width:1.5}"
    ".piece{fill:none;stroke:#b3541e;stroke-dasharray:3 3}.reset{stroke:#c00}.why{fill:#c00}"
)


@dataclass(frozen=True)
class Sample:
    """Bytes at a time of the board, in seconds. `idf_free` and `idf_largest` are those of
    ESP-IDF's heap, None where no limits of it are modelled."""

    at_s: float
    used: int
    free: int
    idf_free: int | None = None
    idf_largest: int | None = None


@dataclass(frozen=True)
class Mark:
    """A reset and its cause."""

    at_s: float
    cause: str


def picture(title: str, samples: Sequence[Sample], marks: Sequence[Mark]) -> str:
    """Return the picture; at least one sample is wanted."""
    drawing = _Drawing(samples, marks)
    parts = [*drawing.axes(), *drawing.python_heap(), *drawing.idf_heap(), *drawing.resets()]
    what = f"{title}: MicroPython's heap, used (area) and in all (dashes)"
    if samples[-1].idf_free is not None:
        what += "; ESP-IDF's, free and largest piece (dashes), in brown"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'role="img"><title>{escape(title)}: heap over time</title><style>{_STYLE}</style>'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>'
        f'<text x="{_LEFT}" y="18">{escape(what)}</text>\n' + "\n".join(parts) + "\n</svg>\n"
    )


class _Drawing:
    def __init__(self, samples: Sequence[Sample], marks: Sequence[Mark]):
        self._samples = samples
        self._marks = marks
        times = [*(s.at_s for s in samples), *(m.at_s for m in marks)]
        self._begin, self._end = min(times), max(times)
        self._span = max(self._end - self._begin, 0.001)
        self._most = max(max(s.used + s.free, s.idf_free or 0) for s in samples)

    def _x(self, at_s: float) -> float:
        share = (at_s - self._begin) / self._span
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def _y(self, size: float) -> float:
        return round(_HEIGHT - _BOTTOM - size / self._most * (_HEIGHT - _TOP - _BOTTOM), 1)

    def axes(self) -> list[str]:
        made = []
        for size in _round_steps(self._most / 1024, 5):
            y = self._y(size * 1024)
            made.append(f'<path class="grid" d="M{_LEFT},{y}H{_WIDTH - _RIGHT}"/>')
            made.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{size:g} KiB</text>')
        for after in _round_steps(self._span, 8):
            x, y = self._x(self._begin + after), _HEIGHT - _BOTTOM
            made.append(f'<path class="grid" d="M{x},{_TOP}V{y}"/>')
            made.append(f'<text x="{x}" y="{y + 18}" text-anchor="middle">{after:g} s</text>')
        return made

    def python_heap(self) -> list[str]:
        made = []
        for run in self._runs():
            used = " ".join(f"{self._x(s.at_s)},{self._y(s.used)}" for s in run)
            size = " ".join(f"{self._x(s.at_s)},{self._y(s.used + s.free)}" for s in run)
            first, last, ground = self._x(run[0].at_s), self._x(run[-1].at_s), self._y(0)
            made.append(f'<path class="used" d="M{first},{ground}L{used}L{last},{ground}Z"/>')
            made.append(f'<path class="size" fill="none" d="M{size}"/>')
        return made

    def idf_heap(self) -> list[str]:
        made = []
        for run in self._runs():
            for name, kind in (("idf_free", "idf"), ("idf_largest", "piece")):
                points = [(s.at_s, getattr(s, name)) for s in run if getattr(s, name) is not None]
                path = " ".join(f"{self._x(at)},{self._y(size)}" for at, size in points)
                if path:
                    made.append(f'<path class="{kind}" d="M{path}"/>')
        return made

    def resets(self) -> list[str]:
        made = []
        for number, mark in enumerate(self._marks):
            x = self._x(mark.at_s)
            made.append(f'<path class="reset" d="M{x},{_TOP}V{_HEIGHT - _BOTTOM}"/>')
            if number < _MOST_LABELS:
                y = _TOP - 8 - number % 2 * 14
                side = "end" if x > _WIDTH * 0.9 else "start"
                made.append(
                    f'<text class="why" x="{x}" y="{y}" text-anchor="{side}">'
                    f"{escape(mark.cause)}</text>"
                )
        return made

    def _runs(self) -> list[list[Sample]]:
        """Part the samples at the resets: nothing is drawn across one."""
        runs: list[list[Sample]] = [[]]
        borders = sorted(mark.at_s for mark in self._marks)
        for sample in self._samples:
            while borders and borders[0] <= sample.at_s:
                del borders[0]
                runs.append([])
            runs[-1].append(sample)
        return [run for run in runs if run]


def _round_steps(most: float, wanted: int) -> list[float]:
    """Return round numbers from 0 to the most, about so many."""
    size = 0.0001
    while True:
        for step in _STEPS:
            if most / (size * step) <= wanted:
                count = int(most / (size * step))
                return [round(n * size * step, 6) for n in range(count + 1)]
        size *= 10
