# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The portal's routes for the offline flow: bundles as file, text and QR codes, and receipts."""

import io
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query
from fastapi.responses import Response

from muster_server.api import bodies, views
from muster_server.api.description import Description
from muster_server.api.reading import read_body
from muster_server.errors import NotFound
from muster_server.portal.access import Owner
from muster_server.portal.service import Portal
from muster_server.qr_codes import MOST_PARTS, codes_of
from muster_server.web import body_within, json_response

BODY_LIMIT_BYTES = 64 * 1024
FILE_TYPE = "application/jose"

Body = Annotated[bytes, Depends(body_within(BODY_LIMIT_BYTES))]


def add_offline(app: FastAPI, portal: Portal, guard: list[Any], described: Description) -> None:
    """The routes, for holders of the token that `guard` asks for."""
    _add_making(app, portal, guard, described)
    _add_forms(app, portal, guard, described)
    _add_checks(app, portal, guard, described)


def _add_making(app: FastAPI, portal: Portal, guard: list[Any], described: Description) -> None:
    made = described.of(views.BundleView, bodies.NewBundle, 201)
    path = "/v1/devices/{device_id}/bundles"

    @app.post(path, dependencies=guard, **made)
    def make_bundle(device_id: str, body: Body, owner: Owner) -> Response:
        """Seal the device's configuration, for a user to carry. A newer one supersedes older."""
        wanted = read_body(bodies.NewBundle, body)
        return json_response(portal.make_bundle(device_id, wanted, owner), 201)

    @app.get(path, dependencies=guard, **described.of(views.Bundles))
    def list_bundles(device_id: str, owner: Owner) -> Response:
        """Return the progress of the device's bundles, the newest first."""
        return json_response(portal.bundles(device_id, owner))


def _add_forms(app: FastAPI, portal: Portal, guard: list[Any], described: Description) -> None:
    path = "/v1/devices/{device_id}/bundle"

    @app.get(path, dependencies=guard, **described.of(kind=FILE_TYPE))
    def bundle_file(device_id: str, owner: Owner) -> Response:
        """The newest bundle as a file, <device_id>.muster. That it was given is written down."""
        text = portal.bundle_text(device_id, owner)
        # The id has passed the portal's check, so it is safe in a header.
        disposition = f'attachment; filename="{device_id.upper()}.muster"'
        return Response(text, 200, {"Content-Disposition": disposition}, FILE_TYPE)

    @app.get(path + ".txt", dependencies=guard, **described.of(kind="text/plain"))
    def bundle_text(device_id: str, owner: Owner) -> Response:
        """The newest bundle as text to paste."""
        return Response(portal.bundle_text(device_id, owner), media_type="text/plain")

    @app.get(path + ".svg", dependencies=guard, **described.of(kind="image/svg+xml"))
    def bundle_code(
        device_id: str,
        owner: Owner,
        part: Annotated[int, Query(ge=1, le=MOST_PARTS)] = 1,
    ) -> Response:
        """The newest bundle as a QR code, or as one part of several (header X-Parts)."""
        codes = codes_of(portal.bundle_text(device_id, owner))
        if part > len(codes):
            raise NotFound(f"the bundle fills {len(codes)} QR codes, and has no part {part}")
        image = io.BytesIO()
        codes[part - 1].save(image, kind="svg", scale=4)
        headers = {"X-Parts": str(len(codes))}
        return Response(image.getvalue(), 200, headers, "image/svg+xml")


def _add_checks(app: FastAPI, portal: Portal, guard: list[Any], described: Description) -> None:
    checked = described.of(views.CheckedBundle, bodies.BundleText)
    verdict = described.of(views.ReceiptVerdict, bodies.TypedReceipt)

    @app.post("/v1/bundles/check", dependencies=guard, **checked)
    def check_bundle(body: Body, owner: Owner) -> Response:
        """Return the device of a bundle, and the bundle's progress."""
        return json_response(portal.check_bundle(read_body(bodies.BundleText, body), owner))

    @app.post("/v1/devices/{device_id}/receipts", dependencies=guard, **verdict)
    def check_receipt(device_id: str, body: Body, owner: Owner) -> Response:
        """Enter what the device shows after it has tried its bundle."""
        receipt = read_body(bodies.TypedReceipt, body)
        return json_response(portal.check_receipt(device_id, receipt, owner))
