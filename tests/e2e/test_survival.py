# SPDX-License-Identifier: MIT
"""The supervisor may die, be stopped and come back: apps, lines, exit statuses and wishes are all still there."""
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request

import pytest

from conftest import BUILD, NODE_APPS, SLOW, alive, app_path, read_proc, stat_of, wait_for

SLEEPER = "sleep 1000000"
TWO = f"""
[app:web]
command = {SLEEPER}
ready = spawn
instances = 2
mode = fork
[app:other]
command = {SLEEPER}
ready = spawn
"""


def kill_supervisor(pm):
    """Ends it with -9 and waits for the next one."""
    old = pm.daemon()["pid"]
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != old, 15, "the next supervisor")


def stop_supervisor(pm):
    """Keeps it from doing anything, and the keeper from starting another: returns its pid."""
    pid = pm.daemon()["pid"]
    os.kill(pid, signal.SIGSTOP)
    return pid


def test_apps_belong_to_the_keeper(pm):
    pm.up(TWO)
    keeper = pm.daemon()["keeper_pid"]
    for pid in pm.pids("web") + pm.pids("other"):
        assert stat_of(pid)[0] == keeper


def test_killed_supervisor_costs_no_app(pm):
    pm.up(TWO)
    before = pm.pids("web") + pm.pids("other")
    starts = [p["up_ms"] for p in pm.procs("web")]
    kill_supervisor(pm)
    assert pm.pids("web") + pm.pids("other") == before
    assert all(p["up_ms"] >= s for p, s in zip(pm.procs("web"), starts))
    assert pm.state("web") == "online" and pm.app("web")["restarts"] == 0
    assert "took over" in pm.ok("events").out
    in_command(pm, before)


def test_killed_again_and_again(pm):
    pm.up(TWO)
    before = pm.pids("web")
    for _ in range(4):
        kill_supervisor(pm)
    assert pm.pids("web") == before and pm.state("web") == "online"


def test_an_exit_while_nobody_supervises_is_told(pm):
    pm.up(f"[app:x]\ncommand = sh -c 'trap \"exit 7\" USR1; echo up; while :; do sleep 0.05; done'\nready = spawn\n"
          "autorestart = never\n")
    pm.wait_log("x", "up")
    pid = pm.pids("x")[0]
    sup = stop_supervisor(pm)
    os.kill(pid, signal.SIGUSR1)
    wait_for(lambda: not alive(pid), 10, "its end")
    os.kill(sup, signal.SIGKILL)
    last = wait_for(lambda: pm.ctl("list").rc == 0 and pm.proc("x")["last_exit"], 15, "the exit status")
    assert last["code"] == 7 and last["signal"] is None
    assert pm.state("x") == "done"


def test_it_is_restarted_after_dying_unsupervised(pm):
    pm.up(TWO)
    victim = pm.pids("web")[1]
    sup = stop_supervisor(pm)
    os.kill(victim, signal.SIGKILL)
    wait_for(lambda: not alive(victim), 10, "its end")
    os.kill(sup, signal.SIGKILL)
    new = wait_for(lambda: pm.ctl("list").rc == 0 and pm.wait_replaced("web", 1, victim), 20)
    assert new["last_exit"]["signal"] == "SIGKILL" and new["restarts"] == 1


def numbers(data):
    lines = data.split(b"\n")
    assert lines.pop() == b""
    return [int(line[:10]) for line in lines]


def in_command(pm, before):
    """What dies is restarted, what is stopped stops. `before` are the pids of TWO."""
    os.kill(before[0], signal.SIGKILL)
    pm.wait_replaced("web", 0, before[0])
    pm.ok("stop", "other")
    assert not alive(before[2])


def no_line_is_lost(pm, kill):
    """A writer of numbered lines, and three deaths meanwhile."""
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 60000 -k -r 30000\nready = spawn\nlog_max_size = 0\n")
    for _ in range(3):
        have = len(pm.log("p"))
        wait_for(lambda: len(pm.log("p")) > have or b"0000060000 " in pm.log("p")[-4000:], 10, "more lines")
        kill(pm)
    wait_for(lambda: b"0000060000 " in pm.log("p")[-4000:], 60, "the last line")
    assert numbers(pm.log("p")) == list(range(1, 60001))


def test_no_line_is_lost_when_the_supervisor_is_killed(pm):
    no_line_is_lost(pm, kill_supervisor)


def test_stop_and_start_brings_the_same_apps_back(pm):
    pm.up(TWO + "[app:stopped]\ncommand = sleep 1000000\nready = spawn\n")
    pm.ok("stop", "stopped")
    pm.ok("scale", "web", "3")
    before = pm.pids("web")
    pm.ok("daemon", "stop")
    assert not any(alive(p) for p in before)
    pm.fails(5, "list")
    pm.ok("daemon", "start")
    wait_for(lambda: pm.state("web") == "online" and pm.state("other") == "online", 10, "the apps again")
    assert len(pm.pids("web")) == 3 and pm.state("stopped") == "stopped"


def test_an_ad_hoc_app_comes_back_too(pm):
    (pm.dir / "job.sh").write_text("sleep 1000000\n")
    pm.ok("start", "job.sh", "--name", "job", "--env", "A=b c", "-i", "2", "--ready", "spawn")
    pm.ok("daemon", "stop")
    pm.ok("daemon", "start")
    wait_for(lambda: pm.state("job") == "online", 10, "the app again")
    assert len(pm.pids("job")) == 2 and b"A=b c\0" in read_proc(pm.pids("job")[0], "environ")


def test_leave_running(pm):
    pm.up(TWO)
    before = pm.pids("web")
    d = pm.daemon()
    pm.ok("daemon", "stop", "--leave-running")
    wait_for(lambda: not alive(d["pid"]), 5, "the supervisor's end")
    assert all(alive(p) for p in before)
    pm.fails(5, "list")
    pm.ok("daemon", "start")
    assert pm.pids("web") == before and pm.state("web") == "online"
    pm.ok("restart", "web")
    assert not set(pm.pids("web")) & set(before) and pm.state("web") == "online"


def test_left_running_nothing_is_lost(pm, port):
    """Lines, exit statuses and the channels of clustered workers are kept while no supervisor is wanted."""
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 60000 -k -r 30000\nready = spawn\nlog_max_size = 0\n"
          f"[app:x]\ncommand = sh -c 'trap \"exit 7\" USR1; echo up; while :; do sleep 0.05; done'\nready = spawn\n"
          f"autorestart = never\n[app:web]\nscript = {NODE_APPS}/http.js\ninstances = 2\nenv.PORT = {port}\n")
    pm.wait_log("x", "up")
    workers, x = pm.pids("web"), pm.pids("x")[0]
    pm.ok("daemon", "stop", "--leave-running")
    os.kill(x, signal.SIGUSR1)
    wait_for(lambda: not alive(x), 10, "its end")
    have = len(pm.log("p"))
    wait_for(lambda: len(pm.log("p")) > have + 5000, 10, "lines copied by the keeper")
    assert all(map(alive, workers))
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as r:
        assert json.load(r)["pid"] in workers
    pm.ok("daemon", "start")
    assert pm.pids("web") == workers and pm.app("web")["restarts"] == 0
    assert pm.proc("x")["last_exit"]["code"] == 7 and pm.state("x") == "done"
    wait_for(lambda: b"0000060000 " in pm.log("p")[-4000:], 60, "the last line")
    assert numbers(pm.log("p")) == list(range(1, 60001))


def test_a_resting_keeper_stops_the_apps_on_sigterm(pm):
    pm.up(TWO)
    before = pm.pids("web")
    keeper = pm.daemon()["keeper_pid"]
    pm.ok("daemon", "stop", "--leave-running")
    os.kill(keeper, signal.SIGTERM)
    wait_for(lambda: not alive(keeper) and not any(map(alive, before)), 10, "the end of all")
    pm.ok("daemon", "start")
    wait_for(lambda: pm.state("web") == "online", 10, "the apps again")


def state_file(pm):
    return pm.home / "state" / "state"


@pytest.mark.parametrize("damage", [
    lambda data: data[:len(data) // 2], lambda data: b"", lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    lambda data: data.replace(b"web", b"wob", 1), lambda data: os.urandom(len(data)), lambda data: data + b"x"],
    ids=["half", "empty", "last byte", "one name", "noise", "more"])
def test_a_damaged_state_is_kept_aside_and_the_previous_one_used(pm, damage):
    pm.up(TWO)
    pm.ok("stop", "other")  # a second save: the first one is the previous
    pm.ok("daemon", "stop")
    path = state_file(pm)
    path.write_bytes(damage(path.read_bytes()))
    pm.ok("daemon", "start")
    wait_for(lambda: pm.state("web") == "online", 10, "the app of the previous state")
    assert list(path.parent.glob("state.corrupt-*"))
    assert "corrupt" in pm.ok("daemon", "status").out + pm.daemon_log()


def test_both_states_damaged(pm):
    pm.up(TWO)
    pm.ok("stop", "other")
    pm.ok("daemon", "stop")
    for path in (state_file(pm), state_file(pm).with_name("state.prev")):
        path.write_bytes(b"nonsense")
    pm.ok("daemon", "start")
    assert pm.list()["apps"] == []
    assert list(state_file(pm).parent.glob("state.corrupt-*"))


def test_a_torn_write_is_not_taken(pm):
    pm.up(TWO)
    pm.ok("daemon", "stop")
    for path in state_file(pm).parent.iterdir():
        if "tmp" in path.name or "new" in path.name:
            pytest.fail(f"left behind: {path}")
    (state_file(pm).parent / "state.tmp").write_bytes(b"half")
    pm.ok("daemon", "start")
    wait_for(lambda: pm.state("web") == "online", 10, "the apps")


def test_a_reboot_in_between(pm):
    """The runtime directory is gone: pids in it mean nothing any more, wishes do."""
    pm.up(TWO)
    before = pm.pids("web")
    pm.kill_both()
    for pid in before + pm_other(before, pm):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    for path in sorted((pm.home / "run").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    pm.ok("daemon", "start")
    wait_for(lambda: pm.state("web") == "online", 10, "the apps again")
    assert not set(pm.pids("web")) & set(before)


def pm_other(before, pm):
    return [pid for pid, start in pm.seen.items() if pid not in before and alive(pid) and
            b"sleep" in read_proc(pid, "cmdline")]


def kill_keeper(pm):
    """Returns the daemon once another keeper is there."""
    d = pm.daemon()
    pm.notice()
    os.kill(d["keeper_pid"], signal.SIGKILL)
    wait_for(lambda: not alive(d["keeper_pid"]), 5, "the keeper's end")

    def replaced():
        now = pm.daemon()
        return now["keeper_pid"] not in (None, d["keeper_pid"]) and now
    return wait_for(replaced, 10, "another keeper")


def test_a_killed_keeper_is_replaced(pm):
    pm.up(TWO)
    before = pm.pids("web")
    d = pm.daemon()
    for _ in range(3):
        new = kill_keeper(pm)
        assert stat_of(new["pid"])[0] == new["keeper_pid"], "the supervisor is the new keeper's child"
        assert pm.pids("web") == before
    os.kill(before[0], signal.SIGKILL)
    pid = pm.wait_replaced("web", 0, before[0])["pid"]
    assert stat_of(pid)[0] == new["keeper_pid"]
    os.kill(new["pid"], signal.SIGKILL)  # and the new one does what keepers do
    wait_for(lambda: pm.daemon()["pid"] != new["pid"], 10, "the next supervisor")
    assert pm.pids("web") == [pid, before[1]]
    assert pm.daemon()["keeper_pid"] == new["keeper_pid"]


def test_an_exit_is_known_although_the_keeper_was_killed_before(pm):
    pm.up(f"[app:e]\ncommand = sh -c 'while [ ! -e {pm.dir}/gate ]; do sleep 0.02; done; exit 7'\n"
          "autorestart = never\nready = spawn\n")
    kill_keeper(pm)
    (pm.dir / "gate").touch()
    pm.wait_state("e", "done")
    assert pm.proc("e")["last_exit"]["code"] == 7


def test_no_line_is_lost_when_the_keeper_is_killed(pm):
    no_line_is_lost(pm, kill_keeper)


def test_stopped_apps_stay_stopped_over_a_crash(pm):
    pm.up(TWO)
    pm.ok("stop", "web:1")
    kill_supervisor(pm)
    assert [p["state"] for p in pm.procs("web")] == ["online", "stopped"]


def test_history_survives(pm):
    pm.up("[app:x]\ncommand = sh -c 'exit 3'\nmax_restarts = 2\nrestart_delay = 10ms\nrestart_delay_max = 20ms\n"
          "[app:other]\ncommand = sleep 1000000\nready = spawn\n", "-c", "pmctl.ini", "other")
    pm.ctl("start", "-c", "pmctl.ini", "x")
    pm.wait_state("x", "failed")
    restarts = pm.app("x")["restarts"]
    kill_supervisor(pm)
    assert pm.state("x") == "failed" and pm.app("x")["restarts"] == restarts == 2
    assert "gave up" in pm.ok("why", "x").out
    assert pm.proc("x")["last_exit"]["code"] == 3


@pytest.mark.parametrize("when", range(8))
def test_killed_in_the_middle_of_a_start(pm, when):
    """Whenever it dies, afterwards each slot has exactly one process, and it is seen that its program runs."""
    pm.ini(f"[app:web]\ncommand = {SLEEPER}\nready = spawn\nready_timeout = 60s\ninstances = 20\nmode = fork\n"
           f"env.MARK = {pm.dir}\n")
    pm.ok("daemon", "start")
    d = pm.daemon()
    p = pm.popen("start")
    time.sleep(when * 0.004)
    os.kill(d["pid"], signal.SIGKILL)
    p.wait(timeout=30 * SLOW)
    wait_for(lambda: pm.ctl("list").rc == 0, 15, "the next supervisor")
    if not pm.list()["apps"]:
        return  # it had not even heard of it
    pm.ctl("start")
    app = pm.wait_state("web", "online")
    pids = [q["pid"] for q in app["procs"]]
    mark = f"MARK={pm.dir}\0".encode()

    def marked():
        return sorted(n for n in map(int, filter(str.isdigit, os.listdir("/proc")))
                      if mark in read_proc(n, "environ") and alive(n))
    wait_for(lambda: marked() == sorted(pids), 5, "one process a slot")


def test_apps_the_state_file_does_not_know_are_left_alone(pm):
    pm.up(TWO)
    before = pm.pids("web")
    for name in ("state", "state.prev"):
        path = state_file(pm).with_name(name)
        if path.exists():
            path.unlink()
    kill_supervisor_only(pm)
    assert all(map(alive, before))
    pm.notice()
    for pid in before + pm_other(before, pm):
        os.kill(pid, signal.SIGKILL)


def kill_supervisor_only(pm):
    old = pm.daemon()["pid"]
    pm.notice()
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != old, 15, "the next supervisor")


def test_no_second_daemon_beside_a_supervisor_without_its_keeper(pm):
    pm.up(TWO)
    d = pm.daemon()
    pm.notice()
    os.kill(d["keeper_pid"], signal.SIGKILL)
    wait_for(lambda: not alive(d["keeper_pid"]), 5, "the keeper's end")
    p = subprocess.run([pm.pmctld], env=pm.env(), capture_output=True, text=True, timeout=30)
    assert p.returncode == 1 and "runs already" in p.stderr, p
    wait_for(lambda: pm.daemon()["keeper_pid"] == d["pid"], 10, "the supervisor to become the keeper")


def test_lines_flow_again_after_both_were_killed(pm):
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 200000 -k -r 20000\nready = spawn\nlog_max_size = 0\n")
    wait_for(lambda: pm.log("p"), 10, "lines")
    pid = pm.pids("p")[0]
    pm.kill_both()
    pm.ok("daemon", "start")
    pm.notice()
    assert pm.pids("p") == [pid]
    have = len(pm.log("p"))
    wait_for(lambda: len(pm.log("p")) > have + 10000, 10, "lines again")


def test_a_starting_app_may_still_say_that_it_is_ready(pm):
    """The notify socket outlives the supervisor."""
    pm.ini(f"[app:n]\ncommand = {app_path('notify')} 1500\nready = notify\nready_timeout = 20s\n")
    p = pm.popen("start", "--no-wait")
    p.wait(timeout=20)
    pid = wait_for(lambda: pm.pids("n")[0], 5, "its process")
    kill_supervisor(pm)
    wait_for(lambda: pm.state("n") == "online", 15, "READY=1")
    assert pm.pids("n") == [pid] and pm.app("n")["restarts"] == 0


def test_what_is_written_into_the_pipe_of_an_ended_process_is_kept(pm):
    """Its pipe waits at the keeper for those who hold the other end."""
    pm.ini("[app:x]\ncommand = sh -c '(until [ -e go ]; do sleep 0.02; done; echo late words) & echo first; exit 3'\n"
           "ready = spawn\nautorestart = never\nkill_mode = process\n")
    pm.ctl("start")
    pm.wait_log("x", "first")
    wait_for(lambda: pm.proc("x")["pid"] is None, 10, "its end")
    kill_supervisor(pm)
    (pm.dir / "go").touch()
    pm.wait_log("x", "late words")


@pytest.mark.parametrize("how", ["delete x", "scale x 1"])
def test_what_was_being_taken_away_ends_in_its_own_way(pm, how):
    pm.up("[app:x]\ncommand = sh -c 'trap \"sleep 0.5; echo bye; exit 0\" TERM; echo up; while :; do sleep 0.02; done'\n"
          "ready = spawn\nmode = fork\nstop_timeout = 20s\n")
    pm.ok("scale", "x", "3")
    for slot in range(3):
        pm.wait_log("x", "up", slot)
    pids = pm.pids("x")
    pm.ctl(*how.split(), "--no-wait")
    kill_supervisor(pm)
    pm.wait_log("x", "bye", 2)
    wait_for(lambda: not any(map(alive, pids[1:])), 10, "their end")
    if how.startswith("scale"):
        wait_for(lambda: pm.pids("x") == pids[:1] and pm.state("x") == "online", 10, "what is left")
    else:
        pm.wait_log("x", "bye", 0)
        wait_for(lambda: not pm.list()["apps"], 10, "the end of the app")
        kill_supervisor(pm)
        assert not pm.list()["apps"]


@pytest.mark.skipif(not shutil.which("strace") or os.geteuid() != 0, reason="takes strace, and who may use it on us")
@pytest.mark.parametrize("save", range(3), ids=["online", "query", "listening"])
def test_what_a_worker_said_just_before_the_supervisor_died_is_heard(pm, port, save):
    """Killed while it writes down what the worker said; it had not answered yet."""
    pm.up(f"[app:web]\nscript = {NODE_APPS}/http.js\ninstances = 1\nmode = cluster\nenv.PORT = {port}\n"
          "ready_timeout = 90s\n")
    sup, new, seen = pm.daemon()["pid"], pm.home / "state" / "sockets.tmp", set()
    slow = subprocess.Popen(["strace", "-p", str(sup), "-o", "/dev/null", "-e", "trace=renameat", "-e",
                             "inject=renameat:delay_enter=200000"], stderr=subprocess.DEVNULL)

    def saves():
        try:
            seen.add(new.stat().st_mtime_ns)
        except FileNotFoundError:
            pass
        return len(seen) > save
    try:
        wait_for(lambda: b"TracerPid:\t0" not in read_proc(sup, "status"), 10, "strace")
        pm.popen("scale", "web", "2", "--no-wait")
        wait_for(saves, 20, f"save {save}")
        os.kill(sup, signal.SIGKILL)
    finally:
        slow.kill()
        slow.wait()
    pids = wait_for(lambda: pm.ctl("list").rc == 0 and pm.pids("web"), 15, "the next supervisor")
    wait_for(lambda: pm.state("web") == "online", 15, "the worker was heard")
    assert pm.pids("web") == pids

    def answering():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as r:
            return json.load(r)["pid"]
    os.kill(pids[0], signal.SIGSTOP)  # so that it is the other one that answers
    wait_for(lambda: answering() == pids[1], 10, "an answer of the new one")
    os.kill(pids[0], signal.SIGCONT)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_the_log_of_an_app_of_another_user_goes_on(pm):
    pm.up("[app:u]\ncommand = sh -c 'while :; do echo line; sleep 0.05; done'\nuser = nobody\nready = spawn\n")
    pm.wait_log("u", "line")
    os.chown(pm.logdir / "u-0.out.log", 65534, 65534)
    kill_supervisor(pm)
    have = len(pm.log("u"))
    wait_for(lambda: len(pm.log("u")) > have, 10, "more lines")


def crash_loop(pm):
    """The state saved last makes a supervisor abort; returns the pids of two apps, and what waits for one that stays."""
    preload = BUILD / "tests" / "apps" / "preload-crashload.so"
    pm.ini("[app:web]\ncommand = sleep 1000\ninstances = 2\nready = spawn\n"
           f"[app:p]\ncommand = {app_path('printer')} 500000 -k -r 20000\nready = spawn\nlog_max_size = 0\n")
    pm.ok("start", env={"LD_PRELOAD": str(preload)})
    pm.up("[app:bad]\ncommand = sleep 1000\nready = spawn\nenv.X = crash-here\n")
    pids, bad, old = pm.pids("web"), pm.pids("bad")[0], pm.daemon()["pid"]
    pm.notice()
    os.kill(old, signal.SIGKILL)
    return pids, bad, lambda: wait_for(lambda: pm.ctl("ping", "--timeout", "1").rc == 0 and pm.daemon()["pid"] != old,
                                       30, "a supervisor that stays")


def end_pid(pid):
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not alive(pid), 5, "its end")


@pytest.mark.skipif("asan" in BUILD.name, reason="the sanitizer does not allow a preloaded library")
def test_a_state_that_crashes_the_supervisor_is_kept_aside(pm):
    pids, bad, wait_up = crash_loop(pm)
    wait_up()
    assert pm.pids("web") == pids and alive(bad)
    status = pm.rpc("status")
    assert status["last_end"]["signal"] == "SIGABRT"
    warning = next(w for w in status["warnings"] if "crashed 3 times" in w)
    assert f"{pm.home}/state/state" in warning and (pm.home / "state" / "state.suspect").exists()
    assert any("crashed 3 times" in e["text"] for e in pm.rpc("events")["events"])
    end_pid(bad)
    pm.up("[app:new]\ncommand = sleep 1000\nready = spawn\n")
    assert pm.pids("web") == pids


@pytest.mark.skipif("asan" in BUILD.name, reason="the sanitizer does not allow a preloaded library")
def test_the_keeper_copies_logs_while_no_supervisor_stays(pm):
    pids, bad, wait_up = crash_loop(pm)
    # It waits for 2 s then, or for 1 s where the one that was killed had run long enough to count as healthy.
    wait_for(lambda: pm.daemon_log().count("killed by SIGABRT") == 3, 10, "the keeper backing off")
    have = len(pm.log("p"))
    wait_for(lambda: len(pm.log("p")) > have, 2, "lines")
    assert "runs, pid" not in pm.daemon_log().rpartition("killed by SIGABRT")[2]
    wait_up()
    have = len(pm.log("p"))
    wait_for(lambda: len(pm.log("p")) > have, 10, "lines going on")
    data = pm.log("p").rpartition(b"\n")[0] + b"\n"
    assert numbers(data) == list(range(1, data.count(b"\n") + 1))
    end_pid(bad)
