# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Makes of a bare board one that can be sold: image, firmware, identity, self-test, record."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from muster_harness.bench.image import BAUD, write_image
from muster_harness.bench.self_test import SelfTest, self_test
from muster_harness.deploy.bundle_file import put_bundle
from muster_harness.deploy.firmware import deploy_firmware
from muster_harness.deploy.image_file import check_image
from muster_harness.deploy.label_book import LabelBook
from muster_harness.deploy.labelling import look, write_label
from muster_harness.deploy.labels import Label, new_label
from muster_harness.errors import HarnessError, IdentityPresent, Interrupted, PortError
from muster_harness.facts import BoardFacts
from muster_harness.wire.ports import follow_port
from muster_harness.wire.repl import REPL

STEPS = ("image", "start", "firmware", "label", "bundle", "self-test")

_START_S = 30.0  # a first start formats the filesystem
_LOOK_S = 0.3

Hear = Callable[[str, str, int], None]  # port, step, per cent
Say = Callable[[str], None]


@dataclass(frozen=True)
class Order:
    """The order for one run: how every board of it shall be."""

    facts: BoardFacts
    image: Path
    firmware: Path
    erase: bool = False
    force: bool = False
    baud: int = BAUD
    build: dict[str, Any] = field(default_factory=dict)
    bundle: str | None = field(default=None, repr=False)  # of the one label that is given


@dataclass(frozen=True)
class Verdict:
    """The outcome at one port. The label is secret, so the repr leaves it out."""

    port: str
    seconds: float
    label: Label | None = field(default=None, repr=False)
    test: SelfTest | None = None
    failed_at: str | None = None  # one of STEPS
    error: HarnessError | None = None

    @property
    def is_good(self) -> bool:
        return self.error is None


def manufacture(
    ports: Sequence[str],
    order: Order,
    book: LabelBook,
    labels: Sequence[Label] = (),
    hear: Hear | None = None,
    say: Say | None = None,
) -> list[Verdict]:
    """Make all ports at once, and return one verdict each, in their order.

    A board that fails stops no other. `labels` go to the ports in order; further ones are new. A
    label stands in the book before it is on its board. `say` hears what a person has to do. At
    Ctrl-C every board finishes its current step and gets the verdict Interrupted. Raises
    HarnessError if no board can be begun.
    """
    check_image(order.image)
    writing, stop = threading.Lock(), threading.Event()
    chosen = [*labels, *(new_label() for _ in range(len(ports) - len(labels)))]

    def one(port: str, label: Label) -> Verdict:
        return _Line(port, order, book, writing, stop, hear, say).run(label)

    with ThreadPoolExecutor(max_workers=max(len(ports), 1)) as pool:
        running = [pool.submit(one, *given) for given in zip(ports, chosen, strict=True)]
        try:
            wait(running)
        except KeyboardInterrupt:
            stop.set()
            if say:
                say("stopping: every board finishes the step that it is in")
        return [verdict.result() for verdict in running]


class _Line:
    """One board on its way through the steps."""

    def __init__(
        self,
        port: str,
        order: Order,
        book: LabelBook,
        writing: threading.Lock,
        stop: threading.Event,
        hear: Hear | None,
        say: Say | None,
    ) -> None:
        self._port = port
        self._order = order
        self._book = book
        self._writing = writing
        self._stop = stop
        self._hear = hear
        self._say = say
        self._step = STEPS[0]

    def run(self, label: Label) -> Verdict:
        begin = time.monotonic()
        written = None
        try:
            self._image()
            self._firmware()
            self._label(label)
            written = label
            self._bundle()
            self._begin("self-test")
            test = self_test(self._port)
        except Exception as e:  # noqa: BLE001 (whatever befalls one board stops no other)
            error = e if isinstance(e, HarnessError) else HarnessError(f"{type(e).__name__}: {e}")
            seconds = time.monotonic() - begin
            return Verdict(self._port, seconds, written, failed_at=self._step, error=error)
        return Verdict(self._port, time.monotonic() - begin, label, test)

    def _begin(self, step: str) -> None:
        self._step = step
        if self._stop.is_set():
            raise Interrupted("stopped before this step; begin with this board anew")
        if self._hear:
            self._hear(self._port, step, 0)

    def _progress(self, done: int, total: int) -> None:
        if self._hear and total:
            self._hear(self._port, self._step, 100 * done // total)

    def _image(self) -> None:
        order = self._order
        self._begin("image")
        again = follow_port(self._port)
        write_image(
            self._port,
            order.facts,
            order.image,
            erase=order.erase,
            baud=order.baud,
            progress=self._progress,
        )
        self._begin("start")
        self._port = _answering(again, self._say)

    def _firmware(self) -> None:
        self._begin("firmware")
        build = {**self._order.build, "board": self._order.facts.name}
        deploy_firmware(
            self._port,
            self._order.firmware,
            build=build,
            agree=lambda _: self._order.force,
            progress=self._progress,
        )

    def _label(self, label: Label) -> None:
        self._begin("label")
        info = look(self._port)
        if info.device_id is not None and not self._order.force:
            raise IdentityPresent(
                f"the board on {self._port} is {info.device_id or 'labelled'} already; --erase "
                "empties it first, --force gives it a new label and keeps its files"
            )
        write_label(self._port, info, label, note=self._note, replaces=self._order.force)

    def _bundle(self) -> None:
        if self._order.bundle is not None:
            self._begin("bundle")
            with REPL(self._port, soft_reset=True) as repl:
                put_bundle(repl, self._order.bundle)

    def _note(self, label: Label) -> None:
        with self._writing:
            self._book.add(label)


def _answering(where: Callable[[], str], say: Say | None) -> str:
    """Wait for the prompt of MicroPython's first start; a port with USB of its own comes anew."""
    end = time.monotonic() + _START_S
    while True:
        try:
            port = where()
            with REPL(port, timeout_s=_START_S, say=say) as repl:
                repl.exec("pass")
            return port
        except PortError:
            if time.monotonic() > end:
                raise
            time.sleep(_LOOK_S)
