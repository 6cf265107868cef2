# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""`muster profile edit`: a kept profile in the user's own editor. What was typed is never lost."""

import json
import os
import shlex
import shutil
import subprocess
import tempfile
from argparse import Namespace
from pathlib import Path
from typing import Any

from muster_server.commands import print_json, say
from muster_server.errors import HostError, Invalid, SettingsError
from muster_server.private_files import write_private
from muster_server.profile_commands import kept, problem_error, shown, tell_trial, warn
from muster_server.profile_file import parse_profile, problems_of
from muster_server.terminal import is_person_there

_EDITORS = ("sensible-editor", "nano", "vi")


def edit_profile(options: Namespace) -> int:
    """Open it, judge what came of it, and keep it; the stored passwords stay.

    Raises SettingsError if what was typed cannot be kept: it names the file that has it.
    """
    before = json.dumps(shown(options, options.name), indent=2, ensure_ascii=False) + "\n"
    editor = _editor()
    with tempfile.TemporaryDirectory(prefix="muster-") as folder:
        draft = Path(folder) / f"{options.name}.json"
        write_private(draft, before.encode())
        while True:
            try:
                answer = _kept_draft(options, editor, draft, before)
            except HostError as error:
                if _is_tried_again(error):
                    continue
                raise _set_aside(draft, before, options.name, error) from None
            break
    if answer is None:
        return print_json({}) if options.json else say("nothing was changed")
    return print_json(answer) if options.json else say(f'profile "{options.name}" is changed')


def _kept_draft(
    options: Namespace, editor: list[str], draft: Path, before: str
) -> dict[str, Any] | None:
    try:
        code = subprocess.run([*editor, str(draft)], check=False).returncode
    except OSError as error:
        raise SettingsError(f"EDITOR: {editor[0]} does not start ({error.strerror})") from None
    if code != 0:
        raise SettingsError(f"EDITOR: {editor[0]} ended with exit code {code}")
    try:
        text = draft.read_text("utf-8")
    except UnicodeDecodeError:
        raise SettingsError("what the editor saved is not text in UTF-8") from None
    except OSError as error:
        raise SettingsError(f"the editor left no file ({error.strerror})") from None
    if text == before:
        return None
    try:
        document = parse_profile(text)
    except Invalid as error:
        raise SettingsError(str(error)) from None
    if document.get("name") != options.name:
        raise SettingsError(f'name: it stays "{options.name}"; a copy is made by: profile add')
    problems = problems_of(document, keeps_passwords=True)
    problems = problems or tell_trial(document, is_wanted=not options.offline)
    if problems:
        raise problem_error(f'profile "{options.name}"', problems)
    return kept(options, document, is_new=False)


def _editor() -> list[str]:
    wanted = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if wanted:
        return shlex.split(wanted)
    found = next((name for name in _EDITORS if shutil.which(name)), None)
    if found is None:
        raise SettingsError("EDITOR: no editor is known; try: EDITOR=nano muster profile edit …")
    return [found]


def _is_tried_again(error: HostError) -> bool:
    if not is_person_there():
        return False
    warn(str(error))
    return input("edit it again? [Y/n] ").strip().lower() in ("", "y", "yes")


def _set_aside(draft: Path, before: str, name: str, error: HostError) -> SettingsError:
    """Keep what was typed, beside whoever typed it; the stored profile is as it was."""
    if not draft.is_file() or draft.read_bytes() == before.encode():
        return SettingsError(f"{error}\nThe profile is as it was")
    place = Path(f"{name}.rejected.json")
    write_private(place, draft.read_bytes())
    return SettingsError(f"{error}\nThe profile is as it was; what was typed is in {place}")
