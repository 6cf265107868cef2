# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The room for TLS is taken in one go, as often as there was too little of it.

import sys

from muster import room

_PAIR = 2


# ESP-IDF's heap as far as it matters here: so many units in a row, of which a stream takes two
# neighbours that are free.
class _Heap:
    PROTOCOL_TLS_SERVER = 1

    def __init__(self, size):
        self.taken = [None] * size

    def SSLContext(self, protocol):
        return self

    def wrap_socket(self, nobody, server_side, do_handshake_on_connect):
        for start in range(len(self.taken) - 1):
            if self.taken[start] is None and self.taken[start + 1] is None:
                stream = _Stream(self)
                self.taken[start] = self.taken[start + 1] = stream
                return stream
        raise OSError(12)

    def pairs(self):
        return sum([isinstance(unit, _Stream) for unit in self.taken]) // _PAIR


class _Stream:
    def __init__(self, heap):
        self._heap = heap

    def close(self):
        self._heap.taken = [None if unit is self else unit for unit in self._heap.taken]


def _in(heap, deed):
    former = sys.modules.get("tls")
    sys.modules["tls"] = heap
    try:
        deed(heap)
    finally:
        room.give()
        if former:
            sys.modules["tls"] = former
        else:
            del sys.modules["tls"]


def test_as_much_is_kept_as_there_is():
    def deed(heap):
        room.keep(3)
        assert heap.pairs() == 2

    _in(_Heap(5), deed)


def test_what_lay_in_the_way_costs_a_pair_until_the_next_look_and_no_longer():
    def deed(heap):
        heap.taken[0] = "socket"
        room.keep()
        assert heap.pairs() == 1
        heap.taken[0] = None
        room.keep()
        assert heap.pairs() == 2

    _in(_Heap(4), deed)


def test_what_is_whole_is_left_alone():
    def deed(heap):
        room.keep()
        before = list(heap.taken)
        room.keep()
        assert heap.taken == before

    _in(_Heap(8), deed)
