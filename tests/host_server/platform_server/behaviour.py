# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Plays rows of acme_behaviour.json against a platform and reduces answers to what must agree.

A row is {"name", "request", "answer"} and may hold "keep" (names for values of the answer's body,
used as {name} in later rows), "only" (the attributes that are compared), and "ours" with "reason":
what our platform answers otherwise, and why.
Timestamps and ids made by the platform differ from run to run and become placeholders.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cbor2

TABLE = Path(__file__).with_name("acme_behaviour.json")

_TIMESTAMP = re.compile(r"^\d{8}T\d{6}(,\d{1,6})?$")
_ID = re.compile(r"^/id-in/[a-z]+[A-Za-z0-9]+$")  # e.g. "/id-in/cnt7gfWpH9HoW"
_ONEM2M_HEADERS = ("X-M2M-RSC", "X-M2M-RI", "X-M2M-RVI", "X-M2M-OT")


@dataclass(frozen=True)
class Request:
    method: str
    to: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]  # keys in upper case
    body: Any

    @staticmethod
    def of(status: int, headers: dict[str, str], content: bytes) -> "Answer":
        upper = {key.upper(): value for key, value in headers.items()}
        is_packed = "cbor" in upper.get("CONTENT-TYPE", "")
        try:
            read = cbor2.loads if is_packed else json.loads
            body = read(content) if content else None
        except ValueError:
            body = "<not JSON>"
        return Answer(status, upper, body)


class Player:
    """Sends rows in order through `send`, remembering the ids that the platform made up."""

    def __init__(self, send: Callable[[Request], Answer]) -> None:
        self._send = send
        self._kept: dict[str, str] = {}
        self._given: set[str] = {"id-in", "cse-in", "CAdmin"}

    def play(self, row: dict[str, Any]) -> dict[str, Any]:
        request = row["request"]
        self._given.update(_strings(request))
        answer = self._send(self._build(request))
        for name, place in row.get("keep", {}).items():
            value = answer.body
            for key in place.split("/"):
                value = value[key] if isinstance(value, dict) and key in value else "unknown"
            self._kept[name] = str(value)
        return self._reduce(answer, row.get("only"))

    def _build(self, request: dict[str, Any]) -> Request:
        headers = {
            header: request[key]
            for header, key in (
                ("X-M2M-Origin", "from"),
                ("X-M2M-RI", "ri"),
                ("X-M2M-RVI", "rvi"),
                ("Content-Type", "content_type"),
            )
            if key in request
        }
        body = json.dumps(request["body"]) if "body" in request else request.get("text", "")
        return Request(
            request["method"], request["to"].format(**self._kept), headers, body.encode()
        )

    def _reduce(self, answer: Answer, only: list[str] | None) -> dict[str, Any]:
        rsc = answer.headers.get("X-M2M-RSC")
        body = self._mask(answer.body)
        if only and isinstance(body, dict):
            body = {
                root: {key: value for key, value in attributes.items() if key in only}
                for root, attributes in body.items()
                if isinstance(attributes, dict)
            }
        return {
            "status": answer.status,
            "rsc": int(rsc) if rsc else None,
            "headers": [name for name in _ONEM2M_HEADERS if name in answer.headers],
            "body": body,
        }

    def _mask(self, value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {k: self._mask(v, self._kind(k, value)) for k, v in value.items()}
        if isinstance(value, list):
            masked = [self._mask(item, key) for item in value]
            return sorted(masked, key=str) if key in ("m2m:uril", "rrf", "ch") else masked
        if not isinstance(value, str) or not value:
            return value
        if key == "m2m:dbg":  # the text of an error message is nobody's contract
            return "…"
        if key == "nl":  # by path or by id
            return "<node>"
        if key in ("ct", "lt", "et") and value not in self._given and _TIMESTAMP.match(value):
            return "<time>"
        for name, kept in self._kept.items():
            if value == kept and key != "made up":
                return f"{{{name}}}"
        is_id = key in ("ri", "pi", "rn", "acpi") or (key == "m2m:uril" and _ID.match(value))
        return "<made up>" if key == "made up" or (is_id and value not in self._given) else value

    def _kind(self, key: str, siblings: dict[str, Any]) -> str:
        # Without a name from the request, ours is the id, ACME's is another one.
        is_made_up = key == "rn" and (
            siblings["rn"] == siblings.get("ri") or siblings["rn"] not in self._given
        )
        return "made up" if is_made_up else key


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        yield from re.split(r"[/?]", value)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
