# SPDX-License-Identifier: MIT
"""The row of the dashboard: what it costs to look at 100 instances."""
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time

from frame import Failed, Line, bare, cpu_ms, memory_kb, quiet
from managers import App

ROWS, COLS = 36, 120
WATCHED_S = 30


class Dashboard:
    """One in a terminal of its own that is read as fast as it writes."""

    def __init__(self, m):
        self.begin = time.monotonic()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLS, 0, 0))
            os.execve(str(m.program[0]), ["pmctl", "monit"],
                      {**m.env, "TERM": "xterm-256color", "LANG": "C.UTF-8"})

    def read(self, seconds):
        """What it writes in this time, or until its end."""
        end, text = time.monotonic() + seconds, b""
        while (left := end - time.monotonic()) > 0 and select.select([self.fd], [], [], left)[0]:
            try:
                text += os.read(self.fd, 65536)
            except OSError:
                return text
        return text

    def first_frame(self):
        """Milliseconds from its start to a frame with figures of the apps."""
        text = b""
        while b"60/60" not in text:
            text += self.read(0.001)
            if time.monotonic() > self.begin + 20:
                raise Failed("the dashboard shows nothing")
        return (time.monotonic() - self.begin) * 1000

    def end(self):
        os.kill(self.pid, signal.SIGTERM)
        self.read(5)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def row_monit(b):
    """The dashboard (120x36) over 100 instances: first frame, CPU of 30 s, memory"""
    m = b.ours()
    m.start(App("idle", [bare("trivial")], 60, keys={"ready": "spawn"}),
            App("more", [bare("trivial")], 40, keys={"ready": "spawn"}))
    first, cpu, rss = [], [], []
    for _ in range(b.rounds(10)):
        quiet()
        d = Dashboard(m)
        first.append(d.first_frame())
        d.end()
    for _ in range(b.rounds(2)):
        d = Dashboard(m)
        d.first_frame()
        d.read(2)
        before = cpu_ms([d.pid])
        d.read(WATCHED_S)
        cpu.append((cpu_ms([d.pid]) - before) / WATCHED_S / 10)
        rss.append(memory_kb([d.pid])["Rss"] / 1024)
        d.end()
    yield Line("dashboard, first frame", "ms", first, goal=30)
    yield Line("dashboard, 1 Hz, of a core", "%", cpu, goal=0.3, digits=3)
    yield Line("dashboard, memory", "MB", rss, goal=8)
