# SPDX-License-Identifier: MIT
"""The daemon itself from the command line, and the words PM2 taught people's fingers."""
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess

import pytest

from conftest import SLOW, alive, wait_for

APP = "[app:web]\ncommand = sleep 1000000\nready = spawn\n"


def test_start_status_stop(pm):
    assert "started" in pm.ok("daemon", "start").out
    d = pm.daemon()
    status = pm.ok("daemon", "status")
    assert f"pid {d['pid']}" in status.out and f"keeper pid {d['keeper_pid']}" in status.out
    assert str(pm.home / "run") in status.out
    js = pm.ok("daemon", "status", "--json").json()
    assert js["v"] == 1 and js["pid"] == d["pid"] and js["keeper_pid"] == d["keeper_pid"]
    r = pm.ok("daemon", "start")
    assert "already" in r.out + r.err
    pm.ok("daemon", "stop")
    wait_for(lambda: not alive(d["pid"]) and not alive(d["keeper_pid"]), 5, "both ended")
    pm.fails(5, "daemon", "status")
    assert "not running" in pm.ok("daemon", "stop").err


def test_paths_need_no_daemon(pm):
    out = pm.ok("daemon", "paths").out
    assert str(pm.socket) in out and not pm.home.exists()


def test_kill_save_resurrect(pm):
    pm.up(APP)
    old = pm.pids("web")[0]
    pm.ok("save")
    pm.ok("kill")
    assert not alive(old)
    pm.ok("resurrect")
    wait_for(lambda: pm.state("web") == "online", 10, "the app again")
    pm.ok("resurrect")  # nothing to do is no failure


def test_exit_codes_are_explained(pm):
    out = pm.ok("help", "exit-codes").out
    assert [int(n) for n in re.findall(r"^ *(\d+) ", out, re.M)][:11] == list(range(11))


def test_a_home_that_cannot_be_written(pm):
    pm.dir.chmod(0o755)
    blocker = pm.dir / "file"
    blocker.write_text("")
    r = pm.ctl("daemon", "start", env={"PMCTL_HOME": str(blocker / "h")})
    assert r.rc in (1, 5, 6) and str(blocker) in r.err, r
    r = pm.ctl("daemon", "start", env={"PMCTL_HOME": "relative/path"})
    assert r.rc in (1, 2, 5) and "absolute" in r.err, r
    r = pm.ctl("daemon", "start", env={"PMCTL_HOME": "/tmp/" + "x" * 200})
    assert r.rc in (1, 2, 5, 6) and "long" in r.err, r
    assert not os.path.exists("/tmp/" + "x" * 200)


def test_ctrl_c_is_one_signal(pm):
    """A terminal signals keeper and supervisor, and the keeper passes it on: the apps still get their time."""
    p = subprocess.Popen([pm.pmctld, "--foreground"], env=pm.env(), stdin=subprocess.DEVNULL, start_new_session=True,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pm.popens.append(p)
    wait_for(lambda: pm.ctl("ping").rc == 0, 10, "the daemon")
    pm.up("[app:slow]\ncommand = sh -c 'trap \"sleep 0.5; echo clean; exit 0\" TERM; echo up; while :; do sleep 0.05; done'\n"
          "ready = spawn\nstop_timeout = 10s\n")
    pm.wait_log("slow", "up")
    os.killpg(p.pid, signal.SIGINT)
    assert p.wait(timeout=30 * SLOW) == 0
    assert pm.log("slow").endswith(b"clean\n")


def test_a_caller_that_ignores_sigchld(pm):
    """An ignored signal is inherited; with SIGCHLD ignored no exit would ever be seen."""
    pm.ini("[app:c]\ncommand = sh -c 'sleep 0.2; exit 3'\nready = spawn\nautorestart = never\n")
    subprocess.run([pm.pmctl, "start"], env=pm.env(), cwd=pm.dir, timeout=30, check=True, capture_output=True,
                   preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    assert pm.wait_state("c", "done")["procs"][0]["last_exit"]["code"] == 3


def test_a_removed_socket_is_made_anew(pm):
    pm.up(APP)
    pid, sup = pm.pids("web")[0], pm.daemon()["pid"]
    pm.socket.unlink()
    pm.fails(5, "list")
    pm.ok("daemon", "start")
    assert pm.daemon()["pid"] == sup and pm.pids("web") == [pid]
    shutil.rmtree(pm.home / "run")
    pm.ok("daemon", "stop")
    assert not alive(pid)


def take_listener(pm):
    """A descriptor of the control socket that listens, as a thread of a killed supervisor has that waits for a disk."""
    pid = pm.daemon()["pid"]
    pidfd = os.pidfd_open(pid)
    for name in os.listdir(f"/proc/{pid}/fd"):
        fd = ctypes.CDLL(None).syscall(438, pidfd, int(name), 0)  # pidfd_getfd
        if fd >= 0 and os.readlink(f"/proc/self/fd/{fd}").startswith("socket:"):
            s = socket.socket(fileno=fd)
            if s.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) and s.getsockname() == str(pm.socket):
                os.close(pidfd)
                return s
            s.close()
        elif fd >= 0:
            os.close(fd)
    raise AssertionError("no such descriptor")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for pidfd_getfd")
@pytest.mark.parametrize("command", [["daemon", "start"], ["start", "late.ini"]])
def test_one_that_was_killed_and_seems_to_listen(pm, command):
    """The first answer was the end of the connection, and the second that nobody listens."""
    pm.up(APP)
    (pm.dir / "late.ini").write_text("[pmctl]\nproject = late\n[app:late]\ncommand = sleep 1000000\nready = spawn\n")
    pids, listener = pm.pids("web"), take_listener(pm)
    pm.kill_both()
    p = pm.popen(*command)
    listener.settimeout(20 * SLOW)
    listener.accept()[0].close()
    listener.close()
    assert p.wait(timeout=20 * SLOW) == 0, p.stderr.read()
    assert pm.pids("web") == pids


def test_closed_standard_output_is_an_error(pm):
    pm.up(APP)
    p = subprocess.run(["bash", "-c", f"{pm.pmctl} list >&-"], env=pm.env(), capture_output=True, timeout=30)
    assert p.returncode == 1 and b"write the output" in p.stderr
    p = subprocess.run(["bash", "-c", f"{pm.pmctl} ping <&- >&- 2>&-"], env=pm.env(), timeout=30)
    assert p.returncode == 1


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("strace"), reason="needs root and strace")
def test_a_keeper_that_dies_before_it_is_ready_is_no_success(pm):
    """Killed as it is about to start its first supervisor: silence must not be taken for yes."""
    kill = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=socketpair", "-e", "inject=socketpair:signal=SIGKILL:when=1"]
    p = subprocess.run([*kill, pm.pmctld], env=pm.env(), capture_output=True, text=True, timeout=30 * SLOW)
    assert p.returncode == 1
    assert p.stderr == "pmctld: the keeper ended before it was ready, killed by SIGKILL\n"
    pm.fails(5, "ping")
    r = pm.ctl("daemon", "start")
    assert r.rc == 0 and "started" in r.out
