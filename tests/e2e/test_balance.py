# SPDX-License-Identifier: MIT
"""balance = shared | reuseport | round-robin: who gets a connection, and what becomes of those that wait."""
import http.client
import json
import os
import select
import signal
import socket
import threading

import pytest

from conftest import app_path, free_port, wait_for
from test_cluster import NODE_APPS, answers_at, both_answer, get, many, node, up  # noqa: F401  (node is a fixture)

MODES = ["shared", "reuseport", "round-robin"]
OWN = MODES[1:]


@pytest.fixture(params=MODES)
def balance(request):
    return request.param


def lines(port, n, deadline=20):
    """n connections at once; the first line of each."""
    out = []
    socks = [socket.create_connection(("127.0.0.1", port), deadline) for _ in range(n)]
    for s in socks:
        out.append(s.makefile().readline().strip())
        s.close()
    return out


@pytest.mark.parametrize("mode", OWN)
@pytest.mark.parametrize("script", ["http.js", "module.mjs"])
def test_all_answer(pm, port, node, mode, script):
    up(pm, node, script, port, f"balance = {mode}", instances=3)
    answers, errors = many(lambda: get(port))
    assert not errors and len(answers) == 200 and set(answers) == set(pm.pids("web"))
    assert all(p["listen"] == pm.proc("web")["listen"] != [] for p in pm.procs("web"))


@pytest.mark.parametrize("mode", OWN)
def test_net_unix_and_any_port(pm, node, mode):
    path = pm.dir / "app.sock"
    up(pm, node, "net.js", 0, f"env.SOCKET = {path}\nbalance = {mode}")
    answers_at(pm, path, 16)
    pm.ok("delete", "web")
    assert not path.exists()
    up(pm, node, "net.js", 0, f"balance = {mode}", instances=3)
    listen = {tuple(p["listen"]) for p in pm.procs("web")}
    assert len(listen) == 1, "listen(0) is the same port in every worker"
    port = int(listen.pop()[0].rsplit(":", 1)[1])
    seen = {json.loads(line)["pid"] for line in lines(port, 60)}
    assert seen == set(pm.pids("web"))


def test_round_robin_is_fair(pm, port, node):
    up(pm, node, "picky.js", port, "balance = round-robin\nenv.MAX = 1000", instances=4)
    socks = [socket.create_connection(("127.0.0.1", port), 20) for _ in range(40)]
    pids = [int(s.makefile().readline()) for s in socks]
    assert sorted(pids.count(pid) for pid in pm.pids("web")) == [10] * 4
    for s in socks:
        s.close()


def test_round_robin_goes_on_to_one_that_takes_it(pm, port, node):
    """accepted:false; and when all are full, it waits until one is not."""
    up(pm, node, "picky.js", port, "balance = round-robin\nenv.MAX = 2")
    socks = [socket.create_connection(("127.0.0.1", port), 20) for _ in range(6)]
    full = [int(s.makefile().readline()) for s in socks[:4]]
    assert sorted(full.count(pid) for pid in pm.pids("web")) == [2, 2]
    waiting = socks[4:]
    for i in (0, 1):  # which of them is first is not said: they are offered to both workers in turn
        socks[i].close()
        first = select.select(waiting, [], [], 20)[0][0]
        assert int(first.makefile().readline()) == full[i]
        waiting.remove(first)
    assert pm.app("web")["restarts"] == 0
    for s in socks:
        s.close()


def test_nothing_queued_on_a_killed_worker_is_lost(pm, port, node, balance):
    up(pm, node, "net.js", port, f"balance = {balance}")
    pids = pm.pids("web")
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    socks = [socket.create_connection(("127.0.0.1", port), 20) for _ in range(60)]
    os.kill(pids[0], signal.SIGKILL)
    os.kill(pids[1], signal.SIGCONT)
    answered = [json.loads(s.makefile().read())["pid"] for s in socks]
    assert len(answered) == 60 and pids[0] not in answered
    for s in socks:
        s.close()


def test_nothing_queued_on_the_only_worker_is_lost(pm, port, node, balance):
    up(pm, node, "net.js", port, f"balance = {balance}", instances=1)
    old = pm.pids("web")[0]
    os.kill(old, signal.SIGSTOP)
    socks = [socket.create_connection(("127.0.0.1", port), 20) for _ in range(60)]
    os.kill(old, signal.SIGKILL)
    assert {json.loads(s.makefile().read())["pid"] for s in socks} == {pm.wait_replaced("web", 0, old)["pid"]}
    for s in socks:
        s.close()


def test_crash_stop_and_scale_under_load(pm, port, node, balance):
    """Every connection is one request; none may fail while workers are stopped, started, added and removed."""
    up(pm, node, "http.js", port, f"balance = {balance}\nmin_uptime = 100ms", instances=3)
    stop, failed, answered = threading.Event(), [], []

    def client():
        while not stop.is_set():
            try:
                answered.append(get(port))
            except Exception as e:  # every failure counts
                failed.append(repr(e))
    threads = [threading.Thread(target=client) for _ in range(4)]
    for t in threads:
        t.start()
    try:
        pm.ok("stop", "web:1")
        pm.ok("start", "web:1")
        pm.ok("scale", "web", "5")
        pm.ok("scale", "web", "2")
        pm.ok("reload", "web", timeout=60)
        pm.ok("scale", "web", "+1")
    finally:
        stop.set()
        for t in threads:
            t.join()
    assert not failed and len(answered) > 50
    both_answer(pm, lambda: get(port, "/burn?2"))


def test_a_slot_that_stays_down_gets_nothing(pm, port, node):
    """reuseport: the kernel would give it a third of all connections, which would hang."""
    up(pm, node, "http.js", port, "balance = reuseport", instances=3)
    pm.ok("stop", "web:1")
    rest = {pid for pid in pm.pids("web") if pid}
    answers, errors = many(lambda: get(port, timeout=5))
    assert not errors and set(answers) == rest
    # The same after the supervisor's death ...
    old = pm.daemon()["pid"]
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != old, 15, "the next supervisor")
    answers, errors = many(lambda: get(port, timeout=5))
    assert not errors and set(answers) == rest
    # ... and once it is there again it takes part.
    pm.ok("start", "web:1")
    both_answer(pm, lambda: get(port), 2000)


def test_a_crash_loop_does_not_take_its_share(pm, port, node):
    up(pm, node, "http.js", port, "balance = reuseport\nrestart_delay = 20s", instances=3)
    for _ in range(2):
        pid = pm.pids("web")[2]
        if pid:
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: pm.proc("web", 2)["state"] == "backoff" or pm.proc("web", 2)["pid"] not in (None, pid), 10)
    _, errors = many(lambda: get(port, timeout=5))
    assert not errors


def test_reuseport_notices_strangers(pm, port, node):
    with socket.socket(socket.AF_INET6) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        s.bind(("::", port))
        s.listen()
        pm.ini(f"[app:web]\nscript = {NODE_APPS}/http.js\ninterpreter = {node}\ninstances = 2\nenv.PORT = {port}\n"
               "balance = reuseport\n")
        assert "in use" in pm.fails(1, "start").err
    pm.ok("start", "web")
    with socket.socket(socket.AF_INET6) as s, pytest.raises(OSError):
        s.bind(("::", port))


@pytest.mark.parametrize("mode", OWN)
def test_the_supervisor_dies(pm, port, node, mode):
    up(pm, node, "http.js", port, f"balance = {mode}")
    pids, old = pm.pids("web"), pm.daemon()["pid"]
    held = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    held.request("GET", "/")
    pid = json.loads(held.getresponse().read())["pid"]
    os.kill(old, signal.SIGKILL)
    for _ in range(50):
        held.request("GET", "/")
        assert json.loads(held.getresponse().read())["pid"] == pid
        assert get(port) in pids
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != old, 15, "the next supervisor")
    assert pm.pids("web") == pids
    both_answer(pm, lambda: get(port))
    os.kill(pids[0], signal.SIGKILL)
    pm.wait_replaced("web", 0, pids[0])
    both_answer(pm, lambda: get(port))


@pytest.mark.parametrize("mode", OWN)
def test_ports_are_given_back(pm, port, node, mode):
    up(pm, node, "http.js", port, f"balance = {mode}")
    pm.ok("stop", "web")
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("0.0.0.0", port))
    pm.ok("start", "web")
    both_answer(pm, lambda: get(port))


def test_listen_with_a_socket_a_slot(pm, port):
    """Any language; here one slot is stopped, and nobody hangs."""
    pm.up(f"[app:e]\ncommand = {app_path('echo')}\nlisten = 127.0.0.1:{port}\ninstances = 3\nbalance = reuseport\n"
          "restart_delay = 20s\n")
    seen = {int(line.split()[0]) for line in lines(port, 60)}
    assert seen == set(pm.pids("e"))
    # One that waits for its next try keeps its queue, but gets nothing new.
    for _ in range(2):
        pid = pm.proc("e", 2)["pid"]
        if pid:
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda: pm.proc("e", 2)["pid"] != pid, 10, "its end")
    wait_for(lambda: pm.proc("e", 2)["state"] == "backoff", 10, "the wait")
    assert {int(line.split()[0]) for line in lines(port, 60)} == {pid for pid in pm.pids("e") if pid}
    pm.ok("restart", "e:2")
    assert {int(line.split()[0]) for line in lines(port, 60)} == set(pm.pids("e"))
    pm.ok("stop", "e:1")
    assert {int(line.split()[0]) for line in lines(port, 60)} == {pid for pid in pm.pids("e") if pid}
    pm.ok("stop", "e")
    with socket.socket() as s, pytest.raises(ConnectionRefusedError):
        s.connect(("127.0.0.1", port))


def test_round_robin_is_for_node_clusters(pm):
    path = pm.ini("[app:x]\ncommand = sleep 1000000\nbalance = round-robin\n")
    r = pm.fails(7, "check", path)
    assert "pmctl.ini:8: [app:x] balance: round-robin needs a node cluster" in r.out + r.err, r


def test_many_at_once(pm, node):
    """More connections than any queue here holds."""
    port = free_port()
    up(pm, node, "http.js", port, "balance = round-robin", instances=2)
    answers, errors = many(lambda: get(port), 40, 25)
    assert not errors and len(answers) == 1000
