# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Forms as a browser would send them: what is shown, with some of it typed over."""

from html.parser import HTMLParser


class _Fields(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._area = self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if (
            tag == "input"
            and given.get("type") not in ("checkbox", "radio")
            or tag == "input"
            and "checked" in given
        ):
            self.values[name] = given.get("value") or ""
        elif tag == "textarea":
            self._area = name
            self.values[name] = ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given:
            self.values[self._select] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area] += data


def fields(page: str, **typed: str) -> dict[str, str]:
    """Return the fields of the page's forms, with what a person has typed."""
    parser = _Fields()
    parser.feed(page)
    return {name: value for name, value in {**parser.values, **typed}.items() if name}
