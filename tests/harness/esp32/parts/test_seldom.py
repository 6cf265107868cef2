# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""Sound, memory cards, the flash by its addresses, and small modules of an ESP32's firmware."""

from muster_harness import EmulatedBoard, RegisterMap

_I2S = """
import time
from machine import I2S, Pin
def bus(mode, **more):
    return I2S(0, sck=Pin(14), ws=Pin(13), sd=Pin(12), mode=mode, bits=16, format=I2S.MONO,
               rate=16000, ibuf=1600, **more)
"""


def test_a_loudspeaker_hears_what_is_played_at_its_pace(board: EmulatedBoard) -> None:
    board.exec(_I2S + "s = bus(I2S.TX); begin = time.ticks_ms(); s.write(b'\\x01\\x02' * 3200)")
    assert board.buses.i2s[0].sent == b"\x01\x02" * 3200
    assert board.eval("time.ticks_diff(time.ticks_ms(), begin)") >= 100
    board.exec("told = []; s.irq(told.append); s.write(bytes(320)); time.sleep_ms(300)")
    assert board.eval("told == [s]") is True


def test_a_microphone_is_heard(board: EmulatedBoard) -> None:
    board.exec(_I2S + "s = bus(I2S.RX); b = bytearray(8); s.readinto(b)")
    assert board.eval("bytes(b)") == bytes(8)
    board.buses.i2s[0].source = lambda count: b"\x05" * count
    board.exec("import asyncio")
    board.exec("async def one(): return await asyncio.StreamReader(s).readinto(b)")
    assert board.eval("asyncio.run(one()), bytes(b)") == (8, b"\x05" * 8)


def test_a_card_is_mounted_and_kept(board: EmulatedBoard) -> None:
    board.exec("from machine import SDCard; import vfs, os; card = SDCard(slot=2)")
    assert board.eval("card.ioctl(1, 0), card.readblocks(0, bytearray(512))") == (-1, False)
    board.buses.sd_card = bytearray(1 << 20)
    assert board.eval("card.info(), card.ioctl(4, 0)") == ((1 << 20, 512), 2048)
    board.exec("vfs.VfsFat.mkfs(card); vfs.mount(card, '/sd')")
    board.exec("f = open('/sd/log.txt', 'w'); f.write('21.5'); f.close(); vfs.umount('/sd')")
    assert b"21.5" in board.buses.sd_card and b"LOG     TXT" in board.buses.sd_card


def test_the_flash_is_read_and_written_by_its_addresses(board: EmulatedBoard) -> None:
    board.exec("import esp, machine; b = bytearray(20); esp.flash_erase(1023)")
    board.exec("esp.flash_write(0x3ffff6, b'0123456789'); esp.flash_read(0x3fffec, b)")
    assert board.eval("bytes(b)") == b"\xff" * 10 + b"0123456789"
    board.exec("esp.flash_write(0x3ffff6, b'\\x00'); esp.flash_read(0x3fffec, b)")
    assert board.eval("b[10]") == 0
    assert board.eval("(esp.flash_read(0x1000, b), b[0])") == (None, 0xFF)


def test_single_steps_of_a_soft_bus_reach_a_device(board: EmulatedBoard) -> None:
    board.buses.i2c[0x48] = RegisterMap({1: b"\x19"})
    board.exec("from machine import SoftI2C, Pin; bus = SoftI2C(Pin(22), Pin(21))")
    board.exec("bus.start(); acks = bus.write(b'\\x90\\x01'); bus.start(); bus.write(b'\\x91')")
    board.exec("b = bytearray(1); bus.readinto(b); bus.stop()")
    assert board.eval("acks, b[0]") == (2, 0x19)
    board.exec("bus.start(); bus.write(b'\\x90\\x02\\x07'); bus.stop()")
    assert board.buses.i2c[0x48](b"\x02", 1) == b"\x07"
    assert board.eval("(bus.start(), bus.write(b'\\x20'), bus.stop())[1]") == 0


def test_a_table_is_kept_in_its_file(board: EmulatedBoard) -> None:
    board.exec("import btree; f = open('db', 'w+b'); db = btree.open(f)")
    board.exec(
        "db['a'] = 'x' * 100; db['b'] = 'y'; db.flush(); del db['a']; db.close(); f.close()"
    )
    board.exec("f = open('db', 'r+b'); db = btree.open(f)")
    assert board.eval("list(db.items())") == [(b"b", b"y")]


def test_a_shell_for_the_prompt(board: EmulatedBoard) -> None:
    board.write_file("/a.txt", b"one\ntwo\n")
    said = board.exec(
        "from upysh import *\ncp('a.txt', 'b.txt'); head('b.txt', 1); print(repr(ls))"
    )
    assert "two" not in said and "\none\n" in said and "8 b.txt" in said
    board.exec("mkdir('d'); newly = open('d/x', 'w'); newly.close(); rm('d', True)")
    assert "d" not in board.list_files()
    assert board.eval("__import__('apa106').APA106.ORDER") == (0, 1, 2, 3)


def test_a_filesystem_is_made_anew(board: EmulatedBoard) -> None:
    board.exec("import flashbdev, inisetup; a = bdev.info() == flashbdev.bdev.info()")
    assert board.eval("a") is True
    board.exec("for n in range(512): flashbdev.bdev.ioctl(6, n)")
    board.exec("import vfs; vfs.umount('/'); inisetup.setup()")
    assert board.eval("__import__('os').listdir('/')") == ["boot.py"]
