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
        "by": {"const": "bundle", "description": "only if a person stood in for the network"},
    },
}
BUNDLE = {
    "type": "object",
    "properties": {
        "device_id": {"type": "string", "example": "PRESS-4"},
        "version": {"type": "integer"},
        "state": {
            "enum": ["prepared", "handed_out", "applied", "failed", "superseded", "expired"]
        },
        "sha256": {"type": "string", "description": "of the bundle's text"},
        "made_at": {"type": "number"},
        "expires_at": {"type": ["integer", "null"]},
        "handed_out_at": {"type": ["number", "null"]},
        "receipt_at": {"type": ["number", "null"]},
        "outcome": {"type": ["string", "null"], "description": "what its receipt said"},
        "seen_at": {
            "type": ["number", "null"],
            "description": "when its device was seen at the platform",
        },
    },
}
BUNDLES = {"type": "object", "properties": {"bundles": {"type": "array", "items": BUNDLE}}}
NEW_BUNDLE = {
    "type": "object",
    "properties": {
        "life_s": {
            "type": ["integer", "null"],
            "minimum": 60,
            "maximum": 315360000,
            "description": "how long devices that know the time take it; null: for ever",
        },
        "above": {
            "type": "integer",
            "minimum": 0,
            "maximum": 2147483646,
            "description": "a version that the device is known to have",
        },
    },
}
SOME_BUNDLE = {
    "type": "object",
    "required": ["bundle"],
    "properties": {"bundle": {"type": "string", "description": "its text"}},
}
RECEIPT = {
    "type": "object",
    "required": ["receipt"],
    "properties": {"receipt": {"type": "string", "example": "ABCD EFGH"}},
}
VERDICT = {
    "type": "object",
    "properties": {
        "device_id": {"type": "string"},
        "verdict": {"enum": ["accepted", "failed", "superseded"]},
        "version": {"type": "integer", "description": "of the bundle that the receipt is for"},
        "newest_version": {"type": "integer"},
        "outcome": {"type": "string", "example": "ok"},
        "repeated": {"type": "boolean", "description": "it had been entered before"},
        "sentence": {"type": "string"},
    },
}
_ENTRY = {
    "type": "object",
    "properties": {
        "at": {"type": "number", "description": "Unix seconds; a device's are reckoned back"},
        "until": {"type": "number", "description": "of the last time, if `times` is above 1"},
        "times": {"type": "integer"},
        "source": {"enum": ["device", "portal", "config", "platform"]},
        "what": {"type": "string", "example": "handed_out"},
        "said": {"type": "string", "example": "a configuration was handed out"},
        "step": {"type": ["integer", "null"]},
        "code": {"type": "string", "example": "wifi_auth"},
        "ms": {"type": ["integer", "null"]},
        "detail": {"type": "string"},
        "is_first_cause": {"type": "boolean"},
        "sentence": {"type": "string", "description": "of the first cause: what to do"},
        "is_overcome": {"type": "boolean", "description": "of the first cause: it worked since"},
    },
}
TIMELINE = {
    "type": "object",
    "properties": {
        "device_id": {"type": "string"},
        "platform": {"type": "boolean", "description": "false: it could not be asked"},
        "entries": {"type": "array", "items": _ENTRY},
        "first_cause": {**_ENTRY, "type": ["object", "null"]},
    },
}
DEVICE = {
    "type": "object",
    "properties": {
        "device_id": {"type": "string", "example": "PRESS-4"},
        "name": {"type": "string"},
        "profile": {"type": "string"},
        "state": {
            "enum": ["prepared", "waiting", "handed_out", "applied", "registered", "failed"]
        },
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
        "bundle": {**BUNDLE, "type": ["object", "null"], "description": "the newest one"},
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
                "required": ["psk"],
                "properties": {
                    "ssid": {
                        "type": "string",
                        "description": "the name, also as a device's scan shows it, "
                        '"base64:Qvxybw=="',
                    },
                    "ssid_b64": {
                        "type": "string",
                        "description": "in place of ssid: a name that is no text, in base64",
                    },
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
        "app": {"type": "object", "description": "shown again as it is: no place for secrets"},
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
    answer: dict[str, Any] | None = None,
    body: dict[str, Any] | None = None,
    status: int = 200,
    kind: str | None = None,
) -> dict[str, Any]:
    """The part of an operation that FastAPI cannot know by itself. `kind` is the media type of an
    answer that is not JSON.
    """
    problem = {"content": {"application/problem+json": {"schema": _PROBLEM}}}
    done: dict[str, Any] = {"description": "Done"}
    if answer is not None:
        done["content"] = {"application/json": {"schema": answer}}
    if kind is not None:
        done["content"] = {kind: {"schema": {"type": "string"}}}
    operation: dict[str, Any] = {
        "security": [{"token": []}],
        "responses": {str(status): done, "default": {"description": "A problem", **problem}},
    }
    if body is not None:
        content = {"application/json": {"schema": body}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation
