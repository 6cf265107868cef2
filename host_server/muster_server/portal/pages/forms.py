# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Forms as browsers send them, within bounds: application/x-www-form-urlencoded, and where a page
takes a file multipart/form-data (RFC 7578).
"""

from collections.abc import AsyncGenerator
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.formparsers import MultiPartException, MultiPartParser

from muster_server.errors import Malformed
from muster_server.web import body_within

_LIMIT_BYTES = 64 * 1024
_MOST_FIELDS = 120  # a page of a list, each with its tick
_body = body_within(_LIMIT_BYTES)


class Form:
    """The fields of a form; of two with one name the last one counts. A repr shows none."""

    def __init__(self, pairs: list[tuple[str, str]], file: bytes = b"") -> None:
        self._pairs = pairs
        self._fields = dict(pairs)
        self.file = file  # of a page that takes one; empty if none was chosen

    def all(self, name: str) -> list[str]:
        """Return the fields of this name, e.g. those that are ticked."""
        return [value for field, value in self._pairs if field == name]

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


async def read_form(request: Request, file_bytes: int = 0) -> Form:
    """The form in the body; `file_bytes`: how long a file in it may be.

    Raises Malformed if it is none, TooLarge if it is too long.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    if file_bytes and kind == "multipart/form-data":
        return await _with_file(request, file_bytes)
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
    return Form(pairs)


class _InMemory(MultiPartParser):
    """Keeps a file in memory, however long: there may be secrets in it, and none goes to a disk
    where it would outlive the request.
    """

    spool_max_size = 0  # SpooledTemporaryFile: never rolled over


async def _with_file(request: Request, file_bytes: int) -> Form:
    body = await body_within(file_bytes + _LIMIT_BYTES)(request)

    async def parts() -> AsyncGenerator[bytes, None]:
        yield body

    parser = _InMemory(
        request.headers,
        parts(),
        max_files=1,
        max_fields=_MOST_FIELDS,
        max_part_size=_LIMIT_BYTES,
    )
    try:
        read = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError):
        raise Malformed("the form cannot be read") from None
    pairs: list[tuple[str, str]] = []
    file = b""
    for name, value in read.multi_items():
        if isinstance(value, str):
            pairs.append((name, value))
        else:
            file = await value.read()
    await read.close()
    return Form(pairs, file)


def form_of(request: Request) -> Form:
    """The form that the route has read and checked."""
    form = request.state.form
    if not isinstance(form, Form):
        raise TypeError("the route has read no form")
    return form
