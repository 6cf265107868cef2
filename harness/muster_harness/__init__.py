# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Tests for MicroPython firmware: an emulated ESP32, the air around it, and real boards.

Every name below is public. Each is loaded when somebody first asks for it, so that a command or a
plugin that needs one part does not wait for all of them, nor for a terminal that is not there.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from muster_harness.air.access_point import AccessPoint as AccessPoint
    from muster_harness.air.air import Air as Air
    from muster_harness.air.name_server import Record as Record
    from muster_harness.air.visitor import Visitor as Visitor
    from muster_harness.coverage.sources import Coverage as Coverage
    from muster_harness.deploy.firmware import deploy_firmware as deploy_firmware
    from muster_harness.deploy.labels import Label as Label
    from muster_harness.deploy.labels import new_label as new_label
    from muster_harness.deploy.labels import parse_label as parse_label
    from muster_harness.errors import (
        AirError as AirError,
    )
    from muster_harness.errors import (
        BoardError as BoardError,
    )
    from muster_harness.errors import (
        CannotDo as CannotDo,
    )
    from muster_harness.errors import (
        DeployError as DeployError,
    )
    from muster_harness.errors import (
        ExpectTimeout as ExpectTimeout,
    )
    from muster_harness.errors import (
        Flooded as Flooded,
    )
    from muster_harness.errors import (
        HarnessError as HarnessError,
    )
    from muster_harness.errors import (
        JoinRefused as JoinRefused,
    )
    from muster_harness.errors import (
        PortError as PortError,
    )
    from muster_harness.errors import (
        RemoteError as RemoteError,
    )
    from muster_harness.errors import (
        RemoteOSError as RemoteOSError,
    )
    from muster_harness.errors import (
        RigError as RigError,
    )
    from muster_harness.esp32.evidence import Evidence as Evidence
    from muster_harness.esp32.parts.buses import RegisterMap as RegisterMap
    from muster_harness.facts import BoardFacts as BoardFacts
    from muster_harness.facts import read_facts as read_facts
    from muster_harness.log import Log as Log
    from muster_harness.units.emulated import EmulatedBoard as EmulatedBoard
    from muster_harness.units.flash_port import FlashPort as FlashPort
    from muster_harness.units.full_filesystem import fill_filesystem as fill_filesystem
    from muster_harness.units.power_cuts import Recording as Recording
    from muster_harness.units.power_cuts import cut_points as cut_points
    from muster_harness.units.power_cuts import record as record
    from muster_harness.units.rig import Rig as Rig
    from muster_harness.units.rig import read_rig as read_rig
    from muster_harness.units.serial_unit import SerialUnit as SerialUnit
    from muster_harness.units.unit import CAPABILITIES as CAPABILITIES
    from muster_harness.units.unit import Heap as Heap
    from muster_harness.units.unit import Unit as Unit
    from muster_harness.wire.ports import find_port as find_port
    from muster_harness.wire.ports import list_ports as list_ports
    from muster_harness.wire.repl import REPL as REPL

# By the module that defines them; the list above is the same one, for type checkers.
_HOMES = {
    "air.access_point": ("AccessPoint",),
    "air.air": ("Air",),
    "air.name_server": ("Record",),
    "air.visitor": ("Visitor",),
    "coverage.sources": ("Coverage",),
    "deploy.firmware": ("deploy_firmware",),
    "deploy.labels": ("Label", "new_label", "parse_label"),
    "errors": (
        "AirError",
        "BoardError",
        "CannotDo",
        "DeployError",
        "ExpectTimeout",
        "Flooded",
        "HarnessError",
        "JoinRefused",
        "PortError",
        "RemoteError",
        "RemoteOSError",
        "RigError",
    ),
    "esp32.evidence": ("Evidence",),
    "esp32.parts.buses": ("RegisterMap",),
    "facts": ("BoardFacts", "read_facts"),
    "log": ("Log",),
    "units.emulated": ("EmulatedBoard",),
    "units.flash_port": ("FlashPort",),
    "units.full_filesystem": ("fill_filesystem",),
    "units.power_cuts": ("Recording", "cut_points", "record"),
    "units.rig": ("Rig", "read_rig"),
    "units.serial_unit": ("SerialUnit",),
    "units.unit": ("CAPABILITIES", "Heap", "Unit"),
    "wire.ports": ("find_port", "list_ports"),
    "wire.repl": ("REPL",),
}
_MODULES = {name: module for module, names in _HOMES.items() for name in names}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"muster_harness has no {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(f"muster_harness.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
