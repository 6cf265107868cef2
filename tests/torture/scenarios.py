# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The ways in which a device's configuration changes: what leads to each, and what the people
concerned do when the power went in the middle of it.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from muster_harness.errors import ExpectTimeout
from muster_harness.wire.repl import REPL
from tests import secrecy
from tests.torture.bench import Bench

LONG_S = 8.0  # between 5 and 15 s, even if the host is busy
LONGEST_S = 25.0
_PRESSES = 4
_WAIT_S = 40.0
_ALONE_S = 15.0
_SPEED = 10  # of the board's clock, where a trial takes all its time
COMES_HOME_S = 60.0  # with a message lost, doubled or late, and a clock that runs faster
_COMMITTED = rb"life committed version (\d+)"
_AT_WORK = rb"step 6 ok \d+ms keep"
_FORGOTTEN = rb"configuration forgotten"


@dataclass(frozen=True)
class Scenario:
    """`prepare` is what people do at the portal before; the board is off, and all else as `after`
    another scenario has left it. `act` switches the board on and ends with the change made. `heal`
    begins with the board on, after a cut, and is told which version this start runs on (0: none);
    it ends with the change made too, or raises. `go` is `act` where messages are lost, told how
    fast the board's clock shall run; None where no message leads to the change. `keeps`: once the
    device has the new version it never starts without it, committed or as a candidate.
    """

    name: str
    after: str | None
    prepare: Callable[[Bench], None]
    act: Callable[[Bench], None]
    heal: Callable[[Bench, int], None]
    versions: tuple[int, int]  # before and after the change; 0: no configuration
    proves: bool  # the new version may be found only once it has been registered
    go: Callable[[Bench, float], None] | None = None
    keeps: bool = False


def pressed(bench: Bench, seconds: float, said: bytes, timeout_s: float = 3.0) -> None:
    """Press until the device says that it has understood, as a person does who watches the LED."""
    for _ in range(_PRESSES):
        bench.press(seconds)
        try:
            bench.board.expect(said, timeout_s)
            return
        except ExpectTimeout as late:
            error = late
    raise error


def at_work(bench: Bench) -> None:
    """Wait until the device runs on its configuration, and the configuration server has told it to
    keep that."""
    bench.board.expect(_AT_WORK, _WAIT_S)


def committed(bench: Bench) -> None:
    bench.board.expect(_COMMITTED, _WAIT_S)
    bench.wait_for("registered")


def _nothing(bench: Bench) -> None:
    pass


def _until(said: bytes) -> Callable[[Bench, float], None]:
    """The device goes there by itself."""

    def go(bench: Bench, speed: float) -> None:
        bench.board.clock.scale(speed)
        bench.board.power_on()
        bench.board.expect(said, COMES_HOME_S)

    return go


# First onboarding


def _onboard(bench: Bench) -> None:
    bench.board.power_on()
    committed(bench)
    bench.settled()


def _onboard_heal(bench: Bench, found: int) -> None:
    if found:
        at_work(bench)
    else:
        committed(bench)


# A second version, because the owner has changed the profile


def _order_change(bench: Bench) -> None:
    bench.story.change_profile(app={"interval_s": 2, "note": "changed"})


def _change(bench: Bench) -> None:
    bench.board.power_on()
    committed(bench)
    bench.settled()


def _change_heal(bench: Bench, found: int) -> None:
    bench.board.expect(_AT_WORK if found == 2 else _COMMITTED, _WAIT_S)


# A second version that cannot work, taken back afterwards

_WRONG = [{"ssid": "factory", "psk": "incorrect horse", "hidden": False, "ip": "dhcp"}]


def _order_bad_change(bench: Bench) -> None:
    bench.story.change_profile(networks=_WRONG)


def _try_bad_change(bench: Bench) -> None:
    bench.board.clock.scale(_SPEED)
    bench.board.power_on()
    bench.board.expect(rb"step 8 wifi_auth", _WAIT_S)
    bench.board.clock.scale(1)
    bench.wait_for("failed")
    bench.settled()


def _try_bad_change_heal(bench: Bench, found: int) -> None:
    bench.story.change_profile()
    at_work(bench)
    bench.board.clock.scale(10)  # the portal is told with the next sync
    bench.wait_for("registered")


# The 5 s press


def _open_window(bench: Bench) -> None:
    bench.story.portal("POST", f"/v1/devices/{bench.label.device_id}/window")


def _onboard_again(bench: Bench) -> None:
    bench.board.power_on()
    at_work(bench)
    pressed(bench, LONG_S, rb"button 5 s")
    committed(bench)
    bench.settled()


def _onboard_again_go(bench: Bench, speed: float) -> None:
    """A trial that fails ends on what the device had: whoever pressed sees it, and repeats it."""
    _until(_AT_WORK)(bench, speed)
    for _ in range(_PRESSES):
        pressed(bench, LONG_S, rb"button 5 s")
        bench.board.clock.scale(speed)
        said = bench.board.expect(_COMMITTED + rb"|step [789] (?!ok)", COMES_HOME_S)[0]
        if said.startswith(b"life"):
            return
        bench.board.expect(_AT_WORK, COMES_HOME_S)
    raise TimeoutError(f"no new version after {_PRESSES} presses")


def _onboard_again_heal(bench: Bench, found: int) -> None:
    at_work(bench)
    if found == 1:
        pressed(bench, LONG_S, rb"button 5 s")
        committed(bench)


# The owner releases the device


def _release(bench: Bench) -> None:
    bench.story.portal("DELETE", f"/v1/devices/{bench.label.device_id}")


def _forget(bench: Bench) -> None:
    bench.board.power_on()
    bench.board.expect(_FORGOTTEN, _WAIT_S)
    bench.settled()


def _forget_heal(bench: Bench, found: int) -> None:
    if found:
        bench.board.expect(_FORGOTTEN, _WAIT_S)
    bench.story.register(bench.label)
    bench.press(0.2, speed=1)
    committed(bench)


# The 15 s press


def _factory_reset(bench: Bench) -> None:
    bench.board.power_on()
    at_work(bench)
    pressed(bench, LONGEST_S, _FORGOTTEN)
    bench.settled()


def _factory_reset_heal(bench: Bench, found: int) -> None:
    if found:
        at_work(bench)
        pressed(bench, LONGEST_S, _FORGOTTEN)
    _open_window(bench)
    bench.press(0.2, speed=1)
    committed(bench)


# A trial that fails, for now, and a device that comes home to find home gone


def _strand(bench: Bench) -> None:
    bench.story.operational.remove()
    bench.board.clock.scale(_SPEED)
    bench.board.power_on()
    bench.board.expect(rb"step 7 ok", _WAIT_S)
    bench.story.onboarding.remove()
    bench.board.expect(rb"step 8 wifi_no_ap", _WAIT_S)
    bench.board.expect(rb"step 4 wifi_no_ap", _WAIT_S)
    bench.story.operational.restore()
    committed(bench)
    bench.board.clock.scale(1)
    bench.settled()


def _strand_heal(bench: Bench, found: int) -> None:
    """Home is gone for good, but for a device that had not got anything yet."""
    bench.story.onboarding.remove()
    bench.board.clock.scale(_SPEED)
    if found:
        at_work(bench)
        return
    with contextlib.suppress(ExpectTimeout):
        bench.board.expect(_COMMITTED, _ALONE_S)
        bench.wait_for("registered")
        return
    bench.story.onboarding.restore()
    committed(bench)


# A bundle, where there is no onboarding network


def _bring_bundle(bench: Bench) -> None:
    bench.story.onboarding.remove()
    _bring(bench, rb"step 4 wifi_no_ap")


def _bring(bench: Bench, waits: bytes) -> None:
    """Make one, and copy it onto the device that does this."""
    story = bench.story
    file = story.directory / f"{bench.label.device_id}.muster"
    story.muster(
        *("bundle", "make", bench.label.device_id, "--out", str(file)),
        *("--portal", story.servers.portal_url),
        *("--token-file", str(story.servers.token_file)),
    )
    text = file.read_text().strip()
    secrecy.hide(text)
    bench.board.power_on()
    bench.board.expect(waits, _WAIT_S)
    bench.board.write(b"\x03")
    bench.board.expect(rb">>> ", _WAIT_S)
    with REPL(bench.board.port) as repl:
        repl.exec(f"with open('/{file.name}', 'w') as f:\n    f.write({text!r})")
    bench.board.power_off()


def _apply_bundle(bench: Bench) -> None:
    bench.board.power_on()
    bench.board.expect(rb"bundle receipt .*: version 1 ok", _WAIT_S)
    bench.wait_for("registered")
    bench.settled()


def _apply_bundle_go(bench: Bench, speed: float) -> None:
    bench.story.onboarding.remove()
    _until(_COMMITTED)(bench, speed)


# A bundle for a device that runs on something


def _bring_next(bench: Bench) -> None:
    _bring(bench, _AT_WORK)


def _apply_next(bench: Bench) -> None:
    bench.board.power_on()
    bench.board.expect(rb"bundle receipt .*: version 2 ok", _WAIT_S)
    bench.wait_until_proved(2)
    bench.settled()


def _apply_next_heal(bench: Bench, found: int) -> None:
    bench.board.expect(_AT_WORK if found == 2 else _COMMITTED, _WAIT_S)


def _bring_bad(bench: Bench) -> None:
    bench.story.change_profile(networks=_WRONG)
    _bring(bench, _AT_WORK + rb"|configure with")
    bench.story.change_profile()


def _apply_bad(bench: Bench) -> None:
    bench.board.clock.scale(_SPEED)
    bench.board.power_on()
    bench.board.expect(rb"bundle receipt .*: version \d+ wifi_auth", _WAIT_S)
    bench.board.clock.scale(1)
    at_work(bench)
    bench.settled()


def _apply_bad_heal(bench: Bench, found: int) -> None:
    bench.board.clock.scale(_SPEED)
    at_work(bench)


def _apply_bundle_heal(bench: Bench, found: int) -> None:
    bench.story.onboarding.remove()
    bench.board.expect(_AT_WORK if found else _COMMITTED, _WAIT_S)
    bench.wait_for("registered")


ONBOARDING = Scenario(
    "first onboarding",
    None,
    _nothing,
    _onboard,
    _onboard_heal,
    (0, 1),
    proves=True,
    go=_until(_COMMITTED),
)
CHANGE = Scenario(
    "new version",
    ONBOARDING.name,
    _order_change,
    _change,
    _change_heal,
    (1, 2),
    proves=True,
    go=_until(_COMMITTED),
)
STRANDED = Scenario(
    "home is gone",
    None,
    _nothing,
    _strand,
    _strand_heal,
    (0, 1),
    proves=True,
    keeps=True,
)
SCENARIOS = (
    ONBOARDING,
    CHANGE,
    Scenario(
        "bad version",
        ONBOARDING.name,
        _order_bad_change,
        _try_bad_change,
        _try_bad_change_heal,
        (1, 1),
        proves=False,
    ),
    Scenario(
        "onboarding again",
        ONBOARDING.name,
        _open_window,
        _onboard_again,
        _onboard_again_heal,
        (1, 2),
        proves=True,
        go=_onboard_again_go,
    ),
    STRANDED,
    Scenario(
        "bundle",
        None,
        _bring_bundle,
        _apply_bundle,
        _apply_bundle_heal,
        (0, 1),
        proves=True,
        go=_apply_bundle_go,
    ),
    Scenario(
        "bundle at work",
        ONBOARDING.name,
        _bring_next,
        _apply_next,
        _apply_next_heal,
        (1, 2),
        proves=True,
    ),
    Scenario(
        "bad bundle at work",
        ONBOARDING.name,
        _bring_bad,
        _apply_bad,
        _apply_bad_heal,
        (1, 1),
        proves=False,
    ),
    # after two versions, for both generations of the record have to go
    Scenario(
        "forget",
        CHANGE.name,
        _release,
        _forget,
        _forget_heal,
        (2, 0),
        proves=False,
        go=_until(_FORGOTTEN),
    ),
    Scenario(
        "factory reset",
        CHANGE.name,
        _nothing,
        _factory_reset,
        _factory_reset_heal,
        (2, 0),
        proves=False,
    ),
)
