# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Labels for printing, from a table that is uploaded for that alone. A label's secret is sealed
where it is kept, and no server gives it out again.
"""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from muster_server.errors import HostError, Invalid, LabelRefused, SettingsError
from muster_server.label import Label, parse_label
from muster_server.label_drawing import drawn
from muster_server.label_sizes import ALIASES, SHEETS, USUAL
from muster_server.label_table import rows_in
from muster_server.portal.pages.forms import Form, form_of
from muster_server.portal.pages.ground import Ground, takes_file
from muster_server.portal.pages.many import text_in
from muster_server.portal.pages.sessions import Changing

MOST = 2000  # labels in a file
_FILE_BYTES = 1024 * 1024


def add(pages: APIRouter, ground: Ground) -> None:
    """The routes."""
    sizes = sheet_names()

    def shown(request: Request, form: Form | None, error: HostError | None) -> Response:
        return ground.page(
            request,
            "label_sheets.html",
            error.status if error else 200,
            sizes=sizes,
            size=form.line("size") if form else USUAL,
            first=form.line("first") if form else "1",
            error=error,
        )

    @pages.get("/labels")
    def label_sheets(request: Request, visitor: Changing) -> Response:
        return shown(request, None, None)

    @pages.post("/labels")
    @takes_file(_FILE_BYTES)
    def draw_labels(request: Request, visitor: Changing) -> Response:
        form = form_of(request)
        try:
            labels = _labels_in(form.text("csv") or text_in(form))
            request.state.about = f"{len(labels)} labels"
            pdf = _pdf_of(labels, form)
        except HostError as error:
            return shown(request, form, error)
        name = {"Content-Disposition": 'attachment; filename="labels.pdf"'}
        return Response(pdf, 200, name, "application/pdf")


def sheet_names() -> dict[str, str]:
    """Return the words for each sheet, by its name."""
    return {name: _sold_as(name) for name in SHEETS}


def _labels_in(text: str) -> list[Label]:
    rows = rows_in(text)
    if not rows:
        raise Invalid("there is no label in this table", path="csv")
    if len(rows) > MOST:
        raise Invalid(f"wanted 1 to {MOST} rows with labels, got {len(rows)}", path="csv")
    labels = []
    for row in rows:
        try:
            labels.append(parse_label(row.label))
        except LabelRefused as error:
            raise Invalid(f"row {row.number}: {error.detail}", path="csv") from None
    return labels


def _pdf_of(labels: list[Label], form: Form) -> bytes:
    sheet = SHEETS.get(form.line("size"))
    if sheet is None:
        raise Invalid("choose a sheet", path="size")
    first = form.number("first")
    if not 1 <= first <= sheet.count:
        raise Invalid(f"a sheet has places 1 to {sheet.count}", path="first")
    try:
        return drawn(labels, sheet, first - 1, bool(form.line("outline")))
    except SettingsError as error:
        raise Invalid(error.detail.removeprefix("--size: "), path="size") from None


def _sold_as(name: str) -> str:
    other = [alias for alias, sheet in ALIASES.items() if sheet == name]
    sheet = SHEETS[name]
    size = f"{sheet.label[0]:g} × {sheet.label[1]:g} mm"
    return f"{', '.join([name, *other])}: {size}"
