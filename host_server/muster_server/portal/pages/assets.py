# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Files that pages ask for: a stylesheet, scripts and pictures, all of this server."""

import hashlib
from importlib import resources
from typing import Protocol

from fastapi import APIRouter
from fastapi.responses import Response

from muster_server.errors import NotFound

_KINDS = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml", "txt": "text/plain"}
_FOR_A_YEAR = "public, max-age=31536000, immutable"


class Assets:
    """All files of the folder, read once. An address changes with its file."""

    def __init__(self) -> None:
        folder = resources.files("muster_server.portal.pages") / "static"
        self._content = {file.name: file.read_bytes() for file in folder.iterdir()}
        self._digests = {
            name: hashlib.sha256(content).hexdigest()[:12]
            for name, content in self._content.items()
        }

    def address(self, name: str) -> str:
        """Return the path of a file, e.g. "/static/0f343b0931fb/style.css"."""
        return f"/static/{self._digests[name]}/{name}"

    def answer(self, name: str) -> Response:
        """The file; NotFound if there is none of this name."""
        kind = _KINDS.get(name.rpartition(".")[2])
        if kind is None or name not in self._content:
            raise NotFound("there is no such file")
        return Response(self._content[name], 200, {"Cache-Control": _FOR_A_YEAR}, kind)


class HasAssets(Protocol):
    """A ground on which a room finds the files."""

    assets: Assets


def add(pages: APIRouter, ground: HasAssets) -> None:
    """The route of the files."""

    @pages.get("/static/{digest}/{name}")
    def asset(digest: str, name: str) -> Response:
        return ground.assets.answer(name)
