# SPDX-License-Identifier: MIT
"""Every command, exit code, selector and suggestion, through the real programs."""
import json
import os
import re
import subprocess

import pytest

from conftest import APPS, app_path, wait_for

SLEEPER = "sleep 1000000"
THREE = f"""
[app:web]
command = {SLEEPER}
instances = 3
namespace = shop

[app:worker]
command = {SLEEPER}
namespace = shop

[app:mailer]
command = {SLEEPER}
"""


@pytest.fixture
def three(pm):
    pm.up(THREE)
    return pm


def slots(pm, *sel):
    return sorted((a["name"], p["slot"]) for a in pm.list(*sel)["apps"] for p in a["procs"])


# --- help, version, misuse: no daemon needed, none started

@pytest.mark.parametrize("args", [["help"], ["--help"], ["-h"], ["start", "--help"], ["help", "start"], ["list", "-h"],
                                  ["stop", "web", "--help"], ["help", "exit-codes"], []])
def test_help(pm, args):
    r = pm.ok(*args)
    assert r.out and not r.err
    assert not pm.home.exists()


def test_help_of_a_command_is_the_same_both_ways(pm):
    assert pm.ok("help", "restart").out == pm.ok("restart", "--help").out


def test_bare_call_is_short(pm):
    out = pm.ok().out
    assert len(out.splitlines()) <= 30 and "start" in out and "list" in out


@pytest.mark.parametrize("args", [["--version"], ["-V"], ["-v"]])
def test_version(pm, args):
    r = pm.ok(*args)
    assert re.match(r"pmctl \d+\.\d+\.\d+", r.out)
    assert not pm.home.exists()


def test_version_names_the_daemon(pm):
    pm.ok("daemon", "start")
    assert re.search(r"pmctld \d+\.\d+\.\d+ \(pid \d+, up ", pm.ok("--version").out)


@pytest.mark.parametrize("args,hint", [
    (["relaod", "web"], "reload"), (["strat"], "start"), (["list", "--jsn"], "--json"), (["stop"], None),
    (["scale", "web"], None), (["logs", "-n", "x"], None), (["nonsense"], None),
    (["is-active"], None), (["signal", "HUP"], None), (["list", "--sta", "x"], None)])
def test_misuse_is_2(pm, args, hint):
    r = pm.fails(2, *args)
    assert not r.out and r.err.startswith("pmctl: ")
    assert hint is None or f'did you mean "{hint}"' in r.err
    assert not pm.home.exists()


READING = [["list"], ["ls"], ["l"], ["ps"], ["status"], ["show", "web"], ["env", "web"], ["logs"], ["events"],
           ["why", "web"], ["wait", "web", "--for", "ready"], ["is-active", "web"], ["ping"], ["jlist"],
           ["daemon", "status"]]
CHANGING = [["start", "web"], ["stop", "web"], ["restart", "web"], ["reload", "web"], ["delete", "web"], ["reset", "web"],
            ["scale", "web", "2"], ["signal", "HUP", "web"], ["flush"]]


@pytest.mark.parametrize("args", READING + CHANGING[1:], ids=" ".join)
def test_no_daemon_is_5_and_starts_none(pm, args):
    r = pm.fails(5, *args)
    assert not r.out and "pmctld is not running" in r.err and "pmctl daemon start" in r.err
    assert not pm.socket.exists()


def test_list_after_the_daemon_was_killed_is_5(three):
    three.kill_both()
    assert not three.fails(5, "list").out
    three.ok("daemon", "start")
    wait_for(lambda: three.state("web") == "online", 10, "web again")


@pytest.mark.parametrize("args", [
    ["start", "wbe"], ["stop", "wbe"], ["restart", "wbe"], ["reload", "wbe"], ["delete", "wbe"], ["reset", "wbe"],
    ["scale", "wbe", "2"], ["signal", "HUP", "wbe"], ["list", "wbe"], ["show", "wbe"], ["env", "wbe"], ["logs", "wbe"],
    ["events", "wbe"], ["why", "wbe"], ["wait", "wbe", "--for", "ready"], ["is-active", "wbe"], ["flush", "wbe"],
    ["status", "wbe"]], ids=" ".join)
def test_unknown_target_is_4_with_a_suggestion(three, args):
    r = three.fails(4, *args)
    assert 'no app, instance, namespace or id "wbe"; did you mean "web"?' in r.err
    assert not r.out


@pytest.mark.parametrize("sel", ["web:7", "@nope", "999999", "x*", "web:0,9", "../etc", "a" * 300, "web:", "we\x1bb"])
def test_bad_selectors_touch_nothing(three, sel):
    before = three.list()
    r = three.ctl("restart", "worker", sel)
    assert r.rc in (2, 4), r
    assert "\x1b" not in r.err
    assert [a["procs"] and a["procs"][0]["pid"] for a in three.list()["apps"]] == \
        [a["procs"][0]["pid"] for a in before["apps"]]


def test_selectors(three):
    web = [("web", i) for i in range(3)]
    assert slots(three, "web") == web
    assert slots(three, "web:2") == [("web", 2)]
    assert slots(three, "web:0,2") == [("web", 0), ("web", 2)]
    assert slots(three, "web:1-2") == [("web", 1), ("web", 2)]
    assert slots(three, "@shop") == web + [("worker", 0)]
    assert slots(three, "w*") == web + [("worker", 0)]
    assert slots(three, "all") == slots(three) == [("mailer", 0)] + web + [("worker", 0)]
    one = three.proc("web", 1)["id"]
    assert slots(three, str(one)) == [("web", 1)]
    assert slots(three, "mailer", "web:0", "web:0") == [("mailer", 0), ("web", 0)]


def test_selectors_choose_what_is_acted_on(three):
    before = three.pids("web")
    three.ok("restart", "web:1")
    after = three.pids("web")
    assert [a == b for a, b in zip(before, after)] == [True, False, True]
    three.ok("stop", "web:0,2")
    assert [p["state"] for p in three.procs("web")] == ["stopped", "online", "stopped"]
    assert three.state("web") == "online"  # every wanted one is
    three.ok("start", "web:2")
    assert [p["state"] for p in three.procs("web")] == ["stopped", "online", "online"]


# --- list and its shapes

def test_list_json(three):
    top = three.list()
    assert top["v"] == 1
    assert set(top["daemon"]) >= {"pid", "keeper_pid", "version", "up_ms"}
    web = three.app("web")
    assert {k: web[k] for k in ("name", "namespace", "mode", "state", "instances", "online", "restarts", "note")} == \
        {"name": "web", "namespace": "shop", "mode": "fork", "state": "online", "instances": 3, "online": 3,
         "restarts": 0, "note": ""}
    assert web["project"] == three.dir.name
    assert three.app("mailer")["namespace"] is None
    proc = web["procs"][2]
    assert set(proc) >= {"id", "slot", "pid", "state", "ready", "up_ms", "restarts", "cpu_pct", "mem_bytes", "fds",
                         "threads", "listen", "last_exit"}
    assert proc["slot"] == 2 and proc["ready"] is True and proc["last_exit"] is None and proc["listen"] == []
    assert proc["threads"] == 1 and proc["fds"] == 3 and proc["mem_bytes"] > 0
    ids = [p["id"] for a in top["apps"] for p in a["procs"]]
    assert len(set(ids)) == 5


def test_list_json_when_stopped(three):
    three.ok("stop", "worker")
    proc = three.proc("worker")
    assert proc["pid"] is None and proc["state"] == "stopped" and proc["ready"] is False
    assert proc["last_exit"]["signal"] == "SIGTERM" and proc["last_exit"]["code"] is None
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", proc["last_exit"]["at"])


def test_list_for_people(three):
    out = three.ok("list").out
    lines = out.splitlines()
    assert "APP" in lines[0] and "STATE" in lines[0]
    assert re.search(r"^\W*web\s+3/3\s+online\b", out, re.M)
    assert "\x1b" not in out
    for alias in ("ls", "l", "ps", "status"):
        assert re.search(r"^\W*web\s+3/3\s+online\b", three.ok(alias).out, re.M)
    assert "web:1" in three.ok("list", "-i").out
    assert "\x1b[" in three.ok("list", "--color=always").out
    assert "\x1b[" not in three.ok("list", "--color=always", "--color=never").out


def test_an_empty_list_is_not_an_error(pm):
    pm.ok("daemon", "start")
    assert pm.list()["apps"] == []
    pm.ok("list")
    pm.ok("stop", "all")


def test_status_is_3_when_something_is_down(three):
    three.ok("status")
    three.ok("status", "web")
    three.ok("stop", "worker")
    r = three.fails(3, "status")
    assert "worker" in r.out
    three.fails(3, "status", "worker")
    three.ok("status", "web")


def test_is_active(three):
    three.ok("is-active", "web")
    three.ok("is-active", "all")
    three.ok("stop", "web:1")
    three.fails(3, "is-active", "web")
    three.fails(3, "is-active", "all")
    three.ok("is-active", "web:0")


def test_wait(three):
    three.ok("wait", "web", "--for", "ready")
    three.fails(8, "wait", "web", "--for", "stopped", "--timeout", "100ms")
    waiting = three.popen("wait", "worker", "--for", "stopped", "--timeout", "20s")
    three.ok("stop", "worker")
    assert waiting.wait(20) == 0
    assert three.ctl("wait", "worker", "--for", "ready", "--timeout", "100ms").rc in (3, 8)


def test_show(three):
    out = three.ok("show", "web").out
    for word in ("web", "online", SLEEPER, str(three.dir), "pmctl.ini", "web:2"):
        assert word in out, word
    assert three.ok("describe", "web").out.splitlines()[0] == out.splitlines()[0]
    j = three.ok("show", "web", "--json").json()
    app = j["apps"][0]
    assert app["name"] == "web" and app["cwd"] == str(three.dir)
    settings = {s["key"]: s for s in app["settings"]}
    assert settings["stop_timeout"]["value"] == "2s" and settings["kill_mode"]["from"] == "default"
    assert re.fullmatch(re.escape(str(three.ini_path)) + r":\d+", settings["instances"]["from"])


def test_env_is_masked(pm):
    pm.up(f"""
    [app:web]
    command = {SLEEPER}
    env.SECRET = hush-hush
    """)
    out = pm.ok("env", "web").out
    assert "SECRET" in out and "hush-hush" not in out
    assert "hush-hush" in pm.ok("env", "web", "--reveal").out
    for args in (["show", "web"], ["show", "web", "--json"], ["jlist"], ["list", "--json"], ["events"], ["env", "web", "--json"]):
        assert "hush-hush" not in pm.ok(*args).out, args


def test_jlist(three):
    j = json.loads(three.ok("jlist").out)
    assert sorted((e["name"], e["pm2_env"]["status"]) for e in j) == \
        [("mailer", "online"), ("web", "online"), ("web", "online"), ("web", "online"), ("worker", "online")]
    one = next(e for e in j if e["name"] == "mailer")
    assert one["pid"] == three.pids("mailer")[0] and isinstance(one["pm_id"], int)
    assert set(one["monit"]) == {"memory", "cpu"}
    assert one["pm2_env"]["restart_time"] == 0 and "env" not in one["pm2_env"]
    assert "PATH" not in three.ok("jlist").out


def test_events_and_why(three):
    three.ok("stop", "worker")
    events = [json.loads(line) for line in three.ok("events", "--json").out.splitlines()]
    mine = [e for e in events if e["app"] == "worker"]
    assert {"start", "ready", "stop", "exit"} <= {e["type"] for e in mine}
    stop = next(e for e in mine if e["type"] == "stop")
    assert stop["by"]["uid"] == os.getuid() and stop["v"] == 1 and stop["slot"] == 0
    assert [e["seq"] for e in events] == sorted(e["seq"] for e in events)
    assert "worker" in three.ok("events", "worker").out and "web" not in three.ok("events", "worker").out
    assert "worker" in three.ok("why", "worker").out


def test_events_follow(three):
    follow = three.popen("events", "-f", "--json", "mailer")
    wait_for(lambda: follow.stdout.readline(), 5, "a first event")
    three.ok("restart", "mailer")
    seen = set()
    while "ready" not in seen or "exit" not in seen:
        seen.add(json.loads(follow.stdout.readline())["type"])
    follow.terminate()


def test_errors_as_json(three):
    r = three.fails(4, "list", "wbe", "--json")
    e = json.loads(r.err)
    assert e["v"] == 1 and e["error"]["code"] == "no_such_target" and e["error"]["exit"] == 4
    assert 'did you mean "web"' in e["error"]["message"] and not r.out


def test_no_daemon_error_as_json(pm):
    e = json.loads(pm.fails(5, "list", "--json").err)
    assert e["error"]["exit"] == 5


def test_ping(pm):
    pm.ok("daemon", "start")
    assert str(pm.daemon()["pid"]) in pm.ok("ping").out


def test_results_on_stdout_messages_on_stderr(three):
    r = three.ok("restart", "web")
    assert "\x1b" not in r.out + r.err
    r = three.ok("list", "--json")
    assert not r.err


# --- commands that change

def test_start_twice_is_a_note(three):
    before = three.pids("web")
    r = three.ok("start")
    assert "already running" in r.out + r.err
    r = three.ok("start", "web")
    assert "already running" in r.out + r.err
    assert three.pids("web") == before


def test_stop_twice_is_a_note(three):
    three.ok("stop", "web")
    r = three.ok("stop", "web")
    assert "already stopped" in r.out + r.err
    three.ok("stop", "all")
    three.ok("stop", "all")


def test_start_names_a_changed_definition_and_leaves_it_alone(three):
    before = three.pids("mailer")
    three.ini(THREE.replace("[app:mailer]", "[app:mailer]\nenv.A = 1"))
    r = three.ok("start")
    assert "changed in the file" in r.out + r.err and "pmctl apply" in r.out + r.err
    assert three.pids("mailer") == before


def test_start_takes_a_stopped_app_as_the_file_has_it_now(three):
    three.ok("stop", "mailer")
    three.ini(THREE.replace("[app:mailer]", "[app:mailer]\nenv.A = now"))
    three.ok("start")
    assert "A=now" in three.ok("env", "mailer", "--reveal").out


def test_start_with_c_and_with_a_file(pm):
    pm.ini(f"[app:a]\ncommand = {SLEEPER}\n", name="one.ini")
    pm.ini(f"[app:b]\ncommand = {SLEEPER}\n", name="two.ini")
    pm.ok("start", "-c", "one.ini")
    pm.fails(4, "start", "b")
    # Another file of the same project name may add its own apps.
    r = pm.ctl("start", "two.ini")
    assert r.rc == 0, r
    assert {a["name"] for a in pm.list()["apps"]} == {"a", "b"}


def test_relative_paths_are_the_files(pm):
    sub = pm.dir / "sub"
    sub.mkdir()
    (sub / "x.sh").write_text("pwd; exec sleep 1000000\n")
    (sub / "pmctl.ini").write_text("[app:x]\nscript = ./x.sh\n")
    pm.ok("start", "-c", "sub/pmctl.ini")
    pm.wait_log("x", str(sub) + "\n")


def test_start_from_stdin(pm):
    pm.ok("start", "-c", "-", stdin=f"[app:x]\ncommand = {SLEEPER}\n".encode())
    assert pm.state("x") == "online"


def test_start_a_script_as_with_pm2(pm):
    pm.ok("start", str(APPS / "hello.sh"), "--name", "hi", "-i", "2", "--", "a b", "--c")
    assert len(pm.pids("hi")) == 2
    pm.wait_log("hi", "hello from bash 5: a b --c\n")
    pm.ok("stop", "hi")
    pm.ok("start", "hi")
    pm.ok("delete", "hi")
    assert pm.list()["apps"] == []


def test_start_a_script_takes_its_name(pm):
    pm.ok("start", str(APPS / "hello.py"))
    assert pm.state("hello") == "online"
    settings = {s["key"]: s for s in pm.ok("show", "hello", "--json").json()["apps"][0]["settings"]}
    assert settings["script"]["from"] == "command line"


def test_start_script_options(pm):
    pm.ok("start", str(APPS / "hello.sh"), "--name", "o", "--namespace", "n", "--no-autorestart", "--cwd", "/",
          "--max-memory-restart", "300M", "--interpreter", "bash")
    settings = {s["key"]: s["value"] for s in pm.ok("show", "o", "--json").json()["apps"][0]["settings"]}
    assert settings["autorestart"] == "never" and settings["cwd"] == "/" and settings["memory_max"] == "300M"
    assert pm.app("o")["namespace"] == "n"


@pytest.mark.parametrize("name", ["../x", "a b", "all", "12", "x" * 41, ".x", "-x", "a\nb", ""])
def test_start_script_refuses_bad_names(pm, name):
    r = pm.ctl("start", str(APPS / "hello.sh"), f"--name={name}")
    assert r.rc in (2, 7), r
    assert pm.ctl("list").rc == 5 or pm.list()["apps"] == []


def test_start_does_not_run_an_ecosystem_file(pm):
    (pm.dir / "ecosystem.config.js").write_text("module.exports = {}\n")
    r = pm.fails(2, "start", "ecosystem.config.js")
    assert "pmctl.ini" in r.err


@pytest.mark.parametrize("word", ["plus", "link", "deploy", "install", "serve"])
def test_pm2_words_without_a_counterpart(pm, word):
    assert pm.fails(2, word).err


def test_start_without_a_file(pm):
    r = pm.ctl("start")
    assert r.rc in (1, 2, 7) and "pmctl.ini" in r.err, r


def test_restart(three):
    before = {p["slot"]: p["pid"] for p in three.procs("web")}
    three.ok("restart", "web")
    procs = three.procs("web")
    assert all(p["state"] == "online" and p["pid"] != before[p["slot"]] for p in procs)
    assert [p["restarts"] for p in procs] == [0, 0, 0]


def test_restart_starts_a_stopped_one(three):
    three.ok("stop", "web")
    three.ok("restart", "web")
    assert three.state("web") == "online"


def test_reload_one_by_one(pm):
    pm.up(f"""
    [app:web]
    command = {SLEEPER}
    instances = 3
    min_uptime = 100ms
    """)
    before = pm.pids("web")
    pm.ok("reload", "web")
    after = pm.pids("web")
    assert not set(before) & set(after) and pm.state("web") == "online"
    events = [json.loads(line) for line in pm.ok("events", "--json", "-n", "100").out.splitlines()]
    order = [(e["slot"], e["type"]) for e in events if e["type"] in ("start", "ready")][6:]
    assert order == [(0, "start"), (0, "ready"), (1, "start"), (1, "ready"), (2, "start"), (2, "ready")]


def test_delete(three):
    pids = three.pids("web")
    three.ok("delete", "web", "mailer")
    assert [a["name"] for a in three.list()["apps"]] == ["worker"]
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)
    three.fails(4, "start", "web")


def test_scale(three):
    first = three.pids("web")
    three.ok("scale", "web", "5")
    assert three.pids("web")[:3] == first and len(three.pids("web")) == 5
    three.ok("scale", "web", "+1")
    assert [p["slot"] for p in three.procs("web")] == [0, 1, 2, 3, 4, 5]
    three.ok("scale", "web", "-2")
    assert [p["slot"] for p in three.procs("web")] == [0, 1, 2, 3]
    three.ok("scale", "web=2")
    assert three.pids("web") == first[:2]
    assert three.app("web")["instances"] == 2
    assert not any(os.path.exists(f"/proc/{pid}") for pid in first[2:])


@pytest.mark.parametrize("count", ["0", "-99", "x", "100000", "+", ""])
def test_scale_refuses(three, count):
    before = three.pids("web")
    assert three.ctl("scale", "web", count).rc in (1, 2)
    assert three.pids("web") == before


def test_signal(pm):
    (pm.dir / "trap.sh").write_text("trap 'echo got usr1' USR1; echo set; while :; do sleep 0.05; done\n")
    pm.up("[app:t]\nscript = trap.sh\n")
    pm.wait_log("t", "set")
    for name in ("USR1", "SIGUSR1", "10", "usr1"):
        count = pm.log("t").count(b"got usr1")
        pm.ok("signal", name, "t")
        wait_for(lambda: pm.log("t").count(b"got usr1") == count + 1, 5, "the trap")
    pm.fails(2, "signal", "NOPE", "t")
    pm.fails(2, "signal", "99", "t")


def test_reset(pm):
    pm.up(f"[app:c]\ncommand = {app_path('crasher')} 9 300\nready = spawn\nmin_uptime = 50ms\nmax_restarts = 0\n")
    wait_for(lambda: pm.app("c")["restarts"] >= 2, 10, "restarts")
    pm.ok("stop", "c")
    assert pm.app("c")["restarts"] >= 2
    pm.ok("reset", "c")
    assert pm.app("c")["restarts"] == 0 and pm.proc("c")["restarts"] == 0


def test_no_wait(three):
    r = three.ok("restart", "web", "--no-wait")
    wait_for(lambda: three.state("web") == "online", 10, "web online")
    assert r.rc == 0


def test_deadline_is_8_and_the_operation_goes_on(pm):
    pm.up(f"[app:s]\ncommand = {app_path('stubborn')}\nstop_timeout = 1s\n")
    r = pm.fails(8, "stop", "s", "--timeout", "100ms")
    assert r.err
    pm.wait_state("s", "stopped")


def test_check_is_offline(pm):
    pm.ini(THREE)
    pm.ok("check")
    pm.ok("check", "pmctl.ini")
    pm.ini("[app:web]\nscritp = x\n", raw=True)
    pm.fails(7, "check")
    assert not pm.home.exists()


@pytest.mark.skipif(os.getuid() != 0, reason="needs root")
def test_another_user_is_6(three):
    three.home.chmod(0o755)
    r = subprocess.run([three.pmctl, "list"], env=three.env(), cwd="/", capture_output=True, user=65534, group=65534,
                       extra_groups=[])
    assert r.returncode == 6, r
    assert not r.stdout and b"ermi" in r.stderr


def test_flush(pm):
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 100 -k\n[app:q]\ncommand = {app_path('printer')} 100 -k\n")
    wait_for(lambda: len(pm.log("p")) == len(pm.log("q")) == 10000, 5, "100 lines each")
    pm.ok("flush", "p")
    assert pm.log("p") == b"" and len(pm.log("q")) == 10000
    pm.ok("flush")
    assert pm.log("q") == b""


def test_options_anywhere(three):
    for args in (["--json", "list", "web"], ["list", "web", "--json"], ["list", "--json", "--", "web"]):
        assert three.ok(*args).json()["apps"][0]["name"] == "web"


def test_sigpipe_is_quiet(three):
    p = subprocess.run(["bash", "-c", f"{three.pmctl} list -i | head -n 0; {three.pmctl} help | head -n 1 >/dev/null"],
                       env=three.env(), capture_output=True)
    assert p.stderr == b""


def test_foreign_bytes_are_escaped(pm):
    pm.up("[app:e]\ncommand = printf 'a\\033]0;title\\007b\\n'\nautorestart = never\nready = spawn\n")
    pm.wait_log("e", b"\x1b]0;title\x07")
    assert "\x1b" not in pm.ok("logs", "e").out and "\x07" not in pm.ok("logs", "e").out
    assert "\x1b]0;title\x07" in pm.ok("logs", "e", "--raw").out
