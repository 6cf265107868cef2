# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Times that a request may set itself (TS-0001 8.1.2): by when it must be carried out (X-M2M-RET)
and answered (X-M2M-RST), and from when on it may be carried out (X-M2M-OET).

Each is a time such as "20261123T075904", a duration such as "PT2S", or milliseconds from now.
"""

import re
from collections.abc import Mapping
from datetime import datetime

from muster_server.platform_server.response_codes import BadRequest, RequestTimeout
from muster_server.platform_server.timestamps import is_timestamp

LONGEST_WAIT_S = 30.0
_KEPT_S = 300.0  # a result, unless its request says how long it is wanted
_LONGEST_KEPT_S = 3600.0
_DURATION = re.compile(r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,4})M)?(?:(\d{1,6})S)?)?")
_MILLISECONDS = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,3})?", re.ASCII)


def wait_s(headers: Mapping[str, str], now_s: float) -> float:
    """Seconds until the request may be carried out.

    Raises RequestTimeout if its time is over, BadRequest if its times contradict each other, are
    none, or ask for a longer wait than this server grants.
    """
    request_ends = _time(headers, "x-m2m-ret", now_s)
    result_ends = _time(headers, "x-m2m-rst", now_s)
    executes = _time(headers, "x-m2m-oet", now_s)
    for ends in (request_ends, result_ends):
        if ends is not None and ends <= now_s:
            raise RequestTimeout("the request has expired")
        if ends is not None and executes is not None and executes >= ends:
            raise BadRequest("X-M2M-OET: wanted a time before X-M2M-RET and X-M2M-RST")
    if request_ends is not None and result_ends is not None and result_ends < request_ends:
        raise BadRequest("X-M2M-RST: wanted a time that is not before X-M2M-RET")
    wait = max(0.0, (executes or now_s) - now_s)
    if wait > LONGEST_WAIT_S:
        raise BadRequest(f"X-M2M-OET: at most {LONGEST_WAIT_S:.0f} s ahead, got {wait:.0f}")
    return wait


def left_s(headers: Mapping[str, str], now_s: float, usual_s: float) -> float:
    """Seconds that an answer may take: until X-M2M-RET, or as many as are usual."""
    ends = _time(headers, "x-m2m-ret", now_s)
    return usual_s if ends is None else max(0.0, ends - now_s)


def kept_until(headers: Mapping[str, str], persistence: str | None, now_s: float) -> float:
    """Unix time until which the result of a request is kept, if it is answered later.

    Raises BadRequest if a time is none, or over.
    """
    wanted = [_time(headers, name, now_s) for name in ("x-m2m-ret", "x-m2m-rst")]
    if persistence is not None:
        wanted.append(_moment("rp", persistence, now_s))
    ends = min((end for end in wanted if end is not None), default=now_s + _KEPT_S)
    if ends <= now_s:
        raise BadRequest("rp: wanted a time to come")
    return min(ends, now_s + _LONGEST_KEPT_S)


def _time(headers: Mapping[str, str], name: str, now_s: float) -> float | None:
    text = headers.get(name)
    return None if text is None else _moment(name.upper(), text, now_s)


def _moment(name: str, text: str, now_s: float) -> float:
    if is_timestamp(text):
        moment = datetime.strptime(text[:15] + "+0000", "%Y%m%dT%H%M%S%z").timestamp()
        return moment + float(f"0.{text[16:] or 0}")
    if _MILLISECONDS.fullmatch(text):
        return now_s + float(text) / 1000
    duration = _DURATION.fullmatch(text)
    if duration is None or text in ("P", "PT"):
        raise BadRequest(f"{name}: wanted a time, a duration or milliseconds")
    days, hours, minutes, seconds = (int(part or 0) for part in duration.groups())
    return now_s + ((days * 24 + hours) * 60 + minutes) * 60 + seconds
