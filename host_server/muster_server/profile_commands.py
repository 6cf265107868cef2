# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The commands `muster profile`: people write templates, and the portal keeps them."""

import json
import re
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from muster_server.commands import at_portal, print_json, read_text, say
from muster_server.errors import Invalid, SettingsError
from muster_server.private_files import named, write_once
from muster_server.profile_fields import KNOWN
from muster_server.profile_file import (
    Problem,
    did_you_mean,
    parse_profile,
    problems_of,
    put,
    template,
)
from muster_server.progress import waiting
from muster_server.terminal import ask_hidden, complain, is_person_there

_PASSWORD = re.compile(r"networks\[\d+\]\.psk")
_LONGEST_SECRET = 256


def new_profile(options: Namespace) -> int:
    """Write a template that says what each field is for. Raises SettingsError if it cannot."""
    file = Path(options.out or f"{options.name}.toml")
    if any(problem.path == "name" for problem in problems_of({"name": options.name})):
        raise SettingsError("NAME: wanted a-z, 0-9, and . _ - inside, e.g. press")
    with named("--out", file):
        if not write_once(file, template(options.name).rstrip("\n")):
            raise SettingsError(f"{file} is there already, and stays as it is; try --out FILE")
    return say(
        f"{file} is a profile to be completed: network, password, platform. Then:",
        f"  muster profile check {file}",
        f"  muster profile add {file}",
    )


def check_profile(options: Namespace) -> int:
    """Say everything that is wrong with a profile in a file; 1 if anything is."""
    document = parsed(options.file, read_text(options.file))
    problems = problems_of(document)
    if not problems:
        problems = tell_trial(document, is_wanted=not options.offline)
    if options.json:
        print_json({"problems": [vars(problem) for problem in problems]})
    elif problems:
        say(*map(str, problems))
    else:
        say(f"{options.file}: nothing is wrong")
    return 1 if problems else 0


def add_profile(options: Namespace) -> int:
    """Keep a profile, or replace one. Raises SettingsError if something is wrong with it."""
    document = parsed(options.file, read_text(options.file))
    problems = problems_of(document, keeps_passwords=options.replace)
    if not problems:
        problems = tell_trial(document, is_wanted=not options.offline)
    if problems:
        raise problem_error(options.file, problems)
    answer = kept(options, document, is_new=not options.replace)
    return print_json(answer) if options.json else say(f'profile "{answer["name"]}" is kept')


def set_field(options: Namespace) -> int:
    """Change one field of a kept profile; everything else stays, passwords too.

    Raises SettingsError if there is no such field, or the value does not fit.
    """
    general = re.sub(r"\[\d+\]", "[]", options.field)
    if general not in KNOWN and not general.startswith(("app.", "app_schema.")):
        raise SettingsError(f"{options.field}: no such field{did_you_mean(general)}")
    value = _value(options)
    document = shown(options, options.name)
    try:
        put(document, options.field, value)
    except Invalid as error:
        raise SettingsError(str(error)) from None
    problems = problems_of(document, keeps_passwords=True)
    if not problems and options.field.startswith("platform"):
        problems = tell_trial(document, is_wanted=not options.offline)
    if problems:
        raise problem_error(f'profile "{options.name}"', problems)
    answer = kept(options, document, is_new=False)
    return print_json(answer) if options.json else say(f'profile "{options.name}" is changed')


def list_profiles(options: Namespace) -> int:
    """One name per line."""
    answer = at_portal(options, "GET", "/v1/profiles")
    return print_json(answer) if options.json else say(*answer["profiles"])


def show_profile(options: Namespace) -> int:
    """Print the profile as JSON, for people and for scripts."""
    return say(json.dumps(shown(options, options.name), indent=2, ensure_ascii=False))


def delete_profile(options: Namespace) -> int:
    """Forget a profile."""
    at_portal(options, "DELETE", f"/v1/profiles/{quote(options.name, safe='')}")
    return print_json({}) if options.json else say(f'profile "{options.name}" is gone')


def shown(options: Namespace, name: str) -> dict[str, Any]:
    """Return a kept profile, without its passwords."""
    return dict(at_portal(options, "GET", f"/v1/profiles/{quote(name, safe='')}"))


def kept(options: Namespace, document: dict[str, Any], *, is_new: bool) -> dict[str, Any]:
    """Have the portal keep a profile; what is kept now."""
    if is_new:
        return at_portal(options, "POST", "/v1/profiles", document)
    return at_portal(options, "PUT", f"/v1/profiles/{quote(document['name'], safe='')}", document)


def tell_trial(document: dict[str, Any], *, is_wanted: bool) -> list[Problem]:
    """Try the profile's platform; notes go to standard error, and what is certain is returned."""
    if not is_wanted:
        return []
    from muster_server.platform_trial import tried

    with waiting(f"trying the platform at {document['platform'].get('url')}"):
        trial = tried(document["platform"])
    for note in trial.notes:
        print(f"note: {note}", file=sys.stderr)
    if trial.fault is None:
        return []
    path, _, detail = trial.fault.partition(": ")
    return [Problem(path, f"{detail}; --offline does not ask it")]


def problem_error(of: str, problems: list[Problem]) -> SettingsError:
    """The error that names everything that is wrong."""
    first, *others = map(str, problems)
    more = "".join(f"\n  {text}" for text in others)
    return SettingsError(f"{of}: {first}" if not others else f"{of}:\n  {first}{more}")


def parsed(file: str, text: str) -> dict[str, Any]:
    """The profile in a file. Raises SettingsError for a text that is none."""
    try:
        return parse_profile(text)
    except Invalid as error:
        raise SettingsError(f"{file}: {error}") from None


def _value(options: Namespace) -> Any:
    if _PASSWORD.fullmatch(options.field):
        if options.value not in (None, "-"):
            raise SettingsError(
                f"{options.field}: what stands on a command line can be read by others; leave it "
                "out, and it is asked for, or pipe it in: … | muster profile set NAME FIELD -"
            )
        if is_person_there():
            return ask_hidden("password of the network", options.field)
        return sys.stdin.readline(_LONGEST_SECRET).rstrip("\r\n")
    if options.value is None:
        raise SettingsError(f"{options.field}: to what? e.g. muster profile set press country DE")
    text = sys.stdin.read(256 * 1024) if options.value == "-" else options.value
    try:
        return json.loads(text)
    except ValueError:
        return text.removesuffix("\n")


def warn(text: str) -> None:
    """Say something that ends nothing."""
    complain("muster", text)
