# SPDX-License-Identifier: MIT
"""CPU and memory of the whole tree, right from the first sample."""
import json
import urllib.request

import pytest

from conftest import SLOW, app_path, wait_for

MIB = 1 << 20


@pytest.mark.parametrize("child", ["", " child"])
def test_memory_of_the_tree(pm, child):
    pm.up(f"[app:e]\ncommand = {app_path('eater')} 64{child}\n[app:idle]\ncommand = sleep 1000000\n")
    pm.wait_log("e", "ate")
    wait_for(lambda: 64 * MIB <= pm.proc("e")["mem_bytes"] < 64 * MIB + (20 if SLOW == 1 else 500) * MIB, 10, "64 MiB")
    assert pm.app("e")["mem_bytes"] == pytest.approx(pm.proc("e")["mem_bytes"], rel=0.1)
    assert 0 < pm.proc("idle")["mem_bytes"] < 8 * MIB


@pytest.mark.parametrize("child", ["", " child"])
def test_cpu_of_the_tree(pm, child):
    pm.up(f"[app:b]\ncommand = {app_path('burner')}{child}\n[app:idle]\ncommand = sleep 1000000\n")
    pm.wait_log("b", "burning")
    wait_for(lambda: 25 <= (pm.proc("b")["cpu_pct"] or 0) <= 110, 20, "a busy CPU")
    assert (pm.proc("idle")["cpu_pct"] or 0) < 5
    assert 25 <= pm.app("b")["cpu_pct"] <= 110


def test_the_first_sample_is_not_nonsense(pm):
    pm.up(f"[app:b]\ncommand = {app_path('burner')}\n")
    first = pm.proc("b")["cpu_pct"]
    assert first is None or 0 <= first <= 110


def test_nothing_runs_nothing_is_used(pm):
    pm.up("[app:w]\ncommand = sleep 1000000\n")
    pm.ok("stop", "w")
    p = pm.proc("w")
    assert p["cpu_pct"] is None and p["mem_bytes"] is None and p["fds"] is None and p["threads"] is None
    assert p["up_ms"] is None


def test_uptime_threads_and_descriptors(pm):
    pm.up("[app:w]\ncommand = /usr/bin/python3 -c 'import threading,time; f=[open(\"/dev/null\") for _ in range(7)];"
          "[threading.Thread(target=time.sleep, args=(1e6,), daemon=True).start() for _ in range(3)]; time.sleep(1e6)'\n")
    wait_for(lambda: pm.proc("w")["threads"] == 4 and pm.proc("w")["fds"] == 10, 10, "4 threads, 10 descriptors")
    up = pm.proc("w")["up_ms"]
    assert 0 <= up < 60000
    wait_for(lambda: pm.proc("w")["up_ms"] > up, 5, "uptime to grow")


def test_memory_max_replaces_the_instance(pm):
    pm.up(f"[app:e]\ncommand = {app_path('eater')} 64 child\nmemory_max = 32M\n")
    old = pm.pids("e")[0]
    wait_for(lambda: pm.pids("e")[0] not in (old, None), 15, "a replacement")
    assert "memory" in pm.ok("events", "e").out


def test_memory_max_is_not_a_loop_without_end(pm):
    pm.ini(f"[app:e]\ncommand = {app_path('eater')} 60\nmemory_max = 20M\nmax_restarts = 2\nready = spawn\nrestart_delay = 10ms\n")
    pm.ctl("start")
    app = pm.wait_state("e", "failed", 40)
    assert app["restarts"] == 2 and "memory_max" in app["note"]


def test_memory_max_is_a_rolling_reload(pm, port):
    """The successor serves before the one that grew too large goes."""
    (pm.dir / "grow.js").write_text("""
const kept = [];
require('http').createServer((req, res) => {
  if (req.url === '/grow') kept.push(Buffer.alloc(150 << 20, 1));
  res.end(String(process.pid));
}).listen(process.env.PORT);
""")
    pm.up(f"[app:g]\nscript = grow.js\ninstances = 1\nenv.PORT = {port}\nmemory_max = 120M\nmin_uptime = 100ms\n")
    old = pm.pids("g")[0]
    assert fetch(port, "/grow") == old
    while pm.pids("g") == [old]:
        assert fetch(port)  # the old one or its successor: there is always an answer
    new = pm.wait_replaced("g", 0, old)
    assert fetch(port) == new["pid"] and new["restarts"] == 1
    texts = [json.loads(line)["text"] for line in pm.ok("events", "g", "--json").out.splitlines()]
    assert any("memory_max" in t for t in texts) and any("takes over" in t for t in texts)


def fetch(port, path="/"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as r:
        return int(r.read())
