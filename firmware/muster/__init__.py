# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Muster: takes this board from its box to a registered device. main.py calls run(app).

__version__ = "0.1.0"


# Runs the device for ever; Ctrl-C leads back to the prompt. app: async def app(session).
def run(app):
    from .start import run as run_forever

    run_forever(app)


# Runs the device inside an event loop of one's own. Returns only if the board has no label.
async def start(app):
    from .start import start as start_device

    await start_device(app)
