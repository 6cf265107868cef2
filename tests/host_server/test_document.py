# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""What does reading JSON promise?"""

import pytest

from muster_server.document import DEEPEST, parse_json
from muster_server.errors import Invalid


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400", "-1e400"])
@pytest.mark.parametrize(
    ("text", "path"),
    [("@", ""), ('{"app":{"limit":@}}', "app.limit"), ('[0,{"x":[1.5,@]}]', "[1].x[1]")],
)
def test_number_that_is_none_is_refused_by_its_path(text: str, path: str, number: str) -> None:
    with pytest.raises(Invalid, match="finite number") as caught:
        parse_json(text.replace("@", number))
    assert caught.value.path == path


def test_first_of_several_is_the_one_that_is_named() -> None:
    with pytest.raises(Invalid) as caught:
        parse_json('{"a":[{"b":[1,NaN]}],"c":NaN}')
    assert caught.value.path == "a[0].b[1]"


def test_numbers_as_large_as_a_host_can_hold_are_read() -> None:
    text = '{"x":[1e308,-1e308,123456789012345678901234567890]}'
    assert parse_json(text) == {"x": [1e308, -1e308, 123456789012345678901234567890]}


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, b"\xff", "1" * 10_000])
def test_text_that_is_not_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(Invalid, match="not JSON"):
        parse_json(text)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (r'{"app":{"a":[1,"\ud800"]}}', "app.a[1]"),
        (r'{"app":{"x\udfff":1}}', "app"),
        (r'"\udc00\ud800"', ""),
    ],
)
def test_text_that_utf_8_cannot_carry_is_refused_by_its_path(text: str, path: str) -> None:
    with pytest.raises(Invalid, match="half a surrogate pair") as caught:
        parse_json(text)
    assert caught.value.path == path


def test_whole_surrogate_pair_is_text() -> None:
    assert parse_json(r'["\ud83d\ude00"]') == ["\U0001f600"]


@pytest.mark.parametrize("depth", [65, 500, 900])
def test_nesting_that_could_not_be_written_again_is_refused(depth: int) -> None:
    with pytest.raises(Invalid, match="nested more than 64 deep") as caught:
        parse_json('{"app":' + '{"a":' * depth + "1" + "}" * depth + "}")
    assert caught.value.path is not None
    assert caught.value.path.startswith("app.a.a")


def test_path_of_endless_names_is_cut() -> None:
    with pytest.raises(Invalid) as caught:
        parse_json('{"' + "a" * 100_000 + '":NaN}')
    assert len(caught.value.path or "") < 250


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (b'{"a":[1,NaN]}', "a[1]"),
        (b'{"a":-Infinity}', "a"),
        (b'{"a":1' + b"0" * 400 + b".5}", "a"),
        ('{"a":"\\ud800"}', "a"),
        ('{"a":"\ud800"}', "a"),
        ('{"a":NaN}'.encode("utf-16"), "a"),
    ],
)
def test_number_or_text_that_no_other_side_takes_is_found_in_whatever_way_it_is_written(
    text: bytes | str, path: str
) -> None:
    with pytest.raises(Invalid) as caught:
        parse_json(text)
    assert caught.value.path == path


def test_depth_is_counted_and_brackets_beside_each_other_are_not() -> None:
    assert parse_json("[" + "[]," * 200 + "1]")[-1] == 1
    deepest = "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1)
    assert parse_json(deepest)
    with pytest.raises(Invalid):
        parse_json(f"[{deepest}]")
