# SPDX-License-Identifier: MIT
"""The rows of the table. Each is a function that takes a Bench and yields lines (frame.Line).

The limit, ours and the others are measured in turn, several rounds of them; the table shows medians.
"""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import deploy
import logbench
import monit
import survival
import web
from frame import (Failed, Fifo, Line, bare, cpu_ms, descriptors, end_all, median, memory_kb, numbers, pss_mb, quiet,
                   run, size_of, stopwatch, wait_for)
from managers import App, Pmctl, rivals

FLEET = 100
LINE = 100  # bytes
# An instance is up once it executes: with the default, a second of life, every start would take a second.
SPAWN = {"ready": "spawn"}


class Bench:
    """One row's workplace: a directory, and managers and programs that end with it."""

    def __init__(self, options):
        self.options = options
        self.tmp = Path(tempfile.mkdtemp(prefix="pmbench-"))
        self.managers, self.programs = [], []

    def rounds(self, n):
        return max(1, round(n * self.options.effort))

    def manager(self, kind, **kw):
        m = kind(tempfile.mkdtemp(dir=self.tmp), **kw)
        self.managers.append(m)
        m.up()
        return m

    def ours(self):
        return self.manager(Pmctl)

    def rivals(self):
        return [] if self.options.only_ours else [self.manager(kind) for kind in rivals()]

    def popen(self, *argv, **kw):
        kw.setdefault("stdin", subprocess.DEVNULL)
        p = subprocess.Popen(list(map(str, argv)), **kw)
        self.programs.append(p)
        return p

    def end(self, *programs):
        for p in programs or self.programs:
            p.kill()
            p.wait()
            for f in (p.stdin, p.stdout):
                if f:
                    f.close()
        self.programs = [p for p in self.programs if programs and p not in programs]

    def down(self, m):
        m.down()
        self.managers.remove(m)

    def note(self, text):
        print(f"  {text}", flush=True)

    def close(self):
        """Politely first: a manager that is killed leaves cgroups behind. Then whatever is still there."""
        try:
            for m in reversed(self.managers):
                try:
                    m.down()
                except (Failed, subprocess.SubprocessError, OSError) as e:
                    self.note(f"{m.name} does not end: {e}")
            self.end()
        finally:
            end_all()
            shutil.rmtree(self.tmp, ignore_errors=True)


@contextlib.contextmanager
def workplace(options):
    b = Bench(options)
    try:
        yield b
    finally:
        b.close()


# --- start


def spawn_limit(b):
    p = b.popen(bare("spawner"), FLEET, bare("trivial"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    ms = numbers(p.stdout.readline().decode())[0] / 1e6
    p.stdin.close()
    p.wait()
    p.stdout.close()
    b.programs.remove(p)
    return ms


def start_fleet(b, m, n=FLEET):
    """Milliseconds until the last instance's own record of its beginning: other managers' commands return sooner or
    much later."""
    record = Path(tempfile.mkstemp(dir=b.tmp)[1])
    begin = time.monotonic_ns()
    m.start(App("fleet", [bare("trivial"), record], n, keys=SPAWN))
    wait_for(lambda: record.read_bytes().count(b"\n") >= n, "all instances")
    return (max(numbers(record.read_text())[::2]) - begin) / 1e6


def start_fresh(b, *apps):
    """With a daemon that has just started: the first start is the one people wait for."""
    m = b.ours()
    quiet()
    ms = m.start(*apps)
    b.down(m)
    return ms


def row_start(b):
    """`pmctl start` of 100 trivial instances, whole command; limit: vfork + exec loop, two pipes each"""
    again, others = b.ours(), b.rivals()
    one = [App("fleet", [bare("trivial")], FLEET, keys=SPAWN)]
    many = [App(f"fleet{i}", [bare("trivial")], keys=SPAWN) for i in range(FLEET)]
    limit, first, as_many, later, theirs = [], [], [], [], {m.name: [] for m in others}
    again.start(*one)
    again.delete("fleet")
    for i in range(b.rounds(9)):
        quiet()
        limit.append(spawn_limit(b))
        first.append(start_fresh(b, *one))
        as_many.append(start_fresh(b, *many))
        quiet()
        limit.append(spawn_limit(b))
        quiet()
        later.append(again.start(*one))
        time.sleep(0.2)
        again.delete("fleet")
        for m in others if i < b.rounds(3) else []:
            quiet()
            theirs[m.name].append(start_fleet(b, m))
            m.delete("fleet")
    yield Line("start, 1 app x 100, first", "ms", first, limit, goal=2, others=theirs)
    yield Line("start, 1 app x 100, later", "ms", later, limit, goal=2)
    yield Line("start, 100 apps x 1, first", "ms", as_many, limit)


# --- restart


def restart_limit(b, fifo, n):
    return [ns / 1e6 for ns in numbers(run([bare("killer"), n, fifo.path, bare("trivial")]))]


def kill_one(fifo, pid):
    """(milliseconds until the replacement began, its pid)"""
    begin = time.monotonic_ns()
    os.kill(pid, signal.SIGKILL)
    ns, new = fifo.record()
    return (ns - begin) / 1e6, new


def fleet_with(b, m, fifo, old):
    """A fleet of 100; `old` of them, whose pids are returned, tell when they begin."""
    m.start(App("rest", [bare("trivial")], FLEET - old, keys=SPAWN), App("old", [bare("trivial"), fifo.path], old,
                                                                        keys=SPAWN))
    return [fifo.record()[1] for _ in range(old)]


def row_restart(b):
    """kill -9 to the replacement executing, default settings; limit: kill, wait, vfork + exec"""
    rounds, each = b.rounds(6), 4
    fleets = {}
    limit_fifo = Fifo(b.tmp / "limit")
    for m in [b.ours()] + b.rivals():
        fifo = Fifo(b.tmp / m.name)
        fleets[m] = (fifo, fleet_with(b, m, fifo, rounds * each if m.name == "ours" else 5))
    ours, others = list(fleets)[0], list(fleets)[1:]
    fifo, old = fleets[ours]
    young = Fifo(b.tmp / "young")
    ours.start(App("young", [bare("trivial"), young.path], keys={**SPAWN, "restart_delay": 0, "max_restarts": 0}))
    pid = young.record()[1]
    time.sleep(10.5)  # a healthy run, see restart_delay in pmctl.ini(5): the first restart has no wait
    limit, healthy, at_once, delayed = [], [], [], []
    for i in range(rounds):
        quiet()
        limit += restart_limit(b, limit_fifo, each)
        for victim in old[i * each:(i + 1) * each]:
            ms, new = kill_one(fifo, victim)
            healthy.append(ms)
            time.sleep(0.05)
        for _ in range(each):
            ms, pid = kill_one(young, pid)
            at_once.append(ms)
            time.sleep(0.05)
        delayed.append(kill_one(fifo, new)[0])
        time.sleep(0.05)
    theirs = {m.name: [] for m in others}
    for m in others:
        fifo, pids = fleets[m]
        for victim in pids:
            theirs[m.name].append(kill_one(fifo, victim)[0])
            time.sleep(0.05)
    yield Line("restart, healthy", "ms", healthy, limit, goal=2, others=theirs)
    yield Line("restart, 50 ms old, restart_delay = 0", "ms", at_once, limit)
    b.note(f"50 ms old, default restart_delay (100ms): {median(delayed):.1f} ms")


# --- list


def row_list(b):
    """`pmctl list -i` of 100 instances, whole process; limit: static client, Unix socket, 16 kB answer"""
    ours, others = b.ours(), b.rivals()
    for m in [ours] + others:
        start_fleet(b, m)
    sock = b.tmp / "asker"
    b.popen(bare("asker"), "serve", sock, 16384)
    wait_for(sock.exists, "the bare server")
    ask, pmctl = [bare("asker"), "ask", sock], [*ours.program, "list"]
    commands = {"pm2": ["list"], "supervisord": ["status"]}
    limit, plain, each, limit_soon, soon, theirs = [], [], [], [], [], {m.name: [] for m in others}
    for i in range(b.rounds(15)):
        for argv, values in ((pmctl, plain), ([*pmctl, "-i"], each)):
            time.sleep(1)  # the daemon takes figures anew when they are older than that
            quiet()
            limit += stopwatch(ask)
            values += stopwatch(argv, env=ours.env)
        quiet()
        limit_soon += stopwatch(ask, 10)
        soon += stopwatch([*pmctl, "-i"], 10, env=ours.env)
        for m in others if i < b.rounds(5) else []:
            quiet()
            theirs[m.name].append(m.timed(*commands[m.name]))
    yield Line("list -i, figures taken anew", "ms", each, limit, goal=4, others=theirs)
    yield Line("list (one row), taken anew", "ms", plain, limit, goal=4)
    yield Line("list -i, 10 in a row", "ms", soon, limit_soon, goal=4)
    many = b.ours()
    many.start(*[App(f"fleet{i}", [bare("trivial")], keys=SPAWN) for i in range(FLEET)])
    limit, rows = [], []
    for i in range(b.rounds(10)):
        time.sleep(1)
        quiet()
        limit += stopwatch(ask)
        rows += stopwatch([*many.program, "list"], env=many.env)
    yield Line("list, 100 apps, taken anew", "ms", rows, limit, goal=4)


# --- the log path


class Writer:
    """`lines write` under somebody's eyes, held back until go()."""

    def __init__(self, b, name, count, per_write, rate=0):
        self.count, self.name = count, name
        self.fifo, self.stamp = b.tmp / f"go-{name}", b.tmp / f"stamp-{name}"
        os.mkfifo(self.fifo)
        self.argv = [bare("lines"), "write", count, per_write, rate, self.fifo, self.stamp]

    def go(self):
        fd = os.open(self.fifo, os.O_WRONLY)
        os.close(fd)

    def finished(self, file, deadline=120):
        """Milliseconds from the first write until the last line is at the end of the file."""
        wait_for(lambda: size_of(file) >= self.count * LINE, f"all lines in the file ({self.name})", deadline, 0.0003)
        end = time.monotonic_ns()
        return (end - numbers(self.stamp.read_text())[0]) / 1e6

    def check(self, file):
        p = subprocess.run([bare("lines"), "check", str(self.count), file], capture_output=True, text=True)
        if p.returncode:
            raise Failed(f"lines lost ({self.name}): {p.stdout.strip()}")


def measure_copy(writer, pids, file):
    """(wall ms, CPU ms of pids)"""
    quiet()
    before = cpu_ms(pids)
    writer.go()
    wall = writer.finished(file)
    time.sleep(0.05)
    cpu = cpu_ms(pids) - before
    writer.check(file)
    os.unlink(file)
    return wall, cpu


def copy_by_limit(b, writer, buffer):
    file = b.tmp / "copy"
    p = b.popen(bare("copier"), file, buffer, *writer.argv)
    result = measure_copy(writer, [p.pid], file)
    for child in Path(f"/proc/{p.pid}/task/{p.pid}/children").read_text().split():
        os.kill(int(child), signal.SIGKILL)
    p.wait()
    b.programs.remove(p)
    return result


def copy_by(m, writer):
    m.start(App(writer.name, writer.argv, keys={**SPAWN, "log_max_size": 0}))
    result = measure_copy(writer, m.pids(), m.log(writer.name))
    m.delete(writer.name)
    return result


def copy_rounds(b, tag, rounds, count, per_write, rate=0):
    """{who: [(wall, cpu), ...]} of limit, ours and the rivals, in turn."""
    managers = [b.ours()] + b.rivals()
    out = {"limit": [], **{m.name: [] for m in managers}}
    for i in range(rounds):
        out["limit"].append(copy_by_limit(b, Writer(b, f"{tag}-limit-{i}", count, per_write, rate), 65536))
        for m in managers:
            if m.name == "ours" or i < b.rounds(2):
                out[m.name].append(copy_by(m, Writer(b, f"{tag}-{m.name}-{i}", count, per_write, rate)))
    return out


def copy_lines(name, out, wall_goal, cpu_goal):
    others = [who for who in out if who not in ("limit", "ours")]
    for k, what, goal in ((0, "wall", wall_goal), (1, "CPU", cpu_goal)):
        yield Line(f"{name}, {what}", "ms", [v[k] for v in out["ours"]], [v[k] for v in out["limit"]], goal=goal,
                   others={who: [v[k] for v in out[who]] for who in others}, digits=1)


def row_log(b):
    """1,000,000 lines of 100 bytes into the log file; limit: read and write of 64 kB. Every line is checked"""
    count = 1000000
    yield from copy_lines("log, 4 kB writes", copy_rounds(b, "block", b.rounds(9), count, 40), 1.7, 1.7)
    yield from copy_lines("log, a write a line", copy_rounds(b, "line", b.rounds(4), count, 1), 1.7, 1.7)
    m = b.ours()
    walls = []
    for i in range(b.rounds(8)):
        w = Writer(b, f"kill-{i}", count, 40 if i % 2 else 1)
        m.start(App(w.name, w.argv, keys={**SPAWN, "log_max_size": 0}))
        time.sleep(1.2)  # the keeper starts one again at once if it ran for a second
        victim = m.pids()[1]
        w.go()
        wait_for(lambda: size_of(m.log(w.name)) > count * LINE * (i % 8 + 1) / 12, "some lines", pause=0.0003)
        os.kill(victim, signal.SIGKILL)
        at = size_of(m.log(w.name))
        walls.append(w.finished(m.log(w.name)))
        w.check(m.log(w.name))
        os.unlink(m.log(w.name))
        m.delete(w.name)
        b.note(f"supervisor killed at {at / count / LINE:.0%} of the file: no line lost, {walls[-1]:.0f} ms in all")


def row_lines(b):
    """An app writing 2,000 single lines a second; limit: the same copy, which reads one line at a time"""
    seconds = 5 if b.options.effort >= 1 else 2
    out = copy_rounds(b, "calm", b.rounds(3), 2000 * seconds, 1, 2000)
    yield list(copy_lines(f"2,000 lines/s for {seconds} s", out, None, 0.3))[1]


# --- memory and idle


def row_memory(b):
    """PSS of keeper and supervisor 2 s after the start of 1, 100 and 500 idle instances"""
    for n, goal in ((1, 2), (100, 4), (500, 10)):
        values = {}
        for kind in [Pmctl] + ([] if b.options.only_ours else rivals()):
            m = b.manager(kind)
            start_fleet(b, m, n)
            time.sleep(2)
            values[m.name] = [pss_mb(m.pids())]
            b.down(m)
        yield Line(f"PSS, {n} idle", "MB", values.pop("ours"), goal=goal, others=values)


def row_idle(b):
    """CPU of keeper and supervisor in 30 s with 100 idle instances while nobody asks"""
    managers = [b.ours()] + b.rivals()
    values, pids = {m.name: [] for m in managers}, {}
    for m in managers:
        start_fleet(b, m)
        pids[m.name] = m.pids()
    time.sleep(5)
    for _ in range(b.rounds(2)):
        before = {name: cpu_ms(p) for name, p in pids.items()}
        time.sleep(30)
        for name, p in pids.items():
            values[name].append(cpu_ms(p) - before[name])
    yield Line("idle, 100 instances, 30 s", "ms", values.pop("ours"), goal=5, others=values)


class Viewer:
    """Somebody who watches, and reads what comes."""

    def __init__(self, m, **params):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(m.dir / "home" / "run" / "control.sock"))
        request = {"jsonrpc": "2.0", "id": 1, "method": "watch", "params": {"interval_ms": 1000, **params}}
        self.sock.sendall(json.dumps(request).encode() + b"\n")
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        with contextlib.suppress(OSError):
            while self.sock.recv(1 << 20):
                pass

    def end(self):
        self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


def row_sampling(b):
    """CPU of keeper and supervisor in 30 s with 100 idle instances while somebody watches at 1 Hz"""
    m = b.ours()
    start_fleet(b, m)
    pids, values = m.pids(), {"apps": [], "all": []}
    for _ in range(b.rounds(2)):
        for detail, v in values.items():
            viewer = Viewer(m, detail=detail)
            time.sleep(3)
            quiet()
            before = cpu_ms(pids)
            time.sleep(30)
            v.append(cpu_ms(pids) - before)
            viewer.end()
    yield Line("sampling 100 at 1 Hz, 30 s", "ms", values["apps"], goal=15)
    yield Line("... and telling all of it", "ms", values["all"])
    yield Line("... their past so far, each", "kB", [memory_kb(pids)["Pss_Shmem"] / FLEET], goal=16)


def row_reloads_memory(b):
    """Growth of keeper and supervisor together over 1,000 reloads of one trivial instance, after the first 100"""
    m, n = b.ours(), b.rounds(1000)
    m.start(App("small", [bare("trivial")], keys={**SPAWN, "min_uptime": 0}))

    def reload(times):
        for _ in range(times):
            if m.reload("small")[0] != 0:
                raise Failed("a reload failed")

    def look():
        """What a reload or a question leaves for a moment is gone by then."""
        time.sleep(1)
        return {**memory_kb(pids), "fds": descriptors(pids)}
    pids = m.pids()
    reload(100)
    looks = [look()]
    for part in range(4):
        reload(n * (part + 1) // 4 - n * part // 4)
        looks.append(look())
    for name in ("Rss", "Pss", "Pss_Anon", "Pss_Shmem", "Private_Dirty", "fds"):
        b.note(f"{name} after 100 and each quarter of {n} more: {' '.join(str(v[name]) for v in looks)}")
    growth = {name: [looks[-1][name] - looks[0][name]] for name in looks[0]}
    # Their own memory: how the pages of libraries are counted changes with every process that begins or ends anywhere.
    own = [growth["Pss_Anon"][0] + growth["Pss_Shmem"][0]]
    yield Line(f"{n} reloads, growth of own PSS", "kB", own, goal=64, digits=0)
    yield Line(f"{n} reloads, private dirty", "kB", growth["Private_Dirty"], goal=64, digits=0)
    # Without a goal: the ring, which both map and which fills once and then no more, counts twice here.
    yield Line(f"{n} reloads, RSS", "kB", growth["Rss"], digits=0)
    yield Line(f"{n} reloads, descriptors", "more", growth["fds"], goal=0, digits=0)


MODULES = (globals(), vars(logbench), vars(web), vars(survival), vars(monit), vars(deploy))
ROWS = {name[4:].replace("_", "-"): f for module in MODULES for name, f in module.items() if name.startswith("row_")}
