# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does reading a body by its model promise?"""

import logging
import traceback
from typing import Any

import pytest

from muster_server.api import bodies
from muster_server.api.reading import Body, checked, read_body
from muster_server.errors import Invalid
from muster_server.web import problem
from tests.host_server.api.schemas import description, errors

SECRET = "hunter2-hunter2"
MODELS: dict[type[Body], dict[str, Any]] = {
    bodies.NewDevice: {"label": "L", "profile": "press"},
    bodies.Claim: {"label": "L", "profile": "press", "portal_ms": 3},
    bodies.VendorDevices: {"labels": ["L"]},
    bodies.NewBundle: {},
    bodies.BundleText: {"bundle": "B"},
    bodies.TypedReceipt: {"receipt": "ABCD EFGH"},
}

WRONG: tuple[Any, ...] = ("", "x" * 99_999, [], ["x"] * 9999, [5], {}, 7.5, True, -1, 10**30, None)


def refused(model: type[Body], document: Any) -> Invalid:
    with pytest.raises(Invalid) as caught:
        checked(model, document)
    return caught.value


@pytest.mark.parametrize(
    ("model", "good"), MODELS.items(), ids=[model.__name__ for model in MODELS]
)
def test_what_is_wrong_is_named_and_never_repeated(model: type[Body], good: Any) -> None:
    assert checked(model, good | {"unknown": 1}) == checked(model, good)
    for name, field in model.model_json_schema()["properties"].items():
        for wrong in (SECRET * 99, [SECRET], {"x": SECRET}, 7.5, True, 10**30, None):
            try:
                checked(model, good | {name: wrong})
            except Invalid as error:
                said = repr(error) + "".join(traceback.format_exception(error))
                assert (error.path or "").startswith(name)
                assert SECRET not in said
                assert SECRET not in bytes(problem(error).body).decode()
                assert str(10**30) not in said
        if name in model.model_json_schema().get("required", []):
            less = {key: value for key, value in good.items() if key != name}
            assert str(refused(model, less)) == f"{name}: missing"
        assert field  # each is described


@pytest.mark.parametrize("document", [[], "x", None, 5, True])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_body_that_is_no_object_is_refused_with_an_empty_path(
    model: type[Body], document: Any
) -> None:
    error = refused(model, document)
    assert (error.path, error.detail.partition(",")[0]) == ("", "wanted an object")


def test_all_fields_at_fault_are_told_the_first_one_first() -> None:
    error = refused(bodies.NewDevice, {"label": 5, "name": None})
    assert (error.path, error.detail) == ("label", "wanted text, got an integer")
    assert error.others == (("profile", "missing"), ("name", "wanted text, got null"))
    body = bytes(problem(error).body)
    assert body.count(b'"path"') == 4
    assert b'"errors":[{"path":"label"' in body


@pytest.mark.parametrize(
    ("model", "document", "said"),
    [
        (bodies.NewDevice, {"label": "x" * 513, "profile": "p"}, "label: wanted at most 512 char"),
        (bodies.NewDevice, {"label": "", "profile": ""}, "profile: wanted at least 1 char"),
        (bodies.VendorDevices, {"labels": []}, "labels: wanted at least 1 items, got 0"),
        (bodies.VendorDevices, {"labels": ["x"] * 1001}, "labels: wanted at most 1000 items"),
        (bodies.VendorDevices, {"labels": ["x", 5]}, "labels[1]: wanted text, got an integer"),
        (bodies.NewBundle, {"life_s": 59}, "life_s: wanted at least 60, got less"),
        (bodies.NewBundle, {"life_s": 60.0}, "life_s: wanted an integer, got a fraction"),
        (bodies.NewBundle, {"above": 2147483647}, "above: wanted at most 2147483646, got more"),
        (bodies.NewBundle, {"without_wifi": 1}, "without_wifi: wanted true or false, got an int"),
        (bodies.NewBundle, {"above": True}, "above: wanted an integer, got true or false"),
    ],
)
def test_error_says_what_was_wanted(model: type[Body], document: Any, said: str) -> None:
    assert str(refused(model, document)).startswith(said)


def test_no_error_of_our_models_is_without_words() -> None:
    for model, good in MODELS.items():
        for name in model.model_fields:
            for wrong in WRONG:
                try:
                    checked(model, good | {name: wrong})
                except Invalid as error:
                    details = [error.detail, *(detail for _, detail in error.others)]
                    assert "not what is wanted here" not in details, (model, name, wrong)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"label":NaN}', b'{"label":"\\ud800"}'])
def test_body_that_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid):
        read_body(bodies.NewDevice, body)


def test_repr_shows_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for model, field in (
        (bodies.NewDevice, {"label": SECRET, "profile": "p"}),
        (bodies.VendorDevices, {"labels": [SECRET]}),
        (bodies.BundleText, {"bundle": SECRET}),
        (bodies.TypedReceipt, {"receipt": SECRET}),
    ):
        body = checked(model, field)
        assert SECRET not in f"{body!r} {body}"


def test_document_describes_each_body_as_it_is_read() -> None:
    components = description()["components"]["schemas"]
    for model, good in MODELS.items():
        if model is bodies.Claim:  # the configuration server's alone
            continue
        fields = components[model.__name__]["properties"]
        for name, field in fields.items():
            for value in _around(field):
                document = good | {name: value}
                try:
                    checked(model, document)
                    is_read = True
                except Invalid:
                    is_read = False
                assert (errors(model.__name__, document) == []) is is_read, (name, value)


def _around(field: dict[str, Any]) -> list[Any]:
    """Values at each of the field's bounds and one step outside, and of other types."""
    found: list[Any] = [None, True, 7.5, "x", [], ["x"], [5], {}]
    for part in (field, *field.get("anyOf", ())):
        found += [part[b] + d for b in ("minimum", "maximum") if b in part for d in (-1, 0, 1)]
        for bound in ("minLength", "maxLength"):
            found += ["x" * (part[bound] + d) for d in (-1, 0, 1) if bound in part]
        for bound in ("minItems", "maxItems"):
            found += [["x"] * (part[bound] + d) for d in (-1, 0, 1) if bound in part]
    return found
