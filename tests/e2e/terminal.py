# SPDX-License-Identifier: MIT
"""A pseudo terminal with pmctl in it, and what a person would see there."""
import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
import unicodedata

from conftest import SLOW

ESCAPE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])")


class Screen:
    """Lines as a terminal shows them. Knows what pmctl may send, and nothing else."""

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.lines, self.row, self.col = [""], 0, 0
        self.frames = 0  # times the screen was cleared from the cursor on
        self.rest = ""
        self.colors = False

    def put(self, char):
        line = self.lines[self.row].ljust(self.col)
        self.lines[self.row] = line[:self.col] + char + line[self.col + 1:]
        self.col += 1
        # The last column is never used: some terminals wrap there.
        assert self.col < self.columns, f"too wide for {self.columns}: {self.lines[self.row]!r}"
        assert unicodedata.east_asian_width(char) not in "WF", char

    def feed(self, text):
        text, self.rest = self.rest + text, ""
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                m = ESCAPE.match(text, at)
                if not m:
                    assert len(text) - at < 16, f"what is {text[at:at + 16]!r}"
                    self.rest = text[at:]  # the end of it is still to come
                    return
                self.escape(m[1], m[2])
                at = m.end()
                continue
            if text[at] == "\n":
                self.row += 1
                if self.row == len(self.lines):
                    self.lines.append("")
            elif text[at] == "\r":
                self.col = 0
            else:
                self.put(text[at])
            at += 1

    def escape(self, args, command):
        if command == "A":
            top = max(0, len(self.lines) - self.rows)
            assert self.row - int(args) >= top, "above the top of the screen"
            self.row -= int(args)
        elif command == "K" and args in ("", "0"):
            self.lines[self.row] = self.lines[self.row][:self.col]
        elif command == "J" and args in ("", "0"):
            self.lines[self.row] = self.lines[self.row][:self.col]
            del self.lines[self.row + 1:]
            self.frames += 1
        elif command == "m":
            self.colors = True
        else:
            raise AssertionError(f"ESC [ {args} {command}: a mode of the terminal is changed")

    def text(self):
        return "\n".join(line.rstrip() for line in self.lines)


class Term:
    def __init__(self, pm, *args, columns=120, rows=40, env=None, program=None):
        self.screen = Screen(columns, rows)
        self.master, slave = pty.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(slave)
        extra = {"TERM": "xterm", "LANG": "C.UTF-8", "COLUMNS": None}
        extra.update(env or {})
        self.proc = subprocess.Popen(
            [*(program or [str(pm.pmctl)]), *map(str, args)], stdin=slave, stdout=slave, stderr=slave, cwd=pm.dir, env=pm.env(extra), start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        pm.popens.append(self.proc)
        self.slave, self.raw = slave, b""
        self.decoder = codecs.getincrementaldecoder("utf-8")()

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.columns = columns
        self.screen.rows = rows

    def read(self, seconds):
        """What comes within this time, at least one piece of it if there is any."""
        if not select.select([self.master], [], [], max(0, seconds))[0]:
            return False
        data = os.read(self.master, 65536)
        self.raw += data
        self.screen.feed(self.decoder.decode(data))
        return True

    def until(self, cond, deadline=20, what="it"):
        """Reads until cond(screen text) is true."""
        end = time.monotonic() + deadline * SLOW
        while not cond(self.screen.text()):
            left = end - time.monotonic()
            if left <= 0 or (self.proc.poll() is not None and not self.read(0)):
                raise AssertionError(f"not seen: {what}\n{self.screen.text()}")
            self.read(min(left, 0.05))
        return self.screen.text()

    def sees(self, text, deadline=20):
        return self.until(lambda screen: text in screen, deadline, repr(text))

    def key(self, data):
        os.write(self.master, data)

    def interrupt(self):
        self.key(b"\x03")

    def end(self, rc, deadline=30):
        """Reads to the end; the text on the screen. The terminal is as it was before."""
        end = time.monotonic() + deadline * SLOW
        while self.proc.poll() is None:
            assert time.monotonic() < end, f"it does not end\n{self.screen.text()}"
            self.read(0.05)
        while self.read(0):
            pass
        text = self.screen.text()
        assert self.proc.returncode == rc, f"exit {self.proc.returncode}\n{text}"
        assert termios.tcgetattr(self.slave) == self.before
        os.close(self.slave)
        os.close(self.master)
        return text
