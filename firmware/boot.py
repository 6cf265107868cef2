# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Runs before main.py at every start. Nothing that waits belongs here: it must return.
