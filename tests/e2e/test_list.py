# SPDX-License-Identifier: MIT
"""list on a terminal, and list --watch: in place, over an end of the daemon, and left in order."""
import json
import signal

import pytest

from conftest import wait_for
from terminal import Term

WEB = "[app:web]\ncommand = sleep 1000000\nready = spawn\nmode = fork\ninstances = 2\n"


def rows(text, word):
    return [line for line in text.splitlines() if word in line]


def test_columns_by_width(pm):
    pm.up(WEB + "memory_max = 512M\nnamespace = shop\n")
    wait_for(lambda: pm.app("web")["mem_bytes"], 10, "figures")
    wide = Term(pm, "list", "-i", columns=160).end(0)
    (heading,) = rows(wide, "STATE")
    assert heading.split() == ["APP", "NS", "INST", "STATE", "ID", "MODE", "PID", "UP", "RST", "CPU", "MEM", "LIMIT", "FD", "READY", "USER", "NOTE"]
    app, first, second = rows(wide, "web")
    assert "1024M" in app and "512M" in first and str(pm.pids("web")[1]) in second and "└ web:1" in second
    usual = Term(pm, "list", columns=80).end(0)
    (heading,) = rows(usual, "STATE")
    assert heading.split() == ["APP", "INST", "STATE", "UP", "RST", "CPU", "MEM", "15", "MIN", "NOTE"] and "1 app, 2 of 2" in usual
    small = Term(pm, "list", columns=50).end(0)
    assert "STATE" not in small and "2/2 online" in small and "1 app" not in small
    ascii_only = Term(pm, "list", columns=80, env={"LANG": "C"}).end(0)
    assert rows(ascii_only, "web")[0].startswith("* web")


def test_an_operator_sees_why(pm):
    pm.up("[app:a]\ncommand = sleep 1000000\nready = spawn\n[app:b]\ncommand = sleep 1000000\nautostart = no\n")
    assert pm.app("b")["note"] == "not started" and pm.app("a")["note"] == ""
    pm.ok("stop", "a")
    assert pm.app("a")["note"] == "asked to stop"
    assert "ago" not in pm.ok("list").out  # an end that was asked for is no news


def test_watch_in_place(pm):
    pm.up(WEB)
    t = Term(pm, "list", "--watch=0.5")
    t.sees("2/2")
    pm.ok("scale", "web", "3")
    t.until(lambda s: "3/3" in s, what="the third")
    text = t.screen.text()
    assert len(rows(text, "STATE")) == 1 and len(rows(text, "web")) == 1, text
    pm.ok("stop", "web")
    t.until(lambda s: "stopped" in s, what="the stop")
    assert len(rows(t.screen.text(), "STATE")) == 1
    t.interrupt()
    assert "stopped" in t.end(130)


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_watch_ends(pm, sig):
    pm.up(WEB)
    t = Term(pm, "list", "--watch", "web")
    t.sees("web:1")
    t.proc.send_signal(sig)
    assert "web:1" in t.end(128 + sig)


def test_watch_over_the_end_of_the_daemon(pm):
    pm.up(WEB)
    t = Term(pm, "list", "--watch=0.5", columns=100)
    t.sees("2/2")
    pm.kill_both()
    t.sees("no answer from pmctld since")
    assert "2/2" in t.screen.text()
    pm.ok("daemon", "start")
    t.until(lambda s: "no answer" not in s and "2/2" in s, what="the daemon again")
    pm.ok("daemon", "stop")
    t.sees("no answer from pmctld since")
    pm.ok("start")
    t.until(lambda s: "no answer" not in s and "2/2" in s, what="another daemon")
    t.interrupt()
    t.end(130)


def test_watch_in_a_small_window(pm):
    pm.up("".join(f"[app:a{i}]\ncommand = sleep 1000000\nready = spawn\n" for i in range(8)))
    t = Term(pm, "list", "--watch", columns=70, rows=6)
    t.sees("lines more)")
    assert len(t.screen.lines) <= 6
    t.resize(110, 30)
    t.until(lambda s: "8 apps, 8 of 8" in s, what="all of them")
    t.interrupt()
    t.end(130)


def test_watch_without_a_terminal(pm):
    pm.up(WEB)
    p = pm.popen("list", "--watch=0.5", "--json", "web")
    samples = [json.loads(p.stdout.readline()) for _ in range(3)]
    assert all(s["v"] == 1 and s["apps"][0]["name"] == "web" and len(s["apps"][0]["procs"]) == 2 for s in samples)
    p.send_signal(signal.SIGTERM)
    assert p.wait(20) == 143
    p = pm.popen("list", "--watch=0.5")
    lines = [p.stdout.readline().decode() for _ in range(5)]
    assert lines[0] == lines[3] and lines[0].startswith("APP ") and lines[2] == "\n" and lines[1].split()[:3] == ["web", "2/2", "online"]
    p.send_signal(signal.SIGTERM)
    assert p.wait(20) == 143


def test_watch_is_refused(pm):
    assert "0.5 to 60 seconds" in pm.fails(2, "list", "--watch=1ms").err
    assert "not running" in pm.fails(5, "list", "--watch").err
