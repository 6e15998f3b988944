# SPDX-License-Identifier: MIT
"""The clock is set, the machine sleeps, or the supervisor does: nothing waits for the wrong time, nothing is lost or made up."""
import json
import os
import re
import signal
import subprocess
import time

import pytest

from conftest import BUILD, SLOW, alive, app_path, read_proc, wait_for
from test_logs import numbers

YEAR = 365 * 86400
LEAPS = [-86400, 10 * YEAR, -int(time.time()) + 60]
NAMES = ["a day back", "ten years on", "to 1970"]


class Clock:
    """The time of day of a daemon."""

    def __init__(self, pm):
        library = BUILD / "tests" / "apps" / "clockshift.so"
        if "asan" in BUILD.name:
            pytest.skip("the sanitizers want to be the first library")
        assert library.exists(), library
        self.path = pm.dir / "shift"
        self.set(0)
        self.env = {"LD_PRELOAD": str(library), "CLOCKSHIFT": str(self.path)}
        p = subprocess.run([pm.pmctld], env=pm.env(self.env), capture_output=True, timeout=30)
        assert p.returncode == 0, p

    def set(self, seconds):
        new = self.path.with_name("shift.new")
        new.write_text(str(seconds))
        new.rename(self.path)


@pytest.fixture
def clock(pm):
    return Clock(pm)


def year_of(event):
    return int(event["t"][:4])


@pytest.mark.parametrize("leap", LEAPS[1:], ids=NAMES[1:])
def test_a_leap_while_waiting(pm, clock, leap):
    """A restart comes after its delay, a stop after its timeout, and ages are right."""
    pm.up(f"[app:c]\ncommand = sh -c 'sleep 0.2; exit 3'\nready = spawn\nrestart_delay = 700ms\nrestart_delay_max = 700ms\n"
          f"[app:web]\ncommand = sleep 1000000\nready = spawn\n"
          f"[app:s]\ncommand = {app_path('stubborn')}\nready = spawn\nstop_timeout = 600ms\n")
    pid = pm.pids("web")[0]
    assert b"LD_PRELOAD" not in read_proc(pid, "environ") and b"CLOCKSHIFT" not in read_proc(pid, "environ")
    wait_for(lambda: pm.state("c") == "backoff", 10, "the wait")
    begun, before = time.monotonic(), pm.app("c")["restarts"]
    clock.set(leap)
    wait_for(lambda: pm.app("c")["restarts"] > before, 5, "the next try")
    assert time.monotonic() - begun < 2 * SLOW
    begun = time.monotonic()
    pm.ok("stop", "s")
    assert 0.55 < time.monotonic() - begun < 3 * SLOW
    assert 0 <= pm.proc("web")["up_ms"] < 20000 and pm.list()["daemon"]["up_ms"] < 20000
    assert pm.app("c")["restarts"] - before < 8  # no burst
    assert pm.pids("web") == [pid] and pm.app("web")["restarts"] == 0
    # It is in command with that clock, and the next supervisor too.
    pm.ok("restart", "web")
    sup = pm.daemon()["pid"]
    os.kill(sup, signal.SIGKILL)
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != sup, 15, "the next supervisor")
    assert 0 <= pm.proc("web")["up_ms"] < 20000
    events = [json.loads(line) for line in pm.ok("events", "web", "--json").out.splitlines()]
    assert abs(year_of(events[-1]) - time.gmtime(time.time() + leap).tm_year) <= 1


@pytest.mark.parametrize("leap", LEAPS, ids=NAMES)
def test_logs_over_a_leap(pm, clock, leap):
    """All lines, in the order they were written, in files whose names do not collide; and back again."""
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 0 -r 2000\nready = spawn\nlog_max_size = 20K\nlog_keep = 1000\n")
    for shift in (leap, 0):
        size = total(pm)
        wait_for(lambda: total(pm) > size + 45000, 20, "two rotations")
        clock.set(shift)
    size = total(pm)
    wait_for(lambda: total(pm) > size + 30000, 20, "more")
    pm.ok("stop", "p")
    data = b"".join(path.read_bytes() for path in files(pm))
    count = data.count(b"\n")
    assert numbers(data) == list(range(1, count + 1))
    shown = [int(n) for n in re.findall(r" (\d{10}) [0-9a-f]{8} x", pm.ok("logs", "p", "-n", "100000").out)]
    assert shown == list(range(1, count + 1))


def files(pm):
    """Oldest first."""
    rotated = [p for p in pm.logdir.glob("p-0.out.log.*") if p.suffix[1:].isdigit()]
    return sorted(rotated, key=lambda p: -int(p.suffix[1:])) + [pm.logdir / "p-0.out.log"]


def total(pm):
    while True:
        try:
            return sum(p.stat().st_size for p in pm.logdir.glob("p-0.out.log*") if not p.name.endswith(".idx"))
        except FileNotFoundError:
            pass  # renamed by a rotation just then


def test_followers_over_a_leap(pm, clock):
    pm.up("[app:p]\ncommand = sh -c 'i=0; while :; do i=$((i+1)); echo n $i; sleep 0.01; done'\nready = spawn\n")
    p = pm.popen("logs", "p", "-f")
    os.set_blocking(p.stdout.fileno(), False)
    got = b""

    def has(n):
        nonlocal got
        got += p.stdout.read() or b""
        return got.count(b"\n") >= n
    for i, leap in enumerate((*LEAPS, 0, 0)):
        wait_for(lambda: has(30 * i + 30), 10, "more lines")
        clock.set(leap)
    seen = [int(n) for n in re.findall(rb"n (\d+)\n", got)]
    assert seen == list(range(seen[0], seen[0] + len(seen)))


def test_a_cron_restart_is_not_made_up_for(pm, clock):
    """Ten years on there were five million times to restart: one is done, or none."""
    clock.set(57 - int(time.time()) % 60)  # the minute is nearly over
    pm.up("[app:w]\ncommand = sleep 1000000\nready = spawn\ncron_restart = * * * * *\n"
          "[app:y]\ncommand = sleep 1000000\nready = spawn\ncron_restart = 30 4 1 1 *\n")
    w, y = pm.pids("w")[0], pm.pids("y")
    clock.set(57 - int(time.time()) % 60 + 10 * YEAR)
    pm.wait_replaced("w", 0, w)
    wait_for(lambda: "beyond its time" in pm.ok("events", "y").out, 5, "the word")
    assert pm.daemon_log().count("time of cron_restart") == 1
    assert pm.pids("y") == y and pm.state("y") == "online"


def test_a_stopped_supervisor_does_not_catch_up(pm):
    """Sixty seconds in a nutshell: what died meanwhile is restarted once, not once a missed try."""
    pm.up("[app:c]\ncommand = sh -c 'sleep 0.05; exit 1'\nready = spawn\nrestart_delay = 100ms\nrestart_delay_max = 100ms\nmax_restarts = 0\n"
          "[app:web]\ncommand = sleep 1000000\nready = spawn\n")
    sup, web = pm.daemon()["pid"], pm.pids("web")[0]
    wait_for(lambda: pm.app("c")["restarts"] > 2, 10, "a loop")
    before = pm.app("c")["restarts"]
    os.kill(sup, signal.SIGSTOP)
    os.kill(web, signal.SIGKILL)
    time.sleep(1)  # the time is the case
    os.kill(sup, signal.SIGCONT)
    pm.wait_replaced("web", 0, web)
    assert pm.app("c")["restarts"] - before < 8 and pm.app("web")["restarts"] == 1
    assert pm.daemon()["pid"] == sup and not alive(web)
