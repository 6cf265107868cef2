# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Does the page read a label with the camera? Chromium plays it a film of a QR code."""

import re
from pathlib import Path
from typing import Any

import segno
from playwright.sync_api import expect

from muster_server.label import new_label
from tests.host_server.portal.pages.site import Person, Site
from tests.programs import chromium

_ANSWER_MS = 30_000
_PHONE: Any = {"width": 390, "height": 844}


def film(path: Path, text: str) -> Path:
    """A film of a QR code, in the form that Chromium's camera plays (YUV4MPEG2)."""
    scale, border = 6, 6
    code = segno.make_qr(text)
    side = (code.symbol_size()[0] + 2 * border) * scale
    side = int(side + side % 2)
    rows = []
    for row in code.matrix_iter(scale=scale, border=border):
        line = bytes(16 if dark else 235 for dark in row)
        rows.append(line.ljust(side, b"\xeb"))
    while len(rows) < side:
        rows.append(b"\xeb" * side)
    frame = b"FRAME\n" + b"".join(rows) + b"\x80" * (side * side // 2)
    header = f"YUV4MPEG2 W{side} H{side} F10:1 Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(header + frame * 5)
    return path


def test_camera_reads_the_label(site: Site, grace: Person, tmp_path: Path) -> None:
    label = new_label()
    with chromium.browser(
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film(tmp_path / 'label.y4m', label.qr_text)}",
    ) as browser:
        context = browser.new_context(viewport=_PHONE, locale="en-GB")
        context.set_default_timeout(_ANSWER_MS)
        context.add_cookies([{"name": "muster", "value": grace.cookie, "url": site.url}])
        expect.set_options(timeout=_ANSWER_MS)
        page = context.new_page()
        page.goto(site.url + "/add")
        page.get_by_role("button", name="Scan with the camera").click()
        expect(page.get_by_label(re.compile("Or type it"))).to_have_value(label.qr_text)
        expect(page.locator("#camera-said")).to_have_text("The label is read.")
        expect(page.locator("#viewer")).to_be_hidden()
        context.close()
