# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""All pages of the portal, put before its service."""

from fastapi import APIRouter, FastAPI

from muster_server.portal.firmware_kit import FirmwareKit
from muster_server.portal.pages import (
    adding,
    assets,
    by_hand,
    devices,
    handing_over,
    history,
    joining,
    label_sheets,
    live,
    many,
    mending,
    overview,
    preparing,
    rollouts,
    second_factors,
    settings,
    task_pages,
    users,
    webhooks,
    wifi_change,
)
from muster_server.portal.pages.ground import Ground, page_router
from muster_server.portal.people import People
from muster_server.portal.service import Portal
from muster_server.portal.streams import Streams
from muster_server.portal.transfers import Transfers
from muster_server.portal.webhooks import Webhooks
from muster_server.portal.wifi import HomeWifi
from muster_server.store.audit import AuditStore


def add_pages(
    app: FastAPI,
    portal: Portal,
    people: People,
    streams: Streams,
    audit: AuditStore,
    webhooks: Webhooks,
    transfers: Transfers,
    kit: FirmwareKit | None = None,
) -> None:
    """The routes of all pages, and of the files that these ask for."""
    wifi = HomeWifi(portal, people)
    app.state.ground = ground = Ground(
        portal, people, wifi, streams, audit, transfers, webhooks, kit
    )
    app.include_router(router(ground), include_in_schema=False)


def router(ground: Ground) -> APIRouter:
    """All routes on this ground."""
    pages = page_router()
    for room in (
        assets,
        joining,
        second_factors,
        adding,
        live,
        mending,
        by_hand,
        devices,
        handing_over,
        overview,
        users,
        settings,
        history,
        label_sheets,
        many,
        preparing,
        rollouts,
        task_pages,
        wifi_change,
        webhooks,
    ):
        room.add(pages, ground)
    return pages
