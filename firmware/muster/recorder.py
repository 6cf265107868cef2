# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The flight recorder, for a person at the prompt when there is no network:
#   from muster.recorder import show; show()

import time

from .clock import EPOCH_2000


# Prints when each step ended, how, and how long it took; then where the device last failed and
# why.
def show():
    from . import hardware
    from .journal import JOURNAL
    from .recall import recall
    from .restart import Former
    from .store import Store
    from .timeline import HEAD

    kept = recall(Store().load(JOURNAL))
    record = Former(hardware.rtc().memory, "soft", kept[-1]).record
    for line in record[HEAD:].decode().split("\n")[:-1]:
        step, code, ms, ended = line.split(" ")
        t = time.gmtime(int(ended) - EPOCH_2000)[:6]
        print("%04d-%02d-%02dT%02d:%02d:%02dZ" % t, "step", step, code, ms + " ms")
    last = kept[2]
    if last:
        print("last failure: step %d %s %s" % (last["step"], last["code"], last["detail"]))
