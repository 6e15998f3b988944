# SPDX-License-Identifier: MIT
"""The frame of the end-to-end tests: the real pmctl and pmctld in a private PMCTL_HOME (see tests/README.md)."""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import textwrap
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("PMCTL_BUILD", ROOT / "build")).resolve()
APPS = ROOT / "tests" / "apps"
NODE_APPS = APPS / "node"
# Short, so that a test of "what if it never ..." takes a second; a test that needs others says so.
DEFAULTS = "[defaults]\nstop_timeout = 2s\nmin_uptime = 150ms\nready_timeout = 10s\nrestart_delay = 50ms\n"
# A test run in the background was started with these ignored, and what it starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
ASAN = "asan" in BUILD.name


def slowness():
    """How much longer all may take than on a machine that is idle, now."""
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    return (3 if ASAN else 1) * min(max(1, load), 10)


class Slow:
    """A factor for deadlines, looked up at each use: `5 * SLOW`. Nothing passes because it is slow."""

    def __mul__(self, other):
        return other * slowness()

    __rmul__ = __mul__


SLOW = Slow()


def ms(n):
    """A setting that something has to happen within: n on an idle machine."""
    return f"{round(n * slowness())}ms"


def program(name):
    for path in BUILD.glob("src/*/" + name):
        if path.is_file() and os.access(path, os.X_OK):
            return path
    pytest.exit(f"no {name} in {BUILD}: meson setup build && meson compile -C build", 3)


def app_path(name):
    """A program of tests/apps written in C."""
    return str(BUILD / "tests" / "apps" / ("app-" + name))


def wait_for(cond, deadline=10.0, what="the condition"):
    """Polls until cond() is true and returns its value."""
    begun = time.monotonic()
    while True:
        value = cond()
        if value:
            return value
        took = time.monotonic() - begun
        if took > deadline * SLOW:
            raise AssertionError(f"not within {took:.0f} s: {what}")
        time.sleep(0.01)


def read_proc(pid, name):
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def stat_of(pid):
    """(ppid, state, start time) or None."""
    text = read_proc(pid, "stat").decode(errors="replace")
    if not text:
        return None
    fields = text[text.rindex(")") + 2:].split()
    return int(fields[1]), fields[0], int(fields[19])


def alive(pid):
    st = stat_of(pid)
    return bool(st) and st[1] not in "ZX"


def all_pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def descendants(root):
    """{pid: (state, start)} of everything below root."""
    stats = {pid: stat_of(pid) for pid in all_pids()}
    children = {}
    for pid, st in stats.items():
        if st:
            children.setdefault(st[0], []).append(pid)
    found, todo = {}, [root]
    while todo:
        for pid in children.get(todo.pop(), []):
            if pid not in found:
                found[pid] = stats[pid][1:]
                todo.append(pid)
    return found


class Result:
    def __init__(self, args, rc, out, err):
        self.args, self.rc, self.out, self.err = args, rc, out, err

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"pmctl {' '.join(self.args)}: exit {self.rc}\nstdout: {self.out}\nstderr: {self.err}"


class RpcError(Exception):
    def __init__(self, error):
        super().__init__(error.get("message"))
        self.error, self.data = error, error.get("data") or {}


class Rpc:
    """A raw client of control.sock."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20 * SLOW)
        self.sock.connect(str(path))
        self.buf, self.seq = b"", 0

    def send(self, data):
        self.sock.sendall(data)

    def line(self):
        """The next message as an object; None at the end."""
        while b"\n" not in self.buf:
            try:
                data = self.sock.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                return None
            self.buf += data
        line, self.buf = self.buf.split(b"\n", 1)
        return json.loads(line)

    def ask(self, method, params=None):
        """The whole reply; notifications before it are kept in .notes."""
        self.seq += 1
        self.notes = []
        request = {"jsonrpc": "2.0", "id": self.seq, "method": method}
        if params is not None:
            request["params"] = params
        self.send(json.dumps(request).encode() + b"\n")
        while True:
            reply = self.line()
            assert reply is not None, f"connection closed instead of an answer to {method}"
            if "id" in reply:
                assert reply["id"] == self.seq and reply["jsonrpc"] == "2.0"
                return reply
            self.notes.append(reply)

    def call(self, method, params=None):
        reply = self.ask(method, params)
        if "error" in reply:
            raise RpcError(reply["error"])
        return reply["result"]

    def close(self):
        self.sock.close()


class Pm:
    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="pm", dir="/tmp"))
        self.dir.chmod(0o755)
        self.home = self.dir / "h"
        self.socket = self.home / "run" / "control.sock"
        self.ini_path = self.dir / "pmctl.ini"
        self.logdir = self.home / "log"
        self.san = self.dir / "san"
        self.seen = {}  # every process of ours ever seen: pid -> start time
        self.keepers = set()
        self.pmctl, self.pmctld = program("pmctl"), program("pmctld")
        self.sockets, self.popens = [], []

    # --- the command line

    def env(self, extra=None):
        env = {k: os.environ[k] for k in ("HOME", "USER", "LANG", "TERM", "TZ", "PMCTL_FEATURES") if k in os.environ}
        env["PATH"] = f"{self.pmctl.parent}:{self.pmctld.parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        env["PMCTL_HOME"] = str(self.home)
        options = f"log_path={self.san}:detect_leaks=0:"
        env["ASAN_OPTIONS"] = options + "detect_stack_use_after_return=0"
        env["UBSAN_OPTIONS"] = options + "print_stacktrace=1"
        env.update(extra or {})
        return {k: v for k, v in env.items() if v is not None}

    def popen(self, *args, **kw):
        kw.setdefault("cwd", self.dir)
        p = subprocess.Popen([str(self.pmctl), *map(str, args)], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.env(kw.pop("env", None)),
                             **kw)
        self.popens.append(p)
        return p

    def ctl(self, *args, timeout=40, stdin=None, cwd=None, env=None):
        """Runs pmctl; the result has rc, out, err. Never raises for an exit code."""
        p = subprocess.run([str(self.pmctl), *map(str, args)], input=stdin or b"", capture_output=True,
                           cwd=cwd or self.dir, env=self.env(env), timeout=timeout * SLOW)
        return Result(list(map(str, args)), p.returncode, p.stdout.decode(errors="surrogateescape"),
                      p.stderr.decode(errors="surrogateescape"))

    def ok(self, *args, **kw):
        r = self.ctl(*args, **kw)
        assert r.rc == 0, r
        return r

    def fails(self, rc, *args, **kw):
        r = self.ctl(*args, **kw)
        assert r.rc == rc, f"expected exit {rc}: {r}"
        return r

    def ini(self, text, name="pmctl.ini", raw=False):
        """Writes an INI file; short defaults in front unless raw or it has its own."""
        text = textwrap.dedent(text)
        if not raw and "[defaults]" not in text:
            text = DEFAULTS + text
        path = self.dir / name
        path.write_text(text)
        return path

    def up(self, text, *args, **kw):
        """ini() and start; everything must come up."""
        self.ini(text, **kw)
        return self.ok("start", *args)

    # --- what is

    def list(self, *sel):
        return self.ok("list", *sel, "--json").json()

    def app(self, name):
        apps = [a for a in self.list()["apps"] if a["name"] == name]
        assert len(apps) == 1, f"{name} listed {len(apps)} times"
        return apps[0]

    def procs(self, name):
        return self.app(name)["procs"]

    def proc(self, name, slot=0):
        return next(p for p in self.procs(name) if p["slot"] == slot)

    def pids(self, name):
        return [p["pid"] for p in self.procs(name)]

    def state(self, name):
        return self.app(name)["state"]

    def wait_state(self, name, state, deadline=15):
        return wait_for(lambda: self.state(name) == state and self.app(name), deadline, f"{name} {state}")

    def wait_replaced(self, name, slot, old, deadline=15):
        """Until all of the app is online and this slot has another process; that process's entry."""
        def replaced():
            app = self.app(name)  # one answer: between two the process may die
            proc = next(p for p in app["procs"] if p["slot"] == slot)
            return app["state"] == "online" and proc["pid"] not in (None, old) and proc
        return wait_for(replaced, deadline, f"a replacement of {name}:{slot}")

    def daemon(self):
        d = self.list()["daemon"]
        self.keepers.add(d["keeper_pid"])
        return d

    def log(self, app, slot=0, stream="out"):
        path = self.logdir / f"{app}-{slot}.{stream}.log"
        return path.read_bytes() if path.exists() else b""

    def wait_log(self, app, text, slot=0, stream="out", deadline=10):
        text = text.encode() if isinstance(text, str) else text
        try:
            return wait_for(lambda: text in (log := self.log(app, slot, stream)) and log, deadline,
                            f"{text!r} in the {stream} log of {app}:{slot}")
        except AssertionError as e:
            raise AssertionError(f"{e}, whose end is {self.log(app, slot, stream)[-500:]!r}") from None

    def daemon_log(self):
        return b"".join(p.read_bytes() for p in sorted(self.logdir.glob("pmctld.log*"))).decode(errors="replace")

    wait_for = staticmethod(wait_for)

    def rpc(self, method, params=None):
        r = self.connect()
        try:
            return r.call(method, params)
        finally:
            r.close()

    def connect(self):
        r = Rpc(self.socket)
        self.sockets.append(r)
        return r

    # --- ends

    def kill_both(self, keeper_first=True):
        """-9 to keeper and supervisor, before either can take the other's place."""
        d = self.daemon()
        self.notice()
        order = (d["keeper_pid"], d["pid"]) if keeper_first else (d["pid"], d["keeper_pid"])
        pidfds = [os.pidfd_open(pid) for pid in order]
        for fd in pidfds:
            signal.pidfd_send_signal(fd, signal.SIGSTOP)
        for fd in pidfds:
            signal.pidfd_send_signal(fd, signal.SIGKILL)
            os.close(fd)
        wait_for(lambda: not any(map(alive, order)), 5, "the end of both")

    def notice(self):
        """Remembers what runs now, so that the end can prove that it is gone."""
        if not self.socket.exists():
            return
        r = self.ctl("list", "--json", timeout=15)
        if r.rc == 0:
            self.keepers.add(r.json()["daemon"]["keeper_pid"])
        for keeper in self.keepers:
            st = stat_of(keeper)
            if st:
                self.seen[keeper] = st[2]
                for pid, (state, start) in descendants(keeper).items():
                    if state not in "ZX":
                        self.seen[pid] = start

    def zombies(self):
        return [pid for keeper in self.keepers for pid, (state, _) in descendants(keeper).items() if state == "Z"]

    def ours(self):
        """Living processes of this test: seen below the keeper, with our PMCTL_HOME, or an app from our folder."""
        found = {pid for pid, start in self.seen.items() if alive(pid) and (stat_of(pid) or (0, 0, -1))[2] == start}
        mark = f"PMCTL_HOME={self.home}\0".encode()
        for pid in all_pids():
            environ = read_proc(pid, "environ")
            if mark in environ:
                found.add(pid)
            elif b"PMCTL_ID=" in environ:
                try:
                    if os.readlink(f"/proc/{pid}/cwd").startswith(str(self.dir)):
                        found.add(pid)
                except OSError:
                    pass
        return {pid for pid in found if alive(pid)} - {p.pid for p in self.popens}

    def finish(self):
        """Stops the daemon; returns what was wrong."""
        wrong = []
        for r in self.sockets:
            r.close()
        self.notice()
        if self.keepers:
            try:
                wait_for(lambda: not self.zombies(), 3)
            except AssertionError:
                wrong.append(f"zombies under the keeper: {self.zombies()}")
        if self.socket.exists():
            r = self.ctl("daemon", "stop", timeout=60)
            if r.rc not in (0, 5):
                wrong.append(f"daemon stop: {r}")
        for p in self.popens:
            if p.poll() is None:
                p.kill()
            p.wait()
            for f in (p.stdout, p.stderr):
                if f:
                    f.close()
        try:
            wait_for(lambda: not self.ours(), 5)
        except AssertionError:
            for pid in self.ours():
                wrong.append(f"left alive: {pid} {read_proc(pid, 'cmdline')!r}")
                os.kill(pid, signal.SIGKILL)
        for report in self.dir.glob("san.*"):
            wrong.append(f"sanitizer report:\n{report.read_text(errors='replace')[:8000]}")
        return wrong


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    pm = item.funcargs.get("pm") if hasattr(item, "funcargs") else None
    if pm and report.failed and pm.logdir.exists():
        report.sections.append(("pmctld.log", pm.daemon_log()[-6000:]))


@pytest.fixture
def pm():
    p = Pm()
    yield p
    wrong = p.finish()
    log = p.daemon_log()
    shutil.rmtree(p.dir, ignore_errors=True)
    assert not wrong, "\n".join(wrong) + "\n--- pmctld.log\n" + log[-4000:]


@pytest.fixture
def port():
    """A TCP port nobody uses now, below the ephemeral range so that no client gets it meanwhile."""
    return free_port()


@contextlib.contextmanager
def held_port(address):
    """(a port of this address, the pid of the python3 that listens there)"""
    p = subprocess.Popen(
        ["/usr/bin/python3", "-c", "import socket, sys, time; a = sys.argv[1];"
         "s = socket.socket(socket.AF_INET6 if ':' in a else socket.AF_INET); s.bind((a, 0)); s.listen();"
         "print(s.getsockname()[1], flush=True); time.sleep(1e6)", address], stdout=subprocess.PIPE)
    try:
        yield int(p.stdout.readline()), p.pid
    finally:
        p.kill()
        p.wait()
        p.stdout.close()


def free_port():
    for _ in range(1000):
        number = 10000 + int.from_bytes(os.urandom(2), "big") % 20000
        with socket.socket() as s:
            try:
                s.bind(("0.0.0.0", number))
                return number
            except OSError:
                continue
    raise AssertionError("no free port")
