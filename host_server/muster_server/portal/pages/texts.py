# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The pages' languages. Texts are written in English where they are used; a catalogue has others.

texts/de.toml maps each English text to its German one; tests see to it that none is missing.
"""

import tomllib
from collections.abc import Callable
from importlib import resources
from typing import Any

from fastapi import Request

LANGUAGES = {"en": "English", "de": "Deutsch"}
COOKIE = "muster_language"

Translate = Callable[..., str]


def catalogues() -> dict[str, dict[str, str]]:
    """Read the texts of each language, by their English ones."""
    folder = resources.files("muster_server.portal.pages") / "texts"
    other = {
        language: tomllib.loads((folder / f"{language}.toml").read_text("utf-8"))["texts"]
        for language in LANGUAGES
        if language != "en"
    }
    return {"en": {}, **other}


def translator(catalogue: dict[str, str]) -> Translate:
    """Return a function that gives a text in the catalogue's language, its braces filled in."""

    def translate(text: str, **values: Any) -> str:
        found = catalogue.get(text, text)
        return found.format(**values) if values else found

    return translate


def language_of(request: Request) -> str:
    """Return the language that was asked for by address, by cookie, or by the browser."""
    for asked in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if asked in LANGUAGES:
            return asked
    for part in request.headers.get("accept-language", "").split(","):
        language = part.partition(";")[0].strip()[:2].lower()
        if language in LANGUAGES:
            return language
    return "en"
