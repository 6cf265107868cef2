# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Profiles in files, as TOML or JSON: read, judged in one go, and begun from a template.

No message repeats a value: a password may stand in the wrong place.
"""

import difflib
import json
import re
import tomllib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from muster_server.config_server.profile import checked_profile
from muster_server.document import parse_json
from muster_server.errors import Invalid
from muster_server.profile_fields import EXAMPLES, FIELDS, FREE, KNOWN

_NUMBER = re.compile(r"\[\d+\]")
_PART = re.compile(r"([A-Za-z0-9_-]+)|\[(\d+)\]")
_MOST_PROBLEMS = 50
_ANY_SERVER = "http://192.168.100.100:8421"  # as long as most


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a profile, and how it would be right."""

    path: str
    detail: str
    example: str | None = None

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{where}{self.detail}" + (f"; e.g. {self.example}" if self.example else "")


def parse_profile(text: str) -> dict[str, Any]:
    """The document of a profile in TOML, or in JSON if it begins with a brace.

    Invalid says in which line it is neither. `open = true`, which TOML needs because it has no
    null, becomes a password that is null.
    """
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise Invalid("the file is empty; try: muster profile new NAME")
    try:
        if text.lstrip().startswith(("{", "[\n", '["')):
            document = parse_json(_plain_json(text))
        else:
            document = parse_json(json.dumps(tomllib.loads(text)))
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"not TOML: {error}") from None
    except TypeError:
        raise Invalid(
            "dates and times stand in no profile; put quotation marks around them"
        ) from None
    if not isinstance(document, dict):
        raise Invalid("wanted an object with the fields of a profile")
    for network in _networks(document):
        if network.get("open") is True and "psk" not in network:
            del network["open"]
            network["psk"] = None
    return document


def _plain_json(text: str) -> str:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Invalid(f"not JSON: {error.msg} ({place})") from None
    except (ValueError, RecursionError):
        pass  # parse_json has the sentence
    return text


def problems_of(document: dict[str, Any], *, keeps_passwords: bool = False) -> list[Problem]:
    """Everything that is wrong with a profile, by the rules of the server that will keep it.

    Each error is noted, put right in a copy, and the copy is judged again. With `keeps_passwords`
    a network that has a stored password need not give it again.
    """
    found = list(_unknown(document, ""))
    copy = deepcopy(document)
    for network in _networks(copy):
        network.pop("open", None)
        if keeps_passwords and network.get("psk_set", True) and "psk" not in network:
            network["psk"] = None
    seen: set[str] = set()
    while len(found) < _MOST_PROBLEMS:
        try:
            checked_profile(copy, has_accounts=False, server_url=_ANY_SERVER)
        except Invalid as error:
            path = error.path or ""
            found.append(Problem(path, _sentence(error), _example(path)))
            if path in seen or not _mended(copy, path):
                break
            seen.add(path)
        else:
            break
    return found


def _sentence(error: Invalid) -> str:
    return re.sub(r' \(profile ".*"\)$', "", error.detail)


def _example(path: str) -> str | None:
    name = _NUMBER.sub("[]", path)
    if name not in EXAMPLES:
        return None
    word = re.split(r"[.\]]", name)[-1] or name.rstrip("[]").rpartition(".")[2]
    return f"{word} = {toml_value(EXAMPLES[name])}"


def _mended(document: dict[str, Any], path: str) -> bool:
    """Put an example in the place of what is wrong; False if there is none."""
    name = _NUMBER.sub("[]", path)
    if name == "platform.token":
        document["platform"]["insecure"] = True
        return True
    if name == "platform.ca":
        document["platform"] |= {"ca": None, "insecure": True}
        return True
    if name.startswith(FREE):
        document.pop("app_schema", None)
        document["app"] = {}
        return True
    example = [{}] if name == "networks[]" else EXAMPLES.get(name)
    if example is None:
        return False
    try:
        put(document, path, deepcopy(example))
    except Invalid:
        return False
    return True


def _unknown(value: Any, path: str) -> Iterator[Problem]:
    if isinstance(value, list):
        for n, item in enumerate(value):
            yield from _unknown(item, f"{path}[{n}]")
    if not isinstance(value, dict):
        return
    inside = _NUMBER.sub("[]", path)
    for name, inner in value.items():
        place = f"{path}.{name}" if path else name
        general = f"{inside}.{name}" if inside else name
        if general not in KNOWN:
            yield Problem(place, f"no such field{did_you_mean(general)}")
        elif general not in FREE:
            yield from _unknown(inner, place)


def did_you_mean(path: str) -> str:
    """A question about the field that may be meant, or a list of those that there are."""
    inside, _, name = path.rpartition(".")
    words = {
        known.rpartition(".")[2]: known for known in EXAMPLES if known.rpartition(".")[0] == inside
    }
    near = difflib.get_close_matches(name, words, 1, 0.5)
    if near:
        return f'; did you mean "{near[0]}"?'
    elsewhere = [known for known in EXAMPLES if known.rpartition(".")[2] == name]
    if elsewhere:
        return f'; did you mean "{elsewhere[0].replace("[]", "[0]")}"?'
    return f"; there are {', '.join(words)}" if words else ""


def put(document: dict[str, Any], path: str, value: Any) -> None:
    """Set a field, e.g. "networks[0].psk". Invalid if the path leads nowhere."""
    parts: list[str | int] = [word or int(number) for word, number in _PART.findall(path)]
    rebuilt = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in parts)
    if not parts or rebuilt.removeprefix(".") != path:
        raise Invalid('wanted the form "platform.cse" or "networks[0].psk"', path=path)
    place: Any = document
    for n, part in enumerate(parts[:-1]):
        if isinstance(part, str) and isinstance(place, dict):
            following: Any = [] if isinstance(parts[n + 1], int) else {}
            place = place.setdefault(part, following)
        elif isinstance(part, int) and isinstance(place, list) and part < len(place):
            place = place[part]
        else:
            raise Invalid("there is none of this number, or nothing inside it", path=path)
    last = parts[-1]
    if (
        isinstance(last, str)
        and isinstance(place, dict)
        or isinstance(last, int)
        and isinstance(place, list)
        and last < len(place)
    ):
        place[last] = value  # type: ignore[index]  # its kind was looked at, by that of the place
    else:
        raise Invalid("there is none of this number, or nothing inside it", path=path)


def template(name: str, **known: Any) -> str:
    """A new profile with every field, those that are seldom needed as comments.

    `known` has values that are known already, with "__" for a dot, e.g. platform__url.
    """
    values = {"name": name} | {k.replace("__", "."): v for k, v in known.items()}
    lines = ["# A profile: what devices get their configurations from. Lines with # are comments."]
    table = ""
    for field in FIELDS:
        inside, _, word = field.path.rpartition(".")
        if not field.about or inside.count(".") > 0:
            continue
        heading = f"[[{inside[:-2]}]]" if inside.endswith("[]") else f"[{inside}]"
        if inside and inside != table:
            lines += ["", heading]
            table = inside
        is_free = field.path in FREE
        if is_free:
            lines += ["", f"# {field.about}", f"# [{field.path}]"]
            lines += [f"# {k} = {toml_value(v)}" for k, v in field.example.items()]
            continue
        is_used = field.is_in_use or field.path in values
        default = "" if word == "psk" else field.example  # whoever forgets it is told
        line = f"{word} = {toml_value(values.get(field.path, default))}"
        lines.append(f"{'' if is_used else '# '}{line}  # {field.about}")
    return "\n".join(lines) + "\n"


def toml_value(value: Any) -> str:
    """A value as TOML writes it: texts as in JSON, objects in one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {toml_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _networks(document: dict[str, Any]) -> list[dict[str, Any]]:
    networks = document.get("networks")
    return [n for n in networks if isinstance(n, dict)] if isinstance(networks, list) else []
