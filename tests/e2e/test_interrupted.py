# SPDX-License-Identifier: MIT
"""A supervisor that is killed in the middle of a command: the next one goes on with it, and the client tells how it went."""
import json
import os
import random
import signal
import time

import pytest

from conftest import SLOW, alive, descendants, read_proc, stat_of, wait_for
from terminal import Term
from test_deploy import load, web  # noqa: F401  (load is a fixture)
from test_cluster import get, node  # noqa: F401  (node is a fixture)

# Ready once the file `go` is there, and ends only while there is no file `hold`.
GATED = """
[app:web]
command = sh -c 'trap "while test -e hold; do sleep 0.02; done; exit 0" TERM; while :; do sleep 0.02; done'
ready = exec:test -e go
instances = 2
mode = fork
min_uptime = 100ms
stop_timeout = 20s
ready_timeout = 20s
"""


class Files:
    """The gates."""

    def __init__(self, pm):
        self.dir = pm.dir
        self.open("go")

    def open(self, name):
        (self.dir / name).touch()

    def close(self, name):
        (self.dir / name).unlink(missing_ok=True)


def events(pm, after=0):
    found = pm.rpc("events", {"n": 1000})["events"]
    return [e for e in found if e["seq"] > after]


def last_seq(pm):
    return pm.rpc("events", {"n": 0})["last_seq"]


def wait_event(pm, after, kind, text, slot=None, deadline=10):
    def seen():
        try:
            found = events(pm, after)
        except (AssertionError, OSError):
            return []  # asked of one that was killed
        return [e for e in found if e["type"] == kind and text in e["text"] and slot in (None, e["slot"])]
    return wait_for(seen, deadline, f"{kind}: {text}")[0]


def kill(pm):
    """Not waited for: the client is to come through by itself."""
    pid = pm.daemon()["pid"]
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not alive(pid), 5, "its end")


def starts(pm, after):
    """{slot: how many processes were started for it}"""
    count = {}
    for e in events(pm, after):
        if e["type"] == "start" and e["text"].startswith("started pid"):
            count[e["slot"]] = count.get(e["slot"], 0) + 1
    return count


def processes(pm):
    keeper = pm.daemon()["keeper_pid"]
    return sorted(pid for pid in descendants(keeper) if b"test -e hold" in read_proc(pid, "cmdline"))


def ends(p, rc=0, deadline=30):
    out, err = p.communicate(timeout=deadline * SLOW)
    assert p.returncode == rc, (p.args, p.returncode, out, err)
    return out.decode(), err.decode()


def settled(pm):
    """One process in each slot and none beside; the pids."""
    app = pm.wait_state("web", "online")
    pids = [q["pid"] for q in app["procs"]]
    wait_for(lambda: processes(pm) == sorted(pids), 10, "no process but those in the slots")
    return pids


@pytest.fixture
def gated(pm):
    files = Files(pm)
    pm.up(GATED)
    pm.files, pm.before, pm.seq = files, pm.pids("web"), last_seq(pm)
    return pm


# --- reload, in each phase of app/rollout.h

def test_reload_while_the_successor_gets_ready(gated):
    gated.files.close("go")
    p = gated.popen("reload", "web")
    wait_event(gated, gated.seq, "start", "started pid", 0)
    kill(gated)
    gated.files.open("go")
    out, err = ends(p)
    assert "web: 2 of 2" in out and "closed" not in err, (out, err)
    assert not set(settled(gated)) & set(gated.before)
    assert starts(gated, gated.seq) == {0: 1, 1: 1}, "the successor on trial is kept"


def test_reload_while_the_successor_is_on_trial(gated):
    gated.ini(GATED.replace("min_uptime = 100ms", "min_uptime = 1s"))
    gated.ok("delete", "web")
    gated.ok("start")
    seq = last_seq(gated)
    p = gated.popen("reload", "web:0", "--json")
    wait_event(gated, seq, "ready", "ready after", 0)
    kill(gated)
    result = json.loads(ends(p)[0])
    assert result["ok"] and [r["done"] for r in result["results"]] == ["reloaded"]
    assert starts(gated, seq) == {0: 1} and result["results"][0]["pid"] == settled(gated)[0]


def test_reload_while_the_keeper_is_killed(gated):
    """The supervisor becomes the keeper, and the next one goes on."""
    gated.files.open("hold")
    p = gated.popen("reload", "web")
    wait_event(gated, gated.seq, "reload", "takes over", 0)
    gated.notice()
    os.kill(gated.daemon()["keeper_pid"], signal.SIGKILL)
    wait_event(gated, gated.seq, "reload", "goes on", deadline=15)
    gated.files.close("hold")
    assert "2 of 2" in ends(p)[0]
    pids = gated.pids("web")
    assert not set(pids) & set(gated.before) and all(map(alive, pids)) and starts(gated, gated.seq) == {0: 1, 1: 1}


def test_reload_while_the_old_one_ends(gated):
    gated.files.open("hold")
    p = gated.popen("reload", "web")
    wait_event(gated, gated.seq, "reload", "takes over", 0)
    kill(gated)
    wait_event(gated, gated.seq, "reload", "goes on")
    kill(gated)
    gated.files.close("hold")
    assert "2 of 2" in ends(p)[0]
    assert not set(settled(gated)) & set(gated.before) and starts(gated, gated.seq) == {0: 1, 1: 1}


def test_reload_of_the_next_slot(gated):
    p = gated.popen("reload", "web")
    wait_event(gated, gated.seq, "reload", "replacing", 1)
    kill(gated)
    out, err = ends(p)
    assert "2 of 2" in out and err.count("web:0 new") == 2, err  # started, ready: once each
    assert not set(settled(gated)) & set(gated.before)
    assert starts(gated, gated.seq)[0] == 1


def test_reload_without_waiting(gated):
    ends(gated.popen("reload", "web", "--no-wait"))
    kill(gated)
    wait_for(lambda: not set(gated.before) & set(gated.pids("web")), 20, "the end of the reload")
    settled(gated)


def test_a_reload_that_fails_is_not_tried_again(gated):
    """It is told which runs what, by the answer and by the journal."""
    gated.files.close("go")
    gated.ini(GATED.replace("ready_timeout = 20s", "ready_timeout = 1s"))
    gated.ok("stop", "web")
    gated.files.open("go")
    gated.ok("start")
    before, seq = gated.pids("web"), last_seq(gated)
    gated.files.close("go")
    p = gated.popen("reload", "web")
    wait_event(gated, seq, "start", "started pid", 0)
    kill(gated)
    _, err = ends(p, 9)
    assert "web:0" in err and "not ready within 1s" in err and "2 of 2 still serve the previous version" in err, err
    wait_event(gated, seq, "reload", "0 of 2 are new, 2 as before")
    assert starts(gated, seq) == {0: 1} and settled(gated) == before
    kill(gated)
    assert settled(gated) == before and starts(gated, seq) == {0: 1}


def test_a_cancelled_reload_stays_cancelled(gated):
    gated.files.open("hold")
    t = Term(gated, "reload", "web")
    wait_event(gated, gated.seq, "reload", "takes over", 0)
    t.interrupt()
    t.sees("stopping after web:0")
    kill(gated)
    gated.files.close("hold")
    assert "1 of 2 is new, 1 is as before" in t.end(130)
    assert settled(gated)[1] == gated.before[1] and starts(gated, gated.seq) == {0: 1}


def test_the_answer_is_kept_for_a_client_that_comes_late(gated):
    """Killed when all was done but the client did not hear of it: nothing is done a second time."""
    request = {"sel": ["web"], "key": "k1"}
    r = gated.connect()
    first = r.call("restart", request)
    after = last_seq(gated)
    kill(gated)
    again = gated.connect()
    assert again.call("restart", request) == first and again.call("restart", request) == first
    assert not starts(gated, after)
    again.close()  # it has read the answer
    assert wait_for(lambda: "error" in gated.connect().ask("restart", {**request, "again": True}), 5, "it is forgotten")
    assert gated.connect().call("stop", {"sel": ["web:1"], "key": "k2", "again": False})["ok"]


def test_a_key_is_checked(gated):
    for key in ("", "x" * 65):
        assert "must have" in gated.connect().ask("stop", {"sel": ["web"], "key": key})["error"]["message"]
    gated.files.open("hold")
    r = gated.connect()
    r.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "stop", "params": {"sel": ["web"], "key": "k"}}).encode() + b"\n")
    wait_event(gated, gated.seq, "stop", "asked to stop")
    assert "another connection" in gated.connect().ask("stop", {"sel": ["web"], "key": "k"})["error"]["message"]
    gated.files.close("hold")


def test_reload_under_load_loses_no_request(pm, port, node, load):  # noqa: F811
    web(pm, node, port, "min_uptime = 200ms\nbalance = round-robin\n")
    before, seq = pm.pids("web"), last_seq(pm)
    load(port)
    p = pm.popen("reload", "web")
    for slot, kind, text in ((0, "start", "started pid"), (0, "reload", "takes over"), (1, "ready", "ready after")):
        wait_event(pm, seq, kind, text, slot)
        kill(pm)
    assert "2 of 2" in ends(p, deadline=60)[0]
    assert not set(before) & set(pm.pids("web")) and get(port) in pm.pids("web")


# --- start, stop, restart, scale, delete

def test_start(pm):
    files = Files(pm)
    files.close("go")
    pm.ini(GATED)
    pm.ok("daemon", "start")
    p = pm.popen("start")
    wait_event(pm, 0, "start", "started pid", 1)
    kill(pm)
    files.open("go")
    assert "web started, 2 instances" in ends(p)[0]
    settled(pm)
    assert starts(pm, 0) == {0: 1, 1: 1}


def test_start_in_order(pm):
    files = Files(pm)
    files.close("go")
    pm.ini(GATED + "[app:late]\ncommand = sleep 1000000\nready = spawn\nafter = web\n")
    p = pm.popen("start")
    wait_for(lambda: pm.socket.exists() and pm.list()["apps"], 10, "apps")
    wait_event(pm, 0, "start", "waits for web")
    kill(pm)
    assert pm.pids("late") == [None]
    files.open("go")
    assert "late:0 started" in ends(p)[0]


@pytest.mark.parametrize("phase", ["old", "new", "next"])
def test_restart(gated, phase):
    gated.files.open("hold" if phase == "old" else "none")
    if phase == "new":
        gated.files.close("go")
    p = gated.popen("restart", "web")
    if phase == "old":
        wait_event(gated, gated.seq, "restart", "asked to restart", 0)
    else:
        wait_event(gated, gated.seq, "start", "started pid", 0 if phase == "new" else 1)
    kill(gated)
    gated.files.close("hold")
    gated.files.open("go")
    assert "web restarted, 2 instances" in ends(p)[0]
    assert not set(settled(gated)) & set(gated.before) and starts(gated, gated.seq) == {0: 1, 1: 1}


@pytest.mark.parametrize("command,said,rest", [
    (("stop", "web"), "web stopped, 2 instances", 2),
    (("scale", "web", "1"), "web:1 removed", 1), (("delete", "web"), "web deleted, 2 instances", 0)])
def test_what_ends_processes(gated, command, said, rest):
    gated.files.open("hold")
    p = gated.popen(*command)
    wait_event(gated, gated.seq, "stop", "asked to stop", 1)
    kill(gated)
    wait_for(lambda: gated.ctl("list").rc == 0, 10, "the next supervisor")
    assert alive(gated.before[1]), "it is asked, not killed"
    gated.files.close("hold")
    assert said in ends(p)[0]
    assert not alive(gated.before[1]) and not starts(gated, gated.seq)
    apps = gated.list()["apps"]
    assert (len(apps[0]["procs"]) if apps else 0) == rest
    kill(gated)
    apps = gated.list()["apps"]
    assert (len(apps[0]["procs"]) if apps else 0) == rest and not alive(gated.before[1])


def test_scale_up_is_done_once(gated):
    gated.files.close("go")
    p = gated.popen("scale", "web", "+2")
    wait_event(gated, gated.seq, "start", "started pid", 3)
    kill(gated)
    gated.files.open("go")
    assert "web started, 2 instances" in ends(p)[0]
    assert len(settled(gated)) == 4 and starts(gated, gated.seq) == {2: 1, 3: 1}


def test_an_ordered_stop_goes_on_in_order(pm):
    files = Files(pm)
    pm.up("[app:db]\ncommand = sleep 1000000\nready = spawn\n" + GATED.replace("[app:web]", "[app:web]\nafter = db"))
    db = pm.pids("db")[0]
    files.open("hold")
    p = pm.popen("stop", "all")
    wait_event(pm, 0, "stop", "asked to stop", 1)
    kill(pm)
    wait_for(lambda: pm.ctl("list").rc == 0, 10, "the next supervisor")
    assert pm.state("db") == "online" and alive(db)
    files.close("hold")
    out, _ = ends(p)
    assert "db:0 stopped" in out and "web stopped, 2 instances" in out
    assert not alive(db)


def test_wait_goes_on(gated):
    gated.files.close("go")
    ends(gated.popen("restart", "web:0", "--no-wait"))
    p = gated.popen("wait", "web", "--for", "ready", "--timeout", "20s")
    wait_event(gated, gated.seq, "start", "started pid", 0)
    kill(gated)
    gated.files.open("go")
    ends(p)


def test_the_deadline_of_the_client_is_kept(gated):
    gated.files.close("go")
    p = gated.popen("restart", "web:0", "--timeout", "1500ms")
    wait_event(gated, gated.seq, "start", "started pid", 0)
    kill(gated)
    assert "goes on" in ends(p, 8)[1]
    gated.files.open("go")
    settled(gated)


def test_a_stop_of_the_daemon_ends_the_command(gated):
    gated.files.open("hold")
    p = gated.popen("reload", "web")
    wait_event(gated, gated.seq, "reload", "takes over", 0)
    gated.notice()
    gated.files.close("hold")
    gated.ok("daemon", "stop")
    out, err = p.communicate(timeout=30 * SLOW)
    said = {5: b"was stopped meanwhile", 1: b"web:1 stopped meanwhile", 0: b"2 of 2"}  # 0: it was over before
    assert said[p.returncode] in out + err
    gated.ok("daemon", "start")
    settled(gated)
    assert not [e for e in events(gated, gated.seq) if "goes on" in e["text"]]


def test_a_stop_of_the_daemon(gated):
    """Its successor would go on as if nothing had been asked for."""
    gated.files.open("hold")
    p = gated.popen("daemon", "stop")
    wait_for(lambda: "are stopped" in gated.daemon_log(), 10, "the end begun")
    gated.notice()
    kill(gated)
    wait_for(lambda: gated.daemon_log().count("are stopped") == 2, 10, "the end begun again")
    gated.files.close("hold")
    assert "2 instances with it" in ends(p)[0]
    assert not any(map(alive, gated.before))


def test_a_killed_probe_is_not_left_behind(pm):
    pm.up("[app:web]\ncommand = sleep 1000000\nready = spawn\nhealth = exec:sh -c 'echo $$ >probe; sleep 999998; true'\n"
          "health_interval = 100ms\nhealth_timeout = 1h\n")
    probe = pm.dir / "probe"
    pid = int(wait_for(lambda: probe.exists() and probe.read_text().strip(), 10, "a probe"))
    child = wait_for(lambda: descendants(pid), 5, "its child")
    kill(pm)
    wait_for(lambda: not alive(pid) and not any(map(alive, child)), 10, "the end of the probe")
    pm.ok("stop", "web")


# --- at any moment

def old_enough(pid):
    """The keeper starts the next one at once, as this one has lived for a second."""
    ticks = os.sysconf("SC_CLK_TCK")
    with open("/proc/uptime", encoding="ascii") as f:
        return float(f.read().split()[0]) - stat_of(pid)[2] / ticks > 1.05


def test_at_any_moment(gated):
    """Each command ends as it would have, whenever supervisors are killed meanwhile."""
    seed = int(os.environ.get("PMCTL_TEST_SEED", random.randrange(1 << 32)))
    rounds = int(os.environ.get("PMCTL_TEST_ROUNDS", 4))
    print("PMCTL_TEST_SEED =", seed)
    dice = random.Random(seed)
    commands = [("reload", "web"), ("restart", "web"), ("scale", "web", "+1"), ("scale", "web", "-1"), ("stop", "web"),
                ("start", "web"), ("delete", "web")]
    for args in (dice.choice(commands) for _ in range(rounds)):
        gated.ok("start")
        gated.ok("scale", "web", "3" if args[-1] == "-1" else "2")
        before, seq = gated.pids("web"), last_seq(gated)
        wait_for(lambda: old_enough(gated.daemon()["pid"]), 5, "a supervisor that is replaced at once")
        p = gated.popen(*args)
        for _ in range(dice.choice((1, 1, 1, 2))):
            end = time.monotonic() + dice.uniform(0, 0.25)
            wait_for(lambda: time.monotonic() > end or p.poll() is not None, 5)
            kill(gated)
        _, err = ends(p)
        what = (seed, args, before, err)
        if args[0] == "delete":
            assert not gated.list()["apps"] and not processes(gated), what
            continue
        if args[0] == "stop":
            assert gated.pids("web") == [None, None] and not processes(gated), what
            continue
        after = settled(gated)
        assert len(after) == {"+1": 3, "-1": 2}.get(args[-1], 2), what
        if args[0] in ("reload", "restart"):
            assert not set(before) & set(after), what
        if args[0] != "reload":  # a successor that was just made may not have been noted
            assert all(n == 1 for n in starts(gated, seq).values()), (what, starts(gated, seq))
