# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Labels drawn on pages, each with its QR code and all that it says, for printing."""

from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING, Any

from muster_server.errors import SettingsError
from muster_server.label_commands import code_of
from muster_server.label_sizes import Sheet

if TYPE_CHECKING:  # it takes long to import, and not every command needs it
    from muster_server.label import Label

_EDGE_MM = 1.5  # of a label that stays empty: printers are not exact
_QUIET = 2  # modules around a code, on white paper
_LEAST_MODULE_MM = 0.25  # what a phone reads from a laser printer's sheet
_LEAST_PT, _MOST_PT = 4.0, 9.0
_GROUPS = 3  # of the secret in a line
_WIDTH_EM = 0.6  # of a character in Courier
_LINE_EM = 1.25
_MM = 72 / 25.4


def drawn(
    labels: Iterable["Label"], sheet: Sheet, first: int = 0, is_outlined: bool = False
) -> bytes:
    """Return the PDF with the labels, from a place of the first sheet on, counted from 0.

    Raises SettingsError for a label that is too small for its code, or for its words.
    """
    from reportlab.pdfgen.canvas import Canvas

    content = BytesIO()
    canvas = Canvas(content, pagesize=(sheet.page[0] * _MM, sheet.page[1] * _MM), invariant=True)
    canvas.setTitle("Muster labels")
    for number, label in enumerate(labels, first):
        page, place = divmod(number, sheet.count)
        if place == 0 and page > 0:
            canvas.showPage()
        left, top = sheet.corner(place)
        box = _Box(canvas, left, sheet.page[1] - top - sheet.label[1], *sheet.label)
        if is_outlined:
            canvas.setLineWidth(0.2)
            canvas.rect(box.left * _MM, box.low * _MM, box.width * _MM, box.height * _MM)
        box.draw(label)
    canvas.save()
    return content.getvalue()


class _Box:
    """One label's place on the page, in mm from the page's lower left corner."""

    def __init__(self, canvas: Any, left: float, low: float, width: float, height: float) -> None:
        self._canvas = canvas
        self.left, self.low, self.width, self.height = left, low, width, height

    def draw(self, label: "Label") -> None:
        """Draw the code at the left, and beside it what people read."""
        inner = self.height - 2 * _EDGE_MM, self.width - 2 * _EDGE_MM
        side = min(inner[0], inner[1] / 2)
        self._draw_code(code_of(label.qr_text), side)
        self._draw_words(label, _EDGE_MM + side + _EDGE_MM)

    def _draw_code(self, code: Any, side: float) -> None:
        matrix = [list(row) for row in code.matrix_iter(border=_QUIET)]
        module = side / len(matrix)
        if module < _LEAST_MODULE_MM:
            raise SettingsError(
                f"--size: a label of {self.width:g} x {self.height:g} mm is too small for its QR "
                f"code, whose {len(matrix)} squares would be {module:.2f} mm each"
            )
        top = self.low + (self.height + side) / 2
        path = self._canvas.beginPath()
        for y, row in enumerate(matrix):
            for x, is_dark in enumerate(row):
                if is_dark:
                    corner = self.left + _EDGE_MM + x * module, top - (y + 1) * module
                    path.rect(corner[0] * _MM, corner[1] * _MM, module * _MM, module * _MM)
        self._canvas.drawPath(path, stroke=0, fill=1)

    def _draw_words(self, label: "Label", indent: float) -> None:
        lines = _words(label)
        width = (self.width - indent - _EDGE_MM) * _MM
        height = (self.height - 2 * _EDGE_MM) * _MM
        longest = max(len(text) for _, text in lines)
        size = min(_MOST_PT, width / longest / _WIDTH_EM, height / len(lines) / _LINE_EM)
        if size < _LEAST_PT:
            raise SettingsError(
                f"--size: a label of {self.width:g} x {self.height:g} mm is too small for the "
                f"words beside its QR code, which would be {size:.1f} points high"
            )
        used = size * _LINE_EM * len(lines)
        y = (self.low + self.height / 2) * _MM + used / 2 - size
        for font, text in lines:
            self._canvas.setFont(font, size)
            self._canvas.drawString((self.left + indent) * _MM, y, text)
            y -= size * _LINE_EM


def _words(label: "Label") -> list[tuple[str, str]]:
    """Fonts and texts of the lines; the secret in groups, as people type it."""
    groups = label.grouped.split()
    secret = [" ".join(groups[n : n + _GROUPS]) for n in range(0, len(groups), _GROUPS)]
    bold, plain = "Courier-Bold", "Courier"
    lines = [(bold, label.device_id), *((plain, text) for text in secret)]
    return [*lines, (bold, "setup passphrase"), (plain, label.setup_passphrase)]
