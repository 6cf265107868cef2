# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Line coverage as people and programs read it: lcov, Cobertura, and a table.

lcov's format is that of geninfo(1), Cobertura's that of coverage-04.dtd.
"""

import time
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree as ET

from muster_harness.coverage.sources import FileCoverage

_DOCTYPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">\n'
)
_WIDEST = 60


def lcov(files: Sequence[FileCoverage], root: Path) -> str:
    """Return a tracefile; paths are shown from `root`."""
    records = []
    for file in files:
        lines = "".join(f"DA:{line},{count}\n" for line, count in sorted(file.hits.items()))
        found, missed = len(file.hits), len(file.missed)
        head = f"TN:\nSF:{shown(file.path, root)}\n"
        records.append(f"{head}{lines}LF:{found}\nLH:{found - missed}\nend_of_record\n")
    return "".join(records)


def cobertura(files: Sequence[FileCoverage], root: Path) -> str:
    """Return a report in XML; paths are shown from `root`, a folder is a package."""
    top = ET.Element(
        "coverage",
        {
            **_rates(files),
            "lines-covered": str(_ran(files)),
            "lines-valid": str(_lines(files)),
            "branches-covered": "0",
            "branches-valid": "0",
            "version": "muster-harness",
            "timestamp": str(int(time.time())),
        },
    )
    ET.SubElement(ET.SubElement(top, "sources"), "source").text = str(root)
    packages = ET.SubElement(top, "packages")
    by_folder = sorted(files, key=lambda file: (file.path.parent, file.path))
    for folder, inside in groupby(by_folder, key=lambda file: file.path.parent):
        members = list(inside)
        name = ".".join(Path(shown(folder, root)).parts) or "."
        package = ET.SubElement(packages, "package", {"name": name, **_rates(members)})
        classes = ET.SubElement(package, "classes")
        for file in members:
            _class(classes, file, root)
    ET.indent(top)
    return _DOCTYPE + ET.tostring(top, encoding="unicode") + "\n"


def _class(classes: ET.Element, file: FileCoverage, root: Path) -> None:
    path = shown(file.path, root)
    names = {"name": file.path.stem, "filename": path}
    one = ET.SubElement(classes, "class", {**names, **_rates([file])})
    ET.SubElement(one, "methods")
    lines = ET.SubElement(one, "lines")
    for line, count in sorted(file.hits.items()):
        ET.SubElement(lines, "line", {"number": str(line), "hits": str(count)})


def table(files: Sequence[FileCoverage], root: Path) -> list[str]:
    """Return the lines of a table: each file's share, and the lines that never ran."""
    rows = [
        (shown(file.path, root), len(file.hits), len(file.missed), file.rate, spans(file))
        for file in files
    ]
    total, ran = _lines(files), _ran(files)
    rows.append(("all", total, total - ran, ran / total if total else 1.0, ""))
    width = max(len(row[0]) for row in rows)
    made = [f"{'':<{width}}  lines  not run        lines that did not run"]
    for name, lines, missed, rate, which in rows:
        # Only what ran wholly is shown as 100 %.
        percent = int(rate * 100)
        made.append(f"{name:<{width}}  {lines:5}  {missed:7}  {percent:3} %  {which}".rstrip())
    return made


def spans(file: FileCoverage) -> str:
    """Return the lines that never ran, e.g. "12, 40-44"; between two of a span none ran."""
    missed, parts = set(file.missed), []
    watched = sorted(file.hits)
    for is_missed, group in groupby(watched, key=lambda line: line in missed):
        if is_missed:
            lines = list(group)
            parts.append(f"{lines[0]}-{lines[-1]}" if len(lines) > 1 else str(lines[0]))
    text = ", ".join(parts)
    if len(text) <= _WIDEST:
        return text
    return text[: text.rfind(",", 0, _WIDEST)] + ", …"


def shown(path: Path, root: Path) -> str:
    """Return a path as reports have it: from the root, if it lies there."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _lines(files: Sequence[FileCoverage]) -> int:
    return sum(len(file.hits) for file in files)


def _ran(files: Sequence[FileCoverage]) -> int:
    return sum(len(file.hits) - len(file.missed) for file in files)


def _rates(files: Sequence[FileCoverage]) -> dict[str, str]:
    total = _lines(files)
    rate = _ran(files) / total if total else 1.0
    return {"line-rate": f"{rate:.4f}", "branch-rate": "0", "complexity": "0"}
