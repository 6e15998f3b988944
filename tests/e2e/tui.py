# SPDX-License-Identifier: MIT
"""Drives the dashboard in a real terminal emulator: tmux, with a server of its own for each test."""
import os
import shlex
import shutil
import subprocess
import tempfile

from conftest import descendants, read_proc, wait_for


class Tui:
    """A terminal of rows x cols. `with Tui(24, 80) as t: t.run([...])`."""

    def __init__(self, rows=24, cols=80, env=None):
        self.dir = tempfile.mkdtemp(prefix="tui")
        self.socket = os.path.join(self.dir, "tmux")
        self.rows, self.cols = rows, cols
        self.env = {"PATH": os.environ["PATH"], "HOME": self.dir, "LANG": "C.UTF-8", "TZ": "UTC", **(env or {})}
        self.started = False

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.started:
            self.tmux("kill-server", check=False)
        shutil.rmtree(self.dir, ignore_errors=True)

    def tmux(self, *args, check=True):
        r = subprocess.run(["tmux", "-f", "/dev/null", "-u", "-S", self.socket, *args], env=self.env, text=True,
                           capture_output=True, timeout=30, check=False)
        assert not check or r.returncode == 0, r.stderr
        return r.stdout

    def run(self, argv, term="tmux-256color", after="echo ended=$?; exec cat", cwd="/"):
        """The program in the pane; when it ends, its exit status stands there as `ended=N`."""
        sets = " ".join(f"{k}={shlex.quote(v)}" for k, v in {**self.env, "TERM": term}.items())
        command = f"env -i {sets} {' '.join(map(shlex.quote, argv))}; {after}"
        self.tmux("new-session", "-d", "-x", str(self.cols), "-y", str(self.rows), "-c", str(cwd),
                  command)
        self.started = True
        self.tmux("set-option", "-g", "status", "off", check=False)
        self.tmux("set-option", "-g", "escape-time", "0", check=False)
        self.tmux("resize-window", "-x", str(self.cols), "-y", str(self.rows), check=False)

    def monit(self, pm, *args, **kw):
        """The dashboard of this daemon."""
        self.env = {**pm.env(), **self.env, "PATH": pm.env()["PATH"], "HOME": str(pm.dir)}
        self.run([str(pm.pmctl), "monit", *map(str, args)], **kw)
        return self

    def keys(self, *names):
        """Names as tmux has them: "j", "Enter", "Escape", "C-z", "Down", "F1"."""
        self.tmux("send-keys", *names)

    def text(self, literal):
        self.tmux("send-keys", "-l", literal)

    def screen(self):
        return self.tmux("capture-pane", "-p").split("\n")[:self.rows]

    def styled(self):
        return self.tmux("capture-pane", "-p", "-e")

    def resize(self, rows, cols):
        self.rows, self.cols = rows, cols
        self.tmux("resize-window", "-x", str(cols), "-y", str(rows))

    def ask(self, fmt):
        """A format of tmux about the pane, such as `#{cursor_flag}` or `#{alternate_on}`."""
        return self.tmux("display-message", "-p", fmt).strip()

    def pid(self):
        """Of the shell in the pane; the program is its child."""
        return int(self.ask("#{pane_pid}"))

    def program(self):
        """The pid of the dashboard, the only one below that shell."""
        (pid,) = [p for p in descendants(self.pid()) if b"monit" in read_proc(p, "cmdline").split(b"\0")]
        return pid

    def wait(self, what, deadline=20):
        """Until a text is on the screen, or a function of its lines is true. Returns the lines."""
        def look():
            lines = self.screen()
            found = what(lines) if callable(what) else any(what in line for line in lines)
            return lines if found else None
        try:
            return wait_for(look, deadline, str(what))
        except AssertionError as e:
            raise AssertionError(f"{e}\n" + "\n".join(self.screen())) from None
