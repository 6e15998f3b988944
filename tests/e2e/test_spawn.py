# SPDX-License-Identifier: MIT
"""What an app is given, and what is said when it cannot be started."""
import json
import os
import pwd
import shutil
import signal
import subprocess

import pytest

from conftest import APPS, NODE_APPS, app_path, read_proc, wait_for
from test_limits import nobody

root = pytest.mark.skipif(os.getuid() != 0, reason="needs root")
TWO = "[app:other]\ncommand = sleep 1000000\n"


def cannot(pm, text, *wanted):
    """The app fails to start with these words; another one is untouched; no process is left for it."""
    pm.ini(TWO + text)
    r = pm.fails(1, "start")
    said = r.out + r.err
    for word in wanted:
        assert word in said, said
    assert pm.state("other") == "online"
    pm.wait_for(lambda: pm.state("w") in ("backoff", "failed", "stopped") and pm.pids("w") == [None])
    assert pm.app("w")["note"]
    return said


def test_cwd_missing(pm):
    cannot(pm, "[app:w]\ncommand = sleep 1\ncwd = /srv/nosuch\n",
           "cannot start w:0: chdir /srv/nosuch: No such file or directory")


def test_program_missing(pm):
    cannot(pm, "[app:w]\ncommand = /nosuch/prog\n", "cannot start w:0: exec /nosuch/prog: No such file or directory")


def test_program_not_in_path(pm):
    cannot(pm, "[app:w]\ncommand = nosuchprog\n", "cannot start w:0: ", "nosuchprog", "No such file or directory")


def test_script_missing(pm):
    cannot(pm, "[app:w]\nscript = nosuch.js\n", "cannot start w:0: ", "nosuch.js: No such file or directory")


def test_not_executable(pm):
    (pm.dir / "prog").write_text("#!/bin/sh\n")
    cannot(pm, "[app:w]\nscript = prog\n", "cannot start w:0: ", "prog: Permission denied")


def test_a_directory(pm):
    cannot(pm, "[app:w]\ncommand = /tmp\n", "cannot start w:0: exec /tmp: Permission denied")


def test_bad_interpreter_line(pm):
    (pm.dir / "prog").write_text("#!/nosuch/sh\n")
    (pm.dir / "prog").chmod(0o755)
    said = cannot(pm, "[app:w]\nscript = prog\n", "cannot start w:0: ", "prog", "No such file or directory")
    assert "/nosuch/sh" in said


def test_interpreter_missing(pm):
    cannot(pm, f"[app:w]\nscript = {APPS}/hello.py\ninterpreter = nosuchpython\n", "cannot start w:0: ", "nosuchpython")


def test_wrong_format(pm):
    (pm.dir / "prog").write_bytes(b"\x7fELF garbage")
    (pm.dir / "prog").chmod(0o755)
    cannot(pm, "[app:w]\nscript = prog\n", "cannot start w:0: ", "prog", "Exec format error")


def test_a_program_that_is_being_written(pm):
    """ETXTBSY; a new try succeeds once the writer is done."""
    shutil.copy("/bin/sleep", pm.dir / "prog")
    with open(pm.dir / "prog", "r+b"):
        cannot(pm, "[app:w]\ncommand = ./prog 1000000\nrestart_delay = 50ms\nrestart_delay_max = 50ms\nmax_restarts = 0\n",
               "cannot start w:0: ", "Text file busy")
    pm.wait_state("w", "online")


@root
def test_an_exit_before_the_supervisor_knows_of_the_start(pm):
    """strace holds the parent back in clone3 while the child ends: its status is not lost."""
    if not shutil.which("strace"):
        pytest.skip("no strace")
    pm.up(TWO)
    sup = pm.daemon()["pid"]
    tracer = subprocess.Popen(["strace", "-qq", "-o", "/dev/null", "-e", "trace=clone3", "-e", "inject=clone3:delay_exit=300000", "-p", str(sup)])
    try:
        wait_for(lambda: b"TracerPid:\t0" not in read_proc(sup, "status") or tracer.poll() is not None, 10, "strace")
        pm.ini(TWO + f"[app:w]\ncommand = {app_path('exiter')} 7\nautorestart = never\nready = spawn\n")
        pm.ctl("start")
    finally:
        tracer.terminate()
        tracer.wait()
    assert pm.wait_state("w", "done")["procs"][0]["last_exit"]["code"] == 7


@root
@pytest.mark.parametrize("key", ["user", "group"])
def test_unknown_user_or_group(pm, key):
    pm.ini(TWO + f"[app:w]\ncommand = sleep 1000000\n{key} = nosuchone\n")
    r = pm.ctl("start")
    assert r.rc in (1, 7) and "nosuchone" in r.err
    if r.rc == 1:
        assert pm.state("other") == "online" and pm.pids("w") == [None]


@root
def test_another_user_without_the_right(pm):
    """Refused by the daemon of an ordinary user, before anything runs as the wrong one."""
    user = nobody(pm)
    user.ini(TWO + "[app:w]\ncommand = sleep 1000000\nuser = root\n")
    r = user.ctl("start")
    assert r.rc != 0 and "only a pmctld of root" in r.out + r.err, r
    assert not any(p["pid"] for a in user.list()["apps"] if a["name"] == "w" for p in a["procs"])


@root
def test_a_step_that_hangs_ends_in_time(pm):
    """As on a mount that never answers: strace holds the stub back in chdir. The supervisor does not wait for it."""
    if not shutil.which("strace"):
        pytest.skip("no strace")
    pm.up(TWO)
    sup = pm.daemon()["pid"]
    tracer = subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=chdir", "-e", "inject=chdir:delay_enter=60000000", "-p", str(sup)])
    try:
        wait_for(lambda: b"TracerPid:\t0" not in read_proc(sup, "status") or tracer.poll() is not None, 10, "strace")
        pm.ini(TWO + "[app:w]\ncommand = sleep 1000000\nready_timeout = 300ms\nmin_uptime = 200ms\nmax_restarts = 1\nstop_timeout = 100ms\n")
        pm.ok("start", "--no-wait")
        pid = wait_for(lambda: pm.pids("w")[0], 5, "the stub")
        wait_for(lambda: "not ready within 300ms" in pm.ok("events", "w").out, 10, "the end of its time")
        wait_for(lambda: "SIGKILL" in pm.ok("events", "w").out, 10, "SIGKILL")
        assert pm.pids("w") == [pid] and pm.state("w") == "stopping"  # no second one beside it
    finally:
        tracer.kill()
        tracer.wait()
    pm.ok("stop", "w")
    assert pm.state("other") == "online" and pm.daemon()["pid"] == sup


def test_too_big_an_environment(pm):
    (pm.dir / "big.env").write_text(f"BIG={'x' * 200000}\n")
    cannot(pm, "[app:w]\ncommand = sleep 1000000\nenv_file = big.env\n", "cannot start w:0: ", "Argument list too long")


def test_env_file_missing(pm):
    cannot(pm, "[app:w]\ncommand = sleep 1000000\nenv_file = nosuch.env\n", "cannot start w:0: ", "nosuch.env",
           "No such file or directory")


def test_a_new_try_succeeds_once_the_file_is_there(pm):
    pm.ini("[app:w]\ncommand = ./prog\nrestart_delay = 50ms\nrestart_delay_max = 100ms\nmax_restarts = 0\n")
    pm.fails(1, "start")
    prog = pm.dir / "prog.new"
    prog.write_text("#!/bin/sh\nexec sleep 1000000\n")
    prog.chmod(0o755)
    prog.rename(pm.dir / "prog")
    pm.wait_state("w", "online")


def test_no_storm_and_no_zombies(pm):
    pm.ini("[app:w]\ncommand = /nosuch\nmax_restarts = 3\nrestart_delay = 10ms\n")
    pm.fails(1, "start")
    app = pm.wait_state("w", "failed")
    assert app["restarts"] == 3 and "No such file" in app["note"]
    assert "No such file" in pm.ok("why", "w").out


# --- what a running app sees

def seen(pm, extra="", command=None):
    pm.up(f"[app:w]\ncommand = {command or app_path('inspect')}\n{extra}\n")
    return json.loads(pm.wait_log("w", "\n"))


def test_environment_is_the_contracts(pm):
    pm.ini(f"[app:w]\ncommand = {app_path('inspect')}\n")
    pm.ok("start", env={"SECRET_OF_CALLER": "1", "name": "x", "LC_TIME": "C", "NODE_OPTIONS": "--bad"})
    env = dict(e.split("=", 1) for e in json.loads(pm.wait_log("w", "\n"))["env"])
    login = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ"}
    ours = {"NODE_APP_INSTANCE", "PMCTL_APP", "PMCTL_SLOT", "PMCTL_ID"}
    assert {k for k in env if not k.startswith("LC_")} - login == ours
    me = pwd.getpwuid(os.getuid())
    assert env["HOME"] == me.pw_dir and env["USER"] == me.pw_name and env["SHELL"] == me.pw_shell
    assert env["PMCTL_APP"] == "w" and env["PMCTL_SLOT"] == "0" and env["PMCTL_ID"] == str(pm.proc("w")["id"])


def test_descriptors(pm):
    fds = seen(pm)["fds"]
    assert set(fds) == {"0", "1", "2"} and fds["0"] == "/dev/null"
    assert fds["1"].startswith("pipe:") and fds["2"].startswith("pipe:") and fds["1"] != fds["2"]


def test_descriptors_with_listen(pm, port):
    out = seen(pm, f"listen = {port}, unix:{pm.dir}/s\n")
    assert set(out["fds"]) == {"0", "1", "2", "3", "4"} and out["fds"]["4"].startswith("socket:")
    env = dict(e.split("=", 1) for e in out["env"])
    assert env["LISTEN_FDS"] == "2" and env["LISTEN_PID"] == str(out["pid"]) and env["LISTEN_FDNAMES"].count(":") == 1


def test_no_descriptor_of_the_caller(pm):
    r, w = os.pipe()
    os.set_inheritable(w, True)
    pm.ini(f"[app:w]\ncommand = {app_path('inspect')}\n")
    p = pm.popen("start", close_fds=False)
    assert p.wait(20) == 0
    assert set(json.loads(pm.wait_log("w", "\n"))["fds"]) == {"0", "1", "2"}
    os.close(w)
    os.set_blocking(r, False)
    assert os.read(r, 1) == b""  # nobody, neither daemon nor app, holds the other end
    os.close(r)


def test_signals_are_default(pm):
    blocked = {signal.SIGUSR1, signal.SIGHUP}

    def ugly():
        signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    pm.ini(f"[app:w]\ncommand = {app_path('inspect')}\n")
    assert pm.popen("start", preexec_fn=ugly, restore_signals=False).wait(20) == 0
    assert json.loads(pm.wait_log("w", "\n"))["blocked_or_ignored"] == []


def test_session_and_terminal(pm):
    out = seen(pm)
    assert out["sid"] == out["pgid"] == out["pid"] and out["tty"] is False
    assert out["ppid"] == pm.daemon()["keeper_pid"]


def test_umask_nice_limits_affinity(pm):
    out = seen(pm, "umask = 027\nnice = 5\nlimit.nofile = 333\nlimit.core = 0\ncpu_affinity = 0\n")
    assert out["umask"] == 0o27 and out["nice"] == 5 and out["cpus"] == [0]
    assert out["nofile"][0] == 333 and out["core"][0] == 0


def test_defaults_of_these(pm):
    out = seen(pm)
    assert out["umask"] == 0o22 and out["nice"] == 0 and out["cpus"] == sorted(os.sched_getaffinity(0))


def test_affinity_auto(pm):
    pm.up(f"[app:w]\ncommand = {app_path('inspect')}\ninstances = 3\ncpu_affinity = auto\n")
    cpus = sorted(os.sched_getaffinity(0))
    for slot in range(3):
        assert json.loads(pm.wait_log("w", "\n", slot))["cpus"] == [cpus[slot % len(cpus)]]


@root
def test_user(pm):
    out = seen(pm, "user = nobody\n")
    who = pwd.getpwnam("nobody")
    assert (out["uid"], out["euid"], out["gid"], out["egid"]) == (who.pw_uid, who.pw_uid, who.pw_gid, who.pw_gid)
    assert 0 not in out["groups"]
    env = dict(e.split("=", 1) for e in out["env"])
    assert env["USER"] == "nobody" and env["HOME"] == who.pw_dir


@root
def test_user_and_group(pm):
    out = seen(pm, "user = nobody\ngroup = daemon\n")
    assert out["uid"] == pwd.getpwnam("nobody").pw_uid and out["gid"] == out["egid"] == 1


@root
def test_a_clustered_app_of_another_user(pm, port):
    pm.up(f"[app:w]\nscript = {NODE_APPS}/http.js\ninstances = 2\nuser = nobody\nenv.PORT = {port}\n")
    assert pm.state("w") == "online"
    assert os.stat(f"/proc/{pm.pids('w')[0]}").st_uid == pwd.getpwnam("nobody").pw_uid


@pytest.mark.parametrize("name,text", [("hello.sh", "hello from bash 5: x"), ("hello.py", "hello from python x"),
                                       ("hello.pl", "hello from perl x")])
def test_interpreter_by_extension(pm, name, text):
    pm.up(f"[app:w]\nscript = {APPS}/{name}\nargs = x\n")
    pm.wait_log("w", text + "\n")


def test_interpreter_args_and_none(pm):
    pm.up(f"[app:w]\nscript = {APPS}/hello.sh\ninterpreter_args = -x\n")
    pm.wait_log("w", "+ echo", stream="err")
    (pm.dir / "x.py").write_text("#!/bin/sh\necho really sh\nexec sleep 1000000\n")
    (pm.dir / "x.py").chmod(0o755)
    pm.ini("[app:v]\nscript = x.py\ninterpreter = none\n")
    pm.ok("start")
    pm.wait_log("v", "really sh\n")


def test_secrets_are_not_in_argv(pm):
    pm.up("[app:w]\ncommand = sleep 1000000\nenv.SECRET = hush-hush\n")
    d = pm.daemon()
    for pid in (d["pid"], d["keeper_pid"]):
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            assert b"hush" not in f.read()
    wait_for(lambda: pm.state("w") == "online", 5)
    assert "hush-hush" not in pm.daemon_log()


def test_a_log_file_that_cannot_be_opened(pm):
    cannot(pm, "[app:w]\ncommand = sleep 1000000\nlog_out = nosuchdir/w.log\nrestart_delay = 50ms\nmax_restarts = 0\n",
           "cannot start w:0: ", "nosuchdir/w.log: No such file or directory")
    (pm.dir / "nosuchdir").mkdir()
    pm.wait_state("w", "online")


def test_a_limit_that_cannot_be_set_is_named(pm):
    cannot(pm, "[app:w]\ncommand = sleep 1000000\nlimit.nofile = 999999999999\n", "cannot start w:0: set limit.nofile to ")


def test_what_never_ran_is_not_done(pm):
    pm.ini("[app:w]\ncommand = /nosuch\nautorestart = never\n")
    pm.fails(1, "start")
    pm.wait_state("w", "failed")
