# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Has each text of the pages its German one, with the same places to fill in?"""

import ast
import re
from dataclasses import is_dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from muster_server import errors, outcomes, wording
from muster_server.api.reading import WANTED
from muster_server.portal.pages import words
from muster_server.portal.pages.texts import catalogues
from muster_server.portal.passkeys import REFUSED
from muster_server.portal.wifi import MISSING, TOO_SHORT_OR_LONG

_PAGES = Path(str(resources.files("muster_server.portal.pages")))
_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_CALLED = re.compile(rf"\bt\({_QUOTED}")
_LISTED = re.compile(rf'\("\w+", t\({_QUOTED}')
# Of macros that translate what they are given.
_PASSED = re.compile(rf"password\([^)]*error, {_QUOTED}\)")
_PLACES = re.compile(r"\{(\w+)\}")
# Modules whose errors people meet in forms.
_REFUSING = (
    *("people", "wifi", "access", "typed_label", "throttle"),
    *("second_factor", "passkeys", "transfers", "webhooks", "tasks"),
)


def in_templates() -> set[str]:
    found = {"It waits.", "Password", "The password is changed."}  # given by name
    for file in (_PAGES / "templates").glob("*.html"):
        text = file.read_text()
        for pattern in (_CALLED, _LISTED, _PASSED):
            found |= set(pattern.findall(text))
    return found


def in_words() -> set[str]:
    def texts(value: Any) -> set[str]:
        if isinstance(value, str):
            return {value}
        if is_dataclass(value):
            return {value.sentence} if isinstance(value, words.Mend) else set()
        if isinstance(value, dict):
            return set().union(*map(texts, value.values()))
        if isinstance(value, tuple):
            return set().union(*(texts(part) for part in value)) if value else set()
        return set()

    tables = [value for name, value in vars(words).items() if name.isupper() and name != "OPENING"]
    return set().union(*map(texts, tables))


def in_errors() -> set[str]:
    """Details without a place to fill in, and titles."""
    titles = {
        kind.title
        for kind in vars(errors).values()
        if isinstance(kind, type)
        and issubclass(kind, errors.HostError)
        and kind not in (errors.SettingsError, errors.StoreError)
    }
    details = set()
    for module in _REFUSING:
        tree = ast.parse((_PAGES.parent / f"{module}.py").read_text())
        details |= raised(tree)
    for file in _PAGES.glob("*.py"):
        details |= raised(ast.parse(file.read_text()))
    read = {text for text in WANTED.values() if "{" not in text}
    return titles | details | read | {MISSING, TOO_SHORT_OR_LONG, REFUSED}


def raised(tree: ast.Module) -> set[str]:
    return {
        str(node.exc.args[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and node.exc.args
        and isinstance(node.exc.args[0], ast.Constant)
        and ast.unparse(node.exc.func) not in ("TypeError", "LabelMistyped", "ValueError")
    }


def in_timelines() -> set[str]:
    return {*wording.SEEN.values(), *outcomes.STEPS.values()}


def wanted() -> set[str]:
    return in_templates() | in_words() | in_errors() | in_timelines()


def test_each_text_has_its_german_one_and_none_is_left_over() -> None:
    german = catalogues()["de"]
    assert sorted(wanted() - german.keys()) == []
    assert sorted(german.keys() - wanted()) == []


def test_places_to_fill_in_are_the_same() -> None:
    for text, translated in catalogues()["de"].items():
        assert set(_PLACES.findall(text)) == set(_PLACES.findall(translated)), text
