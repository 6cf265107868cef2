# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The commands `muster bundle`, `muster receipt` and `muster timeline`: calls to the portal."""

import time
from argparse import Namespace
from io import BytesIO
from pathlib import Path
from typing import Any

from muster_server.api.bounds import BUNDLE_LIFE_S
from muster_server.commands import at_portal, device_path, print_json, read_text, say
from muster_server.durations import seconds_of
from muster_server.escaping import own_output
from muster_server.private_files import check_place, named, write_private

# As the portal wants it.
_REFUSED_STATES = ("superseded", "expired")
_STATES = {
    "prepared": "made, and not handed out yet",
    "handed_out": "handed out; no receipt yet",
    "applied": "applied",
    "failed": "tried, and the device went back",
    "superseded": "superseded by a newer configuration",
    "expired": "expired",
}


def make_bundle(options: Namespace) -> int:
    """Make one, and hand it out in the form that was asked for."""
    body: dict[str, Any] = {"above": options.above}
    if options.without_wifi:
        body["without_wifi"] = True
    if options.expires:
        body["life_s"] = seconds_of(options.expires, "--expires", BUNDLE_LIFE_S)
    path = _checked_place(options)  # before a version is spent on it
    at_portal(options, "POST", device_path(options) + "/bundles", body)
    code = _hand_out(options, path)
    if options.without_wifi and not (options.text or options.json):
        say("  it brings no Wi-Fi: the device's setup page asks for one (press its button twice)")
    return code


def get_bundle(options: Namespace) -> int:
    """Hand the newest one out again."""
    return _hand_out(options, _checked_place(options))


def _checked_place(options: Namespace) -> Path:
    path = Path(options.out or f"{options.id.upper()}.muster")
    if not (options.text or options.qr):
        with named(options.place, path):
            check_place(path)
    return path


def _hand_out(options: Namespace, path: Path) -> int:
    text = at_portal(options, "GET", device_path(options) + "/bundle.txt")["text"]
    # As it is now that it has been handed out.
    bundle = at_portal(options, "GET", device_path(options) + "/bundles")["bundles"][0]
    if options.text:
        return print_json({**bundle, "text": text}) if options.json else say(text)
    title = f"version {bundle['version']} for {options.id.upper()}"
    if options.qr:
        _show_codes(text)
        return say(title)
    with named(options.place, path):
        files = _save(path, text)
    if options.json:
        return print_json({**bundle, "files": [str(file) for file in files]})
    ends = "" if bundle["expires_at"] is None else f", until {_when(bundle['expires_at'])}"
    say(f"{title}{ends}: {', '.join(map(str, files))}")
    way = "scan it, and paste it" if _is_image(path) else f"muster-unit bundle send {files[0]}"
    return say(
        f"  onto the device: {way}",
        f"  then enter here: muster receipt check {options.id.upper()} ABCD-EFGH",
    )


def show_bundles(options: Namespace) -> int:
    """One line per bundle, the newest first."""
    answer = at_portal(options, "GET", device_path(options) + "/bundles")
    if options.json:
        return print_json(answer)
    for bundle in answer["bundles"]:
        _say_state(bundle)
    return 0


def check_bundle(options: Namespace) -> int:
    """Print the device of a bundle, and the bundle's progress.

    Returns 1 if the device would refuse the bundle, or it is none of this portal's.
    """
    answer = at_portal(options, "POST", "/v1/bundles/check", {"bundle": read_text(options.file)})
    if options.json:
        print_json(answer)
    else:
        print(answer["device_id"], end="  ")
        _say_state(answer)
    return 1 if answer["state"] in _REFUSED_STATES else 0


def check_receipt(options: Namespace) -> int:
    """0 if the device runs what its newest bundle holds, else 1."""
    body = {"receipt": " ".join(options.receipt)}
    answer = at_portal(options, "POST", device_path(options) + "/receipts", body)
    if options.json:
        print_json(answer)
    else:
        say(answer["sentence"])
    return 0 if answer["verdict"] == "accepted" else 1


def show_timeline(options: Namespace) -> int:
    """Print what everybody saw, line by line; the first cause of a failure is marked."""
    answer = at_portal(options, "GET", device_path(options) + "/timeline")
    if options.json:
        return print_json(answer)
    day = ""
    for entry in answer["entries"]:
        date = time.strftime("%Y-%m-%d", time.localtime(entry["at"]))
        if date != day:
            day = date
            print(day)
        print(_line(entry))
    if not answer["platform"]:
        say("(the platform could not be asked; its part is missing)")
    cause = answer["first_cause"]
    if cause is None:
        return 0
    since = " (overcome since)" if cause["is_overcome"] else ""
    return say(f"first cause{since}: {cause['sentence']}")


def _line(entry: dict[str, Any]) -> str:
    clock = time.strftime("%H:%M:%S", time.localtime(entry["at"]))
    mark = ">" if entry["is_first_cause"] else " "
    step = entry["step"] or ""
    code = "" if entry["code"] == "ok" else f"  {entry['code']}"
    ms = "" if entry["ms"] is None else f"  {entry['ms']} ms"
    times = f"  ×{entry['times']} until {_when(entry['until'])}" if entry["times"] > 1 else ""
    detail = f"  {entry['detail']}" if entry["detail"] else ""
    words = f"{entry['said']}{code}{ms}{times}{detail}"
    return f"{mark} {clock}  {entry['source']:<8}  {step!s:<1}  {words}"


def _say_state(bundle: dict[str, Any]) -> int:
    ends = "" if bundle["expires_at"] is None else f", until {_when(bundle['expires_at'])}"
    outcome = f" ({bundle['outcome']})" if bundle["state"] == "failed" else ""
    state = _STATES[bundle["state"]]
    return say(f"version {bundle['version']}  {_when(bundle['made_at'])}{ends}  {state}{outcome}")


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def _save(path: Path, text: str) -> list[Path]:
    """The bundle as a file, or as one image or several. It is sealed, but its holder can give the
    device what it holds: for the user alone.
    """
    files = _drawn(path, text) if _is_image(path) else {path: f"{text}\n".encode("ascii")}
    for file, content in files.items():
        write_private(file, content)
    return list(files)


def _drawn(path: Path, text: str) -> dict[Path, bytes]:
    from muster_server.qr_codes import codes_of

    codes = codes_of(text)
    files = {}
    for n, code in enumerate(codes, 1):
        drawn = BytesIO()
        code.save(drawn, kind=path.suffix[1:], scale=4)
        name = path if len(codes) == 1 else path.with_stem(f"{path.stem}-{n}")
        files[name] = drawn.getvalue()
    return files


def _is_image(path: Path) -> bool:
    return path.suffix in (".svg", ".png")


def _show_codes(text: str) -> None:
    from muster_server.qr_codes import codes_of

    codes = codes_of(text)
    for n, code in enumerate(codes, 1):
        code.terminal(own_output(), compact=True)
        if len(codes) > 1:
            print(f"code {n} of {len(codes)}")
