# SPDX-License-Identifier: MIT
"""What must not be lost or mixed up while a process becomes the keeper by execve, and around it."""
import os
import shutil
import signal
import subprocess

import pytest

from conftest import SLOW, alive, app_path, program, read_proc, wait_for
from test_survival import kill_keeper

needs_strace = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("strace"), reason="needs root and strace")
MEMFD_CREATE = (b"319", b"279")  # x86-64, others


def held(keeper):
    """What the keeper holds, as the kernel names it: {name: how often}."""
    count = {}
    for fd in os.listdir(f"/proc/{keeper}/fd"):
        try:
            name = os.readlink(f"/proc/{keeper}/fd/{fd}")
        except FileNotFoundError:
            continue
        count[name] = count.get(name, 0) + 1
    return count


@pytest.mark.skipif(os.geteuid() != 0, reason="the keeper is not dumpable: only root may look")
def test_a_log_file_of_several_pipes_is_mixed_up_with_nothing(pm):
    """The supervisor has one descriptor for all of them, and the keeper that it becomes an entry for each."""
    pm.up(f"[app:a]\ncommand = sleep 1000\nready = spawn\ninstances = 3\nlog_out = {pm.dir}/a.log\n"
          f"log_err = {pm.dir}/a.log\n")
    keeper = kill_keeper(pm)["keeper_pid"]
    pm.ini("[app:more]\ncommand = sleep 1000\nready = spawn\ninstances = 20\n", name="more.ini")
    pm.ok("start", pm.dir / "more.ini")  # it takes the low numbers
    pm.ok("restart", "a:0")

    def all_there():
        names = held(keeper)
        pipes = sum(n for name, n in names.items() if name.startswith("pipe:"))
        return pipes == 3 + 2 * 20 and names.get(f"{pm.dir}/a.log") == 3
    wait_for(all_there, 5, "all pipes, and a file for each of those that were written to")


class Slow:
    """strace holds a process back in its next call of this kind."""

    def __init__(self, pid, call, seconds, when="enter"):
        self.pid = pid
        self.tracer = subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
                                        f"inject={call}:delay_{when}={int(seconds * 1e6)}:when=1", "-p", str(pid)],
                                       stderr=subprocess.DEVNULL)
        wait_for(lambda: b"TracerPid:\t0" not in read_proc(pid, "status"), 10, "strace")

    def is_in(self, numbers):
        return read_proc(self.pid, "syscall").split(b" ")[0] in numbers

    def end(self):
        self.tracer.kill()
        self.tracer.wait()


@needs_strace
def test_an_exit_while_the_keeper_changes_its_program_is_seen(pm):
    pm.up("[app:x]\ncommand = sleep 1000\nready = spawn\n[app:y]\ncommand = sleep 1000\nready = spawn\n")
    pid, keeper = pm.pids("x")[0], pm.daemon()["keeper_pid"]
    slow = Slow(keeper, "memfd_create", 0.5, "exit")
    upgrade = pm.popen("daemon", "upgrade")
    try:
        wait_for(lambda: "pmctl-handover" in os.popen(f"ls -l /proc/{keeper}/fd").read(), 20, "the handover")
        os.kill(pid, signal.SIGKILL)
        assert upgrade.wait(timeout=30) == 0
    finally:
        slow.end()
    pm.wait_replaced("x", 0, pid)


@needs_strace
@pytest.mark.parametrize("how", ["stop", "left running"])
def test_a_stop_while_the_new_one_is_on_trial(pm, how):
    """It has said that it ends, and takes longer over it than the trial does."""
    pm.up("[app:x]\ncommand = sleep 1000\nready = spawn\n")
    pid, before = pm.pids("x")[0], pm.daemon()
    pm.notice()
    pm.popen("daemon", "upgrade")
    new = wait_for(lambda: pm.ctl("ping").rc == 0 and pm.daemon()["pid"] != before["pid"] and pm.daemon()["pid"], 10,
                   "the new supervisor")
    slow = Slow(new, "unlink,unlinkat", 2.5)
    try:
        pm.ctl("daemon", "stop", *["--leave-running"] * (how != "stop"), "--timeout", "1")
        wait_for(lambda: not alive(new), 20, "its end")
    finally:
        slow.end()
    if how == "stop":
        wait_for(lambda: not alive(before["keeper_pid"]), 5, "the keeper's end")
        assert not alive(pid)
        return
    wait_for(lambda: "resting" in pm.daemon_log(), 5, "the keeper resting")
    assert pm.ctl("ping").rc == 5
    pm.ok("daemon", "start")
    assert pm.pids("x") == [pid]
    wait_for(lambda: pm.rpc("status")["upgrade"]["state"] != "trial", 10, "the end of the trial")


def test_upgrades_that_crash_do_not_set_the_state_aside(pm):
    """It is the new program that crashes, whatever the state."""
    pm.ini("[app:x]\ncommand = sleep 1000\nready = spawn\n")
    pm.ok("start", env={"PMCTL_TEST_REAL": str(program("pmctld"))})
    pm.ini("[app:y]\ncommand = sleep 1000\nready = spawn\n", name="y.ini")
    pm.ok("start", pm.dir / "y.ini")
    pids, bad = pm.pids("x") + pm.pids("y"), pm.dir / "crash-start"
    shutil.copy(app_path("fakedaemon"), bad)
    bad.chmod(0o755)
    for _ in range(4):
        assert "SIGSEGV" in pm.fails(9, "daemon", "upgrade", bad).err
    assert pm.pids("x") + pm.pids("y") == pids
    assert not list((pm.home / "state").glob("*.suspect"))


@needs_strace
def test_a_sigterm_while_the_supervisor_becomes_the_keeper_is_obeyed(pm):
    """As systemd does where the keeper was killed: all that is left is told to end."""
    pm.up("[app:x]\ncommand = sleep 1000\nready = spawn\n")
    pid, d = pm.pids("x")[0], pm.daemon()
    pm.notice()
    slow = Slow(d["pid"], "memfd_create", 0.5)
    try:
        os.kill(d["keeper_pid"], signal.SIGKILL)
        wait_for(lambda: slow.is_in(MEMFD_CREATE), 10, "the handover")
        os.kill(d["pid"], signal.SIGTERM)
        wait_for(lambda: not alive(pid) and not alive(d["pid"]), 15, "the end of all")
    finally:
        slow.end()


def test_a_log_file_of_many_costs_the_keeper_no_more(pm):
    """Each start tells the keeper of one pipe and its file, not of all that lead into that file."""
    pm.ini(f"[app:a]\ncommand = sh -c 'echo hello; exec sleep 1000'\nready = spawn\ninstances = 250\nlog_out = {pm.dir}/a.log\n"
           f"log_err = {pm.dir}/a.err\n")
    pm.ok("start")
    ticks = read_proc(pm.daemon()["keeper_pid"], "stat").rpartition(b")")[2].split()[11:13]
    assert sum(map(int, ticks)) < 20 * SLOW, "hundredths of a second"


def test_a_keeper_with_all_it_can_hold_still_starts_supervisors(pm):
    """Two pipes, their files and, as they are not its children, a pidfd of each: more than the limit allows."""
    pm.ini(f"[app:a]\ncommand = sh -c 'echo 1; echo 2 >&2; exec sleep 1000'\nready = spawn\ninstances = 60\n"
           f"log_out = {pm.dir}/a.log\nlog_err = {pm.dir}/a.err\n")
    pm.ok("start", env={"PMCTL_FEATURES": "-cgroup"})
    new = kill_keeper(pm)
    pids = pm.pids("a")
    subprocess.run(["prlimit", "--nofile=300:300", "--pid", str(new["keeper_pid"])], check=True)
    pm.ok("restart", "a:0")
    assert "not kept" in pm.daemon_log()
    os.kill(new["pid"], signal.SIGKILL)
    wait_for(lambda: pm.ctl("ping").rc == 0 and pm.daemon()["pid"] != new["pid"], 10, "the next supervisor")
    assert pm.pids("a")[1:] == pids[1:]


def fill(pm, pid):
    """Until the process has no number free below its highest; returns how many it has."""
    while True:
        fds = [int(n) for n in os.listdir(f"/proc/{pid}/fd")]
        if len(fds) > max(fds):
            return len(fds)
        pm.connect().call("ping")


@pytest.mark.skipif(os.geteuid() != 0, reason="the supervisor is not dumpable: only root may look")
def test_a_supervisor_without_a_free_descriptor_becomes_the_keeper(pm):
    pm.up("[app:a]\ncommand = sleep 1000\nready = spawn\ninstances = 60\n")
    pids, d = pm.pids("a"), pm.daemon()
    pm.notice()
    n = fill(pm, d["pid"])
    subprocess.run(["prlimit", f"--nofile={n}:{n}", "--pid", str(d["pid"])], check=True)
    os.kill(d["keeper_pid"], signal.SIGKILL)  # and nobody connects before it is another
    wait_for(lambda: f"took over as keeper, pid {d['pid']}" in pm.daemon_log(), 10, "another keeper")
    wait_for(lambda: pm.daemon()["pid"] != d["pid"], 10, "its supervisor")
    assert pm.pids("a") == pids
