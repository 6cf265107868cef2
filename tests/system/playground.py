# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`make demo KEEP=1`: what can be done with a demo that goes on until Ctrl-C."""

import contextlib
import json
import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

from muster_harness.air.air import AccessPoint
from muster_harness.errors import HarnessError
from tests.system.story import ROOT, Label, Step, Story

_LINE = rb"M \d+ [A-Z] (?:step (\d) (\w+) (\d+)ms ?|life |button )([^\r\n]*)\r?\n"  # as Story.STEP
_PROMPT = "demo> "
_LOOK_S = 0.3

HELP = """\
   password NEW      give the operational network another password, in the air
   press [SECONDS]   press the button: short, 5 s (onboard again) or 15 s (factory reset)
   remove SSID       switch a network off: factory or MUSTER-demo
   restore SSID      switch it on again
   status            who is where
   quit              end everything, as Ctrl-C does
"""


class Tells(Protocol):
    """The demo's teller, as far as the playground needs it."""

    def device_step(self, step: Step) -> None: ...

    def say(self, text: str = "") -> None: ...


def keep(story: Story, teller: Tells, label: Label) -> None:
    """Goes on until quit, Ctrl-C, the end of the input, or SIGTERM."""
    profile = story.directory / "profile.json"
    profile.touch(0o600)  # it holds the password of a network
    profile.write_text(json.dumps(story.profile(), indent=2) + "\n")
    with _endable(), Follower(story, teller):
        print(introduction(story, label, profile), flush=True)
        if sys.stdin.isatty():
            _converse(Commands(story, label))
        else:
            signal.pause()
    with contextlib.suppress(OSError):  # there may be no terminal any more
        if sys.stdin.isatty():
            print("\r\x1b[K", end="")  # the last prompt
        teller.say("The demo has ended; nothing is left of it.")


def introduction(story: Story, label: Label, profile: Path) -> str:
    """Return the text that says where everything is, and three things to try, with the very
    commands."""
    programs = _shown(Path(sys.executable).parent)
    mpremote = f"{programs}/mpremote connect {story.board.port}"
    muster = f"{programs}/muster"
    return f"""
Everything goes on until Ctrl-C.
   portal's API       {story.servers.portal_url}/openapi.json
   its access token   in {story.servers.token_file}
   the board          {mpremote}

Three things to try, here at the prompt and in another terminal, in which this comes first:
   export MUSTER_PORTAL_URL={story.servers.portal_url}
   export MUSTER_TOKEN="$(cat {story.servers.token_file})"

1. Another application. Change {_shown(ROOT / "firmware" / "main.py")}, then
      {mpremote} fs cp {_shown(ROOT / "firmware" / "main.py")} :main.py + reset
2. Another Wi-Fi password, in the air: the device is thrown out and cannot come back.
      demo> password "new horse battery"
   Give the device the new one: write it into {profile}, then
      {muster} profile add --replace {profile}
      {muster} device open {label.device_id}
      demo> press 5
3. The button: a short press makes the device report at once.
      demo> press
      {muster} device show {label.device_id} --follow

What the device publishes:
      {muster} readings {label.device_id} --follow

{HELP}"""


def _shown(path: Path) -> str:
    """Return a path as short as it can be typed where the demo was started."""
    with contextlib.suppress(ValueError):
        path = path.relative_to(Path.cwd())
    return shlex.quote(str(path))


class Commands:
    """The commands that can be typed. Each returns the text to print."""

    def __init__(self, story: Story, label: Label) -> None:
        self._story = story
        self._label = label
        self._networks: dict[str, AccessPoint] = {
            point.ssid.decode(): point for point in (story.onboarding, story.operational)
        }
        self._removed: set[str] = set()
        self._table: dict[str, Callable[..., str]] = {
            "password": self._password,
            "press": self._press,
            "remove": self._remove,
            "restore": self._restore,
            "status": self._status,
            "help": lambda: HELP.rstrip(),
        }

    def obey(self, line: str) -> str:
        """One line; a wrong one is answered with what would be right."""
        try:
            words = shlex.split(line)
        except ValueError as error:
            return f"   {error}"
        if not words:
            return ""
        command = self._table.get(words[0])
        if command is None:
            return f"   no command {words[0]}; there are {', '.join(self._table)}, quit"
        try:
            return command(*words[1:])
        except TypeError:
            return f"   {words[0]} wants other arguments:\n{HELP.rstrip()}"

    def _password(self, new: str) -> str:
        if not 8 <= len(new.encode()) <= 63:
            return "   a Wi-Fi password has 8 to 63 characters"
        self._story.operational.password = new
        return "   the operational network has it; whoever was on it has been thrown out"

    def _press(self, seconds: str = "0.1") -> str:
        try:
            duration_s = float(seconds)
        except ValueError:
            duration_s = -1
        if not 0 < duration_s <= 20:
            return "   press for how many seconds? up to 20"
        # The device's limits are met exactly, and its clock is not ours: a little longer.
        self._story.board.press("button", ms=int(duration_s * 1200) + 200)
        return "   pressed"

    def _remove(self, ssid: str) -> str:
        if ssid not in self._networks:
            return self._unknown(ssid)
        self._networks[ssid].remove()
        self._removed.add(ssid)
        return f"   {ssid} is off"

    def _restore(self, ssid: str) -> str:
        if ssid not in self._networks:
            return self._unknown(ssid)
        self._networks[ssid].restore()
        self._removed.discard(ssid)
        return f"   {ssid} is on"

    def _unknown(self, ssid: str) -> str:
        return f"   no network {ssid}; there are {', '.join(self._networks)}"

    def _status(self) -> str:
        lines = []
        for ssid, point in self._networks.items():
            names = ", ".join(station.name for station in point.stations) or "nobody"
            lines.append(f"   {ssid}: {'off' if ssid in self._removed else names}")
        device: dict[str, Any] = self._story.device(self._label)
        lines.append(f"   {device['device_id']}: {device['state']}, version {device['version']}")
        lines.append(f"   {device['waiting_for']['sentence']}")
        if device["attempt"] and device["attempt"]["state"] == "failed":
            lines.append(f"   {device['attempt']['sentence']}")
        return "\n".join(lines)


class Follower:
    """Shows what the device says of its life while people play with it."""

    def __init__(self, story: Story, teller: Tells) -> None:
        self._story = story
        self._teller = teller
        self._is_ending = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> "Follower":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_ending.set()
        self._thread.join()

    def _follow(self) -> None:
        shown: tuple[bytes, bytes] | None = None
        while not self._is_ending.is_set():
            try:
                found = self._story.board.expect(_LINE, _LOOK_S)
            except HarnessError:
                continue  # nothing said
            number, code, ms, detail = found.groups()
            if number and code != b"ok" and (number, code) == shown:
                continue  # it tries again and again; once is enough to read
            shown = (number, code)
            text = detail.decode(errors="replace")
            with _above_prompt():
                if number:
                    step = Step(int(number), code.decode(), int(ms) / 1000, text)
                    self._teller.device_step(step)
                else:
                    self._teller.say(f"   device: {text}")


def _converse(commands: Commands) -> None:
    with contextlib.suppress(ImportError):  # without it, no history and no editing
        import readline  # noqa: F401
    while True:
        try:
            line = input(_PROMPT)
        except EOFError:
            return
        if line.strip() in ("quit", "exit"):
            return
        try:
            answer = commands.obey(line)
        except (HarnessError, OSError) as error:  # requests' errors are OSErrors
            answer = f"   {error}"
        if answer:
            print(answer, flush=True)


@contextlib.contextmanager
def _above_prompt() -> Iterator[None]:
    """Let the output of the block stand above the line that somebody is typing."""
    is_typing = sys.stdin.isatty() and sys.stdout.isatty()
    if is_typing:
        print("\r\x1b[K", end="")
    yield
    if is_typing:
        typed = sys.modules["readline"].get_line_buffer() if "readline" in sys.modules else ""
        print(f"{_PROMPT}{typed}", end="", flush=True)


@contextlib.contextmanager
def _endable() -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal end the block and no more than it.

    Make hears nothing of Ctrl-C: without a process group of our own the terminal would
    interrupt it too, and it would fail.
    """

    def end(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    numbers = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    before = [signal.signal(number, end) for number in numbers]
    group = os.getpgrp()
    is_foreground = sys.stdin.isatty() and os.tcgetpgrp(0) == group != os.getpid()
    if is_foreground:
        _to_foreground(0)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
        if is_foreground:
            with contextlib.suppress(OSError):  # the terminal or the group is gone
                _to_foreground(group)


def _to_foreground(group: int) -> None:
    """Joins this process group, 0 for a new one, and gives it the terminal."""
    os.setpgid(0, group)
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # the change is made from behind
    try:
        os.tcsetpgrp(0, os.getpgrp())
    finally:
        signal.signal(signal.SIGTTOU, before)
