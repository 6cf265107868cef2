# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The costs of the device's cryptography: time on the 64-bit port, heap on the 32-bit one."""

import json
import subprocess
import sys

from tests.bench.compiled import compiled
from tests.firmware import interpreters
from tests.firmware.interpreters import ON_BOARD
from tests.programs import Missing

_TIMEOUT_S = 60


def measure() -> dict[str, float]:
    """The figures by name; those of the 32-bit port are left out where it cannot be had."""
    script = str(ON_BOARD / "crypto_figures.py")
    on_64_bit = _figures([*interpreters.unix(), script, str(ON_BOARD), str(compiled() / "lib")])
    figures = {
        "crypto.x25519_ms": on_64_bit["x25519_ms"],
        "crypto.seal_ms_per_kib": on_64_bit["seal_ms_per_kib"],
        "crypto.exchange_ms": on_64_bit["exchange_ms"],
        "crypto.longest_block_ms": max(
            value for name, value in on_64_bit.items() if name.endswith("longest_block_ms")
        ),
    }
    try:
        on_32_bit = _figures(interpreters.wasm("import crypto_figures; crypto_figures.main()"))
    except Missing as reason:
        print(f"crypto: no 32-bit figures: {reason}", file=sys.stderr)
    else:
        figures["crypto.garbage_per_kib_32bit"] = on_32_bit["garbage_per_kib"]
        figures["crypto.x25519_garbage_32bit"] = on_32_bit["x25519_garbage"]
    return figures


def _figures(command: list[str]) -> dict[str, float]:
    run = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, timeout=_TIMEOUT_S, check=True
    )
    figures: dict[str, float] = json.loads(run.stdout)
    return figures


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{name} = {value:g}")
