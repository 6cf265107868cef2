# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""A Chromium that needs neither root nor the system's libraries and fonts: it brings its own."""

import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from playwright.sync_api import Browser, sync_playwright

from set_up import Failed, run
from tests import surroundings
from tests.programs import Missing, once
from tests.programs.node import node, npm_packages

_FOLDER = Path(__file__).parent / "browser"
_ON_PATH = ("chromium", "chromium-browser", "google-chrome")
_START_S = 30
# In containers and as root there is no sandbox to be had, and /dev/shm is often small.
_OPTIONS = ["--no-sandbox", "--disable-dev-shm-usage"]
_UNPACK = """
const { createReadStream, createWriteStream } = require("node:fs");
const { createBrotliDecompress } = require("node:zlib");
const { pipeline } = require("node:stream/promises");
const [from, to] = process.argv.slice(1);
pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to));
"""
# Without a font it ends at the first letter that it draws.
_FONTS = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{home}/fonts</dir><cachedir>{home}/fonts-cache</cachedir></fontconfig>
"""


@dataclass(frozen=True)
class Chromium:
    """A program that starts here, and the variables that it needs for that."""

    path: str
    variables: dict[str, str] = field(default_factory=dict)


@contextmanager
def browser(*options: str) -> Iterator[Browser]:
    """A browser without a window, driven by Playwright; Missing if there is none.

    `options` are further ones for its command line, such as a film for its camera.
    """
    program = chromium()
    # Playwright's own Node wants a library (libatomic) that bare systems do not have.
    with patch.dict(os.environ, PLAYWRIGHT_NODEJS_PATH=node()), sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program.path,
            args=[*_OPTIONS, *options],
            env={**os.environ, **program.variables},
        )
        yield browser
        browser.close()


def chromium() -> Chromium:
    """The pinned one, else one on PATH that starts; Missing if neither does."""
    try:
        home = _unpacked()
        libraries = {"LD_LIBRARY_PATH": str(home / "lib")}
        ours = Chromium(
            str(home / "chromium"), libraries | {"FONTCONFIG_FILE": f"{home}/fonts.conf"}
        )
        _check(ours)
    except Failed as error:
        for path in filter(None, map(shutil.which, _ON_PATH)):
            try:
                _check(other := Chromium(path))
            except Missing:
                continue
            return other
        raise Missing(
            f"no Chromium; put one on PATH, e.g. `apt-get install chromium`. {error}"
        ) from None
    return ours


def _unpacked() -> Path:
    packed = npm_packages(_FOLDER) / "@sparticuz" / "chromium" / "bin"

    def fill(draft: Path, home: Path) -> None:
        for name in ("chromium", "al2023.tar", "swiftshader.tar", "fonts.tar"):
            command = [node(), "-e", _UNPACK, str(packed / f"{name}.br"), str(draft / name)]
            run(f"Chromium: {name}", command, surroundings.kept())
        for archive in draft.glob("*.tar"):
            with tarfile.open(archive) as tar:
                # Older Pythons have no such filter; the lock file's hash says what is in it.
                tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, _: member)
                tar.extractall(draft)  # noqa: S202
            archive.unlink()
        (draft / "chromium").chmod(0o755)
        (draft / "fonts.conf").write_text(_FONTS.format(home=home))

    return once("chromium", (_FOLDER / "package-lock.json").read_bytes(), fill)


def _check(program: Chromium) -> None:
    """Missing unless it starts: on some systems what is on PATH only says where to get one."""
    try:
        done = subprocess.run(
            [program.path, "--version"],
            capture_output=True,
            text=True,
            timeout=_START_S,
            check=False,
            env=surroundings.kept() | program.variables,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Missing(f"{program.path} does not start: {error}") from error
    if done.returncode:
        raise Missing(f"{program.path} does not start: {done.stderr.strip()[-300:]}")
