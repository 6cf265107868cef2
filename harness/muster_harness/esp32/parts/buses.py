# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""The devices on an emulated board's I2C, SPI and UARTs, and the voltages at its ADC: a script.

Devices are called in the board's own thread: they are quick, and call nothing of the board.
"""

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from muster_harness.control import Refusal
from muster_harness.esp32.parts.one_wire import DHT11, DHT22, OneWireBus

# Given what the board writes and how many bytes it reads then, returns these.
I2CDevice = Callable[[bytes, int], bytes]
# Given what goes out, returns as many bytes that come in at the same time.
SPIDevice = Callable[[bytes], bytes]

_IRQ_RX, _IRQ_BREAK, _IRQ_RXIDLE = 1, 2, 0x1000  # as machine.UART has them
_NO_DEVICE = 19  # ENODEV: nobody acknowledges the address
_BROKEN = 5  # EIO
_TIMED_OUT = 116  # ETIMEDOUT
_MOST_KEPT = 65536
_MOST_SOUND = 1 << 20


class RegisterMap:
    """An I2C device of the usual kind, with registers.

    The first byte written chooses a register, further ones are stored from there on, and reading
    begins there. `memory` may be changed at any time.
    """

    def __init__(self, registers: Mapping[int, bytes]) -> None:
        self.memory = bytearray(256)
        self._at = 0
        for register, content in registers.items():
            self[register] = content

    def __setitem__(self, register: int, content: bytes) -> None:
        self.memory[register : register + len(content)] = content
        del self.memory[256:]

    def __call__(self, written: bytes, count: int) -> bytes:
        if written:
            self._at = written[0]
            self[self._at] = written[1:]
            self._at += len(written) - 1
        read = bytes(self.memory[(self._at + i) % 256] for i in range(count))
        self._at = (self._at + count) % 256
        return read


class UARTLine:
    """The other end of a UART.

    `answer`, if set, gets each piece that the board sends; its result is fed to the board.
    """

    def __init__(self, interrupt: Callable[[int], None] = lambda flags: None) -> None:
        self.sent = b""  # by the board, the newest 64 KiB of it
        self.answer: Callable[[bytes], bytes] | None = None
        self.pins: tuple[int | None, int | None] = (None, None)  # tx and rx
        self.trigger = 0  # the interrupts that the program wants
        self._interrupt = interrupt
        self._coming = bytearray()

    def feed(self, data: bytes) -> None:
        """Send bytes to the board."""
        self._coming += data
        if self.trigger & _IRQ_RX:
            for _ in data:
                self._interrupt(_IRQ_RX)
        if self.trigger & _IRQ_RXIDLE and data:
            self._interrupt(_IRQ_RXIDLE)

    def feed_break(self) -> None:
        """Hold the line low for longer than a byte: the board reads a zero."""
        self._coming += b"\0"
        if self.trigger & _IRQ_BREAK:
            self._interrupt(_IRQ_BREAK)

    @property
    def waiting(self) -> int:
        """The number of bytes that the board has not read."""
        return len(self._coming)

    def take(self, count: int) -> bytes:
        data = bytes(self._coming[:count])
        del self._coming[:count]
        return data

    def give(self, data: bytes) -> None:
        self.sent = (self.sent + data)[-_MOST_KEPT:]
        if self.answer is not None:
            self.feed(self.answer(data))


class I2SLine:
    """The other end of an I2S bus: a loudspeaker, or a microphone.

    `source`, if set, is asked for so many bytes of samples; without it there is silence.
    """

    def __init__(self) -> None:
        self.sent = b""  # by the board, the newest MiB of it
        self.source: Callable[[int], bytes] | None = None

    def give(self, data: bytes) -> None:
        self.sent = (self.sent + data)[-_MOST_SOUND:]


class _Lines(dict[int, UARTLine]):
    """UARTs by their number; there is one as soon as somebody asks."""

    def __init__(self, interrupt: Callable[[int, int], None]) -> None:
        super().__init__()
        self._interrupt = interrupt

    def __missing__(self, number: int) -> UARTLine:
        line = self[number] = UARTLine(lambda flags: self._interrupt(number, flags))
        return line


class Buses:
    """The buses of one board; a test may change everything while the board runs.

    There is one I2C bus, whatever number and pins the program gives it. SPI and UARTs go by their
    number (-1: SoftSPI), volts by pin.
    """

    def __init__(
        self,
        log: Callable[[str], None],
        on_uart: Callable[[int, int], None] = lambda number, flags: None,
        are_wired: Callable[[int, int], bool] = lambda pin, other: False,
    ) -> None:
        self._log = log
        self._are_wired = are_wired
        self.i2c: dict[int, I2CDevice] = {}  # by address
        self.spi: dict[int, SPIDevice] = {}
        self.uart: dict[int, UARTLine] = _Lines(on_uart)
        self.volts: dict[int, float] = {}
        self.one_wire: dict[int, OneWireBus] = defaultdict(OneWireBus)  # by pin, as the next
        self.dht: dict[int, DHT11 | DHT22] = {}
        self.touch: dict[int, int] = {}  # what a touch pad counts
        self.i2s: dict[int, I2SLine] = defaultdict(I2SLine)
        self.sd_card = bytearray()  # the content of the card, in blocks of 512; empty: no card

    # -- what the program asks

    def i2c_scan(self) -> list[int]:
        return sorted(self.i2c)

    def i2c_transfer(self, address: int, written: bytes, count: int) -> bytes:
        """Carry out one transfer; a device's answer of a wrong length is EIO.

        Raises Refusal, ENODEV if nobody is at the address.
        """
        device = self.i2c.get(address)
        if device is None:
            raise Refusal("OSError", _NO_DEVICE)
        return self._called(f"i2c {address:#x}", count, lambda: device(written, count))

    def spi_transfer(self, number: int, written: bytes) -> bytes:
        device = self.spi[number]
        return self._called(f"spi {number}", len(written), lambda: device(written))

    def ask_one_wire(self, pin: int, verb: str, bits: list[int] | int = 0) -> list[int] | bool:
        bus = self.one_wire[pin]
        if verb == "reset":
            return bus.reset()
        with self._told(f"1-Wire on pin {pin}"):
            if isinstance(bits, int):
                return [bus.read() for _ in range(bits)]
            for bit in bits:
                bus.write(bit)
        return []

    def dht_frame(self, pin: int) -> bytes:
        """Return what a humidity sensor sends. Raises Refusal where there is none."""
        sensor = self.dht.get(pin)
        if sensor is None:
            raise Refusal("OSError", _TIMED_OUT)
        return sensor.frame()

    def sound(self, number: int, count: int) -> bytes:
        """Return what comes in on an I2S bus."""
        source = self.i2s[number].source
        if source is None:
            return bytes(count)
        return self._called(f"i2s {number}", count, lambda: source(count))

    def uart_write(self, number: int, data: bytes) -> None:
        with self._told(f"uart {number}"):
            self.uart[number].give(data)
        for line in self._wired_to(number):
            line.feed(data)

    def uart_break(self, number: int) -> None:
        for line in self._wired_to(number):
            line.feed_break()

    def _wired_to(self, number: int) -> list[UARTLine]:
        """The UARTs of the board that hear what this one says, itself perhaps."""
        sending = self.uart[number].pins[0]
        if sending is None:
            return []
        lines = [line for line in self.uart.values() if line.pins[1] is not None]
        return [line for line in lines if self._are_wired(sending, line.pins[1] or 0)]

    def reset(self) -> None:
        """The program begins anew: it wants no interrupts yet, and nobody has kept for it what
        came before."""
        for line in self.uart.values():
            line.trigger = 0
            line.take(line.waiting)

    @contextlib.contextmanager
    def _told(self, name: str) -> Iterator[None]:
        try:
            yield
        except Exception as e:  # noqa: BLE001 (a test's own code: it ends the transfer, no board)
            self._log(f"{name}: its device raised {type(e).__name__}: {e}")
            raise Refusal("OSError", _BROKEN) from None

    def _called(self, name: str, count: int, transfer: Callable[[], bytes]) -> bytes:
        with self._told(name):
            read = transfer()
        if len(read) != count:
            self._log(f"{name}: its device gave {len(read)} bytes, and {count} were read")
            raise Refusal("OSError", _BROKEN)
        return bytes(read)
