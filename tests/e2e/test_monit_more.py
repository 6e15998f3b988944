# SPDX-License-Identifier: MIT
"""The dashboard's log pane over much that is stored."""
from conftest import app_path, wait_for
from test_limits import HOLDER, disk, root
from test_logs import has_last
from test_monit import shows
from test_monit_logs import dash, pane, title
from tui import Tui


def test_a_filter_looks_through_all_that_is_stored(pm):
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 30000 -b -k -r 30000\nlog_max_size = 256K\nlog_keep = 40\n")
    wait_for(lambda: has_last(pm, b"0000030000 "), 20, "the last line")
    with Tui() as t:
        dash(pm, t, "0000030000")
        t.keys("Tab", "&")
        t.text("000000.77[78] ")
        t.keys("Enter")
        numbers = sorted(n for n in range(1, 10000) if n % 1000 // 10 == 77 and n % 10 in (7, 8))

        def shown(lines):
            return [int(s[:10]) for s in pane(lines) if s[:10].isdigit()]
        t.wait(lambda lines: shown(lines) and shown(lines) == numbers[-len(shown(lines)):] and len(shown(lines)) > 10)
        t.keys("&", "C-u", "Enter")
        t.wait(lambda lines: (pane(lines) or [""])[-1].startswith("0000030000 ") and "follow" in title(lines))


def test_the_row_tells_how_far_a_reload_is(pm):
    pm.up("[app:web]\ncommand = sleep 1000\ninstances = 3\nmin_uptime = 1s\n")
    with Tui(24, 120) as t:
        t.monit(pm)
        t.wait("3/3 online")
        t.keys("r")
        t.wait(lambda lines: any("web" in s and ("reload 1/3 █░░░" in s or "reload 2/3 ██░░" in s) for s in lines))
        t.wait("reload web: 3 of 3")
        t.wait(lambda lines: not any("reload 3/3" in s or "reload 2/3" in s for s in lines))


def test_a_plan_is_shown_and_applied_after_a_question(pm):
    pm.up("[app:web]\ncommand = sleep 1000\n")
    with Tui() as t:
        t.monit(pm, cwd=pm.dir)
        t.wait("online")
        t.keys("P")
        t.wait("nothing to do")
        pm.ini("[app:web]\ncommand = sleep 1000\n[app:more]\ncommand = sleep 1000\n")
        t.keys("Escape")
        t.keys("P")
        t.wait("more")
        t.wait("1 to add")
        t.keys("Enter")
        t.wait("Apply this plan?")
        assert len(pm.list()["apps"]) == 1
        t.keys("y")
        t.wait(lambda lines: any("more" in s and "online" in s for s in lines))


def test_a_file_that_is_not_what_runs_is_an_alert(pm):
    """Of the list, and a word for each app; until it is applied, or put back."""
    was = "[app:web]\ncommand = sleep 1000\n"
    more = "[app:more]\ncommand = sleep 1000\n"
    pm.up(was)
    with Tui(30, 120) as t:
        t.monit(pm)
        t.wait(shows("web", "online"))
        pm.ini(was + "nice = 1\numask = 077\n" + more)
        t.wait(shows("alert", "pmctl.ini: web changed; more new"))
        t.wait(shows("web", "file changed: umask,"))
        t.wait(shows("drift", "file changed: umask, nice"))
        t.keys("A")
        t.wait(shows("fix: pmctl plan -c", "/pmctl.ini"))
        t.keys("Escape")
        pm.ini(was + "nonsense\n")
        t.wait(shows("alert", "pmctl.ini is not valid: pmctl check"))
        (pm.dir / "pmctl.ini").unlink()
        t.wait(shows("alert", "pmctl.ini is gone"))
        pm.ini(was)
        t.wait(lambda lines: not shows("alert", "pmctl.ini")(lines) and not shows("file changed")(lines))
        pm.ok("scale", "web", "2")
        t.wait(shows("alert", "pmctl.ini: web changed"))
        pm.ok("apply")
        t.wait(lambda lines: not shows("alert", "pmctl.ini")(lines))


@root
def test_descriptors_and_disks_are_alerts(pm, disk):
    d = disk("log", "size=2m,mode=0750")
    pm.up(HOLDER)
    with Tui(30, 120) as t:
        t.monit(pm)
        t.wait(shows("alert", "h has 10 of 11 descriptors"))
        d.fill()
        t.wait(shows("alerts", "0.0M left for"))
        t.keys("A")
        t.wait(shows("fix: make room"))
        t.keys("Escape")
        d.free()
        t.wait(shows("alert", "descriptors"))
