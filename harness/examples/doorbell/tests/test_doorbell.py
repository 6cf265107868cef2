"""The doorbell's promises, the same on an emulated board and on one on a desk."""

import pytest

pytestmark = pytest.mark.hil_needs("button")


def test_a_press_reaches_the_server(bell, server):
    bell.press()
    bell.expect(rb"rang: 204", timeout_s=20)
    assert [ring["count"] for ring in server.rings] == [1]


@pytest.mark.hil_needs("led")
def test_the_led_says_that_it_arrived(bell):
    assert not bell.is_lit
    bell.press()
    bell.expect(rb"rang", timeout_s=20)
    assert bell.is_lit


def test_a_server_that_refuses_is_no_reason_to_give_up(bell, server):
    server.status = 503
    bell.press()
    bell.expect(rb"nobody heard it: the server says 503.*waiting", timeout_s=20)
    server.status = 204
    bell.press()
    bell.expect(rb"rang: 204", timeout_s=20)


@pytest.mark.hil_needs("air")
def test_it_comes_back_when_the_network_does(bell, hil_air):
    (point,) = hil_air.heard_by(bell.name)
    point.remove()
    bell.press()
    bell.expect(rb"nobody heard it: no network 'home'.*waiting", timeout_s=20)
    point.restore()
    bell.press()
    bell.expect(rb"rang: 204", timeout_s=20)


@pytest.mark.hil_needs("power")
def test_a_power_cut_leaves_a_bell_that_rings(bell):
    bell.power_off()
    bell.power_on()
    bell.expect(rb"waiting")
    bell.press()
    bell.expect(rb"rang: 204", timeout_s=20)
