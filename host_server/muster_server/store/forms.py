# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The newest form of each role's database: the package with its migrations, and the revision."""

from muster_server.store import config_tables, platform, portal_tables

FORMS = {
    "platform": ("muster_server.platform_server", platform.HEAD),
    "config": ("muster_server.config_server", config_tables.HEAD),
    "portal": ("muster_server.portal", portal_tables.HEAD),
}
