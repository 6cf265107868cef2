# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Judges documents by the portal's OpenAPI description, without the portal's own readers."""

import functools
from typing import Any

from jsonschema import Draft202012Validator

from muster_server.portal.app import create_app
from muster_server.portal.people import People
from muster_server.portal.service import Portal
from muster_server.store.engine import MEMORY, open_engine
from muster_server.store.people import PeopleStore
from muster_server.store.secrets import SecretBox


@functools.cache
def description(*, is_alone: bool = False) -> dict[str, Any]:
    """The portal's document; alone: of one that knows no people."""
    # None of its routes is called.
    people = None if is_alone else People(PeopleStore(open_engine(MEMORY), SecretBox(bytes(32))))
    app = create_app(Portal("http://127.0.0.1:9", "none"), frozenset, people)
    document: dict[str, Any] = app.openapi()
    return document


def errors(component: str, document: Any, *, is_closed: bool = False) -> list[str]:
    """Return what is wrong with the document; closed: also each unlisted field."""
    found = _validator(component, is_closed).iter_errors(document)
    return [f"{error.json_path}: {error.message}" for error in found]


@functools.cache
def _validator(component: str, is_closed: bool) -> Draft202012Validator:
    components = description()["components"]
    if is_closed:
        components = _closed(components)
    schema = {"$ref": f"#/components/schemas/{component}", "components": components}
    return Draft202012Validator(schema)


def _closed(node: Any) -> Any:
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    copy = {name: _closed(value) for name, value in node.items()}
    if "properties" in node and node.get("type") == "object":
        copy["additionalProperties"] = False
    return copy
