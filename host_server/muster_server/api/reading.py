# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Reads a body by its model. What pydantic says of an error goes no further: it repeats values."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from muster_server.document import kind_of, parse_json
from muster_server.errors import Invalid

# Of each kind of error that our models can bring about: what was wanted. The braces are filled
# with the model's own bounds and with the kind of what came, never with what came.
WANTED = {
    "missing": "missing",
    "string_type": "wanted text, got {kind}",
    "int_type": "wanted an integer, got {kind}",
    "int_parsing": "wanted an integer",
    "int_parsing_size": "wanted a smaller integer",
    "bool_type": "wanted true or false, got {kind}",
    "bool_parsing": "wanted true or false",
    "literal_error": "wanted {expected}",
    "enum": "wanted {expected}",
    "list_type": "wanted a list, got {kind}",
    "model_type": "wanted an object, got {kind}",
    "string_too_short": "wanted at least {min_length} characters, got {length}",
    "string_too_long": "wanted at most {max_length} characters, got {length}",
    "too_short": "wanted at least {min_length} items, got {actual_length}",
    "too_long": "wanted at most {max_length} items, got {length}",
    "greater_than_equal": "wanted at least {ge}, got less",
    "less_than_equal": "wanted at most {le}, got more",
}


class Body(BaseModel):
    """A body that a server reads: types are taken as they come, unknown fields are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, hide_input_in_errors=True)


B = TypeVar("B", bound=Body)


def read_body(model: type[B], body: bytes) -> B:
    """The body; Invalid names the path of the first field that is wrong, and all others."""
    return checked(model, parse_json(body))


def checked(model: type[B], document: Any) -> B:
    """Read JSON that is parsed already.

    Raises Invalid with the path of each field that is wrong.
    """
    try:
        return model.model_validate(document)
    except ValidationError as error:
        # Never its text, and not as a cause: both hold what came, which may be a password.
        problems = [(_path(e), said(e)) for e in error.errors(include_url=False)]
    (path, detail), *others = problems
    raise Invalid(detail, path=path, others=tuple(others))


def _path(error: ErrorDetails) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"])
    return "".join(parts).removeprefix(".")


def said(error: ErrorDetails) -> str:
    """Say what was wanted, by the model's own bounds, and of what came its kind alone."""
    came = error["input"]
    about = {
        **error.get("ctx", {}),
        "kind": kind_of(came),
        "length": len(came) if isinstance(came, str | list) else 0,
    }
    return WANTED.get(error["type"], "not what is wanted here").format(**about)
