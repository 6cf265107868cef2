# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The client commands of `muster`: a call to the portal each, and a few lines."""

import json
import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from muster_server.device_text import device_lines
from muster_server.document import Fields
from muster_server.errors import (
    HostError,
    Invalid,
    ServiceUnreachable,
    SettingsError,
    Unauthorized,
)
from muster_server.label_table import labels_in
from muster_server.private_files import named, read_private
from muster_server.progress import waiting
from muster_server.settings import certificate_authorities, service_url
from muster_server.terminal import ask_hidden, can_show, is_person_there
from muster_server.tokens import checked

if TYPE_CHECKING:  # it takes long to import, and not every command needs it
    import requests

_INPUT_LIMIT = 256 * 1024
_PATIENCE_S = 2.0  # until somebody who looks is told what is waited for


class Refused(HostError):
    """The portal said no; the text is its own."""


def make_certificates(options: Namespace) -> int:
    """Make certificates for development, and say what each file is for."""
    from muster_server.certificates import make_development

    with named("--out", Path(options.out)):
        made = make_development(Path(options.out), options.name, options.days)
    print(f"for {', '.join(made.names)}; valid until {made.until:%Y-%m-%d}")
    print(f"--platform-cert  {made.chain}")
    print(f"--platform-key   {made.key}")
    print(f"--ca-file        {made.authority}")
    print(f'"ca" of a profile\'s platform (the DER in base64, also in {made.der}):')
    print(made.der.read_text().strip())
    return 0


def add_device(options: Namespace) -> int:
    """Step 1."""
    text = _label_text() if options.label == "-" else options.label
    body = {"label": text.strip(), "profile": options.profile, "name": options.name}
    return _show_device(options, at_portal(options, "POST", "/v1/devices", body))


def change_device(options: Namespace) -> int:
    """Another name, profile or group, or other tags. Raises SettingsError if none is given."""
    new: dict[str, Any] = {n: getattr(options, n) for n in ("name", "profile", "group")}
    if options.tags is not None:
        new["tags"] = [tag.strip() for tag in options.tags.split(",") if tag.strip()]
    given = {name: value for name, value in new.items() if value is not None}
    if not given:
        raise SettingsError("what shall change? give --name, --profile, --group or --tags")
    return _show_device(options, at_portal(options, "PATCH", device_path(options), given))


def close_window(options: Namespace) -> int:
    """Let the label be used no longer."""
    path = device_path(options) + "/window"
    return _show_device(options, at_portal(options, "DELETE", path))


def open_device(options: Namespace) -> int:
    """Open the window."""
    return _show_device(options, at_portal(options, "POST", device_path(options) + "/window"))


def release_device(options: Namespace) -> int:
    """End the ownership."""
    at_portal(options, "DELETE", device_path(options))
    return print_json({}) if options.json else 0


def hand_over(options: Namespace) -> int:
    """End the ownership, and say what is left to do."""
    answer = at_portal(options, "POST", device_path(options) + "/hand-over")
    if options.json:
        return print_json(answer)
    print(f"{answer['device_id']} is not yours any more. What is left to do:")
    return say(*(f"{number}. {text}" for number, text in enumerate(answer["to_do"], 1)))


def new_account(options: Namespace) -> int:
    """Another identity at the platform."""
    return _show_device(options, at_portal(options, "POST", device_path(options) + "/account"))


def import_devices(options: Namespace) -> int:
    """One verdict per label; 1 if any was refused."""
    labels = labels_in(read_text(options.file))
    answer = at_portal(options, "POST", "/v1/vendor/devices", {"labels": labels})
    verdicts = answer["devices"]
    if options.json:
        print_json(answer)
    else:
        for number, verdict in enumerate(verdicts, 1):
            name = verdict["device_id"] or f"label {number}"
            print(f"{name:<32}  {verdict['verdict']:<8}  {verdict['detail']}".rstrip())
    return 1 if any(verdict["verdict"] == "refused" for verdict in verdicts) else 0


def _show_device(options: Namespace, device: dict[str, Any]) -> int:
    return print_json(device) if options.json else say(*device_lines(device))


def device_path(options: Namespace) -> str:
    """The address of the device that was named."""
    return f"/v1/devices/{quote(options.id, safe='')}"


def at_portal(options: Namespace, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """Call the portal and return its answer; an answer that is text is under "text".

    Raises Refused, Unauthorized or ServiceUnreachable.
    """
    from muster_server.service_client import PORTAL_TIMEOUT_S, call

    portal, ca_file = _portal(options)
    with waiting(f"waiting for {portal}", _PATIENCE_S):
        answer = call(
            method,
            f"{portal}{path}",
            _token(options),
            body,
            ca_file=ca_file,
            read_timeout_s=PORTAL_TIMEOUT_S,
        )
    if answer.status_code == 204:
        return {}
    if answer.ok and answer.headers.get("Content-Type", "").startswith("text/plain"):
        return {"text": answer.text}
    return understood(answer, portal)


def stream_from_portal(options: Namespace, path: str) -> Iterator[dict[str, Any]]:
    """The documents of a stream of the portal's, as they come, without end. The same errors."""
    from muster_server.event_stream import documents

    portal, ca_file = _portal(options)
    return documents(
        f"{portal}{path}",
        _token(options),
        ca_file,
        understood=lambda answer: understood(answer, portal),
        tell=lambda text: print(f"muster: {text}", file=sys.stderr),
    )


def _portal(options: Namespace) -> tuple[str, str | None]:
    url = options.portal or os.environ.get("MUSTER_PORTAL_URL") or "http://127.0.0.1:8420"
    ca_file = certificate_authorities(options.ca_file or os.environ.get("MUSTER_CA_FILE"))
    return str(service_url(url, "--portal")), ca_file


def understood(answer: "requests.Response", portal: str) -> dict[str, Any]:
    """The document of an answer of the portal's. Refused, Unauthorized or ServiceUnreachable if
    it says no."""
    try:
        document = Fields(answer.json()).document
    except (ValueError, Invalid):
        raise _no_portal(portal, answer) from None
    if answer.ok:
        return _Answer(document, portal)
    detail = document.get("detail") or document.get("title")
    if not isinstance(detail, str):
        raise _no_portal(portal, answer)
    if answer.status_code == 401 and not document.get("path"):  # else a code that was typed
        raise Unauthorized(
            f"{portal} does not accept this access token; is it the one of this portal?"
        )
    if document.get("code") == ServiceUnreachable.code:
        raise ServiceUnreachable(detail)
    more = [(str(e.get("path")), str(e.get("detail"))) for e in document.get("errors", [])[1:]]
    raise Refused(detail, others=tuple(more))


def _kept_here(name: str) -> str | None:
    """An option that `muster init` has written, where this machine has the servers."""
    from muster_server.settings import DATA, kept_settings

    return kept_settings(Path(os.environ.get("MUSTER_DATA") or DATA)).get(name)


class _Answer(dict[str, Any]):
    """A document of the portal's; one of another server lacks what is looked for in it."""

    def __init__(self, document: dict[str, Any], portal: str) -> None:
        super().__init__(document)
        self._portal = portal

    def __missing__(self, name: str) -> Any:
        raise ServiceUnreachable(f'{self._portal} answered without "{name}"; {_WHICH}')


_WHICH = (
    "is it a portal, and of this version? `muster serve` says where its portal listens "
    "(--portal, MUSTER_PORTAL_URL)"
)


def _no_portal(portal: str, answer: "requests.Response") -> ServiceUnreachable:
    return ServiceUnreachable(
        f"{portal} answered as no portal does (HTTP {answer.status_code}); {_WHICH}"
    )


def _token(options: Namespace) -> str:
    token = os.environ.get("MUSTER_TOKEN", "").strip()
    file = Path(options.token_file or _kept_here("admin_token_file") or "")
    if options.token_file or (not token and file.is_file()):
        with named("--token-file", file):
            return checked(read_private(file), "--token-file")
    if not token and is_person_there():
        token = ask_hidden("access token of the portal", "MUSTER_TOKEN").strip()
    if not token:
        raise Unauthorized(
            "no access token; set MUSTER_TOKEN or give --token-file (the first `muster serve` "
            "shows the administrator's)"
        )
    return checked(token, "MUSTER_TOKEN")


def read_text(file: str) -> str:
    """Return the file's text, or what comes on standard input for "-".

    Raises SettingsError if the file cannot be read or is not text in UTF-8.
    """
    if file == "-":
        return _read_input()
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file}: not text in UTF-8") from None


def _read_input() -> str:
    try:
        return sys.stdin.read(_INPUT_LIMIT)
    except UnicodeDecodeError:
        raise SettingsError(
            f"standard input: not text in {sys.stdin.encoding}; it is read in the encoding of "
            "your locale"
        ) from None


def _label_text() -> str:
    """A label from standard input; the screen does not show one that is typed."""
    if is_person_there():
        return ask_hidden("label, as it is printed", "label")
    return _read_input()


def print_json(document: Any, *, is_at_once: bool = False) -> int:
    """For scripts; done."""
    text = json.dumps(document, ensure_ascii=False)
    if not can_show(text, sys.stdout):
        text = json.dumps(document)
    print(text, flush=is_at_once)
    return 0


def say(*lines: str) -> int:
    """For people; done."""
    for line in lines:
        print(line)
    return 0
