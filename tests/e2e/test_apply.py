# SPDX-License-Identifier: MIT
"""plan and apply: what runs is made to match the file, and only what changed is touched."""
import http.client
import json
import os
import re
import signal
import socket
import threading

import pytest

from conftest import APPS, NODE_APPS, alive, app_path, free_port, ms, read_proc, wait_for
from test_followers import sockets

SLEEPER = "command = sleep 1000000\nready = spawn\nmin_uptime = 50ms\n"


def plan(pm, *args):
    return pm.ok("plan", "--json", *args).json()


def items(pm, *args):
    return {a["app"]: a for a in plan(pm, *args)["apps"]}


# --- plan

def test_a_plan_names_keys_values_and_cost_and_changes_nothing(pm):
    pm.up(f"[app:a]\n{SLEEPER}env.TOKEN = hush-one\n[app:b]\n{SLEEPER}[app:old]\n{SLEEPER}")
    before = pm.pids("a") + pm.pids("b") + pm.pids("old")
    pm.ini(f"[app:a]\n{SLEEPER}env.TOKEN = hush-two\nmemory_max = 300M\ninstances = 2\n[app:b]\n{SLEEPER}[app:c]\n{SLEEPER}")
    r = pm.ok("plan")
    for text in ("~ a ", "start 1 more, then rolling reload", "memory_max", "unset", "300M", "env.TOKEN", "changed", "+ c ",
                 "start 1 instance", "- old", "apply --prune", "1 unchanged: b", "1 to add, 1 to change, 1 left over"):
        assert text in r.out, text
    assert "hush" not in r.out and "hush" not in pm.ok("plan", "--json").out
    assert pm.fails(10, "plan", "--exit-code")
    assert pm.pids("a") + pm.pids("b") + pm.pids("old") == before
    assert pm.ok("apply", "--dry-run").out == r.out
    pm.ok("apply", "--prune")
    assert pm.ok("plan", "--exit-code").out.count("unchanged: a, b, c") == 1


def test_plan_starts_no_daemon_and_needs_one(pm):
    pm.ini(f"[app:a]\n{SLEEPER}")
    pm.fails(5, "plan")
    assert not (pm.home / "run" / "control.sock").exists()


def test_if_plan_guards_what_was_seen(pm):
    pm.up(f"[app:a]\n{SLEEPER}")
    pm.ini(f"[app:a]\n{SLEEPER}nice = 1\n")
    seen = plan(pm)["plan"]
    pm.ini(f"[app:a]\n{SLEEPER}nice = 2\n")
    before = pm.pids("a")
    assert "another one by now" in pm.fails(1, "apply", "--if-plan", seen).err
    assert pm.pids("a") == before
    pm.ok("apply", "--if-plan", plan(pm)["plan"])
    assert pm.pids("a") != before


# --- only what changed

class Load:
    """Requests over connections that are kept, until told to end."""

    def __init__(self, port, clients=4):
        self.port, self.stop, self.failures, self.answers = port, threading.Event(), [], 0
        self.threads = [threading.Thread(target=self.client) for _ in range(clients)]

    def client(self):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        while not self.stop.is_set():
            try:
                c.request("GET", "/")
                r = c.getresponse()
                r.read()
                if r.status != 200:
                    self.failures.append(r.status)
                self.answers += 1
                if r.will_close:
                    c.close()
            except Exception as e:  # noqa: any failure is what is looked for
                self.failures.append(repr(e))
                c.close()

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        for t in self.threads:
            t.join()


def test_one_variable_of_one_app_of_a_hundred(pm):
    """Its instances are replaced without a failed request, and nothing else is touched."""
    port = free_port()
    text = (f"[app:w]\nscript = {NODE_APPS}/http.js\ninstances = 2\nenv.PORT = {port}\nenv.N = w\nmin_uptime = 100ms\n" +
            "".join(f"[app:a{i}]\n{SLEEPER}env.N = {i}\n" for i in range(99)))
    pm.ini(text)
    pm.ok("start", timeout=90)
    before = {a["name"]: [p["pid"] for p in a["procs"]] for a in pm.list()["apps"]}
    pm.ini(text.replace("env.N = w\n", "env.N = other\n"))
    with Load(port) as load:
        pm.ok("apply")
    assert not load.failures and load.answers, load.failures[:5]
    after = {a["name"]: [p["pid"] for p in a["procs"]] for a in pm.list()["apps"]}
    assert not set(after.pop("w")) & set(before.pop("w")) and after == before
    assert "N=other" in pm.ok("env", "w", "--reveal").out


def test_an_unchanged_file_touches_nothing(pm):
    text = f"[app:a]\n{SLEEPER}[app:b]\n{SLEEPER}"
    pm.up(text)
    line = pm.rpc("show", {"sel": ["a"]})["apps"][0]["line"]
    before, events = pm.pids("a"), pm.rpc("events", {"n": 1000})["events"]
    pm.ini("; a comment moves all lines\n" + text)
    assert "nothing to do, 2 unchanged" in pm.ok("apply").out
    assert pm.pids("a") == before
    assert pm.rpc("events", {"n": 1000})["events"] == events
    assert pm.rpc("show", {"sel": ["a"]})["apps"][0]["line"] == line + 1


def test_what_is_live_changes_under_the_process(pm):
    pm.up(f"[app:w]\ncommand = sh -c 'while :; do echo tick; sleep 0.05; done'\nready = spawn\nmin_uptime = 50ms\n"
          f"stop_timeout = 5s\n")
    before = pm.pids("w")
    pm.wait_log("w", "tick")
    pm.ini(f"[app:w]\ncommand = sh -c 'while :; do echo tick; sleep 0.05; done'\nready = spawn\nmin_uptime = 50ms\n"
           f"log_out = {pm.dir}/there.log\nlog_format = json\nmemory_max = 500M\nnamespace = n\nhealth = exec:true\n"
           f"health_interval = 100ms\n")
    assert "no change to processes" in pm.ok("apply").out
    assert pm.pids("w") == before
    there = pm.dir / "there.log"
    wait_for(lambda: there.exists() and '"msg":"tick"' in there.read_text(), 10, "lines in the other file")
    assert pm.ok("list", "@n", "--json").json()["apps"][0]["name"] == "w"
    # What a supervisor after this one makes of it is the same.
    os.kill(pm.daemon()["pid"], signal.SIGKILL)
    size = there.stat().st_size
    wait_for(lambda: there.stat().st_size > size, 10, "it goes on there")
    assert pm.pids("w") == before
    assert "nothing to do" in pm.ok("apply").out


def test_scaling_disturbs_no_other_slot(pm):
    pm.up(f"[app:a]\n{SLEEPER}mode = fork\ninstances = 2\n")
    before = pm.pids("a")
    pm.ini(f"[app:a]\n{SLEEPER}mode = fork\ninstances = 4\n")
    pm.ok("apply")
    assert pm.pids("a")[:2] == before and len(pm.pids("a")) == 4
    pm.ini(f"[app:a]\n{SLEEPER}mode = fork\ninstances = 1\n")
    pm.ok("apply")
    assert pm.pids("a") == before[:1]


def test_scaled_by_hand_is_a_difference(pm):
    pm.up(f"[app:a]\n{SLEEPER}")
    pm.ok("scale", "a", "3")
    assert "3, scaled by hand" in pm.ok("plan").out
    pm.ok("apply")
    assert len(pm.pids("a")) == 1


def test_removed_keys_and_variables_are_removed(pm):
    pm.up(f"[app:a]\n{SLEEPER}env.GONE = 1\nnice = 3\n")
    pm.ini(f"[app:a]\n{SLEEPER}")
    pm.ok("apply")
    assert "GONE" not in pm.ok("env", "a", "--reveal").out
    assert os.getpriority(os.PRIO_PROCESS, pm.pids("a")[0]) == os.getpriority(os.PRIO_PROCESS, 0)


def test_what_an_operator_stopped_stays_stopped(pm):
    pm.up(f"[app:a]\n{SLEEPER}")
    pm.ok("stop", "a")
    pm.ini(f"[app:a]\n{SLEEPER}nice = 1\n")
    assert "stays stopped" in pm.ok("apply").out
    assert pm.state("a") == "stopped"
    pm.ok("start", "a")
    assert os.getpriority(os.PRIO_PROCESS, pm.pids("a")[0]) == os.getpriority(os.PRIO_PROCESS, 0) + 1


def test_what_had_failed_is_tried_with_the_new_definition(pm):
    pm.ini("[app:a]\ncommand = sh -c 'exit 3'\nmax_restarts = 1\nrestart_delay = 10ms\n")
    pm.ctl("start")
    pm.wait_state("a", "failed")
    pm.ini(f"[app:a]\n{SLEEPER}")
    pm.ok("apply")
    assert pm.state("a") == "online"


def test_apps_of_other_files_are_left_alone(pm):
    other = pm.dir / "other"
    other.mkdir()
    (other / "pmctl.ini").write_text(f"[app:theirs]\n{SLEEPER}")
    pm.ok("start", "-c", str(other / "pmctl.ini"))
    before = pm.pids("theirs")
    pm.ini(f"[app:a]\n{SLEEPER}")
    pm.ok("apply", "--prune")
    assert pm.pids("theirs") == before
    pm.ini(f"[app:a]\n{SLEEPER}[app:theirs]\n{SLEEPER}nice = 1\n")
    assert "is an app of" in pm.fails(1, "apply").err
    assert pm.pids("theirs") == before


def test_a_named_project_may_move_with_each_release(pm):
    for release in ("one", "two"):
        (pm.dir / release).mkdir()
        extra = "" if release == "two" else f"[app:gone]\n{SLEEPER}"
        (pm.dir / release / "pmctl.ini").write_text(f"[pmctl]\nproject = shop\n[app:a]\n{SLEEPER}env.R = {release}\n{extra}")
    pm.ok("apply", "-c", str(pm.dir / "one" / "pmctl.ini"))
    r = pm.ok("apply", "-c", str(pm.dir / "two" / "pmctl.ini"), "--prune")
    assert "1 changed, 1 removed" in r.out, r
    assert "R=two" in pm.ok("env", "a", "--reveal").out
    assert [a["name"] for a in pm.list()["apps"]] == ["a"]


def test_a_list_with_includes_is_one(pm):
    (pm.dir / "apps").mkdir()
    (pm.dir / "apps" / "b.ini").write_text(f"[app:b]\n{SLEEPER}")
    pm.ini(f"[pmctl]\ninclude = apps/*.ini\n[app:a]\n{SLEEPER}")
    pm.ok("apply")
    (pm.dir / "apps" / "b.ini").unlink()
    assert items(pm)["b"]["action"] == "left"
    pm.ok("apply", "--prune")
    assert [a["name"] for a in pm.list()["apps"]] == ["a"]


# --- all or nothing

BROKEN = "command = sh -c 'echo no good >&2; exit 4'\nready = spawn\nmin_uptime = 400ms\n"


def test_nothing_is_applied_of_a_list_with_an_error(pm):
    pm.up(f"[app:a]\n{SLEEPER}[app:b]\n{SLEEPER}")
    before = pm.pids("a")
    pm.ini(f"[app:a]\n{SLEEPER}nice = 1\n[app:b]\n{SLEEPER}nicc = 1\n")
    assert "did you mean" in pm.fails(7, "apply").err
    assert pm.pids("a") == before


def test_a_failed_replacement_puts_the_definition_back(pm):
    good = "[app:a]\ncommand = sh -c 'exec sleep 1000000'\ninstances = 3\nmode = fork\nready = spawn\n" \
        f"min_uptime = {ms(300)}\n"
    pm.up(good)
    before = pm.pids("a")
    pm.ini(good.replace("exec sleep", "echo no good >&2; exit 4; exec sleep") + "namespace = new\n")
    r = pm.fails(9, "apply")
    assert "no good" in r.err and "3 of 3 still serve" in r.err and "in force again" in r.err, r
    assert pm.pids("a") == before and all(map(alive, before))
    assert pm.rpc("show", {"sel": ["a"]})["apps"][0]["namespace"] is None
    assert items(pm)["a"]["action"] == "change"  # the file still says something else
    os.kill(before[1], signal.SIGKILL)  # and a crash starts the version that is in force
    pm.wait_replaced("a", 1, before[1])
    wait_for(lambda: pm.state("a") == "online", 10, "all online")


def test_what_was_replaced_already_goes_back(pm):
    """The second slot fails: the first, new already, gets the definition before again."""
    text = ("[app:a]\ncommand = sh -c 'test $PMCTL_SLOT.$V = 1.two && exit 5; exec sleep 1000000'\ninstances = 3\nmode = fork\n"
            "ready = spawn\nmin_uptime = {}\nenv.V = {}\n")
    pm.up(text.format(ms(150), "one"))
    before = pm.pids("a")
    pm.ini(text.format(ms(150), "two"))
    r = pm.fails(9, "apply")
    assert "goes back to it" in r.err, r

    def versions():
        out = []
        for pid in pm.pids("a"):
            try:
                out.append(re.search(rb"\0V=(\w+)", open(f"/proc/{pid}/environ", "rb").read())[1])
            except (OSError, TypeError):
                return None
        return out
    wait_for(lambda: pm.state("a") == "online" and versions() == [b"one"] * 3, 20, "one version everywhere")
    assert pm.pids("a")[1:] == before[1:]


def test_a_program_with_a_port_of_its_own_is_restarted(pm):
    port = free_port()
    text = (f"[app:p]\ncommand = /usr/bin/python3 -m http.server {port} --bind 127.0.0.1\nready = tcp://127.0.0.1:{port}\n"
            "min_uptime = 100ms\n")
    pm.up(text)
    before = pm.pids("p")
    pm.ini(text + "env.X = 1\n")
    assert "short stop of each instance" in pm.ok("apply").out
    assert pm.pids("p") != before and pm.state("p") == "online"
    # One that fails then leaves the version before running.
    pm.ini(text.replace("-m http.server", "-c 'import sys; sys.exit(6)'") + "env.X = 1\nmax_restarts = 3\nrestart_delay = 10ms\n")
    assert "in force again" in pm.fails(9, "apply").err
    wait_for(lambda: pm.state("p") == "online", 20, "the version before")
    assert "http.server" in open(f"/proc/{pm.pids('p')[0]}/cmdline").read()


def test_mode_and_balance_stop_all_first(pm):
    port = free_port()
    text = f"[app:w]\nscript = {NODE_APPS}/http.js\ninstances = 2\nenv.PORT = {port}\n"
    pm.up(text)
    before = pm.pids("w")
    pm.ini(text + "balance = reuseport\n")
    assert "because balance changes" in pm.ok("apply").out
    assert not set(before) & set(pm.pids("w")) and pm.state("w") == "online"
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    c.request("GET", "/")
    assert c.getresponse().status == 200


def test_no_request_fails_while_a_variable_changes_twice(pm):
    port = free_port()
    text = f"[app:w]\nscript = {NODE_APPS}/http.js\ninstances = 2\nenv.PORT = {port}\nenv.V = %s\nmin_uptime = 100ms\n"
    pm.up(text % "0")
    before = pm.pids("w")
    with Load(port) as load:
        for v in ("1", "2"):
            pm.ini(text % v)
            pm.ok("apply")
    assert not load.failures and load.answers > 20, load.failures[:5]
    assert not set(before) & set(pm.pids("w"))


def test_sockets_that_stay_are_not_closed(pm):
    one, two = free_port(), free_port()
    text = f"[app:l]\nscript = {APPS}/listen.py\nlisten = 127.0.0.1:{one}\nready = spawn\nmin_uptime = 100ms\n"
    pm.up(text)
    before = socket.create_connection(("127.0.0.1", one), timeout=5)
    pm.ini(text.replace(f"127.0.0.1:{one}", f"127.0.0.1:{one}, 127.0.0.1:{two}"))
    pm.ok("apply")
    for port in (one, two):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    before.close()
    pm.ini(text.replace(f"127.0.0.1:{one}", f"127.0.0.1:{two}"))
    pm.ok("apply")
    socket.create_connection(("127.0.0.1", two), timeout=5).close()
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", one), timeout=5)


# --- interrupted

def slow_rollout(pm):
    """Three instances, each replaced in half a second; returns the text with %s for a version."""
    return ("[app:a]\ncommand = sleep 1000000\ninstances = 3\nmode = fork\nready = spawn\nmin_uptime = 500ms\nenv.V = %s\n")


def test_two_at_once_are_done_one_after_the_other(pm):
    text = slow_rollout(pm)
    pm.up(text % "0")
    pm.ini(text % "1")
    first = pm.popen("apply", text=True)
    wait_for(lambda: items(pm) == {}, 10, "the first one has begun")
    pm.ini(text % "2")
    second = pm.ok("apply")
    out, err = first.communicate(timeout=60)
    assert first.returncode == 0, (out, err)
    assert "waiting for its end" in second.err, second
    assert "V=2" in pm.ok("env", "a", "--reveal").out and items(pm) == {}


def test_ctrl_c_ends_it_in_a_defined_state(pm):
    text = slow_rollout(pm)
    pm.up(text % "0")
    before = pm.pids("a")
    pm.ini(text % "1")
    p = pm.popen("apply", text=True)
    wait_for(lambda: any(i["text"].startswith("replacing") for i in pm.rpc("events", {"n": 50})["events"]), 10, "begun")
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=60)
    assert p.returncode in (9, 130), (p.returncode, out, err)
    wait_for(lambda: pm.state("a") == "online", 20, "at rest")
    assert items(pm)["a"]["action"] == "change" and pm.pids("a")[1:] == before[1:]


def test_the_client_may_die(pm):
    text = slow_rollout(pm)
    pm.up(text % "0")
    before = pm.pids("a")
    pm.ini(text % "1")
    p = pm.popen("apply")
    wait_for(lambda: items(pm) == {}, 10, "begun")
    p.kill()
    p.communicate()
    wait_for(lambda: not set(before) & set(pm.pids("a")) and pm.state("a") == "online", 30, "it went on")


@pytest.mark.parametrize("good", [True, False])
def test_the_supervisor_may_die(pm, good):
    text = slow_rollout(pm)
    pm.up(text % "0")
    before = pm.pids("a")
    bad = text.replace("command = sleep 1000000", "command = sh -c 'test $PMCTL_SLOT = 2 && exit 3; exec sleep 1000000'")
    pm.ini((text if good else bad) % "1")
    p = pm.popen("apply", text=True)
    wait_for(lambda: pm.pids("a")[0] != before[0], 20, "the first one is new")
    os.kill(pm.daemon()["pid"], signal.SIGKILL)
    out, err = p.communicate(timeout=90)
    assert p.returncode == (0 if good else 9), (p.returncode, out, err)
    wait_for(lambda: pm.state("a") == "online", 20, "all online")
    if good:
        assert items(pm) == {} and not set(before) & set(pm.pids("a"))
    else:
        assert items(pm)["a"]["action"] == "change"
        wait_for(lambda: b"V=0" in read_proc(pm.pids("a")[0], "environ"), 20, "back to the one before")


# --- profiles

def test_profiles_are_laid_over_and_remembered(pm):
    pm.ini(f"[defaults]\nnice = 1\n[defaults@prod]\nnice = 2\n[app:a]\n{SLEEPER}env.V = base\n[app:a@prod]\nenv.V = prod\n")
    pm.ok("start", "--env", "prod")
    assert "V=prod" in pm.ok("env", "a", "--reveal").out
    r = pm.ok("apply")
    assert "with the profile prod, as before" in r.err and "nothing to do" in r.out, r
    assert "env.V" in pm.ok("apply", "--env=").out
    assert "V=base" in pm.ok("env", "a", "--reveal").out
    assert "profile" not in pm.ok("apply").err
    assert "Do it: pmctl apply --env=prod " in pm.ok("plan", "--env", "prod").out
    (pm.dir / "my list.ini").write_text("[app:other]\ncommand = x\n")
    assert "Do it: pmctl apply --env='' -c 'my list.ini' " in pm.ok("plan", "--env=", "my list.ini").out
    r = pm.fails(7, "plan", "--env", "pord")
    assert 'did you mean "prod"?' in r.err, r
    pm.ok("check", "--env", "prod")


def test_the_profile_is_known_over_an_end_of_the_supervisor(pm):
    """It is killed while it is asked; what it does not tell must not be taken for none."""
    pm.ini(f"[app:a]\n{SLEEPER}env.V = base\n[app:a@prod]\nenv.V = prod\n")
    pm.ok("start", "--env", "prod")
    pid = pm.daemon()["pid"]
    os.kill(pid, signal.SIGSTOP)
    pm.fails(8, "plan", "--timeout", "100ms")
    pm.fails(8, "plan", "--env=prod", "--timeout", "100ms")
    p = pm.popen("apply", text=True)
    wait_for(lambda: sockets(p.pid), 10, "its connection")
    os.kill(pid, signal.SIGKILL)
    out, err = p.communicate(timeout=60)
    assert p.returncode == 0 and "with the profile prod, as before" in err and "nothing to do" in out, (out, err)


# --- drift

def test_drift_is_seen_in_list_and_show(pm):
    pm.ini(f"[app:a]\n{SLEEPER}[app:b]\n{SLEEPER}")
    pm.ok("apply")
    assert {a["name"]: a["drift"] for a in pm.list()["apps"]} == {"a": [], "b": []}
    assert re.search(r"^ *drift +none$", pm.ok("show", "a").out, re.M)
    pm.ini(f"[app:a]\n{SLEEPER}memory_max = 300M\nenv.S = secret\n")
    os.utime(pm.dir / "pmctl.ini")
    apps = {a["name"]: a for a in pm.list()["apps"]}
    assert [k["key"] for k in apps["a"]["drift"]] == ["env.S", "memory_max"]
    assert "file changed: env.S, memory_max" in apps["a"]["note"]
    assert "not in its file any more" in apps["b"]["note"]
    shown = pm.ok("show", "a").out
    assert "file changed since" in shown and "300M" in shown and "secret" not in shown
    pm.ini("[app:a\n")
    assert "not valid: pmctl check" in pm.app("a")["note"]
    (pm.dir / "pmctl.ini").unlink()
    assert "its file is gone" in pm.app("a")["note"]


# --- many

def test_a_list_larger_than_a_request(pm):
    filler = "x" * 4000
    text = "".join(f"[app:a{i}]\ncommand = true\nautostart = no\nenv.F = {filler}\n" for i in range(600))
    pm.ini(text)
    assert "600 added" in pm.ok("apply", timeout=120).out
    assert "nothing to do, 600 unchanged" in pm.ok("apply", timeout=120).out
    pm.ini(text.replace("[app:a7]\ncommand = true", "[app:a7]\ncommand = false"))
    assert list(items(pm)) == ["a7"]


def test_too_many_are_refused_as_a_whole(pm):
    pm.ini("".join(f"[app:a{i}]\ncommand = true\nautostart = no\ninstances = 2\n" for i in range(3000)))
    r = pm.fails(1, "apply", timeout=120)
    assert "4096" in r.err, r
    assert pm.list()["apps"] == []


# --- history and rollback

def test_an_earlier_definition_comes_back(pm):
    text = f"[app:a]\n{SLEEPER}env.V = %s\n"
    pm.up(text % "1")
    assert "had no other definition" in pm.fails(1, "rollback", "a").err
    for v in ("2", "3"):
        pm.ini(text % v)
        pm.ok("apply")
    rows = pm.ok("history", "a").out.splitlines()
    assert len(rows) == 4 and rows[-1].startswith("*    3") and "env.V" in rows[-1], rows
    assert "***" in pm.ok("history", "a", "--json").out and '"2"' not in pm.ok("history", "a", "--json").out
    before = pm.pids("a")
    assert "rolling reload" in pm.ok("rollback", "a", "1", "--dry-run").out and pm.pids("a") == before
    pm.ok("rollback", "a", "1")
    assert "V=1" in pm.ok("env", "a", "--reveal").out
    assert [k["key"] for k in pm.app("a")["drift"]] == ["env.V"]
    pm.ok("rollback", "a")
    assert "V=3" in pm.ok("env", "a", "--reveal").out
    assert "there are 1 to 4" in pm.fails(1, "rollback", "a", "99").err
    pm.fails(2, "rollback", "a", "x")
    pm.fails(4, "history", "nosuch")
    os.kill(pm.daemon()["pid"], signal.SIGKILL)
    assert len(pm.ok("history", "a").out.splitlines()) == 6
    pm.ok("delete", "a")
    pm.ini(text % "1")
    pm.ok("apply")
    assert len(pm.ok("history", "a").out.splitlines()) == 2


def test_a_rollback_that_fails_leaves_what_serves(pm):
    text = ("[app:a]\ncommand = sh -c 'test -e no-$V && { echo bad $V >&2; exit 3; }; exec sleep 1000000'\nready = spawn\n"
            f"min_uptime = {ms(300)}\nenv.V = %s\n")
    pm.up(text % "1")
    pm.ini(text % "2")
    pm.ok("apply")
    before = pm.pids("a")
    (pm.dir / "no-1").touch()
    r = pm.fails(9, "rollback", "a")
    assert "bad 1" in r.err and pm.pids("a") == before, r
    assert len(pm.ok("history", "a").out.splitlines()) == 3
