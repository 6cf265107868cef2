# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Can what `muster label sheet` draws be read again, by a scanner and by a person?"""

import csv
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp

from muster_server import cli
from muster_server.label import Label, new_label, parse_label
from muster_server.label_drawing import drawn
from muster_server.label_sizes import ALIASES, SHEETS, sheet_named
from tests import secrecy

_PRINTER_DPI = 300


def some(count: int) -> list[Label]:
    labels = [new_label() for _ in range(count)]
    for label in labels:
        secrecy.hide_label(label.qr_text, label.secret)
    return labels


def scanned(page: pypdfium2.PdfPage) -> list[str]:
    """The codes of a page, as a printer prints it, from its upper left corner on."""
    image = page.render(scale=_PRINTER_DPI / 72).to_pil()
    found = zxingcpp.read_barcodes(image)
    found.sort(key=lambda code: (round(code.position.top_left.y, -1), code.position.top_left.x))
    return [code.text for code in found]


def table_of(labels: list[Label], file: Path) -> Path:
    with file.open("w", newline="") as rows:
        csv.writer(rows).writerows([label.device_id, label.qr_text] for label in labels)
    return file


@pytest.mark.parametrize("name", [*SHEETS, "62x29", "38x90"])
def test_each_size_is_scanned_and_read(name: str) -> None:
    sheet = sheet_named(name)
    labels = some(sheet.count + 1)
    with pypdfium2.PdfDocument(drawn(labels, sheet)) as document:
        assert len(document) == 2
        width, height = (side / 72 * 25.4 for side in document[0].get_size())
        assert (width, height) == pytest.approx(sheet.page, abs=0.1)
        assert scanned(document[0]) == [label.qr_text for label in labels[:-1]]
        assert scanned(document[1]) == [labels[-1].qr_text]
        words = document[1].get_textpage().get_text_range()
    assert words.split()[0] == labels[-1].device_id
    assert "".join(words.split()[1:10]) == labels[-1].grouped.replace(" ", "")
    assert words.split()[-1] == labels[-1].setup_passphrase


@pytest.mark.parametrize("name", SHEETS)
def test_labels_of_a_sheet_lie_on_it_and_not_on_each_other(name: str) -> None:
    sheet = SHEETS[name]
    corners = [sheet.corner(number) for number in range(sheet.count)]
    for (left, top), (side, height), (page, length) in (
        (corner, sheet.label, sheet.page) for corner in corners
    ):
        assert left >= 0 and left + side <= page + 0.1
        assert top >= 0 and top + height <= length + 0.1
    assert sheet.columns == 1 or sheet.pitch[0] >= sheet.label[0]
    assert sheet.rows == 1 or sheet.pitch[1] >= sheet.label[1]


def test_used_sheet_is_gone_on_with(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labels, out = some(3), tmp_path / "labels.pdf"
    file = table_of(labels, tmp_path / "labels.csv")
    options = ["--size", "HERMA-4677", "--first", "20", "--pdf", str(out)]
    assert cli.main(["label", "sheet", str(file), *options]) == 0
    assert "3 labels on 2 pages" in capsys.readouterr().out
    assert out.stat().st_mode & 0o777 == 0o600
    with pypdfium2.PdfDocument(out) as document:
        assert scanned(document[0]) == [label.qr_text for label in labels[:2]]
        assert scanned(document[1]) == [labels[2].qr_text]


def test_table_of_label_new_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["label", "new", "-n", "2"]) == 0
    text = capsys.readouterr().out
    file, out = tmp_path / "labels.csv", tmp_path / "labels.pdf"
    file.write_text(text)
    assert cli.main(["label", "sheet", str(file), "--pdf", str(out), "--outline"]) == 0
    wanted = [row["label"] for row in csv.DictReader(text.splitlines())]
    for one in wanted:
        secrecy.hide_label(one, parse_label(one).secret)
    with pypdfium2.PdfDocument(out) as document:
        assert scanned(document[0]) == wanted


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--size", "avery-1"], 'there is no "avery-1"; there are avery-l7160'),
        (["--size", "12x10"], "too small for its QR code"),
        (["--size", "62x9"], 'there is no "62x9"'),
        (["--first", "22"], "a sheet has places 1 to 21, got 22"),
    ],
    ids=["no such", "too small", "too flat", "no such place"],
)
def test_size_that_cannot_be_is_named(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = table_of(some(1), tmp_path / "labels.csv")
    out = tmp_path / "labels.pdf"
    assert cli.main(["label", "sheet", str(file), "--pdf", str(out), *options]) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_row_that_is_no_label_is_named_and_nothing_is_drawn(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = table_of(some(2), tmp_path / "labels.csv")
    file.write_text(file.read_text() + "M-3,MUSTER:1:M-3:TOOSHORT\n")
    assert cli.main(["label", "sheet", str(file), "--pdf", str(tmp_path / "labels.pdf")]) == 2
    err = capsys.readouterr().err
    assert "row 3: secret: the secret has 36 characters" in err
    assert "TOOSHORT" not in err
    assert not (tmp_path / "labels.pdf").exists()


def test_names_of_makers_lead_to_sheets() -> None:
    assert set(ALIASES.values()) <= SHEETS.keys()
