# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The golden messages as the device reads them: the same files that the server's tests read.

import gc
import json

from runner import golden, raises

from muster import configuration, directive, proving, report
from muster.errors import DeviceError


def _path(error):
    return error.detail.partition(": ")[0] if ": " in error.detail else ""


# One list of every case that went the wrong way, so that all of them show at once.
def _surprises(name, parse):
    found = []
    for case in golden("wire/%s.json" % name)["cases"]:
        if not case.get("device", True):
            continue
        try:
            parse(case)
            if not case["valid"]:
                found.append((case["name"], "was accepted"))
        except DeviceError as e:
            if case["valid"]:
                found.append((case["name"], str(e)))
            elif e.code != "config_invalid" or _path(e) != case["path"]:
                found.append((case["name"], str(e), "wanted path", case["path"]))
    return found


def _text(case):
    return case["text"] if "text" in case else json.dumps(case["value"])


def test_golden_configurations_are_judged_as_the_server_judges_them():
    surprises = _surprises("configurations", lambda c: configuration.check(json.loads(_text(c))))
    assert not surprises, surprises


# The base with the value of the case where it belongs, each a new one.
def _replaced(base, case):
    document = json.loads(base)
    inner = document
    for step in case["where"][:-1]:
        inner = inner[step]
    inner[case["where"][-1]] = case["value"]
    return document


def test_golden_bounds_are_the_device_s():
    base = json.dumps(golden("wire/bounds.json")["base"])
    surprises = _surprises("bounds", lambda c: configuration.check(_replaced(base, c)))
    assert not surprises, surprises


def test_a_trial_s_time_is_clamped():
    for asked_s, granted_s in golden("wire/bounds.json")["failsafe"]:
        assert proving.granted_s(asked_s) == granted_s, asked_s


def test_golden_directives_are_judged_as_written():
    surprises = _surprises("directives", lambda c: directive.parse([_text(c)]))
    assert not surprises, surprises


def test_a_long_retry_is_cut_to_a_day():
    text = '{"v":1,"nonce":"n","time":1795430400,"action":"wait","retry_s":99999999}'
    assert directive.parse([text]).retry_s == 86400


# As much of journal.py's as a report tells.
class _Journal:
    nonce = "newest"
    highest = 3
    model = board = firmware = reset_cause = "x"
    last = None

    class timeline:
        record = b""


def test_a_report_echoes_the_newest_nonce():
    text = report.write(_Journal, [], "committed", "246f28aabbcc", [0, 0])
    told = json.loads(text)
    assert (told["echo"], told["config"]) == ("newest", 3)


def test_an_error_never_repeats_the_value():
    e = raises(
        DeviceError, directive.parse, ['{"v":1,"nonce":"n","time":"hunter2","action":"wait"}']
    )
    assert "hunter2" not in str(e)


# MicroPython interns a character that stands alone, and never lets it go.
def test_characters_of_a_refused_document_are_not_kept():
    good = [case for case in golden("wire/configurations.json")["cases"] if case["valid"]][0]

    def refused(number):
        # not by chr(), which keeps them, too
        letter = bytes((0xE4, 0xB8 + (number >> 6), 0x80 | number & 63)).decode()
        config = json.loads(_text(good))
        config["networks"][0]["psk"] = letter * 8
        assert "psk" in raises(DeviceError, configuration.check, config).detail
        config = json.loads(_text(good))
        config["platform"]["url"] = "http://" + letter
        assert "url" in raises(DeviceError, configuration.check, config).detail

    refused(0)
    gc.collect()
    before = gc.mem_alloc()
    for number in range(1, 256):
        refused(number)
    gc.collect()
    assert gc.mem_alloc() - before < 1024, gc.mem_alloc() - before
