# SPDX-License-Identifier: MIT
"""after: started once others are ready, stopped before them."""
import json
import os
import signal
import time

import pytest

from conftest import alive, app_path, wait_for

SLEEP = "command = sleep 1000000\n"
# Ready once there is a file "go", dead as long as there is a file "broken".
DB = ("[app:db]\ncommand = sh -c 'test -e broken && { echo no disk >&2; exit 4; }; until test -e go; do sleep 0.02; done; "
      "exec " + app_path("notify") + "'\nready = notify\nready_timeout = 60s\n")
WEB = "[app:web]\n" + SLEEP + "after = db\n"
# Ends slowly, so that what goes before it can be seen.
SLOW_END = "command = sh -c 'trap \"sleep 0.4; exit 0\" TERM; while :; do sleep 0.05; done'\n"


def events(pm):
    return [json.loads(line) for line in pm.ok("events", "--json", "-n", "1000").out.splitlines()]


def seqs(pm, app, kind, text=""):
    return [e["seq"] for e in events(pm) if e["app"] == app and e["type"] == kind and text in e["text"]]


def seq(pm, app, kind, text=""):
    """The place of the newest event of a kind."""
    return seqs(pm, app, kind, text)[-1]


def assert_in_turn(pm, *apps):
    """Each was started only when the one before it was ready."""
    for first, then in zip(apps, apps[1:]):
        assert max(seqs(pm, first, "ready")) < min(seqs(pm, then, "start", "started pid")), events(pm)


def note(pm, app, slot=0):
    return pm.proc(app, slot)["note"]


def waits(pm, app, other="db"):
    def held():
        procs = [p for a in pm.list()["apps"] if a["name"] == app for p in a["procs"]]
        return procs and all(p["state"] == "stopped" and p["note"] == f"waits for {other}" for p in procs)
    return wait_for(held, 10, f"{app} waits for {other}")


def go(pm):
    (pm.dir / "go").touch()


# --- the file


def check(pm, text):
    pm.ini(text, raw=True)
    return pm.fails(7, "check").err


def test_unknown_names_and_cycles_are_told_in_one_go(pm):
    err = check(pm, "[app:web]\ncommand = x\nafter = dbb cache\n[app:db]\ncommand = x\nafter = api\nmin_uptime = soon\n"
                    "[app:api]\ncommand = x\nafter = db\n[app:me]\ncommand = x\nafter = me\n")
    assert 'pmctl.ini:3: [app:web] after: no app "dbb" in this file; did you mean "db"?' in err
    assert 'pmctl.ini:3: [app:web] after: no app "cache" in this file' in err
    assert "pmctl.ini:6: [app:db] after: db -> api -> db is a cycle" in err
    assert "pmctl.ini:7: [app:db] min_uptime" in err
    assert "pmctl.ini:13: [app:me] after: an app cannot come after itself" in err
    assert "5 errors" in err and "nothing applied" in err
    assert pm.fails(7, "start").err == err and not pm.socket.exists()


def test_names_may_stand_in_included_files(pm):
    (pm.dir / "more").mkdir()
    pm.ini("[app:db]\n" + SLEEP, name="more/db.ini")
    pm.ini("[app:job]\n" + SLEEP + "after = web\n", name="more/job.ini")
    pm.ini("[pmctl]\ninclude = more/*.ini\n[app:web]\n" + SLEEP + "after = db\n", raw=True)
    pm.ok("check")
    pm.ini("[app:job]\n" + SLEEP + "after = wep\n", name="more/job.ini", raw=True)
    err = pm.fails(7, "check").err
    assert 'more/job.ini:3: [app:job] after: no app "wep" in this file; did you mean "web"?' in err
    # One that cannot be read may have any name.
    (pm.dir / "more" / "job.ini").unlink()
    (pm.dir / "more" / "job.ini").mkdir()
    err = pm.fails(7, "check").err
    assert "is a directory" in err and "no app" not in err


def test_a_cycle_over_files(pm):
    pm.ini("[app:db]\n" + SLEEP + "after = web\n", name="db.ini", raw=True)
    err = check(pm, "[pmctl]\ninclude = db.ini\n[app:web]\n" + SLEEP + "after = db\n")
    assert "pmctl.ini:5: [app:web] after: web -> db -> web is a cycle" in err


def test_defaults_and_their_exception(pm):
    pm.ini("[defaults]\nafter = db\n[app:web]\n" + SLEEP + "[app:db]\n" + SLEEP, raw=True)
    assert "[app:db] after: an app cannot come after itself" in pm.fails(7, "check").err
    pm.ini("[defaults]\nafter = db\n[app:web]\n" + SLEEP + "[app:db]\nafter =\n" + SLEEP, raw=True)
    pm.ok("check")


# --- starting


def test_waits_until_ready(pm):
    pm.ini(WEB + DB)
    p = pm.popen("start")
    wait_for(pm.socket.exists, 10)
    waits(pm, "web")
    assert pm.app("web")["note"] == "waits for db" and p.poll() is None
    assert "waits for db" in pm.ok("list").out and "waits for db" in pm.ok("show", "web").out
    assert "after" in pm.ok("show", "web").out
    go(pm)
    out, err = p.communicate(timeout=30)
    assert p.returncode == 0 and b"web:0 started" in out and b"db:0 started" in out, err
    assert_in_turn(pm, "db", "web")
    assert note(pm, "web") == "" and seqs(pm, "web", "start", "waits for db")


def test_chain(pm):
    go(pm)
    pm.up("[app:c]\n" + SLEEP + "after = b\n[app:b]\n" + SLEEP + "after = db\ninstances = 2\nmode = fork\n" + DB)
    assert_in_turn(pm, "db", "b", "c")


def test_diamond(pm):
    go(pm)
    pm.up("[app:top]\n" + SLEEP + "after = left right\n[app:left]\n" + SLEEP + "after = db\nmin_uptime = 400ms\n"
          "[app:right]\n" + SLEEP + "after = db\n" + DB)
    assert_in_turn(pm, "db", "left", "top")
    assert_in_turn(pm, "db", "right", "top")


def test_every_instance_must_be_ready(pm):
    slow = "command = sh -c 'test $PMCTL_SLOT = 0 || until test -e go; do sleep 0.02; done; exec " + app_path("notify") + "'\n"
    pm.ini("[app:db]\n" + slow + "ready = notify\nready_timeout = 60s\ninstances = 3\nmode = fork\n" + WEB)
    p = pm.popen("start")
    wait_for(pm.socket.exists, 10)
    wait_for(lambda: pm.list()["apps"] and pm.proc("db")["state"] == "online", 10, "the first instance of db")
    waits(pm, "web")
    go(pm)
    assert p.wait(timeout=30) == 0
    assert_in_turn(pm, "db", "web")


def test_a_job_that_ended_well_is_ready(pm):
    pm.up("[app:migrate]\ncommand = sh -c 'sleep 0.3'\nautorestart = never\nmin_uptime = 5s\n"
          "[app:web]\n" + SLEEP + "after = migrate\n")
    assert pm.state("migrate") == "done" and pm.state("web") == "online"
    assert seq(pm, "migrate", "exit") < seq(pm, "web", "start", "started pid")


def test_a_job_that_failed_is_not(pm):
    pm.ini("[app:migrate]\ncommand = sh -c 'test -e go'\nautorestart = never\nmin_uptime = 5s\n"
           "[app:web]\n" + SLEEP + "after = migrate\n")
    r = pm.fails(1, "start")
    assert "migrate:0 exited 1" in r.err and "web:0 migrate did not become ready" in r.err
    assert pm.state("web") == "stopped"
    go(pm)
    pm.ok("start", "migrate")
    pm.wait_state("web", "online")


def test_failing_then_repaired(pm):
    (pm.dir / "broken").touch()
    pm.ini("[app:end]\n" + SLEEP + "after = web\n" + WEB + DB + "max_restarts = 2\nrestart_delay = 100ms\n")
    r = pm.fails(1, "start")
    assert "db:0 exited 4" in r.err and "no disk" in r.err
    assert "web:0 db did not become ready; started by itself once it is" in r.err
    assert "end:0 web did not become ready" in r.err
    pm.wait_state("db", "failed")
    wait_for(lambda: note(pm, "web") == "waits for db, which failed", 5, "the note")
    assert "of no use" in pm.fails(3, "wait", "end").err
    assert pm.proc("web")["pid"] is None and "no disk" not in pm.ok("why", "web").out
    # Asked again, it says so again, and does not wait for ever.
    assert "db did not become ready" in pm.fails(1, "start", "web").err
    (pm.dir / "broken").unlink()
    go(pm)
    pm.ok("start", "db")
    pm.wait_state("end", "online")
    assert_in_turn(pm, "db", "web", "end")


def test_a_next_try_that_succeeds_is_enough(pm):
    (pm.dir / "broken").touch()
    go(pm)
    pm.ini(WEB + DB + "restart_delay = 300ms\n")
    pm.fails(1, "start")
    (pm.dir / "broken").unlink()
    pm.ok("wait", "web")
    assert_in_turn(pm, "db", "web")


def test_not_ready_in_time(pm):
    pm.ini(WEB + DB.replace("60s", "400ms") + "restart_delay = 20s\n")
    r = pm.fails(1, "start")
    assert "db:0 not ready within" in r.err and "web:0 db did not become ready" in r.err


def test_what_is_stopped_is_not_waited_for_nor_started(pm):
    pm.up("[app:db]\n" + SLEEP + WEB)
    pm.ok("stop", "all")
    r = pm.ok("start", "web")
    assert "db is stopped; not waited for" in r.out
    assert pm.state("web") == "online" and pm.state("db") == "stopped" and note(pm, "web") == ""
    assert seqs(pm, "web", "start", "db is stopped; not waited for")
    # Both again, by name.
    pm.ok("stop", "all")
    r = pm.ok("start", "web", "db")
    assert "not waited for" not in r.out
    assert seq(pm, "db", "ready") < seq(pm, "web", "start", "started pid")


def test_autostart_no_is_not_waited_for(pm):
    pm.up(WEB + DB + "autostart = no\n")
    assert pm.state("web") == "online" and pm.state("db") == "stopped"


def test_a_crash_restarts_nobody_else(pm):
    go(pm)
    pm.up(WEB + DB)
    web, db = pm.pids("web")[0], pm.pids("db")[0]
    (pm.dir / "go").unlink()
    os.kill(db, 9)
    wait_for(lambda: pm.proc("db")["pid"] not in (None, db), 10, "another db")
    assert pm.pids("web") == [web] and pm.state("web") == "online"
    # Nor does a crash of web wait while db is not ready, nor a restart by hand.
    os.kill(web, 9)
    pm.wait_replaced("web", 0, web)
    assert pm.state("db") == "starting"
    pm.ok("restart", "web")
    go(pm)
    pm.wait_state("db", "online")


def test_start_of_what_is_stopping_waits_too(pm):
    go(pm)
    pm.up(DB + "[app:web]\nafter = db\n" + SLOW_END)
    (pm.dir / "go").unlink()
    old = pm.pids("web")[0]
    stop = pm.popen("stop", "all")
    wait_for(lambda: pm.state("web") == "stopping", 10, "web stopping")
    pm.ok("restart", "db", "--no-wait")
    start = pm.popen("start", "web")
    waits(pm, "web")
    assert not alive(old) and pm.state("db") == "starting"
    go(pm)
    assert start.wait(timeout=30) == 0
    stop.wait(timeout=30)
    pm.wait_state("web", "online")


def test_scale_of_a_waiting_app(pm):
    pm.ini(WEB + "instances = 2\nmode = fork\n" + DB)
    p = pm.popen("start")
    wait_for(pm.socket.exists, 10)
    waits(pm, "web")
    up = pm.popen("scale", "web", "4")
    wait_for(lambda: len(pm.procs("web")) == 4 and note(pm, "web", 3) == "waits for db", 10, "a fourth that waits")
    assert "web:3 removed" in pm.ok("scale", "web", "3").out
    go(pm)
    p.wait(timeout=30)
    assert up.wait(timeout=30) == 1  # the fourth was taken away
    wait_for(lambda: pm.app("web")["online"] == 3 and len(pm.procs("web")) == 3, 10, "three of them")
    assert_in_turn(pm, "db", "web")


@pytest.mark.parametrize("command", ["stop", "delete"])
def test_nothing_to_wait_for_any_more(pm, command):
    pm.ini(WEB + DB)
    p = pm.popen("start")
    wait_for(pm.socket.exists, 10)
    waits(pm, "web")
    pm.ok(command, "db")
    pm.wait_state("web", "online")
    out, err = p.communicate(timeout=30)
    assert b"web:0 started" in out and p.returncode == 1, err  # db was stopped meanwhile


def test_stop_and_delete_of_a_waiting_one(pm):
    pm.ini(WEB + DB)
    p = pm.popen("start")
    wait_for(pm.socket.exists, 10)
    waits(pm, "web")
    assert "web:0 stopped" in pm.ok("stop", "web").out
    assert note(pm, "web") == "asked to stop"
    go(pm)
    assert b"web:0 stopped by another command (uid " in p.communicate(timeout=30)[1]
    assert pm.state("web") == "stopped" and pm.proc("web")["pid"] is None
    (pm.dir / "go").unlink()
    pm.ok("stop", "db")
    p = pm.popen("start")
    waits(pm, "web")
    assert "web:0 deleted" in pm.ok("delete", "web").out
    go(pm)
    assert p.wait(timeout=30) == 1
    assert [a["name"] for a in pm.list()["apps"]] == ["db"]


def test_no_wait_and_deadline(pm):
    pm.ini(WEB + DB)
    pm.ok("start", "--no-wait")
    waits(pm, "web")
    pm.fails(8, "start", "web", "--timeout", "300ms")
    pm.fails(8, "wait", "web", "--for", "ready", "--timeout", "300ms")
    w = pm.popen("wait", "web", "--for", "ready")
    go(pm)
    assert w.wait(timeout=30) == 0


# --- ad hoc apps


def test_ad_hoc(pm):
    pm.ini(DB)
    pm.ok("start", "--no-wait")
    p = pm.popen("start", "--command", "sleep 1000000", "--name", "job", "--after", "db")
    waits(pm, "job")
    go(pm)
    assert p.wait(timeout=30) == 0
    assert_in_turn(pm, "db", "job")
    r = pm.fails(7, "start", "--command", "sleep 1000000", "--name", "x", "--after", "dbb")
    assert 'app x: after: no app "dbb"; did you mean "db"?' in r.err
    assert "cannot come after itself" in pm.fails(7, "start", "--command", "x", "--name", "x", "--after", "x").err
    assert len(pm.list()["apps"]) == 2


def test_a_cycle_with_what_is_known(pm):
    run = ["start", "--command", "sleep 1000000", "--name"]
    pm.ok(*run, "a")
    pm.ok(*run, "b", "--after", "a")
    pm.ok("stop", "a")
    assert "a -> b -> a is a cycle" in pm.fails(7, *run, "a", "--after", "b").err
    assert pm.state("a") == "stopped"


def test_part_of_a_file(pm):
    pm.ini(WEB + DB)
    r = pm.ok("start", "pmctl.ini", "web")
    assert "db is stopped; not waited for" in r.out
    assert [a["name"] for a in pm.list()["apps"]] == ["web"]


# --- stopping


def ended(pm, first, then):
    """first was gone before then was asked to stop."""
    assert max(seqs(pm, first, "exit")) < min(seqs(pm, then, "stop", "asked to stop")), events(pm)


@pytest.mark.parametrize("command", ["stop", "delete"])
def test_stopped_in_reverse(pm, command):
    pm.up("[app:db]\n" + SLEEP + "[app:api]\nafter = db\ninstances = 2\nmode = fork\n" + SLOW_END +
          "[app:web]\nafter = api\n" + SLOW_END + "[app:other]\n" + SLOW_END)
    r = pm.ok(command, "all")
    assert r.out.count("stopped" if command == "stop" else "deleted") == 4, r
    ended(pm, "web", "api")
    ended(pm, "api", "db")
    # Who has nothing to do with them does not wait.
    assert seq(pm, "other", "stop") < seq(pm, "web", "exit")


def test_stopped_in_reverse_over_one_that_is_not_meant(pm):
    pm.up("[app:db]\n" + SLEEP + "[app:api]\n" + SLEEP + "after = db\n[app:web]\nafter = api\n" + SLOW_END)
    pm.ok("stop", "db", "web")
    ended(pm, "web", "db")
    assert pm.state("api") == "online"


def test_one_that_is_stopped_already_is_not_waited_for(pm):
    pm.up("[app:db]\n" + SLEEP + WEB + "[app:end]\n" + SLEEP + "after = web\n")
    pm.ok("stop", "end", "web")
    r = pm.ok("stop", "all")
    assert r.out.count("already stopped") == 2 and "db:0 stopped" in r.out


def test_a_stop_that_waits_is_outdone_by_a_start(pm):
    pm.up("[app:db]\n" + SLEEP + "[app:web]\nafter = db\n" + SLOW_END)
    pid = pm.pids("db")[0]
    p = pm.popen("stop", "all")
    wait_for(lambda: pm.state("web") == "stopping", 10, "web stopping")
    pm.ok("start", "db")
    assert b"db:0 started again meanwhile" in p.communicate(timeout=30)[1]
    assert pm.pids("db") == [pid] and pm.state("web") == "stopped"


def test_daemon_stop_in_reverse_and_start_in_order(pm):
    go(pm)
    pm.up(WEB.replace(SLEEP, SLOW_END) + "[app:end]\n" + SLEEP + "after = web\n" + DB)
    pm.daemon()
    log = pm.logdir / "pmctld.log"
    assert "3 instances" in pm.ok("daemon", "stop").out
    lines = [line for line in log.read_text().splitlines() if "-> stopp" in line]
    places = {what: n for n, line in enumerate(lines) for what in
              ("web:0: online -> stopping", "web:0: stopping -> stopped", "db:0: online -> stopping",
               "end:0: stopping -> stopped") if what in line}
    assert (places["end:0: stopping -> stopped"] < places["web:0: online -> stopping"] <
            places["web:0: stopping -> stopped"] < places["db:0: online -> stopping"]), lines
    (pm.dir / "go").unlink()
    last = max(json.loads(line)["seq"] for line in (pm.home / "state" / "events.jsonl").read_text().splitlines())
    pm.ok("daemon", "start")
    waits(pm, "web")
    waits(pm, "end", "web")
    go(pm)
    pm.wait_state("end", "online")
    fresh = [e for e in events(pm) if e["seq"] > last]
    order = [(e["app"], e["type"]) for e in fresh if e["type"] == "ready" or "started pid" in e["text"]]
    assert order == [(app, kind) for app in ("db", "web", "end") for kind in ("start", "ready")], fresh


def test_second_sigterm_ends_all_at_once(pm):
    pm.up("[app:db]\n" + SLEEP + "[app:web]\nafter = db\nstop_timeout = 60s\ncommand = " + app_path("stubborn") + "\n")
    pids = pm.pids("db") + pm.pids("web")
    keeper = pm.daemon()["keeper_pid"]
    os.kill(keeper, signal.SIGTERM)
    wait_for(lambda: pm.state("web") == "stopping", 10, "web stopping")
    assert pm.state("db") == "online"
    time.sleep(0.5)  # a second within 300 ms is taken for the same one
    os.kill(keeper, signal.SIGTERM)
    wait_for(lambda: not any(map(alive, pids)), 10, "the end of all")
    wait_for(lambda: not alive(keeper), 10, "the end of the keeper")


def test_daemon_stop_while_one_waits(pm):
    pm.ini(WEB + DB)
    pm.ok("start", "--no-wait")
    waits(pm, "web")
    pm.daemon()
    pm.ok("daemon", "stop")
    go(pm)
    pm.ok("daemon", "start")
    pm.wait_state("web", "online")
    assert_in_turn(pm, "db", "web")


# --- restart, reload


@pytest.mark.parametrize("command", ["restart", "reload"])
def test_one_after_the_other(pm, command):
    go(pm)
    pm.up("[app:end]\n" + SLEEP + "after = web\n" + WEB + "instances = 2\nmode = fork\n" + DB)
    last = events(pm)[-1]["seq"]
    pm.ok(command, "all")
    fresh = [e for e in events(pm) if e["seq"] > last and (e["type"] == "ready" or "started pid" in e["text"])]
    assert [(e["app"], e["slot"]) for e in fresh] == [
        pair for pair in (("db", 0), ("web", 0), ("web", 1), ("end", 0)) for _ in range(2)], fresh


def test_restart_of_stopped_ones_waits_as_a_start_does(pm):
    pm.ini(WEB + DB)
    pm.ok("start", "--no-wait")
    pm.ok("stop", "web")
    p = pm.popen("restart", "web")
    waits(pm, "web")
    go(pm)
    assert p.wait(timeout=30) == 0 and pm.state("web") == "online"


def test_a_failed_reload_holds_nobody_back(pm):
    go(pm)
    pm.up(WEB + DB + "instances = 2\nmode = fork\n")
    web = pm.pids("web")
    (pm.dir / "broken").touch()
    r = pm.fails(9, "reload", "all")
    assert "reload db stopped at db:0: new process" in r.err and "exited 4" in r.err
    assert pm.pids("web") != web and pm.state("web") == "online"


# --- the supervisor dies


def kill_supervisor(pm):
    pid = pm.daemon()["pid"]
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: pm.ctl("ping").rc == 0 and pm.daemon()["pid"] != pid, 20, "another supervisor")


def test_a_waiting_one_waits_on_with_the_next_supervisor(pm):
    pm.ini("[app:end]\n" + SLEEP + "after = web\n" + WEB + DB)
    pm.ok("start", "--no-wait")
    waits(pm, "web")
    db = pm.pids("db")
    kill_supervisor(pm)
    assert pm.pids("db") == db
    waits(pm, "web")
    waits(pm, "end", "web")
    go(pm)
    pm.wait_state("end", "online")
    assert_in_turn(pm, "db", "web", "end")


def test_what_lives_is_adopted_whatever_the_order(pm):
    go(pm)
    pm.up(WEB + "instances = 2\nmode = fork\n" + DB + "autorestart = never\n")
    web = pm.pids("web")
    pm.ok("stop", "web:1")
    pm.ok("restart", "db")
    kill_supervisor(pm)
    assert pm.pids("web") == [web[0], None] and pm.state("web") == "online"


def test_a_delete_that_waits_is_finished_by_the_next_supervisor(pm):
    pm.up("[app:db]\n" + SLEEP + "[app:web]\nafter = db\nstop_timeout = 3s\ncommand = " + app_path("stubborn") + "\n")
    pids = pm.pids("db") + pm.pids("web")
    pm.popen("delete", "all")
    wait_for(lambda: pm.state("web") == "stopping", 10, "web stopping")
    assert alive(pids[0])
    kill_supervisor(pm)
    wait_for(lambda: not any(map(alive, pids)), 20, "the end of both")
    assert pm.list()["apps"] == []
