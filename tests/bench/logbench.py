# SPDX-License-Identifier: MIT
"""Rows about logs that are there already: shown, searched; and one app that writes too much."""
import os
import time

from frame import Failed, Line, bare, cpu_ms, memory_kb, numbers, quiet, run, size_of, stopwatch, wait_for
from managers import App

LINE = 100  # bytes
SPAWN = {"ready": "spawn"}


def fill(b, m, count, apps, keys):
    """Apps that wrote `count` lines together and are quiet now; the paths of all their files, oldest first."""
    files = []
    for i in range(apps):
        fifo, stamp = b.tmp / f"go-fill{i}", b.tmp / f"stamp-fill{i}"
        os.mkfifo(fifo)
        each = count // apps
        m.start(App(f"fill{i}", [bare("lines"), "write", each, 40, 0, fifo, stamp], keys={**SPAWN, **keys}))
        os.close(os.open(fifo, os.O_WRONLY))
        base = m.log(f"fill{i}")

        def all_of():
            return sorted((p for p in base.parent.glob(base.name + "*") if p.suffix != ".idx"),
                          key=lambda p: (p != base, p.name), reverse=True)
        wait_for(lambda: sum(size_of(p) for p in all_of()) >= each * LINE, "all lines", 120)
        files += all_of()
    return files


def grep(flags, pattern, files):
    return ["/bin/sh", "-c", 'f=$1 p=$2; shift 2; grep -h $f -e "$p" "$@" || true', "grep", flags, pattern, *files]


PATTERNS = [
    ("a literal, 4 hits", "-E", "001234567 ", []),
    ("a literal, no hit", "-E", "no such thing", []),
    ("-i, no hit", "-Ei", "no such thing", ["-i"]),
    ("ERE with a literal", "-E", "0012345[0-9]+ [a-z]+ ?[xyz]", []),
    ("ERE without one", "-E", "[0-9]{7}[2-5][3-7] x[y-z][a-c]d?k", []),
]


def row_logsearch(b):
    """`pmctl logs --grep` over 1 GB of 4 apps, rotated; limit: grep -h on the same files, whole commands"""
    m = b.ours()
    count = b.rounds(10000000)
    files = fill(b, m, count, 4, {"log_max_size": "100M", "log_keep": 9})
    b.note(f"{len(files)} files, {sum(map(size_of, files)) / 1e9:.2f} GB")
    for name, flags, pattern, more in PATTERNS:
        limit, last, since = [], [], []
        ours = [*m.program, "logs", "--grep", pattern, *more]
        run(grep(flags, pattern, files))  # all is in the page cache
        for _ in range(b.rounds(4)):
            quiet()
            limit += stopwatch(grep(flags, pattern, files), 2)
            quiet()
            last += stopwatch(ours, 2, env=m.env)
            quiet()
            since += stopwatch([*ours, "--since", "1d"], 2, env=m.env)
        hits = len(run(grep(flags, pattern, files)).splitlines())
        if hits != len(run([*ours, "--since", "1d"], env=m.env).splitlines()):
            raise Failed(f"{pattern}: other lines than grep's {hits}")
        yield Line(f"logs --grep, {name}", "ms", last, limit, goal=2)
        yield Line(f"... --since 1d", "ms", since, limit, goal=2)
    shown = stopwatch([*m.program, "logs"], 5, env=m.env)
    yield Line("logs, the last 20 lines of 1 GB", "ms", shown, goal=20)


def row_logs_gz(b):
    """`pmctl logs --grep` over 0.25 GB in files that were compressed; limit: zcat of them | grep"""
    m = b.ours()
    files = fill(b, m, b.rounds(2500000), 2, {"log_max_size": "10M", "log_keep": 99})
    zipped = []
    for p in files:
        if p.suffix != ".log":
            run(["gzip", "-1", p])
            zipped.append(f"{p}.gz")
    limit, ours = [], []
    for _ in range(b.rounds(3)):
        quiet()
        limit += stopwatch(["/bin/sh", "-c", 'zcat "$@" | grep nothing || true', "zcat", *zipped])
        quiet()
        ours += stopwatch([*m.program, "logs", "--grep", "nothing", "--since", "1d"], env=m.env)
    yield Line("logs --grep, gzip", "ms", ours, limit, goal=2)


CALM = """import time
while True:
    print(time.monotonic_ns(), flush=True)
    time.sleep(0.02)
"""


def lateness(path, seconds):
    """Milliseconds between the write of a line and its arrival in the file."""
    late, end = [], time.monotonic() + seconds
    at = size_of(path)
    while time.monotonic() < end:
        if size_of(path) > at:
            with open(path, "rb") as f:
                f.seek(at)
                text = f.read()
            now = time.monotonic_ns()
            at += text.rfind(b"\n") + 1
            late += [(now - ns) / 1e6 for ns in numbers(text[:text.rfind(b"\n") + 1])]
        time.sleep(0.001)
    return late


def high(values):
    return sorted(values)[len(values) * 99 // 100]


def row_flood(b):
    """One app writes as much as it can for 10 s, with rotation: memory of the supervisor, other apps' lines"""
    m = b.ours()
    script = b.tmp / "calm.py"
    script.write_text(CALM)
    m.start(App("calm", ["/usr/bin/python3", script], keys=SPAWN))
    wait_for(lambda: size_of(m.log("calm")) > 0, "a line of the calm one")
    alone = lateness(m.log("calm"), 3)
    fifo, stamp = b.tmp / "go-flood", b.tmp / "stamp-flood"
    os.mkfifo(fifo)
    m.start(App("flood", [bare("lines"), "write", 10**9, 640, 0, fifo, stamp], keys=SPAWN))
    writer = m.app_pids("flood")[0]
    os.close(os.open(fifo, os.O_WRONLY))
    before = cpu_ms(m.pids())
    late = lateness(m.log("calm"), 10)
    cpu = cpu_ms(m.pids()) - before
    with open(f"/proc/{writer}/io") as f:
        written = numbers(f.read().split("wchar:")[1].split("\n")[0])[0]
    rss = memory_kb(m.pids()[1:])["Rss"] / 1024
    m.command("stop", "flood")
    b.note(f"{written / 1e9:.1f} GB in 10 s, {cpu:.0f} ms CPU of the daemon")
    yield Line("flood, RSS of the supervisor", "MB", [rss], goal=10)
    yield Line("flood, others' lines: p99 late", "ms", [high(late)], [high(alone)])
    yield Line("flood, others' lines: median late", "ms", late, alone)
