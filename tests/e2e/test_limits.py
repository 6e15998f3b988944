# SPDX-License-Identifier: MIT
"""Short of descriptors, processes, disk, memory or CPU: the supervisor says so, waits, and goes on by itself."""
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from conftest import ASAN, SLOW, alive, app_path, read_proc, stat_of, wait_for
from test_logs import numbers
from test_state import running

root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
SLEEPER = "[app:web]\ncommand = sleep 1000000\nready = spawn\n"
MORE = "[app:more]\ncommand = sleep 1000000\nready = spawn\n"
LINES = f"[app:p]\ncommand = {app_path('printer')} 0 -r 500\nready = spawn\nlog_max_size = 0\n"
TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    fields = read_proc(pid, "stat").decode().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def limit(pid, what, soft, hard=None):
    old = resource.prlimit(pid, what)
    resource.prlimit(pid, what, (soft, old[1] if hard is None else hard))
    return old


def warnings(pm):
    return " ".join(pm.rpc("status")["warnings"])


def alerts(pm):
    """What the dashboard is told of the daemon itself: {kind: alert}. The disk of /tmp may be full here."""
    return {a["kind"]: a for a in pm.list()["daemon"]["alerts"] if a["kind"] != "disk-state"}


def told(pm, kind):
    return [e["text"] for e in pm.rpc("events", {"types": [kind], "n": 100})["events"]]


# --- descriptors

def test_the_daemon_raises_its_own_limit_and_gives_the_apps_theirs(pm):
    pm.ini(f"[app:w]\ncommand = {app_path('inspect')}\n")
    given = (512, min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    p = pm.popen("start", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, given))
    assert p.wait(20 * SLOW) == 0
    assert tuple(json.loads(pm.wait_log("w", "\n"))["nofile"]) == given
    d = pm.daemon()
    for pid in (d["pid"], d["keeper_pid"]):
        assert resource.prlimit(pid, resource.RLIMIT_NOFILE)[0] >= given[1]
    # Also after the supervisor was killed.
    os.kill(d["pid"], signal.SIGKILL)
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != d["pid"], 15, "the next supervisor")
    old = len(pm.log("w"))
    pm.ok("restart", "w")
    wait_for(lambda: len(pm.log("w")) > old, 10, "its words")
    assert tuple(json.loads(pm.log("w").splitlines()[-1])["nofile"]) == given


def use_up(pm, sup):
    """No descriptor more for the supervisor than it has; returns the limit to put back."""
    fds = [int(fd) for fd in os.listdir(f"/proc/{sup}/fd")]
    free = next(i for i in range(len(fds) + 1) if i not in fds)
    return limit(sup, resource.RLIMIT_NOFILE, min(free, max(fds) + 1))


@root  # the descriptors of a process that is not dumpable are not shown to its own user
def test_without_a_descriptor_left(pm):
    pm.up(SLEEPER + LINES)
    sup = pm.daemon()["pid"]
    before = pm.pids("web") + pm.pids("p")
    old = use_up(pm, sup)
    # Somebody who asks what is wrong still gets an answer.
    for _ in range(3):
        assert pm.ok("list").rc == 0
    pm.ini(SLEEPER + LINES + MORE)
    pm.fails(1, "start")
    app = pm.app("more")
    assert app["state"] == "backoff" and "Too many open files" in app["note"], app
    size = len(pm.log("p"))
    wait_for(lambda: len(pm.log("p")) > size + 5000, 10, "lines of another app")
    limit(sup, resource.RLIMIT_NOFILE, *old)
    pm.wait_state("more", "online")
    assert pm.daemon()["pid"] == sup and pm.pids("web") + pm.pids("p") == before


@root
def test_accept_without_descriptors_does_not_spin(pm):
    pm.up(SLEEPER)
    sup = pm.daemon()["pid"]
    old = use_up(pm, sup)
    held = []
    for _ in range(40):
        s = socket.socket(socket.AF_UNIX)
        s.connect(str(pm.socket))
        held.append(s)
    lines = pm.daemon_log().count("\n")
    cpu, end = cpu_seconds(sup), time.monotonic() + 1
    while time.monotonic() < end:  # measures a rate: the one place with a time
        time.sleep(0.05)
    assert cpu_seconds(sup) - cpu < 0.2
    assert pm.daemon_log().count("\n") - lines < 5
    limit(sup, resource.RLIMIT_NOFILE, *old)
    assert pm.ok("list").rc == 0
    for s in held:
        s.close()


def test_few_descriptors_from_the_start(pm):
    """A hard limit of 256, which an ordinary user cannot raise: 256 silent clients do not keep an operator or an app out."""
    user = nobody(pm) if os.geteuid() == 0 else pm
    user.ini(SLEEPER)
    p = user.popen("start", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256)))
    assert p.wait(20 * SLOW) == 0, p.stderr.read()
    held = []
    for _ in range(300):
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(5)
        s.connect(str(user.socket))
        held.append(s)
    assert user.ok("list").rc == 0
    user.ini(SLEEPER + MORE)
    assert user.ok("start").rc == 0
    for s in held:
        s.close()


@root
def test_descriptors_are_told_before_there_are_none(pm):
    pm.up(SLEEPER)
    sup = pm.daemon()["pid"]
    assert alerts(pm) == {}
    old = limit(sup, resource.RLIMIT_NOFILE, len(os.listdir(f"/proc/{sup}/fd")) + 2)
    alert = wait_for(lambda: alerts(pm).get("descriptors"), 10, "the alert")
    assert alert["text"].startswith("pmctld uses ") and "LimitNOFILE" in alert["fix"], alert
    r = pm.ctl("doctor")
    assert any("pmctld uses" in line and "fix: LimitNOFILE" in line for line in r.out.splitlines()), r
    limit(sup, resource.RLIMIT_NOFILE, *old)
    wait_for(lambda: alerts(pm) == {}, 10, "its end")
    assert [("again" in text) for text in told(pm, "descriptors")] == [False, True]


# Of the eleven there may be the shell has opened ten when sleep takes its place.
HOLDER = ("[app:h]\ncommand = bash -c 'exec 3</dev/null 4<&3 5<&3 6<&3 7<&3 8<&3 9<&3; exec sleep 1000000'\n"
          "ready = spawn\nlimit.nofile = 11\n")


def test_an_app_that_has_nearly_all_its_descriptors(pm):
    pm.up(HOLDER)
    p = wait_for(lambda: pm.proc("h")["fds_near"] and pm.proc("h"), 10, "its figures")
    assert (p["fds"], p["fds_most"], p["fds_max"]) == (10, 10, 11) and p["note"] == "10 of 11 descriptors"
    assert told(pm, "descriptors") == ["has 10 of the 11 descriptors it may have (limit.nofile)"]
    why = pm.ok("why", "h").out
    assert "has 10 of the 11 descriptors" in why and "raise limit.nofile" in why, why


def test_a_child_is_measured_by_its_own_limit(pm):
    """As nginx does it: the main process may have few, its workers raised what they may have."""
    pm.up("[app:h]\ncommand = bash -c \"bash -c 'exec 3</dev/null 4<&3 5<&3 6<&3 7<&3 8<&3 9<&3; exec sleep 1000000' & "
          "ulimit -Sn 8; exec sleep 1000000\"\nready = spawn\n")
    p = wait_for(lambda: pm.proc("h")["fds_most"] == 10 and pm.proc("h"), 10, "its figures")
    assert p["fds_max"] > 11 and not p["fds_near"] and p["note"] == "" and told(pm, "descriptors") == []


# --- processes

def nobody(pm):
    """The same, but pmctl and so the daemon run as an ordinary user."""
    wrapper = pm.dir / "pmctl"
    wrapper.write_text(f"#!/bin/sh\nexec setpriv --reuid 65534 --regid 65534 --clear-groups {pm.pmctl} \"$@\"\n")
    wrapper.chmod(0o755)
    os.chown(pm.dir, 65534, 65534)
    pm.pmctl = wrapper
    return pm


def as_nobody(pm, *args):
    subprocess.run([*pm.pmctl.read_text().split("exec ")[1].split()[:6], *map(str, args)], check=True)


def cannot_fork(pm):
    """With the fork failing: a reason and a next try, not a crash; it runs once that is over."""
    pm.ini(SLEEPER + MORE)
    pm.fails(1, "start")
    app = pm.app("more")
    assert app["state"] == "backoff" and "cannot fork: Resource temporarily unavailable" in app["note"], app
    # Nor is it one for an app that has run before.
    old = pm.pids("web")[0]
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: "cannot fork" in pm.app("web")["note"], 10, "the reason")
    wait_for(lambda: pm.app("more")["restarts"] > 3, 15, "more tries")
    assert pm.state("web") == "backoff" and pm.state("more") == "backoff"
    assert pm.app("web")["procs"][0]["last_exit"]["signal"] == "SIGKILL"


@root
def test_no_process_more_for_this_user(pm):
    nobody(pm).up(SLEEPER + "max_restarts = 2\nrestart_delay_max = 100ms\n")
    sup = pm.daemon()["pid"]
    as_nobody(pm, "prlimit", "--pid", sup, "--nproc=1:")
    cannot_fork(pm)
    as_nobody(pm, "prlimit", "--pid", sup, "--nproc=1000:")
    pm.wait_state("web", "online")
    pm.wait_state("more", "online")
    assert pm.daemon()["pid"] == sup


@root
def test_no_process_more_in_the_control_group(pm):
    groups = Path("/sys/fs/cgroup/pids")
    if not (groups / "cgroup.procs").exists() or not os.access(groups, os.W_OK):
        pytest.skip("no pids controller of version 1 to be had")
    pm.up(SLEEPER + "max_restarts = 2\nrestart_delay_max = 100ms\n")
    sup = pm.daemon()["pid"]
    group = groups / f"pmctl-test-{os.getpid()}-{sup}"
    group.mkdir()
    try:
        (group / "cgroup.procs").write_text(str(sup))
        count = int((group / "pids.current").read_text())
        (group / "pids.max").write_text(str(count))
        cannot_fork(pm)
        (group / "pids.max").write_text("max")
        pm.wait_state("web", "online")
        pm.wait_state("more", "online")
        assert pm.daemon()["pid"] == sup
        (groups / "cgroup.procs").write_text(str(sup))
        for pid in pm.pids("web") + pm.pids("more"):
            (groups / "cgroup.procs").write_text(str(pid))
    finally:
        for pid in (group / "cgroup.procs").read_text().split():
            (groups / "cgroup.procs").write_text(pid)
        group.rmdir()


# --- disk

class Disk:
    """A small file system of its own at this path."""

    def __init__(self, path, options):
        self.path = Path(path)
        self.path.mkdir(parents=True, exist_ok=True)
        if subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", path], capture_output=True).returncode:
            pytest.skip("no tmpfs can be mounted here")
        self.full = self.path / "full"

    def fill(self):
        with open(self.full, "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"x" * 4096)
            except OSError:
                pass

    def use_up_inodes(self):
        self.full.mkdir(exist_ok=True)
        try:
            for i in range(10000):
                (self.full / str(i)).touch()
        except OSError:
            pass

    def free(self):
        if self.full.is_dir():
            shutil.rmtree(self.full)
        else:
            self.full.unlink()

    def remount(self, how):
        subprocess.run(["mount", "-o", f"remount,{how}", str(self.path)], check=True, capture_output=True)


@pytest.fixture
def disk(pm):
    """Makes one at PMCTL_HOME/NAME before the daemon runs; gone after the test."""
    made = []

    def make(name, options="size=256k,mode=0700"):
        pm.home.mkdir(mode=0o700, exist_ok=True)
        made.append(Disk(pm.home / name, options))
        return made[-1]
    yield make
    if made and pm.socket.exists():
        pm.notice()
        pm.ctl("daemon", "stop")
    for d in made:
        subprocess.run(["umount", "-l", str(d.path)], check=True)


@root
@pytest.mark.parametrize("fault", ["full", "inodes"])
def test_state_that_cannot_be_saved(pm, disk, fault):
    d = disk("state", "size=256k,nr_inodes=20,mode=0700")
    pm.up(SLEEPER)
    sup, web = pm.daemon()["pid"], pm.pids("web")
    good = (d.path / "state").read_bytes()
    {"full": d.fill, "inodes": d.use_up_inodes}[fault]()
    pm.ini(SLEEPER + MORE)
    r = pm.ok("start")  # it runs, and whoever started it is told
    assert "state not saved" in r.err and "No space" in r.err, r
    assert "not saved" in pm.fails(0, "stop", "more").err
    assert "not saved" in warnings(pm) and "not saved" in pm.ok("daemon", "status").out
    assert json.loads(pm.ok("start", "more", "--json").out)["warnings"]
    assert (d.path / "state").read_bytes() == good
    # A supervisor that dies meanwhile comes back and knows what lives.
    os.kill(sup, signal.SIGKILL)
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != sup, 15, "the next supervisor")
    assert pm.pids("web") == web
    d.free()
    more = running(pm, "more")
    assert "already running" in pm.ok("start").err + pm.ok("start").out
    assert pm.pids("more") == more == running(pm, "more")
    wait_for(lambda: not warnings(pm), 10, "saved after all")
    assert b"more" in (d.path / "state").read_bytes()
    assert "not saved" not in pm.ok("stop", "more").err


@root
def test_what_was_added_on_a_full_disk_stays_known(pm, disk):
    """The state file knows of two instances, the run table of four; three of them are wanted."""
    d = disk("state")
    pm.up("[app:s]\ncommand = sleep 1000000\nready = spawn\ninstances = 2\nmode = fork\n")
    d.fill()
    assert "not saved" in pm.ok("scale", "s", "4").err
    pm.ok("stop", "s:2")
    sup, before = pm.daemon()["pid"], pm.pids("s")
    assert all(map(alive, before[:2] + before[3:])) and before[2] is None
    os.kill(sup, signal.SIGKILL)
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != sup, 15, "the next supervisor")
    assert pm.pids("s") == before and pm.proc("s", 2)["state"] == "stopped"
    assert "4 instances, not 2" in pm.ok("events", "s").out
    d.free()
    wait_for(lambda: not warnings(pm) and b'"scaled":4' in (d.path / "state").read_bytes(), 10, "saved by itself")
    pm.ok("daemon", "stop")
    assert not any(alive(pid) for pid in before if pid)


@root
def test_state_is_saved_by_itself_once_there_is_room(pm, disk):
    d = disk("state")
    pm.up(SLEEPER)
    d.fill()
    pm.ini(SLEEPER + MORE)
    pm.ok("start")
    assert "not saved" in warnings(pm)
    d.free()
    wait_for(lambda: not warnings(pm), 10, "saved by itself")
    assert b"more" in (d.path / "state").read_bytes()


@root
def test_a_read_only_state_disk(pm, disk):
    """It cannot become so while the run table is mapped; found so at a start, that is said and nothing runs."""
    d = disk("state")
    pm.up(SLEEPER)
    keeper = pm.daemon()["keeper_pid"]
    pm.ok("daemon", "stop")
    wait_for(lambda: not alive(keeper), 5, "the very end of the daemon")
    d.remount("ro")
    r = pm.ctl("daemon", "start")
    assert r.rc in (5, 6) and "Read-only file system" in r.err, r
    d.remount("rw")
    pm.ok("daemon", "start")
    pm.wait_state("web", "online")


@root
def test_a_reboot_with_a_full_state_disk(pm, disk):
    """The run table of the other boot is used again, as there is no room for a new one."""
    d = disk("state")
    pm.up(SLEEPER)
    pm.ok("daemon", "stop")
    with open(d.path / "instances", "r+b") as f:
        f.seek(16)
        f.write(b"deadbeef")
    d.fill()
    pm.ok("daemon", "start")
    pm.wait_state("web", "online")


@root
def test_sync_that_fails_is_a_warning_and_tried_again(pm):
    if not shutil.which("strace"):
        pytest.skip("no strace")
    pm.up(SLEEPER)
    sup = pm.daemon()["pid"]
    tracer = subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e", "inject=fsync:error=EIO", "-p", str(sup)],
                              stderr=subprocess.PIPE)
    try:
        wait_for(lambda: b"TracerPid:\t0" not in read_proc(sup, "status") or tracer.poll() is not None, 10, "strace")
        if tracer.poll() is not None:
            pytest.skip("strace may not attach here")
        pm.ok("stop", "web")
        wait_for(lambda: "Input/output error" in warnings(pm), 10, "the warning")
    finally:
        tracer.terminate()
        tracer.wait()
        tracer.stderr.close()
    wait_for(lambda: not warnings(pm), 10, "written after all")
    assert pm.daemon()["pid"] == sup


@root
@pytest.mark.parametrize("fault", ["full", "inodes"])
def test_a_full_log_disk_costs_lines_at_most(pm, disk, fault):
    d = disk("log", "size=512k,nr_inodes=40,mode=0750")
    pm.ini(LINES + SLEEPER)
    if fault == "inodes":
        d.use_up_inodes()
    pm.ok("start")
    sup, pid = pm.daemon()["pid"], pm.pids("p")[0]
    if fault == "full":
        wait_for(lambda: len(pm.log("p")) > 5000, 10, "lines")
        d.fill()
    wait_for(lambda: "dropped" in warnings(pm), 15, "the counter")
    assert "No space left" in alerts(pm)["logs"]["text"]
    assert "disk full" in pm.ok("daemon", "status").out
    pm.ok("stop", "web")  # and the rest of it works
    pm.ok("start", "web")
    d.free()
    wait_for(lambda: b"bytes dropped, disk full]\n" in pm.log("p"), 10, "the mark")
    wait_for(lambda: alerts(pm) == {}, 10, "no alert is left")
    mark = re.search(rb"\[pmctl: (\d+) bytes dropped", pm.log("p"))
    assert int(mark.group(1)) > 0
    size = len(pm.log("p"))
    wait_for(lambda: len(pm.log("p")) > size + 5000, 10, "lines again")
    assert pm.daemon()["pid"] == sup and pm.pids("p") == [pid] and pm.app("p")["restarts"] == 0
    # What is there is whole lines, but for those around the mark.
    lines = pm.log("p").split(b"\n")
    torn = [line for line in lines[:-1] if len(line) not in (0, 99) and not line.startswith(b"[pmctl: ")]
    assert len(torn) <= 2, torn


@root
def test_a_log_disk_is_told_before_it_is_full(pm, disk):
    d = disk("log", "size=2m,mode=0750")
    pm.up(SLEEPER)
    assert alerts(pm) == {}
    d.full.write_bytes(b"x" * 1900 * 1024)
    alert = wait_for(lambda: alerts(pm).get("disk-logs"), 10, "the alert")
    assert not alert["fail"] and f"M left for {d.path}" in alert["text"] and "log_keep" in alert["fix"], alert
    [line] = [line for line in pm.ok("doctor").out.splitlines() if alert["text"] in line]  # told once
    assert line.split()[:2] == ["warn", "disk-logs"] and alert["fix"] in line
    d.fill()
    wait_for(lambda: alerts(pm)["disk-logs"]["fail"], 10, "the next one")
    d.free()
    wait_for(lambda: alerts(pm) == {}, 10, "its end")
    assert [("again" in text) for text in told(pm, "disk") if str(d.path) in text] == [False, False, True]


@root
@pytest.mark.parametrize("fault", ["full", "inodes"])
def test_what_a_full_log_disk_cost_is_told_and_adds_up(pm, disk, fault):
    """By an event when it begins and one with the count when it is over, by marks in the file and by the status."""
    d = disk("log", "size=1m,nr_inodes=40,mode=0750")
    if fault == "inodes":
        d.use_up_inodes()
    pm.up(LINES)

    def told():
        events = pm.rpc("events", {"sel": ["p"], "n": 100})["events"]
        return [e["text"] for e in events if e["type"] == "logs"]
    if fault == "full":
        wait_for(lambda: len(pm.log("p")) > 5000, 10, "lines")
        d.fill()
    wait_for(lambda: any("No space left" in text and "its lines wait, and then are dropped" in text for text in told()), 15, "the event")
    wait_for(lambda: re.search(r"[1-9]\d* bytes .*dropped", warnings(pm)), 15, "the counter")
    d.free()
    wait_for(lambda: any("there is room again" in text for text in told()), 15, "the event of its end")
    size = len(pm.log("p"))
    wait_for(lambda: len(pm.log("p")) > size + 5000, 10, "lines again")
    pm.ok("stop", "p")
    text = pm.log("p")
    marks = [int(n) for n in re.findall(rb"\n\[pmctl: (\d+) bytes dropped, disk full\]\n", text)]
    assert marks == [int(n) for t in told() for n in re.findall(r"there is room again; (\d+) bytes were dropped", t)]
    assert str(sum(marks)) in warnings(pm)
    # Nothing was lost that was not counted.
    kept = re.sub(rb"\n\[pmctl: \d+ bytes dropped, disk full\]\n", b"", text)
    last = int(re.findall(rb"\n(\d{10}) ", kept)[-1])
    assert len(kept) + sum(marks) == 100 * last


@root
def test_a_file_size_limit_is_ours_not_the_apps(pm):
    """SIGXFSZ is ignored by the supervisor only."""
    out = pm.dir / "big"
    pm.up(f"[app:w]\ncommand = sh -c 'dd if=/dev/zero of={out} bs=1k count=100; echo $?'\nlimit.fsize = 10K\nautorestart = never\nready = spawn\n")
    assert pm.log("w") == b"153\n" or pm.wait_log("w", "153\n")  # 128 + SIGXFSZ


# --- memory

@pytest.mark.skipif(ASAN, reason="for a sanitizer it would be a finding")
def test_a_supervisor_out_of_memory_costs_nothing(pm):
    pm.up(SLEEPER + LINES)
    sup, before = pm.daemon()["pid"], pm.pids("web") + pm.pids("p")
    size = int(read_proc(sup, "statm").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    limit(sup, resource.RLIMIT_AS, size + 65536)
    r = pm.connect()
    try:
        r.send(b'{"jsonrpc":"2.0","id":1,"method":"list","params":{"sel":["' + b"x" * 900000 + b'"]}}\n')
        while r.line():
            pass
    except OSError:
        pass
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != sup, 15, "the next supervisor")
    assert pm.pids("web") + pm.pids("p") == before


# --- CPU

def test_a_stopped_supervisor_with_full_pipes(pm):
    """The app writes until its pipe is full and waits; nothing is lost or torn."""
    printer = f"until [ -e {pm.dir}/gate ]; do sleep 0.02; done; exec {app_path('printer')} 60000 -b -k -m 300"
    pm.up("".join(f"[app:{n}]\ncommand = sh -c '{printer}'\nready = spawn\nlog_max_size = 0\n" for n in "pq"))
    d, before = pm.daemon(), pm.pids("p") + pm.pids("q")
    os.kill(d["pid"], signal.SIGSTOP)
    (pm.dir / "gate").touch()
    try:
        wait_for(lambda: all(b"pipe_write" in read_proc(pid, "wchan") for pid in before), 10, "both waiting for room")
    finally:
        os.kill(d["pid"], signal.SIGCONT)
    for name in ("p", "q"):
        wait_for(lambda: b"0000060000 " in pm.log(name), 20, "the last line")
        assert numbers(pm.log(name)) == list(range(1, 60001))
    assert pm.pids("p") + pm.pids("q") == before and pm.daemon()["pid"] == d["pid"]


def test_no_cpu_left(pm):
    """At nice 19 beside many that burn: slow, not wrong."""
    pm.up(SLEEPER + f"[app:s]\ncommand = {app_path('stubborn')}\nstop_timeout = 500ms\nready = spawn\n" + LINES)
    d = pm.daemon()
    for pid in (d["pid"], d["keeper_pid"]):
        os.setpriority(os.PRIO_PROCESS, pid, 19)
    burners = [subprocess.Popen([app_path("burner")]) for _ in range(16)]
    try:
        old = pm.pids("web")[0]
        os.kill(old, signal.SIGKILL)
        pm.wait_replaced("web", 0, old)
        begun = time.monotonic()
        pm.ok("stop", "s")
        assert 0.45 < time.monotonic() - begun < 5 * SLOW
        pm.ok("restart", "web")
        assert pm.daemon()["pid"] == d["pid"] and pm.app("p")["restarts"] == 0
    finally:
        for b in burners:
            b.kill()
            b.wait()
    pm.ok("stop", "p")
    data = pm.log("p")
    assert numbers(data[:data.rindex(b"\n") + 1]) == list(range(1, data.count(b"\n") + 1))


# --- many

@root
def test_two_hundred_instances_by_one_command(pm):
    """Started and stopped again and again: no more descriptors, hardly more memory, and an answer at any moment."""
    pm.ini("[app:m]\ncommand = sleep 1000000\nready = spawn\ninstances = 200\nmode = fork\n")
    sup, used = None, []
    for _ in range(3):
        p = pm.popen("start")
        wait_for(lambda: pm.ctl("ping").rc == 0, 10, "the daemon")
        while p.poll() is None:
            pm.ok("ping")
        assert p.returncode == 0
        assert pm.app("m")["online"] == 200 and len(set(pm.pids("m"))) == 200
        pm.ok("stop", "m")
        d = pm.daemon()
        sup = sup or d["pid"]
        assert d["pid"] == sup
        used.append([(len(os.listdir(f"/proc/{pid}/fd")), int(re.search(rb"VmRSS:\s*(\d+)", read_proc(pid, "status"))[1]))
                     for pid in (sup, d["keeper_pid"])])
    for first, last in zip(used[1], used[-1]):
        assert last[0] <= first[0] and (ASAN or last[1] <= first[1] * 1.1 + 500), used  # a sanitizer frees late


@root
def test_an_app_that_will_not_die(pm):
    """In uninterruptible sleep (a frozen group of version 1 is as deaf): told, waited for, and no second one started."""
    groups = Path("/sys/fs/cgroup/freezer")
    if not (groups / "cgroup.procs").exists() or not os.access(groups, os.W_OK):
        pytest.skip("no freezer of version 1 to be had")
    pm.up(SLEEPER + "[app:d]\ncommand = sleep 1000000\nready = spawn\nstop_timeout = 100ms\n")
    pid, web = pm.pids("d")[0], pm.pids("web")
    group = groups / f"pmctl-test-{os.getpid()}-{pid}"
    group.mkdir()
    try:
        (group / "cgroup.procs").write_text(str(pid))
        (group / "freezer.state").write_text("FROZEN")
        pm.fails(8, "restart", "d", "--timeout", "1s")
        wait_for(lambda: "will not die" in pm.app("d")["note"], 15, "the note")
        assert pm.state("d") == "stopping" and pm.pids("d") == [pid] and running(pm, "d") == [pid]
        assert pm.pids("web") == web
    finally:
        (group / "freezer.state").write_text("THAWED")
        wait_for(lambda: not alive(pid), 10, "its end")
        group.rmdir()
    pm.wait_replaced("d", 0, pid)
