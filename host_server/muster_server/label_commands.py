# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The commands `muster label`: labels as text, as QR codes on the terminal, and as images."""

import csv
import sys
from argparse import Namespace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from muster_server.commands import print_json, say
from muster_server.errors import SettingsError
from muster_server.escaping import own_output
from muster_server.private_files import check_place, named, write_private
from muster_server.terminal import complain, why_no_code

if TYPE_CHECKING:  # it takes long to import, and not every command needs it
    from muster_server.label import Label

_QUIET = (4, 2, 1)  # modules around a code: scanners want four, and most do with less
_IMAGE_SCALE = 8


def new_label(options: Namespace) -> int:
    """Make a label, or several, and show them; the images are for their owner alone.

    Raises SettingsError if the options do not go together, or a place cannot be written.
    """
    from muster_server.label import new_label as make

    images = [(kind, Path(given)) for kind in ("svg", "png") if (given := getattr(options, kind))]
    if options.number != 1 and options.id:
        raise SettingsError("--id: names one label; leave out -n, or --id")
    for kind, path in images:
        with named(f"--{kind}", path):
            check_place(path)
    labels = [make(options.id.upper() if options.id else None) for _ in range(options.number)]
    files = [_drawn(kind, path, labels) for kind, path in images]
    if options.json:
        documents = [document_of(label) for label in labels]
        return print_json(documents[0] if options.number == 1 else {"labels": documents})
    if options.number > 1:
        return _print_table(labels)
    if not files:
        _show_code(labels[0].qr_text)
    for name, value in document_of(labels[0]).items():
        print(f"{_NAMES[name]:<18}{value}")
    return say(*(f"{'image':<18}{file}" for made in files for file in made))


_NAMES = {
    "device_id": "device id",
    "secret": "secret",
    "setup_passphrase": "setup passphrase",
    "label": "label",
}


def document_of(label: "Label") -> dict[str, str]:
    """A label for scripts, with what is printed on it."""
    return {
        "device_id": label.device_id,
        "secret": label.grouped,
        "setup_passphrase": label.setup_passphrase,
        "label": label.qr_text,
    }


def _print_table(labels: list["Label"]) -> int:
    """Several labels as `muster device add --csv` and `muster label sheet` read them."""
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(["device_id", "setup_passphrase", "label"])
    rows.writerows([label.device_id, label.setup_passphrase, label.qr_text] for label in labels)
    return 0


def code_of(text: str) -> Any:
    """The QR code of a label; a quarter of it may be scratched off."""
    import segno

    return segno.make(text, error="m")


def _drawn(kind: str, path: Path, labels: list["Label"]) -> list[Path]:
    files = []
    for label in labels:
        content = BytesIO()
        code_of(label.qr_text).save(content, kind=kind, scale=_IMAGE_SCALE)
        file = path if len(labels) == 1 else path.with_stem(f"{path.stem}-{label.device_id}")
        with named(f"--{kind}", file):
            write_private(file, content.getvalue())
        files.append(file)
    return files


def _show_code(text: str) -> None:
    code, out = code_of(text), own_output()
    why: str | None = None
    for border in _QUIET:
        width, _ = code.symbol_size(border=border)
        why = why_no_code(width, out)
        if why is None:
            code.terminal(out, border=border, compact=True)
            return
    complain("muster", f"{why}; try: muster label new --svg label.svg")
