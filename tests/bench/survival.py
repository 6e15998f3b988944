# SPDX-License-Identifier: MIT
"""The rows of a supervisor that is killed or replaced while 100 instances serve and write."""
import json
import os
import signal
import socket
import time

from frame import ROOT, Failed, Line, bare, free_port, numbers, quiet, run, wait_for
from managers import App
from web import Load, nodes

IDLE, WRITERS, WORKERS = 60, 36, 4


def ask(m, patience=10):
    """The pid of whoever answers a ping, and the milliseconds until then."""
    path = str(m.dir / "home" / "run" / "control.sock")
    begin = time.monotonic()
    while time.monotonic() < begin + patience:
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(patience)
                s.connect(path)
                s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
                answer = s.recv(4096)
            if answer:
                return json.loads(answer)["result"]["pid"], (time.monotonic() - begin) * 1000
        except OSError:
            pass
        time.sleep(0.0002)
    raise Failed("nobody answers a ping")


def kill(m, pid, old):
    """Milliseconds from the kill until another supervisor answers."""
    begin = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    while ask(m)[0] == old:
        pass
    return (time.monotonic() - begin) * 1000


def lines_of(m):
    """Lines that are not the one that has to come, in all files of the writers."""
    wrong = total = 0
    for i in range(WRITERS):
        want = 1
        for line in (m.dir / "home" / "log" / f"writer-{i}.out.log").read_bytes().split(b"\n")[:-1]:
            wrong += not line.startswith(b"%010d " % want)
            want += 1
            total += 1
    return wrong, total


def printer():
    paths = sorted(ROOT.glob("build*/tests/apps/app-printer"))
    if not paths:
        raise Failed("no app-printer: meson compile -C build")
    return paths[0]


def fleet(b, port):
    m = b.ours()
    m.start(App("idle", [bare("trivial")], IDLE, keys={"ready": "spawn"}),
            App("writer", [printer(), 1000000000, "-k", "-r", 500], WRITERS, keys={"ready": "spawn", "log_max_size": 0}),
            App("web", [ROOT / "tests" / "bench" / "hello.js"], WORKERS, env={"PORT": port}, node=True,
                keys={"interpreter": nodes()[-1]}))
    return m


def row_survival(b):
    """100 instances, 4 of them a cluster under load: supervisor killed, keeper killed, upgrade"""
    port = free_port()
    m = fleet(b, port)
    before = {name: m.app_pids(name) for name in ("idle", "writer", "web")}
    load = Load(b, port, [])
    limit, killed, keeper, upgrade, command = [], [], [], [], []
    fifo = b.tmp / "fifo"
    os.mkfifo(fifo)
    for _ in range(b.rounds(20)):
        quiet()
        limit += [ns / 1e6 for ns in numbers(run([bare("killer"), 1, fifo, bare("trivial")]))]
        pid = ask(m)[0]
        killed.append(kill(m, pid, pid))
        time.sleep(1.1)  # one that lived for less is not started again at once
    for _ in range(b.rounds(5)):
        quiet()
        pid = ask(m)[0]
        keeper.append(kill(m, m.pids()[0], pid))
        wait_for(lambda: m.pids()[0] == pid, "the new keeper")
        time.sleep(1.1)
    for _ in range(b.rounds(5)):
        quiet()
        p = b.popen(*m.program, "daemon", "upgrade", env=m.env)
        longest = 0
        while p.poll() is None:
            longest = max(longest, ask(m)[1])
        if p.returncode:
            raise Failed(f"upgrade: exit {p.returncode}")
        upgrade.append(longest)
    answers, failed, *_ = load.finish()
    wrong, total = lines_of(m)
    lost = [n for name, pids in before.items() for n in pids if n not in m.app_pids(name)]
    b.note(f"{answers} requests, {total} lines, {len(killed)} + {len(keeper)} kills, {len(upgrade)} upgrades")
    yield Line("supervisor killed, answers again", "ms", killed, limit)
    yield Line("the same, absolute", "ms", killed, goal=50)
    yield Line("keeper killed, answers again", "ms", keeper, digits=1)
    yield Line("upgrade, longest wait for an answer", "ms", upgrade, goal=100, digits=1)
    yield Line("requests failed", "", [failed], goal=0, digits=0)
    yield Line("lines lost, doubled or torn", "", [wrong], goal=0, digits=0)
    yield Line("instances lost", "", [len(lost)], goal=0, digits=0)
