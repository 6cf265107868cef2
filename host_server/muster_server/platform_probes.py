# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Probes of a platform: each finds out one feature, and is one row of the answer."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from muster_server.platform_visit import CREATED, OK, UPDATED, Heard, Visit

_RELEASES = ("5", "4", "3", "2a")
_SPOKEN = ("4", "3", "2a")  # what devices are told to speak, the best first
_CONFLICTS = (4105, 4117)
_DAY_S = 86_400
# TS-0001 9.6.2: create 1, retrieve 2, update 4, delete 8, notify 16, discover 32
_ALL, _READ = 63, 34
# mgmtDefinitions that tell of a device (TS-0001 D, TS-0022 7.1), and the least that each asks for.
_OBJECTS: Mapping[int, tuple[str, dict[str, Any]]] = {
    1007: ("m2m:dvi", {"dlb": "|sn:1", "man": "m", "mod": "m", "dty": "device"}),
    1021: ("dcfg:datc", {"cntp": "/id-in/cse-in/x"}),
    1028: ("dcfg:wific", {"ssid": "s", "scan": False, "wcrds": {"enct": 1}}),
    1029: ("dcfg:crds", {"pur": "m", "crid": "m", "crse": "m"}),
}

YES, NO, PARTLY = "yes", "no", "partly"


@dataclass(frozen=True)
class Finding:
    """The answer to one question. Without what `is_needed`, no device can use the platform."""

    feature: str
    verdict: str
    detail: str = ""
    is_needed: bool = False


def found_at(visit: Visit) -> list[Finding]:
    """Ask everything. NoAnswer if the platform falls silent; the caller has the visitor leave."""
    findings = []
    for feature, is_needed, probe in _PROBES:
        verdict, detail = probe(visit)
        findings.append(Finding(feature, verdict, detail, is_needed))
        if is_needed and verdict == NO:
            break
    return findings


Told = tuple[str, str]


def _speaks(visit: Visit) -> Told:
    heard = visit.ask("GET", visit.place.cse, visit.mine)
    if not heard.rsc:
        return NO, str(heard)
    if heard.rsc == 4004:
        return NO, f"there is no CSE named {visit.place.cse}; its operator knows the name (--cse)"
    return YES, ""


def _releases(visit: Visit) -> Told:
    spoken = []
    for release in _RELEASES:
        visit.release = release
        heard = visit.ask("GET", visit.place.cse, visit.mine)
        if heard.rsc not in (0, 4000, 4001):
            spoken.append(release)
    visit.release = next((release for release in _SPOKEN if release in spoken), "4")
    return (YES if visit.release in spoken else NO), " ".join(spoken)


def _register(visit: Visit) -> Told:
    visit.open_accounts()
    heard = _made_ae(visit, visit.mine)
    if heard.rsc != CREATED:
        return NO, str(heard)
    given = heard.resource.get("aei") or heard.resource.get("ri")
    if given != visit.mine:
        return NO, f"the AE-ID became {given!r}: devices bring their own"
    return YES, f"{len(visit.mine)} characters of the device's own choice"


def _made_ae(visit: Visit, originator: str) -> Heard:
    about = {"api": "Norg.muster.check", "rr": False, "srv": [visit.release]}
    about["lbl"] = ["muster:CHECK"]
    return visit.make(visit.place.cse, originator, originator, 2, "m2m:ae", **about)


def _recognise(visit: Visit) -> Told:
    heard = visit.ask("GET", visit.mine, visit.mine)
    is_own = heard.rsc == OK and "muster:CHECK" in heard.resource.get("lbl", ())
    return (YES, "") if is_own else (NO, f"GET /{visit.mine}: {heard}")


def _again(visit: Visit) -> Told:
    heard = _made_ae(visit, visit.mine)
    return (YES if heard.rsc in _CONFLICTS else NO), f"RSC {heard.rsc}"


def _containers(visit: Visit) -> Told:
    heard = visit.make(visit.mine, "data", visit.mine, 3, "m2m:cnt", mni=100)
    return (YES, "") if heard.rsc == CREATED else (NO, str(heard))


def _readings(visit: Visit) -> Told:
    body = {"m2m:cin": {"cnf": "application/json:0", "con": '{"name":"check","value":1}'}}
    heard = visit.ask("POST", f"{_data(visit)}?rcn=0", visit.mine, 4, body)
    return (YES, "") if heard.rsc == CREATED else (NO, str(heard))


def _latest(visit: Visit) -> Told:
    heard = visit.ask("GET", f"{_data(visit)}/la", visit.mine)
    return (YES, "") if "con" in heard.resource else (NO, str(heard))


def _renewal(visit: Visit) -> Told:
    until = time.strftime("%Y%m%dT%H%M%S", time.gmtime(time.time() + _DAY_S))
    heard = visit.ask("PUT", visit.mine, visit.mine, None, {"m2m:ae": {"et": until}})
    return (YES, "") if heard.rsc == UPDATED else (NO, str(heard))


def _privacy(visit: Visit) -> Told:
    _made_ae(visit, visit.other)
    if _may_read(visit):
        return NO, "whoever is registered reads what devices publish"
    return YES, "another originator may not read"


def _policies(visit: Visit) -> Told:
    rules = {"acr": [{"acor": [visit.mine], "acop": _ALL}, {"acor": [visit.other], "acop": _READ}]}
    own = {"acr": [{"acor": [visit.mine], "acop": _ALL}]}
    heard = visit.make(visit.mine, "readers", visit.mine, 1, "m2m:acp", pv=rules, pvs=own)
    if heard.rsc != CREATED:
        return NO, str(heard)
    acpi = [heard.resource.get("ri", "")]
    on_ae = visit.ask("PUT", visit.mine, visit.mine, None, {"m2m:ae": {"acpi": acpi}})
    inherits = _may_read(visit)
    on_container = visit.ask("PUT", _data(visit), visit.mine, None, {"m2m:cnt": {"acpi": acpi}})
    if not _may_read(visit):
        return NO, f"acpi opens nothing ({on_ae}; {on_container})"
    return YES, "" if inherits else "not inherited: acpi is needed on each container"


def _may_read(visit: Visit) -> bool:
    return visit.ask("GET", f"{_data(visit)}/la", visit.other).rsc == OK


def _discovery(visit: Visit) -> Told:
    heard = visit.ask("GET", f"{visit.place.cse}/{visit.mine}?fu=1&ty=4", visit.mine)
    addresses = heard.document.get("m2m:uril")
    return (YES, "") if heard.rsc == OK and addresses else (NO, str(heard))


def _subscriptions(visit: Visit) -> Told:
    heard = visit.make(visit.mine, "calls", visit.mine, 15, "m2m:pch")
    if heard.rsc != CREATED:
        return NO, f"no polling channel: {heard}"
    about: dict[str, Any] = {"nu": [visit.mine], "enc": {"net": [3]}, "nct": 1}
    heard = visit.make(_data(visit), "watch", visit.mine, 23, "m2m:sub", **about)
    return (YES, "with a polling channel") if heard.rsc == CREATED else (PARTLY, str(heard))


def _nodes(visit: Visit) -> Told:
    admin, name = visit.place.admin, f"nod-{visit.mine}"
    if admin is None:
        return "?", "its administrator makes them: try with --admin"
    about = {"ni": f"muster:{visit.mine}"}
    heard = visit.make(visit.place.cse, name, admin, 14, "m2m:nod", **about)
    if heard.rsc != CREATED:
        return NO, str(heard)
    kept, refused = [], []
    for definition, (root, given) in _OBJECTS.items():
        place = f"{visit.place.cse}/{name}"
        made = visit.make(place, f"o{definition}", admin, 13, root, mgd=definition, **given)
        if made.rsc == CREATED:
            kept.append(str(definition))
        else:
            refused.append(f"; not {definition}: {made}")
    return (PARTLY if refused else YES), f"objects {' '.join(kept) or 'none'}{''.join(refused)}"


def _data(visit: Visit) -> str:
    return f"{visit.place.cse}/{visit.mine}/data"


_PROBES: tuple[tuple[str, bool, Callable[[Visit], Told]], ...] = (
    ("speaks oneM2M", True, _speaks),
    ("releases", True, _releases),
    ("registration", True, _register),
    ("an AE's address is its originator", True, _recognise),
    ("a second registration is noticed", True, _again),
    ("containers", True, _containers),
    ("readings", True, _readings),
    ("the latest reading", False, _latest),
    ("renewal of a registration", False, _renewal),
    ("readings are private", False, _privacy),
    ("access control policies", False, _policies),
    ("discovery", False, _discovery),
    ("subscriptions", False, _subscriptions),
    ("nodes", False, _nodes),
)
