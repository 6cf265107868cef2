# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The command `muster-unit flash` makes sold devices of bare chips, one or several at a time."""

import threading
from argparse import Namespace
from pathlib import Path
from typing import Any

import segno

from muster_harness.bench.manufacture import Order, Verdict, manufacture
from muster_harness.commands.boards import build_facts, chosen_source, print_json, read_label, say
from muster_harness.deploy.bundle_file import check_bundle, device_of, read_bundle
from muster_harness.deploy.label_book import LabelBook
from muster_harness.deploy.labels import Label, new_label
from muster_harness.errors import HarnessError, Interrupted
from muster_harness.facts import read_facts
from muster_harness.wire.ports import find_port

_MOST_PORTS = 16
_STEP_PER_CENT = 25  # how often progress is worth a line where it cannot be overwritten


def flash(options: Namespace) -> int:
    """Flash all ports at once; return 0 only if every board is good.

    Raises HarnessError for a port that is named twice, too many ports, or options that do not fit.
    """
    ports = [find_port(port) for port in options.port]
    if len(set(ports)) != len(ports) or len(ports) > _MOST_PORTS:
        raise HarnessError(f"name up to {_MOST_PORTS} different ports; {len(ports)} came")
    labels = _labels(options, len(ports))
    order = Order(
        facts=read_facts(options.board),
        image=Path(options.image),
        firmware=chosen_source(options),
        erase=options.erase,
        force=options.force,
        baud=options.baud,
        build=build_facts(options),
        bundle=_bundle(options, labels),
    )
    with LabelBook(options.csv) as book:
        verdicts = manufacture(ports, order, book, labels, _Reporter().hear, say)
    if options.json:
        print_json([_document(verdict) for verdict in verdicts])
    else:
        _show(verdicts, options.csv)
    if any(isinstance(verdict.error, Interrupted) for verdict in verdicts):
        raise KeyboardInterrupt
    return 0 if all(verdict.is_good for verdict in verdicts) else 1


def _labels(options: Namespace, ports: int) -> list[Label]:
    if not options.id and not options.label_file:
        return []
    if ports != 1:
        raise HarnessError("--id and --label-file are for one board; name one --port")
    if options.id:
        return [new_label(options.id.upper())]
    return [read_label(options.label_file)]


def _bundle(options: Namespace, labels: list[Label]) -> str | None:
    if not options.bundle:
        return None
    text = read_bundle(options.bundle)
    if options.id or not labels:
        raise HarnessError(
            f"{options.bundle} is sealed with the secret of one label of {device_of(text)}, and a "
            "new label has a new secret; give that label with --label-file, or leave the bundle "
            "to its user"
        )
    check_bundle(text, labels[0])
    return text


class _Reporter:
    """Prints one line per board and step, and a few in between; boards speak at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, tuple[str, int]] = {}

    def hear(self, port: str, step: str, per_cent: int) -> None:
        part = per_cent // _STEP_PER_CENT
        with self._lock:
            if self._last.get(port) == (step, part):
                return
            self._last[port] = (step, part)
            say(f"{port}  {step}" + (f"  {part * _STEP_PER_CENT} %" if part else ""))


def _show(verdicts: list[Verdict], book: str) -> None:
    for verdict in verdicts:
        if verdict.label:
            segno.make(verdict.label.text, error="m").terminal(compact=True)
            print(f"device id         {verdict.label.device_id}")
            print(f"secret            {verdict.label.grouped}")
            print(f"setup passphrase  {verdict.label.setup_passphrase}")
            print(f"label             {verdict.label.text}\n")
    for verdict in verdicts:
        name = verdict.label.device_id if verdict.label else "-"
        print(f"{verdict.port}  {name}  {_verdict(verdict)}")
    if any(verdict.label for verdict in verdicts):
        say(f"each label that is on its board stands in {book}")


def _verdict(verdict: Verdict) -> str:
    if verdict.error:
        return f"FAILED at {verdict.failed_at}: {verdict.error}"
    heard = f"{verdict.test.networks} networks heard, " if verdict.test else ""
    return f"good ({heard}{verdict.seconds:.0f} s)"


def _document(verdict: Verdict) -> dict[str, Any]:
    label = verdict.label
    return {
        "port": verdict.port,
        "is_good": verdict.is_good,
        "failed_at": verdict.failed_at,
        "error": str(verdict.error) if verdict.error else None,
        "seconds": round(verdict.seconds, 1),
        "device_id": label.device_id if label else None,
        "label": label.text if label else None,
        "secret": label.grouped if label else None,
        "setup_passphrase": label.setup_passphrase if label else None,
    }
