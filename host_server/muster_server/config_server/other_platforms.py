# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The operator's file on platforms of others: as whom this server comes there, and who else may
change configurations at a platform.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from muster_server.errors import SettingsError
from muster_server.private_files import read_private

_FIELDS = ("url", "originator", "token", "ca_file", "callback", "cse")
_MOST_EDITORS = 32


@dataclass(frozen=True)
class OtherPlatform:
    """A platform of somebody else. Its originator is a secret where nothing else is asked for."""

    url: str
    originator: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    callback: str | None = None  # where that platform reaches this server
    cse: str = "cse-in"


@dataclass(frozen=True)
class OtherPlatforms:
    """All that the operator's file says."""

    platforms: tuple[OtherPlatform, ...] = ()
    editors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by owner

    def at(self, url: str) -> OtherPlatform | None:
        """Return the platform at this URL."""
        wanted = url.rstrip("/")
        return next((each for each in self.platforms if each.url == wanted), None)


def read_platforms(path: Path | None) -> OtherPlatforms:
    """Read the file, which nobody else may read.

    Raises SettingsError that names the file and the field that is wrong, never a secret.
    """
    if path is None:
        return OtherPlatforms()
    try:
        document = tomllib.loads(read_private(path))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not TOML"
        raise SettingsError(f"--platforms-file: {path}: {reason}") from None
    unknown = set(document) - {"platform", "editors"}
    if unknown:
        raise _wrong(path, min(unknown), "not known; there are platform and editors")
    listed = document.get("platform", [])
    if not isinstance(listed, list):
        raise _wrong(path, "platform", "wanted [[platform]]")
    platforms = tuple(_platform(path, n, each) for n, each in enumerate(listed))
    return OtherPlatforms(platforms, _editors(path, document.get("editors", {})))


def _platform(path: Path, n: int, given: Any) -> OtherPlatform:
    name = f"platform[{n}]"
    if not isinstance(given, dict):
        raise _wrong(path, name, "wanted [[platform]]")
    for key, value in given.items():
        if key not in _FIELDS:
            raise _wrong(path, f"{name}.{key}", f"not known; there are {', '.join(_FIELDS)}")
        if not isinstance(value, str) or not 1 <= len(value) <= 256 or not value.isprintable():
            raise _wrong(path, f"{name}.{key}", "wanted a text")
    for key in ("url", "originator"):
        if key not in given:
            raise _wrong(path, f"{name}.{key}", "missing")
    for key in ("url", "callback"):
        if not given.get(key, "http://").startswith(("http://", "https://")):
            raise _wrong(path, f"{name}.{key}", "wanted a URL with http or https")
    if "token" in given and not given["url"].startswith("https://"):
        raise _wrong(path, f"{name}.token", "a token must not travel over http; use https")
    return OtherPlatform(**{**given, "url": given["url"].rstrip("/")})


def _editors(path: Path, given: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(given, dict):
        raise _wrong(path, "editors", 'wanted [editors] with lines such as admin = ["Capp…"]')
    for owner, names in given.items():
        is_list = isinstance(names, list) and len(names) <= _MOST_EDITORS
        if not is_list or not all(isinstance(n, str) and 1 < len(n) <= 64 for n in names):
            raise _wrong(path, f"editors.{owner}", "wanted a list of originators")
    return {owner: tuple(names) for owner, names in given.items()}


def _wrong(path: Path, name: str, detail: str) -> SettingsError:
    return SettingsError(f"--platforms-file: {path}: {name}: {detail}")
