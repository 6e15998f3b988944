# SPDX-License-Identifier: MIT
"""Who follows goes on over the death of a supervisor, and misses nothing; a stop that was asked for ends it."""
import json
import os
import signal
import threading

import pytest

from conftest import SLOW, alive, app_path, wait_for
from terminal import Term
from test_interrupted import events, kill, last_seq

SLEEPER = "[app:web]\ncommand = sleep 1000000\nready = spawn\nmode = fork\n"


class Lines(threading.Thread):
    """What a follower prints, line by line."""

    def __init__(self, p):
        super().__init__()
        self.p, self.lines = p, []
        self.start()

    def run(self):
        for line in self.p.stdout:
            self.lines.append(line.decode())

    def ends(self, rc, deadline=20):
        """Its end, and what it said about it."""
        assert self.p.wait(timeout=deadline * SLOW) == rc, self.p.stderr.read()
        self.join()
        return self.p.stderr.read().decode()


def sockets(pid):
    """How many it has open."""
    names = [f"/proc/{pid}/fd/{fd}" for fd in os.listdir(f"/proc/{pid}/fd")]
    return sum(os.readlink(name).startswith("socket:") for name in names if os.path.islink(name))


def something(pm):
    """An event, and its number."""
    pm.ok("signal", "CONT", "web")
    return last_seq(pm)


def test_events_over_kills_and_an_upgrade(pm):
    pm.up(SLEEPER)
    f = Lines(pm.popen("events", "-f", "--json", "-n", "1000"))
    for i in range(3):
        something(pm)
        if i == 2:
            pm.ok("daemon", "upgrade")
        else:
            kill(pm)
            pm.ok("restart", "web")
    last = something(pm)
    wait_for(lambda: f.lines and json.loads(f.lines[-1])["seq"] >= last, 10, "the last event")
    seqs = [json.loads(line)["seq"] for line in f.lines]
    assert seqs == list(range(1, seqs[-1] + 1)), seqs
    pm.notice()
    pm.ok("daemon", "stop")
    assert f.ends(0) == ""


def test_events_of_one_app_that_is_deleted_meanwhile(pm):
    pm.up(SLEEPER)
    f = Lines(pm.popen("events", "-f", "web"))
    wait_for(lambda: f.lines, 10, "a line")
    pm.ok("delete", "web")
    kill(pm)
    pm.ok("start")
    wait_for(lambda: sum("started pid" in line for line in f.lines) == 2, 10, "the next one's start")
    pm.ok("daemon", "stop")
    assert f.ends(0) == ""


def test_a_terminal_is_told(pm):
    pm.up(SLEEPER)
    terms = [Term(pm, "events", "-f"), Term(pm, "logs", "-f")]
    terms[0].sees("started pid")
    terms[1].sees("ready after")
    kill(pm)
    for t in terms:
        t.sees("pmctl: the daemon is away; waiting")
        t.sees("pmctl: the daemon is back")
    something(pm)
    for t in terms:
        t.sees("SIGCONT sent")
    assert terms[1].screen.text().count("started pid") == 1
    terms[0].interrupt()
    assert terms[0].end(130).count("started pid") == 1
    pm.ok("daemon", "stop")
    terms[1].end(0)


def test_logs_over_kills(pm):
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 0 -k -r 500\nready = spawn\ninstances = 1\nmode = fork\n")
    f = Lines(pm.popen("logs", "-f", "-n", "0", "--raw", "p:0"))
    new = Lines(pm.popen("logs", "-f", "-n", "0", "p"))
    wait_for(lambda: f.lines and new.lines, 10, "lines")
    for _ in range(2):
        have = len(f.lines)
        kill(pm)
        wait_for(lambda: len(f.lines) > have + 300, 20, "lines going on")
    pm.ok("scale", "p", "2", "--no-wait")
    kill(pm)
    wait_for(lambda: any(line.split()[1] == "p:1" for line in new.lines), 10, "the new one's lines")
    pm.ok("daemon", "stop")
    assert f.ends(0) == "" and new.ends(0) == ""
    numbers = [int(line.split()[0]) for line in f.lines]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert numbers[-1] == int(pm.log("p").splitlines()[-1].split()[0]), "the last lines, too"


def test_both_killed(pm):
    """They wait for somebody to start another one, and not for ever."""
    pm.up(SLEEPER)
    first = last_seq(pm)

    f = Lines(pm.popen("events", "-f", "--json"))
    wait_for(lambda: len(f.lines) == first, 10, "the first lines")
    pm.kill_both()
    pm.ok("daemon", "start")
    last = something(pm)
    wait_for(lambda: json.loads(f.lines[-1])["seq"] >= last, 10, "the last event")
    seqs = [json.loads(line)["seq"] for line in f.lines]
    assert seqs == [e["seq"] for e in events(pm)][-len(seqs):]
    waiting = [f, Lines(pm.popen("logs", "-f", "web")), Lines(pm.popen("wait", "web", "--for", "stopped"))]
    for w in waiting:
        wait_for(lambda p=w.p: sockets(p.pid), 5, "its connection")
    pm.kill_both()
    for w in waiting:
        assert "none came back within 5 s" in w.ends(5), w.p.args
    pm.ok("daemon", "start")


@pytest.mark.parametrize("what", ["logs", "events"])
def test_a_follower_that_nobody_reads_ends(pm, what):
    """It has nothing to print, so no write fails: as on a machine whose ssh connection was lost."""
    pm.up(SLEEPER)
    p = pm.popen(what, "-f", "-n", "1", "web")
    wait_for(lambda: sockets(p.pid), 10, "its connection")
    if what == "events":
        assert p.stdout.readline()
    p.stdout.close()
    assert p.wait(20 * SLOW) == 128 + signal.SIGPIPE
