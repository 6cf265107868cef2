# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The form of privileges in an <accessControlPolicy> (TS-0001 9.6.2, TS-0004 m2m:setOfAcrs).

What this platform does not understand is refused, never passed over: a rule without its condition
would allow more than whoever wrote it meant.
"""

import re
from typing import Any

_MOST_RULES = 16
_MOST_ORIGINATORS = 32
_ALL_OPERATIONS = 63
# An AE-ID, "all", one with "*" for any characters, or the address of a group.
_ORIGINATOR = re.compile(r"[A-Za-z0-9._~/*-]{1,64}", re.ASCII)


def privileges(value: Any) -> str | None:
    """The check of `pv`, which may allow nobody anything."""
    return None if value == {} or value == {"acr": []} else _rules(value)


def self_privileges(value: Any) -> str | None:
    """The check of `pvs`: without any, nobody could ever change the policy."""
    return _rules(value)


def _rules(value: Any) -> str | None:
    if not isinstance(value, dict) or set(value) != {"acr"} or not isinstance(value["acr"], list):
        return 'an object with a list "acr" of rules'
    if not 1 <= len(value["acr"]) <= _MOST_RULES:
        return f"1 to {_MOST_RULES} rules in acr"
    return next((wanted for rule in value["acr"] if (wanted := _rule(rule))), None)


def _rule(rule: Any) -> str | None:
    if not isinstance(rule, dict) or not {"acor", "acop"} <= set(rule):
        return "rules with acor and acop"
    if set(rule) - {"acor", "acop", "acod"}:
        return "rules with acor, acop and acod only (acco, aca and others are not supported here)"
    names, operations = rule["acor"], rule["acop"]
    if not isinstance(names, list) or not 1 <= len(names) <= _MOST_ORIGINATORS:
        return f"1 to {_MOST_ORIGINATORS} originators in acor"
    if not all(isinstance(name, str) and _ORIGINATOR.fullmatch(name) for name in names):
        return "originators, addresses of groups, or all in acor"
    if not _is_number(operations) or not 0 <= operations <= _ALL_OPERATIONS:
        return f"a sum of operations from 0 to {_ALL_OPERATIONS} in acop"
    return _details(rule["acod"]) if "acod" in rule else None


def _details(given: Any) -> str | None:
    wanted = 'in acod a list of objects with "ty", "chty" or both'
    if not isinstance(given, list) or not 1 <= len(given) <= _MOST_RULES:
        return wanted
    return None if all(map(_is_detail, given)) else wanted


def _is_detail(detail: Any) -> bool:
    if not isinstance(detail, dict) or not detail or set(detail) - {"ty", "chty"}:
        return False
    children = detail.get("chty", [])
    return (
        _is_number(detail.get("ty", 0))
        and isinstance(children, list)
        and len(children) <= _MOST_RULES
        and all(map(_is_number, children))
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
