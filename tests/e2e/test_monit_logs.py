# SPDX-License-Identifier: MIT
"""The log pane of the dashboard, over real files: history at once, following, scrolling and searching in all that is stored."""
import os
import re
import signal
import stat

import pytest

from conftest import app_path, wait_for
from test_logs import has_last
from tui import Tui

# What is added to the file `feed` is printed.
FEED = "[app:web]\ncommand = sh -c 'echo begun; exec tail -n +1 -f feed'\n"


def feed(pm, *lines):
    with open(pm.dir / "feed", "a", encoding="utf-8", errors="surrogateescape") as f:
        f.writelines(s + "\n" for s in lines)


def title(lines):
    return next((s for s in lines if " logs ─ " in s), "")


def pane(lines):
    """The lines of the log pane without their times."""
    at = next(i for i, s in enumerate(lines) if " logs ─ " in s)
    return [s[13:].strip() for s in lines[at + 1:-2] if s.strip()]


def shows(*texts):
    """Whether the pane ends with these lines."""
    return lambda lines: title(lines) and pane(lines)[-len(texts):] == list(texts)


def dash(pm, t, wait="begun", env=None):
    t.env = {**t.env, **(env or {})}
    t.monit(pm)
    t.wait(wait)
    return t


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


@pytest.fixture
def web(pm):
    """A dashboard, in its log pane, over one app that prints what is fed to it."""
    (pm.dir / "feed").touch()
    pm.up(FEED)
    pm.wait_log("web", "begun")
    with Tui() as t:
        dash(pm, t)
        t.keys("Tab")
        yield t


def test_history_with_events_is_there_at_once_and_then_what_is_written(web, pm):
    lines = web.wait(lambda lines: re.search(r"── started pid \d+.* ──", "\n".join(pane(lines))) and shows is not None)
    assert "begun" in pane(lines)
    assert "follow" in title(lines)
    feed(pm, "one", "two")
    web.wait(shows("one", "two"))
    pm.ok("restart", "web")
    lines = web.wait(lambda lines: sum(s.startswith("── started pid") for s in pane(lines)) == 2 and
                     pane(lines).count("begun") == 2)


def test_stderr_is_marked_and_can_be_shown_alone(pm):
    pm.up("[app:web]\ncommand = sh -c 'echo fine; echo wrong >&2; exec sleep 1000'\n")
    pm.wait_log("web", "wrong", stream="err")
    with Tui() as t:
        dash(pm, t, "wrong")
        assert any(re.match(r" \d\d:\d\d:\d\d\.\d{3}! wrong$", s) for s in t.screen())
        assert any(re.match(r" \d\d:\d\d:\d\d\.\d{3}  fine$", s) for s in t.screen())
        t.keys("!")
        t.wait(lambda lines: "stderr only" in title(lines) and "fine" not in pane(lines) and "! wrong" in "\n".join(lines))


def test_paused_it_stays_and_counts_what_comes(web, pm):
    feed(pm, *(f"line {n}" for n in range(100)))
    web.wait(shows("line 98", "line 99"))
    web.keys("k")
    web.wait(shows("line 97", "line 98"))
    feed(pm, "new 1", "new 2")
    lines = web.wait(lambda lines: "PAUSED, 2 new" in title(lines))
    assert pane(lines)[-1] == "line 98"
    web.keys("F")
    web.wait(shows("new 1", "new 2"))
    web.keys("PageUp")
    web.wait(lambda lines: "PAUSED" in title(lines))
    web.keys("G")
    web.wait(lambda lines: "follow" in title(lines))


def test_filter_fold_wrap_and_times(web, pm):
    feed(pm, "apple", '{"level":50,"time":1,"msg":"no pear","id":7}', "x" * 200 + "END", "banana")
    web.wait(shows("banana"))
    web.keys("J")
    web.wait(lambda lines: "error no pear id=7" in pane(lines))
    web.keys("w")
    web.wait(lambda lines: any("xEND" in s for s in lines))
    web.keys("t")
    web.wait(lambda lines: "   banana" in lines)
    web.keys("t", "&")
    web.text("pear|an")
    web.keys("Enter")
    web.wait(lambda lines: pane(lines) == ["error no pear id=7", "banana"])
    web.keys("&", "C-u")
    web.text("!pear|an")
    web.keys("Enter")
    web.wait(lambda lines: "apple" in pane(lines) and "banana" not in pane(lines))


def test_a_flood_leaves_the_keys_answered(pm):
    pm.up(f"[app:flood]\ncommand = {app_path('printer')} 0 -r 10000 -b\nlog_max_size = 1M\nlog_keep = 2\n"
          "[app:calm]\ncommand = sh -c 'echo here; exec sleep 1000'\n")
    pm.wait_log("flood", "0000020000 ")
    with Tui() as t:
        dash(pm, t, "flood ─ logs ─ follow")
        def number(lines):
            last = pane(lines)[-1:] or [""]
            return int((re.match(r"(\d{10}) ", last[0]) or [0, "0"])[1])

        first = number(t.wait(lambda lines: number(lines) > 0))
        t.wait(lambda lines: number(lines) > first + 5000)
        t.keys("j")
        t.wait(lambda lines: "calm ─ logs" in title(lines) and "here" in pane(lines))
        t.keys("k", "Tab")
        t.wait(lambda lines: "flood ─ logs ─ follow" in title(lines) and number(lines) > first)
        t.keys("k")
        lines = t.wait(lambda lines: re.search(r"PAUSED, \d+\+ new", title(lines)))
        # Full: what is read stands still, line after line.
        shown = pane(lines)
        numbers = [int(s[:10]) for s in shown]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        assert pane(t.screen()) == shown
        t.keys("F")
        t.wait(lambda lines: "follow" in title(lines) and number(lines) > numbers[-1] + 2000)
        t.keys("q", "q")
        t.wait("ended=0")


def test_scrolls_back_to_the_first_line_over_rotations(pm):
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 5000 -b -k -r 20000\nlog_max_size = 64K\nlog_keep = 40\n")
    wait_for(lambda: has_last(pm, b"0000005000 "), 20, "the last line")
    assert len(list(pm.logdir.glob("p-0.out.log.*[0-9]"))) > 2
    with Tui() as t:
        dash(pm, t, "0000005000")
        t.keys("Tab")
        def first(lines):
            """The number of the first line; 0 where that tells of the start."""
            word = (pane(lines) or ["?"])[0][:10]
            return int(word) if word.isdigit() else 0 if word.startswith("── ") else 10**9

        at = 5001
        while at > 0:
            t.keys("g")
            lines = t.wait(lambda lines: first(lines) < at)
            numbers = [int(s[:10]) for s in pane(lines) if s[:10].isdigit()]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
            at = first(lines)
        t.keys("1")
        t.wait(lambda lines: any(s.startswith("0000000001 ") for s in pane(lines)))
        t.keys("0")
        t.wait(lambda lines: pane(lines)[-1].startswith("0000005000 ") and "follow" in title(lines))


def test_searches_in_all_that_is_stored(pm):
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 30000 -b -k -r 30000\nlog_max_size = 256K\nlog_keep = 40\n")
    wait_for(lambda: has_last(pm, b"0000030000 "), 20, "the last line")
    assert len(list(pm.logdir.glob("p-0.out.log.*[0-9]"))) > 2
    with Tui() as t:
        dash(pm, t, "0000030000")
        t.keys("Tab", "/")
        t.text("^00000.7777 ")
        t.keys("Enter")
        def found(n):
            return lambda lines: any(s.startswith(">") and n in s for s in lines)

        t.wait(found("0000027777 "))
        t.keys("n")
        t.wait(found("0000017777 "))
        lines = t.wait(lambda lines: "searching" not in title(lines))
        numbers = [int(s[:10]) for s in pane(lines) if s[:10].isdigit()]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        t.keys("n")
        t.wait(found("0000007777 "))
        t.keys("n")
        t.wait("no more hits")
        t.wait(found("0000007777 "))
        t.keys("N")
        t.wait(found("0000017777 "))
        t.keys("F")
        t.wait(lambda lines: pane(lines)[-1].startswith("0000030000 "))


def test_files_that_vanish_and_rotate(web, pm):
    feed(pm, "before")
    web.wait(shows("before"))
    pm.ok("rotate", "web")
    feed(pm, "after the rotation")
    web.wait(shows("before", "── rotated ──", "after the rotation"))
    for path in pm.logdir.glob("web-0.*"):
        path.unlink()
    web.keys("k")
    web.wait(lambda lines: "PAUSED" in title(lines))
    web.keys("F")
    pm.ok("rotate", "web")
    feed(pm, "in a new file")
    web.wait(shows("in a new file"))
    pm.ok("flush", "web")
    feed(pm, "after the flush")
    web.wait(shows("after the flush"))


def test_another_app_while_the_daemon_is_away(pm):
    (pm.dir / "feed").touch()
    pm.up(FEED + "[app:other]\ncommand = sh -c 'echo said before; exec sleep 1000'\n")
    pm.wait_log("other", "said before")
    with Tui() as t:
        dash(pm, t)
        pid = pm.daemon()["pid"]
        os.kill(pid, signal.SIGSTOP)
        try:
            t.wait("no answer from pmctld")
            t.keys("j")
            t.wait(lambda lines: "other ─ logs" in title(lines) and "said before" in pane(lines))
        finally:
            os.kill(pid, signal.SIGCONT)
        t.keys("k")
        t.wait(lambda lines: "web ─ logs" in title(lines) and "begun" in pane(lines))


def test_instances_together_and_those_that_come_later(pm):
    pm.up("[app:web]\ncommand = sh -c 'echo hello from $PMCTL_SLOT; exec sleep 1000'\ninstances = 2\n")
    with Tui() as t:
        dash(pm, t, "hello from 1")
        lines = t.screen()
        assert any(re.search(r" web:0 hello from 0$", s) for s in lines)
        pm.ok("scale", "web", "3")
        t.wait("web:2 hello from 2")


def test_lines_cannot_control_the_terminal(web, pm):
    before = web.ask("#{pane_title}")
    feed(pm, "\x1b]0;owned\x07\x1b[2J\x1b[?1049l\x1b[31mred\x1b[0m", "\udc9b]0;x \u202e rtl", "字 wide e\u0301 end", "last")
    lines = web.wait(shows("last"))
    assert web.ask("#{pane_title}") == before and web.ask("#{alternate_on}") == "1"
    assert "\\x1b]0;owned\\x07\\x1b[2J\\x1b[?1049lred" in pane(lines)
    assert any(s.startswith("\\x9b]0;x") for s in pane(lines)) and any("wide e\u0301 end" in s for s in pane(lines))


def test_lines_into_a_file(web, pm):
    feed(pm, "\x1b[31mred\x1b[0m", "last")
    web.wait(shows("last"))
    target = pm.dir / "saved"
    web.keys("W", "C-u")
    web.text(str(target))
    web.keys("Enter")
    web.wait("written to")
    text = target.read_text()
    assert re.search(r"^\d\d:\d\d:\d\d\.\d{3}  red\n\d\d:\d\d:\d\d\.\d{3}  last\n\Z", text, re.M), text
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    web.keys("W", "C-u")
    web.text(str(target))
    web.keys("Enter")
    web.wait("File exists")
    assert target.read_text() == text


def test_a_pager_on_the_files_and_back(pm):
    (pm.dir / "feed").touch()
    pm.up(FEED)
    pm.wait_log("web", "begun")
    pager = pm.dir / "pager"
    pager.write_text('#!/bin/sh\ntrap "echo interrupted" INT\necho "paging $*"\nuntil read x && [ "$x" = end ]; do :; done\n')
    pager.chmod(0o755)
    with Tui() as t:
        dash(pm, t, env={"PAGER": str(pager)})
        t.keys("o")
        t.wait("paging")
        assert "web-0.out.log" in "".join(t.screen()).replace("\n", "") and t.ask("#{alternate_on}") == "0"
        t.keys("C-c")
        t.wait("interrupted")
        t.keys("e", "n", "d", "Enter")
        t.wait(lambda lines: "web ─ logs" in title(lines))
        feed(pm, "still there")
        t.wait(shows("still there"))


def test_a_selection_that_is_passed_by_is_not_read(pm):
    """Held down, the key moves on; only where it rests files are opened."""
    apps = "".join(f"[app:a{n:02}]\ncommand = sh -c 'echo I am {n}; exec sleep 1000'\n" for n in range(12))
    pm.up(apps)
    with Tui() as t:
        dash(pm, t, "I am 0")
        t.keys(*["j"] * 11)
        t.wait("I am 11")
        pid = t.program()
        held = [os.readlink(f"/proc/{pid}/fd/{n}") for n in os.listdir(f"/proc/{pid}/fd")]
        logs = [s for s in held if s.endswith(".log")]
        assert logs and all("/a11-0." in s for s in logs)
