# SPDX-License-Identifier: MIT
"""doctor: what is wrong here, and what helps."""
import os
import re
import shutil
import signal
import socket
import subprocess

import pytest

from conftest import SLOW, program, wait_for

SLEEPER = "[app:s]\ncommand = sleep 1000000\nready = spawn\n"


def findings(pm, rc=None, **kw):
    """{name: [finding, ...]}, after a look at the whole answer."""
    r = pm.ctl("doctor", "--json", **kw)
    answer = r.json()
    failed = [f for f in answer["checks"] if f["result"] == "fail"]
    assert answer["v"] == 1 and answer["failures"] == len(failed) and answer["ok"] == (not failed), answer
    assert r.rc == (1 if failed else 0) and (rc is None or r.rc == rc), r
    found = {}
    for f in answer["checks"]:
        assert f["result"] in ("ok", "warn", "fail") and f["text"], f
        assert f["result"] != "ok" or f["fix"] is None, f
        assert f["result"] != "fail" or f["fix"], f
        found.setdefault(f["name"], []).append(f)
    return found


def follow(pm, finding):
    """Does what is told, to the letter; what stands in brackets is for other cases."""
    command = re.sub(r" \([^()]*\)$", "", finding["fix"])
    env = pm.env()
    env["PATH"] = f"{pm.pmctl.parent}:{env['PATH']}"
    subprocess.run(["sh", "-c", command], env=env, cwd=pm.dir, check=True, timeout=60 * SLOW, capture_output=True)


@pytest.fixture(autouse=True)
def odd_home(pm):
    """Fixes are given to a shell."""
    pm.home = pm.dir / "it's $HOME"
    pm.socket, pm.logdir = pm.home / "run" / "control.sock", pm.home / "log"


def test_without_a_daemon(pm):
    found = findings(pm, 0)
    assert {"runtime", "state", "logs", "socket", "leftovers", "daemon", "version", "boot", "nofile", "nproc", "cgroup",
            "clock", "disk-state", "disk-logs", "core", "inotify"} == set(found)
    assert found["daemon"][0]["result"] == "warn" and found["daemon"][0]["fix"] == "pmctl daemon start"
    assert not pm.home.exists(), "it must not make or start anything"


def test_a_line_for_each(pm):
    pm.up(SLEEPER)
    r = pm.ok("doctor")
    lines = r.out.splitlines()
    for line in lines:
        word, name = line.split()[:2]
        assert word in ("ok", "warn") and (word == "ok") == ("; fix: " not in line), line
    assert f"{len(lines)} checks: 0 failed" in r.err
    found = findings(pm, 0)
    assert [f["result"] for name in ("daemon", "version", "apps", "list", "socket") for f in found[name]] == ["ok"] * 5
    assert "\x1b" not in r.out and "\x1b[" in pm.ok("doctor", "--color=always").out


@pytest.mark.parametrize("name", ["run", "state", "log"])
def test_directories(pm, name):
    names = {"run": "runtime", "state": "state", "log": "logs"}
    path = pm.home / name
    path.mkdir(parents=True)
    path.chmod(0o755)
    [f] = findings(pm, 1)[names[name]]
    assert f["result"] == "fail" and f["fix"].startswith("chmod 7")
    follow(pm, f)
    findings(pm, 0)
    path.rmdir()
    path.symlink_to("/tmp")
    [f] = findings(pm, 1)[names[name]]
    assert "symbolic link" in f["text"]
    follow(pm, f)
    findings(pm, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="others than root are not asked")
def test_parents_that_others_can_write_to(pm):
    (pm.home / "state").mkdir(parents=True, mode=0o700)
    pm.dir.chmod(0o777)
    [f] = findings(pm, 1)["state"]
    follow(pm, f)
    findings(pm, 0)
    os.chown(pm.home, 12345, -1)
    follow(pm, findings(pm, 1)["state"][0])
    findings(pm, 0)


@pytest.mark.parametrize("name", ["state", "log"])
def test_a_directory_that_is_taken_away(pm, name):
    pm.up(SLEEPER)
    pid = pm.proc("s")["pid"]
    shutil.rmtree(pm.home / name)
    [f] = findings(pm, 1)[{"log": "logs"}.get(name, name)]
    follow(pm, f)
    findings(pm, 0)
    assert pm.proc("s")["pid"] == pid


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_directory_of_somebody_else(pm):
    (pm.home / "state").mkdir(parents=True, mode=0o700)
    os.chown(pm.home / "state", 12345, 12345)
    [f] = findings(pm, 1)["state"]
    assert "belongs to uid 12345" in f["text"]
    follow(pm, f)
    findings(pm, 0)


def test_a_socket_that_is_gone(pm):
    pm.up(SLEEPER)
    pm.socket.unlink()
    found = findings(pm, 1)
    assert found["socket"][0]["fix"].startswith("pmctl daemon start") and found["daemon"][0]["result"] == "fail"
    pm.ok("daemon", "start")
    findings(pm, 0)
    pm.socket.chmod(0o666)
    follow(pm, findings(pm, 1)["socket"][0])
    findings(pm, 0)


@pytest.mark.parametrize("who", ["pid", "keeper_pid"])
def test_a_daemon_that_is_stopped(pm, who):
    pm.up(SLEEPER)
    pid = pm.daemon()[who]
    os.kill(pid, signal.SIGSTOP)
    [f] = findings(pm, 1, timeout=60)["daemon"]
    assert "is stopped" in f["text"] and str(pid) in f["text"]
    follow(pm, f)
    findings(pm, 0)


def test_a_daemon_that_hangs(pm):
    """Something else listens and says nothing, while the supervisor lives."""
    pm.up(SLEEPER)
    before, pid = pm.daemon()["pid"], pm.proc("s")["pid"]
    pm.socket.rename(pm.dir / "moved")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(pm.socket))
        pm.socket.chmod(0o600)
        s.listen(5)
        [f] = findings(pm, 1, timeout=60)["daemon"]
        assert "no answer" in f["text"] and f["fix"].startswith(f"kill -9 {before} ")
    follow(pm, f)
    wait_for(lambda: pm.ctl("ping").rc == 0, 10)
    assert pm.daemon()["pid"] != before and pm.proc("s")["pid"] == pid


def test_leftovers(pm):
    (pm.home / "state").mkdir(parents=True, mode=0o700)
    for name in ("state.corrupt-2026\x1b[31m", "instances.old", "state.prev"):
        (pm.home / "state" / name).write_text("")
    [f] = findings(pm, 0)["leftovers"]
    assert f["result"] == "warn" and "2 damaged" in f["text"] and "state.prev" not in f["text"]
    assert "\x1b" not in pm.ok("doctor").out
    follow(pm, f)
    assert findings(pm, 0)["leftovers"][0]["result"] == "ok"
    assert (pm.home / "state" / "state.prev").exists()


def test_limits(pm):
    def low():
        import resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (500, 500))
    p = subprocess.run([str(pm.pmctl), "doctor"], env=pm.env(), cwd=pm.dir, capture_output=True, text=True,
                       preexec_fn=low, timeout=30 * SLOW)
    line = next(l for l in p.stdout.splitlines() if l.split()[1] == "nofile")
    assert p.returncode == 1 and line.startswith("fail") and "500" in line and "LimitNOFILE" in line


def test_a_disk_that_is_read_only(pm):
    if not os.path.isdir("/proc/sys") or not os.statvfs("/proc/sys").f_flag & os.ST_RDONLY:
        pytest.skip("nothing is mounted read-only where it is needed")
    home = "/proc/sys/pmctl"
    assert "read-only" in findings(pm, 1, env={"PMCTL_HOME": home})["disk-state"][0]["text"]


def test_versions(pm):
    """Another pmctld beside pmctl, as after half an installation."""
    folder = pm.dir / "bin"
    folder.mkdir()
    shutil.copy(pm.pmctl, folder / "pmctl")
    (folder / "pmctld").write_text("#!/bin/sh\necho pmctld 9.9.9\n")
    (folder / "pmctld").chmod(0o755)
    pm.pmctl = folder / "pmctl"
    [f] = findings(pm, 0)["version"]
    assert f["result"] == "warn" and "9.9.9" in f["text"]
    (folder / "pmctld").write_text("#!/bin/sh\nexit 1\n")
    assert findings(pm, 1)["version"][0]["result"] == "fail"


def test_a_program_that_was_replaced(pm):
    for name in ("pmctld", "pmctl", "pmctl-exec"):
        shutil.copy(program(name), pm.dir)
    pm.pmctl = pm.dir / "pmctl"
    pm.ok("daemon", "start")
    assert findings(pm, 0)["version"][0]["result"] == "ok"
    shutil.copy(pm.pmctld, pm.dir / "new")
    os.rename(pm.dir / "new", pm.dir / "pmctld")
    [f] = findings(pm, 0)["version"]
    assert f["result"] == "warn" and "pmctl daemon upgrade" in f["fix"]


def test_apps(pm):
    script = pm.dir / "app.sh"
    tool = pm.dir / "tool"
    script.write_text("exec sleep 1000000\n")
    tool.write_text("#!/bin/sh\nexec sleep 1000000\n")
    tool.chmod(0o755)
    pm.up(SLEEPER + "[app:a]\nscript = app.sh\nready = spawn\n[app:b]\ncommand = ./tool\nready = spawn\n")
    assert findings(pm, 0)["apps"][0]["text"] == "what 3 apps run is there"
    script.unlink()
    tool.chmod(0o644)
    a, b = findings(pm, 1)["apps"]
    assert a["text"] == "a: script app.sh is not there" and b["text"].startswith("b: ./tool is not there")


def test_the_list_of_this_directory(pm):
    pm.ini("[app:a]\ncommand = x\ncomand = sleep 1\nwat = 1\n")
    [f] = findings(pm, 1)["list"]
    assert "comand" in f["text"] and "2 errors" in f["text"] and f["fix"] == "pmctl check pmctl.ini"


def test_boot(pm):
    """With a systemctl that says what is enabled."""
    folder = pm.dir / "bin"
    folder.mkdir()
    env = {"PATH": f"{folder}:{pm.env()['PATH']}"}

    def systemctl(word):
        (folder / "systemctl").write_text(f'#!/bin/sh\ncase "$*" in *is-enabled*) echo {word} ;; esac\n')
        (folder / "systemctl").chmod(0o755)
    systemctl("disabled")
    [f] = findings(pm, 0, env=env)["boot"]
    assert f["result"] == "warn" and f["fix"] == "pmctl startup"
    systemctl("enabled")
    [f] = findings(pm, 0, env=env)["boot"]
    assert f["result"] == "ok" if os.geteuid() == 0 else (f["fix"] or "loginctl enable-linger").startswith("loginctl enable-linger")
