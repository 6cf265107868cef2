# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# os.dupterm, and the callbacks of sockets that have something to read (option 20): what WebREPL
# stands on. A board looks after both where it waits, also at the prompt; so does a thread here.

import _thread
from binascii import hexlify, unhexlify

import host_link
from arguments import integer
from micropython import const
from native import print_exception

_IN = const(1)
_CLOSE = const(4)
_LONGEST = const(256)  # a board's ring
_ROUND_US = const(3000)

_stream = None
_byte = bytearray(1)
_watched = []  # [socket, callback]
_is_attended = False


def dupterm(stream, index=0):
    global _stream
    if integer(index) != 0:
        raise ValueError("invalid dupterm index")
    if stream is not None and not (hasattr(stream, "readinto") and hasattr(stream, "write")):
        raise OSError("stream operation not supported")
    if stream is None:
        _show()  # what was said before
    before, _stream = _stream, stream
    if before is not stream:
        host_link.request("second_terminal", "attach", stream is not None)
    if stream is not None:
        _attend()
    return before


# Types what has come on the second terminal; a Ctrl-C among it interrupts the program.
def notify(_):
    typed = bytearray()
    while _stream is not None and len(typed) < _LONGEST:
        try:
            n = _stream.readinto(_byte)
        except Exception as e:  # noqa: BLE001 (as mp_os_dupterm_rx_chr())
            _detach("dupterm: Exception in read() method, deactivating: ", e)
            break
        if n is None:
            break
        if n == 0:
            _detach("dupterm: EOF received, deactivating\n")
            break
        typed.append(_byte[0])
    if typed:
        host_link.request("second_terminal", "type", hexlify(typed))


# Has a callback run while a socket can be read; None ends that.
def watch(socket, callback):
    _watched[:] = [pair for pair in _watched if pair[0] is not socket]
    if callback is not None:
        _watched.append((socket, callback))
        _attend()


def _detach(message, e=None):
    global _stream
    before, _stream = _stream, None
    host_link.request("second_terminal", "attach", False)
    print(message, end="")
    if e is not None:
        print_exception(e)
    try:
        before.ioctl(_CLOSE, 0)
    except Exception:  # noqa: BLE001, S110 (as mp_os_deactivate())
        pass


def _show():
    while _stream is not None:
        said = unhexlify(host_link.request("second_terminal", "take"))
        if not said:
            return
        try:
            _stream.write(said)
        except Exception as e:  # noqa: BLE001 (as mp_os_dupterm_tx_strn())
            _detach("dupterm: Exception in write() method, deactivating: ", e)


def _attend():
    global _is_attended
    if not _is_attended:
        _is_attended = True
        _thread.start_new_thread(_rounds, ())


def _rounds():
    while True:
        for pair in list(_watched):
            socket, callback = pair
            if socket._is_closed:
                _watched.remove(pair)
            elif socket.ioctl(3, _IN) & _IN:
                host_link.protected(callback, socket)
        host_link.refresh()
        host_link.deliver()
        if _thread.prompt_waits():
            notify(None)
        _show()
        _thread.rest(_ROUND_US)
