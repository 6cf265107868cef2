# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The policies that say who else may read, set on what exists at the platform already. Loaded for
# devices whose configuration names some. Not for what registration.py makes: that is born with
# them.

from micropython import const

from .onem2m import NO_CONTENT

_UPDATED = const("2004")


# Sets config["platform"]["acpi"] on the resource at this path, whose JSON has this root. Raises
# DeviceError.
async def govern(platform, path, root):
    body = {root: {"acpi": platform.settings["acpi"]}}
    rsc, answer = await platform.request("PUT", path + NO_CONTENT, None, body)
    if rsc != _UPDATED:
        raise platform.refused("set the policies", rsc, answer)
