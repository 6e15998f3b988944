# SPDX-License-Identifier: MIT
"""Replacing a clustered app under load: whatever the new code does, the old one serves and no request is lost."""
import http.client
import json
import os
import signal
import socket
import subprocess
import threading

import pytest

from conftest import alive, descendants, free_port, ms, read_proc, wait_for
from test_cluster import NODE_APPS, get, node, up  # noqa: F401  (node is a fixture)


@pytest.fixture
def load():
    """Starts clients (a connection per request and kept ones); their failures must stay empty."""
    stop, failed, answered, threads = threading.Event(), [], [], []

    def client(port, keep):
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        while not stop.is_set():
            try:
                c.request("GET", "/", headers={} if keep else {"Connection": "close"})
                r = c.getresponse()
                answered.append(json.loads(r.read())["pid"])
                if r.will_close or not keep:
                    c.close()
            except (OSError, http.client.HTTPException) as e:
                failed.append(repr(e))
                c.close()
            stop.wait(0.002)
        c.close()

    def start(port):
        for i in range(4):
            threads.append(threading.Thread(target=client, args=(port, i % 2)))
            threads[-1].start()
        wait_for(lambda: len(answered) > 20, 10, "the load")

    yield start
    stop.set()
    for t in threads:
        t.join()
    assert not failed, failed[:5]


def deploy(pm, what):
    (pm.dir / "deploy").write_text(what)


def web(pm, node, port, extra="", instances=2, stop="3s", ready=None):
    up(pm, node, "deploy.js", port, f"cwd = .\nstop_timeout = {stop}\nready_timeout = {ready or ms(2000)}\nrestart_delay = 20s\n{extra}",
       instances)


# The waits for a deadline are long, and no other ones where connections are spread in another way.
BAD = [(what, said, balance) for what, said, waits in [
    ("throws", "Error: a bad deploy", False), ("never", "not ready within", True),
    ("hangs", "not ready within", True), ("other", "does not listen on tcp:", False)]
    for balance in ("shared", "reuseport", "round-robin")
    if balance == "shared" or not waits or os.environ.get("PMCTL_TEST_LONG") == "1"]


@pytest.mark.parametrize("what,said,balance", BAD)
def test_a_bad_deploy(pm, port, node, load, what, said, balance):
    web(pm, node, port, f"min_uptime = 600ms\nbalance = {balance}")
    before = pm.pids("web")
    load(port)
    deploy(pm, what)
    r = pm.fails(9, "reload", "web", timeout=60)
    assert said in r.err, r
    assert pm.pids("web") == before and pm.state("web") == "online" and pm.app("web")["restarts"] == 0
    deploy(pm, "good")
    pm.ok("reload", "web", timeout=60)
    assert not set(before) & set(pm.pids("web"))


def test_new_code_that_dies_a_moment_later(pm, port, node):
    """It has served by then; what it was doing is lost with it, but it does not get the slot."""
    web(pm, node, port, "min_uptime = 1s")
    before = pm.pids("web")
    deploy(pm, "late")
    assert "exited 7" in pm.fails(9, "reload", "web", timeout=60).err
    assert pm.pids("web") == before and pm.state("web") == "online" and pm.app("web")["restarts"] == 0


def test_a_second_port_is_waited_for(pm, port, node, load):
    deploy(pm, "both")
    web(pm, node, port, ready="10s")
    wait_for(lambda: all(len(p["listen"]) == 2 for p in pm.procs("web")), 10, "both ports")
    before = pm.pids("web")
    load(port)
    load(port + 1)
    pm.ok("reload", "web", timeout=60)
    assert not set(before) & set(pm.pids("web"))


def test_a_worker_that_never_ends(pm, port, node, load):
    deploy(pm, "stays")
    web(pm, node, port)
    before = pm.pids("web")
    load(port)
    pm.ok("reload", "web", timeout=60)
    assert not any(map(alive, before)) and not set(before) & set(pm.pids("web"))
    deploy(pm, "good")


def test_a_client_that_never_closes(pm, port, node):
    """An idle connection, and a request that takes longer than stop_timeout: both end with it, the reload too."""
    web(pm, node, port)
    before = pm.pids("web")
    idle = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(8)]
    slow = socket.create_connection(("127.0.0.1", port), 10)
    slow.sendall(b"GET /?60000 HTTP/1.1\r\nHost: x\r\n\r\n")
    wait_for(lambda: b"slow" in pm.log("web", 0) + pm.log("web", 1), 10, "the request")
    pm.ok("reload", "web", timeout=60)
    assert not any(map(alive, before))
    for s in idle + [slow]:
        s.close()


def young(pm):
    """Processes beside those in the slots."""
    shown = set(pm.pids("web"))
    keeper = pm.daemon()["keeper_pid"]
    return [pid for pid in descendants(keeper) if b"deploy.js" in read_proc(pid, "cmdline") and pid not in shown]


def begin(pm, node, port, min_uptime):
    web(pm, node, port, f"min_uptime = {min_uptime}", instances=1)
    before = pm.pids("web")
    p = pm.popen("reload", "web")
    new = wait_for(lambda: young(pm), 10, "the successor")[0]
    return p, before[0], new


def test_kill_of_the_successor_before_it_is_ready(pm, port, node, load):
    web(pm, node, port, instances=1)
    load(port)
    deploy(pm, "never")
    before = pm.pids("web")
    p = pm.popen("reload", "web")
    os.kill(wait_for(lambda: young(pm), 10, "the successor")[0], signal.SIGKILL)
    assert p.wait(timeout=30) == 9 and b"SIGKILL" in p.stderr.read()
    assert pm.pids("web") == before


def test_kill_of_the_successor_on_trial(pm, port, node):
    p, old, new = begin(pm, node, port, "3s")
    wait_for(lambda: any("ready after" in e["text"] and str(new) in e["text"] for e in events(pm)), 10, "ready")
    os.kill(new, signal.SIGKILL)
    assert p.wait(timeout=30) == 9
    assert pm.pids("web") == [old]


def events(pm):
    return [json.loads(line) for line in pm.ok("events", "--json", "-n", "1000").out.splitlines()]


def test_kill_of_the_old_one_meanwhile(pm, port, node):
    p, old, new = begin(pm, node, port, "1500ms")
    os.kill(old, signal.SIGKILL)
    assert p.wait(timeout=30) == 0, p.stderr.read()
    wait_for(lambda: pm.pids("web") == [new] and not young(pm), 10, "one process")
    assert pm.state("web") == "online" and get(port) == new


def test_kill_of_both(pm, port, node):
    p, old, new = begin(pm, node, port, "3s")
    os.kill(old, signal.SIGKILL)
    os.kill(new, signal.SIGKILL)
    assert p.wait(timeout=40) in (1, 9)
    wait_for(lambda: pm.state("web") in ("online", "backoff") and not young(pm), 10, "a defined state")
    pm.ok("restart", "web", timeout=60)
    assert get(port) in pm.pids("web")


def test_kill_of_the_old_one_while_it_drains(pm, port, node):
    web(pm, node, port, stop="20s", instances=1)
    old = pm.pids("web")[0]
    slow = socket.create_connection(("127.0.0.1", port), 10)
    slow.sendall(b"GET /?60000 HTTP/1.1\r\nHost: x\r\n\r\n")
    wait_for(lambda: b"slow" in pm.log("web"), 10, "the request")
    p = pm.popen("reload", "web")
    new = wait_for(lambda: pm.pids("web") != [old] and pm.pids("web")[0], 10, "the successor in the slot")
    assert alive(old)
    os.kill(old, signal.SIGKILL)
    assert p.wait(timeout=30) == 0
    assert pm.pids("web") == [new] and pm.state("web") == "online"
    slow.close()


def test_the_supervisor_dies_with_two_workers_in_a_slot(pm, port, node, load):
    """Each takes back its own channel state: what ends is not asked twice, what stays still drains at its end."""
    web(pm, node, port, "balance = round-robin", instances=1, stop="10s", ready=ms(1000))
    deploy(pm, "never")
    old = pm.pids("web")[0]
    p = pm.popen("reload", "web", "--no-wait")
    p.wait(timeout=20)
    new = wait_for(lambda: young(pm), 10, "the successor")[0]
    sup = pm.daemon()["pid"]
    os.kill(sup, signal.SIGKILL)
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != sup, 15, "the next supervisor")
    wait_for(lambda: not alive(new), 20, "the end of the successor")
    assert pm.pids("web") == [old] and pm.proc("web")["listen"] == [f"tcp:[::]:{port}"]
    sup = pm.daemon()["pid"]
    os.kill(sup, signal.SIGKILL)  # what was saved of the two is read by the next one
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != sup, 15, "the next supervisor")
    assert pm.proc("web")["listen"] == [f"tcp:[::]:{port}"] and get(port) == old
    deploy(pm, "good")
    load(port)
    pm.ok("reload", "web", timeout=60)
    assert any("exited 0" in e["text"] for e in events(pm) if e["type"] == "exit")


def test_reload_during_a_reload(pm, port, node, load):
    web(pm, node, port)
    before = pm.pids("web")
    load(port)
    ps = [pm.popen("reload", "web") for _ in range(3)]
    assert [p.wait(timeout=90) for p in ps] == [0, 0, 0]
    assert not set(before) & set(pm.pids("web")) and not young(pm)


def test_an_app_without_a_server_can_be_reloaded(pm, node):
    deploy(pm, "never")
    web(pm, node, free_port(), "min_uptime = 100ms", instances=1, ready="30s")
    before = pm.pids("web")
    pm.ok("reload", "web", timeout=60)
    assert pm.pids("web") != before


@pytest.mark.parametrize("balance", ["shared", "round-robin"])
def test_http2_sessions_move_on(pm, port, node, balance):
    """Kept for ever by the client; GOAWAY tells it to open the next one."""
    up(pm, node, "http2.js", port, f"min_uptime = 100ms\nstop_timeout = 10s\nbalance = {balance}")
    clients = [subprocess.Popen([node, NODE_APPS / "http2-load.js", str(port)], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True) for _ in range(4)]
    pm.popens += clients
    for c in clients:
        assert c.stdout.readline() == "begun\n"
    for _ in range(3):
        pm.ok("reload", "web", timeout=60)
    for c in clients:
        c.stdin.close()
        r = json.loads(c.stdout.read())
        assert not r["failed"] and r["answered"] > 10 and r["sessions"] >= 2, r
        c.stdin = None
