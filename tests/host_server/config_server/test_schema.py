# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Can the JSON Schema of a profile stop the server?"""

import json
import time
from typing import Any

import pytest

from muster_server.config_server.schema import LARGEST_BYTES, check_app
from muster_server.errors import Invalid
from tests.host_server.config_server.field import PROFILE, Field

# Each keeps Python busy for longer than anybody lives.
SLOW_PATTERN = {"properties": {"name": {"pattern": "^(a+)+$"}}}
SLOW_NAMES = {"patternProperties": {"^(a|aa)+$": {"type": "null"}}, "additionalProperties": False}
LONG = {"name": "a" * 60 + "!", "a" * 60 + "!": None}


def doubling(levels: int) -> dict[str, Any]:
    """Return a schema of one line a level that is applied 2 ** levels times."""
    twice = {
        f"s{n}": {"allOf": [{"$ref": f"#/$defs/s{n + 1}"}, {"$ref": f"#/$defs/s{n + 1}"}]}
        for n in range(levels)
    }
    return {"$ref": "#/$defs/s0", "$defs": {**twice, f"s{levels}": {"type": "object"}}}


@pytest.mark.parametrize(
    "schema", [SLOW_PATTERN, SLOW_NAMES, doubling(60)], ids=["pattern", "names", "references"]
)
def test_what_would_take_years_is_ended_and_said(schema: dict[str, Any]) -> None:
    before = time.process_time()
    with pytest.raises(Invalid, match="takes more than 2 s.*\\(a\\+\\)\\+") as caught:
        check_app(LONG, schema)
    assert caught.value.path == "app_schema"
    assert time.process_time() - before < 1  # this process had nothing to do with it


@pytest.mark.parametrize(
    ("schema", "path", "detail"),
    [
        (doubling(6), None, ""),
        ({"properties": {"name": {"pattern": "^(?=.*!)[a!]+$"}}}, None, ""),
        ({"properties": {"name": {"pattern": "^b"}}}, "app.name", "breaks the schema's 'pattern'"),
        (
            {"properties": {"name": {"pattern": "("}}},
            "app_schema.properties.name.pattern",
            "not a JSON",
        ),
        ({"$ref": "#"}, "app_schema", "without end"),
        ({"$comment": "x" * LARGEST_BYTES}, "app_schema", "at most 65536 bytes"),
    ],
)
def test_other_schemas_are_applied(schema: dict[str, Any], path: str | None, detail: str) -> None:
    if path is None:
        check_app(LONG, schema)
        return
    with pytest.raises(Invalid, match=detail) as caught:
        check_app(LONG, schema)
    assert caught.value.path == path


def test_secrets_of_the_environment_stay_here(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, str]] = []

    def run(*words: Any, env: dict[str, str], **more: Any) -> Any:
        seen.append(env)
        return type("Done", (), {"stdout": json.dumps(None)})

    monkeypatch.setattr("subprocess.run", run)
    check_app({}, {})
    assert seen == [{}]


def test_a_sync_does_not_apply_it_again(place: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = {"properties": {"hz": {"type": "integer"}}}
    place.profiles.replace("press", PROFILE | {"app": {"hz": 5}, "app_schema": schema})

    def never(*words: Any, **more: Any) -> Any:
        raise AssertionError("a schema was applied")

    monkeypatch.setattr("subprocess.run", never)
    place.registered().onboard()
