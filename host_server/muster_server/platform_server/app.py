# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The platform's routes: the accounts API under /accounts, and oneM2M everywhere else."""

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, Path, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from muster_server.api import reading
from muster_server.direct import Asked, DirectApp, Hashes, NotDirect, Way
from muster_server.errors import Unavailable
from muster_server.expiry_clock import ExpiryClock
from muster_server.lane import Lane, Runner
from muster_server.outgoing import Rules
from muster_server.platform_server.accounts import Accounts
from muster_server.platform_server.addressing import CSE
from muster_server.platform_server.answering import Answering
from muster_server.platform_server.bounds import Bounds
from muster_server.platform_server.calling import Calling
from muster_server.platform_server.channels import Channels
from muster_server.platform_server.children import Children, creations_in, shown
from muster_server.platform_server.delivery import Delivery
from muster_server.platform_server.figures import Figures
from muster_server.platform_server.handed_on import HandedOn, Handing, SharedHandedOn
from muster_server.platform_server.nodes import Nodes, wanted_in
from muster_server.platform_server.nodes import shown as nodes_shown
from muster_server.platform_server.onem2m_way import add_onem2m
from muster_server.platform_server.outgoing import Outgoing
from muster_server.platform_server.request_resources import RequestResources
from muster_server.platform_server.service import Platform
from muster_server.store.platform import PlatformStore
from muster_server.store.secrets import SecretBox
from muster_server.threads import Threads, use_threads
from muster_server.web import TELEMETRY, bearer, body_within, harden, json_response

log = logging.getLogger(__name__)

_SWEEP_S = 60
_AT_ONCE = 32  # requests

_POLICY = "^[A-Za-z0-9._:-]{1,64}$"
_TOKEN_ID = "^[A-Za-z0-9_-]{1,32}$"  # noqa: S105 - a form
_LIMIT_BYTES = 256 * 1024
_CHILDREN, _NODES = "/children/{path:path}", "/nodes"

PolicyName = Annotated[str, Query(pattern=_POLICY)]
TokenId = Annotated[str | None, Query(pattern=_TOKEN_ID)]


class IssuedTokenView(BaseModel):
    """A token, shown this once: the platform keeps its hash only."""

    originator: str
    token_id: str
    token: str


class Members(reading.Body):
    """Originators to be named in a policy."""

    originators: list[Annotated[str, Field(max_length=64)]] = Field(max_length=1000)


class TokenView(BaseModel):
    token_id: str
    created: str


class AccountView(BaseModel):
    originator: str
    created: str
    tokens: list[TokenView]


class AccountsView(BaseModel):
    accounts: list[AccountView]
    next: str | None = Field(description="ask again with ?after= this; null: there are no more")


class SightView(BaseModel):
    """One thing that the platform saw, or the same several times in a row."""

    at: float
    until: float
    times: int
    what: str
    code: str
    detail: str


class TimelineView(BaseModel):
    """The text that a device left in its container for timelines, as it is."""

    ct: str
    con: str


class HandedOnView(BaseModel):
    """A secret that was written for the administrator alone; null: none."""

    id: str | None = None
    value: dict[str, int | str] | None = Field(default=None, repr=False)


class HistoryView(BaseModel):
    originator: str
    seen: list[SightView]
    timeline: TimelineView | None


def create_app(
    store: PlatformStore,
    admin_token_hashes: Callable[[], frozenset[str]],
    *,
    cse: CSE | None = None,
    bounds: Bounds | None = None,
    clock: Callable[[], float] = time.time,
    expiry: ExpiryClock | None = None,
    notified: Rules | None = None,
    lane: Lane | None = None,
    box: SecretBox | None = None,
) -> FastAPI:
    """The platform over a migrated store; whoever opened the store's engine disposes of it.

    `admin_token_hashes` are those of the tokens that speak for the originator CAdmin and may use
    the accounts API: the configuration server's. `expiry` tells when a life has ended; without one
    `clock` does. `notified` says to whom notifications are sent besides public addresses; `lane`
    does what takes least time. With a `box`, secrets that are handed on are kept for all
    processes.
    """
    cse, bounds = cse or CSE(), bounds or Bounds()
    accounts = Accounts(store, admin_token_hashes, clock, bounds)
    threads = Threads(_AT_ONCE)
    quick = lane or threads
    channels = Channels(store, cse.id, clock, threads)

    outgoing = Outgoing(f"/{cse.id}", notified or Rules())
    delivery = Delivery(store, outgoing.post)
    calling = _calling(store, channels, delivery)
    handed_on = HandedOn() if box is None else SharedHandedOn(store, box, clock)
    platform = Platform(store, accounts, clock, bounds, cse, expiry, delivery.take, handed_on.put)

    requests = RequestResources(store, accounts, clock, cse)
    answering = Answering(
        platform, channels, outgoing.post, clock, threads, quick, requests, delivery.take
    )

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await threads.run(platform.open)
        await threads.run(requests.open)
        await delivery.begin()
        sweeping = asyncio.create_task(_sweep(store, platform, requests, threads))
        delivering, called = (asyncio.create_task(each.run()) for each in (delivery, calling))
        try:
            yield
        finally:
            await answering.close()
            for tasks in ((sweeping, delivering), (called,)):  # who comes next begins after it
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            await outgoing.close()

    app = DirectApp(
        title="Muster platform",
        redirect_slashes=False,
        telemetry=TELEMETRY,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.state.figures = Figures(store)
    use_threads(app, threads)
    _add_accounts(app, accounts, admin_token_hashes)
    _add_direct_ways(app, accounts, quick, admin_token_hashes)
    _add_handed_on(app, handed_on, admin_token_hashes)
    made = Children(store, platform, cse, clock, delivery.take)
    _add_children(app, made, quick, admin_token_hashes)
    nodes = Nodes(store, platform, cse, clock, delivery.take)
    _add_nodes(app, nodes, quick, admin_token_hashes)
    add_onem2m(app, answering, cse, bounds, clock)
    return harden(app)


def _calling(store: PlatformStore, channels: Channels, delivery: Delivery) -> Calling:
    """Connect both with those of other processes."""

    def hear(words: Iterable[str]) -> None:
        channels.hear(words)
        delivery.hear(words)

    calling = Calling(store.processes, hear, delivery.come_first)
    channels.tell = delivery.tell = calling.tell
    return calling


async def _sweep(
    store: PlatformStore, platform: Platform, requests: RequestResources, threads: Threads
) -> None:
    def sweep() -> None:
        with store.processes.alone("sweep") as is_mine:
            if is_mine:
                platform.sweep()
                requests.sweep()

    while True:
        await asyncio.sleep(_SWEEP_S)
        try:
            await threads.run(sweep)
        except Unavailable:
            log.warning("sweeping is put off")  # the store has said why


def _add_accounts(
    app: FastAPI, accounts: Accounts, admin_token_hashes: Callable[[], frozenset[str]]
) -> None:
    admin_only = [Depends(bearer(admin_token_hashes))]

    @app.put("/accounts/{originator}", status_code=201, dependencies=admin_only)
    def open_account(originator: str, token_id: TokenId = None) -> IssuedTokenView:
        """Make the account unless it is there, and issue a token; former tokens stay valid, but
        for the one with this `token_id`, whose place the new one takes.
        """
        return IssuedTokenView(**asdict(accounts.open_account(originator, token_id)))

    @app.put("/readers/{originator}", status_code=201, dependencies=admin_only)
    def open_reader(
        originator: str,
        policy: PolicyName,
        token_id: TokenId = None,
        kind: Literal["reader", "application"] = "reader",
    ) -> IssuedTokenView:
        """Make an account that may only retrieve and discover what the policy names, or that of an
        application, which may command it, too, and issue a token; it is closed as any other.
        """
        return IssuedTokenView(**asdict(accounts.open_reader(originator, policy, token_id, kind)))

    # The framework would read a body of its own form before it knows who asks, whatever its size.
    Body = Annotated[bytes, Depends(body_within(_LIMIT_BYTES))]  # noqa: N806

    @app.post("/policies/{policy}/members", status_code=204, dependencies=admin_only)
    def name_in_policy(policy: Annotated[str, Path(pattern=_POLICY)], body: Body) -> Response:
        """Open what these originators own to the policy's readers."""
        return _named_in_policy(accounts, policy, body)

    @app.get("/accounts", dependencies=admin_only)
    def list_accounts(
        after: str = "", limit: int = Query(default=100, ge=1, le=1000)
    ) -> AccountsView:
        """Originators and the ids of their tokens."""
        entries = accounts.entries(after, limit)
        views = [AccountView.model_validate(asdict(entry)) for entry in entries]
        next_ = entries[-1].originator if len(entries) == limit else None
        return AccountsView(accounts=views, next=next_)

    @app.get("/accounts/{originator}/history", dependencies=admin_only)
    def history(originator: str) -> HistoryView:
        """Return what was seen of the originator's registration; empty if nothing was."""
        seen, newest = accounts.history(originator)
        con = newest.attributes.get("con") if newest else None
        timeline = TimelineView(ct=newest.ct, con=con) if newest and isinstance(con, str) else None
        views = [SightView.model_validate(asdict(sight)) for sight in seen]
        return HistoryView(originator=originator, seen=views, timeline=timeline)

    @app.delete(
        "/accounts/{originator}/tokens/{token_id}", status_code=204, dependencies=admin_only
    )
    def revoke_token(originator: str, token_id: str) -> None:
        """Revoke one token, at once."""
        accounts.revoke_token(originator, token_id)

    @app.delete("/accounts/{originator}", status_code=204, dependencies=admin_only)
    def close_account(originator: str, remove_ae: bool = False) -> None:
        """Revoke all tokens and forget the account; its AE and data only if asked for."""
        accounts.close_account(originator, remove_ae=remove_ae)


def _named_in_policy(accounts: Accounts, policy: str, body: bytes) -> Response:
    members = reading.read_body(Members, body)
    accounts.name_in_policy(policy, members.originators)
    return Response(status_code=204)


def _add_direct_ways(
    app: DirectApp, accounts: Accounts, threads: Runner, admin_token_hashes: Hashes
) -> None:
    """Give what the configuration server asks for each device a direct way."""

    def open_account(asked: Asked) -> Response:
        token_id = asked.queried("token_id").get("token_id")
        if token_id is not None and not re.fullmatch(_TOKEN_ID, token_id):
            raise NotDirect
        issued = accounts.open_account(asked.parts["originator"], token_id)
        return json_response(vars(issued), 201)

    def name_in_policy(asked: Asked) -> Response:
        policy = asked.parts["policy"]
        if not re.fullmatch(_POLICY, policy):
            raise NotDirect
        return _named_in_policy(accounts, policy, asked.body)

    for method, path, do in (
        ("PUT", "/accounts/{originator}", open_account),
        ("POST", "/policies/{policy}/members", name_in_policy),
    ):
        app.direct(method, path, Way(do, threads, _LIMIT_BYTES, admin_token_hashes))


def _add_handed_on(
    app: FastAPI, handed_on: Handing, admin_token_hashes: Callable[[], frozenset[str]]
) -> None:
    admin_only = [Depends(bearer(admin_token_hashes))]

    @app.get("/handed-on/{path:path}", dependencies=admin_only)
    def get(path: str) -> HandedOnView:
        """Return the secret that was written into this object and is not kept there."""
        found = handed_on.get(path)
        return HandedOnView() if found is None else HandedOnView(id=found.id, value=found.value)

    @app.delete("/handed-on/{path:path}", status_code=204, dependencies=admin_only)
    def drop(path: str, id: str) -> None:  # noqa: A002 - its name in the query
        """Forget that secret, which is sealed elsewhere now."""
        handed_on.drop(path, id)


def _add_children(
    app: DirectApp, children: Children, threads: Runner, admin_token_hashes: Hashes
) -> None:
    Body = Annotated[bytes, Depends(body_within(_LIMIT_BYTES))]  # noqa: N806

    def made(path: str, body: bytes) -> Response:
        return json_response(shown(children.make(path, creations_in(body))))

    @app.post(_CHILDREN, dependencies=[Depends(bearer(admin_token_hashes))])
    def make(path: str, body: Body) -> Response:
        """Make several resources under this one, together; each is refused for itself.

        The body is {"made": [{"ty": 13, "pc": {…}}, …]}, the answer {"made": [{"rsc": 2001, "pc":
        {…}}, …]}.
        """
        return made(path, body)

    way = Way(
        lambda asked: made(asked.parts["path"], asked.body),
        threads,
        _LIMIT_BYTES,
        admin_token_hashes,
    )
    app.direct("POST", _CHILDREN, way)


def _add_nodes(app: DirectApp, nodes: Nodes, threads: Runner, admin_token_hashes: Hashes) -> None:
    Body = Annotated[bytes, Depends(body_within(_LIMIT_BYTES))]  # noqa: N806

    def made(body: bytes) -> Response:
        return json_response(nodes_shown(nodes.make(wanted_in(body))))

    @app.post(_NODES, dependencies=[Depends(bearer(admin_token_hashes))])
    def make(body: Body) -> Response:
        """Make the nodes of several devices with their objects, together, as far as they are not
        there; each node is refused for itself.

        The body is {"nodes": [{"id": "PRESS-4", "originator": "C…", "policy": "owner:admin",
        "objects": [{"m2m:dvi": {…}}, …]}, …]}, the answer {"nodes": [{"rsc": 2001, "marks":
        {"dvi": "20261123T075904,012551"}}, …]} in the same order.
        """
        return made(body)

    way = Way(lambda asked: made(asked.body), threads, _LIMIT_BYTES, admin_token_hashes)
    app.direct("POST", _NODES, way)
