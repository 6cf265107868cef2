# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The costs of a bundle on the device: the heap to apply one, and the time to open one."""

import shutil
import tempfile
from pathlib import Path

from muster_harness.errors import HarnessError
from tests.bench.onboarding import idle_heap_kib, smallest
from tests.firmware.bench_board import ask
from tests.flash import make_flash
from tests.system.carried import DEVICE_ID, Carried, OwnNetwork

_KIB = 1024
# As for onboarding: a configuration of 4 KiB, less what a longer number or token may need.
_LARGEST = 4 * _KIB - 28
_HIGHEST_KIB = 300
_OUTCOME_S = 60.0  # generous: a board with too little heap says so
_ENDS = rb"bundle receipt [^\r\n]+: version \d+ \w+|MemoryError|restarts in"
_ROOT = Path(__file__).resolve().parents[2]

# How long the device needs to open the bundle in its inbox, the best of five.
_OPEN = """
import asyncio, time
from muster import hardware, identity
from muster import delivery, inbox
class Clock:
    is_known = False
    def now(self):
        return 0
async def once():
    label = identity.read(hardware.open_nvs("muster"))
    began = time.ticks_us()
    found = await delivery.look(inbox.find(), label, Clock(), 0)
    assert found[2], found
    return time.ticks_diff(time.ticks_us(), began)
print(min([asyncio.run(once()) for _ in range(5)]))
"""


def measure() -> dict[str, float]:
    """`bundle.min_heap_4k_bytes` is net of an idle board with the same shims."""
    with (
        tempfile.TemporaryDirectory(prefix="muster-bench-") as made,
        OwnNetwork(Path(made) / "network") as network,
    ):
        directory = Path(made)
        flash = make_flash(directory / "deployed", with_main=False)
        idle = idle_heap_kib(flash, directory)
        text = network.bundle(network.config(1, _LARGEST))
        brought = directory / "brought" / "board"
        with Carried(network, brought, flash) as carried:
            carried.write_label()
            carried.mpremote("cp", str(_ROOT / "firmware" / "main.py"), ":")
            carried.copy(text, f"{DEVICE_ID}.muster")
            opened_us = float(ask(carried.board, _OPEN))

        def works(heap_kib: int) -> bool:
            return _is_applied(network, brought, directory / f"run-{heap_kib}", heap_kib)

        least = smallest(works, idle, _HIGHEST_KIB)
    return {
        "bundle.min_heap_4k_bytes": (least - idle) * _KIB,
        "bundle.characters_4k": len(text),
        "bundle.open_4k_ms": opened_us / 1000,
    }


def _is_applied(network: OwnNetwork, brought: Path, directory: Path, heap_kib: int) -> bool:
    try:
        with Carried(network, directory / "board", brought, heap=f"{heap_kib}K") as carried:
            carried.board.power_on()
            said: bytes = carried.board.expect(_ENDS, _OUTCOME_S)[0]
            return said.endswith(b" ok")
    except HarnessError:
        return False
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name} = {value:g}")
