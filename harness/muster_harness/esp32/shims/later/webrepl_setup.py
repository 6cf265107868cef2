# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# webrepl_setup, which an ESP32's firmware contains: asks, when it is imported, whether webrepl
# shall start with the board, and for its password.

import os
import sys

import machine

RC = "./boot.py"
CONFIG = "./webrepl_cfg.py"
_LINES = ("import webrepl", "webrepl.start()")
_SHORTEST = 4
_LONGEST = 9


def input_choice(prompt, choices):
    while True:
        choice = input(prompt)
        if choice in choices:
            return choice


def getpass(prompt):
    return input(prompt)


def input_pass():
    while True:
        first = getpass("New password (4-9 chars): ")
        if not _SHORTEST <= len(first) <= _LONGEST:
            print("Invalid password length")
        elif first == getpass("Confirm password: "):
            return first
        else:
            print("Passwords do not match")


def exists(fname):
    try:
        os.stat(fname)
    except OSError:
        return False
    return True


# Whether boot.py starts it; None if it does not name it.
def get_daemon_status():
    with open(RC) as f:
        for line in f:
            if "webrepl" in line:
                return not line.startswith("#")
    return None


def change_daemon(action):
    with open(RC) as f:
        lines = f.readlines()
    found = False
    for i, line in enumerate(lines):
        if any(wanted in line for wanted in _LINES):
            found = True
            bare = line[1:] if line.startswith("#") else line
            lines[i] = bare if action else "#" + bare
    if not found:
        lines += [wanted + "\n" for wanted in _LINES]
    with open(RC + ".tmp", "w") as f:
        for line in lines:
            f.write(line)
    os.rename(RC + ".tmp", RC)


def main():
    is_on = get_daemon_status()
    print("WebREPL daemon auto-start status:", "enabled" if is_on else "disabled")
    print("\nWould you like to (E)nable or (D)isable it running on boot?")
    print("(Empty line to quit)")
    choice = input("> ").upper()
    if choice == "E":
        if exists(CONFIG):
            prompt = "Would you like to change WebREPL password? (y/n) "
            is_new = input_choice(prompt, ("y", "n", "")) == "y"
        else:
            print("To enable WebREPL, you must set password for it")
            is_new = True
        if is_new:
            password = input_pass()
            with open(CONFIG, "w") as f:
                f.write("PASS = %r\n" % password)
    if choice not in ("D", "E") or (choice == "E") is bool(is_on):
        print("No further action required")
        sys.exit()
    change_daemon(choice == "E")
    print("Changes will be activated after reboot")
    if input_choice("Would you like to reboot now? (y/n) ", ("y", "n", "")) == "y":
        machine.reset()


main()
