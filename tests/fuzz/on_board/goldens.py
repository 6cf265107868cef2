# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The golden messages of tests/wire, to begin with.

import json

_WIRE = __file__.rpartition("/")[0] + "/../../wire/"


def cases(name):
    with open(_WIRE + name + ".json") as f:
        return json.load(f)["cases"]


# The documents of all cases, good ones first.
def values(name):
    found = cases(name)
    good = [case["value"] for case in found if case["valid"]]
    return good + [case["value"] for case in found if not case["valid"] and "value" in case]


def json_bytes(value):
    return json.dumps(value).encode()
