# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
# Arguments as the port's C takes them, so that a program that an ESP32 refuses is refused here: a
# float is no integer, a word has 32 bits, and texts are measured in bytes.

from micropython import const

_WORD = const(0x80000000)
_REAL = (int, float, bool)  # made once: a sleep takes nothing of the heap


# mp_obj_get_int()
def integer(value):
    if type(value) is not int:
        value = range(value).stop  # which refuses other types in the interpreter's own words
    if not -_WORD <= value < _WORD:
        raise OverflowError("overflow converting long int to machine word")
    return value


# mp_obj_get_float()
def real(value):
    if not isinstance(value, _REAL):
        raise TypeError("can't convert %s to float" % type(value).__name__)
    return value


# mp_obj_str_get_data(): of a str or bytes
def data(value):
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    raise TypeError("can't convert '%s' object to str implicitly" % type(value).__name__)


# mp_obj_str_get_str()
def text(value):
    return value if isinstance(value, str) else data(value).decode()


# mp_obj_get_array(), of `length` items if one is given
def items(value, length=None):
    if not isinstance(value, (tuple, list)):
        raise TypeError("object '%s' isn't a tuple or list" % type(value).__name__)
    if length is not None and len(value) != length:
        raise ValueError("requested length %d but object has length %d" % (length, len(value)))
    return value


# mp_arg_check_num(), of what comes as *args; a method's self counts too
def at_most(count, args, of_method=0):
    if len(args) > count:
        raise TypeError(
            "function expected at most %d arguments, got %d"
            % (count + of_method, len(args) + of_method)
        )
