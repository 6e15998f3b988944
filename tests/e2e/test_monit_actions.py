# SPDX-License-Identifier: MIT
"""What the dashboard's keys do to the apps, in a real terminal: questions, commands, what comes of them."""
import pytest

from conftest import wait_for
from test_monit import shows
from tui import Tui

APPS = """
[app:web]
command = sleep 1000
instances = 2
[app:worker]
command = sleep 1000
[app:flaky]
command = sh -c 'echo no database >&2; exit 1'
autorestart = never
"""


@pytest.fixture
def dash(pm):
    """A dashboard of 80x24 over three apps; web is selected."""
    pm.ini(APPS)
    pm.fails(1, "start")  # flaky
    with Tui() as t:
        t.monit(pm, cwd=pm.dir)
        t.wait(shows(">", "web", "2/2 online"))
        yield t


def select(dash, name):
    def at_top(lines):
        heading = next((i for i, s in enumerate(lines) if " STATE" in s), None)
        return heading is not None and lines[heading + 1].startswith(">")

    dash.keys("g")
    dash.wait(at_top)  # what is on the screen may be older than the key
    for _ in range(5):
        if shows(">", f" {name} ")(dash.wait(lambda lines: any(s.startswith(">") for s in lines))):
            return
        before = [s for s in dash.screen() if s.startswith(">")]
        dash.keys("j")
        dash.wait(lambda lines, b=before: [s for s in lines if s.startswith(">")] not in ([], b))
    raise AssertionError(name)


def test_restart_asks_and_does_it_after_y(dash, pm):
    old = pm.pids("web")
    dash.keys("R")
    dash.wait("2 instances stop and start one after the other; requests may be lost.")
    dash.keys("Enter")  # the default is no
    dash.wait(lambda lines: not shows("Restart web?")(lines))
    assert pm.pids("web") == old
    dash.keys("R")
    dash.wait("Restart web?")
    dash.keys("y")
    dash.wait("web restarted, 2 instances")
    assert not set(old) & set(pm.pids("web"))


def test_reload_asks_nothing_and_tells_how_it_goes(dash, pm):
    old = pm.pids("web")
    dash.keys("r")
    dash.wait("reload web: 2 of 2")
    assert not set(old) & set(pm.pids("web"))


def test_what_is_marked_is_stopped(dash, pm):
    dash.keys("Space")
    dash.wait(shows("1 marked"))
    select(dash, "worker")
    dash.keys("Space")
    dash.wait(shows("2 marked"))
    dash.keys("S")
    dash.wait("Stop 2 marked?")
    dash.keys("y")
    pm.wait_state("web", "stopped")
    pm.wait_state("worker", "stopped")
    dash.wait(shows("web", "stopped"))
    dash.keys("s")
    dash.wait(shows("worker", "online"))


def test_scale(dash, pm):
    dash.keys("+")
    dash.wait("scale web from 2 to: 3")
    dash.keys("Enter")
    dash.wait(shows("web", "3/3 online"))
    dash.keys("-")
    dash.wait("scale web from 3 to: 2")
    dash.keys("BSpace", "1", "Enter")
    wait_for(lambda: len(pm.procs("web")) == 1, 15, "one instance")


def test_delete_wants_the_name(dash, pm):
    dash.keys("D")
    dash.wait("web (2 instances) will stop and leave the daemon.")
    dash.text("wbe")
    dash.keys("Enter")
    dash.wait('"wbe" is not "web"; nothing was done')
    assert pm.state("web") == "online"
    dash.keys("D")
    dash.wait("Type the name")
    dash.text("web")
    dash.keys("Enter")
    dash.wait(lambda lines: not shows("2/2 online")(lines))
    assert "web" not in [a["name"] for a in pm.list()["apps"]]


def test_a_reload_that_fails_says_why(pm):
    script = pm.dir / "app.sh"
    script.write_text("exec sleep 1000\n")
    pm.up(f"[app:web]\ncommand = sh {script}\n")
    old = pm.pids("web")
    with Tui() as t:
        t.monit(pm)
        t.wait(shows("web", "online"))
        script.write_text("echo missing module x >&2; exit 3\n")
        t.keys("r")
        t.wait(shows("reload web stopped at web:0", "Enter: all"))
        t.keys("Enter")
        t.wait(lambda lines: shows("─ pmctl reload web ─")(lines) and shows("│", "missing module x")(lines))
        t.keys("Escape")
        t.wait(lambda lines: not shows("─ pmctl reload web ─")(lines))
    assert pm.pids("web") == old


def test_a_signal_from_the_menu(dash, pm):
    old = pm.pids("worker")
    select(dash, "worker")
    dash.keys("K")
    dash.wait("Signal to worker: 1 running")
    dash.keys("9", "Enter")
    pm.wait_replaced("worker", 0, old[0])


def test_any_command(dash):
    dash.keys(":")
    dash.text("why fl")
    dash.keys("Tab")
    dash.wait(":why flaky")
    dash.keys("Enter")
    dash.wait(shows("pmctl why flaky"))
    dash.wait("no database")
    dash.keys("Escape", ":", "Up")
    dash.wait(":why flaky")
    dash.keys("C-u")
    dash.text("relaod web")
    dash.keys("Enter")
    dash.wait('did you mean "reload"?')


@pytest.mark.parametrize("command,hint", [("monit", "this is the dashboard"), ("logs -f web", "log pane"),
                                          ("events --follow", "their pane"), ("list --watch", "live already")])
def test_what_has_no_end_is_refused(dash, command, hint):
    dash.keys(":")
    dash.text(command)
    dash.keys("Enter")
    dash.wait(hint)


def test_help_and_filter(dash):
    dash.keys("?")
    dash.wait("Keys (Esc closes")
    dash.text("/")
    dash.text("reload")
    dash.wait(lambda lines: shows("reload: replace without a gap")(lines) and not shows("MOVE")(lines))
    dash.keys("Escape")
    dash.wait(shows("MOVE"))
    dash.keys("Escape")
    dash.text("/")
    dash.text("work")
    dash.wait(lambda lines: shows("worker", "online")(lines) and not shows("web", "2/2")(lines))
    dash.keys("Enter", "Escape")
    dash.wait(shows("web", "2/2"))


def test_without_a_daemon_only_the_command_line_acts(dash, pm):
    pm.ok("daemon", "stop")
    dash.wait("no answer from pmctld")
    dash.keys("r")
    dash.wait("actions are off while disconnected")
    dash.keys(":")
    dash.text("daemon start")
    dash.keys("Enter")
    dash.wait(lambda lines: not shows("no answer from pmctld")(lines) and shows("web", "2/2 online")(lines))
    dash.keys("r")
    dash.wait("reload web: 2 of 2")


def test_quit_leaves_what_runs(pm):
    pm.up("[app:slow]\ncommand = sh -c 'trap \"\" TERM; while :; do sleep 1; done'\nstop_timeout = 3s\n")
    with Tui() as t:
        t.monit(pm)
        t.wait(shows("slow", "online"))
        t.keys("S")
        t.wait("Stop slow?")
        t.keys("y")
        t.wait("stop slow ...")
        t.keys("q")
        t.wait("goes on: stop slow")
        t.wait("ended=0")
        pm.wait_state("slow", "stopped")


def test_more_than_may_run_at_once(dash, pm):
    old = pm.pids("web")
    dash.keys(*["r"] * 12)  # read at once
    dash.wait("8 commands run already")
    dash.keys("Home")
    dash.wait("reload web: 2 of 2")
    assert not set(old) & set(pm.pids("web"))
