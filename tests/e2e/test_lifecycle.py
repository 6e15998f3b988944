# SPDX-License-Identifier: MIT
"""Starting, dying, restarting, stopping."""
import json
import os
import re
import resource
import signal
import subprocess
import time

import pytest

from conftest import NODE_APPS, SLOW, alive, all_pids, app_path, ms, read_proc, wait_for

SLEEPER = "sleep 1000000"


def exits(pm, name):
    events = [json.loads(line) for line in pm.ok("events", "--json", "-n", "500", name).out.splitlines()]
    return [e for e in events if e["type"] == "exit"]


def children_of(log):
    return [int(n) for n in re.findall(rb"child (\d+)", log)]


# --- start says what is true

def test_start_of_an_app_that_dies_at_once(pm):
    pm.ini(f"[app:flaky]\ncommand = {app_path('exiter')} 1 100 'Error: connect refused'\nmin_uptime = 2s\n")
    r = pm.fails(1, "start", "--timeout", "20s")
    said = r.out + r.err
    assert re.search(r"flaky:0 exited 1 after 0\.\ds, before it was ready", said), said
    assert "Error: connect refused" in said and "pmctl logs flaky" in said and "pmctl why flaky" in said


def test_start_of_an_app_that_is_killed_at_once(pm):
    pm.ini(f"[app:flaky]\ncommand = {app_path('crasher')} 11 50\nmin_uptime = 2s\n")
    assert "SIGSEGV" in pm.fails(1, "start").err


def test_one_bad_app_does_not_hinder_the_others(pm):
    pm.ini(f"[app:good]\ncommand = {SLEEPER}\n[app:bad]\ncommand = {app_path('exiter')} 3\nmin_uptime = 5s\n")
    pm.fails(1, "start")
    assert pm.state("good") == "online"


def test_bad_deploy_of_node(pm):
    pm.ini(f"[app:bad]\nscript = {NODE_APPS}/bad.js\nmin_uptime = 5s\n")
    r = pm.fails(1, "start")
    assert "no-such-module" in r.out + r.err


# --- exit codes and signals

@pytest.mark.parametrize("code", [0, 1, 75, 255])
def test_exit_code(pm, code):
    pm.ini(f"[app:x]\ncommand = {app_path('exiter')} {code} 300\nready = spawn\nautorestart = never\n")
    pm.ok("start")
    app = pm.wait_state("x", "done")
    last = app["procs"][0]["last_exit"]
    assert (last["code"], last["signal"], last["core"], last["oom"]) == (code, None, False, False)
    assert app["restarts"] == 0 and app["procs"][0]["pid"] is None
    assert f"exit" in pm.ok("show", "x").out


def test_every_deadly_signal_by_name(pm):
    deadly = [n for n in range(1, 32) if n not in (17, 18, 19, 20, 21, 22, 23, 28)] + [signal.SIGRTMIN]
    text = "".join(f"[app:s{int(n)}]\ncommand = {app_path('crasher')} {int(n)} 300\nready = spawn\nautorestart = never\n"
                   f"stop_exit_codes = 0 {128 + n}\nlimit.core = 0\n" for n in deadly)
    pm.up(text)
    for n in deadly:
        app = pm.wait_state(f"s{int(n)}", "done")
        last = app["procs"][0]["last_exit"]
        assert last["code"] is None and last["signal"] == signal.Signals(n).name, (n, last)


def test_a_signal_is_never_a_stop_code(pm):
    pm.up(f"""
    [app:k]
    command = {app_path('crasher')} 9 250
    ready = spawn
    stop_exit_codes = 0 9 137 143
    max_restarts = 0
    """)
    wait_for(lambda: pm.app("k")["restarts"] >= 2, 10, "two restarts")
    assert pm.proc("k")["last_exit"] | {"at": 0} == {
        "code": None, "signal": "SIGKILL", "core": False, "oom": False, "asked": False, "at": 0}


def test_stop_exit_codes(pm):
    pm.up(f"[app:x]\ncommand = {app_path('exiter')} 42 300\nready = spawn\nstop_exit_codes = 0 42\n")
    app = wait_for(lambda: pm.state("x") in ("done", "stopped") and pm.app("x"), 10, "done")
    assert app["restarts"] == 0 and app["procs"][0]["last_exit"]["code"] == 42


def test_core_flag_is_the_kernels(pm):
    def limit():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    try:
        p = subprocess.Popen([app_path("crasher"), "11"], cwd=pm.dir, preexec_fn=limit, stdout=subprocess.DEVNULL)
    except (subprocess.SubprocessError, ValueError):
        pytest.skip("the hard limit of core is 0")
    dumped = os.WCOREDUMP(os.waitpid(p.pid, 0)[1])
    p.returncode = -11
    pm.up(f"[app:c]\ncommand = {app_path('crasher')} 11 300\nready = spawn\nautorestart = never\nlimit.core = unlimited\n")
    assert pm.wait_state("c", "done")["procs"][0]["last_exit"]["core"] == dumped


@pytest.mark.parametrize("policy,code,restarts", [("never", 1, False), ("no", 0, False), ("on-failure", 0, False),
                                                  ("on-failure", 1, True), ("always", 0, True), ("yes", 1, True)])
def test_autorestart(pm, policy, code, restarts):
    pm.up(f"[app:x]\ncommand = {app_path('exiter')} {code} 250\nautorestart = {policy}\n")
    if restarts:
        wait_for(lambda: pm.app("x")["restarts"] >= 2, 10, "restarts")
    else:
        assert pm.wait_state("x", "done")["restarts"] == 0


# --- restart policy

def test_killed_app_is_replaced(pm):
    pm.up(f"[app:w]\ncommand = {SLEEPER}\ninstances = 2\n")
    old = pm.procs("w")
    os.kill(old[1]["pid"], signal.SIGKILL)
    pm.wait_replaced("w", 1, old[1]["pid"])
    new = pm.procs("w")
    assert new[0]["pid"] == old[0]["pid"] and new[0]["restarts"] == 0
    assert new[1]["restarts"] == 1 and new[1]["last_exit"]["signal"] == "SIGKILL"
    assert pm.app("w")["restarts"] == 1


@pytest.mark.parametrize("limit", [1, 5])
def test_failed_after_exactly_so_many(pm, limit):
    pm.ini(f"""
    [app:x]
    command = {app_path('exiter')} 7
    min_uptime = 10s
    max_restarts = {limit}
    restart_delay = 10ms
    restart_delay_max = 50ms
    """)
    pm.fails(1, "start")
    app = pm.wait_state("x", "failed")
    assert app["restarts"] == limit and "7" in app["note"]
    assert pm.log("x").count(b"started") == 1 + limit
    assert pm.fails(3, "status", "x")
    assert "7" in pm.ok("why", "x").out and "last words" in pm.ok("why", "x").out


def test_uptime_does_not_clear_the_window(pm):
    # Each life is longer than min_uptime: PM2 restarts this one for ever.
    pm.up(f"""
    [app:x]
    command = {app_path('exiter')} 7 200
    min_uptime = 50ms
    max_restarts = 3
    restart_delay = 10ms
    """)
    assert pm.wait_state("x", "failed")["restarts"] == 3


def test_start_leaves_failed(pm):
    pm.ini(f"[app:x]\ncommand = {app_path('exiter')} 7\nmin_uptime = 10s\nmax_restarts = 1\nrestart_delay = 10ms\n")
    pm.fails(1, "start")
    pm.wait_state("x", "failed")
    pm.fails(1, "start", "x")
    pm.wait_state("x", "failed")
    assert pm.log("x").count(b"started") == 4
    pm.ok("stop", "x")
    assert pm.state("x") == "stopped"


def test_the_delay_doubles_up_to_its_limit(pm):
    pm.ini("""
    [app:x]
    command = sh -c 'date +%s.%N; exit 1'
    min_uptime = 10s
    restart_delay = 100ms
    restart_delay_max = 400ms
    max_restarts = 6
    """)
    pm.fails(1, "start")
    pm.wait_state("x", "failed", 20)
    times = [float(t) for t in pm.log("x").split()]
    gaps = [b - a for a, b in zip(times, times[1:])]
    assert len(gaps) == 6
    # +-10 % jitter; a busy machine only ever adds.
    for gap, least in zip(gaps, (0.09, 0.18, 0.36, 0.36, 0.36, 0.36)):
        assert gap >= least * 0.99, gaps
    assert min(gaps[3:]) < 0.6 * SLOW, gaps


def test_crash_loop_shows_backoff_and_when(pm):
    pm.ini(f"[app:x]\ncommand = {app_path('exiter')} 1\nmin_uptime = 10s\nrestart_delay = 5s\n")
    pm.fails(1, "start")
    app = pm.wait_state("x", "backoff")
    assert "exit" in app["note"] and app["procs"][0]["pid"] is None
    pm.ok("stop", "x")
    assert pm.state("x") == "stopped"


def test_stop_wins_over_backoff_and_start_over_waiting(pm):
    pm.ini(f"[app:x]\ncommand = {app_path('exiter')} 1\nmin_uptime = 10s\nrestart_delay = 60s\nrestart_delay_max = 60s\n")
    pm.fails(1, "start")
    pm.wait_state("x", "backoff")
    pm.fails(1, "restart", "x")  # at once, not after a minute; it dies again
    assert pm.log("x").count(b"started") == 2
    pm.ok("stop", "x")
    assert pm.state("x") == "stopped"


def test_start_while_stopping(pm):
    pm.up(f"[app:s]\ncommand = {app_path('stubborn')}\nstop_timeout = 1s\n")
    old = pm.pids("s")
    pm.ok("stop", "s", "--no-wait")
    pm.ok("start", "s")
    assert pm.state("s") == "online" and pm.pids("s") != old


def test_stop_while_starting(pm):
    pm.ini(f"[app:n]\ncommand = {app_path('notify')} 60000\nready = notify\nready_timeout = 60s\n")
    starting = pm.popen("start")
    pm_up = wait_for(lambda: pm.ctl("list", "--json").rc == 0 and pm.list()["apps"], 10, "the app")
    assert pm_up[0]["state"] == "starting"
    pm.ok("stop", "n")
    assert pm.state("n") == "stopped"
    assert starting.wait(20) == 1


# --- stop

def test_stop_signal(pm):
    (pm.dir / "t.sh").write_text("trap 'echo int; exit 0' INT; echo set; while :; do sleep 0.02; done\n")
    pm.up("[app:t]\nscript = t.sh\nstop_signal = SIGINT\nkill_mode = process\n")
    pm.wait_log("t", "set")
    pm.ok("stop", "t")
    assert pm.log("t").endswith(b"int\n")
    assert pm.proc("t")["last_exit"]["code"] == 0


def test_sigkill_comes_after_stop_timeout(pm):
    pm.up(f"[app:s]\ncommand = {app_path('stubborn')}\nstop_timeout = 700ms\n")
    begin = time.monotonic()
    pm.ok("stop", "s")
    took = time.monotonic() - begin
    assert took >= 0.69 and took < 0.7 + 1.5 * SLOW
    assert pm.proc("s")["last_exit"]["signal"] == "SIGKILL"


def test_many_stubborn_apps_stop_at_once(pm):
    pm.up(f"[app:s]\ncommand = {app_path('stubborn')}\ninstances = 10\nstop_timeout = 1s\n")
    pids = pm.pids("s")
    begin = time.monotonic()
    pm.ok("daemon", "stop")
    assert time.monotonic() - begin < 1 + 2 * SLOW  # one after the other would be 10 s
    assert not any(alive(pid) for pid in pids)


def test_a_stopped_process_can_be_stopped(pm):
    pm.up(f"[app:s]\ncommand = {SLEEPER}\nstop_timeout = 500ms\n")
    os.kill(pm.pids("s")[0], signal.SIGSTOP)
    pm.ok("stop", "s")
    assert pm.state("s") == "stopped"


@pytest.mark.parametrize("mode", ["children 5", "daemon"])
def test_the_whole_tree_is_gone_after_stop(pm, mode):
    pm.up(f"[app:f]\ncommand = {app_path('forker')} {mode}\nstop_timeout = 500ms\n")
    count = 5 if mode != "daemon" else 1
    kids = wait_for(lambda: len(children_of(pm.log("f"))) == count and children_of(pm.log("f")), 5, "children")
    assert all(alive(pid) for pid in kids)
    pm.ok("stop", "f")
    assert not any(alive(pid) for pid in kids)


@pytest.mark.parametrize("how", ["stop", "kill -9"])
@pytest.mark.parametrize("mode", ["hop", "spawn"])
def test_a_tree_that_forks_without_pause_is_gone(pm, mode, how):
    """Also without a control group; what scrubs its environment and leaves its session could escape there."""
    mark = f"{mode}-{pm.dir.name}".encode()
    pm.up(f"[app:f]\ncommand = {app_path('forker')} {mode} {mark.decode()}\nstop_timeout = 300ms\nready = spawn\n"
          "autorestart = never\n")

    def there():
        return [p for p in all_pids() if mark in read_proc(p, "cmdline") and alive(p)]
    wait_for(lambda: len(pm.log("f")) > 20 if mode == "hop" else len(there()) > 3, 10, "children")
    if how == "stop":
        pm.ok("stop", "f")
    else:
        os.kill(pm.pids("f")[0], signal.SIGKILL)
        wait_for(lambda: pm.state("f") in ("failed", "done"), 10, "its end")
    dots = len(pm.log("f"))
    for _ in range(20):
        assert there() == []
    assert len(pm.log("f")) == dots, "one of them, too short-lived to be seen, goes on"


def test_children_of_a_crashed_parent_are_gone_before_the_restart(pm):
    (pm.dir / "f.sh").write_text(
        f'for p in $(cat pids 2>/dev/null); do [ -e /proc/$p ] && ! grep -q "^State:.Z" /proc/$p/status && echo LEFT $p; done\n'
        f'{app_path("forker")} crash 3 200 1 > out; sed -n "s/child //p" out >> pids; echo round; exit 1\n')
    pm.up("[app:f]\nscript = f.sh\nmin_uptime = 50ms\nmax_restarts = 0\nrestart_delay = 10ms\nrestart_delay_max = 50ms\n")
    wait_for(lambda: pm.log("f").count(b"round") >= 4, 20, "four rounds")
    pm.ok("delete", "f")
    assert b"LEFT" not in pm.log("f")
    kids = [int(n) for n in (pm.dir / "pids").read_text().split()]
    assert len(kids) >= 12 and not any(alive(pid) for pid in kids)


def test_a_daemonised_child_does_not_outlive_its_app(pm):
    pm.up(f"[app:f]\ncommand = {app_path('forker')} orphan\nautorestart = never\nready = spawn\n")
    pm.wait_state("f", "done")
    kids = wait_for(lambda: children_of(pm.log("f")), 5, "the child")
    wait_for(lambda: not any(alive(pid) for pid in kids), 5, "the child's end")


def test_kill_mode_process_leaves_children(pm):
    pm.up(f"[app:f]\ncommand = {app_path('forker')} children 1\nkill_mode = process\n")
    kid = wait_for(lambda: children_of(pm.log("f")), 5, "the child")[0]
    pm.ok("stop", "f")
    assert alive(kid)
    os.kill(kid, signal.SIGKILL)


def test_an_unrelated_process_is_never_touched(pm):
    decoy = subprocess.Popen(["sleep", "1000000"], start_new_session=True)
    try:
        pm.up(f"[app:f]\ncommand = {app_path('forker')} children 3\nstop_timeout = 300ms\n")
        pm.ok("stop", "f")
        pm.ok("delete", "f")
        assert decoy.poll() is None
    finally:
        decoy.kill()
        decoy.wait()


# --- readiness

def test_odd_notifications(pm):
    """Empty ones, long ones, ones without a text, ready twice."""
    send = ("import os,socket,time;a=os.environ['NOTIFY_SOCKET'];s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM);s.connect(a);"
            "s.send(b'');s.send(b'x'*60000);s.send(b'\\0'*100);s.send(b'=');s.send(b'READY=2');socket.send_fds(s,[b''],[0]*50);"
            "print('odd',flush=True)\nwhile not os.path.exists('go'):time.sleep(0.01)\n"
            "s.send(b'READY=1');s.send(b'READY=1');time.sleep(1e6)")
    (pm.dir / "n.py").write_text(send)
    pm.ini("[app:n]\ncommand = /usr/bin/python3 n.py\nready = notify\n")
    p = pm.popen("start")
    pm.wait_log("n", "odd")
    assert pm.state("n") == "starting"
    (pm.dir / "go").touch()
    assert p.wait(timeout=20 * SLOW) == 0
    app = pm.app("n")
    assert app["state"] == "online" and app["restarts"] == 0 and pm.ok("events", "n").out.count("ready after") == 1


def test_ready_notify(pm):
    pm.ini(f"[app:n]\ncommand = {app_path('notify')} 500\nready = notify\n")
    begin = time.monotonic()
    pm.ok("start")
    assert time.monotonic() - begin >= 0.5
    assert pm.proc("n")["ready"] is True and b"told" in pm.wait_log("n", "told")


def test_never_ready_is_never_online(pm):
    pm.ini(f"[app:n]\ncommand = {app_path('notify')} 60000\nready = notify\nready_timeout = 500ms\nmax_restarts = 1\n"
           "restart_delay = 10ms\n")
    r = pm.fails(1, "start")
    assert "ready" in r.out + r.err
    pm.wait_state("n", "failed")
    types = {json.loads(line)["type"] for line in pm.ok("events", "--json", "-n", "100", "n").out.splitlines()}
    assert "ready" not in types


def test_ready_message(pm):
    pm.up(f"[app:m]\nscript = {NODE_APPS}/messages.js\nready = message\nenv.DELAY = 300\n")
    assert pm.state("m") == "online"


def test_ready_listening(pm, port):
    pm.up(f"[app:h]\nscript = {NODE_APPS}/http.js\ninstances = 1\nready = listening\nenv.PORT = {port}\n")
    assert pm.proc("h")["ready"] is True and f"tcp:" in pm.proc("h")["listen"][0]


def test_ready_listening_never(pm):
    pm.ini(f"[app:h]\nscript = {NODE_APPS}/never.js\ninstances = 1\nready = listening\nready_timeout = {ms(700)}\nmax_restarts = 1\n")
    r = pm.fails(1, "start")
    assert "thinking" in r.out + r.err


def test_no_min_uptime_is_ready_at_once(pm):
    """It was ready only after ready_timeout: the report that it runs had not come yet."""
    pm.up("[app:a]\ncommand = sleep 1000000\nmin_uptime = 0\nready_timeout = 1h\n")


def test_ready_spawn(pm):
    pm.up(f"[app:s]\ncommand = {SLEEPER}\nready = spawn\nmin_uptime = 60s\n")
    assert pm.state("s") == "online"


# --- instances

@pytest.mark.parametrize("text,count", [("max", lambda n: n), ("max-1", lambda n: max(1, n - 1)),
                                        ("50%", lambda n: max(1, n // 2)), ("3", lambda n: 3)])
def test_instances(pm, text, count):
    pm.up(f"[app:w]\ncommand = {SLEEPER}\ninstances = {text}\n")
    assert pm.app("w")["instances"] == count(len(os.sched_getaffinity(0))) or os.path.exists("/sys/fs/cgroup/cpu.max")


def test_slot_variables(pm):
    pm.up(f"""
    [app:w]
    command = {SLEEPER}
    instances = 3
    instance_var = SLOT
    increment_var = PORT
    env.PORT = 4000
    """)
    env = pm.ok("env", "w", "--reveal", "--json").json()["procs"]
    seen = [dict(map(tuple, p["env"])) for p in env]
    assert [(e["SLOT"], e["PMCTL_SLOT"], e["PORT"], e["PMCTL_APP"]) for e in seen] == \
        [(str(i), str(i), str(4000 + i), "w") for i in range(3)]
    assert all("NODE_APP_INSTANCE" not in e for e in seen)
    assert [e["PMCTL_ID"] for e in seen] == [str(p["id"]) for p in pm.procs("w")]


def test_scaling_down_keeps_the_lowest_slots(pm):
    pm.up(f"[app:w]\ncommand = {SLEEPER}\ninstances = 4\n")
    first = pm.pids("w")
    for n in (6, 8, 4):
        pm.ok("scale", "w", n)
        assert [p["slot"] for p in pm.procs("w")] == list(range(n))
        assert pm.pids("w")[:4] == first


def test_cwd_link_is_followed_at_each_start(pm):
    for name in ("one", "two"):
        (pm.dir / name).mkdir()
    link = pm.dir / "current"
    link.symlink_to("one")
    pm.up("[app:w]\ncommand = sh -c 'pwd -P; exec sleep 1000000'\ncwd = current\n")
    pm.wait_log("w", "/one\n")
    link.unlink()
    link.symlink_to("two")
    pm.ok("restart", "w")
    pm.wait_log("w", "/two\n")


def test_env_file_is_read_at_each_start(pm):
    (pm.dir / "e").write_text("# comment\nA=1\nQUOTED=\"x y\"\n")
    pm.up("[app:w]\ncommand = sh -c 'echo A=$A Q=$QUOTED; exec sleep 1000000'\nenv_file = e\n")
    pm.wait_log("w", "A=1 Q=x y\n")
    (pm.dir / "e").write_text("A=2\n")
    pm.ok("restart", "w")
    pm.wait_log("w", "A=2 Q=\n")
    for path in (pm.home / "state").rglob("*"):
        assert not path.is_file() or b"x y" not in path.read_bytes()


def test_autostart_no(pm):
    pm.ini(f"[app:a]\ncommand = {SLEEPER}\n[app:b]\ncommand = {SLEEPER}\nautostart = no\n")
    pm.ok("start")
    assert pm.state("a") == "online"
    assert pm.state("b") == "stopped"
    pm.ok("start", "b")
    assert pm.state("b") == "online"


def test_a_hundred_crash_at_once(pm):
    pm.ini(f"[app:good]\ncommand = {SLEEPER}\n[app:x]\ncommand = {app_path('exiter')} 1\nmin_uptime = 10s\ninstances = 50\nmax_restarts = 3\n")
    pm.ctl("start", "--timeout", "30s")
    pm.ok("ping", timeout=10)
    assert pm.state("good") == "online"
    wait_for(lambda: all(p["state"] == "failed" for p in pm.procs("x")), 30, "all failed")
    assert pm.app("x")["restarts"] == 150
