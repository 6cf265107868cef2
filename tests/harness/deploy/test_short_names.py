# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Private names become short, and nothing else changes."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from muster_harness.deploy.short_names import shortened

ROOT = Path(__file__).resolve().parents[3]
_ONE = """\
import other
_LONG_TABLE = 3
_VANISHING = const(0)
def _private_to_here(value, _of_argument=2):
    return value + _of_argument + _LONG_TABLE + _VANISHING
class Thing:
    _of_class = 5
    def __init__(self):
        self._attribute_of_thing = _private_to_here(1)
        self._shared_by_both = 1
    def _called_by_name(self):
        return self._attribute_of_thing
    def sum(self, foreign):
        foreign._of_somebody_else = 7  # not ours to rename
        total = getattr(self, "_called_by_name")() + self._of_class
        return total + foreign._of_somebody_else + self._shared_by_both
"""
_OTHER = """\
class Foreign:
    _shared_by_both = 1
    def _a(self):
        return 1
    def sum(self, foreign):
        return foreign._shared_by_both
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    (tmp_path / "one.py").write_text(_ONE)
    (tmp_path / "other.py").write_text(_OTHER)
    return tmp_path


def test_what_is_private_to_a_file_is_renamed_and_does_the_same(package: Path) -> None:
    made = shortened(package)
    text = made[package / "one.py"].decode()
    for name in ("_private_to_here", "_of_argument", "_attribute_of_thing", "_of_class", "_LONG"):
        assert name not in text
    for name in ("_shared_by_both", "_called_by_name", "_of_somebody_else", "_VANISHING"):
        assert name in text
    assert len(text.splitlines()) == len(_ONE.splitlines())
    assert "_a" not in re.findall(r"\b_\w\b", text)  # it is the other file's
    both = []
    for source in (_ONE, text):
        names: dict[str, Any] = {"const": int}
        exec(source.replace("import other", ""), names)  # noqa: S102 (written above)
        both.append(names["Thing"]().sum(type("Foreign", (), {})()))
    assert both == [19, 19]


_EACH = """\
_TABLE = [1]
class Base:
    def __init__(self):
        self._value = 1
    def _double(self):
        return self._value * 2 + _TABLE[0]
    def sum(self):
        return self._double()
"""


def test_each_file_has_its_own_of_a_private_name_that_several_make(tmp_path: Path) -> None:
    for name in ("one.py", "other.py"):
        (tmp_path / name).write_text(_EACH)
    for text in shortened(tmp_path).values():
        assert not set(re.findall(r"\w+", text.decode())) & {"_TABLE", "_value", "_double"}
        names: dict[str, Any] = {}
        exec(text, names)  # noqa: S102 (written above)
        assert names["Base"]().sum() == 3


def test_a_class_shares_its_private_names_with_one_of_another_file(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(_EACH)
    goes_on = _EACH.replace("class Base", "from one import Base\nclass More(Base)")
    (tmp_path / "other.py").write_text(goes_on)
    for text in shortened(tmp_path).values():
        assert set(re.findall(r"\w+", text.decode())) >= {"_value", "_double"}


_MORE = """\
from one import Base
class More(Base):
    def __init__(self):
        super().__init__()
        self._further = 5
    def both(self):
        return self.sum() + self._further
"""


def test_what_a_class_adds_to_one_of_another_file_hides_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(_EACH)
    (tmp_path / "other.py").write_text(_MORE)
    made = shortened(tmp_path)
    assert b"_further" not in made[tmp_path / "other.py"]
    names: dict[str, Any] = {}
    exec(made[tmp_path / "one.py"], names)  # noqa: S102 (written above)
    more = made[tmp_path / "other.py"].replace(b"from one import Base", b"")
    exec(more, names)  # noqa: S102
    assert names["More"]().both() == 8


_CLOSED = """\
import other
def add(first, second, named, spoken, third=0):
    f = lambda inner: inner + first
    return {"spoken": f(second) + named, "other": [first for _ in (1,)]}
class Thing:
    attribute = third = 3
    def sum(self, attribute, fourth):
        return self.attribute + attribute + fourth
"""


def test_in_a_closed_package_parameters_are_renamed_that_no_call_names(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(_CLOSED)
    (tmp_path / "other.py").write_text("import one\none.add(1, 2, named=3, spoken=4)\n")
    text = shortened(tmp_path, is_closed=True)[tmp_path / "one.py"].decode()
    used = set(re.findall(r"\w+", text))
    assert not used & {"first", "second", "inner", "fourth"}
    assert used >= {"named", "spoken", "third", "attribute", "add", "sum"}
    names: dict[str, Any] = {}
    exec(text.replace("import other", ""), names)  # noqa: S102 (written above)
    assert names["add"](1, 2, named=3, spoken=0) == {"spoken": 6, "other": [1]}
    assert names["Thing"]().sum(4, 5) == 12
    assert "first" in shortened(tmp_path)[tmp_path / "one.py"].decode()


def test_a_parameter_may_be_called_like_a_builtin_or_a_module(tmp_path: Path) -> None:
    text = """from settings import load as fetch
def size(len, settings, load): return settings
def other(): return len(fetch())
"""
    (tmp_path / "one.py").write_text(text)
    (tmp_path / "settings.py").write_text("def load():\n    return [1]\n")
    assert shortened(tmp_path, is_closed=True)[tmp_path / "one.py"].decode() == text


def test_a_private_name_behind_an_escape_stays(tmp_path: Path) -> None:
    text = '_name = "\\n_name"\n'
    (tmp_path / "one.py").write_text(text)
    assert shortened(tmp_path)[tmp_path / "one.py"].decode() == text


def test_what_the_firmware_offers_its_owner_keeps_its_parameters() -> None:
    package = ROOT / "firmware" / "muster"
    made = shortened(package, is_closed=True)
    for file, offered in (("__init__.py", "run(app)"), ("session.py", ", name, value)")):
        assert offered in made[package / file].decode()


def test_the_firmware_keeps_its_lines_and_loses_names() -> None:
    package = ROOT / "firmware" / "muster"
    made = shortened(package, is_closed=True)
    assert made.keys() == set(package.rglob("*.py"))
    before: set[str] = set()
    after: set[str] = set()
    for path, text in made.items():
        source = path.read_text()
        assert text.decode().count("\n") == source.count("\n")
        for names, code in ((before, source), (after, text.decode())):
            names |= {word for word in re.findall(r"\b_[a-z]\w*", code) if word[1] != "_"}
        ast.parse(text)
    assert len(after) < len(before) / 2
