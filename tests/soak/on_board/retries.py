# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# When devices come back after a common outage: the firmware's own back-off, one seed for each.
# Prints, for each device, the milliseconds from the end of the outage to its next attempt.

import json
import random
import sys

_ATTEMPT_MS = 2000  # until an attempt has failed


def main(firmware, devices, outage_ms):
    sys.path.insert(0, firmware)
    from muster.backoff import Backoff

    for device in range(devices):
        random.seed(device + 1)
        backoff = Backoff()
        # They notice within one look at the connection, once a second.
        now = random.randrange(1000)
        attempts = 0
        while now < outage_ms:
            now += _ATTEMPT_MS + backoff.next_ms()
            attempts += 1
        print(now - outage_ms, attempts)


main(*json.loads(sys.argv[1]))
