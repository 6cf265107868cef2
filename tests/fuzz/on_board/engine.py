# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Plays hostile inputs against one parser of the device, on MicroPython itself. Started by
# tests/fuzz/device.py; what it prints is read there:
#   P inputs blocks corpus   now and then, so that a hang can be told from work
#   F hex text               an input that did what none may
#   D {...}                  the end

import gc
import io
import json
import random
import sys
import time

_CORPUS = 300  # inputs that reached something new; one of them is changed to make the next
_EXPLORE = 0.4  # of the inputs; afterwards the corpus stays, so that memory must too
_TELL_MS = 1000
_WAYS = 65521
_SAMPLES = 60
_SLOW_MS = 5000  # other work on the machine must not look like a slow parser
_LOOK_EVERY = 64  # inputs, at which the heap is measured
_MOST_FINDINGS = 10


class Fuzz:
    def __init__(self, parser, options, hits):
        self._parser = parser
        self._options = options
        self._hits = hits
        self._zeros = bytes(len(hits))
        self._blocks = bytearray(len(hits))
        self._seen = bytearray(_WAYS)  # by hash: of a size that never changes
        self._corpus = []
        self._current = open(options["current"], "wb")
        self._began = time.ticks_ms()
        self._told = self._began
        self.inputs = 0
        self._known = None  # of them, those that are played before the run; None: still are
        self.findings = set()
        self.room = 0  # the most that one input has allocated, garbage included
        self.memory = [0] * _SAMPLES  # heap in use, through the time after the exploration
        self.slowest_ms = 0

    def seconds(self):
        return time.ticks_diff(time.ticks_ms(), self._began) / 1000

    # How much of the run is behind it, 0 to 1. It begins after what is known already: the corpus
    # grows by that, and growth is what is looked for.
    def share(self):
        if self._known is None:
            return 0
        most = self._options["inputs"]
        if most:
            return (self.inputs - self._known) / most
        return self.seconds() / self._options["seconds"]

    def run(self):
        for data in self._parser.SEEDS:
            if self.play(data) or len(self._corpus) < _CORPUS // 2:
                self._corpus.append(data)
        self._known = self.inputs
        while self.share() < 1 and len(self.findings) < _MOST_FINDINGS:
            data = self._parser.make(self._corpus)
            if self.play(data) and self.share() < _EXPLORE:
                self._keep(data)
        self.tell()

    def _keep(self, data):
        if len(self._corpus) < _CORPUS:
            self._corpus.append(data)
        else:
            self._corpus[random.randrange(_CORPUS)] = data

    # Whether the input went a way that none has gone before.
    def play(self, data):
        self.inputs += 1
        self._current.seek(0)
        self._current.write(b"%d %s\n" % (len(data), data))
        self._hits[:] = self._zeros
        if self.inputs % _LOOK_EVERY:
            self._play(data)
        else:
            self._play_measured(data)
        if time.ticks_diff(time.ticks_ms(), self._told) > _TELL_MS:
            self.tell()
        way = hash(bytes(self._hits)) % _WAYS
        if self._seen[way]:
            return False
        self._seen[way] = 1
        for at, hit in enumerate(self._hits):
            if hit:
                self._blocks[at] = 1
        return True

    def _play(self, data):
        began = time.ticks_ms()
        try:
            wrong = self._parser.play(data)
        except Exception as e:  # noqa: BLE001 - whatever comes out is what we look for
            text = io.StringIO()
            sys.print_exception(e, text)
            wrong = text.getvalue()
        ms = time.ticks_diff(time.ticks_ms(), began)
        self.slowest_ms = max(self.slowest_ms, ms)
        if ms > _SLOW_MS:
            wrong = "took %d ms" % ms
        if wrong:
            self._found(data, wrong)

    def _play_measured(self, data):
        gc.collect()
        gc.disable()
        before = gc.mem_alloc()
        try:
            self._play(data)
        finally:
            taken = gc.mem_alloc() - before
            gc.enable()
        self.room = max(self.room, taken)
        if taken > self._parser.ROOM:
            self._found(data, "took %d bytes of heap, more than %d" % (taken, self._parser.ROOM))
        sample = int((self.share() - _EXPLORE) / (1 - _EXPLORE) * _SAMPLES)
        if 0 <= sample < _SAMPLES and not self.memory[sample]:
            gc.collect()
            self.memory[sample] = gc.mem_alloc()

    def _found(self, data, text):
        # The same end of the same traceback is the same finding, whatever numbers it tells.
        lines = text.strip().rsplit("\n", 3)[-3:]
        about = "".join([c for c in lines[-1][:60] if not "0" <= c <= "9"]) + "".join(lines[:-1])
        if about in self.findings:
            return
        self.findings.add(about)
        print("F", bytes(data).hex() or "-", json.dumps(text))

    def tell(self):
        self._told = time.ticks_ms()
        print("P", self.inputs, sum(self._blocks), len(self._corpus))


# The heap in use in the last third of the samples against that in the first, the smallest of each.
def _growth(memory):
    memory = [used for used in memory if used]
    third = len(memory) // 3
    return min(memory[-third:]) - min(memory[:third]) if third else 0


def main(options):
    here = options["here"]
    sys.path[:0] = [options["firmware"], here, here + "/..", here + "/../../firmware/on_board"]
    import stand_ins

    stand_ins.install()
    from hits import hits

    # MicroPython keeps each character that it has seen alone, and takes 7 KiB at once when its
    # table of names is full: those of the changes are made now, so that they are no growth later.
    for code in range(32, 256):
        chr(code)
    # Not 0: on MicroPython a seed of 0 may be the clock's.
    random.seed(options["seed"] * 7919 + 1)
    parser = __import__(options["parser"])
    fuzz = Fuzz(parser, options, hits)
    for text in options["cases"]:
        fuzz.play(bytes.fromhex(text))
    fuzz.run()
    figures = {
        "inputs": fuzz.inputs,
        "seconds": fuzz.seconds(),
        "blocks": sum(fuzz._blocks),
        "corpus": len(fuzz._corpus),
        "room_bytes": fuzz.room,
        "slowest_ms": fuzz.slowest_ms,
        "growth_bytes": _growth(fuzz.memory),
    }
    print("D", json.dumps(figures))


if __name__ == "__main__":
    with open(sys.argv[1]) as f:
        main(json.load(f))
