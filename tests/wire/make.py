# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Write the golden messages: `python -m tests.wire.make`.

The JSON files beside this one are what both sides' tests read. This file only saves typing: it
imports neither firmware nor host_server, so that it cannot repeat a mistake of either.
"""

import json
from pathlib import Path
from typing import Any

from tests.wire import (
    bounds,
    bundles,
    configurations,
    exchanges,
    labels,
    receipts,
    steps,
    syncs,
)

HERE = Path(__file__).parent


def documents() -> dict[str, dict[str, Any]]:
    """Every golden file's name and content."""
    return {
        "labels": labels.document(),
        "reports": syncs.reports(),
        "directives": syncs.directives(),
        "configurations": configurations.document(),
        "bounds": bounds.document(),
        "exchanges": exchanges.document(),
        "bundles": bundles.document(),
        "receipts": receipts.document(),
        "deliveries": bundles.deliveries(),
        "steps": steps.document(),
    }


def rendered(document: dict[str, Any]) -> str:
    """One case per line, so that a difference shows which case changed."""
    cases = ",\n".join(
        "  " + json.dumps(case, separators=(",", ":"), ensure_ascii=True)
        for case in document["cases"]
    )
    more = "".join(
        f" {json.dumps(name)}: {json.dumps(value, indent=2)},\n"
        for name, value in document.items()
        if name not in ("about", "cases")
    )
    about = json.dumps(document["about"])
    return f'{{\n "about": {about},\n{more} "cases": [\n{cases}\n ]\n}}\n'


if __name__ == "__main__":
    for name, document in documents().items():
        (HERE / f"{name}.json").write_text(rendered(document))
