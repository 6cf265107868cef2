# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Makes a device of a bare board, in a browser that reaches serial ports.

The browser does all of it; this server gives it files, and labels, which it does not keep.
"""

import hashlib

import segno
from fastapi import APIRouter, Request
from fastapi.responses import Response

from muster_server.errors import NotFound
from muster_server.label import new_label
from muster_server.portal.firmware_kit import FirmwareKit
from muster_server.portal.pages.forms import form_of
from muster_server.portal.pages.ground import Ground
from muster_server.portal.pages.label_sheets import sheet_names
from muster_server.portal.pages.sessions import Managing
from muster_server.web import json_response

# The address changes with the content.
_FOR_A_DAY = {"Cache-Control": "private, max-age=86400, immutable"}


def add(pages: APIRouter, ground: Ground) -> None:
    """The routes."""

    @pages.get("/prepare")
    def prepare(request: Request, visitor: Managing) -> Response:
        return ground.page(request, "prepare.html", kit=ground.kit, sizes=sheet_names())

    def kit() -> FirmwareKit:
        if ground.kit is None:
            raise NotFound("this portal was given no firmware")
        return ground.kit

    @pages.get("/prepare/{digest}/firmware.json")
    def firmware(digest: str, visitor: Managing) -> Response:
        # Kept by no browser: the passphrase of the onboarding network may be in it.
        return Response(kit().description, 200, media_type="application/json")

    @pages.get("/prepare/{digest}/{name}.bin")
    def micropython(digest: str, name: str, visitor: Managing) -> Response:
        image = kit().images.get(name)
        if image is None:
            raise NotFound("this portal was given no image for this board")
        return Response(image, 200, _FOR_A_DAY, "application/octet-stream")

    @pages.post("/prepare/label")
    def make_label(request: Request, visitor: Managing) -> Response:
        """A label for the board that the browser has at hand; with an id, a new one for this."""
        label = new_label(form_of(request).line("device_id").upper() or None)
        request.state.about = label.device_id
        made = {
            "device_id": label.device_id,
            "groups": label.grouped,
            "setup_passphrase": label.setup_passphrase,
            "label": label.qr_text,
            "drawing": segno.make_qr(label.qr_text, error="m").svg_data_uri(scale=4, light="#fff"),
            "secret": label.secret.hex(),
            "secret_sha256": hashlib.sha256(label.secret).hexdigest(),
        }
        return json_response(made)
