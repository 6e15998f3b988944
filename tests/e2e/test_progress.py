# SPDX-License-Identifier: MIT
"""What is shown while a change is under way, and what Ctrl-C does, in a real pseudo terminal."""
import json
import os
import re
import signal

import pytest

from conftest import NODE_APPS, alive, app_path, wait_for
from terminal import Term

# With the file "broken" a new process fails, with "hold" it never gets ready, else after so many ms.
GATE = f"""
[app:web]
command = sh -c 'test -e broken && {{ echo no good >&2; echo bad deploy >&2; exit 4; }}; test -e hold && exec sleep 1000000; \
exec {app_path("notify")} 1'
instances = 4
mode = fork
ready = notify
min_uptime = 10ms
restart_delay = 20s
ready_timeout = 60s
"""


@pytest.fixture
def web(pm):
    pm.up(GATE)
    return pm


def hold(pm, on=True):
    """Processes that are started from now on do not get ready."""
    (pm.dir / "hold").touch() if on else (pm.dir / "hold").unlink()


def up_slow(pm, ms, more=""):
    """Processes take so long to get ready that there is time to look."""
    text = GATE.replace(" 1'", f" {ms}'")
    assert text != GATE
    pm.up(text + more)


def test_a_block_is_rewritten_in_place_and_stays_as_history(pm):
    up_slow(pm, 400)
    before = pm.pids("web")
    t = Term(pm, "reload", "web", columns=90)
    t.until(lambda s: "  1/4  " in s, 20, "a quarter")
    shown = t.screen.text().splitlines()
    assert shown[0] == "reload web: 4 instances, 1 at a time, ready = notify within 1m"
    assert re.fullmatch(rf"  ✔ web:0  {before[0]} → \d+   ready 0\.\ds   old ended 0\.\ds", shown[1]), shown
    assert shown[4] == f"  · web:3  {before[3]}"
    assert re.fullmatch(r"  █{5}░{15}  1/4  \ds   serving 4 of 4   Ctrl-C: stop after this one", shown[5]), shown
    assert t.screen.colors
    text = t.end(0).splitlines()
    after = pm.pids("web")
    assert len(text) == 6 + (text[-1] == ""), text
    for slot in range(4):
        assert re.fullmatch(rf"  ✔ web:{slot}  {before[slot]} → {after[slot]}   ready \d\.\ds   old ended \d\.\ds",
                            text[1 + slot]), text
    assert re.fullmatch(r"✔ reload web: 4 of 4 in \d+\.\ds, never fewer than 4 serving", text[5]), text
    seconds = float(re.search(r"in (\d+\.\d)s", text[5])[1])
    assert 3 <= t.screen.frames <= 5 * (seconds + 1) + 2, (t.screen.frames, seconds)


@pytest.mark.parametrize("columns,rows", [(20, 10), (40, 24), (41, 5), (80, 4), (200, 50)])
def test_it_fits_every_terminal(pm, columns, rows):
    """The screen fails the test where a line is as wide as the terminal, or the block goes above its top."""
    up_slow(pm, 250)
    t = Term(pm, "reload", "web", columns=columns, rows=rows)
    t.until(lambda s: " 1/4" in s, 20, "a quarter")
    block = [line for line in t.screen.text().splitlines() if line]
    assert len(block) <= min(12, rows - 1), block
    t.screen.columns = 1000  # what came of it is not cut
    t.end(0)


def test_many_instances(pm):
    up_slow(pm, 60, "reload_parallel = 2\n")
    pm.ok("scale", "web", "24")
    t = Term(pm, "reload", "web")
    t.until(lambda s: re.search(r" \d+/24 ", s) and "waiting" in s, 20, "a frame")
    block = t.screen.text().rstrip().splitlines()
    assert block[0].startswith("reload web: 24 instances, 2 at a time") and len(block) <= 12
    assert all("◐" in line for line in block[1:-1]) and len(block) <= 4, block
    assert "✔ reload web: 24 of 24 in" in t.end(0, 60)


def test_several_apps(pm):
    pm.up(GATE.replace("instances = 4", "instances = 2") + GATE.replace("app:web", "app:api").replace(" = 4", " = 1"))
    text = Term(pm, "reload", "all").end(0)
    assert text.startswith("reload: 2 apps, 3 instances\n")
    assert re.search(r"✔ reload web: 2 of 2 in \d.\ds, never fewer than 2 serving\n", text), text
    assert re.search(r"✔ reload api: 1 of 1 in \d.\ds, never fewer than 1 serving\n", text), text


def test_marks_without_utf8_and_colour(web):
    t = Term(web, "reload", "web", env={"LANG": "C", "NO_COLOR": "1"})
    text = t.end(0)
    assert "  + web:0  " in text and " -> " in text and "+ reload web: 4 of 4" in text and text.isascii()
    assert not t.screen.colors
    t = Term(web, "reload", "web", "--color=never")
    t.end(0)
    assert not t.screen.colors and t.screen.frames


@pytest.mark.parametrize("env", [{"TERM": "dumb"}, {"TERM": None}])
def test_a_dumb_terminal_gets_lines(web, env):
    t = Term(web, "reload", "web", env=env)
    text = t.end(0)
    assert "\x1b[K" not in t.raw.decode() and "\x1b[J" not in t.raw.decode() and not t.screen.frames
    assert len(re.findall(r"(?m)^\d\d:\d\d:\d\d\.\d{3} web:\d new \d+ ready after \d\.\ds$", text)) == 4, text


def test_lines_where_there_is_no_terminal(web):
    before = web.pids("web")
    r = web.ok("reload", "web")
    lines = r.err.splitlines()
    after = web.pids("web")
    assert len(lines) == 12, r
    for slot in range(4):
        new, ready, old = (re.sub(r"^\d\d:\d\d:\d\d\.\d{3} ", "", line) for line in lines[3 * slot:3 * slot + 3])
        assert new == f"web:{slot} new {after[slot]} started beside {before[slot]}"
        assert re.fullmatch(rf"web:{slot} new {after[slot]} ready after 0\.\ds", ready)
        assert re.fullmatch(rf"web:{slot} old {before[slot]} ended after \d\.\ds", old)
    assert re.fullmatch(r"reload web: 4 of 4 in \d+\.\ds, never fewer than 4 serving\n", r.out)


def test_json_is_nothing_but_json(web):
    t = Term(web, "reload", "web", "--json", columns=10000)
    result = json.loads(t.end(0))
    assert result["ok"] and not result["cancelled"] and t.raw.count(b"\n") == 1 and not t.screen.colors
    assert result["apps"] == [{"app": "web", "total": 4, "serving": 4, "least": 4, "ms": result["apps"][0]["ms"]}]
    for r in result["results"]:
        assert r["pid"] == r["new_pid"] != r["old_pid"]


def test_other_changes_leave_no_trace(web):
    web.ini(GATE.replace(" 1'", " 700'"))
    web.ok("stop", "web")
    web.ok("delete", "web")
    t = Term(web, "start")
    t.sees("0/4")
    assert "start web: 4 instances" in t.screen.text() and "Ctrl-C" not in t.screen.text()
    assert t.end(0).strip() == "✔ web started, 4 instances"
    assert Term(web, "stop", "web:0").end(0).strip() == "✔ web:0 stopped"
    t = Term(web, "restart", "web")
    t.sees("1/4")
    assert "restart web: 4 instances, 1 at a time" in t.screen.text()
    t.sees("serving 3 of 4")
    assert t.end(0).strip() == "✔ web restarted, 4 instances"


def test_what_it_says_it_waits_for(pm):
    (pm.dir / "says.py").write_text(
        "import os, socket, time\n"
        "def say(text):\n"
        "    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
        "    s.connect(os.environ['NOTIFY_SOCKET'].replace('@', '\\0', 1))\n"
        "    s.send(text)\n"
        "say(b'STATUS=warming \\x1b[2Jup')\n"
        "while os.path.exists('hold'):\n"
        "    time.sleep(0.01)\n"
        "say(b'READY=1')\n"
        "time.sleep(1e6)\n")
    pm.up("[app:web]\nscript = says.py\nready = notify\nmin_uptime = 10ms\n")
    hold(pm)
    t = Term(pm, "reload", "web")
    t.sees("of 10s: warming \\x1b[2Jup")
    hold(pm, False)
    t.end(0)


def test_why_a_probe_fails(pm):
    pm.up("[app:web]\ncommand = sleep 1000000\nready = exec:sh -c 'test ! -e hold || { echo no cache yet; exit 3; }'\n"
          "min_uptime = 10ms\n")
    hold(pm)
    t = Term(pm, "reload", "web")
    assert "exec:sh -c" in t.sees("no cache yet").splitlines()[0]
    hold(pm, False)
    t.end(0)


def test_what_an_app_comes_after(pm):
    pm.ini(GATE.replace("app:web", "app:db").replace(" 1'", " 1200'").replace("= 4", "= 1") +
           "[app:api]\ncommand = sleep 1000000\nafter = db\n")
    pm.ok("daemon", "start")
    t = Term(pm, "start")
    t.until(lambda s: re.search(r"(?m)^  · api:0   waits for db$", s), 20, "whom it waits for")
    assert "api:0 started" in t.end(0) and "waits" not in t.screen.text()


def test_a_cluster_drains(pm, port):
    pm.up(f"[app:web]\nscript = {NODE_APPS}/http.js\ninstances = 2\nenv.PORT = {port}\n")
    text = Term(pm, "reload", "web").end(0)
    assert "ready = listening within 10s" in text
    assert len(re.findall(r"ready \d\.\ds   old drained \d\.\ds", text)) == 2, text


def test_one_that_has_to_be_killed(pm):
    pm.up(f"[app:web]\ncommand = {app_path('stubborn')}\nstop_timeout = 300ms\n")
    assert "old killed after 0." in Term(pm, "reload", "web").end(0)
    assert re.search(r"web:0 old \d+ had to be killed after 0\.\ds", pm.ok("reload", "web").err)


# --- failures

def test_the_text_of_a_failure(web):
    before = web.pids("web")
    (web.dir / "broken").touch()
    text = Term(web, "reload", "web").end(9)
    new = re.search(r"new process (\d+) exited", text)[1]
    assert f"  ✖ web:0  {before[0]} kept   new {new} exited 4 after 0." in text
    assert f"  · web:3  {before[3]}   left as it was" in text
    tail = text[text.index("✖ reload"):].splitlines()
    assert re.fullmatch(rf"✖ reload web stopped at web:0: new process {new} exited 4 after 0\.\ds", tail[0]), tail
    assert tail[1:] == ["    no good", "    bad deploy",
                        f"  web:0 old process {before[0]} was kept. 4 of 4 still serve the previous version.",
                        "  Fix, then: pmctl reload web         All lines: pmctl logs web:0 --since 1m", ""][:len(tail) - 1]
    assert len(tail) >= 5 and web.pids("web") == before
    plain = web.fails(9, "reload", "web")
    assert plain.out == "" and "pmctl: reload web stopped at web:0: new process " in plain.err
    assert "4 of 4 still serve the previous version." in plain.err
    assert re.search(r"(?m)^\S+ web:0 failed: exited 4 after", plain.err)


def test_a_failure_in_the_middle(pm):
    up_slow(pm, 300)
    t = Term(pm, "reload", "web")
    t.sees("1/4")
    (pm.dir / "broken").touch()
    text = t.end(9)
    slot = int(re.search(r"stopped at web:(\d)", text)[1])
    assert slot > 0
    verbs = ("is" if slot == 1 else "are", "serves" if 4 - slot == 1 else "serve")
    assert f"was kept. {slot} of 4 {verbs[0]} new, {4 - slot} still {verbs[1]} the previous version." in text, text


def test_not_ready_in_time(pm):
    text = GATE.replace("ready_timeout = 60s", "ready_timeout = 500ms").replace("= 4", "= 1")
    pm.up(text)
    hold(pm)
    shown = Term(pm, "reload", "web").end(9)
    assert re.search(r"stopped at web:0: new process \d+ was not ready within 500ms", shown), shown
    assert "1 of 1 still serves the previous version." in shown


def test_a_crash_meanwhile_is_counted(pm):
    """Whoever fell out during the reload, the last line does not claim that all served."""
    up_slow(pm, 500, "\n")
    t = Term(pm, "reload", "web:0,1")
    t.sees("0/2")
    os.kill(pm.pids("web")[3], signal.SIGKILL)
    t.sees("serving 3 of 4")
    assert "2 of 2 in" in t.end(0) and "never fewer than 3 serving" in t.screen.text()


# --- Ctrl-C

def test_ctrl_c_stops_after_this_one(pm):
    up_slow(pm, 700)
    before = pm.pids("web")
    t = Term(pm, "reload", "web")
    t.sees(" 1/4 ")
    t.interrupt()
    text = t.sees("stopping after")
    slot = int(re.search(r"stopping after web:(\d)", text)[1])
    is_are = "is" if slot == 1 else "are"
    assert f"stopping after web:{slot}; {slot} of 4 {is_are} new. Ctrl-C again leaves it running; " \
           "watch it with: pmctl events -f web" in text
    assert "Ctrl-C: stop" not in text.splitlines()[5]
    text = t.end(130)
    new, rest = slot + 1, 4 - slot - 1
    after = pm.pids("web")
    assert [a != b for a, b in zip(before, after)] == [True] * new + [False] * rest
    assert all(map(alive, after)) and pm.state("web") == "online"
    assert f"▲ reload web stopped after web:{slot}: {new} of 4 are new, {rest} {'is' if rest == 1 else 'are'} as before" in text
    assert f"  The rest: pmctl reload web:{slot + 1}{'' if rest == 1 else '-3'}" in text
    assert f"  · web:3  {before[3]}   left as it was" in text and "^C" not in text
    assert any("asked to stop after slot" in line for line in pm.ok("events", "web", "-n", "50").out.splitlines())


def test_ctrl_c_twice_leaves_it_running(pm):
    up_slow(pm, 1500)
    before = pm.pids("web")
    t = Term(pm, "reload", "web")
    t.sees(" 0/4 ")
    t.interrupt()
    t.sees("stopping after web:0; 0 of 4 are new.")
    t.interrupt()
    text = t.end(130, 5)
    assert "reload ends by itself after this one; watch it with: pmctl events -f web" in text
    assert pm.pids("web") == before
    pm.wait_replaced("web", 0, before[0])
    assert pm.pids("web")[1:] == before[1:]


def test_sighup_and_a_lost_client_cancel_nothing(pm):
    up_slow(pm, 150)
    for sig, rc in ((signal.SIGHUP, 129), (signal.SIGTERM, 143), (signal.SIGKILL, -9)):
        before = pm.pids("web")
        t = Term(pm, "reload", "web")
        t.sees(" 0/4 ")
        t.proc.send_signal(sig)
        t.end(rc)
        wait_for(lambda: not set(before) & set(pm.pids("web")), 20, "all of them replaced")
        wait_for(lambda: pm.state("web") == "online", 10, "all online")


def test_ctrl_c_of_a_restart(pm):
    up_slow(pm, 500)
    before = pm.pids("web")
    t = Term(pm, "restart", "web")
    t.sees(" 1/4 ")
    t.interrupt()
    text = t.end(130)
    slot = int(re.search(r"restart web stopped after web:(\d)", text)[1])
    wait_for(lambda: pm.state("web") == "online", 10, "all online")
    assert [a != b for a, b in zip(before, pm.pids("web"))] == [True] * (slot + 1) + [False] * (3 - slot)


def test_ctrl_c_of_what_is_all_under_way(pm):
    """It leaves the wait, as ever."""
    pm.ini(GATE.replace(" 1'", " 3000'"))
    pm.ok("daemon", "start")
    t = Term(pm, "start")
    t.sees("0/4")
    t.interrupt()
    assert "start goes on without us; watch it with: pmctl events -f" in t.end(130, 3)
    pm.wait_state("web", "online")


def test_ctrl_c_without_a_terminal(pm):
    up_slow(pm, 600)
    p = pm.popen("reload", "web")
    before = pm.pids("web")
    pm.wait_replaced("web", 0, before[0])
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=30)
    assert p.returncode == 130 and b"stopping after web:" in err and b"The rest: pmctl reload web:" in err
    assert b"reload web stopped after web:" in out and pm.pids("web")[3] == before[3]


def test_ctrl_c_as_json(pm):
    up_slow(pm, 600)
    p = pm.popen("reload", "web", "--json")
    before = pm.pids("web")
    pm.wait_replaced("web", 0, before[0])
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=30)
    result = json.loads(out)
    assert p.returncode == 130 and err == b"" and result["ok"] and result["cancelled"]
    assert result["results"][3]["done"] == "left as it was"


def test_cancel_of_what_is_not_there(web):
    def refused(params):
        reply = web.connect().ask("cancel", params)
        return reply["error"]["data"]["code"], reply["error"]["message"]
    assert refused({"op": 10 ** 9}) == ("no_such_target", "no operation 1000000000 is under way")
    assert refused({})[0] == refused({"op": "1"})[0] == "usage"
    hold(web)
    web.ok("stop", "web")
    c = web.connect()
    c.send(b'{"jsonrpc":"2.0","id":1,"method":"start","params":{"sel":["web"]}}\n')
    op = c.line()["params"]["op"]
    assert "only a reload, restart or apply can be cancelled" in refused({"op": op})[1]


# --- the terminal

def test_the_progress_itself(web):
    c = web.connect()
    c.ask("reload", {"sel": ["web"]})
    notes = [n["params"] for n in c.notes]
    assert notes[0]["phase"] == "begin" and [t["slot"] for t in notes[0]["targets"]] == [0, 1, 2, 3]
    assert notes[0]["apps"] == [{"app": "web", "serving": 4, "total": 4, "parallel": 1, "ready": "notify",
                                 "ready_timeout_ms": 60000}]
    assert len({n["op"] for n in notes}) == 1
    steps = [(n["slot"], n["phase"]) for n in notes[1:]]
    assert steps == [(s, p) for s in range(4) for p in ("starting", "ready", "draining", "stopped")]
    for n in notes[1:]:
        assert n["over"] == (n["phase"] == "stopped") and n["serving"] == n["total"] == 4
        assert n["pid"] != n["old_pid"] == notes[0]["targets"][n["slot"]]["pid"]


def test_a_window_that_becomes_narrower(pm):
    """What was drawn cannot be found again: the block begins anew, and nothing above it is touched."""
    up_slow(pm, 600)
    t = Term(pm, "reload", "web", columns=120, rows=30)
    t.sees(" 1/4 ")
    top = t.screen.text().splitlines()[0]
    t.resize(50, 30)
    t.screen.columns = 120
    t.until(lambda s: s.count("reload web: 4 instances") == 2, 20, "a second block")
    assert t.screen.text().splitlines()[0] == top
    t.screen.columns = 1000
    t.end(0)
    assert t.screen.text().count("reload web: 4 instances") == 2
    second = t.screen.text().splitlines()[6:]
    assert all(len(line) < 50 for line in second if line.startswith(("reload web: 4 inst", "  ✔", "  ·", "  ◐"))), second


def test_stopped_and_continued(pm):
    """What others wrote meanwhile stays."""
    up_slow(pm, 600)
    t = Term(pm, "reload", "web")
    t.sees(" 1/4 ")
    t.proc.send_signal(signal.SIGSTOP)
    wait_for(lambda: b" T " in open(f"/proc/{t.proc.pid}/stat", "rb").read(), 10, "its stop")
    os.write(t.slave, b"$ words of a shell\n")
    t.sees("words of a shell")
    t.proc.send_signal(signal.SIGCONT)
    text = t.end(0)
    assert "$ words of a shell\nreload web: 4 instances" in text, text


def test_in_the_background_nothing_is_drawn(pm):
    up_slow(pm, 300)
    t = Term(pm, "reload", "web", program=["/bin/bash", "-c", 'set -m; "$@" & wait', "sh", str(pm.pmctl)])
    text = t.end(0)
    assert not t.screen.frames and "✔ reload web: 4 of 4 in" in text, text
