# SPDX-License-Identifier: MIT
"""Keeper and supervisor killed at once: the apps go on alone, and the next `daemon start` takes back what they have."""
import http.client
import json
import os
import signal
import stat
import threading
import time

import pytest

from conftest import NODE_APPS, alive, app_path, descendants, ms, read_proc, stat_of, wait_for
from test_cluster import NODES, get

NOBODY = 65534
WHO = ["root", "user"] if os.geteuid() == 0 else ["user"]


class Load:
    """Requests without pause from a few threads; errors are kept."""

    def __init__(self, port, threads=2):
        self.port, self.answers, self.errors, self.ended = port, [], [], False
        self.threads = [threading.Thread(target=self.run) for _ in range(threads)]
        for t in self.threads:
            t.start()

    def run(self):
        while not self.ended:
            try:
                self.answers.append(get(self.port))
            except Exception as e:  # every failure counts, whatever it is
                self.errors.append(e)
            time.sleep(0.002)  # the workers have other things to do, too

    def more(self, n=20):
        have = len(self.answers)
        wait_for(lambda: self.errors or len(self.answers) >= have + n, 15, "more answers")

    def end(self):
        self.ended = True
        for t in self.threads:
            t.join()
        return self.errors


@pytest.fixture(params=WHO)
def who(request, pm):
    """The daemon's user: root, or one who may do nothing special."""
    if request.param == "user" and os.geteuid() == 0:
        wrapper = pm.dir / "pmctl"
        wrapper.write_text(f"#!/bin/sh\nexec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups {pm.pmctl} \"$@\"\n")
        wrapper.chmod(0o755)
        os.chown(pm.dir, NOBODY, NOBODY)
        path = pm.pmctl.parent
        pm.pmctl = wrapper
        base = pm.env
        pm.env = lambda extra=None: {**base(extra), "PATH": f"{path}:{base(extra)['PATH']}", "HOME": str(pm.dir)}
    return request.param


def start_again(pm):
    pm.ok("daemon", "start")
    pm.notice()


def copies(name, home):
    """Living main processes of this app of this test, whoever supervises them."""
    found = []
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        env = read_proc(pid, "environ")
        if f"PMCTL_APP={name}\0".encode() in env and f"MARK={home}\0".encode() in env and alive(pid):
            found.append(pid)
    return sorted(found)


def web(pm, mode, port, n=2):
    pm.up(f"[app:web]\nscript = {NODE_APPS}/http.js\ninterpreter = {NODES[0]}\ninstances = {n}\nbalance = {mode}\n"
          f"env.PORT = {port}\nenv.MARK = {pm.dir}\n")


@pytest.mark.parametrize("mode", ["shared", "reuseport", "round-robin"])
def test_node_workers_under_load(pm, port, who, mode):
    web(pm, mode, port)
    before, listen = pm.pids("web"), pm.proc("web")["listen"]
    load = Load(port)
    load.more()
    if mode == "round-robin":  # its only socket was in the two that die
        load.end()
    pm.kill_both(mode != "shared")
    if mode != "round-robin":
        load.more()
    assert all(map(alive, before)) and not load.errors
    start_again(pm)
    if mode == "round-robin":
        load = Load(port)
    assert pm.pids("web") == before and pm.state("web") == "online"
    assert all(p["restarts"] == 0 and not p["note"] and p["listen"] == listen for p in pm.procs("web"))
    load.more()
    pm.ok("reload", "web:1")  # by the channel: it drains
    assert pm.pids("web")[0] == before[0] and pm.pids("web")[1] != before[1]
    pm.ok("scale", "web", "3")
    pm.ok("reload", "web:0")
    load.more()
    assert not load.end()
    assert not set(pm.pids("web")) & set(before) and copies("web", pm.dir) == sorted(pm.pids("web"))


def test_python_with_listen(pm, port, who):
    pm.up(f"[app:py]\ncommand = /usr/bin/python3 {NODE_APPS}/../listen.py\ninstances = 2\nmode = fork\n"
          f"listen = 127.0.0.1:{port}\nready = spawn\nenv.MARK = {pm.dir}\n")
    pm.wait_log("py", "serving")
    before = pm.pids("py")

    def ask():
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        c.request("GET", "/")
        pid = int(c.getresponse().read().split()[0])
        c.close()
        return pid
    pm.kill_both()
    assert {ask() for _ in range(20)} <= set(before)
    start_again(pm)
    assert pm.pids("py") == before
    os.kill(before[0], signal.SIGKILL)  # the other one has the port
    pm.wait_replaced("py", 0, before[0])
    pm.ok("scale", "py", "3")
    os.kill(before[1], signal.SIGSTOP)
    pm.ok("reload", "py:0")
    assert {ask() for _ in range(20)} <= set(pm.pids("py")) - {before[1]}
    os.kill(before[1], signal.SIGCONT)
    assert copies("py", pm.dir) == sorted(pm.pids("py"))


def test_every_line_once(pm, who):
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 30000 -k -r 15000 -e\nready = spawn\nlog_max_size = 0\n")

    def complete(stream):
        return b"0000030000 " in pm.log("p", stream=stream)[-4000:]
    for keeper_first in (True, False):
        have = len(pm.log("p"))
        wait_for(lambda: len(pm.log("p")) > have or complete("out"), 10, "more lines")
        pid = pm.pids("p")
        pm.kill_both(keeper_first)
        start_again(pm)
        assert pm.pids("p") == pid
    for stream in ("out", "err"):
        wait_for(lambda: complete(stream), 60, "the last line")
        lines = pm.log("p", stream=stream).split(b"\n")
        assert [int(line[:10]) for line in lines[:-1]] == list(range(1, 30001)) and lines[-1] == b""


def test_ready_and_watchdog_by_notify(pm, who):
    pm.ini(f"[app:dog]\ncommand = /usr/bin/python3 {NODE_APPS}/../watchdog.py\nready = notify\nhealth = notify\n"
           f"health_interval = {ms(500)}\nhealth_failures = 1\n"
           f"[app:late]\ncommand = {app_path('notify')} 3000\nready = notify\n")
    pm.ok("start", "-c", "pmctl.ini", "dog")
    pm.ok("start", "-c", "pmctl.ini", "late", "--no-wait")
    wait_for(lambda: pm.pids("late")[0], 5, "its process")
    before = pm.pids("dog") + pm.pids("late")
    pm.kill_both()
    start_again(pm)
    pm.wait_state("late", "online")
    assert pm.pids("dog") + pm.pids("late") == before
    (pm.dir / "stuck").touch()  # it was heard until now
    pm.wait_replaced("dog", 0, before[0])
    assert "no WATCHDOG=1" in pm.ok("events").out


def test_messages_wait_for_the_next_daemon(pm, who):
    pm.ini(f"[app:m]\nscript = {NODE_APPS}/messages.js\ninterpreter = {NODES[0]}\nmode = fork\nready = message\n"
           f"env.GATE = {pm.dir}/gate\n")
    pm.ok("start", "--no-wait")
    pid = wait_for(lambda: pm.pids("m")[0], 5, "its process")
    pm.kill_both()
    (pm.dir / "gate").touch()
    wait_for(lambda: sum(unread(pid)), 10, "its message in the socket")
    start_again(pm)
    pm.wait_state("m", "online")
    assert pm.pids("m") == [pid]
    pm.rpc("send", {"sel": ["m"], "message": {"echo": 7}})
    pm.wait_log("m", 'got {"echo":7}')
    wait_for(lambda: '"echoed":7' in pm.ok("events").out, 5, "its answer")
    pm.ok("stop", "m")
    assert not alive(pid)


def unread(pid):
    """Bytes that wait in Unix sockets of this process, as `ss` tells."""
    import subprocess
    out = subprocess.run(["ss", "-xHp"], capture_output=True, text=True, check=True).stdout
    return [int(line.split()[2]) for line in out.splitlines() if f"pid={pid}," in line]


def test_no_program_inherits_the_channel(pm):
    for node in NODES:
        pm.up(f"[app:n]\nscript = {NODE_APPS}/inherit.js\ninterpreter = {node}\nmode = cluster\nready = spawn\n")
        seen = json.loads(pm.wait_log("n", "}\n").splitlines()[-1])
        sockets = [fd for fd, to in seen["own"].items() if to.startswith("socket:")]
        assert sockets == ["3", "4"], seen  # its channel, and the other end of it
        assert {fd for fd, to in seen["child"].items() if to.startswith("socket:")} <= {"0", "1", "2"}, seen
        pm.ok("delete", "n")
        (pm.logdir / "n-0.out.log").unlink()


# --- where the kernel gives nothing back

REFUSED = {"PMCTL_FEATURES": "-pidfd_getfd"}  # as with Yama, or for a program that is not dumpable


@pytest.mark.parametrize("mode", ["shared", "reuseport"])
def test_sockets_refused(pm, port, mode):
    """They serve on, and one reload brings all into order."""
    web(pm, mode, port)
    before = pm.pids("web")
    pm.kill_both()
    pm.ok("daemon", "start", env=REFUSED)
    pm.notice()
    assert pm.pids("web") == before and get(port) in before
    assert all("lost with the daemon: pmctl reload web" in p["note"] for p in pm.procs("web"))
    kill_supervisor(pm)  # that its sockets are lost is not forgotten
    assert pm.pids("web") == before and get(port) in before
    assert "lost with the daemon" in pm.proc("web")["note"]
    pm.ok("reload", "web:1")
    pm.wait_state("web", "online")
    assert not set(pm.pids("web")) & set(before) and copies("web", pm.dir) == sorted(pm.pids("web"))
    assert not any(p["note"] or p["restarts"] for p in pm.procs("web"))
    load = Load(port)
    load.more()
    pm.ok("reload", "web:0")
    pm.ok("scale", "web", "3")
    load.more()
    assert not load.end() and "cannot listen" not in pm.ok("events").out


def kill_supervisor(pm):
    old = pm.daemon()["pid"]
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != old, 15, "the next supervisor")


def test_round_robin_refused(pm, port):
    web(pm, "round-robin", port)
    before = pm.pids("web")
    pm.kill_both()
    pm.ok("daemon", "start", env=REFUSED)
    wait_for(lambda: pm.state("web") == "online" and not set(pm.pids("web")) & set(before), 15, "new workers")
    assert get(port) in pm.pids("web")
    wait_for(lambda: copies("web", pm.dir) == sorted(pm.pids("web")), 5, "one copy")


def test_listen_refused(pm, port):
    pm.up(f"[app:e]\ncommand = {app_path('echo')}\nlisten = 127.0.0.1:{port}\ninstances = 2\nmode = fork\n"
          f"env.MARK = {pm.dir}\n")
    before = pm.pids("e")
    pm.kill_both()
    pm.ok("daemon", "start", env=REFUSED)
    pm.notice()
    assert pm.pids("e") == before and "its sockets were lost" in pm.proc("e")["note"]
    pm.ok("restart", "e")
    pm.wait_state("e", "online")
    assert not set(pm.pids("e")) & set(before) and copies("e", pm.dir) == sorted(pm.pids("e"))
    pm.ok("reload", "e")
    assert pm.app("e")["restarts"] == 0
