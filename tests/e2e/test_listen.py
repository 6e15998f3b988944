# SPDX-License-Identifier: MIT
"""listen = : sockets for any language, by systemd's protocol."""
import http.client
import os
import signal
import socket

from conftest import APPS, app_path, free_port, held_port, wait_for


def answer(family, address):
    with socket.socket(family) as s:
        s.settimeout(10)
        s.connect(address)
        pid, slot, name = s.makefile().read().split()
        return int(pid), int(slot), name


def test_c(pm, port):
    pm.up(f"[app:e]\ncommand = {app_path('echo')}\nlisten = 127.0.0.1:{port}\ninstances = 2\n")
    pids = pm.pids("e")
    for _ in range(20):
        pid, slot, _ = answer(socket.AF_INET, ("127.0.0.1", port))
        assert pids[slot] == pid
    assert pm.proc("e")["listen"] == [f"tcp:127.0.0.1:{port}"]


def test_python(pm, port):
    pm.up(f"[app:e]\nscript = {APPS}/listen.py\nlisten = {port}\ninstances = 2\n")
    pids = pm.pids("e")
    for _ in range(20):
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        c.request("GET", "/")
        pid, slot = map(int, c.getresponse().read().split())
        assert pids[slot] == pid
        c.close()


def test_all_kinds(pm):
    a, b = free_port(), free_port()
    path = pm.dir / "e.sock"
    pm.up(f"[app:e]\ncommand = {app_path('echo')}\nlisten = {a}, [::1]:{b}, unix:{path}\n")
    assert answer(socket.AF_INET, ("127.0.0.1", a))[0] == pm.pids("e")[0]
    assert answer(socket.AF_INET6, ("::1", b))[0] == pm.pids("e")[0]
    assert answer(socket.AF_UNIX, str(path))[0] == pm.pids("e")[0]
    listen = pm.proc("e")["listen"]
    assert len(listen) == 3 and f"tcp:[::1]:{b}" in listen and f"unix:{path}" in listen


def test_nothing_waiting_is_lost_when_the_only_instance_dies(pm, port):
    pm.up(f"[app:e]\ncommand = {app_path('echo')}\nlisten = 127.0.0.1:{port}\n")
    old = pm.pids("e")[0]
    os.kill(old, signal.SIGSTOP)
    with socket.create_connection(("127.0.0.1", port), 10) as s:  # in the kernel's queue
        os.kill(old, signal.SIGKILL)
        assert int(s.makefile().read().split()[0]) != old


def test_the_socket_outlives_restart_and_supervisor(pm, port):
    pm.up(f"[app:e]\ncommand = {app_path('echo')}\nlisten = 127.0.0.1:{port}\n")
    sup = pm.daemon()["pid"]
    restart = pm.popen("restart", "e")
    while restart.poll() is None:
        try:
            assert answer(socket.AF_INET, ("127.0.0.1", port))
        except ValueError:
            pass  # it was ended between its accept and its answer; nobody is ever refused
    os.kill(sup, signal.SIGKILL)
    assert answer(socket.AF_INET, ("127.0.0.1", port))
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != sup, 10, "a new supervisor")
    pm.ok("restart", "e")
    assert answer(socket.AF_INET, ("127.0.0.1", port))[0] == pm.pids("e")[0]


def test_one_of_two_is_restarted_after_the_supervisor_died(pm, port):
    """What the socket is for is known without a cluster too: the other one still has the port."""
    pm.up(f"[app:e]\ncommand = {app_path('echo')}\nlisten = 127.0.0.1:{port}\ninstances = 2\nmode = fork\n")
    sup, other = pm.daemon()["pid"], pm.pids("e")[1]
    os.kill(sup, signal.SIGKILL)
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != sup, 10, "a new supervisor")
    pm.ok("restart", "e:0")
    assert "cannot listen" not in pm.daemon_log() and pm.pids("e")[1] == other


def test_port_taken_names_the_holder(pm):
    with held_port("127.0.0.1") as (port, holder):
        pm.ini(f"[app:e]\ncommand = {app_path('echo')}\nlisten = 127.0.0.1:{port}\n[app:ok]\ncommand = sleep 1000000\n")
        r = pm.fails(1, "start")
        said = r.out + r.err
        assert f"127.0.0.1:{port}" in said and f"pid {holder}" in said and "python3" in said and "in use" in said
        assert pm.state("ok") == "online"
    # Once it is free, a new try succeeds.
    pm.ok("start", "e")
    assert answer(socket.AF_INET, ("127.0.0.1", port))


def test_the_port_is_free_after_delete(pm, port):
    pm.up(f"[app:e]\ncommand = {app_path('echo')}\nlisten = {port}\n")
    pm.ok("delete", "e")
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("0.0.0.0", port))
