# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The ways in which a device's configuration changes: what leads to each, and what the people
concerned do when the power went in the middle of it.
"""

from muster_harness.wire.repl import REPL
from tests import secrecy
from tests.torture.bench import Bench
from tests.torture.scenario import (
    AT_WORK,
    COMES_HOME_S,
    COMMITTED,
    LONG_S,
    LONGEST_S,
    PRESSES,
    SPEED,
    WAIT_S,
    Scenario,
    at_work,
    committed,
    nothing,
    pressed,
    until,
)
from tests.torture.stranded import STRANDED

_FORGOTTEN = rb"configuration forgotten"

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
    bench.board.expect(AT_WORK if found == 2 else COMMITTED, WAIT_S)


# A second version that cannot work, taken back afterwards

_WRONG = [{"ssid": "factory", "psk": "incorrect horse", "hidden": False, "ip": "dhcp"}]


def _order_bad_change(bench: Bench) -> None:
    bench.story.change_profile(networks=_WRONG)


def _try_bad_change(bench: Bench) -> None:
    bench.board.clock.scale(SPEED)
    bench.board.power_on()
    bench.board.expect(rb"step 8 wifi_auth", WAIT_S)
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
    until(AT_WORK)(bench, speed)
    for _ in range(PRESSES):
        pressed(bench, LONG_S, rb"button 5 s")
        bench.board.clock.scale(speed)
        said = bench.board.expect(COMMITTED + rb"|step [789] (?!ok)", COMES_HOME_S)[0]
        if said.startswith(b"life"):
            return
        bench.board.expect(AT_WORK, COMES_HOME_S)
    raise TimeoutError(f"no new version after {PRESSES} presses")


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
    bench.board.expect(_FORGOTTEN, WAIT_S)
    bench.settled()


def _forget_heal(bench: Bench, found: int) -> None:
    if found:
        bench.board.expect(_FORGOTTEN, WAIT_S)
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
    bench.board.expect(waits, WAIT_S)
    bench.board.write(b"\x03")
    bench.board.expect(rb">>> ", WAIT_S)
    with REPL(bench.board.port) as repl:
        repl.exec(f"with open('/{file.name}', 'w') as f:\n    f.write({text!r})")
    bench.board.power_off()


def _apply_bundle(bench: Bench) -> None:
    bench.board.power_on()
    bench.board.expect(rb"bundle receipt .*: version 1 ok", WAIT_S)
    bench.wait_for("registered")
    bench.settled()


def _apply_bundle_go(bench: Bench, speed: float) -> None:
    bench.story.onboarding.remove()
    until(COMMITTED)(bench, speed)


# A bundle for a device that runs on something


def _bring_next(bench: Bench) -> None:
    _bring(bench, AT_WORK)


def _apply_next(bench: Bench) -> None:
    bench.board.power_on()
    bench.board.expect(rb"bundle receipt .*: version 2 ok", WAIT_S)
    bench.wait_until_proved(2)
    bench.settled()


def _apply_next_heal(bench: Bench, found: int) -> None:
    bench.board.expect(AT_WORK if found == 2 else COMMITTED, WAIT_S)


def _bring_bad(bench: Bench) -> None:
    bench.story.change_profile(networks=_WRONG)
    _bring(bench, AT_WORK + rb"|configure with")
    bench.story.change_profile()


def _apply_bad(bench: Bench) -> None:
    bench.board.clock.scale(SPEED)
    bench.board.power_on()
    bench.board.expect(rb"bundle receipt .*: version \d+ wifi_auth", WAIT_S)
    bench.board.clock.scale(1)
    at_work(bench)
    bench.settled()


def _apply_bad_heal(bench: Bench, found: int) -> None:
    bench.board.clock.scale(SPEED)
    at_work(bench)


def _apply_bundle_heal(bench: Bench, found: int) -> None:
    bench.story.onboarding.remove()
    bench.board.expect(AT_WORK if found else COMMITTED, WAIT_S)
    bench.wait_for("registered")


ONBOARDING = Scenario(
    "first onboarding",
    None,
    nothing,
    _onboard,
    _onboard_heal,
    (0, 1),
    proves=True,
    go=until(COMMITTED),
)
CHANGE = Scenario(
    "new version",
    ONBOARDING.name,
    _order_change,
    _change,
    _change_heal,
    (1, 2),
    proves=True,
    go=until(COMMITTED),
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
        go=until(_FORGOTTEN),
    ),
    Scenario(
        "factory reset",
        CHANGE.name,
        nothing,
        _factory_reset,
        _factory_reset_heal,
        (2, 0),
        proves=False,
    ),
)
