# SPDX-License-Identifier: MIT
"""The supervisor may die, be stopped and come back: apps, lines, exit statuses and wishes are all still there."""
import json
import os
import signal
import subprocess
import time
import urllib.request

import pytest

from conftest import NODE_APPS, SLOW, alive, app_path, read_proc, stat_of, wait_for

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
    # It is in command: what dies is restarted, what is stopped stops.
    os.kill(before[0], signal.SIGKILL)
    pm.wait_replaced("web", 0, before[0])
    pm.ok("stop", "other")
    assert not alive(before[2])


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


def test_no_line_is_lost_when_the_supervisor_is_killed(pm):
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 60000 -k -r 30000\nready = spawn\nlog_max_size = 0\n")
    for _ in range(3):
        have = len(pm.log("p"))
        wait_for(lambda: len(pm.log("p")) > have, 10, "more lines")
        kill_supervisor(pm)
    wait_for(lambda: b"0000060000 " in pm.log("p")[-4000:], 60, "the last line")
    assert numbers(pm.log("p")) == list(range(1, 60001))


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
    d = pm.daemon()
    pm.notice()
    os.kill(d["keeper_pid"], signal.SIGKILL)
    os.kill(d["pid"], signal.SIGKILL)
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


def test_killed_keeper_the_supervisor_goes_on(pm):
    pm.up(TWO)
    before = pm.pids("web")
    d = pm.daemon()
    pm.notice()
    os.kill(d["keeper_pid"], signal.SIGKILL)
    wait_for(lambda: not alive(d["keeper_pid"]), 5, "the keeper's end")
    assert pm.pids("web") == before and pm.daemon()["pid"] == d["pid"]
    os.kill(before[0], signal.SIGKILL)
    pm.wait_replaced("web", 0, before[0])


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
    """Whenever it dies, afterwards each slot has exactly one process."""
    pm.ini(f"[app:web]\ncommand = {SLEEPER}\nready = spawn\ninstances = 20\nmode = fork\nenv.MARK = {pm.dir}\n")
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
    assert pm.daemon()["pid"] == d["pid"]


def test_lines_flow_again_after_both_were_killed(pm):
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 200000 -k -r 20000\nready = spawn\nlog_max_size = 0\n")
    wait_for(lambda: pm.log("p"), 10, "lines")
    pid, d = pm.pids("p")[0], pm.daemon()
    pm.notice()
    os.kill(d["keeper_pid"], signal.SIGKILL)
    os.kill(d["pid"], signal.SIGKILL)
    wait_for(lambda: not alive(d["pid"]), 5, "the end of both")
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


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_the_log_of_an_app_of_another_user_goes_on(pm):
    pm.up("[app:u]\ncommand = sh -c 'while :; do echo line; sleep 0.05; done'\nuser = nobody\nready = spawn\n")
    pm.wait_log("u", "line")
    os.chown(pm.logdir / "u-0.out.log", 65534, 65534)
    kill_supervisor(pm)
    have = len(pm.log("u"))
    wait_for(lambda: len(pm.log("u")) > have, 10, "more lines")
