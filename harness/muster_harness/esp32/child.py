# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Muster authors
"""One run of the interpreter: from a reset to the next."""

import contextlib
import ctypes
import fcntl
import os
import signal
import sys
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from muster_harness.esp32.thread_token import ThreadToken
from muster_harness.loop import Loop, Timer

CONTROL_FD = 3
IMAGE_FD = 4
PAGE_FD = 5
_LIFE_FD = 6
CLOCK_FD = 7
TOKEN_FD = 8
_LEND_S = 0.003
_PIPE_READ = 65536
_CTRL_C = 0x03
_LIBC = ctypes.CDLL(None)  # tgkill(2)
_SIGINT_BIT = 1 << (signal.SIGINT - 1)
_ASLEEP_WITHIN_S = 0.2
_FLASH_WITHIN_S = 2.0
_STOPPED_WITHIN_S = 0.05


class Child:
    """The interpreter's process, its console pipes and its end.

    Ctrl-C is a signal only while a program runs, and then, if it comes soon, only while the
    program sleeps in a system call: MicroPython's handler jumps out of whatever C code runs,
    and out of LittleFS that ends in a crash.
    """

    def __init__(
        self,
        loop: Loop,
        command: Sequence[str],
        environment: dict[str, str],
        files: dict[int, int],
        on_output: Callable[[bytes], None],
        on_exit: Callable[[int], None],
        is_asking: Callable[[], bool],
        is_slow: bool = False,
    ):
        self._loop = loop
        self._on_output = on_output
        self._on_exit = on_exit
        self._incoming = bytearray()  # not yet taken, because a Ctrl-C in it is not yet decided
        self._undecided_since: float | None = None
        self._deciding: Timer | None = None
        self._backlog = bytearray()  # taken, but there is no room in the pipe
        self._waits_to_write = False
        self._interrupting: Timer | None = None
        self.holds_input = False  # keeps what comes for the interpreter until `release_input`
        self._is_asking = is_asking  # while a request of it is answered it is not interrupted
        self._token = ThreadToken()
        self._lending: Timer | None = None
        files = {**files, TOKEN_FD: self._token.fd}
        try:
            self._stdin, self._stdout, self._life, self.pid = _spawn(command, environment, files)
        except BaseException:
            self._token.close()
            raise
        if is_slow:  # so that what the program prints does not run far ahead of the line
            fcntl.fcntl(self._stdout, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(self._stdin, False)
        os.set_blocking(self._stdout, False)
        self._pidfd = os.pidfd_open(self.pid)
        self._ran_s = self._seen_cpu_s = 0.0
        self._seen_s = time.monotonic()
        self._reads = False
        self.resume()
        loop.on_ready(self._pidfd, self._exited)

    # -- output

    def pause(self) -> None:
        """Stop reading the output, so that the program has to wait."""
        if self._reads:
            self._loop.forget(self._stdout)
            self._reads = False

    def resume(self) -> None:
        if not self._reads:
            self._loop.on_ready(self._stdout, self._read)
            self._reads = True

    def drain(self) -> None:
        """Read all output until now."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._stdout, _PIPE_READ):
                self._on_output(data)

    def _read(self) -> None:
        with contextlib.suppress(BlockingIOError):
            data = os.read(self._stdout, _PIPE_READ)
            if data:
                self._on_output(data)
            else:
                self.pause()

    # -- input

    def write(self, data: bytes) -> None:
        """Give input to the console; a Ctrl-C among it may become a signal."""
        self._incoming += data
        if self._deciding is None:
            self._take_incoming()

    def _take_incoming(self) -> None:
        self._deciding = None
        if not self._token.take_back():
            self._deciding = self._loop.later(0.001, self._take_incoming)
            return
        while self._incoming:
            if self._interrupting is not None:
                # What follows a Ctrl-C is for the prompt; a program that reads must not get it.
                self._deciding = self._loop.later(0.001, self._take_incoming)
                return
            if self._incoming[0] != _CTRL_C:
                plain = bytes(self._incoming).partition(b"\x03")[0]
                del self._incoming[: len(plain)]
                self._send(plain)
                continue
            is_signal = self._decide()
            if is_signal is None:
                self._undecided_since = self._undecided_since or time.monotonic()
                self._deciding = self._loop.later(0.001, self._take_incoming)
                return
            self._undecided_since = None
            del self._incoming[0]
            if is_signal:
                soon = time.monotonic() + _ASLEEP_WITHIN_S
                self._interrupt_within(soon, self._flash_activity())
            else:
                self._send(b"\x03")

    def _decide(self) -> bool | None:
        """Decide whether a Ctrl-C is a signal or a byte; None while the input before it is
        unread."""
        if self._catches_interrupts():
            return True
        if not self._backlog and not self._unread() and self._state() == "S":
            return False
        since = self._undecided_since
        is_late = since is not None and time.monotonic() > since + _ASLEEP_WITHIN_S
        return False if is_late else None

    def unread(self) -> int:
        """Return how many bytes of the input the program has not read."""
        return len(self._incoming) + len(self._backlog) + self._unread()

    def ran_s(self) -> float:
        """Return the seconds that the program has computed or slept so far.

        Time in which this host let the program wait for a processor does not count.
        """
        now_s, cpu_s = time.monotonic(), self._cpu_s()
        is_asleep = self._state() == "S"
        self._ran_s += now_s - self._seen_s if is_asleep else cpu_s - self._seen_cpu_s
        self._seen_s, self._seen_cpu_s = now_s, cpu_s
        return self._ran_s

    def _cpu_s(self) -> float:
        with contextlib.suppress(OSError):  # it has just ended
            # the clock that clock_getcpuclockid(3) names for a process
            return time.clock_gettime((~self.pid << 3) | 2)
        return self._seen_cpu_s

    def _unread(self) -> int:
        count = fcntl.ioctl(self._stdin, termios.FIONREAD, b"\0\0\0\0")
        return int.from_bytes(count, sys.byteorder)

    def release_input(self, first: bytes = b"") -> None:
        self.holds_input = False
        self._backlog[:0] = first
        self._send(b"")

    def _send(self, data: bytes) -> None:
        self._backlog += data
        if self.holds_input:
            return
        try:
            while self._backlog:
                sent = os.write(self._stdin, self._backlog[:4096])
                del self._backlog[:sent]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self._backlog.clear()
        if bool(self._backlog) != self._waits_to_write:
            self._waits_to_write = bool(self._backlog)
            if self._waits_to_write:
                self._loop.on_ready(self._stdin, lambda: self._send(b""), writable=True)
            else:
                self._loop.forget(self._stdin)

    # -- threads

    def threads_begin(self) -> None:
        """From now on its main thread is not the only one."""
        if self._lending is None:
            self._lend()

    def _lend(self) -> None:
        self._lending = self._loop.later(_LEND_S, self._lend)
        is_asking = self._is_asking()  # which hears first what the program has to say
        if not is_asking and not self._incoming and not self._backlog and not self._unread():
            self._token.lend(self.pid)

    def main_thread_has_right(self, has_it: bool) -> None:
        self._token.can_be_lent = has_it

    # -- interrupts

    def _catches_interrupts(self) -> bool:
        with contextlib.suppress(OSError), Path(f"/proc/{self.pid}/status").open() as status:
            for line in status:
                if line.startswith("SigCgt:"):
                    return bool(int(line.split()[1], 16) & _SIGINT_BIT)
        return False

    def _state(self) -> str:
        """Return the process's state: R running, S asleep in a system call, T stopped
        (proc(5))."""
        with contextlib.suppress(OSError), Path(f"/proc/{self.pid}/stat").open() as stat:
            return stat.read().rpartition(")")[2].split()[0]
        return ""

    def _signal(self, only_asleep: bool) -> bool:
        """Interrupt the program, unless it does not want that any more; tell whether it was done.

        The process is stopped meanwhile, because the signal kills a process that does not catch
        it.
        """
        self._send_signal(signal.SIGSTOP)
        try:
            end = time.monotonic() + _STOPPED_WITHIN_S
            while self._state() != "T" and time.monotonic() < end:
                pass
            if not self._catches_interrupts() or only_asleep and not self._is_in_system_call():
                return False
            self._interrupt_main_thread()
            return True
        finally:
            self._send_signal(signal.SIGCONT)

    def _interrupt_main_thread(self) -> None:
        # One for the process would be anybody's, since all its threads go on at the same moment:
        # the exception is raised in the thread that takes the signal. The number is still ours,
        # for nobody has waited for this child; if it has ended there is nothing to interrupt.
        _LIBC.tgkill(self.pid, self.pid, signal.SIGINT)

    def _send_signal(self, number: int) -> None:
        # By the descriptor, not the number, which may be somebody else's once this one has ended.
        signal.pidfd_send_signal(self._pidfd, number)

    def _is_in_system_call(self) -> bool:
        with contextlib.suppress(OSError):
            return not Path(f"/proc/{self.pid}/syscall").read_text().startswith(("-1", "running"))
        return False

    def _flash_activity(self) -> str:
        # bytes read and written so far: they move while LittleFS works
        with contextlib.suppress(OSError), Path(f"/proc/{self.pid}/io").open() as counters:
            return "".join(line for line in counters if line.startswith(("rchar", "wchar")))
        return ""

    def _interrupt_within(self, deadline: float, activity: str, since: float = 0.0) -> None:
        since = since or time.monotonic()
        self._interrupting = None
        if not self._catches_interrupts():
            return  # the program ended meanwhile, and with it the interrupt, as on a board
        if not self._is_asking() and self._state() == "S" and self._signal(only_asleep=True):
            return
        now = time.monotonic()
        if now >= deadline:
            later = self._flash_activity()
            if later == activity or now - since > _FLASH_WITHIN_S:
                self._signal(only_asleep=False)  # pure computation: the risk is small
                return
            activity, deadline = later, now + _ASLEEP_WITHIN_S
        self._interrupting = self._loop.later(
            0.001, lambda: self._interrupt_within(deadline, activity, since)
        )

    # -- memory

    def read_memory(self, address: int, size: int) -> bytes:
        """Read the program's memory, e.g. a buffer whose address it has told; b"" once it has
        ended."""
        with contextlib.suppress(OSError), Path(f"/proc/{self.pid}/mem").open("rb") as memory:
            return os.pread(memory.fileno(), size, address)
        return b""

    def write_memory(self, address: int, data: bytes) -> None:
        with contextlib.suppress(OSError), Path(f"/proc/{self.pid}/mem").open("r+b") as memory:
            os.pwrite(memory.fileno(), data, address)

    # -- end

    def kill(self) -> None:
        """End the program at once; `on_exit` is not called."""
        self._send_signal(signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.drain()
        self._close()

    def _exited(self) -> None:
        self.drain()
        _, status = os.waitpid(self.pid, 0)
        self._close()
        self._on_exit(os.waitstatus_to_exitcode(status))

    def _close(self) -> None:
        self.pause()
        self._loop.forget(self._pidfd)
        if self._waits_to_write:
            self._loop.forget(self._stdin)
        self._token.close()
        for timer in (self._deciding, self._interrupting, self._lending):
            if timer is not None:
                timer.cancel()
        for fd in (self._stdin, self._stdout, self._life, self._pidfd):
            os.close(fd)
        self._pidfd = -1  # the number may soon be another file's


def _spawn(
    command: Sequence[str], environment: dict[str, str], files: dict[int, int]
) -> tuple[int, int, int, int]:
    """Start the command and return (its stdin, its stdout, its lifeline, its pid)."""
    stdin_read, stdin_write = os.pipe()
    stdout_read, stdout_write = os.pipe()
    life_read, life_write = os.pipe()
    wanted = {0: stdin_read, 1: stdout_write, 2: stdout_write, _LIFE_FD: life_read, **files}
    # Above the numbers that they get in the child, so that no dup2 destroys the source of another.
    copies = {fd: fcntl.fcntl(source, fcntl.F_DUPFD_CLOEXEC, 64) for fd, source in wanted.items()}
    try:
        pid = os.posix_spawn(
            command[0],
            list(command),
            environment,
            file_actions=[(os.POSIX_SPAWN_DUP2, copy, fd) for fd, copy in copies.items()],
            setsid=True,
            setsigdef=[signal.SIGINT, signal.SIGPIPE],
        )
        # If this process dies, the write end closes, and the kernel kills the child.
        fcntl.fcntl(life_read, fcntl.F_SETOWN, pid)
        fcntl.fcntl(life_read, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(life_read, fcntl.F_SETFL, os.O_ASYNC)
    except BaseException:
        for fd in (stdin_write, stdout_read, life_write):
            os.close(fd)
        raise
    finally:
        for fd in (*copies.values(), stdin_read, stdout_write, life_read):
            os.close(fd)
    return stdin_write, stdout_read, life_write, pid
