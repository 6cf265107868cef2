# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The audit log, for administrators: to read, and to take away as CSV."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response, StreamingResponse

from muster_server.document import LARGEST_INT
from muster_server.portal.pages.ground import Ground
from muster_server.portal.pages.sessions import Administering
from muster_server.safe_csv import csv_row
from muster_server.store.audit import AuditStore

_A_PAGE = 100
_HEAD = ("number", "at", "who", "owner", "address", "deed", "about", "status")


def add(pages: APIRouter, ground: Ground) -> None:
    """The routes."""

    @pages.get("/audit")
    def audit(
        request: Request,
        visitor: Administering,
        before: Annotated[int | None, Query(ge=1, le=LARGEST_INT)] = None,
    ) -> Response:
        lines = ground.audit.newest(_A_PAGE + 1, before)
        more = lines[_A_PAGE - 1].id if len(lines) > _A_PAGE else None
        return ground.page(request, "audit.html", lines=lines[:_A_PAGE], more=more)

    @pages.get("/audit.csv")
    def export(visitor: Administering) -> Response:
        name = {"Content-Disposition": 'attachment; filename="audit.csv"'}
        return StreamingResponse(as_csv(ground.audit), 200, name, "text/csv")


def as_csv(store: AuditStore) -> Iterator[str]:
    """Return the log's lines, the oldest first, with nothing in them that a table works out."""
    yield csv_row(_HEAD)
    for line in store.all():
        deed = line.deed
        at = datetime.fromtimestamp(deed.at, UTC).isoformat(timespec="seconds")
        texts = (deed.who, deed.owner, deed.address, deed.deed, deed.about)
        yield csv_row((line.id, at, *texts, deed.status))
