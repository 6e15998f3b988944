# SPDX-License-Identifier: MIT
"""The journal: what stands in it, who asked, what is kept of it, and how it is searched."""
import json
import os
import pwd
import re
import select

from conftest import app_path, wait_for
from test_survival import kill_supervisor

SLEEPER = "[app:web]\ncommand = sleep 1000000\nready = spawn\nmode = fork\n"
ME = pwd.getpwuid(os.getuid()).pw_name


def events(pm, *args):
    return [json.loads(line) for line in pm.ok("events", "--json", "-n", "1000", *args).out.splitlines()]


def texts(pm, kind, *args):
    return [e["text"] for e in events(pm, *args) if e["type"] == kind]


def one(pm, kind, *args):
    (e,) = [e for e in events(pm, *args) if e["type"] == kind]
    return e


def test_who_changed_what(pm):
    pm.up(SLEEPER)
    new = one(pm, "config")
    assert new["app"] == "web" and new["text"] == f"new, by {pm.ini_path}" and new["by"]["uid"] == os.getuid()
    pm.ok("flush", "web")
    pm.ok("rotate", "web")
    pm.ok("stop", "web")
    pm.up(SLEEPER + "memory_max = 64M\nenv.SECRET = hidden\n")
    changed = events(pm, "--type", "config")[-1]
    assert changed["text"] == "changed: env.SECRET, memory_max" or changed["text"] == "changed: memory_max, env.SECRET"
    assert changed["by"]["uid"] == os.getuid() and changed["by"]["pid"] > 0
    assert texts(pm, "logs") == ["emptied", "rotated"]
    pm.ok("reload", "web")
    assert re.fullmatch(r"1 of 1 new in \S+", one(pm, "reloaded")["text"])
    pm.ok("delete", "web")
    wait_for(lambda: any(e["type"] == "delete" for e in events(pm)), 10, "its end")
    assert one(pm, "delete")["by"]["uid"] == os.getuid()
    assert "hidden" not in (pm.home / "state" / "events.jsonl").read_text()
    assert f"({ME}, pid {changed['by']['pid']}" in pm.ok("events", "-n", "1000").out


def test_reset_is_told_where_it_changes_something(pm):
    pm.up(f"[app:x]\ncommand = {app_path('crasher')} 9 50\nmax_restarts = 1\nrestart_delay = 10ms\n", "--no-wait")
    pm.wait_state("x", "failed")
    pm.ok("reset", "x")
    pm.ok("reset", "x")
    assert one(pm, "reset")["text"] == "counters set to zero, 1 restarts were counted"


def test_exits_as_fields(pm):
    pm.up(f"[app:x]\ncommand = {app_path('exiter')} 3 20\nmax_restarts = 4\nrestart_delay = 10ms\nmin_uptime = 10s\n", "--no-wait")
    pm.wait_state("x", "failed")
    exits = [e for e in events(pm, "x") if "exit" in e]
    assert [e["exit"]["next"] for e in exits] == ["retry"] * 4 + ["gave-up"]
    assert [e["times"] for e in exits] == [1, 2, 3, 4, 1]
    x = exits[0]["exit"]
    assert x["code"] == 3 and x["signal"] is None and x["cause"] == "exit" and not x["ready"] and x["up_ms"] >= 20
    # A person reads the first and the last of a row, and how often it was.
    told = [line for line in pm.ok("events", "x", "--type", "exit").out.splitlines()]
    assert len(told) == 2 and "times since" not in told[0] and "(4 times since " in told[1], told
    # Somebody's signal is told apart.
    pm.up("[app:s]\ncommand = sleep 1000000\nautorestart = never\nready = spawn\n")
    pm.ok("signal", "KILL", "s")
    wait_for(lambda: any(e.get("exit") for e in events(pm, "s")), 10, "its end")
    (e,) = [e for e in events(pm, "s") if "exit" in e]
    assert "(pmctl signal)" in e["text"] and e["exit"]["signal"] == "SIGKILL" and e["exit"]["cause"] == "signal"


def test_types_and_since(pm):
    pm.up(SLEEPER)
    assert {e["type"] for e in events(pm, "--type", "start,ready")} == {"start", "ready"}
    assert events(pm, "--type", "nosuch") == []
    last = events(pm)[-1]
    assert events(pm, "--since", last["t"]) == [e for e in events(pm) if e["t"] >= last["t"]]
    assert events(pm, "--since", "10m") == events(pm)
    assert "is no time" in pm.fails(2, "events", "--since", "whenever").err
    follow = pm.popen("events", "-f", "--json", "--type", "signal", "-n", "0")
    # The follower may not be there yet for the first ones.
    wait_for(lambda: pm.ok("signal", "CONT", "web") and select.select([follow.stdout], [], [], 0.1)[0], 20, "a signal")
    pm.ok("restart", "web")
    seq = pm.rpc("events", {"n": 0})["last_seq"]
    pm.ok("signal", "CONT", "web")
    seen = []
    while not seen or seen[-1]["seq"] <= seq:
        seen.append(json.loads(follow.stdout.readline()))
        assert seen[-1]["type"] == "signal"


def test_the_daemon_itself(pm):
    pm.up(SLEEPER)
    (first,) = texts(pm, "daemon")
    assert re.fullmatch(r"pmctld \S+ started, keeper pid \d+", first)
    kill_supervisor(pm)
    wait_for(lambda: len(texts(pm, "daemon")) == 2, 10, "the next one")
    assert "the last supervisor killed by SIGKILL" in texts(pm, "daemon")[1]
    pm.ok("daemon", "stop")
    pm.ok("daemon", "start")
    last = [e for e in events(pm) if e["type"] == "daemon"]
    assert last[2]["text"] == "asked to end" and last[2]["by"]["uid"] == os.getuid() and len(last) == 4


def test_the_file_is_written_anew_from_memory(pm):
    """One that is too large: the last events of each app stay, and the file is small again."""
    state = pm.home / "state"
    state.mkdir(mode=0o700, parents=True)

    def line(seq, app, kind, text):
        return json.dumps({"v": 1, "seq": seq, "t": "2025-01-01T00:00:00.000Z", "app": app, "slot": 0, "type": kind, "text": text,
                           "by": None, "times": 1, "ms": 1735689600000 + seq}) + "\n"
    # Of the quiet one two events, and then nothing but noise.
    lines = [line(seq, "noise", "health", f"{chr(97 + seq % 26)}{chr(97 + seq // 26 % 26)} " + "x" * 1500) for seq in range(1, 690)]
    lines += [line(690, "quiet", "failed", "gave up"), line(691, "quiet", "stop", "asked to stop")]
    lines += [line(seq, "noise", "health", f"{chr(97 + seq % 26)}{chr(97 + seq // 26 % 26)} y") for seq in range(692, 1700)]
    (state / "events.jsonl").write_text("".join(lines))
    os.chmod(state / "events.jsonl", 0o600)
    assert (state / "events.jsonl").stat().st_size > 1024 * 1024
    pm.up(SLEEPER)
    wait_for(lambda: (state / "events.jsonl").stat().st_size < 700 * 1024, 10, "a smaller file")
    assert not (state / "events.jsonl.1").exists() and not (state / "events.jsonl.new").exists()
    kept = [json.loads(text) for text in (state / "events.jsonl").read_text().splitlines()]
    assert [e["text"] for e in kept if e["app"] == "quiet"] == ["gave up", "asked to stop"]
    assert [e["seq"] for e in kept] == sorted({e["seq"] for e in kept}) and len(kept) <= 1100
    pm.kill_both()
    pm.ok("daemon", "start")
    assert [e["text"] for e in events(pm) if e["app"] == "quiet"] == ["gave up", "asked to stop"]


def test_a_row_goes_on_over_the_death_of_a_supervisor(pm):
    pm.up(f"[app:x]\ncommand = {app_path('exiter')} 3 20\nmax_restarts = 0\nrestart_delay = 50ms\nrestart_delay_max = 50ms\nmin_uptime = 10s\n",
          "--no-wait")

    def times():
        return max([e["times"] for e in events(pm, "x") if e["type"] == "exit"] or [0])
    wait_for(lambda: times() >= 3, 20, "three exits")
    kill_supervisor(pm)
    have = times()
    wait_for(lambda: times() > have + 1, 20, "more of them")
    assert have >= 3
    pm.ok("stop", "x")
