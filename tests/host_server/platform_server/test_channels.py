# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does an AE that nobody can call find what waits for it, and nobody else?"""

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

import requests

from tests.host_server.platform_server.town import (
    CUP,
    PEN,
    Town,
    code,
    contents,
)


def test_ae_that_nobody_can_call_polls(town: Town) -> None:
    town.create(f"/{PEN}", PEN, 15, "m2m:pch", rn="calls")
    assert code(town.ask("POST", f"/{PEN}", PEN, 15, {"m2m:pch": {}})) == "4000"
    assert code(town.subscribe([PEN])) == "2001"
    empty = town.ask("GET", f"/cse-in/{PEN}/calls/pcu", PEN, X_M2M_RET="300")
    assert (empty.status_code, code(empty)) == (504, "4008")
    town.publish("1")
    first = town.ask("GET", f"/cse-in/{PEN}/calls/pcu", PEN).json()["m2m:rqp"]
    assert contents([first["pc"]]) == ["1"]
    assert (first["op"], first["fr"], first["to"]) == (5, "/id-in", PEN)
    done = {"m2m:rsp": {"rqi": first["rqi"], "rsc": 2000}}
    assert code(town.ask("POST", f"/cse-in/{PEN}/calls/pcu", PEN, 0, done)) == "2000"
    assert code(town.ask("POST", f"/cse-in/{PEN}/calls/pcu", PEN, 0, done)) == "4004"
    deadline = time.monotonic() + 10
    while town.pending() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert town.pending() == 0


def test_polling_channel_is_its_aes_alone(town: Town) -> None:
    town.register(CUP)
    town.create(f"/{PEN}", PEN, 15, "m2m:pch", rn="calls")
    assert code(town.ask("GET", f"/cse-in/{PEN}/calls/pcu", CUP)) == "4103"
    assert code(town.ask("POST", f"/{CUP}", "CAdmin", 15, {"m2m:pch": {}})) == "4103"
    assert code(town.ask("GET", f"/cse-in/{PEN}/calls/pcu", "CAdmin")) == "4103"
    assert code(town.ask("GET", f"/cse-in/{PEN}/data/pcu", PEN)) == "4004"
    assert code(town.ask("PUT", f"/cse-in/{PEN}/calls/pcu", PEN, 0, {"m2m:x": {}})) == "4005"
    assert code(town.ask("POST", f"/cse-in/{PEN}/calls/pcu", PEN, 0, {"m2m:x": {}})) == "4000"


def test_container_may_be_called_so_too(town: Town) -> None:
    town.create(f"/{PEN}", PEN, 3, "m2m:cnt", rn="pcu")
    assert code(town.ask("GET", f"/cse-in/{PEN}/pcu", PEN)) == "2000"


def test_somebody_elses_channel_is_no_target(town: Town) -> None:
    town.register(CUP)
    town.create(f"/{CUP}", CUP, 15, "m2m:pch", rn="calls")
    assert code(town.subscribe([CUP])) == "5204"


def test_poll_ends_as_soon_as_there_is_news(town: Town) -> None:
    town.create(f"/{PEN}", PEN, 15, "m2m:pch", rn="calls")
    town.subscribe([PEN])
    from threading import Timer

    timer = Timer(0.5, town.publish, ["late"])
    timer.start()
    try:
        answer = town.ask("GET", f"/cse-in/{PEN}/calls/pcu", PEN, X_M2M_RET="10000")
    finally:
        timer.join()
    assert contents([answer.json()["m2m:rqp"]["pc"]]) == ["late"]


def test_whoever_has_left_is_told_nothing_more(town: Town) -> None:
    town.create(f"/{PEN}", PEN, 15, "m2m:pch", rn="calls")
    town.subscribe([PEN])
    with contextlib.suppress(requests.Timeout):
        town.ask("GET", f"/cse-in/{PEN}/calls/pcu", PEN, timeout_s=0.5)
    town.publish("later")
    answer = town.ask("GET", f"/cse-in/{PEN}/calls/pcu", PEN, X_M2M_RET="10000")
    assert contents([answer.json()["m2m:rqp"]["pc"]]) == ["later"]


def test_newest_of_several_that_poll_is_told(town: Town) -> None:
    town.create(f"/{PEN}", PEN, 15, "m2m:pch", rn="calls")
    town.subscribe([PEN])
    with ThreadPoolExecutor(2) as pool:
        polls = []
        for _ in range(2):
            polls.append(pool.submit(town.ask, "GET", f"/cse-in/{PEN}/calls/pcu", PEN))
            time.sleep(0.5)
        # The first has given way by now, long before its own time was over.
        assert code(polls[0].result(timeout=5)) == "4008"
        town.publish("new")
        assert contents([polls[1].result(timeout=10).json()["m2m:rqp"]["pc"]]) == ["new"]
