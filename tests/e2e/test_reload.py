# SPDX-License-Identifier: MIT
"""reload: a successor beside the old one, which goes only when the new one has proven itself."""
import json
import os

import pytest

from conftest import alive, app_path, descendants, ms, read_proc, wait_for

GATE = """
[app:web]
command = sh -c 'test -e broken && { echo no good >&2; exit 4; }; exec sleep 1000000'
instances = 3
mode = fork
min_uptime = 100ms
restart_delay = 20s
"""


def gate():
    """What ends at once does so before min_uptime, on a busy machine too."""
    return GATE.replace("100ms", ms(150))


def test_a_bad_deploy_touches_nothing_and_exits_9(pm):
    pm.up(gate())
    before = pm.pids("web")
    (pm.dir / "broken").touch()
    r = pm.fails(9, "reload", "web")
    assert "web:0" in r.err and "no good" in r.err and "exited 4" in r.err, r
    assert pm.pids("web") == before and all(map(alive, before)) and pm.state("web") == "online"
    assert pm.app("web")["restarts"] == 0
    (pm.dir / "broken").unlink()
    pm.ok("reload", "web")
    assert pm.state("web") == "online" and not set(pm.pids("web")) & set(before)
    assert not any(map(alive, before))


def test_dying_right_after_becoming_ready_is_a_failure(pm):
    pm.up("[app:web]\ncommand = sh -c 'test -e broken && { sleep 0.3; exit 5; }; echo up; exec sleep 1000000'\nready = spawn\n"
          "min_uptime = 1500ms\n")
    pm.wait_log("web", "up")
    before = pm.pids("web")
    (pm.dir / "broken").touch()
    assert "exited 5" in pm.fails(9, "reload", "web").err
    assert pm.pids("web") == before and pm.state("web") == "online"


def test_a_successor_that_never_gets_ready(pm):
    pm.up("[app:n]\ncommand = sh -c 'test -e broken && exec sleep 1000000; exec " + app_path("notify") + " 10'\nready = notify\n"
          "ready_timeout = 700ms\nmin_uptime = 50ms\n")
    before = pm.pids("n")
    (pm.dir / "broken").touch()
    assert "not ready within" in pm.fails(9, "reload", "n").err
    assert pm.pids("n") == before and pm.state("n") == "online"


def test_slots_ids_and_counters_are_kept(pm):
    pm.up(GATE)
    os.kill(pm.pids("web")[1], 9)
    wait_for(lambda: pm.proc("web", 1)["restarts"] == 1 or pm.proc("web", 1)["last_exit"], 10, "its end")
    pm.ok("restart", "web:1")
    ids = [p["id"] for p in pm.procs("web")]
    last = pm.proc("web", 1)["last_exit"]
    pm.ok("reload", "web")
    assert [p["id"] for p in pm.procs("web")] == ids and [p["slot"] for p in pm.procs("web")] == [0, 1, 2]
    assert pm.proc("web", 1)["last_exit"] == last
    pm.ok("stop", str(ids[2]))
    assert pm.proc("web", 2)["state"] == "stopped"


def test_parallel(pm):
    pm.up(GATE + "reload_parallel = 3\n")
    before = pm.pids("web")
    pm.ok("reload", "web")
    events = [json.loads(line) for line in pm.ok("events", "--json", "-n", "100").out.splitlines()]
    kinds = [e["text"].split()[0] for e in events if e["type"] == "reload"]
    assert kinds[:3] == ["replacing"] * 3 and not set(before) & set(pm.pids("web"))


def test_two_reloads_at_once(pm):
    pm.up(GATE)
    before = pm.pids("web")
    ps = [pm.popen("reload", "web") for _ in range(2)]
    assert [p.wait(timeout=60) for p in ps] == [0, 0]
    assert not set(before) & set(pm.pids("web")) and pm.state("web") == "online"
    wait_for(lambda: len(children(pm)) == 3, 5, "three processes and no more")


def test_one_reload_of_an_app_at_a_time(pm):
    """The second one was asked for when the first had replaced a slot already: it would find that one free."""
    pm.up(GATE.replace("min_uptime = 100ms", "min_uptime = 400ms"))
    before = pm.pids("web")
    first = pm.popen("reload", "web")
    wait_for(lambda: pm.pids("web")[0] not in (before[0], None), 10, "the first slot replaced")
    second = pm.popen("reload", "web")
    most = 0
    while first.poll() is None or second.poll() is None:
        most = max(most, len(children(pm)))
    assert (first.returncode, second.returncode) == (0, 0) and most <= 4, most  # a loaded machine may not see the fourth
    assert pm.app("web")["online"] == 3


def children(pm):
    keeper = pm.daemon()["keeper_pid"]
    return [pid for pid in descendants(keeper) if b"sleep" in read_proc(pid, "cmdline")]


def test_killed_supervisor_in_the_middle(pm):
    """The next one goes on; what is in the slots and not replaced yet stays until its turn comes."""
    pm.up(GATE.replace("min_uptime = 100ms", "min_uptime = 1s"))
    before = pm.pids("web")
    p = pm.popen("reload", "web", "--no-wait")
    p.wait(timeout=20)
    wait_for(lambda: len(children(pm)) == 4, 5, "the successor")
    old = pm.daemon()["pid"]
    os.kill(old, 9)
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != old, 15, "the next supervisor")
    assert pm.pids("web") == before and pm.state("web") == "online"
    wait_for(lambda: not set(before) & set(pm.pids("web")) and len(children(pm)) == 3, 20, "three new processes")


@pytest.mark.parametrize("features", ["", "-cgroup"])
def test_killed_supervisor_while_the_old_one_ends(pm, monkeypatch, features):
    """Without control groups, too, the old process's end is not that of its successor."""
    monkeypatch.setenv("PMCTL_FEATURES", features)
    pm.up("[app:s]\ncommand = sh -c 'trap : TERM; while :; do sleep 0.05; done'\nmin_uptime = 50ms\nstop_timeout = 2s\n")
    first = pm.pids("s")[0]
    pm.popen("reload", "s", "--no-wait").wait(timeout=20)
    young = wait_for(lambda: pm.pids("s")[0] not in (first, None) and pm.pids("s")[0], 5, "the successor in the slot")
    old = pm.daemon()["pid"]
    os.kill(old, 9)
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != old, 15, "the next supervisor")
    wait_for(lambda: not alive(first), 10, "the end of the old one")
    assert pm.pids("s") == [young] and pm.state("s") == "online" and pm.proc("s")["restarts"] == 0
    # Nothing of it was taken along: the next restart of the supervisor finds all there is.
    old = pm.daemon()["pid"]
    os.kill(old, 9)
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != old, 15, "the next supervisor")
    assert pm.pids("s") == [young] and pm.state("s") == "online"


def test_start_while_it_is_being_deleted(pm):
    pm.up("[app:s]\ncommand = sh -c 'test $PMCTL_SLOT = 0 && trap : TERM; while :; do sleep 0.05; done'\ninstances = 4\n"
          "mode = fork\n")
    p = pm.popen("delete", "s")
    wait_for(lambda: len(pm.app("s")["procs"]) < 4, 10, "the first ones gone")
    pm.ok("start")
    assert p.wait(timeout=30) == 1 and b"started again meanwhile" in p.stderr.read()
    pm.wait_state("s", "online")
    assert len(pm.pids("s")) == 4 and pm.state("s") == "online"


def test_delete_in_the_middle(pm):
    pm.up(GATE.replace("min_uptime = 100ms", "min_uptime = 5s"))
    p = pm.popen("reload", "web")
    wait_for(lambda: len(children(pm)) == 4, 5, "the successor")
    pm.ok("delete", "web")
    assert p.wait(timeout=30) == 1
    assert p.stderr.read().count(b"deleted by another command (uid ") == 3 * 2
    assert pm.list()["apps"] == [] and not children(pm)


def test_daemon_stop_in_the_middle(pm):
    pm.up(GATE.replace("min_uptime = 100ms", "min_uptime = 5s"))
    p = pm.popen("reload", "web")
    wait_for(lambda: len(children(pm)) == 4, 5, "the successor")
    all_of_them = children(pm)
    pm.ok("daemon", "stop")
    assert p.wait(timeout=30) != 0 and not any(map(alive, all_of_them))


def test_9_as_json(pm):
    pm.up(gate())
    (pm.dir / "broken").touch()
    r = pm.fails(9, "reload", "web", "--json")
    for text in (r.out, r.err):
        for line in text.splitlines():
            json.loads(line)
    assert '"exit":9' in r.err or '"ok":false' in r.out, r


def test_restart_goes_on_after_a_failure(pm):
    pm.up(gate())
    (pm.dir / "broken").touch()
    r = pm.fails(1, "restart", "web")
    for slot in range(3):
        assert f"web:{slot}" in r.err
    assert pm.state("web") == "backoff"


def test_reload_of_a_stopped_app_starts_it(pm):
    pm.up(GATE)
    pm.ok("stop", "web")
    pm.ok("reload", "web")
    assert pm.state("web") == "online"


def test_all_serve_all_the_time(pm):
    pm.up(GATE)
    before = pm.pids("web")
    p = pm.popen("reload", "web")
    least = 3
    while p.poll() is None:
        least = min(least, pm.app("web")["online"])
    assert p.returncode == 0 and least == 3
    assert not set(before) & set(pm.pids("web"))


def test_stop_ends_a_reload(pm):
    pm.up(GATE.replace("min_uptime = 100ms", "min_uptime = 5s"))
    p = pm.popen("reload", "web")
    wait_for(lambda: len(children(pm)) == 4, 10, "the reload under way")
    stop = pm.popen("stop", "web")
    assert stop.wait(timeout=30) == 0
    assert p.wait(timeout=30) == 1
    said = p.stderr.read()
    assert said.count(b"stopped by another command (uid %d, pid %d)" % (os.geteuid(), stop.pid)) == 3 * 2, said
    assert b"Why:" not in said and b"left as it was" not in said
    assert pm.pids("web") == [None] * 3 and pm.state("web") == "stopped"
    wait_for(lambda: not children(pm), 5, "the end of all")


@pytest.mark.parametrize("command,how,slots,new", [
    (("stop", "web:1"), b"web:1 stopped", 3, [0, 2]), (("scale", "web", "2"), b"web:2 scaled away", 2, [0, 1]),
    (("restart", "web:0"), b"web:0 restarted", 3, [0, 1, 2])])
def test_another_command_in_the_middle_says_nothing_about_the_version(pm, command, how, slots, new):
    """It is told as what it was, and the other instances are reloaded all the same."""
    pm.up(GATE.replace("min_uptime = 100ms", f"min_uptime = {ms(400)}"))
    before = pm.pids("web")
    p = pm.popen("reload", "web")
    wait_for(lambda: len(children(pm)) == 4, 10, "the reload under way")
    pm.ok(*command)
    assert p.wait(timeout=30) == 1
    assert how + b" by another command (uid " in p.stderr.read()
    pids = pm.pids("web")
    assert len(pids) == slots and [i for i, pid in enumerate(pids) if pid and pid not in before] == new
    events = [json.loads(line)["text"] for line in pm.ok("events", "--json", "-n", "100").out.splitlines()]
    assert any(f"{slots - (command[0] == 'stop') - (command[0] == 'restart')} of 3 are new, 0 as before" in e for e in events), events


def test_a_stop_during_a_restart_has_the_last_word(pm):
    pm.up(GATE.replace("min_uptime = 100ms", "min_uptime = 1500ms"))  # long enough to be met
    p = pm.popen("restart", "web")
    wait_for(lambda: pm.proc("web", 0)["state"] != "online", 10, "the restart under way")
    pm.ok("stop", "web")
    assert p.wait(timeout=30) == 1 and b"web:2 stopped by another command" in p.stderr.read()
    assert pm.pids("web") == [None] * 3 and not children(pm)


def test_a_reload_nobody_waits_for_leaves_word_of_its_failure(pm):
    pm.up("[app:web]\ncommand = sh -c 'test -e broken && exit 4; exec sleep 1000000'\nready = spawn\nwatch = yes\n"
          "watch_delay = 50ms\ninstances = 2\nmode = fork\n")
    before = pm.pids("web")
    (pm.dir / "broken").touch()
    text = "web:0: exited 4"

    def told():
        events = [json.loads(line) for line in pm.ok("events", "--json", "-n", "100").out.splitlines()]
        return [e for e in events if e["type"] == "reload" and text in e["text"] and "0 of 2 are new, 2 as before" in e["text"]]
    wait_for(told, 10, "an event")
    assert pm.pids("web") == before and pm.state("web") == "online"
    assert "reload failed: exited 4" in pm.proc("web", 0)["note"] and "reload failed" in pm.ok("list", "-i").out
    (pm.dir / "broken").unlink()
    wait_for(lambda: not set(before) & set(pm.pids("web")), 20, "the next reload")
    assert "reload failed" not in pm.ok("list", "-i").out
