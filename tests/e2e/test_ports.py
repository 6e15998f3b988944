# SPDX-License-Identifier: MIT
"""ports: the sockets of each app, and the kernel's queue of each."""
import os
import signal
import socket

import pytest

from conftest import NODE_APPS, app_path, free_port, wait_for
from terminal import Term


def ports(pm, *sel):
    result = pm.ok("ports", *sel, "--json").json()
    assert result["v"] == 1
    for s in result["sockets"]:
        assert set(s) == {"app", "slot", "address", "balance", "waiting", "backlog", "listen"}
    return result["sockets"]


def http(port, instances=2, name="web"):
    return f"[app:{name}]\nscript = {NODE_APPS}/http.js\ninstances = {instances}\nenv.PORT = {port}\nenv.HOST = 127.0.0.1\n"


def frozen(pm, name):
    """Stops the processes of an app without anybody noticing: they accept nothing any more."""
    pids = pm.pids(name)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
        wait_for(lambda: b") T " in open(f"/proc/{pid}/stat", "rb").read(), 5, "it stands still")
    return pids


def test_a_shared_port_of_a_cluster(pm, port):
    pm.up(http(port))
    backlog = min(511, int(open("/proc/sys/net/core/somaxconn").read()))
    assert ports(pm) == [{"app": "web", "slot": None, "address": f"tcp:127.0.0.1:{port}", "balance": "shared",
                          "waiting": 0, "backlog": backlog, "listen": False}]
    assert pm.ok("ports").out.split() == ["APP", "ADDRESS", "KIND", "BALANCE", "WAITING", "BACKLOG",
                                          "web", f"127.0.0.1:{port}", "tcp", "shared", "0", str(backlog)]


def test_what_waits_is_counted(pm, port):
    pm.up(http(port))
    pids = frozen(pm, "web")
    clients = []
    try:
        for n in range(1, 8):
            clients.append(socket.create_connection(("127.0.0.1", port), 10))
            wait_for(lambda: ports(pm)[0]["waiting"] == n, 5, f"{n} waiting")
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    wait_for(lambda: ports(pm)[0]["waiting"] == 0, 10, "all of them accepted")
    for c in clients:
        c.close()


def test_all_kinds_of_listen(pm, port):
    a, b, path = free_port(), free_port(), pm.dir / "e.sock"
    pm.up(f"[app:e]\ncommand = {app_path('echo')}\nlisten = 127.0.0.1:{port}, [::1]:{a}, unix:{path}, udp:127.0.0.1:{b}\n"
          "instances = 2\n")
    found = {s["address"]: s for s in ports(pm)}
    assert list(found) == [f"tcp:127.0.0.1:{port}", f"tcp:[::1]:{a}", f"unix:{path}", f"udp:127.0.0.1:{b}"]
    assert all(s["listen"] and s["slot"] is None and s["balance"] == "shared" for s in found.values())
    udp = found[f"udp:127.0.0.1:{b}"]
    assert udp["waiting"] is None and udp["backlog"] is None
    pids = frozen(pm, "e")
    clients = [socket.socket(socket.AF_UNIX) for _ in range(3)]
    for c in clients:
        c.connect(str(path))
    here = next(s for s in ports(pm, "e") if s["address"] == f"unix:{path}")
    # The kernel tells it of unix sockets only where it has unix_diag.
    assert (here["waiting"], here["backlog"]) in ((3, found[f"unix:{path}"]["backlog"]), (None, None))
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    for c in clients:
        c.close()
    lines = pm.ok("ports").out.splitlines()
    assert len(lines) == 5 and lines[4].split()[-2:] == ["-", "-"]


def test_a_socket_for_each_slot(pm, port):
    path = pm.dir / "e.sock"
    pm.up(http(port) + f"balance = reuseport\n[app:e]\ncommand = {app_path('echo')}\ninstances = 2\nbalance = reuseport\n"
          f"listen = 127.0.0.1:{free_port()}, unix:{path}\n")
    assert [(s["slot"], s["balance"], s["listen"]) for s in ports(pm, "web")] == [(0, "reuseport", False), (1, "reuseport", False)]
    assert sorted((s["slot"] is None, s["slot"], s["balance"]) for s in ports(pm, "e") if s["listen"] and s["slot"] is not None) \
        == [(False, 0, "reuseport"), (False, 1, "reuseport")]
    assert [s["balance"] for s in ports(pm, "e") if s["address"] == f"unix:{path}"] == ["shared"]
    assert [(s["app"], s["slot"]) for s in ports(pm, "web:1")] == [("web", 1)]
    names = [line.split()[0] for line in pm.ok("ports", "web").out.splitlines()[1:]]
    assert names == ["web:0", "web:1"]


def test_selectors(pm, port):
    other = free_port()
    pm.up(http(port) + http(other, 1, "api").replace("instances = 1\n", "instances = 1\nmode = cluster\n"))
    assert [s["app"] for s in ports(pm)] == ["web", "api"]
    assert [s["app"] for s in ports(pm, "api")] == ["api"]
    assert [s["app"] for s in ports(pm, "web:1")] == ["web"]  # it serves there too
    pm.fails(4, "ports", "wbe")
    pm.ok("stop", "web")
    wait_for(lambda: [s["app"] for s in ports(pm)] == ["api"], 5, "the end of the port")


def test_none(pm):
    pm.up("[app:s]\ncommand = sleep 1000000\n")
    assert ports(pm) == []
    r = pm.ok("ports")
    assert r.out == "" and "no sockets" in r.err
    pm.ok("daemon", "stop")
    pm.fails(5, "ports")


def test_it_survives_the_supervisor(pm, port):
    pm.up(http(port) + f"[app:e]\ncommand = {app_path('echo')}\nlisten = unix:{pm.dir}/e.sock\n")
    before = ports(pm)
    sup = pm.daemon()["pid"]
    os.kill(sup, signal.SIGKILL)
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != sup, 10, "a new supervisor")
    assert ports(pm) == before and len(before) == 2


@pytest.mark.parametrize("columns", [40, 60, 100])
def test_the_table_fits(pm, columns):
    path = pm.dir / ("a-rather-long-name-of-a-socket" * 2)
    pm.up(f"[app:an-app-with-a-long-name]\ncommand = {app_path('echo')}\nlisten = unix:{path}\n")
    t = Term(pm, "ports", columns=columns, env={"COLUMNS": "7"})
    t.screen.columns = columns + 1  # a table may use all of them
    text = t.end(0)
    assert "WAITING" in text and "…" in text
