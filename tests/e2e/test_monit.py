# SPDX-License-Identifier: MIT
"""The dashboard in a real terminal: what it shows, and how it leaves the terminal."""
import os
import re
import signal

import pytest

from conftest import alive, wait_for
from test_survival import kill_supervisor
from tui import Tui

APPS = """
[app:web]
command = sleep 1000
instances = 3
[app:worker]
command = sleep 1000
"""
STTY = "stty -a | md5sum; {}; echo ended=$?; stty -a | md5sum; exec cat"


def shows(*words):
    """Whether one line has all of them."""
    return lambda lines: any(all(w in s for w in words) for s in lines)


@pytest.fixture
def dash(pm):
    """A dashboard of 80x24 over two apps."""
    pm.up(APPS)
    with Tui() as t:
        t.monit(pm)
        t.wait(shows("web", "3/3 online"))
        yield t


@pytest.mark.parametrize("rows,cols", [(8, 40), (12, 44), (24, 80), (36, 120), (50, 200), (80, 300)])
def test_every_size_shows_the_apps_and_q_gives_the_terminal_back(pm, rows, cols):
    pm.up(APPS)
    with Tui(rows, cols) as t:
        t.monit(pm)
        t.wait(shows("web", "3/3 online"))
        assert t.ask("#{alternate_on}") == "1"
        t.keys("q")
        t.wait("ended=0")
        assert t.ask("#{alternate_on}") == "0" and t.ask("#{cursor_flag}") == "1"
    assert pm.state("web") == "online"


@pytest.mark.parametrize("rows,cols", [(3, 10), (1, 1), (7, 39)])
def test_a_terminal_that_is_too_small_is_no_error(pm, rows, cols):
    pm.up(APPS)
    with Tui(24, 80) as t:
        t.monit(pm)
        t.wait(shows("web", "3/3 online"))
        t.resize(rows, cols)
        t.wait(lambda lines: not shows("web", "3/3 online")(lines))
        t.resize(24, 80)
        t.wait(shows("web", "3/3 online"))
        t.keys("q")
        t.wait("ended=0")


def test_a_storm_of_sizes_ends_in_a_whole_screen(dash):
    for n in range(40):
        dash.resize(5 + n * 7 % 60, 20 + n * 13 % 200)
    dash.resize(24, 80)
    dash.wait(lambda lines: shows("web", "3/3 online")(lines) and "help" in lines[-1])


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGSEGV, signal.SIGABRT])
def test_whatever_ends_it_the_terminal_is_as_before(pm, sig):
    pm.up(APPS)
    with Tui() as t:
        t.env = {**pm.env(), **t.env, "PATH": pm.env()["PATH"]}
        t.env["ASAN_OPTIONS"] += ":handle_segv=0:handle_abort=0"  # these crashes are ours
        t.run(["sh", "-c", STTY.format(f"'{pm.pmctl}' monit")], after="exec cat")
        t.wait(shows("web", "3/3 online"))
        os.kill(t.program(), sig)
        t.wait("ended=")
        sums = wait_for(lambda: (s := re.findall(r"^[0-9a-f]{32}", "\n".join(t.screen()), re.M)) and len(s) == 2 and s,
                        10, "both states of the terminal")
        assert sums[0] == sums[1]
        assert t.ask("#{alternate_on}") == "0" and t.ask("#{cursor_flag}") == "1" and t.ask("#{mouse_any_flag}") == "0"


def test_ctrl_z_and_back(pm):
    pm.up(APPS)
    with Tui() as t:
        t.env = {**pm.env(), **t.env, "PATH": pm.env()["PATH"]}
        t.run(["bash", "--norc", "-i"], after="exec cat")
        t.text(f"PS1='ready> '; '{pm.pmctl}' monit\n")
        t.wait(shows("web", "3/3 online"))
        t.keys("C-z")
        t.wait("Stopped")
        assert t.ask("#{alternate_on}") == "0"
        t.resize(30, 100)
        t.text("fg\n")
        t.wait(shows("web", "3/3 online"))
        t.keys("q")
        t.wait(lambda lines: t.ask("#{alternate_on}") == "0")


def test_the_supervisor_killed_is_followed_by_the_next(dash, pm):
    kill_supervisor(pm)
    dash.wait("3 of 3 processes are the same" if len(pm.list()["apps"]) == 1 else "4 of 4 processes are the same")
    pm.ok("stop", "worker")
    dash.wait(shows("worker", "stopped"))


def test_a_supervisor_that_does_not_answer_is_away_and_keys_are_answered(dash, pm):
    pid = pm.daemon()["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        dash.wait("no answer from pmctld")
        dash.keys("x")
        dash.wait(lambda lines: sum("online" in s for s in lines) >= 5)  # the instances of web, from memory
    finally:
        os.kill(pid, signal.SIGCONT)
    dash.wait("connection back")


def test_the_daemon_stopped_and_started(dash, pm):
    pm.ok("daemon", "stop")
    dash.wait("no answer from pmctld")
    pm.ok("daemon", "start")
    dash.wait(shows("pmctld restarted"))
    dash.wait(shows("web", "3/3 online"))


def test_without_a_daemon_it_shows_the_file_and_starts_none(pm):
    pm.ini(APPS)
    with Tui() as t:
        t.monit(pm, cwd=pm.dir)
        t.wait(shows("web", "unknown"))
        t.wait(":daemon start")
        assert not pm.socket.exists()
        pm.ok("start")
        t.wait(shows("web", "3/3 online"))
        t.keys("q")
        t.wait("ended=0")


def test_no_terminal_and_a_dumb_one_are_refused(pm):
    pm.up(APPS)
    assert "pmctl list" in pm.fails(2, "monit").err
    with Tui() as t:
        t.monit(pm, term="dumb")
        t.wait("ended=2")
        assert shows("pmctl list")(t.screen())


@pytest.mark.parametrize("env,colour", [({}, True), ({"NO_COLOR": "1"}, False)])
def test_no_color_means_no_colour(pm, env, colour):
    pm.up(APPS)
    with Tui(env=env) as t:
        t.monit(pm)
        t.wait(shows("web", "3/3 online"))
        assert bool(re.search(r"\x1b\[[0-9;]*(?:3[1-7]|38;5;)", t.styled())) == colour


def test_ascii_where_the_locale_has_nothing_else(pm):
    pm.up(APPS)
    with Tui(env={"LANG": "C", "LC_ALL": "C"}) as t:
        t.monit(pm)
        lines = t.wait(shows("web", "3/3 online"))
        assert all(c < "\x7f" for s in lines for c in s)


def test_paused_nothing_wakes_it(dash):
    def switches():
        text = open(f"/proc/{pid}/status", encoding="ascii").read()
        return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", text, re.M)[1])

    pid = dash.program()
    dash.keys("p")
    dash.wait("PAUSED")
    seen = wait_for(lambda: (n := switches()) == switches() and n, 10, "rest")
    # A dashboard that looks once a second would wake several times while another one does.
    with Tui() as other:
        other.env = dash.env
        other.run(["sh", "-c", "for i in 1 2 3; do echo $i; sleep 1; done; echo over"])
        other.wait("over")
    assert switches() == seen
    dash.keys("p")
    dash.wait(lambda lines: not shows("PAUSED")(lines))


def test_what_is_pasted_is_not_typed(dash, pm):
    dash.tmux("set-buffer", "SDq")
    dash.tmux("paste-buffer", "-p")
    dash.keys("j")
    dash.wait(lambda lines: any(s.startswith(">") and "worker" in s for s in lines))
    assert pm.state("web") == "online" and alive(dash.program())
