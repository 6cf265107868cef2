# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Bundles over a line on which one byte in a hundred is another one, in virtual time.

The device's console runs on its interpreter, the host's side here, and both by one clock, so that
a run repeats to the byte.
"""

import json
import random
import subprocess
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from muster_harness.bench import bundle_link
from muster_harness.bench.bundle_link import BundleLink
from muster_harness.errors import BoardError
from tests.firmware import interpreters
from tests.firmware.interpreters import ON_BOARD, PROJECT

_TRANSFERS = 200
_SHARE = 0.01
_STEP_S = 0.005
_SHIMS = PROJECT / "harness/muster_harness/esp32/shims"
_DELIVERIES = json.loads((PROJECT / "tests/wire/deliveries.json").read_text())
BUNDLE: str = _DELIVERIES["bundles"]["of-jwcrypto"]


class Line:
    """A serial line, the device at its other end, and the time of both.

    Noise has one random generator for each direction: what one side says does not change what
    becomes of the other side's words.
    """

    timeout = 0.02
    in_waiting = 0

    def __init__(self, share: float, seed: int) -> None:
        folders = [str(PROJECT / "firmware"), str(ON_BOARD), str(_SHIMS)]
        self._device = subprocess.Popen(
            [*interpreters.unix(), str(ON_BOARD / "console_peer.py"), *folders],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._hear()
        self._share = share
        self._to_device, self._from_device = random.Random(seed), random.Random(seed + 1)
        self._written = self._said = b""
        self.sent = self.hit = 0
        self.now_ms = 0

    def monotonic(self) -> float:
        return self.now_ms / 1000

    def sleep(self, seconds: float) -> None:
        end_ms = self.now_ms + round(seconds * 1000)
        while self.now_ms < end_ms:
            self._said += self._step()

    def write(self, data: bytes) -> None:
        self.sent += len(data)
        self._written += self._noisy(data, self._to_device)

    def read(self, count: int, seconds: float = timeout) -> bytes:
        """Let time pass until the device says something, or for so long."""
        end_ms = self.now_ms + round(seconds * 1000)
        while self.now_ms < end_ms and not self._said:
            self._said = self._step()
        said, self._said = self._said, b""
        return said

    def _step(self) -> bytes:
        assert self._device.stdin
        self.now_ms += round(_STEP_S * 1000)
        written, self._written = self._written, b""
        self._device.stdin.write(f"{self.now_ms} {written.hex() or '-'}\n")
        self._device.stdin.flush()
        return self._noisy(self._hear(), self._from_device)

    def _hear(self) -> bytes:
        assert self._device.stdout
        said = self._device.stdout.readline().strip()
        assert said, "the device has died"
        return b"" if said == "-" else bytes.fromhex(said)

    def _noisy(self, data: bytes, chance: random.Random) -> bytes:
        copy = bytearray(data)
        for i in range(len(copy)):
            if chance.random() < self._share:
                copy[i] = chance.randrange(256)
                self.hit += 1
        return bytes(copy)

    def close(self) -> None:
        pass

    def end(self) -> None:
        self._device.communicate("\n", timeout=10)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Makes lines; the last one's time is that of the host's side."""
    made: list[Line] = []

    def line(share: float = _SHARE, seed: int = 1) -> Line:
        made.append(Line(share, seed))
        monkeypatch.setattr(bundle_link, "open_port", lambda *_: made[-1])
        monkeypatch.setattr(bundle_link, "time", made[-1])
        return made[-1]

    yield SimpleNamespace(make=line)
    for each in made:
        each.end()


def _send(times: int) -> None:
    for _ in range(times):
        with BundleLink("line") as link:
            link.send(BUNDLE, lambda done, total: None, 120)


def test_200_transfers_end_well_with_one_byte_in_a_hundred_bent(lines: SimpleNamespace) -> None:
    line = lines.make()
    _send(_TRANSFERS)
    assert line.hit > 40 * _TRANSFERS


def test_a_run_repeats_to_the_byte(lines: SimpleNamespace) -> None:
    found = []
    for _ in range(2):
        line = lines.make(seed=5)
        _send(3)
        found.append((line.sent, line.hit, line.now_ms))
    assert found[0] == found[1]


def _begun(line: Line) -> BundleLink:
    link = BundleLink("line").__enter__()
    assert link._begun(line.monotonic() + 5)
    return link


def test_a_ctrl_c_in_a_transfer_is_noise_unless_it_is_doubled_or_silence_follows(
    lines: SimpleNamespace,
) -> None:
    for text, silence_s, is_stopped in (
        (b"\x03", 0.2, False),
        (b"\x03 and more", 0.2, False),
        (b"~M> 3 data\x03", 0.2, False),
        (b"\x03\x03", 0.05, True),
        (b"\x03", 0.4, True),
        (b"\x03\r\x01", 0.4, True),
        (b"", 5, False),
    ):
        line = lines.make(share=0)
        link = _begun(line)
        line.write(text)
        line.sleep(silence_s)
        if is_stopped:
            with pytest.raises(BoardError, match="was stopped while the bundle"):
                link._ask(5, "data", "0", "e")
        else:
            assert link._ask(5, "data", "0", "e") == ["go", "1"]
            line.sleep(1)  # what it was is settled by a frame that is whole
            assert link._ask(5, "data", "1", "y") == ["go", "2"]


def test_the_end_of_a_frame_that_noise_has_made_a_ctrl_c_stops_nothing(
    lines: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host waits for an answer then, longer than a person needs to be understood."""
    line = lines.make(share=0)
    link = _begun(line)
    link._answer_s = 0.6
    hits: list[bytes] = []

    def bent(data: bytes, chance: random.Random) -> bytes:
        if b" data " not in data or hits:
            return data
        hits.append(data)
        return data[:-1] + b"\x03"

    monkeypatch.setattr(line, "_noisy", bent)
    assert link._sent(BUNDLE, lambda done, total: None) and hits


def test_outside_a_transfer_one_ctrl_c_is_enough(lines: SimpleNamespace) -> None:
    line = lines.make(share=0)
    with BundleLink("line") as link:
        link.status()
    line.write(b"\x03")
    assert b">>> " in line.read(0, 0.1)
