# SPDX-License-Identifier: MIT
"""plan, apply and rollback against bad files, bad moments and bad versions: nothing lost, nothing half done, all of it told."""
import json
import os
import random
import re
import signal
import socket
import threading

import pytest

from conftest import APPS, alive, free_port, ms, read_proc, stat_of, wait_for
from test_apply import SLEEPER, Load, items, plan, slow_rollout
from test_limits import disk, nobody  # noqa: F401  (disk is a fixture)
from test_upgrade import write_state

FORK = "mode = fork\nready = spawn\n"
root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def versions(pm, app="a"):
    """The variable V of each process that runs."""
    found = [re.search(rb"\0V=(\w+)", b"\0" + read_proc(pid, "environ")) if pid else None for pid in pm.pids(app)]
    return [m and m[1].decode() for m in found]


def settled(pm, app, version, n):
    wait_for(lambda: pm.state(app) == "online" and versions(pm, app) == [version] * n, 20, f"{n} of version {version}")


# --- a failed apply gives back all it took

BAD_AT_ONCE = "[app:a]\ncommand = sh -c 'test $V = bad && { echo no good >&2; exit 4; }; exec sleep 1000000'\n" + FORK


def one(v, instances, extra=""):
    return BAD_AT_ONCE + f"min_uptime = {ms(300)}\nenv.V = {v}\ninstances = {instances}\n{extra}"


@pytest.mark.parametrize("instances", [1, 5])
def test_a_failed_apply_gives_back_the_number_of_instances(pm, instances):
    pm.up(one("good", 3))
    before = pm.pids("a")
    pm.ini(one("bad", instances))
    r = pm.fails(9, "apply")
    assert "a: the definition before is in force again" in r.err, r
    settled(pm, "a", "good", 3)
    assert pm.pids("a")[0] == before[0]


def test_a_failed_apply_gives_back_what_was_scaled_by_hand(pm):
    pm.up(one("good", 1))
    pm.ok("scale", "a", "3")
    pm.ok("stop", "a:2")
    pm.ini(one("bad", 1))
    pm.fails(9, "apply")
    wait_for(lambda: [p["state"] for p in pm.procs("a")] == ["online", "online", "stopped"], 20, "all as before")
    assert [k["old"] for k in pm.app("a")["drift"] if k["key"] == "instances"] == ["3, scaled by hand"]


def test_when_it_was_applied_is_given_back_too(pm):
    pm.up(one("good", 1))
    before = revisions(pm)
    pm.ini(one("bad", 1))
    pm.fails(9, "apply")
    assert revisions(pm) == before


def test_who_comes_while_one_is_taken_back_is_told_so(pm):
    flag = pm.dir / "flag"
    flag.touch()
    ready = f"ready = exec:test -e {flag}\n"
    pm.up(one("good", 2).replace("ready = spawn\n", ready))
    flag.unlink()
    pm.ini(one("bad", 1).replace("ready = spawn\n", ready))
    pm.fails(9, "apply")
    r = pm.fails(8, "apply", "--timeout", "1s")
    assert "an apply is being taken back; waiting for its end" in r.err, r
    assert "apply was not begun in 1s, nothing was done: an apply is being taken back" in r.err, r
    assert "goes on" not in r.err and versions(pm)[0] == "good", r
    flag.touch()
    settled(pm, "a", "good", 2)


def test_a_definition_becomes_a_revision_once(pm):
    """Killed on the way between the revisions and the state file; and when nobody goes on with an apply."""
    pm.up(one("good", 1))
    pm.ok("kill")
    path = pm.home / "state" / "state"
    state = json.loads(path.read_bytes().split(b"\n", 1)[1])
    app = state["apps"][0]
    app.update(previous=app["def"], previous_ms=app["applied_ms"] - 1000)
    write_state(path, json.dumps(state).encode())
    for _ in range(2):
        pm.ok("daemon", "start")
        assert [r["revision"] for r in revisions(pm)] == [1, 2], revisions(pm)
        assert "previous" not in json.loads(path.read_bytes().split(b"\n", 1)[1])["apps"][0]
        pm.ok("kill")
        write_state(path, json.dumps(state).encode())


def revisions(pm):
    return pm.ok("history", "a", "--json").json()["revisions"]


def test_ctrl_c_gives_back_the_number_of_instances(pm):
    text = slow_rollout(pm)
    pm.up(text % "0")
    pm.ini((text % "1").replace("instances = 3", "instances = 2"))
    p = pm.popen("apply", text=True)
    begun(pm)
    p.send_signal(signal.SIGINT)
    out, err = p.communicate(timeout=60)
    assert p.returncode == 130 and "a: the definition before is in force again" in err, (p.returncode, out, err)
    settled(pm, "a", "0", 3)


def test_the_supervisor_dies_after_instances_were_scaled_away(pm):
    text = slow_rollout(pm).replace("sleep 1000000", "sh -c 'test $V = 1 && sleep 1 && exit 3; exec sleep 1000000'")
    text = text.replace("min_uptime = 500ms", "min_uptime = 5s")
    pm.ini(text % "0")
    pm.ok("start")
    pm.ini((text % "1").replace("instances = 3", "instances = 1"))
    p = pm.popen("apply", text=True)
    wait_for(lambda: len(pm.pids("a")) == 1, 10, "two are gone")
    os.kill(pm.daemon()["pid"], signal.SIGKILL)
    out, err = p.communicate(timeout=90)
    assert p.returncode == 9, (p.returncode, out, err)
    settled(pm, "a", "0", 3)


def test_where_all_had_to_stop_all_of_it_goes_back(pm):
    port = free_port()
    text = f"[app:w]\nscript = {APPS}/node/http.js\ninstances = 3\nenv.PORT = {port}\nenv.V = good\nrestart_delay = 10ms\n"
    pm.up(text)
    (pm.dir / "bad.js").write_text("process.exit(5)")
    pm.ini(text.replace(f"{APPS}/node/http.js", "bad.js").replace("= 3", "= 2").replace("good", "bad") + "balance = reuseport\n")
    assert "all stop and then start, because balance changes" in pm.ok("plan").out
    assert "w: the definition before is in force again" in pm.fails(9, "apply").err
    settled(pm, "w", "good", 3)
    socket.create_connection(("127.0.0.1", port), timeout=5).close()


@root
def test_an_apply_on_a_full_disk_says_that_it_is_not_kept(pm, disk):  # noqa: F811
    d = disk("state")
    text = f"[app:a]\n{SLEEPER}env.V = %s\n"
    pm.up(text % "1")
    d.fill()
    pm.ini(text % "2")
    r = pm.ok("apply")
    assert "warning: state not saved" in r.err and "No space" in r.err, r
    assert versions(pm) == ["2"]
    os.kill(pm.daemon()["pid"], signal.SIGKILL)  # what it knew is lost with it, and that is to be seen
    wait_for(lambda: "file changed: env.V" in pm.app("a")["note"], 15, "a difference")
    assert versions(pm) == ["2"]
    d.free()
    pm.ok("apply")
    assert versions(pm) == ["2"] and items(pm) == {}


def test_why_tells_of_an_apply_that_was_taken_back(pm):
    pm.up(one("good", 2))
    pm.ini(one("bad", 2))
    pm.fails(9, "apply")
    why = pm.ok("why", "a").out
    assert why.count("  apply   taken back: a:0 exited 4") == 2 and why.count("pmctl plan") == 2, why
    assert "the new process of a reload exited 4" in why and "no good" in why, why
    pm.ini(one("better", 2))
    pm.ok("apply")
    assert "taken back" not in pm.ok("why", "a").out


# --- what plan says is what apply does

def test_what_does_not_run_is_told_apart(pm):
    """What failed is tried again, what has done its work is not, unless its process is to be another one."""
    text = ("[app:job]\ncommand = sh -c 'echo ran; exit 0'\nautorestart = on-failure\nready = spawn\n"
            "[app:bad]\ncommand = sh -c 'exit 3'\nmax_restarts = 1\nrestart_delay = 10ms\nready = spawn\n")
    pm.ini(text)
    pm.ctl("start")
    pm.wait_state("job", "done")
    pm.wait_state("bad", "failed")
    pm.ini(text.replace("ready = spawn\n", "ready = spawn\nlog_keep = 7\n"))
    out = pm.ok("plan").out
    assert re.search(r"~ job +none of it runs; counts from the next start", out), out
    assert re.search(r"~ bad +none of it runs; start 1 instance", out), out
    assert "job:0 changed; its work is done" in pm.ctl("apply").out
    assert pm.log("job") == b"ran\n" and pm.state("job") == "done"
    pm.ini(text.replace("ready = spawn\n[app", "ready = spawn\nenv.RELEASE = 2\n[app"))
    assert re.search(r"~ job +none of it runs; start 1 instance", pm.ok("plan").out)
    pm.ctl("apply")
    wait_for(lambda: pm.log("job") == b"ran\nran\n", 10, "it has run again")


@pytest.mark.parametrize("count, words", [(4, "stop slot 4"), (3, "stop slots 3 and 4"), (1, "stop slots 1 to 4"),
                                          (6, "start 1 more")])
def test_the_plan_says_which_slots_go(pm, count, words):
    pm.up(f"[app:a]\ncommand = sleep 1000000\n{FORK}instances = 5\n")
    pm.ini(f"[app:a]\ncommand = sleep 1000000\n{FORK}instances = {count}\n")
    assert words in pm.ok("plan").out


def test_of_a_long_value_the_plan_shows_what_differs(pm):
    text = f"[app:a]\ncommand = sh -c 'exec sleep 1000000' {'é' * 3000} %s {'y' * 3000}\n{FORK}"
    pm.up(text % "one")
    pm.ini(text % "two")
    line = next(line for line in pm.ok("plan").out.splitlines() if "command" in line)
    assert "é one yy" in line and "é two yy" in line and line.count("...") == 4 and len(line) < 600, line
    assert "é" * 3000 + " two" in plan(pm)["apps"][0]["keys"][0]["new"]


def test_another_name_for_an_app_with_a_port(pm):
    """What is removed gives way first: its port is that of the new one."""
    port = free_port()
    text = f"[app:%s]\nscript = {APPS}/listen.py\nlisten = 127.0.0.1:{port}\nready = spawn\nmin_uptime = 100ms\n"
    pm.up(text % "web")
    pm.ini(text % "www")
    r = pm.fails(1, "apply")
    assert "in use by the app web" in r.err, r
    pm.ok("delete", "www")
    pm.ok("apply", "--prune")
    assert [a["name"] for a in pm.list()["apps"]] == ["www"]
    socket.create_connection(("127.0.0.1", port), timeout=5).close()


LISTENS = f"script = {APPS}/listen.py\nready = spawn\nmin_uptime = 100ms\n"


def test_ports_pass_on_from_app_to_app(pm):
    """Each waits for the one that has its port, and none is without a process meanwhile."""
    one, two, three = free_port(), free_port(), free_port()
    pm.up(f"[app:a]\n{LISTENS}listen = 127.0.0.1:{one}, unix:s\n[app:b]\n{LISTENS}listen = {two}\ninstances = 2\n")
    pm.ini(f"[app:c]\n{LISTENS}listen = {one}, unix:s\n[app:a]\n{LISTENS}listen = 127.0.0.1:{two}\n"
           f"[app:b]\n{LISTENS}listen = 127.0.0.1:{three}\ninstances = 2\n")
    r = pm.ok("apply")
    assert "2 changed" in r.out and "1 added" in r.out and r.err.count("failed") == 0, r
    shown = {a["name"]: a["procs"][0]["listen"][0] for a in pm.list()["apps"]}
    assert shown["a"] == f"tcp:127.0.0.1:{two}" and shown["b"] == f"tcp:127.0.0.1:{three}" and str(one) in shown["c"], shown
    for port in (one, two, three):
        socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_a_port_of_one_that_comes_after(pm):
    """It cannot be waited for: that fails, leaves what serves, and is done by the next apply."""
    one, two, three = free_port(), free_port(), free_port()
    text = f"[app:a]\n{LISTENS}listen = 127.0.0.1:%d\n[app:b]\n{LISTENS}after = a\nlisten = 127.0.0.1:%d\n"
    pm.up(text % (one, two))
    before = pm.pids("a")
    pm.ini(text % (two, three))
    assert "in use by the app b" in pm.fails(9, "apply").err and pm.pids("a") == before
    pm.ok("apply")
    assert [pm.proc(app)["listen"] for app in "ab"] == [[f"tcp:127.0.0.1:{two}"], [f"tcp:127.0.0.1:{three}"]]


def test_two_that_want_each_others_port(pm):
    """Neither could begin: refused as a whole, with what helps; and that does help."""
    one, two = free_port(), free_port()
    text = f"[app:a]\n{LISTENS}listen = 127.0.0.1:%d\n[app:b]\n{LISTENS}listen = 127.0.0.1:%d\n[app:c]\n{SLEEPER}nice = %d\n"
    pm.up(text % (one, two, 1))
    before = pm.pids("a") + pm.pids("b") + pm.pids("c")
    pm.ini(text % (two, one, 2))
    for command in ("plan", "apply"):
        r = pm.fails(1, command)
        assert f"a is to listen on 127.0.0.1:{two}, which b has" in r.err and "pmctl stop a b" in r.err, r
    assert pm.pids("a") + pm.pids("b") + pm.pids("c") == before
    pm.ok("stop", "a", "b")
    pm.ok("apply")
    pm.ok("start", "a", "b")
    assert [pm.proc(app)["listen"] for app in "ab"] == [[f"tcp:127.0.0.1:{two}"], [f"tcp:127.0.0.1:{one}"]]


def test_a_plan_of_a_rollback_is_about_that_app_alone(pm):
    text = f"[app:a]\n{SLEEPER}env.V = %s\n[app:b]\n{SLEEPER}"
    pm.up(text % "1")
    pm.ini(text % "2")
    pm.ok("apply")
    out = pm.ok("rollback", "a", "--dry-run").out
    assert "a as of revision 1" in out and "b" not in re.findall(r"^  - (\w+)", out, re.M) and "not in" not in out, out
    before = pm.pids("b")
    pm.ok("rollback", "a")
    assert "nothing to do" in pm.ok("rollback", "a", "1").out
    assert pm.pids("b") == before and versions(pm) == ["1"]


def test_rollback_to_each_of_ten_and_after_the_file_has_changed(pm):
    text = f"[app:a]\n{SLEEPER}env.V = %s\n"
    pm.up(text % "1")
    for v in range(2, 11):
        pm.ini(text % v)
        pm.ok("apply")
    pm.ini("[app:a\n")  # the file is of no matter
    for v in (1, 3, 10, 7):
        pm.ok("rollback", "a", v)
        assert versions(pm) == [str(v)]
    pm.ini(text % "10")
    pm.ok("apply")
    assert versions(pm) == ["10"]
    pm.ini(f"[app:b]\n{SLEEPER}")
    pm.ok("apply", "--prune")
    assert "no app" in pm.fails(4, "rollback", "a").err


LIVE = ["memory_max = 300M", "log_keep = 3", "namespace = n", "stop_timeout = 1s", "max_restarts = 3", "log_format = json",
        "restart_delay = 20ms", "ready_timeout = 5s", "leak_window = no", "autostart = no", "reload_parallel = 2"]
ANEW = ["nice = 1", "env.A = 1", "env.A = 2", "env.B = x", "umask = 027", "limit.nofile = 200", "kill_mode = group",
        "stop_signal = SIGINT", "instance_var = SLOT"]


def any_list(rnd):
    out = ""
    for name in rnd.sample("abcd", rnd.randint(2, 4)):
        keys = {k.split(" ")[0]: k for k in rnd.sample(LIVE, rnd.randint(0, 3)) + rnd.sample(ANEW, rnd.randint(0, 2))}
        out += (f"[app:{name}]\ncommand = sleep {rnd.choice([100000, 200000])}\nmode = fork\nready = spawn\nmin_uptime = 50ms\n"
                f"instances = {rnd.choice([1, 1, 2, 3, 5])}\n" + "\n".join(keys.values()) + "\n")
    return out


def slots(pm):
    return {a["name"]: {p["slot"]: p["pid"] for p in a["procs"]} for a in pm.list()["apps"]}


def as_planned(item, old, new):
    """Whether the processes of one app, {slot: pid}, are what the plan said."""
    if not item or item["action"] == "left":
        return old == new
    if item["action"] == "remove":
        return new is None
    if item["action"] == "add":
        return old is None and all(bool(pid) == item["autostart"] for pid in new.values())
    same = {"none": lambda s: new[s] == old[s], "start": lambda s: False}.get(item["way"], lambda s: new[s] not in (None, old[s]))
    return len(new) == item["instances"] and all(
        (new[s] is None if old[s] is None else same(s)) if s in old else bool(new[s]) == any(old.values()) for s in new)


@pytest.mark.parametrize("seed", range(2))
def test_what_the_plan_says_is_what_happens(pm, seed):
    """Random lists and commands between them: only what was named is touched, and in the way that was said."""
    rnd = random.Random(seed)
    pm.up(any_list(rnd))
    for _ in range(4):
        for name in slots(pm):
            command = rnd.choice([["stop", name], ["scale", name, "3"], ["start", name], ["stop", name + ":0"]] + [None] * 8)
            if command:
                pm.ok(*command)
        pm.ini(any_list(rnd))
        prune, before = rnd.choice([[], ["--prune"]]), slots(pm)
        p = plan(pm, *prune)
        named = {i["app"]: i for i in p["apps"]}
        pm.ok("apply", "--if-plan", p["plan"], *prune)
        after = slots(pm)
        for app in before | after:
            assert as_planned(named.get(app), before.get(app), after.get(app)), (seed, app, named.get(app), before, after)
        assert {i["action"] for i in items(pm).values()} <= {"left"}
        pm.ok("plan", "--exit-code")


# --- files

def test_a_list_without_apps_prunes_nothing(pm):
    """One that is being written, or was cut off, is no wish to end all."""
    pm.up(f"[app:a]\n{SLEEPER}[app:b]\n{SLEEPER}")
    before = pm.pids("a")
    pm.ini("", raw=True)
    assert "would be deleted" in pm.fails(7, "plan", "--prune").err
    assert "would be deleted" in pm.fails(7, "apply", "--prune").err
    assert "2 left over" in pm.ok("apply").out
    assert pm.pids("a") == before


def test_what_is_left_over_stays_marked(pm):
    pm.up(f"[app:a]\n{SLEEPER}[app:b]\n{SLEEPER}")
    pm.ini(f"[app:a]\n{SLEEPER}")
    pm.ok("apply")
    assert pm.app("b")["note"] == "not in its file any more" and pm.app("a")["note"] == ""


def test_a_pattern_that_matches_the_file_itself(pm):
    (pm.dir / "more.ini").write_text(f"[app:b]\n{SLEEPER}")
    pm.ini(f"[pmctl]\ninclude = *.ini\n[app:a]\n{SLEEPER}")
    assert "2 apps" in pm.ok("check").out
    pm.ini(f"[pmctl]\ninclude = pmctl.ini\n[app:a]\n{SLEEPER}", raw=True)
    assert "pmctl.ini:2: [pmctl] include: the file includes itself" in pm.fails(7, "check").err
    pm.ini(f"[pmctl]\ninclude = h\n[app:a]\n{SLEEPER}", raw=True)
    pm.home.mkdir()
    assert re.search(r"pmctl.ini:2: \[pmctl\] include: .*h is a directory", pm.fails(7, "check").err)


def test_two_files_that_include_each_other(pm):
    (pm.dir / "more.inc").write_text(f"[pmctl]\ninclude = pmctl.ini\n[app:b]\n{SLEEPER}")
    pm.ini(f"[pmctl]\ninclude = more.inc\n[app:a]\n{SLEEPER}")
    assert "more.inc:2: [pmctl] include: an included file includes no others" in pm.fails(7, "apply").err


@pytest.mark.parametrize("kind", ["gone", "folder", "pipe", "loop", "nul", "cut"])
def test_a_file_that_turned_bad_touches_nothing(pm, kind):
    text = f"[app:a]\n{SLEEPER}"
    pm.up(text)
    before = pm.pids("a")
    pm.ini(text + "nice = 1\n")
    seen = plan(pm)["plan"]
    pm.ini_path.unlink()
    {"gone": lambda p: None, "folder": lambda p: p.mkdir(), "pipe": os.mkfifo, "loop": lambda p: p.symlink_to(p.name),
     "nul": lambda p: p.write_bytes(b"[app:a]\ncommand = sleep\0 1\n"),
     "cut": lambda p: p.write_text("[app:a]\ncomm")}[kind](pm.ini_path)
    for command in (["check"], ["plan"], ["apply"], ["apply", "--if-plan", seen], ["apply", "--prune"]):
        r = pm.fails(7, *command)
        assert "pmctl.ini" in r.err and not r.out, r
    assert "its file is " in pm.app("a")["note"], pm.app("a")
    assert pm.pids("a") == before


def test_an_env_file_that_is_not_there(pm):
    """check and plan say it; a start that needs it fails and leaves what runs."""
    (pm.dir / "x.env").write_text("SECRET=hush\n")
    text = f"[app:a]\n{SLEEPER}env_file = x.env\nrestart_delay = 10ms\n"
    pm.up(text)
    before = pm.pids("a")
    (pm.dir / "x.env").unlink()
    for command in (["check"], ["plan"]):
        assert re.search(r"warning: a: env_file .*/x.env: No such file", pm.ok(*command).err), command
    pm.ini(text + "nice = 1\n")
    r = pm.fails(9, "apply")
    assert "read env_file" in r.err and "1 of 1 still serves" in r.err and pm.pids("a") == before, r
    assert "read env_file" in pm.fails(9, "reload", "a").err and pm.pids("a") == before
    os.kill(before[0], signal.SIGKILL)
    wait_for(lambda: "read env_file" in pm.app("a")["note"], 10, "the reason")
    assert "cwd and env_file" in pm.ok("why", "a").out
    (pm.dir / "x.env").write_text("SECRET=hush\n")
    wait_for(lambda: pm.state("a") == "online", 20, "it is back")
    (pm.dir / "d").mkdir()
    pm.ini(text.replace("x.env", "d"))
    assert "d: Is a directory" in pm.fails(9, "apply").err


@root
def test_an_env_file_that_may_not_be_read(pm):
    user = nobody(pm)
    (user.dir / "x.env").write_text("SECRET=hush\n")
    (user.dir / "x.env").chmod(0o600)  # root's
    user.up(f"[app:a]\n{SLEEPER}")
    before = user.pids("a")
    user.ini(f"[app:a]\n{SLEEPER}env_file = x.env\n")
    assert re.search(r"x.env: Permission denied", user.ok("plan").err)
    r = user.fails(9, "apply")
    assert "x.env: Permission denied" in r.err and user.pids("a") == before, r


def test_a_profile_that_is_gone(pm):
    text = f"[app:a]\n{SLEEPER}[app:a@prod]\nnice = 1\n[app:a@stage]\nnice = 2\n"
    pm.ini(text)
    pm.ok("apply", "--env", "stage")
    before = pm.pids("a")
    pm.ini(text.split("[app:a@stage]")[0])
    for command in ("apply", "plan", "start"):
        r = pm.fails(7, command)
        assert 'no section is of the profile "stage" (there is one: prod)' in r.err and "--env= for none" in r.err, r
    assert "pmctl check --env stage" in pm.app("a")["note"]
    pm.fails(7, "check", "--env", "stage")
    assert pm.pids("a") == before
    pm.ok("apply", "--env", "prod")
    assert "with the profile prod, as before" in pm.ok("apply").err


def test_ten_thousand_apps(pm):
    """Checked in one go, and refused as a whole where they are more than the daemon runs."""
    pm.ini("".join(f"[app:a{i}]\ncommand = true\n" for i in range(10000)))
    assert "10000 apps, no errors" in pm.ok("check").out
    assert "10000 apps with 10000 instances" in pm.fails(1, "apply", timeout=120).err
    assert pm.list()["apps"] == []


# --- bytes

def test_secrets_are_told_to_nobody(pm):
    """Not by plan, apply, history, events, list, show, the state of a list, nor the daemon's log; an env_file's are not stored."""
    (pm.dir / "x.env").write_text("E=hush-file\n")
    text = f"[app:a]\n{SLEEPER}env_file = x.env\nenv.PASSWORD = %s\n"
    pm.up(text % "hush-one")
    pm.ini(text % "hush-two")
    said = ""
    for command in (["plan"], ["plan", "--json"], ["list"], ["list", "--json"], ["show", "a"], ["show", "a", "--json"],
                    ["apply"], ["apply", "--json"], ["history", "a"], ["history", "a", "--json"], ["events", "--json"],
                    ["rollback", "a", "--dry-run"], ["rollback", "a", "--dry-run", "--json"], ["rollback", "a", "--json"],
                    ["why", "a", "--json"], ["env", "a"], ["jlist"], ["metrics"]):
        r = pm.ok(*command)
        said += r.out + r.err
    assert "PASSWORD" in said and "hush" not in said
    assert "hush" not in pm.daemon_log()
    kept = [p for p in (pm.home / "state").rglob("*") if p.is_file() and b"hush-file" in p.read_bytes()]
    assert not kept
    assert all(p.stat().st_mode & 0o077 == 0 for p in (pm.home / "state").rglob("*"))


def test_the_name_of_a_plan_gives_no_secret_away(pm):
    """It is printed where logs are kept: another daemon names the same plan otherwise."""
    text = f"[app:a]\n{SLEEPER}env.PIN = %s\n"
    pm.up(text % "1234")
    pm.ini(text % "5678")
    seen = plan(pm)["plan"]
    assert plan(pm)["plan"] == seen
    os.kill(pm.daemon()["pid"], signal.SIGKILL)
    wait_for(lambda: plan(pm)["plan"] != seen, 15, "another name")
    assert "another one by now" in pm.fails(1, "apply", "--if-plan", seen).err


def test_control_characters_never_reach_the_terminal(pm):
    esc = "\x1b]0;owned\x07\x1b[31m"
    pm.up(f"[app:a]\n{SLEEPER}")
    pm.ini(f"[app:a]\n{SLEEPER}cwd = {pm.dir}/{esc}\nnamespace = n\n")
    (pm.dir / esc).mkdir()
    for command in (["plan"], ["list"], ["show", "a"], ["apply"], ["history", "a"], ["rollback", "a"], ["why", "a"]):
        r = pm.ctl(*command)
        assert "\x1b" not in r.out + r.err and "\x07" not in r.out + r.err, command
        r = pm.ctl(*command, "--json")
        assert isinstance(json.loads(r.out or r.err), dict)


def test_json_is_json_also_where_it_fails(pm):
    text = one("good", 2)
    pm.up(text)
    pm.ini(one("bad", 2))
    r = pm.fails(9, "apply", "--json")
    assert [t["reverted"] for t in r.json()["results"]] == [True, True] and not r.json()["ok"]
    pm.ini("[app:a\n")
    assert json.loads(pm.fails(7, "apply", "--json").err)["error"]["exit"] == 7
    pm.ini(one("good", 2))
    assert json.loads(pm.fails(1, "apply", "--if-plan", "00000001", "--json").err)["error"]["exit"] == 1
    assert json.loads(pm.fails(4, "rollback", "b", "--json").err)["error"]["exit"] == 4


# --- moments

def held_rollout(pm):
    """One instance, ready once there is a file named as its version; returns the text with %s for one."""
    (pm.dir / "0").touch()
    return ("[app:a]\ncommand = sleep 1000000\nready = exec:sh -c 'test -e $V'\nready_timeout = 60s\nmin_uptime = 50ms\n"
            f"env.V = %s\ncwd = {pm.dir}\n")


def begun(pm):
    return wait_for(lambda: any(e["text"].startswith("replacing") for e in pm.rpc("events", {"n": 50})["events"]), 20, "begun")


def test_a_long_list_waits_for_the_apply_before_it(pm):
    """Its definitions were sent ahead, and still are there when its turn comes."""
    many = "".join(f"[app:z{i}]\ncommand = true\nautostart = no\nenv.F = {'x' * 8000}\n" for i in range(200))
    text = held_rollout(pm)
    pm.ini(text % "0" + many)
    pm.ok("apply", timeout=120)
    pm.ini(text % "1" + many)
    first = pm.popen("apply", text=True)
    begun(pm)
    pm.ini(text % "2" + many)
    assert items(pm)["a"]["way"] == "reload"
    second = pm.popen("apply", text=True)
    assert "waiting for its end" in second.stderr.readline()
    for v in ("1", "2"):
        (pm.dir / v).touch()
    assert first.wait(timeout=60) == 0 and second.wait(timeout=60) == 0, second.stderr.read()
    settled(pm, "a", "2", 1)


@pytest.mark.parametrize("json", [[], ["--json"]])
def test_interrupted_while_it_asks_for_the_plan(pm, json):
    pm.up(f"[app:a]\n{SLEEPER}")
    pm.ini(f"[app:a]\n{SLEEPER}nice = 1\n")
    before, daemon = pm.pids("a"), pm.daemon()["pid"]
    os.kill(daemon, signal.SIGSTOP)
    try:
        p = pm.popen("apply", *json, text=True)
        cares = re.compile(rb"SigCgt:\t[0-9a-f]*[2367abef]\n")  # for SIGINT
        wait_for(lambda: cares.search(read_proc(p.pid, "status")) and stat_of(p.pid)[1] == "S", 10, "it to wait for the answer")
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=20)
    finally:
        os.kill(daemon, signal.SIGCONT)
    assert p.returncode == 130 and not out and "interrupted" in err and "goes on" not in err, (p.returncode, out, err)
    assert not json or '"exit":130' in err, err
    assert items(pm)["a"]["action"] == "change" and pm.pids("a") == before


def test_interrupted_while_it_waits_nothing_is_done(pm):
    text = held_rollout(pm)
    pm.up(text % "0")
    pm.ini(text % "1")
    first = pm.popen("apply", text=True)
    begun(pm)
    pm.ini(text % "2")
    second = pm.popen("apply", text=True)
    assert "waiting for its end" in second.stderr.readline()
    second.send_signal(signal.SIGINT)
    err = second.communicate(timeout=30)[1]
    assert second.returncode == 130 and "nothing was done" in err, err
    (pm.dir / "1").touch()
    assert first.wait(timeout=60) == 0
    settled(pm, "a", "1", 1)


@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("who", ["client", "supervisor", "client and supervisor", "keeper", "both"])
def test_somebody_is_killed_while_a_successor_is_on_trial(pm, who, good):
    """All of the new version or all of the old one, with one process a slot, and whoever asked is told."""
    text = held_rollout(pm).replace("[app:a]\n", "[app:a]\ninstances = 2\nmode = fork\n")
    pm.up(text % "0")
    before = pm.pids("a")
    version = "1" if good else "no"
    pm.ini((text % version).replace("sleep 1000000", "sh -c 'test $V = no && test -e no && exit 3; sleep 1000000'"))
    p = pm.popen("apply", text=True)
    begun(pm)
    d = pm.daemon()
    if "client" in who:
        p.kill()
    if who == "keeper":
        os.kill(d["keeper_pid"], signal.SIGKILL)
    elif who == "both":
        pm.kill_both()
        pm.ok("daemon", "start")
    elif "supervisor" in who:
        os.kill(d["pid"], signal.SIGKILL)
    wait_for(lambda: pm.ctl("list").rc == 0 and (pm.daemon()["pid"] != d["pid"] or who in ("client", "keeper")), 20, "a daemon")
    if good:
        (pm.dir / "1").touch()
    else:
        wait_for(lambda: young(pm, before), 20, "the one on trial")
        for pid in young(pm, before):
            os.kill(pid, signal.SIGKILL)
    err = p.communicate(timeout=60)[1]
    if "client" not in who:
        assert p.returncode == (0 if good else 9), (p.returncode, err)
    settled(pm, "a", "1" if good else "0", 2)
    wait_for(lambda: not young(pm, pm.pids("a")), 10, "one process a slot")
    assert good or pm.pids("a") == before
    assert bool(items(pm)) == (not good)


def young(pm, shown):
    """Processes of the app beside these."""
    own = [pid for pid in pm.ours() if b"sleep" in read_proc(pid, "cmdline") and b"PMCTL_APP=a\0" in read_proc(pid, "environ")]
    return [pid for pid in own if pid not in shown and (stat_of(pid) or (0,))[0] not in own + shown]


def test_ten_at_once_from_ten_files(pm):
    """One after the other, none lost: what runs is what one of them says, everywhere."""
    text = "[pmctl]\nproject = shop\n[app:a]\ncommand = sleep 1000000\ninstances = 2\n" + FORK + "min_uptime = 50ms\nenv.V = v%s\n"
    for i in range(10):
        (pm.dir / f"{i}.ini").write_text(text % i)
    pm.ok("apply", "-c", "0.ini")
    ps = [pm.popen("apply", "-c", f"{i}.ini") for i in range(10)]
    assert [p.wait(timeout=120) for p in ps] == [0] * 10
    in_force = versions(pm)[0]
    settled(pm, "a", in_force, 2)
    assert len(pm.ok("history", "a").out.splitlines()) >= 10
    assert "nothing to do" in pm.ok("apply", "-c", f"{in_force[1:]}.ini").out


@pytest.mark.parametrize("command", [["stop", "a"], ["scale", "a", "1"], ["scale", "a", "5"], ["reload", "a"], ["restart", "a"],
                                     ["delete", "a"], ["daemon", "upgrade"]])
def test_a_command_in_the_middle_of_an_apply(pm, command):
    text = slow_rollout(pm)
    pm.up(text % "0")
    pm.ini(text % "1")
    p = pm.popen("apply", text=True)
    wait_for(lambda: versions(pm)[0] == "1", 20, "the first one is new")
    pm.ok(*command, timeout=60)
    out, err = p.communicate(timeout=60)
    if command[0] == "delete":
        assert p.returncode == 1 and pm.list()["apps"] == []
        return
    wait_for(lambda: pm.state("a") == ("stopped" if command[0] == "stop" else "online"), 20, "at rest")
    want = 0 if command[0] in ("reload", "daemon") or command[-1] == "5" else 1
    assert p.returncode == want and (not want or "by another command" in err), (p.returncode, out, err)
    n = {"stop": 0, "scale": int(command[-1][-1]) if command[-1].isdigit() else 0}.get(command[0], 3)
    assert [v for v in versions(pm) if v] == ["1"] * n
    assert not {"add", "remove"} & {i["action"] for i in items(pm).values()}


def test_bad_versions_under_load(pm):
    """Each in another way; the old one serves all the time."""
    port = free_port()
    good = (f"[app:w]\nscript = {APPS}/node/http.js\ninstances = 2\nenv.PORT = {port}\nenv.V = 0\nmin_uptime = {ms(200)}\n"
            f"ready_timeout = {ms(1500)}\n")
    pm.up(good)
    before = pm.pids("w")
    scripts = {"crashes.js": "process.exit(7)", "never.js": "setInterval(() => {}, 1e6)",
               "syntax.js": "this is no program"}
    with Load(port, 2) as load:
        for name, code in scripts.items():
            (pm.dir / name).write_text(code)
            pm.ini(good.replace(f"{APPS}/node/http.js", name))
            r = pm.fails(9, "apply", timeout=60)
            assert "2 of 2 still serve" in r.err and pm.pids("w") == before, (name, r)
        pm.ini(good + "cwd = nowhere\n")
        assert "nowhere" in pm.fails(9, "apply", timeout=60).err
    assert not load.failures and load.answers > 20, load.failures[:5]
    assert pm.pids("w") == before and all(map(alive, before))


# --- answers

def test_answers_that_are_nonsense_end_no_command_by_a_signal(pm):
    def answer(s):
        c, _ = s.accept()
        for line in c.makefile("r"):
            result = {"same": 2, "unchanged": [None, 1], "apps": [3, {"keys": [None]}], "slots": ["x", None], "lists": [0]}
            c.sendall(json.dumps({"jsonrpc": "2.0", "id": json.loads(line)["id"], "result": result}).encode() + b"\n")

    pm.socket.parent.mkdir(parents=True, mode=0o700)
    pm.ini(f"[app:a]\n{SLEEPER}")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(pm.socket))
        s.listen()
        for command in (["plan"], ["why", "--json"], ["why"], ["list"], ["rollback", "a", "--dry-run"]):
            threading.Thread(target=answer, args=(s,), daemon=True).start()
            r = pm.ctl(*command)
            assert r.rc in (0, 1), r
