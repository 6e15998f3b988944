# SPDX-License-Identifier: MIT
"""What every row needs: the release build, the bare programs, processes and their costs, the table."""
import ctypes
import os
import select
import signal
import socket
import statistics
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BENCH = ROOT / "tests" / "bench"
BUILD = Path(os.environ.get("PMCTL_BUILD", ROOT / "build-release")).resolve()
LIBS = {"parser": ["-linih"]}
NAMES = ["asker", "copier", "killer", "lines", "load", "parser", "spawner", "stopwatch", "trivial"]


class Failed(Exception):
    """A row cannot be measured; the others can."""


# --- what is measured with


def build(log):
    """The release build and the bare programs; only what is missing or older than its source."""
    if "PMCTL_BUILD" not in os.environ:
        if not (BUILD / "build.ninja").exists():
            subprocess.run(["meson", "setup", BUILD, "--buildtype=release"], cwd=ROOT, check=True, stdout=log)
        subprocess.run(["meson", "compile", "-C", BUILD, "-j2"], check=True, stdout=log)
    (BUILD / "bench").mkdir(exist_ok=True)
    for name in NAMES:
        source, out = BENCH / (name + ".c"), BUILD / "bench" / name
        newest = max(p.stat().st_mtime for p in (source, BENCH / "bench.h"))
        if not out.exists() or out.stat().st_mtime < newest:
            subprocess.run([os.environ.get("CC", "cc"), "-std=gnu17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra",
                            "-static", source, "-o", out, *LIBS.get(name, [])], check=True)


def bare(name):
    """Path of a bare program."""
    return str(BUILD / "bench" / name)


def run(argv, timeout=120, **kw):
    """Output of a program that must succeed."""
    p = subprocess.run(list(map(str, argv)), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       timeout=timeout, **kw)
    if p.returncode:
        raise Failed(f"{' '.join(map(str, argv))}: exit {p.returncode}\n{p.stdout[-2000:]}{p.stderr[-2000:]}")
    return p.stdout


def numbers(text):
    return [int(word) for word in text.split()]


def stopwatch(argv, times=1, **kw):
    """Milliseconds of whole runs, from before the fork until it was waited for."""
    return [ns / 1e6 for ns in numbers(run([bare("stopwatch"), times, *argv], **kw))]


# --- processes


def become_reaper():
    """Whatever a daemon of ours leaves behind becomes our child, so that it can be found."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def children():
    """All living processes below us."""
    parent = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                text = Path("/proc", name, "stat").read_text(errors="replace")
            except OSError:
                continue
            fields = text[text.rindex(")") + 2:].split()
            if fields[0] not in "ZX":
                parent[int(name)] = int(fields[1])
    found, more = set(), True
    while more:
        new = {p for p, pp in parent.items() if (pp in found or pp == os.getpid()) and p not in found}
        found |= new
        more = bool(new)
    return found


def is_gone(pid):
    """Also a zombie is gone: it waits only for us."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return True
    return text[text.rindex(")") + 2] in "ZX"


def end_all():
    """Nothing of ours may be left. By pid, and only what descends from us."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        left = children()
        if not left:
            break
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        time.sleep(0.02)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            pass


def cpu_ms(pids):
    """CPU time of these processes so far, all threads, to the nanosecond where the kernel tells."""
    total = 0
    for pid in pids:
        try:
            for task in Path(f"/proc/{pid}/task").iterdir():
                total += int((task / "schedstat").read_text().split()[0]) / 1e6
        except FileNotFoundError:
            text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
            fields = text[text.rindex(")") + 2:].split()
            total += (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")
    return total


def memory_kb(pids):
    """Sums over these processes, in kB, by the names of smaps_rollup: Rss, Pss, Private_Dirty, ..."""
    total = {}
    for pid in pids:
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except PermissionError:
            raise Failed("only root may read the memory of the keeper (it is not dumpable)") from None
        for line in text.splitlines()[1:]:
            name, value = line.split()[:2]
            total[name[:-1]] = total.get(name[:-1], 0) + int(value)
    return total


def pss_mb(pids):
    return memory_kb(pids)["Pss"] / 1024


def descriptors(pids):
    try:
        return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in pids)
    except PermissionError:
        raise Failed("only root may see the descriptors of the keeper (it is not dumpable)") from None


# --- waiting


def busy_ticks():
    """(ticks somebody computed, all ticks) since boot, of all CPUs."""
    fields = [int(v) for v in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return sum(fields) - fields[3] - fields[4], sum(fields)


patience = 5.0  # seconds
moments = {"all": 0, "busy": 0}


def quiet():
    """Gives others on the machine a chance to be done: until it is nearly idle for 0.2 s."""
    end = time.monotonic() + patience
    moments["all"] += 1
    while time.monotonic() < end:
        busy, total = busy_ticks()
        time.sleep(0.2)
        busy_now, total_now = busy_ticks()
        if (busy_now - busy) <= 0.08 * max(1, total_now - total):
            return
    moments["busy"] += 1


def wait_for(cond, what, deadline=60.0, pause=0.01):
    end = time.monotonic() + deadline
    while not cond():
        if time.monotonic() > end:
            raise Failed(f"not within {deadline:.0f} s: {what}")
        time.sleep(pause)


def size_of(path):
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


class Fifo:
    """Records of `trivial`: one write each, "NANOSECONDS PID"."""

    def __init__(self, path):
        os.mkfifo(path)
        self.path, self.buf = path, b""
        self.fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def record(self, deadline=20.0):
        """(ns, pid) of the next one."""
        while b"\n" not in self.buf:
            if not select.select([self.fd], [], [], deadline)[0]:
                raise Failed("no instance began")
            self.buf += os.read(self.fd, 65536)
        line, self.buf = self.buf.split(b"\n", 1)
        ns, pid = line.split()
        return int(ns), int(pid)

    def close(self):
        os.close(self.fd)


def free_port():
    """Below the ephemeral range, so that no client takes it meanwhile."""
    for _ in range(1000):
        number = 10000 + int.from_bytes(os.urandom(2), "big") % 20000
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", number))
                return number
            except OSError:
                continue
    raise Failed("no free port")


# --- results


def median(values):
    return statistics.median(values)


class Line:
    """One line of the table. `limit` and `ours` are lists of values; goal is a number of the ratio, or of the value:
    absolute, and where there is no limit. at_least: more is better. paired: values of one place in both
    lists were measured one right after the other, so the ratio is the median of theirs and not that of the medians."""

    def __init__(self, name, unit, ours, limit=None, goal=None, at_least=False, others=None, digits=2, paired=False,
                 absolute=False):
        self.name, self.unit, self.digits = name, unit, digits
        self.limit, self.ours = limit or [], ours
        self.goal, self.at_least, self.absolute = goal, at_least, absolute or not limit
        self.others = {k: v for k, v in (others or {}).items() if v}
        self.ratio = median(ours) / median(limit) if limit else None
        if limit and paired:
            self.ratio = median([o / l for o, l in zip(ours, limit)])
        best = max if at_least else min
        self.best = best(ours) / best(limit) if limit else None  # the rounds nobody disturbed

    def verdict(self):
        if self.goal is None:
            return ""
        value = median(self.ours) if self.absolute else self.ratio
        good = value >= self.goal if self.at_least else value <= self.goal
        return "ok" if good else "under" if self.at_least else "over"

    def value(self, values):
        return f"{median(values):.{self.digits}f} {self.unit}" if values else "-"

    def cells(self, columns):
        goal = "-"
        if self.goal is not None:
            goal = f"{'>=' if self.at_least else '<='} {self.goal:g}{' ' + self.unit if self.absolute else 'x'}"
        row = [self.name, self.value(self.limit), self.value(self.ours),
               f"{self.ratio:.2f}x" if self.limit else "-", f"{self.best:.2f}x" if self.limit else "-", goal,
               self.verdict()]
        for name in columns:
            values = self.others.get(name)
            text = self.value(values)
            if values and self.limit:
                text += f" {median(values) / median(self.limit):.1f}x"
            row.append(text)
        return row

    def raw(self):
        for name, values in [("limit", self.limit), ("ours", self.ours), *self.others.items()]:
            if values:
                text = " ".join(f"{v:.{self.digits}f}" for v in values)
                yield f"  {self.name}, {name}: {text}"


def print_table(lines, columns):
    head = ["row", "limit", "ours", "ratio", "of best", "goal", "", *columns]
    rows = [head] + [line.cells(columns) for line in lines]
    widths = [max(len(r[i]) for r in rows) for i in range(len(head))]
    for i, row in enumerate(rows):
        cells = [c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(row, widths))]
        print("  ".join(cells).rstrip())
        if i == 0:
            print("  ".join("-" * w for w in widths))
