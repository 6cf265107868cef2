# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What the portal's OpenAPI document says about bodies. The rules are the servers' own."""

from typing import Any

_STEP = {
    "type": "object",
    "properties": {
        "step": {"type": "integer", "minimum": 1, "maximum": 9},
        "name": {"type": "string", "example": "join the operational network"},
        "state": {"enum": ["pending", "done", "failed"]},
        "code": {"type": ["string", "null"], "example": "wifi_auth"},
        "ms": {"type": ["integer", "null"]},
        "at": {"type": ["number", "null"], "description": "Unix seconds"},
        "sentence": {"type": "string", "description": "only if failed: what to do about it"},
    },
}
DEVICE = {
    "type": "object",
    "properties": {
        "device_id": {"type": "string", "example": "PRESS-4"},
        "name": {"type": "string"},
        "profile": {"type": "string"},
        "state": {"enum": ["prepared", "waiting", "handed_out", "registered", "failed"]},
        "claim": {"enum": ["unproved", "proved"]},
        "version": {"type": "integer", "description": "the one that the device has proved"},
        "window": {
            "type": "object",
            "properties": {"open": {"type": "boolean"}, "until": {"type": ["number", "null"]}},
        },
        "steps": {"type": "array", "items": _STEP, "minItems": 9, "maxItems": 9},
        "last": {
            "type": ["object", "null"],
            "properties": {
                "config": {"type": "integer"},
                "step": {"type": "integer"},
                "code": {"type": "string"},
                "detail": {"type": "string"},
                "sentence": {"type": "string"},
            },
        },
        "seen_at": {"type": ["number", "null"]},
        "account": {"type": "object", "properties": {"originator": {"type": "string"}}},
        "events": {"type": "array", "items": {"type": "object"}},
    },
}
NEW_DEVICE = {
    "type": "object",
    "required": ["label", "profile"],
    "properties": {
        "label": {"type": "string", "example": "MUSTER:1:PRESS-4:AAAQ…"},
        "profile": {"type": "string"},
        "name": {"type": "string", "maxLength": 64},
    },
}
VENDOR_DEVICES = {
    "type": "object",
    "required": ["labels"],
    "properties": {"labels": {"type": "array", "items": {"type": "string"}, "maxItems": 1000}},
}
PROFILE = {
    "type": "object",
    "required": ["name", "networks", "platform", "country"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$"},
        "networks": {
            "type": "array",
            "minItems": 1,
            "maxItems": 4,
            "items": {
                "type": "object",
                "required": ["ssid", "psk"],
                "properties": {
                    "ssid": {"type": "string"},
                    "psk": {"type": ["string", "null"], "writeOnly": True},
                    "hidden": {"type": "boolean"},
                    "ip": {"type": ["string", "object"], "default": "dhcp"},
                },
            },
        },
        "platform": {
            "type": "object",
            "required": ["url", "cse", "api"],
            "properties": {
                "type": {"const": "onem2m"},
                "url": {"type": "string"},
                "cse": {"type": "string"},
                "api": {"type": "string"},
                "rvi": {"enum": ["2a", "3", "4", "5"], "default": "4"},
                "ca": {"type": "string", "description": "PEM, or base64 of DER"},
                "insecure": {"type": "boolean", "description": "development only"},
            },
        },
        "app": {"type": "object"},
        "app_schema": {"type": ["object", "null"], "description": "JSON Schema 2020-12"},
        "country": {"type": "string", "pattern": "^[A-Z]{2}$"},
        "policy": {
            "type": "object",
            "properties": {
                "failsafe_s": {"type": "integer", "default": 120},
                "sync_s": {"type": "integer", "default": 3600},
                "ntp": {"type": ["string", "null"], "default": None},
            },
        },
        "reonboarding": {"enum": ["never", "owner", "always"], "default": "owner"},
    },
}
_PROBLEM = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "stable"},
        "detail": {"type": "string"},
        "path": {"type": "string", "description": "the field at fault"},
        "retry_s": {"type": "integer"},
    },
}


def described(
    answer: dict[str, Any] | None = None, body: dict[str, Any] | None = None, status: int = 200
) -> dict[str, Any]:
    """The part of an operation that FastAPI cannot know by itself."""
    problem = {"content": {"application/problem+json": {"schema": _PROBLEM}}}
    done: dict[str, Any] = {"description": "Done"}
    if answer is not None:
        done["content"] = {"application/json": {"schema": answer}}
    operation: dict[str, Any] = {
        "security": [{"token": []}],
        "responses": {str(status): done, "default": {"description": "A problem", **problem}},
    }
    if body is not None:
        content = {"application/json": {"schema": body}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation
