# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The commands `muster-unit label …`."""

import sys
from argparse import Namespace

import segno

from muster_harness.commands.boards import asked, chosen_port, print_json, read_label, say
from muster_harness.deploy.label_book import LabelBook
from muster_harness.deploy.labelling import look, reissued, write_label
from muster_harness.deploy.labels import Label, new_label
from muster_harness.errors import HarnessError
from muster_harness.wire.probe import BoardInfo


def write(options: Namespace) -> int:
    """Make a label, or take one, and write it to the board."""
    port = chosen_port(options)
    label = _wanted_label(options)
    info = look(port, say)
    _give(options, port, info, label)
    return 0


def reissue(options: Namespace) -> int:
    """Write a new secret to the board under its old id."""
    port = chosen_port(options)
    info = look(port, say)
    _give(options, port, info, reissued(port, info))
    say("the old label is useless now; register the new one at the portal")
    return 0


def _wanted_label(options: Namespace) -> Label:
    if options.label_file is None:
        return new_label(options.id.upper() if options.id else None)
    return read_label(options.label_file)


def _give(options: Namespace, port: str, info: BoardInfo, label: Label) -> None:
    noted: list[Label] = []
    with LabelBook(options.csv) as book:

        def note(label: Label) -> None:
            book.add(label)
            noted.append(label)

        replaces = options.force or _may_replace(info)
        try:
            write_label(port, info, label, note=note, replaces=replaces)
        except HarnessError:
            if noted:
                say(
                    f"the board may have the label of {label.device_id} by now; it stands in the "
                    f"last line of {book.path}: write that one again with --label-file"
                )
            raise
    _show(options, label, info)
    say(f"the board is {label.device_id} now; a line was added to {book.path}")


def _may_replace(info: BoardInfo) -> bool:
    if info.device_id is None or not sys.stdin.isatty():
        return False
    whose = info.device_id or "labelled"
    return asked(f"This board is {whose} already; its label becomes useless. Replace it?")


def _show(options: Namespace, label: Label, info: BoardInfo) -> None:
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
