# SPDX-License-Identifier: MIT
"""The dashboard on terminals that do not behave, and over log files that are none."""
import fcntl
import os
import pty
import signal
import struct
import subprocess
import termios
import threading

import pytest

from conftest import SLOW, read_proc, wait_for
from tui import Tui

APPS = "[app:web]\ncommand = sleep 1000\ninstances = 3\n"


class Line:
    """A terminal of which nothing is read, unless read() is called."""

    def __init__(self, pm, rows=50, cols=200):
        self.fd, slave = pty.openpty()
        self.size(rows, cols)
        self.p = subprocess.Popen([str(pm.pmctl), "monit"], stdin=slave, stdout=slave, stderr=slave, cwd=pm.dir,
                                  env={**pm.env(), "TERM": "xterm-256color", "LANG": "C.UTF-8"},
                                  start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        pm.popens.append(self.p)
        os.close(slave)
        self.got = b""

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.p.kill()
        self.p.wait()
        os.close(self.fd)

    def size(self, rows, cols):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def read(self):
        try:
            self.got += os.read(self.fd, 65536)
            return True
        except OSError:
            return False

    def read_until(self, text):
        while text not in self.got:
            assert self.read(), self.got

    def read_on(self):
        threading.Thread(target=lambda: all(iter(self.read, False)), daemon=True).start()


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGHUP])
def test_a_terminal_that_takes_nothing_does_not_hold_it(pm, sig):
    pm.up(APPS)
    with Line(pm) as t:
        t.read_until(b"web")

        def is_stuck():
            t.size(50, 200 - is_stuck.n % 2)  # draws all of it anew
            is_stuck.n += 1
            return read_proc(t.p.pid, "syscall").startswith(b"1 0x1 ")  # write, to the terminal
        is_stuck.n = 1
        wait_for(is_stuck, 20, "a full terminal")
        t.p.send_signal(sig)
        assert t.p.wait(10 * SLOW) == 128 + sig


@pytest.mark.parametrize("sig", [signal.SIGQUIT, signal.SIGUSR1])
def test_other_signals_give_the_terminal_back_too(pm, sig):
    pm.up(APPS)
    with Line(pm, 24, 80) as t:
        t.read_until(b"3/3 online")
        t.p.send_signal(sig)
        t.read_on()
        assert t.p.wait(10 * SLOW) == 128 + sig
        wait_for(lambda: b"\x1b[?1049l" in t.got, 10, "the other screen")


def test_what_joins_characters_shifts_nothing(pm):
    """Terminals disagree about the width of joined characters: the frame beside them stays where it is."""
    (pm.dir / "feed").write_text("family \U0001F469\u200d\U0001F4BB|\nthumb \U0001F44D\U0001F3FD|\nheart \u2764\ufe0f|\nlast\n")
    pm.up("[app:web]\ncommand = sh -c 'cat feed; exec sleep 1000'\n")
    with Tui(36, 120) as t:
        t.monit(pm)
        lines = t.wait("last")
        assert any(s[1:].lstrip("0123456789:. ").startswith("family \U0001F469\U0001F4BB|") for s in lines), lines
        assert any("thumb \U0001F44D|" in s for s in lines) and any("heart \u2764|" in s for s in lines)


def test_a_log_file_that_is_none_is_told_with_the_reason(pm):
    (pm.dir / "feed").touch()
    pm.up("[app:web]\ncommand = sh -c 'echo begun; exec tail -n +1 -f feed'\n")
    pm.wait_log("web", "begun")
    path = pm.logdir / "web-0.out.log"

    def feed():
        with open(pm.dir / "feed", "a", encoding="ascii") as f:
            f.write("more\n")
    with Tui() as t:
        t.monit(pm)
        t.wait("begun")
        path.unlink()
        os.mkfifo(path)
        wait_for(lambda: feed() or "is refused: it is not a regular file; its lines wait" in pm.ok("events", "web").out, 20,
                 "the reason")
        path.unlink()
        t.wait(lambda lines: feed() or any(s.endswith(" more") for s in lines))
