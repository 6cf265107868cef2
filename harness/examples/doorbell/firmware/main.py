# A doorbell: a press of the button is posted to a server, and the LED says that it has arrived.
# /doorbell.json: {"ssid": "home", "password": "…", "host": "192.168.1.10", "port": 8080,
# "join_s": 15}

import json
import socket
import time

import network
from machine import Pin, unique_id

_BUTTON = 0  # BOOT on most boards; low while it is pressed
_LED = 2
_ANSWER_S = 5


def join(wlan, settings):
    # Off and on again: it forgets what it was trying, so that connect() does not raise.
    wlan.active(False)
    wlan.active(True)
    wlan.connect(settings["ssid"], settings["password"])
    begin = time.ticks_ms()
    while not wlan.isconnected():
        if time.ticks_diff(time.ticks_ms(), begin) > settings["join_s"] * 1000:
            raise OSError("no network %r" % settings["ssid"])
        time.sleep_ms(20)


def post(settings, path, document):
    # The answer's status, e.g. 204.
    body = json.dumps(document)
    place = socket.getaddrinfo(settings["host"], settings["port"])[0][-1]
    s = socket.socket()
    try:
        s.settimeout(_ANSWER_S)
        s.connect(place)
        head = "POST %s HTTP/1.0\r\nHost: %s\r\nContent-Type: application/json\r\n"
        s.write(head % (path, settings["host"]))
        s.write("Content-Length: %d\r\n\r\n%s" % (len(body), body))
        return int(s.readline().split()[1])
    finally:
        s.close()


def ring(wlan, settings, count):
    if not wlan.isconnected():
        join(wlan, settings)
    status = post(settings, "/ring", {"bell": unique_id().hex(), "count": count})
    if status >= 300:
        raise OSError("the server says %d" % status)
    return status


def main():
    with open("/doorbell.json") as f:
        settings = json.load(f)
    wlan = network.WLAN(network.STA_IF)
    button, led = Pin(_BUTTON, Pin.IN, Pin.PULL_UP), Pin(_LED, Pin.OUT, value=0)
    count = 0
    while True:
        print("waiting")
        while button.value():
            time.sleep_ms(10)
        count += 1
        try:
            # The LED first: who waits for the words may look at it then.
            status = ring(wlan, settings, count)
            led.on()
            print("rang:", status)
        except (OSError, ValueError, IndexError) as e:
            led.off()
            print("nobody heard it:", e)
        while not button.value():
            time.sleep_ms(10)


main()
