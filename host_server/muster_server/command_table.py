# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The table of the commands of `muster`: words, help, options, and who does the work."""

from muster_server import cli_options, device_options, platform_table
from muster_server.command import Command
from muster_server.operator_table import OPERATOR_COMMANDS
from muster_server.profile_table import PROFILE_COMMANDS
from muster_server.rollout_table import ROLLOUT_COMMANDS, VERSION_COMMANDS, WIFI_COMMANDS
from muster_server.sharing_table import TRANSFER_COMMANDS, WEBHOOK_COMMANDS
from muster_server.task_table import TASK_COMMANDS

_LABELS = "muster_server.label_commands"
_OFFLINE = "muster_server.offline_commands"
_DEVICES = "muster_server.device_commands"
_TELLING = "muster_server.telling_commands"
_READING = "muster_server.reading_commands"

GROUPS = {
    "label": "make labels",
    "token": "replace what opens a server's door",
    "keys": "replace the key that secrets are kept under",
    "backup": "keep what the servers remember, and bring it back",
    "store": "move what the servers remember to PostgreSQL",
    "certs": "make certificates for https",
    "device": "register devices and see how far they have come",
    "task": "do something to many devices, a few at a time",
    "profile": "keep the templates that configurations are made from",
    "rollout": "bring a version of a profile to its devices, in waves",
    "wifi": "change a Wi-Fi password without losing a device",
    "transfer": "let the next owner take a device over, by a code",
    "webhook": "have other servers told what happens to devices",
    "bundle": "configure a device without a network: make bundles, and see how far they came",
    "reader": "let backends read what your devices publish",
    "platform": "try somebody else's platform",
    "receipt": "enter what a device shows after it has tried its bundle",
}

COMMANDS = (
    *OPERATOR_COMMANDS,
    Command(
        ("hotspot",),
        "Bring up an onboarding network and serve on it; restore everything at the end "
        "(Linux with NetworkManager).",
        (
            "muster hotspot --dry-run",
            "muster hotspot --name desk --address 192.168.1.10",
            "muster hotspot --name desk --password-file passphrase.txt --role config "
            "--platform-public-url https://m2m.example:8422",
        ),
        cli_options.hotspot_options,
        "hotspot",
    ),
    Command(
        ("label", "new"),
        "Make a label: a device id and a secret, as text and as a QR code.",
        (
            "muster label new",
            "muster label new --id PRESS-4 --json",
            "muster label new --svg press-4.svg",
            "muster label new -n 50 > labels.csv",
        ),
        cli_options.new_label,
        "new_label",
        _LABELS,
    ),
    Command(
        ("label", "sheet"),
        "Draw labels for printing, on sheets as they are sold or on a roll: QR code and words.",
        (
            "muster label new -n 50 > labels.csv",
            "muster label sheet labels.csv --pdf labels.pdf",
            "muster label sheet labels.csv --pdf labels.pdf --size herma-4346 --first 7",
            "muster label sheet labels.csv --pdf labels.pdf --size 62x29",
        ),
        cli_options.label_sheet,
        "print_sheet",
        "muster_server.label_sheet",
    ),
    Command(
        ("device", "add"),
        "Register a device by its label (step 1). Again: open its window.",
        (
            "muster device add --profile press      # asks for the label",
            "muster device add - --profile press < label.txt",
            'muster device add MUSTER:1:PRESS-4:AAAQ… --profile press --name "press 4"',
            "muster device add --csv labels.csv --profile press --dry-run",
            "(what stands on a command line can be read by other users of the machine: prefer -)",
        ),
        cli_options.add_device,
        "add",
        "muster_server.bulk_commands",
    ),
    Command(
        ("device", "list"),
        "List the devices, or those that fit: what each runs, how its newest attempt went, when "
        "it was heard last, what it waits for.",
        (
            "muster device list",
            "muster device list --attempt wifi_auth --profile press",
            "muster device list --silent-since 2d --json",
        ),
        device_options.list_devices,
        "list_devices",
        _DEVICES,
    ),
    Command(
        ("device", "count"),
        "Count the devices: all, and by state, profile, group and tag.",
        ("muster device count",),
        cli_options.client_options,
        "count_devices",
        _DEVICES,
    ),
    Command(
        ("device", "show"),
        "Show what a device runs, how its newest attempt went, what it waits for, and the nine "
        "steps.",
        ("muster device show PRESS-4", "muster device show PRESS-4 --follow   # until Ctrl-C"),
        device_options.show_device,
        "show_device",
        _DEVICES,
    ),
    Command(
        ("device", "open"),
        "Open the onboarding window, so that the label can be used again.",
        ("muster device open PRESS-4",),
        cli_options.one_device,
        "open_device",
    ),
    Command(
        ("device", "close-window"),
        "Close the onboarding window: the label can be used no longer.",
        ("muster device close-window PRESS-4",),
        cli_options.one_device,
        "close_window",
    ),
    Command(
        ("device", "set"),
        "Change a device's name or profile, and nothing else; its label is not needed.",
        (
            'muster device set PRESS-4 --name "press 4, left"',
            "muster device set PRESS-4 --profile press-2",
        ),
        cli_options.change_device,
        "change_device",
    ),
    Command(
        ("device", "release"),
        "End the ownership: the device's account is closed.",
        ("muster device release PRESS-4",),
        cli_options.one_device,
        "release_device",
    ),
    Command(
        ("device", "hand-over"),
        "Give a device to somebody else: end the ownership, and say what is left to do.",
        ("muster device hand-over PRESS-4",),
        cli_options.one_device,
        "hand_over",
    ),
    Command(
        ("device", "new-account"),
        "Give a device another account at its platform, e.g. after platform_conflict.",
        (
            "muster device new-account PRESS-4",
            "(it gets it with its next configuration; the former one is closed then)",
        ),
        cli_options.one_device,
        "new_account",
    ),
    Command(
        ("device", "import"),
        "Register devices that are not sold yet, for their vendor.",
        ("muster device import labels.csv", "muster device import - < labels.csv"),
        cli_options.import_devices,
        "import_devices",
    ),
    *PROFILE_COMMANDS,
    *VERSION_COMMANDS,
    *ROLLOUT_COMMANDS,
    *WIFI_COMMANDS,
    *TASK_COMMANDS,
    *TRANSFER_COMMANDS,
    *WEBHOOK_COMMANDS,
    Command(
        ("bundle", "make"),
        "Seal a device's configuration into a bundle, which you carry to it. A newer one "
        "supersedes the older.",
        (
            "muster bundle make PRESS-4                     # writes PRESS-4.muster",
            "muster bundle make PRESS-4 --expires 30d --out /media/usb/PRESS-4.muster",
            "muster bundle make PRESS-4 --out press-4.svg   # QR code(s); large ones are several",
            "muster bundle make PRESS-4 --text | xclip",
            "muster bundle make PRESS-4 --without-wifi      # the device is given one where it is",
        ),
        cli_options.make_bundle,
        "make_bundle",
        _OFFLINE,
    ),
    Command(
        ("bundle", "get"),
        "Get a device's newest bundle again, as it was made.",
        (
            "muster bundle get PRESS-4                      # writes PRESS-4.muster",
            "muster bundle get PRESS-4 press-4.png",
            "muster bundle get PRESS-4 --text | xclip",
        ),
        cli_options.get_bundle,
        "get_bundle",
        _OFFLINE,
    ),
    Command(
        ("bundle", "show"),
        "Show how far the bundles of a device have come.",
        ("muster bundle show PRESS-4",),
        cli_options.one_device,
        "show_bundles",
        _OFFLINE,
    ),
    Command(
        ("bundle", "check"),
        "Say which device a bundle is for, and how far it came: exit code 1 if it is superseded "
        "or has expired.",
        ("muster bundle check PRESS-4.muster", "muster bundle check - < PRESS-4.muster"),
        cli_options.check_bundle,
        "check_bundle",
        _OFFLINE,
    ),
    Command(
        ("receipt", "check"),
        "Enter the receipt that a device shows: exit code 0 if it runs its newest bundle.",
        ("muster receipt check PRESS-4 ABCD-EFGH",),
        cli_options.check_receipt,
        "check_receipt",
        _OFFLINE,
    ),
    Command(
        ("readings",),
        "Show what a device has published at its platform.",
        (
            "muster readings PRESS-4",
            "muster readings PRESS-4 --follow          # until Ctrl-C",
            "muster readings PRESS-4 --csv > press-4.csv",
        ),
        device_options.readings,
        "show_readings",
        _READING,
    ),
    Command(
        ("command",),
        "Tell a device's application something, in JSON, and see what it answers. It is told when "
        "it looks for commands.",
        (
            """muster command PRESS-4 '{"led": true}' --wait""",
            """muster command PRESS-4 '{"led": true}' --wait --timeout 2m --expires 1h""",
            "muster command PRESS-4 --result 3f0a6c…",
        ),
        device_options.command,
        "command_device",
        _TELLING,
    ),
    Command(
        ("reader", "add"),
        "Make an account for a backend: it reads your devices at the platform, and does nothing "
        "else. Its token is shown this once.",
        (
            "muster reader add dashboard",
            "muster reader add robot --application",
        ),
        device_options.new_reader,
        "add_reader",
        _READING,
    ),
    Command(
        ("reader", "list"),
        "List the readers; their tokens are never shown again.",
        ("muster reader list",),
        cli_options.client_options,
        "list_readers",
        _READING,
    ),
    Command(
        ("reader", "remove"),
        "Close a reader's account: its token is good for nothing from then on.",
        ("muster reader remove dashboard",),
        device_options.one_reader,
        "remove_reader",
        _READING,
    ),
    Command(
        ("completion",),
        "Print a script that lets your shell complete commands and options.",
        (
            "muster completion bash > ~/.local/share/bash-completion/completions/muster",
            "muster completion zsh > ~/.zfunc/_muster",
        ),
        cli_options.completion,
        "print_completion",
        "muster_server.completion",
    ),
    Command(
        ("timeline",),
        "What device, servers and platform saw of an onboarding, in one table; the first cause "
        "of a failure is marked.",
        ("muster timeline PRESS-4", "muster timeline PRESS-4 --json"),
        cli_options.one_device,
        "show_timeline",
        _OFFLINE,
    ),
    *platform_table.COMMANDS,
)
