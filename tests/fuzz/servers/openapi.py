# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Requests made from an OpenAPI description, first as it says, then otherwise.

Small on purpose: it knows what our two descriptions use, and raises KeyError at anything else, so
that a new construct does not go untested unnoticed.
"""

import json
import random
import string
from typing import Any
from urllib.parse import quote

from tests.fuzz.mutation import NUMBERS, TEXTS, chance, changed_json, changed_text
from tests.fuzz.servers.asgi import Answer, Request
from tests.fuzz.servers.target import Finding, some

_DEEPEST = 4


class Operations:
    """The operations of one description. known: good values for parameters and fields by name."""

    def __init__(self, description: dict[str, Any], known: dict[str, list[Any]]) -> None:
        self._schemas = description.get("components", {}).get("schemas", {})
        self._known = known
        self._operations = [
            (path, method.upper(), operation)
            for path, methods in description["paths"].items()
            for method, operation in methods.items()
        ]

    def request(self) -> Request:
        path, method, operation = some(self._operations)
        query = []
        for parameter in operation.get("parameters", []):
            value = self._value(parameter["name"], parameter.get("schema", {}))
            text = str(value) if not chance(4) else changed_text(str(value))
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", quote(text, safe=""))
            elif parameter.get("required") or chance(2):
                query.append(f"{parameter['name']}={quote(text, safe='')}")
        headers, body = {}, b""
        if "requestBody" in operation:
            ((kind, content),) = operation["requestBody"]["content"].items()
            headers["Content-Type"] = kind
            document = self._value("", content["schema"])
            body = json.dumps(document).encode()
            if chance(2):
                body = changed_json(document, body, [b",", b'"', b"}", b"null", b"\\u0000"])
        if chance(16):
            headers["Authorization"] = changed_text("Bearer mst_x")
        return Request(method, path + ("?" + "&".join(query) if query else ""), headers, body)

    def check(self, request: Request, answer: Answer) -> None:
        """An answer is one of those that the description lists (or says `default` for)."""
        for path, method, operation in self._operations:
            if method != request.method or not _fits(path, request.path.partition("?")[0]):
                continue
            listed = operation["responses"]
            if str(answer.status) not in listed and "default" not in listed:
                if answer.status in (400, 401, 403, 404, 409, 422):
                    return  # problems that every operation may have
                raise Finding(f"{method} {path} answers {answer.status}, which is not described")
            if answer.status >= 400 and "problem+json" not in answer.headers["content-type"]:
                raise Finding(f"{method} {path} answers {answer.status} without a problem")
            return

    def _value(self, name: str, schema: dict[str, Any], depth: int = 0) -> Any:
        if "$ref" in schema:
            schema = self._schemas[schema["$ref"].rpartition("/")[2]]
        if self._known.get(name) and not chance(4):
            return some(self._known[name])
        for word in ("anyOf", "oneOf"):
            if word in schema:
                return self._value(name, some(schema[word]), depth)
        if "enum" in schema:
            return some(schema["enum"])
        if "const" in schema:
            return schema["const"]
        if "examples" in schema and chance(2):
            return some(schema["examples"])
        kinds = schema.get("type", ["string", "integer", "object"])
        kind = some(kinds) if isinstance(kinds, list) else kinds
        return self._of_kind(kind, schema, depth)

    def _of_kind(self, kind: str, schema: dict[str, Any], depth: int) -> Any:
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            most = min(schema.get("maxItems", 3), 3) if depth < _DEEPEST else 0
            count = random.randint(min(schema.get("minItems", 0), most), most)
            return [self._value("", schema.get("items", {}), depth + 1) for _ in range(count)]
        if kind == "string":
            return some(TEXTS) if chance(3) else "".join(random.choices(string.ascii_letters, k=6))
        if kind in ("integer", "number"):
            return some(NUMBERS) if chance(2) else random.randrange(100)
        return {"boolean": chance(2), "null": None}[kind]

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        wanted = schema.get("required", [])
        fields = schema.get("properties", {})
        if not fields and depth < _DEEPEST:
            fields = {some(["a", "b", "$ref", "type"]): {} for _ in range(random.randrange(3))}
        return {
            field: self._value(field, inner, depth + 1)
            for field, inner in fields.items()
            if field in wanted or chance(2)
        }


def _fits(template: str, path: str) -> bool:
    ours, theirs = template.split("/"), path.split("/")
    return len(ours) == len(theirs) and all(
        a == b or a.startswith("{") for a, b in zip(ours, theirs, strict=True)
    )
