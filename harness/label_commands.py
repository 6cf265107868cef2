# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What `muster-unit label …` does."""

import sys
from argparse import Namespace

import segno

from harness.commands import asked, chosen_port, print_json, read_text, say
from harness.label_book import LabelBook
from harness.labelling import look, reissued, write_label
from harness.labels import Label, new_label, parse_label
from harness.probe import BoardInfo

_LONGEST = 4096


def write(options: Namespace) -> int:
    """Make or take a label, and write it."""
    port = chosen_port(options)
    label = _wanted_label(options)
    info = look(port, say)
    with LabelBook(options.csv) as book:
        replaces = options.force or _may_replace(info)
        write_label(port, info, label, replaces=replaces)
        return _show(options, book, label, info)


def reissue(options: Namespace) -> int:
    """A new secret under the old id."""
    port = chosen_port(options)
    info = look(port, say)
    label = reissued(port, info)
    with LabelBook(options.csv) as book:
        replaces = options.force or _may_replace(info)
        write_label(port, info, label, replaces=replaces)
        say("the old label is useless now; register the new one at the portal")
        return _show(options, book, label, info)


def _wanted_label(options: Namespace) -> Label:
    if options.label_file is None:
        return new_label(options.id.upper() if options.id else None)
    # Not as an argument: a command line can be read by every user of the machine.
    text = sys.stdin.read(_LONGEST) if options.label_file == "-" else read_text(options.label_file)
    return parse_label(text.strip())


def _may_replace(info: BoardInfo) -> bool:
    if info.device_id is None or not sys.stdin.isatty():
        return False
    whose = info.device_id or "labelled"
    return asked(f"This board is {whose} already; its label becomes useless. Replace it?")


def _show(options: Namespace, book: LabelBook, label: Label, info: BoardInfo) -> int:
    # Shown before it is noted: whatever happens to the file, the label is not lost.
    if options.json:
        print_json(
            {
                "device_id": label.device_id,
                "label": label.text,
                "secret": label.grouped,
                "setup_passphrase": label.setup_passphrase,
                "board": info.board,
            }
        )
    else:
        segno.make(label.text, error="m").terminal(compact=True)
        print(f"device id         {label.device_id}")
        print(f"secret            {label.grouped}")
        print(f"setup passphrase  {label.setup_passphrase}")
        print(f"label             {label.text}", flush=True)
    book.add(label)
    say(f"the board is {label.device_id} now; a line was added to {book.path}")
    return 0
