# SPDX-License-Identifier: MIT
"""What the figures were: history, watch, and memory that looks like a leak."""
import json
import os
import signal

import pytest

from conftest import RpcError, app_path, wait_for

MIB = 1 << 20
SLEEPER = "command = sleep 1000000\n"


def watch(pm, n, **params):
    """The next n samples."""
    r = pm.connect()
    r.call("watch", {"interval_ms": 500, **params})
    samples = [r.line() for _ in range(n)]
    r.close()
    return [s["params"] for s in samples]


def history(pm, *sel, span=60, points=60):
    return pm.rpc("history", {"sel": list(sel), "span_s": span, "points": points})


def known(values):
    return sum(v is not None for v in values)


def restart_supervisor(pm):
    old = pm.daemon()["pid"]
    os.kill(old, signal.SIGKILL)
    return wait_for(lambda: pm.daemon()["pid"] not in (None, old), 15, "the next supervisor")


def test_history_answers_in_the_shape_of_the_manual(pm):
    pm.up(f"[app:a]\n{SLEEPER}instances = 2\n[app:b]\n{SLEEPER}")
    watch(pm, 2)
    h = history(pm, span=30, points=10)
    assert h["v"] == 1 and h["span_s"] == 30 and h["step_ms"] == 3000 and h["t"].endswith("Z")
    assert [a["name"] for a in h["apps"]] == ["a", "b"]
    a = h["apps"][0]
    assert [p["slot"] for p in a["procs"]] == [0, 1] and all(len(p["mem_bytes"]) == 10 for p in a["procs"])
    assert len(a["cpu_pct"]) == len(a["mem_bytes"]) == 10
    assert a["cpu_pct"][0] is None and a["mem_bytes"][-1] > 0  # not yet born; now
    assert a["mem_bytes"][-1] == sum(p["mem_bytes"][-1] for p in a["procs"])
    assert a["starts"] and a["starts"] == a["procs"][0]["starts"]
    assert [p["slot"] for p in history(pm, "a:1")["apps"][0]["procs"]] == [1]


@pytest.mark.parametrize("params", [{"points": 0}, {"points": 241}, {"span_s": 0}, {"span_s": 86401}, {"span_s": -1},
                                    {"sel": ["nosuch"]}, {"points": "7"}, {"what": 1}])
def test_history_refuses(pm, params):
    pm.up(f"[app:a]\n{SLEEPER}")
    with pytest.raises(RpcError):
        pm.rpc("history", params)
    assert history(pm, span=86400, points=240)["apps"]


def test_history_survives_the_supervisor(pm):
    pm.up(f"[app:e]\ncommand = {app_path('eater')} 64\n[app:gone]\n{SLEEPER}")
    pm.wait_log("e", "ate")
    watch(pm, 6)
    before = history(pm, "e")["apps"][0]
    assert known(before["mem_bytes"]) >= 2 and max(v or 0 for v in before["mem_bytes"]) > 64 * MIB
    restart_supervisor(pm)
    after = history(pm, "e", span=120, points=120)["apps"][0]
    assert known(after["mem_bytes"]) >= known(before["mem_bytes"])
    assert len(after["starts"]) == 1  # adopted, not started
    at = after["starts"][0]
    assert not known(after["mem_bytes"][:at])
    assert pm.proc("e")["cpu_pct"] is None or pm.proc("e")["cpu_pct"] < 50  # not all of its life in a moment


def test_history_survives_both(pm):
    """The keeper dies: the supervisor becomes it, and deposits what there is with itself."""
    pm.up(f"[app:a]\n{SLEEPER}")
    watch(pm, 4)
    before = history(pm)["apps"][0]
    keeper = pm.daemon()["keeper_pid"]
    os.kill(keeper, signal.SIGKILL)
    wait_for(lambda: pm.daemon()["keeper_pid"] not in (None, keeper), 15, "another keeper")
    restart_supervisor(pm)
    after = history(pm, span=120, points=120)["apps"][0]
    assert known(after["mem_bytes"]) >= known(before["mem_bytes"]) and len(after["starts"]) == 1


def test_restarts_are_marked_and_delete_forgets(pm):
    pm.up(f"[app:a]\n{SLEEPER}")
    watch(pm, 4)
    pm.ok("restart", "a")
    watch(pm, 4)
    h = history(pm, span=120, points=120)["apps"][0]
    assert len(h["starts"]) == 2, h
    first, second = h["starts"]
    assert known(h["mem_bytes"][first:second]) and known(h["mem_bytes"][second:])
    pm.ok("delete", "a")
    pm.ok("start")
    watch(pm, 2)
    assert len(history(pm, span=120, points=120)["apps"][0]["starts"]) == 1


def test_history_goes_on_over_a_reload(pm):
    pm.up(f"[app:a]\n{SLEEPER}")
    watch(pm, 3)
    pm.ok("reload", "a")
    watch(pm, 3)
    h = history(pm, span=120, points=120)["apps"][0]
    assert len(h["starts"]) == 2 and known(h["mem_bytes"][:h["starts"][1]]), h


def test_sparks_in_the_list(pm):
    pm.up(f"[app:a]\n{SLEEPER}instances = 2\n")
    watch(pm, 2)
    for detail in ("all", "rows", "apps"):
        a = pm.rpc("list", {"detail": detail, "spark_points": 8, "spark_span_s": 60})["apps"][0]
        assert len(a["mem_history"]) == len(a["cpu_history"]) == 8 and a["mem_history"][-1] > 0
        assert all(len(p["mem_history"]) == 8 for p in a["procs"])
    assert "mem_history" not in pm.rpc("list")["apps"][0]


# --- watch


def test_watch_answers_as_list_and_goes_on(pm):
    pm.up(f"[app:a]\n{SLEEPER}[app:b]\n{SLEEPER}")
    r = pm.connect()
    first = r.call("watch", {"interval_ms": 500})
    listed = pm.rpc("list")
    assert first.keys() == listed.keys() and first["apps"][0].keys() == listed["apps"][0].keys()
    host, me = first["daemon"]["host"], first["daemon"]["self"]
    assert host["name"] and host["cpus"] >= 1 and 0 < host["mem_used_bytes"] < host["mem_total_bytes"]
    assert host["load1"] >= 0 and me["mem_bytes"] > MIB // 2
    sample = r.line()
    assert sample["method"] == "sample" and "id" not in sample
    assert [a["name"] for a in sample["params"]["apps"]] == ["a", "b"]
    assert 0 <= sample["params"]["daemon"]["host"]["cpu_pct"] <= 100
    assert sample["params"]["daemon"]["self"]["cpu_pct"] >= 0
    pm.ok("stop", "a")
    wait_for(lambda: r.line()["params"]["apps"][0]["state"] == "stopped", 10, "a stopped app in the samples")
    pm.ok("delete", "a")
    wait_for(lambda: [a["name"] for a in r.line()["params"]["apps"]] == ["b"], 10, "one app in the samples")
    assert r.ask("ping")["result"]["pid"]  # the connection serves as before
    pm.ok("delete", "b")
    wait_for(lambda: r.line()["params"]["apps"] == [], 10, "samples without an app")


def test_watch_of_some(pm):
    pm.up(f"[app:a]\n{SLEEPER}[app:b]\n{SLEEPER}[app:c]\n{SLEEPER}")
    r = pm.connect()
    r.call("watch", {"interval_ms": 500, "sel": ["a", "c"], "detail": "apps"})
    assert [a["name"] for a in r.line()["params"]["apps"]] == ["a", "c"]
    pm.ok("delete", "a")
    wait_for(lambda: [a["name"] for a in r.line()["params"]["apps"]] == ["c"], 10, "what is left of it")
    r.call("watch", {"interval_ms": 500, "sel": ["b"]})  # another one instead
    wait_for(lambda: [a["name"] for a in r.line()["params"]["apps"]] == ["b"], 10, "the other one")
    with pytest.raises(RpcError):
        r.call("watch", {"sel": ["nosuch"]})
    with pytest.raises(RpcError):
        r.call("watch", {"interval_ms": 100})


def test_a_watcher_that_does_not_read(pm):
    """Samples are left out, none is torn, and nobody else notices."""
    pm.up(f"[app:many]\n{SLEEPER}instances = 120\nready = spawn\n")
    deaf = pm.connect()
    deaf.call("watch", {"interval_ms": 500})
    samples = 14
    watch(pm, samples)
    pm.ok("list")
    deaf.sock.setblocking(False)
    got = b""
    try:
        while chunk := deaf.sock.recv(1 << 20):
            got += chunk
    except BlockingIOError:
        pass
    lines = got.split(b"\n")
    assert 0 < len(lines) - 1 < samples, len(lines)
    assert all(json.loads(line)["method"] == "sample" for line in lines[:-1])
    deaf.sock.settimeout(20)
    deaf.buf = lines[-1]
    assert len(deaf.line()["params"]["apps"][0]["procs"]) == 120  # the rest of that one, and it goes on
    assert deaf.line()["method"] == "sample"


# --- leaks


def leak_events(pm, app):
    return [e["text"] for e in map(json.loads, pm.ok("events", app, "--json").out.splitlines()) if e["type"] == "leak"]


def test_a_leak_is_found_and_a_sawtooth_is_not(pm):
    pm.up(f"""
        [defaults]
        min_uptime = 100ms
        leak_window = 10s
        stop_timeout = 2s
        [app:leaks]
        command = {app_path('leaker')} 2
        instances = 2
        memory_max = 2000M
        [app:saw]
        command = {app_path('leaker')} 10 1500
        [app:off]
        command = {app_path('leaker')} 2
        leak_window = no
    """)
    p = wait_for(lambda: pm.proc("leaks")["leak"] and pm.proc("leaks"), 90, "a leak")
    assert 60 * MIB < p["leak"]["bytes_per_min"] < 180 * MIB
    assert 8 * 60000 < p["leak"]["left_ms"] < 35 * 60000
    assert p["note"].startswith("leak? +") and p["note"].endswith(" left")
    app = wait_for(lambda: pm.app("leaks")["leak"]["slots"] == [0, 1] and pm.app("leaks"), 60, "both slots")
    assert app["leak"]["bytes_per_min"] > p["leak"]["bytes_per_min"] and "leak? +" in app["note"]
    restart_supervisor(pm)
    assert pm.proc("leaks")["leak"]  # it is not forgotten, nor found a second time
    pm.ok("restart", "leaks")
    assert pm.app("leaks")["leak"] is None and pm.app("leaks")["note"] == ""
    texts = leak_events(pm, "leaks:0")
    assert len(texts) == 2 and "memory_max 2000M in about" in texts[0] and "has ended" in texts[1], texts
    lives = pm.rpc("show", {"sel": ["leaks:0"]})["apps"][0]["procs"][0]["generations"]
    assert not lives[0]["runs"] and lives[0]["last_bytes"] - lives[0]["first_bytes"] > 10 * MIB, lives
    for name in ("saw", "off"):
        assert pm.proc(name)["leak"] is None and pm.app(name)["leak"] is None and not leak_events(pm, name)
