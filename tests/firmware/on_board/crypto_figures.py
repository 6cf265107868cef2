# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Measures the device's cryptography on the interpreter it runs on; prints one line of JSON.

import gc
import json
import sys
import time
from binascii import hexlify

_PAYLOAD = b"x" * 1024


# Runs a coroutine to its end; returns its result and its longest stretch without a yield in us.
def _run(coroutine):
    longest = 0
    while True:
        start = time.ticks_us()
        try:
            coroutine.send(None)
        except StopIteration as e:
            return e.value, max(longest, time.ticks_diff(time.ticks_us(), start))
        longest = max(longest, time.ticks_diff(time.ticks_us(), start))


# The median of some runs: milliseconds of the whole, and of its longest stretch.
def _timed(make, runs=9):
    wholes = []
    longest = []
    for _ in range(runs):
        gc.collect()
        start = time.ticks_us()
        longest.append(_run(make())[1] / 1000)
        wholes.append(time.ticks_diff(time.ticks_us(), start) / 1000)
    return sorted(wholes)[runs // 2], sorted(longest)[runs // 2]


def _garbage(make):
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    _run(make())
    garbage = gc.mem_alloc() - before
    gc.enable()
    return garbage


async def _exchange(answer):
    from muster.errors import DeviceError
    from muster.noise import Initiator

    side = Initiator(bytes(32), b"bench")
    await side.write(_PAYLOAD)
    try:
        await side.read(answer)
    except DeviceError:
        pass  # nobody made this answer; only its decryption is not in the figure


# RFC 7748, section 5.2: the published value after 1000 iterations.
async def _iterated(x25519):
    k = u = b"\x09" + bytes(31)
    for _ in range(1000):
        k, u = await x25519(k, u), k
    assert hexlify(k) == b"684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"


def main():
    from muster.chacha import seal
    from muster.x25519 import x25519

    def multiply():
        return x25519(b"\x55" * 32, b"\x09" + bytes(31))

    data = bytearray(4 * 1024 + 16)

    def seal_4_kib():
        return seal(bytes(32), bytes(12), b"", data)

    def exchange():
        return _exchange(bytearray(b"\x09" + bytes(2000)))

    if sys.maxsize > 1 << 32:  # slow on the other
        _run(_iterated(x25519))
    x25519_ms, x25519_longest = _timed(multiply)
    seal_ms, seal_longest = _timed(seal_4_kib)
    exchange_ms, exchange_longest = _timed(exchange)
    figures = {
        "garbage_per_kib": _garbage(seal_4_kib) / 4,
        "x25519_garbage": _garbage(multiply),
        "x25519_ms": x25519_ms,
        "seal_ms_per_kib": seal_ms / 4,
        "exchange_ms": exchange_ms,
        "x25519_longest_block_ms": x25519_longest,
        "seal_longest_block_ms": seal_longest,
        "exchange_longest_block_ms": exchange_longest,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    sys.path[:0] = sys.argv[1:]
    import missing  # noqa: F401 - its event loop can be stepped by hand

    main()
