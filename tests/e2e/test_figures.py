# SPDX-License-Identifier: MIT
"""CPU and memory of the whole tree, right from the first sample."""
import json
import os
import signal
import urllib.request

import pytest

from conftest import ASAN, app_path, slowness, wait_for
from test_limits import nobody

MIB = 1 << 20


@pytest.mark.parametrize("child", ["", " child"])
def test_memory_of_the_tree(pm, child):
    pm.up(f"[app:e]\ncommand = {app_path('eater')} 64{child}\n[app:idle]\ncommand = sleep 1000000\n")
    pm.wait_log("e", "ate")
    wait_for(lambda: 64 * MIB <= pm.proc("e")["mem_bytes"] < 64 * MIB + (500 if ASAN else 20) * MIB, 10, "64 MiB")
    assert pm.app("e")["mem_bytes"] == pytest.approx(pm.proc("e")["mem_bytes"], rel=0.1)
    assert 0 < pm.proc("idle")["mem_bytes"] < 8 * MIB


@pytest.mark.parametrize("child", ["", " child"])
def test_cpu_of_the_tree(pm, child):
    pm.up(f"[app:b]\ncommand = {app_path('burner')}{child}\n[app:idle]\ncommand = sleep 1000000\n")
    pm.wait_log("b", "burning")
    least = lambda: 25 / slowness()  # others want the CPU, too
    wait_for(lambda: least() <= (pm.proc("b")["cpu_pct"] or 0) <= 110, 20, "a busy CPU")
    assert (pm.proc("idle")["cpu_pct"] or 0) < 5
    assert least() <= pm.app("b")["cpu_pct"] <= 110


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


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_an_app_that_hides(pm):
    """Another name, and not dumpable: the daemon of an ordinary user still watches it, and says where it does not know."""
    code = ("import ctypes,time;c=ctypes.CDLL(None);c.prctl(15,b'kthreadd) S 1 1',0,0,0);c.prctl(4,0,0,0,0);"
            "print('hidden',flush=True);time.sleep(1e6)")
    user = nobody(pm)
    (user.dir / "h.py").write_text(code)
    user.up("[app:h]\ncommand = /usr/bin/python3 h.py\nready = spawn\n")
    user.wait_log("h", "hidden")
    pid = user.pids("h")[0]
    p = wait_for(lambda: user.proc("h")["mem_bytes"] and user.proc("h"), 10, "what everybody may know")
    assert p["fds"] in (None, 3) and p["pid"] == pid  # a kernel of 6.2 or later tells the number to all
    user.ok("list")
    user.ok("show", "h")
    os.kill(pid, signal.SIGKILL)
    user.wait_replaced("h", 0, pid)


COMES_AND_GOES = """
import os, signal, subprocess, sys, time
burn = "import time; e = time.process_time() + 0.15\\nwhile time.process_time() < e: pass"
print("up", flush=True)
while True:
    subprocess.run([sys.executable, "-c", burn])              # waited for
    if os.fork() == 0:                                        # nobody waits for its child
        if os.fork() == 0:
            os.execv(sys.executable, [sys.executable, "-c", burn])
        os._exit(0)
    os.wait()
    time.sleep(0.05)
"""


@pytest.mark.parametrize("features", ["", "-cgroup"])
def test_cpu_of_children_that_come_and_go(pm, features):
    """Never negative, and never more than there is: their time neither vanishes nor comes twice."""
    (pm.dir / "c.py").write_text(COMES_AND_GOES)
    pm.ini("[app:c]\ncommand = /usr/bin/python3 c.py\n")
    pm.ok("start", env={"PMCTL_FEATURES": features})
    pm.wait_log("c", "up")
    r = pm.connect()
    r.call("watch", {"interval_ms": 500})
    cpu = [r.line()["params"]["apps"][0]["procs"][0]["cpu_pct"] for _ in range(12)]
    assert all(0 <= v <= 100 * os.cpu_count() for v in cpu), cpu
    assert max(cpu) > 10 and sorted(cpu)[6] > 2, cpu


def test_figures_only_some_ask_for(pm):
    pm.up(f"[app:w]\ncommand = /usr/bin/python3 -c 'import os; f=open(\"f\",\"wb\"); f.write(bytes(3000000)); f.flush();"
          " os.fsync(f.fileno()); print(\"written\", flush=True); import time; time.sleep(1e6)'\nmemory_max = 900M\n")
    pm.wait_log("w", "written")
    p = pm.proc("w")
    assert p["nproc"] == 1 and p["memory_max"] == 900 * MIB
    assert p["io_read_bytes"] is None or p["io_read_bytes"] >= 0
    assert p["io_write_bytes"] is None or p["io_write_bytes"] >= 0  # /tmp may be in memory
    shown = pm.rpc("show", {"sel": ["w"]})["apps"][0]["procs"][0]
    assert 0 < shown["pss_bytes"] <= shown["mem_bytes"] * 1.1
    assert "pss_bytes" not in p


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
    pm.up(f"[app:g]\nscript = grow.js\ninstances = 1\nenv.PORT = {port}\nmemory_max = 120M\nmin_uptime = 100ms\nstop_timeout = 30s\n")
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
