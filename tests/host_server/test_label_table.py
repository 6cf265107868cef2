# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does the table of a bulk registration promise?"""

import csv
import io
from typing import Any

import pytest

from muster_server.label import new_label
from muster_server.label_table import labels_in
from tests.host_server.golden import cases

ONE, OTHER = new_label("A-1").qr_text, new_label("A-2").qr_text


def written(rows: list[list[str]], delimiter: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("heading", [[], [["number", "model", "label"]]])
def test_label_is_found_in_its_column(delimiter: str, heading: list[list[str]]) -> None:
    rows = [*heading, ["1", 'the "press"', ONE], ["2", "press", OTHER]]
    assert labels_in(written(rows, delimiter)) == [ONE, OTHER]
    assert labels_in("\ufeff" + written(rows, delimiter).replace("\r\n", "\n")) == [ONE, OTHER]


def test_label_need_not_stand_in_the_last_column() -> None:
    assert labels_in(written([["label", "note"], [ONE, "hall 2"]])) == [ONE]


def test_row_without_a_label_is_told_by_what_it_has() -> None:
    assert labels_in(written([["1", ONE], ["2", ""], ["3", "x"]])) == [ONE, "", "x"]


def test_quotation_mark_without_its_other_spoils_no_other_row() -> None:
    assert labels_in(f'1,"{ONE}\n2,{OTHER}\n3,{"x" * 200_000}')[1] == OTHER


def test_file_of_labels_alone_is_one_too() -> None:
    assert labels_in(f"{ONE}\n\n  \n{OTHER}\n") == [ONE, OTHER]
    assert labels_in("") == labels_in("\n") == []


@cases("labels", is_valid=True)
def test_golden_label_comes_out_of_a_table_as_it_went_in(case: dict[str, Any]) -> None:
    text = " ".join(case.get("typed", case["label"]).split())
    assert labels_in(written([["id", "label"], [case["device_id"], text]])) == [text]
