# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# The words of oneM2M that registration.py, registered.py and operation.py share (TS-0004).

NO_CONTENT = "?rcn=0"  # result content: nothing, or the answer repeats what was sent

# X-M2M-RSC response status codes.
CREATED = "2001"
NOT_FOUND = "4004"

DATA = "data"  # the application's readings
TIMELINE = "muster"  # the device's own record
