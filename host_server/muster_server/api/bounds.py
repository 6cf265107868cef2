# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The bounds of what the host reads: lengths in characters unless a name says otherwise.

The readers check by them, and the OpenAPI documents show them. The device has those of the
configuration again, in firmware/muster/configuration.py and networks.py; tests/wire/bounds.json
holds both sides together.
"""

# The configuration
CONFIGURATION_BYTES = 4096
DEEPEST = 16  # lists and objects in each other: each takes stack on the device
HIGHEST = 2**31 - 1  # of its integers
NETWORKS = (1, 4)
SSID_BYTES = (1, 32)
PASSPHRASE = (8, 63)  # printable ASCII
RAW_KEY = 64  # hexadecimal digits
PREFIX = (1, 32)  # of an IPv4 network, in bits
URL = (1, 256)
PORT = (1, 65535)
CSE = (1, 128)
ORIGINATOR = (2, 64)
APP_ID = (2, 64)
TOKEN = (1, 256)
KEY_BYTES = 32
DEVICE_NAME = (0, 64)
TAG = (0, 256)
FAILSAFE_S = (0, HIGHEST)
SYNC_S = (1, HIGHEST)
COMMANDS_S = (0, 86_400)  # 0: over a polling channel
NTP = (1, 253)
POLICIES = (0, 4)
POLICY_ADDRESS = (1, 128)
RELEASES = ("2a", "3", "4", "5")

# What else the servers are sent
PROFILE_NAME = (1, 64)
LABEL = (0, 512)
LABELS = (1, 1000)
RECEIPT = (0, 64)
BUNDLE = (0, 4 * 6144)  # with white space in it, as mail programs put it there
BUNDLE_LIFE_S = (60, 315_360_000)  # at most ten years
ABOVE = (0, HIGHEST - 1)
ID = (0, 32)  # of a device, or the beginning of one
CODE = (1, 32)
SEARCH = (1, 64)
PLACE = (0, 128)  # in a sorted list: what it is sorted by, and an id
GROUP = (0, 64)
TAG_NAME = (1, 32)
TAGS = (0, 20)  # of a device
TASK_ROWS = (1, 1000)  # in one request
CSV_BYTES = 16 * 1024 * 1024  # some 100,000 rows
WAVES = 20  # of a roll-out, besides the rest
PAGE = (1, 1000)  # devices in an answer
READING_ID = (1, 256)
READINGS = (1, 1000)
READER_NAME = (1, 32)
PASSWORD = (1, 256)
FACTOR_CODE = (1, 32)  # of an app for one-time codes, with blanks
TRANSFER_CODE = (1, 64)
WEBHOOK_URL = (1, 512)
EVENT = (1, 32)
COMMAND_BYTES = 2048  # compact JSON in UTF-8; the device's container takes no more
COMMAND_BODY_BYTES = 6 * COMMAND_BYTES + 1024  # when each of them is escaped
COMMAND_LIFE_S = (1, 2_592_000)  # at most 30 days
