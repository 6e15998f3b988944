# SPDX-License-Identifier: MIT
"""listen = with what people run in other languages: gunicorn, uvicorn, puma, python's socketserver, PHP, and a C
program that takes its sockets as the libraries of Go and Rust do."""
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import APPS, SLOW, alive, app_path, descendants, free_port, wait_for

LANG = APPS / "lang"
PYTHON = "/usr/bin/python3"


def has_module(name):
    return subprocess.run([PYTHON, "-c", f"import {name}"], capture_output=True).returncode == 0


# name: (is it there, lines of the app)
# uvicorn closes at SIGTERM what it has accepted and not yet read from: those requests are its own to lose.
LOSES = "uvicorn"
SERVERS = {
    "gunicorn": (lambda: shutil.which("gunicorn"), "command = gunicorn --workers 1 wsgi\nready = notify"),
    "uvicorn": (lambda: has_module("uvicorn"), f"command = {PYTHON} -m uvicorn --fd 3 --log-level warning asgi:app"),
    "puma": (lambda: shutil.which("puma"), "command = puma --config puma.rb --bind tcp://127.0.0.1:{port}"),
    "socketserver": (lambda: True, f"script = {LANG}/server.py"),
}


@pytest.fixture(params=SERVERS)
def server(request):
    there, lines = SERVERS[request.param]
    if not there():
        pytest.skip(f"no {request.param} here; conf/deps test installs it")
    return lines


def up(pm, server, port, instances=1, extra=""):
    pm.up(f"[app:w]\n{server.format(port=port)}\ncwd = {LANG}\nlisten = 127.0.0.1:{port}\ninstances = {instances}\n"
          f"env.PYTHONDONTWRITEBYTECODE = 1\nstop_timeout = 10s\nmin_uptime = 1s\n{extra}\n")
    wait_for(lambda: get(port), 10, "the first answer")


def get(port, path="/", timeout=20 * SLOW):
    """(pid, slot) of who answered."""
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        c.request("GET", path, headers={"Connection": "close"})
        r = c.getresponse()
        assert r.status == 200, r.status
        pid, slot = r.read().split()
        return int(pid), int(slot)
    finally:
        c.close()


class Load:
    """Clients that ask all the time, a connection per request and no second try."""

    def __init__(self, port, path="/", clients=4):
        self.answers, self.errors, self.ended = [], [], threading.Event()  # errors: all; a refusal is one of them
        self.threads = [threading.Thread(target=self.run, args=(port, path)) for _ in range(clients)]

    def run(self, port, path):
        while not self.ended.is_set():
            try:
                self.answers.append(get(port, path))
            except Exception as e:  # every failure counts, whatever it is
                self.errors.append(e)

    def __enter__(self):
        for t in self.threads:
            t.start()
        wait_for(lambda: self.answers or self.errors, 10, "the first answer")
        return self

    def __exit__(self, *args):
        self.ended.set()
        for t in self.threads:
            t.join()


def assert_nothing_lost(load, server):
    """Nobody is ever refused; what a server drops of its own accord (one a connection) is not counted against us."""
    lost = [e for e in load.errors if LOSES not in server or not isinstance(
        e, (http.client.RemoteDisconnected, ConnectionResetError))]
    assert not lost, lost
    assert len(load.errors) <= max(len(load.threads), len(load.answers) / 10), "most must be answered all the same"


def freeze(pid):
    """Stops it and its children; when this returns, none of them accepts anything any more."""
    for p in [pid, *descendants(pid)]:
        os.kill(p, signal.SIGSTOP)
        wait_for(lambda: all_stopped(p), 5, f"{p} to be stopped")


def all_stopped(pid):
    """Every thread of it: the signal reaches them one after the other."""
    return all(open(f"/proc/{pid}/task/{t}/stat").read().rsplit(")", 1)[1].split()[0] == "T"
               for t in os.listdir(f"/proc/{pid}/task"))


def test_all_instances_answer_on_one_socket(pm, port, server):
    up(pm, server, port, instances=2)
    pids = pm.pids("w")
    with Load(port, "/work?20") as load:
        wait_for(lambda: {slot for _, slot in load.answers} == {0, 1}, 20, "answers of both instances")
    assert not load.errors
    assert {pid for pid, _ in load.answers} == set(pids)
    assert all(p["listen"] == [f"tcp:127.0.0.1:{port}"] for p in pm.procs("w"))


def test_nobody_is_refused_when_the_only_instance_dies(pm, port, server):
    up(pm, server, port)
    old = pm.pids("w")[0]
    freeze(old)  # what connects now waits in the kernel's queue
    clients = [http.client.HTTPConnection("127.0.0.1", port, timeout=20 * SLOW) for _ in range(10)]
    for c in clients:
        c.request("GET", "/", headers={"Connection": "close"})
    os.kill(old, signal.SIGKILL)
    while alive(old):  # and these connect while nobody is there
        pass
    clients += [http.client.HTTPConnection("127.0.0.1", port, timeout=20 * SLOW) for _ in range(10)]
    for c in clients[10:]:
        c.request("GET", "/", headers={"Connection": "close"})
    answers = {int(c.getresponse().read().split()[0]) for c in clients}
    assert answers == {pm.proc("w")["pid"]} and old not in answers
    for c in clients:
        c.close()


def test_a_restart_of_the_only_instance_makes_clients_wait(pm, port, server):
    up(pm, server, port)
    old = pm.pids("w")[0]
    with Load(port) as load:
        pm.ok("restart", "w", timeout=60)
        wait_for(lambda: load.answers[-1][0] == pm.pids("w")[0], 20, "an answer of the next one")
    assert_nothing_lost(load, server)
    assert {pid for pid, _ in load.answers} == {old, pm.pids("w")[0]}


def test_a_reload_under_load_loses_nothing(pm, port, server):
    up(pm, server, port, instances=2)
    before = pm.pids("w")
    with Load(port) as load:
        pm.ok("reload", "w", timeout=120)
        after = pm.pids("w")
        wait_for(lambda: load.answers[-1][0] in after, 20, "an answer of a new one")
    assert_nothing_lost(load, server)
    assert not set(before) & set(after) and {pid for pid, _ in load.answers} & set(after)


# --- PHP cannot be given a socket: a port per slot

@pytest.mark.skipif(not shutil.which("php"), reason="no php here; conf/deps test installs it")
def test_php_has_a_port_per_slot(pm):
    first = next(p for p in iter(free_port, None) if is_free(p + 1))
    pm.up(f"""
        [app:php]
        command = sh -c 'exec php -S 127.0.0.1:$PORT {LANG}/index.php'
        instances = 2
        env.PORT = {first}
        increment_var = PORT
        ready = listening
        """.replace("\n        ", "\n"))
    pids = pm.pids("php")
    assert [get(first + i) for i in (0, 1)] == [(pids[0], 0), (pids[1], 1)]
    os.kill(pids[0], signal.SIGKILL)
    assert get(first + 1) == (pids[1], 1)
    new = pm.wait_replaced("php", 0, pids[0])["pid"]
    assert get(first) == (new, 0)
    pm.ok("restart", "php", timeout=60)
    assert [get(first + i)[1] for i in (0, 1)] == [0, 1]


def is_free(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) != 0


# --- the protocol itself, as the libraries of Go and Rust see it

def c_app(pm, listen, extra="", args=""):
    pm.up(f"[app:c]\ncommand = {app_path('listenfds')} {args}\nlisten = {listen}\n{extra}\n")
    return pm.wait_log("c", b"behind them").decode().splitlines()


def talk(family, address):
    with socket.socket(family) as s:
        s.settimeout(20 * SLOW)
        s.connect(address)
        return s.makefile().read().split()


def test_what_a_program_finds(pm):
    v4, v6, both, udp4, udp6 = (free_port() for _ in range(5))
    path = pm.dir / "c.sock"
    lines = c_app(pm, f"127.0.0.1:{v4}, [::1]:{v6}, {both}, udp:127.0.0.1:{udp4}, unix:{path}, udp:[::1]:{udp6}")
    pid = pm.pids("c")[0]
    names = [f"127.0.0.1_{v4}", f"[__1]_{v6}", str(both), f"udp_127.0.0.1_{udp4}", f"unix_{path}", f"udp_[__1]_{udp6}"]
    kinds = ["tcp4", "tcp6", "tcp6", "udp4", "unix", "udp6"]
    # Numbered from 3 in the order of the file, alive across exec, blocking as with systemd, nothing else behind them.
    assert lines == [f"fd {3 + i} name {name} kind {kind} accepting {int('udp' not in kind)} cloexec 0 nonblock 0"
                     for i, (name, kind) in enumerate(zip(names, kinds))] + ["behind them nothing, names left none"]
    for i, family, address in ((0, socket.AF_INET, ("127.0.0.1", v4)), (1, socket.AF_INET6, ("::1", v6)),
                               (2, socket.AF_INET, ("127.0.0.1", both)), (4, socket.AF_UNIX, str(path))):
        assert talk(family, address) == [str(pid), "0", names[i], kinds[i]]
    assert talk(socket.AF_INET6, ("::1", both))[3] == "tcp6"  # both families on one socket
    for family, host, port, i in ((socket.AF_INET, "127.0.0.1", udp4, 3), (socket.AF_INET6, "::1", udp6, 5)):
        with socket.socket(family, socket.SOCK_DGRAM) as s:
            s.settimeout(20 * SLOW)
            s.sendto(b"hello", (host, port))
            assert s.recv(1000).decode().split() == [str(pid), "0", names[i], kinds[i], "hello"]
    assert len(pm.proc("c")["listen"]) == 6


def test_datagrams_wait_for_the_next_instance(pm, port):
    c_app(pm, f"udp:127.0.0.1:{port}")
    old = pm.pids("c")[0]
    freeze(old)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(20 * SLOW)
        s.connect(("127.0.0.1", port))
        for i in range(20):
            s.send(b"%d" % i)
        os.kill(old, signal.SIGKILL)
        got = [s.recv(1000).decode().split() for _ in range(20)]
    assert [int(g[4]) for g in got] == list(range(20))
    assert {int(g[0]) for g in got} == {pm.wait_replaced("c", 0, old)["pid"]}


def test_a_unix_socket_stays_while_its_instance_is_replaced(pm):
    path = pm.dir / "c.sock"
    c_app(pm, f"unix:{path}", "instances = 2")
    inode = path.stat().st_ino
    seen, failed, ended = set(), [], threading.Event()

    def ask():
        while not ended.is_set():
            try:
                seen.add(int(talk(socket.AF_UNIX, str(path))[0]))
            except Exception as e:
                failed.append(e)
    before = pm.pids("c")
    threads = [threading.Thread(target=ask) for _ in range(2)]
    for t in threads:
        t.start()
    try:
        pm.ok("reload", "c", timeout=60)
        after = set(pm.pids("c"))
        wait_for(lambda: seen & after, 10, "an answer of a new one")
    finally:
        ended.set()
        for t in threads:
            t.join()
    assert not failed and not after & set(before) and path.stat().st_ino == inode
    pm.ok("delete", "c")
    assert not path.exists()


def test_a_plain_accept_loop(pm, port):
    """Rust's TcpListener::incoming(), C without poll: with O_NONBLOCK they would end or spin."""
    lines = c_app(pm, f"127.0.0.1:{port}", "instances = 2", "block")
    assert "nonblock 0" in lines[0]
    pids, seen = set(pm.pids("c")), set()
    for _ in range(200):
        seen.add(int(talk(socket.AF_INET, ("127.0.0.1", port))[0]))
    assert seen <= pids and pm.app("c")["restarts"] == 0
    before = cpu_of(pids)
    time.sleep(0.3)
    assert cpu_of(pids) - before <= 5  # asleep in accept()


def cpu_of(pids):
    """Clock ticks used by these."""
    fields = [open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split() for pid in pids]
    return sum(int(f[11]) + int(f[12]) for f in fields)


def test_a_wrapper_in_between_is_noticed_by_the_program(pm, port):
    """LISTEN_PID is that of the process we start: behind `sh -c` without exec it is another one's."""
    pm.ini(f"[app:c]\ncommand = sh -c '{app_path('listenfds')}; exit $?'\nlisten = 127.0.0.1:{port}\n"
           "max_restarts = 1\nmin_uptime = 5s\n")
    pm.fails(1, "start")
    wait_for(lambda: re.search(rb"LISTEN_PID \d+ is not mine", pm.log("c", 0, "err")), 5, "what it says")
