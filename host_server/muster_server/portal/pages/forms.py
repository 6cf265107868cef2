# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Forms as browsers send them (application/x-www-form-urlencoded), within bounds."""

from urllib.parse import parse_qsl

from fastapi import Request

from muster_server.errors import Malformed
from muster_server.web import body_within

_LIMIT_BYTES = 64 * 1024
_MOST_FIELDS = 50
_body = body_within(_LIMIT_BYTES)


class Form:
    """The fields of a form; of two with one name the last one counts. A repr shows none."""

    def __init__(self, fields: dict[str, str]) -> None:
        self._fields = fields

    def text(self, name: str) -> str:
        """The field as it was typed; an empty text if it is not there."""
        return self._fields.get(name, "")

    def line(self, name: str) -> str:
        """The field without white space around it."""
        return self.text(name).strip()

    def number(self, name: str) -> int:
        """The field as a number; -1 if it is none."""
        text = self.line(name)
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1


async def read_form(request: Request) -> Form:
    """The form in the body. Malformed if it is none, TooLarge if it is too long."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if kind != "application/x-www-form-urlencoded":
        raise Malformed("wanted a form")
    body = await _body(request)
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            max_num_fields=_MOST_FIELDS,
            errors="strict",
        )
    except ValueError:  # of UnicodeDecodeError, too
        raise Malformed("the form cannot be read") from None
    return Form(dict(pairs))


def form_of(request: Request) -> Form:
    """The form that the route has read and checked."""
    form = request.state.form
    if not isinstance(form, Form):
        raise TypeError("the route has read no form")
    return form
