# SPDX-License-Identifier: MIT
"""System calls of a running supervisor fail, one after the other: what was asked for is done a little later or refused
with a reason, other apps notice nothing, and nothing is left behind. strace injects; PMCTL_TEST_LONG=1 tries more."""
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request

import pytest

from conftest import BUILD, NODE_APPS, SLOW, alive, app_path, free_port, read_proc, stat_of, wait_for

LONG = os.environ.get("PMCTL_TEST_LONG") == "1"
needs_strace = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("strace"), reason="needs root and strace")
OTHER = f"[app:other]\ncommand = {app_path('printer')} 100000000 -k -r 500\nready = spawn\nlog_max_size = 0\n"


class Inject:
    """`call` of one thread fails the n-th time from now. .hit() tells whether it came to that."""

    def __init__(self, pm, tid, call, error, n, follow=False):
        self.out = pm.dir / "strace.out"
        self.out.unlink(missing_ok=True)
        self.p = subprocess.Popen(
            ["strace", *["-f"] * follow, "-o", self.out, "-p", str(tid), "-e", f"trace={call}", "-e",
             f"inject={call}:error={error}:when={n}"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE)
        said = self.p.stderr.readline()
        assert b"attached" in said, said

    def hit(self):
        return b"(INJECTED)" in self.out.read_bytes()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.p.send_signal(signal.SIGINT)
        self.p.wait(timeout=20)
        self.p.stderr.close()


def sweep(most):
    """1, 2 ... for the n-th call; on request as long as there are some, else at most so many."""
    return range(1, 400 if LONG else most + 1)


def count_fds(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


class World:
    """What must be as it was, whatever happened."""

    def __init__(self, pm):
        self.pm = pm
        self.other = pm.pids("other")
        self.look()

    def look(self):
        d = self.pm.daemon()
        self.sup, self.keeper = d["pid"], d["keeper_pid"]
        # That our connections are closed is noticed a moment later.
        self.fds = min(count_fds(self.sup) for _ in range(20) if not time.sleep(0.005)), count_fds(self.keeper)

    def marked(self):
        mark = f"MARK={self.pm.dir}\0".encode()
        return [n for n in map(int, filter(str.isdigit, os.listdir("/proc"))) if mark in read_proc(n, "environ")
                and alive(n)]

    def check(self, what, may_die=False):
        pm = self.pm
        d = wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon(), 10, f"{what}: the daemon answers")
        assert pm.pids("other") == self.other and pm.app("other")["restarts"] == 0, what
        assert not self.marked(), what
        wait_for(lambda: not pm.zombies(), 5, f"{what}: zombies {pm.zombies()}")
        if may_die and d["pid"] != self.sup:
            self.look()
            return
        assert d["pid"] == self.sup, f"{what}: the supervisor died"
        wait_for(lambda: count_fds(self.sup) <= self.fds[0] and count_fds(self.keeper) <= self.fds[1], 5,
                 f"{what}: {self.fds} descriptors before, {count_fds(self.sup), count_fds(self.keeper)} now")

    def lines(self):
        """The numbers of all lines of the other app so far, over its rotated files."""
        files = [p for p in self.pm.logdir.glob("other-0.out.log*") if p.suffix != ".idx"]
        files.sort(key=lambda p: -int(p.suffix[1:]) if p.suffix[1:].isdigit() else 1)
        whole = b"".join(p.read_bytes() for p in files)
        return [int(line[:10]) for line in whole.split(b"\n")[:-1]]


def definition(pm, port):
    settings = {"command": "sleep 1000000", "ready": "spawn", "env.MARK": str(pm.dir), "restart_delay": "20ms",
                "listen": f"127.0.0.1:{port}", "stop_timeout": "2s"}
    return {"name": "x", "project": "p", "file": None, "dir": str(pm.dir), "line": 1,
            "set": [[k, v, 1] for k, v in settings.items()]}


def ask(pm, method, params=None):
    """The reply; None if the daemon went away meanwhile."""
    c = pm.connect()
    try:
        return c.ask(method, params)
    except (AssertionError, ConnectionError):
        return None
    finally:
        c.close()


# Those of lack of memory end the supervisor, and another one goes on.
START = [("clone3", "EAGAIN", 2), ("clone3", "ENOSYS", 1), ("clone3", "EPERM", 1), ("pipe2", "EMFILE", 4),
         ("openat", "ENFILE", 6), ("fcntl", "EMFILE", 6), ("socket", "EMFILE", 2), ("bind", "EADDRNOTAVAIL", 1),
         ("listen", "EADDRINUSE", 1), ("sendmsg", "ENOBUFS", 8), ("epoll_ctl", "ENOMEM", 6), ("read", "EIO", 3),
         ("write", "EIO", 4), ("renameat", "EIO", 3), ("newfstatat", "EIO", 4), ("mmap", "ENOMEM", 2),
         ("brk", "ENOMEM", 1)]


@needs_strace
@pytest.mark.parametrize("call,error,most", START, ids=[f"{c} {e}" for c, e, _ in START])
def test_start_with_a_call_that_fails(pm, call, error, most):
    if call in ("mmap", "brk") and "asan" in BUILD.name:
        pytest.skip("the sanitizer reports it")
    pm.up(OTHER)
    world = World(pm)
    port = free_port()
    for n in sweep(most):
        what = f"{call} {error} no. {n}"
        with Inject(pm, world.sup, call, error, n) as inject:
            answer = ask(pm, "start", {"apps": [definition(pm, port)]})
            hit = inject.hit()
        if answer is None:
            assert error == "ENOMEM", what
        elif "error" in answer:  # refused as a whole, with a reason
            assert answer["error"]["message"], what
        elif not answer["result"]["ok"]:
            assert all(r["ok"] or r["reason"] for r in answer["result"]["results"]), (what, answer)
        wait_for(lambda: pm.ctl("list").rc == 0, 10, f"{what}: the daemon answers")
        if any(a["name"] == "x" for a in pm.list()["apps"]):
            pm.rpc("start", {"sel": ["x"]})
            x = wait_for(lambda: pm.state("x") == "online" and pm.proc("x"), 10, f"{what}: it comes up after all")
            assert world.marked() == [x["pid"]], what
            pm.ok("delete", "x")
        world.check(what, may_die=error == "ENOMEM")
        if not hit:
            break


def sync_thread(sup):
    """The thread that waits for the disk: it comes with the first save."""
    return next(t for t in map(int, os.listdir(f"/proc/{sup}/task")) if t != sup)


SAVE = [("openat", "EMFILE"), ("write", "ENOSPC"), ("renameat", "EIO"), ("linkat", "EIO"), ("unlinkat", "EIO")]


@needs_strace
@pytest.mark.parametrize("call,error", SAVE, ids=[f"{c} {e}" for c, e in SAVE])
def test_save_with_a_call_that_fails(pm, call, error):
    pm.up(OTHER)
    world = World(pm)
    path = pm.home / "state" / "state"
    pm.rpc("save")  # without the operation that has just ended
    for n in sweep(4):
        what = f"{call} {error} no. {n}"
        before = path.read_bytes()
        with Inject(pm, world.sup, call, error, n) as inject:
            answer = ask(pm, "save")
            hit = inject.hit()
        assert path.read_bytes() == before, what  # the old one, or the same anew: never half of it
        if "error" in answer:
            assert "state not saved" in answer["error"]["message"], what
            assert any("state not saved" in w for w in pm.rpc("status")["warnings"]), what
        pm.rpc("save")
        assert not any("state" in w for w in pm.rpc("status")["warnings"]), what
        world.check(what)
        if not hit:
            break


@needs_strace
def test_a_disk_that_does_not_sync(pm):
    pm.up(OTHER)
    world = World(pm)
    with Inject(pm, sync_thread(world.sup), "fsync", "EIO", 1) as inject:
        pm.rpc("save")
        wait_for(inject.hit, 5, "fsync")
        wait_for(lambda: "to disk: Input/output error" in pm.daemon_log(), 5, "a word about it")
    pm.rpc("save")
    world.check("fsync")


@needs_strace
@pytest.mark.parametrize("error", ["EMFILE", "ENFILE", "ENOMEM", "ECONNABORTED", "EINTR", "EPERM", "EPROTO"])
def test_accept_fails(pm, error):
    pm.up(OTHER)
    world = World(pm)
    for n in sweep(2):
        began = time.monotonic()
        with Inject(pm, world.sup, "accept4", error, n) as inject:
            for _ in range(3):
                pm.rpc("ping")
            assert time.monotonic() - began < 3 * SLOW
            assert inject.out.read_bytes().count(b"accept4(") < 20, "it spins"
            hit = inject.hit()
        world.check(f"accept4 {error} no. {n}")
        if not hit:
            break


ROTATE = [("rename", "EIO", 9), ("openat", "EMFILE", 3), ("unlink", "EIO", 3), ("newfstatat", "EIO", 4),
          ("lseek", "EIO", 2), ("splice", "EIO", 2), ("write", "ENOSPC", 3), ("sendmsg", "ENOBUFS", 2)]


@needs_strace
@pytest.mark.parametrize("call,error,most", ROTATE, ids=[f"{c} {e}" for c, e, _ in ROTATE])
def test_rotation_with_a_call_that_fails(pm, call, error, most):
    pm.up(OTHER + "log_keep = 1000\n")
    pm.wait_log("other", "\n")
    world = World(pm)
    for n in sweep(most):
        what = f"{call} {error} no. {n}"
        with Inject(pm, world.sup, call, error, n) as inject:
            answer = ask(pm, "rotate", {"sel": ["other"]})
            hit = inject.hit()
        if "error" in answer:
            assert call == "rename" and "rename" in answer["error"]["message"], (what, answer)
        have = len(world.lines())
        wait_for(lambda: len(world.lines()) > have + 10, 10, f"{what}: more lines")
        world.check(what)
        if not hit:
            break
    lines = world.lines()
    assert lines == list(range(1, len(lines) + 1))


@needs_strace
def test_a_log_that_cannot_be_opened_for_a_moment(pm):
    """What the app writes meanwhile waits in its pipe."""
    pm.up(OTHER)
    pm.wait_log("other", "\n")
    world = World(pm)
    with Inject(pm, world.sup, "openat", "EMFILE", "1..2") as inject:
        pm.rpc("rotate", {"sel": ["other"]})
        wait_for(lambda: inject.out.read_bytes().count(b"(INJECTED)") == 2, 10, "two failures")
    have = len(world.lines())
    wait_for(lambda: len(world.lines()) > have + 10, 10, "more lines")
    lines = world.lines()
    assert lines == list(range(1, len(lines) + 1))
    assert not any("dropped" in w for w in pm.rpc("status")["warnings"])


# Counted from the exec on: the first ones are those of the dynamic linker.
TAKE_OVER = [("openat", "EMFILE", 14), ("mmap", "ENOMEM", 30), ("pread64", "EIO", 5), ("newfstatat", "EIO", 16),
             ("pidfd_open", "EMFILE", 1), ("epoll_ctl", "ENOMEM", 6), ("recvmsg", "ENOMEM", 2), ("fcntl", "EMFILE", 9)]
if LONG:
    TAKE_OVER = [(call, error, n) for call, error, _ in TAKE_OVER for n in range(1, 80)]


@needs_strace
@pytest.mark.parametrize("call,error,n", TAKE_OVER)
def test_taking_over_with_a_call_that_fails(pm, call, error, n):
    """A supervisor fails at its n-th call; if it does not get by, the one after it does."""
    if call == "mmap" and "asan" in BUILD.name:
        pytest.skip("the sanitizer reports it")
    pm.up(OTHER + "[app:second]\ncommand = sleep 1000000\nready = spawn\n")
    pm.wait_log("other", "\n")
    world = World(pm)
    second = pm.pids("second")
    with Inject(pm, world.keeper, call, error, n, follow=True) as inject:
        os.kill(world.sup, signal.SIGKILL)
        wait_for(lambda: inject.hit() or "took over" in pm.daemon_log(), 10, "a supervisor")
    wait_for(lambda: pm.ctl("list").rc == 0, 10, "the daemon answers")
    assert pm.pids("second") == second
    world.look()
    world.check(f"{call} {error} no. {n}")
    have = len(world.lines())
    wait_for(lambda: len(world.lines()) > have + 10, 10, "more lines")
    lines = world.lines()
    assert lines == list(range(1, len(lines) + 1))


def preload(pm, name, **env):
    """A daemon with one of the libraries of tests/apps; what it starts has a clean environment."""
    lib = BUILD / "tests" / "apps" / (name + ".so")
    subprocess.run([pm.pmctld], env=pm.env({"LD_PRELOAD": str(lib), **env}), stdin=subprocess.DEVNULL, check=True,
                   timeout=30)
    assert str(lib).encode() in read_proc(pm.daemon()["pid"], "maps")


no_asan = pytest.mark.skipif("asan" in BUILD.name, reason="the sanitizer brings its own malloc")


@no_asan
def test_short_transfers_and_interrupted_calls(pm, port):
    """Every second call is interrupted or takes a single byte: the same results."""
    preload(pm, "shortio")
    pm.ini(f"[app:p]\ncommand = {app_path('printer')} 20000 -k\nready = spawn\nlog_max_size = 0\n"
           f"[app:web]\nscript = {NODE_APPS}/http.js\ninstances = 2\nenv.PORT = {port}\n"
           "[app:x]\ncommand = sh -c 'echo last words >&2; exit 7'\nautorestart = never\nready = spawn\n")
    pm.ctl("start")
    wait_for(lambda: pm.state("web") == "online", 20, "node workers")
    for _ in range(20):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as r:
            assert json.load(r)["pid"] in pm.pids("web")
    lib = {"LD_PRELOAD": str(BUILD / "tests" / "apps" / "shortio.so")}
    before = pm.pids("web")
    pm.ok("reload", "web", env=lib)
    assert not set(before) & set(pm.pids("web")) and pm.app("web")["restarts"] == 0
    wait_for(lambda: b"0000020000 " in pm.log("p")[-4000:], 20, "the last line")
    assert [int(n[:10]) for n in pm.log("p").split(b"\n")[:-1]] == list(range(1, 20001))
    assert pm.proc("x")["last_exit"]["code"] == 7 and "last words" in pm.ok("why", "x", env=lib).out
    assert len(pm.ok("logs", "p", "-n", "5000", "--raw", env=lib).out.splitlines()) == 5000
    old = pm.daemon()["pid"]
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != old, 10, "the next supervisor")
    assert pm.state("web") == "online" and pm.app("web")["restarts"] == 0
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as r:
        assert json.load(r)["pid"] in pm.pids("web")
    pm.ok("stop", "all", env=lib)


ASKED = [("start", None), ("restart", {"sel": ["x"]}), ("save", {}), ("list", {}), ("show", {"sel": ["all"]}),
         ("events", {}), ("rotate", {})]


@no_asan
@pytest.mark.parametrize("method,params", ASKED[:None if LONG else 3], ids=[m for m, _ in ASKED[:None if LONG else 3]])
def test_no_memory(pm, port, method, params):
    """An allocation fails: the request is refused or the supervisor ends; the apps know nothing of it."""
    countdown = pm.dir / "countdown"
    countdown.write_bytes(bytes(8))
    preload(pm, "nomem", NOMEM=str(countdown))
    pm.up(OTHER)
    other = pm.pids("other")
    mark = f"MARK={pm.dir}\0".encode()
    for n in range(1, 2000) if LONG else (3, 60):
        if method != "start":
            pm.rpc("start", {"apps": [definition(pm, port)]})
        # One that ends soon after its start is started again later and later.
        sup = pm.daemon()["pid"]
        wait_for(lambda: time.clock_gettime(time.CLOCK_BOOTTIME) - stat_of(sup)[2] / os.sysconf("SC_CLK_TCK") > 1.1,
                 5, "a supervisor that has lived for a while")
        countdown.write_bytes(n.to_bytes(8, "little"))
        ask(pm, method, {"apps": [definition(pm, port)]} if params is None else params)
        left = int.from_bytes(countdown.read_bytes(), "little")
        countdown.write_bytes(bytes(8))
        what = f"{method}, allocation {n}"
        wait_for(lambda: pm.ctl("list").rc == 0, 10, f"{what}: the daemon answers")
        assert pm.pids("other") == other and pm.app("other")["restarts"] == 0, what
        if any(a["name"] == "x" for a in pm.list()["apps"]):
            pm.rpc("start", {"sel": ["x"]})
            wait_for(lambda: pm.state("x") == "online", 10, f"{what}: x online")
            marked = [p for p in map(int, filter(str.isdigit, os.listdir("/proc"))) if mark in read_proc(p, "environ")]
            assert marked == pm.pids("x"), what
            pm.ok("delete", "x")
        if left:
            break  # it needs no more than that
