# SPDX-License-Identifier: MIT
"""`pmctl daemon upgrade`: another program takes over, or is refused, or rolled back; no app notices."""
import http.client
import json
import os
import resource
import shutil
import signal
import subprocess
import threading

import pytest

from conftest import BUILD, NODE_APPS, SLOW, alive, app_path, program, read_proc, stat_of, wait_for
from test_boot import crc32c
from test_faults import Inject, needs_strace

APPS = """\
[app:web]
command = sleep 1000
ready = spawn
instances = 2

[app:p]
command = {printer} 1000000 -k -r 20000
ready = spawn
log_max_size = 0
"""


def up(pm, **env):
    pm.ini(APPS.format(printer=app_path("printer")))
    pm.ok("start", env={"PMCTL_TEST_REAL": str(program("pmctld")), **env})
    return pm.pids("web") + pm.pids("p")


def fake(pm, how):
    path = pm.dir / how
    shutil.copy(app_path("fakedaemon"), path)
    path.chmod(0o755)
    return path


def another_version(pm, version=b"9.9.9"):
    """The same program, saying that it is a newer one."""
    folder = pm.dir / "new"
    folder.mkdir()
    data = program("pmctld").read_bytes()
    own = pm.daemon()["version"].encode() + b"\0"
    assert own in data and len(own) == len(version) + 1
    path = folder / "pmctld"
    path.write_bytes(data.replace(own, version + b"\0"))
    path.chmod(0o755)
    for name in ("pmctl-exec",):
        shutil.copy(next(BUILD.glob(f"src/*/{name}")), folder / name)
    return path


def executes(pid, path):
    try:
        return os.readlink(f"/proc/{pid}/exe") == str(path)
    except PermissionError:  # it is not dumpable, on purpose: only root may look
        return os.geteuid() != 0


def untouched(pm, pids, daemon=None):
    assert pm.pids("web") + pm.pids("p") == pids
    if daemon:
        now = pm.daemon()
        assert (now["pid"], now["keeper_pid"]) == (daemon["pid"], daemon["keeper_pid"])
    have = len(pm.log("p"))
    wait_for(lambda: len(pm.log("p")) > have, 10, "lines going on")
    lines = pm.log("p").split(b"\n")[:-1]
    assert [int(line[:10]) for line in lines] == list(range(1, len(lines) + 1))


def test_the_same_program_takes_over(pm):
    pids, before = up(pm), pm.daemon()
    pm.notice()
    r = pm.ok("daemon", "upgrade")
    assert "upgraded: pmctld" in r.out and "3 of 3 instances online" in r.out
    now = pm.daemon()
    assert now["pid"] != before["pid"] and now["keeper_pid"] == before["keeper_pid"]
    untouched(pm, pids)
    os.kill(now["pid"], signal.SIGKILL)  # and it is as safe as before
    wait_for(lambda: pm.ctl("ping").rc == 0 and pm.daemon()["pid"] != now["pid"], 10, "the next one")
    untouched(pm, pids)


def test_another_version_takes_over_and_the_client_says_so(pm):
    pids = up(pm)
    new = another_version(pm)
    r = pm.ok("daemon", "upgrade", str(new), "--json")
    assert r.json()["state"] == "done" and r.json()["to"] == "9.9.9"
    keeper = pm.daemon()["keeper_pid"]
    assert executes(keeper, new), "the keeper is the new program, too"
    assert executes(pm.daemon()["pid"], new)
    untouched(pm, pids)
    r = pm.ok("list")
    assert r.err == "pmctld is 9.9.9 and this is pmctl 0.1.0; use the pmctl that came with it\n"
    r = pm.ok("stop", "web")
    assert "pmctld is 9.9.9" in r.err
    assert pm.ok("list", "--json").err == ""
    r = pm.ok("daemon", "upgrade", str(program("pmctld")))  # and back again
    assert "9.9.9 -> 0.1.0" in r.out
    assert "pmctld is" not in pm.ok("list").err


def test_sigusr2_takes_what_is_installed_now(pm):
    pids, before = up(pm), pm.daemon()
    os.kill(before["keeper_pid"], signal.SIGUSR2)
    wait_for(lambda: pm.ctl("ping").rc == 0 and pm.daemon()["pid"] != before["pid"], 10, "the new supervisor")
    wait_for(lambda: pm.rpc("status")["upgrade"]["state"] == "done", 10, "the end of the trial")
    untouched(pm, pids)


@pytest.mark.parametrize("what,words", [
    ("missing", "No such file"),
    ("a folder", "is not a file"),
    ("text", "Exec format error"),
    ("script", "is it a script?"),
    ("not executable", "not executable"),
    ("other machine", "Exec format error"),
    ("not pmctld", "it is not pmctld"),
    ("empty", "Exec format error"),
])
def test_what_is_no_pmctld_is_refused(pm, what, words):
    pids, before = up(pm), pm.daemon()
    path = pm.dir / "program"
    if what == "a folder":
        path.mkdir()
    elif what == "not pmctld":
        shutil.copy("/bin/true", path)
    elif what == "other machine":
        data = bytearray(program("pmctld").read_bytes())
        data[18] = 0xf3 if data[18] != 0xf3 else 0x3e
        path.write_bytes(data)
    elif what != "missing":
        path.write_text({"text": "hello\n", "script": "#!/bin/sh\n", "not executable": "x", "empty": ""}[what])
    if path.exists():
        path.chmod(0o644 if what == "not executable" else 0o755)
    r = pm.fails(1, "daemon", "upgrade", str(path))
    assert words in r.err and "nothing was changed" in r.err
    assert any(words in e["text"] for e in pm.rpc("events")["events"] if e["type"] == "upgrade")
    untouched(pm, pids, before)


@pytest.mark.parametrize("how,words", [
    ("crash-check", "killed by SIGSEGV"),
    ("hang-check", "killed by SIGKILL"),
    ("flood-check", "no end of words"),
    ("old-state", "format 2"),
])
def test_a_failed_self_check_is_refused(pm, how, words):
    old = pm.dir / "oldhome"
    pids, before = up(pm, PMCTL_TEST_HOME=str(old)), pm.daemon()
    if how == "old-state":
        shutil.copytree(pm.home / "state", old / "state")
        state = json.loads((old / "state" / "state").read_bytes().split(b"\n", 1)[1])
        state["format"] = 2
        write_state(old / "state" / "state", json.dumps(state).encode())
    r = pm.fails(1, "daemon", "upgrade", str(fake(pm, how)))
    assert words in r.err and "nothing was changed" in r.err
    untouched(pm, pids, before)


def write_state(path, data):
    path.write_bytes(b"pmctl-state 1 %010d %08x\n" % (len(data), crc32c(data)) + data)


@pytest.mark.parametrize("how,words", [
    ("crash-start", "SIGSEGV"),
    ("crash-late", "SIGABRT"),
    ("hang-start", "not ready after 4 s"),
])
def test_a_bad_one_is_rolled_back(pm, how, words):
    pids, before = up(pm), pm.daemon()
    pm.notice()
    r = pm.fails(9, "daemon", "upgrade", str(fake(pm, how)))
    assert words in r.err and "rolled back" in r.err
    status = pm.rpc("status")
    assert status["upgrade"]["state"] == "rolled_back" and words in status["upgrade"]["why"]
    assert status["keeper_pid"] == before["keeper_pid"]
    assert executes(status["pid"], program("pmctld"))
    told = [e for e in pm.rpc("events")["events"] if e["type"] == "upgrade" and "rolled back" in e["text"]]
    assert len(told) == 1
    untouched(pm, pids)
    pm.ok("daemon", "upgrade")  # a good one is still possible
    untouched(pm, pids)


def test_a_new_keeper_that_crashes_is_replaced(pm):
    pids, before = up(pm), pm.daemon()
    pm.notice()
    pm.ok("daemon", "upgrade", str(fake(pm, "crash-keeper")))
    wait_for(lambda: not alive(before["keeper_pid"]), 10, "the end of the keeper")
    wait_for(lambda: pm.daemon()["keeper_pid"] not in (None, before["keeper_pid"]), 10, "another keeper")
    pm.notice()
    untouched(pm, pids)


def test_a_supervisor_killed_on_trial_is_rolled_back(pm):
    pids, before = up(pm), pm.daemon()
    p = pm.popen("daemon", "upgrade", str(another_version(pm)))
    new = wait_for(lambda: pm.ctl("ping").rc == 0 and pm.daemon()["version"] == "9.9.9" and pm.daemon(), 10,
                   "the new supervisor")
    os.kill(new["pid"], signal.SIGKILL)
    _, err = p.communicate(timeout=30)
    assert p.returncode == 9 and b"SIGKILL" in err, err
    assert pm.daemon()["version"] == before["version"]
    untouched(pm, pids)


def test_it_waits_for_what_is_under_way(pm):
    pids = up(pm)
    slow = pm.dir / "slow.ini"
    slow.write_text(f"[app:slow]\ncommand = sh -c 'while [ ! -e {pm.dir}/gate ]; do sleep 0.02; done; exec sleep 1000'\n"
                    f"ready = exec:test -e {pm.dir}/gate\nready_timeout = 30s\n")
    start = pm.popen("start", str(slow))
    wait_for(lambda: "slow" in pm.ok("list", "--json").out and pm.state("slow") == "starting", 10, "the start")
    before = pm.daemon()
    upgrade = pm.popen("daemon", "upgrade")
    wait_for(lambda: "upgrade" in pm.daemon_log() and "content" in pm.daemon_log(), 10, "the self-check")
    assert pm.daemon()["pid"] == before["pid"]
    (pm.dir / "gate").touch()
    assert start.wait(timeout=20) == 0 and upgrade.wait(timeout=20) == 0
    assert pm.daemon()["pid"] != before["pid"] and pm.state("slow") == "online"
    assert pm.pids("web") + pm.pids("p") == pids


def test_two_at_once(pm):
    pids = up(pm)
    path = fake(pm, "hang-check")
    first = pm.popen("daemon", "upgrade", str(path))
    check = wait_for(lambda: [p for p in children(pm) if b"--self-check" in read_proc(p, "cmdline")], 10,
                     "the self-check")
    assert "under way" in pm.fails(1, "daemon", "upgrade").err
    os.kill(check[0], signal.SIGKILL)
    assert first.wait(timeout=30 * SLOW) == 1
    pm.ok("daemon", "upgrade")
    assert pm.pids("web") + pm.pids("p") == pids


def children(pm):
    pid = pm.daemon()["pid"]
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and (stat_of(int(name)) or (0,))[0] == pid:
            found.append(int(name))
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="root's rule")
def test_root_does_not_execute_what_others_may_write(pm):
    up(pm)
    path = another_version(pm)
    path.chmod(0o775)
    assert "others than root" in pm.fails(6, "daemon", "upgrade", str(path)).err


class Load(threading.Thread):
    """Keep-alive requests, one after the other, until it is told to end."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.end, self.ok, self.failed = port, False, 0, []

    def run(self):
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        while not self.end:
            try:
                conn.request("GET", "/")
                r = conn.getresponse()
                r.read()
                self.ok += 1
                if r.getheader("Connection") == "close":
                    conn.close()
            except (OSError, http.client.HTTPException) as e:
                self.failed.append(repr(e))
                conn.close()


@pytest.mark.parametrize("balance", ["shared", "reuseport", "round-robin"])
def test_no_request_is_lost(pm, port, balance):
    pm.up(f"[app:web]\nscript = {NODE_APPS}/http.js\ninstances = 2\nbalance = {balance}\nenv.PORT = {port}\n")
    before = pm.pids("web")
    loads = [Load(port) for _ in range(4)]
    for load in loads:
        load.start()
    for _ in range(2):
        pm.ok("daemon", "upgrade")
    keeper = pm.daemon()["keeper_pid"]
    pm.notice()
    os.kill(keeper, signal.SIGKILL)
    wait_for(lambda: pm.daemon()["keeper_pid"] not in (None, keeper), 10, "another keeper")
    done = sum(load.ok for load in loads)
    wait_for(lambda: sum(load.ok for load in loads) > done + 20, 10, "requests going on")
    for load in loads:
        load.end = True
    for load in loads:
        load.join(20)
    assert [f for load in loads for f in load.failed] == []
    assert pm.pids("web") == before
    pm.ok("reload", "web")
    assert set(pm.pids("web")).isdisjoint(before)


@needs_strace
def test_a_keeper_that_cannot_be_told_is_no_reason_to_end(pm):
    """The program's descriptor does not get through: whoever ended then would be followed by nobody new."""
    pids, before = up(pm), pm.daemon()
    with Inject(pm, before["pid"], "sendmsg", "ENOBUFS", "1+") as inject:
        r = pm.fails(1, "daemon", "upgrade")
        assert inject.hit()
    assert "nothing was changed" in r.err and "the keeper cannot be told: No buffer space" in r.err
    untouched(pm, pids, before)
    assert "upgraded" in pm.ok("daemon", "upgrade").out
    untouched(pm, pids)


@pytest.mark.skipif(os.geteuid() != 0, reason="the keeper is not dumpable: only root may look")
def test_a_keeper_without_a_descriptor_for_the_program_says_so(pm):
    pids, keeper = up(pm), pm.daemon()["keeper_pid"]
    limits = resource.prlimit(keeper, resource.RLIMIT_NOFILE)
    free = min(set(range(1000)) - {int(n) for n in os.listdir(f"/proc/{keeper}/fd")})
    resource.prlimit(keeper, resource.RLIMIT_NOFILE, (free, limits[1]))
    upgrade = pm.popen("daemon", "upgrade")
    wait_for(lambda: "cannot start a supervisor" in pm.daemon_log(), 10, "the keeper alone")
    resource.prlimit(keeper, resource.RLIMIT_NOFILE, limits)
    _, err = upgrade.communicate(timeout=30 * SLOW)
    assert upgrade.returncode == 9 and b"no descriptor was left" in err, err
    untouched(pm, pids)


def install(pm, source):
    """Puts a pmctld where ours is, as a package does."""
    new = pm.dir / "bin" / "pmctld.new"
    shutil.copy(source, new)
    new.chmod(0o755)
    new.rename(new.with_name("pmctld"))
    return new.with_name("pmctld")


def installed(pm):
    """From now on all is run from a folder of the test."""
    (pm.dir / "bin").mkdir()
    for name in ("pmctl", "pmctl-exec"):
        shutil.copy(program(name), pm.dir / "bin" / name)
    pm.pmctl, pm.pmctld = pm.dir / "bin" / "pmctl", install(pm, program("pmctld"))


def test_the_advice_for_another_keeper_protocol_is_true(pm):
    """It cannot take over in place, but what it is said to do instead works, and costs no app."""
    env = {"PMCTL_TEST_REAL": str(program("pmctld"))}
    installed(pm)
    pids, before = up(pm), pm.daemon()
    pm.notice()
    (pm.dir / "elsewhere").mkdir()
    elsewhere = shutil.copy(app_path("fakedaemon"), pm.dir / "elsewhere" / "pmctld")
    advice = "pmctl daemon stop --leave-running && pmctl daemon start\n"
    r = pm.fails(1, "daemon", "upgrade", elsewhere)
    assert f"with the apps running: install it as {pm.pmctld}, then {advice}" in r.err
    install(pm, elsewhere)
    protocol = subprocess.check_output([program("pmctld"), "--self-check"], env=pm.env(), text=True).split()[-1]
    r = pm.fails(1, "daemon", "upgrade")
    assert f"(keeper protocol 999, not {protocol}); with the apps running: {advice}" in r.err
    untouched(pm, pids, before)
    pm.ok("daemon", "stop", "--leave-running")
    pm.ok("daemon", "start", env=env)
    now = pm.daemon()
    assert now["keeper_pid"] != before["keeper_pid"] and not alive(before["keeper_pid"])
    assert b"PMCTL_TEST_OURS=1" in read_proc(now["keeper_pid"], "environ") or os.geteuid() != 0
    assert "another keeper protocol" in pm.daemon_log()
    untouched(pm, pids)


def test_a_signal_to_rest_ends_all_whatever_is_installed(pm):
    """Told to end while no supervisor runs, and the new one cannot help: the old one stops the apps."""
    installed(pm)
    pids, keeper = up(pm), pm.daemon()["keeper_pid"]
    pm.notice()
    install(pm, app_path("fakedaemon"))
    pm.ok("daemon", "stop", "--leave-running")
    os.kill(keeper, signal.SIGTERM)
    wait_for(lambda: not alive(keeper), 20, "the end of all")
    assert not any(map(alive, pids))


def test_a_daemon_that_was_stopped_meanwhile_is_not_waited_for(pm):
    up(pm)
    before = pm.daemon()
    upgrade = pm.popen("daemon", "upgrade", "--timeout", "600")
    wait_for(lambda: pm.ctl("ping").rc == 0 and pm.daemon()["pid"] != before["pid"], 10, "the new supervisor")
    pm.notice()
    pm.ok("daemon", "stop")
    _, err = upgrade.communicate(timeout=60 * SLOW)
    assert upgrade.returncode == 5 and b"pmctld was stopped meanwhile" in err, err
