# SPDX-License-Identifier: MIT
"""The story of the last trouble: in plain words, with the lines of that moment, and what may help."""
import os
import re
import signal
import socket

import pytest

from conftest import app_path, wait_for

# Fails as often as it is told, then stays; says something each time.
FAILS = """[app:x]
command = sh -c 'echo hello; echo "{said}" >&2; sleep 0.02; exit {code}'
max_restarts = {most}
restart_delay = 10ms
min_uptime = 10s
"""


def failing(pm, said="no luck", code=1, most=2):
    pm.up(FAILS.format(said=said, code=code, most=most), "--no-wait")
    pm.wait_state("x", "failed", 30)
    return pm.ok("why", "x").out


def parts(text):
    """The lines of a story by their title."""
    return {line[2:9].strip(): line[10:] for line in text.splitlines()[1:] if re.match(r"  [a-z]+ ", line)}


def test_gave_up(pm):
    out = failing(pm)
    assert re.match(r"x:0  failed since \d\d:\d\d:\d\d \(\S+ ago\)\n", out), out
    told = parts(out)
    assert re.match(r"exited 1 after 0\.\ds, before it was ready, at .*; 3 times in \S+, first at ", told["why"]), out
    assert "gave up: more than 2 restarts in 5m" in out
    assert re.match(r"started pid \d+, .* by \S+, pid \d+", told["asked"])
    assert told["next"] == "nothing until: pmctl start x:0"
    assert re.search(r"  ! \d\d:\d\d:\d\d\.\d{3}  no luck\n", out) and "  hello\n" in out
    assert "try" not in told


def test_it_is_known_after_all_were_killed(pm):
    before = parts(failing(pm))
    pm.kill_both()
    pm.ok("daemon", "start")
    out = pm.ok("why", "x").out
    assert parts(out)["why"].split(", at")[0] == before["why"].split(", at")[0] and "  no luck\n" in out


def test_nothing_is_wrong(pm):
    pm.up("[app:web]\ncommand = sleep 1000000\nready = spawn\n")
    out = pm.ok("why").out
    assert re.match(r"web:0  online since .*, pid \d+\n  why     nothing is wrong", out), out
    pm.ok("restart", "web")
    assert "nothing is wrong, and nothing was" in pm.ok("why").out


def test_what_is_behind_it(pm):
    pm.up("[app:web]\ncommand = sleep 1000000\nready = spawn\nrestart_delay = 10ms\n")
    old = pm.pids("web")[0]
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: pm.state("web") == "online" and pm.pids("web")[0] != old, 20, "the next one")
    out = pm.ok("why", "web").out
    assert "nothing is wrong now" in out and parts(out)["before"].startswith("killed by SIGKILL after"), out
    assert "not sent by pmctl" in parts(out)["try"]
    pm.ok("stop", "web")
    told = parts(pm.ok("why", "web").out)
    assert told["now"] == "asked to stop" and told["asked"].startswith("asked to stop, ") and "pmctl start web" in told["next"]


def test_who_holds_the_port(pm, port):
    with socket.create_server(("127.0.0.1", port)):
        out = failing(pm, f"Error: listen EADDRINUSE: address already in use 127.0.0.1:{port}")
        assert f"port {port} is in use by pid {os.getpid()}" in parts(out)["try"], out
    assert f"port {port} was taken, and is free now" in parts(pm.ok("why", "x").out)["try"]


@pytest.mark.parametrize("said,code,hint", [
    ("connect ECONNREFUSED 127.0.0.1:5432", 1, "what it connects to does not answer"),
    ("Error: Cannot find module express", 1, "a module is missing"),
    ("nothing special", 127, 'a shell\'s "command not found"'),
    ("done", 0, "autorestart = on-failure"),
])
def test_what_may_help(pm, said, code, hint):
    out = failing(pm, said, code, most=1)
    assert hint in parts(out)["try"], out


def test_a_program_that_is_not_there(pm):
    pm.up("[app:x]\ncommand = /no/such/program\nmax_restarts = 1\nrestart_delay = 10ms\n", "--no-wait")
    pm.wait_state("x", "failed", 30)
    told = parts(pm.ok("why", "x").out)
    assert "No such file" in told["why"] and "is the file there?" in told["try"]


def test_what_the_probe_saw(pm, port):
    pm.up(f"[app:x]\ncommand = sleep 1000000\nready = tcp://127.0.0.1:{port}\nready_timeout = 500ms\nmax_restarts = 1\nrestart_delay = 10ms\n",
          "--no-wait")
    pm.wait_state("x", "failed", 30)
    told = parts(pm.ok("why", "x").out)
    assert told["why"].startswith("not ready within 500ms") and "Connection refused" in told["probe"]
    assert "is `ready` right" in told["try"]


def test_over_memory_max(pm):
    pm.up(f"[app:x]\ncommand = {app_path('eater')} 64 1000000\nmemory_max = 16M\nmax_restarts = 1\nready = spawn\nrestart_delay = 10ms\n", "--no-wait")
    wait_for(lambda: "memory_max" in pm.ok("why", "x").out, 40, "the reason")


def test_the_lines_are_those_of_that_end(pm):
    """The next process runs and writes: what is shown is what the one that failed wrote."""
    pm.up("""[app:x]
command = sh -c 'if [ -e once ]; then echo second life; exec sleep 1000000; fi; touch once; echo first life; exit 7'
ready = spawn
restart_delay = 300ms
""", "--no-wait")
    pm.wait_log("x", "second life")
    out = pm.ok("why", "x").out
    assert "  first life\n" in out and "second life" not in out, out


def test_as_json(pm):
    failing(pm, "no luck", 3)
    (slot,) = pm.ok("why", "x", "--json").json()["slots"]
    assert slot["state"] == "failed" and slot["trouble"]["exit"]["code"] == 3 and slot["trouble"]["exit"]["next"] == "gave-up"
    assert [line["text"] for line in slot["lines_then"]][-1] in ("no luck", "hello") and "gave up" in slot["story"]
    assert slot["autorestart"] == "always" and slot["max_restarts"] == 2
