# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# webrepl, which an ESP32's firmware contains: the prompt through a web socket, one client at a
# time, behind a password of webrepl_cfg.py.

import hashlib
import os
import socket
from binascii import b2a_base64

import _webrepl
import network
import websocket
from micropython import const

_DEFAULT_STATIC_HOST = const("https://micropython.org/webrepl/")
_CALLBACK = const(20)  # of setsockopt(): runs while the socket can be read
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3

DEBUG = 0
static_host = _DEFAULT_STATIC_HOST
listen_s = None
client_s = None


# False for who asks for a page, or goes away.
def server_handshake(cl):
    stream = cl.makefile("rwb", 0)
    first = stream.readline()
    if DEBUG:
        print(first)
    headers = {}
    while True:
        line = stream.readline()
        if not line:
            return False
        if line == b"\r\n":
            break
        if DEBUG:
            print(line)
        name, value = line.split(b":", 1)
        headers[name.strip()] = value.strip()
    key = headers.get(b"Sec-WebSocket-Key")
    if not key or b"Upgrade" not in headers.get(b"Connection", b""):
        return False
    if headers.get(b"Upgrade") != b"websocket":
        return False
    accepted = b2a_base64(hashlib.sha1(key + _GUID).digest())[:-1]  # noqa: S324 (the RFC's)
    cl.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
    cl.send(b"Sec-WebSocket-Accept: " + accepted + b"\r\n\r\n")
    return True


# The page itself is somebody else's.
def send_html(cl):
    cl.send(b'HTTP/1.0 200 OK\r\n\r\n<base href="' + static_host.encode() + b'"></base>\r\n')
    cl.send(b'<script src="webrepl_content.js"></script>\r\n')
    cl.close()


def setup_conn(port, accept_handler):
    global listen_s
    listen_s = socket.socket()
    listen_s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listen_s.bind(socket.getaddrinfo("0.0.0.0", port)[0][-1])  # noqa: S104 (as a board does)
    listen_s.listen(1)
    if accept_handler:
        listen_s.setsockopt(socket.SOL_SOCKET, _CALLBACK, accept_handler)
    for interface in (network.WLAN.IF_AP, network.WLAN.IF_STA):
        wlan = network.WLAN(interface)
        if wlan.active():
            print("WebREPL server started on http://%s:%d/" % (wlan.ifconfig()[0], port))
    return listen_s


# True once somebody has the terminal, who has not said the password yet.
def accept_conn(listen_sock):
    global client_s
    cl, peer = listen_sock.accept()
    if not server_handshake(cl):
        send_html(cl)
        return False
    before = os.dupterm(None)
    os.dupterm(before)
    if before:
        print("\nConcurrent WebREPL connection from", peer, "rejected")
        cl.close()
        return False
    print("\nWebREPL connection from:", peer)
    client_s = cl
    terminal = _webrepl._webrepl(websocket.websocket(cl, True))
    cl.setblocking(False)
    cl.setsockopt(socket.SOL_SOCKET, _CALLBACK, os.dupterm_notify)
    os.dupterm(terminal)
    return True


def stop():
    os.dupterm(None)
    if client_s:
        client_s.close()
    if listen_s:
        listen_s.close()


# The password of webrepl_cfg.py, None if there is none; that file may also name another page.
def _configured():
    global static_host
    try:
        import webrepl_cfg

        static_host = getattr(webrepl_cfg, "BASE", static_host)
        return webrepl_cfg.PASS
    except Exception:  # noqa: BLE001 (the port takes any mistake in that file for this)
        print("WebREPL is not configured, run 'import webrepl_setup'")
    return None


def start(port=8266, password=None, accept_handler=accept_conn):
    stop()
    _webrepl.password(_configured() if password is None else password)
    listener = setup_conn(port, accept_handler)
    if accept_handler is None:
        print("Starting webrepl in foreground mode")
        while not accept_conn(listener):
            pass
    else:
        mode = "normal" if password is None else "manual override"
        print("Started webrepl in %s mode" % mode)


def start_foreground(port=8266, password=None):
    start(port, password, None)
