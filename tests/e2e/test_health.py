# SPDX-License-Identifier: MIT
"""health and the probes of ready: each asks one instance, and one that fails is replaced."""
import json
import os
import signal
import socket
import time

import pytest

from conftest import APPS, alive, app_path, free_port, ms, wait_for
from test_cluster import NODE_APPS, get, many, node, up  # noqa: F401  (node is a fixture)

FAST = "health_interval = 200ms\nhealth_timeout = 400ms\nhealth_failures = 2\n"


def events(pm, kind):
    lines = pm.ok("events", "--json", "-n", "1000").out.splitlines()
    return [e for e in map(json.loads, lines) if e["type"] == kind]


def told(pm, text, kind="health"):
    return any(text in e["text"] for e in events(pm, kind))


def cluster(pm, node, port, extra, instances=2):
    up(pm, node, "health.js", port, f"{extra}\nstop_timeout = 3s\nmin_uptime = 100ms", instances)


def make(port, what):
    """Puts one of the workers into a mode; its pid."""
    return get(port, what, timeout=5)


@pytest.mark.parametrize("balance", ["shared", "reuseport", "round-robin"])
def test_a_hung_worker_is_replaced(pm, port, node, balance):
    """Its port is shared, but the other one's answers do not count for it."""
    cluster(pm, node, port, f"health = http://127.0.0.1:{port}/healthz\nbalance = {balance}\n" + FAST)
    before = pm.pids("web")
    hung = make(port, "/hang")
    slot = before.index(hung)
    pm.wait_replaced("web", slot, hung)
    wait_for(lambda: not alive(hung), 5, "the end of the hung one")
    assert pm.pids("web")[1 - slot] == before[1 - slot]
    assert told(pm, "no answer within 400ms, 2 times in a row; replaced")
    assert pm.proc("web", slot)["restarts"] == 1 and pm.state("web") == "online"


@pytest.mark.parametrize("mode,text", [("/sick", "GET /healthz gave 503"), ("/mute", "no answer within")])
def test_bad_answers(pm, port, node, mode, text):
    cluster(pm, node, port, f"health = http://localhost:{port}/healthz\n" + FAST)
    before = pm.pids("web")
    victim = make(port, mode)
    slot = before.index(victim)
    pm.wait_replaced("web", slot, victim)
    assert pm.pids("web")[1 - slot] == before[1 - slot] and told(pm, text)


def test_one_that_talks_for_ever_is_healthy(pm, port, node):
    cluster(pm, node, port, f"health = http://127.0.0.1:{port}/healthz\n" + FAST, 1)
    old = make(port, "/talk")
    n = pm.log("web").count(b"asked")
    wait_for(lambda: pm.log("web").count(b"asked") > n + 4, 10, "some probes")
    assert pm.pids("web") == [old] and not events(pm, "health")


def test_each_instance_is_asked_by_itself(pm, port, node):
    cluster(pm, node, port, f"health = http://127.0.0.1:{port}/healthz?{{slot}}\n" + FAST, 3)
    for slot in range(3):
        wait_for(lambda: pm.log("web", slot).count(b"asked") > 2, 10, "probes")
        assert pm.log("web", slot).count(b"asked /healthz?%d " % slot) == pm.log("web", slot).count(b"asked")


def test_unix_socket_and_tcp(pm, node, port):
    path = pm.dir / "s.sock"
    cluster(pm, node, 0, f"env.SOCKET = {path}\nhealth = unix:s.sock\n" + FAST)
    before = pm.pids("web")
    os.kill(before[1], signal.SIGSTOP)
    pm.wait_replaced("web", 1, before[1])
    assert pm.pids("web")[0] == before[0]
    pm.ok("delete", "web")
    cluster(pm, node, port, f"health = tcp://127.0.0.1:{port}\n" + FAST)
    before = pm.pids("web")
    os.kill(before[0], signal.SIGSTOP)
    pm.wait_replaced("web", 0, before[0])
    assert pm.pids("web")[1] == before[1]


def test_replaced_too_often_is_failed(pm, port, node):
    cluster(pm, node, port, f"env.MODE = sick\nhealth = http://127.0.0.1:{port}/healthz\nmax_restarts = 2\n"
            "restart_delay = 20ms\n" + FAST, 1)
    app = pm.wait_state("web", "failed", 30)
    assert "not healthy" in app["note"] + app["procs"][0].get("note", ""), app


OWN = """
[app:py]
script = {apps}/healthy.py
env.PORT = {port}
increment_var = PORT
instances = 2
cwd = .
"""


def test_any_program_on_a_port_of_its_own(pm):
    """It cannot overlap with its successor, so it is stopped first, by the rules for a failure."""
    port = free_port()
    pm.up(OWN.format(apps=APPS, port=port) + f"ready = http://127.0.0.1:{{port}}/\n"
          "health = http://127.0.0.1:{port}/healthz\n" + FAST)
    before = pm.pids("py")
    for slot in (0, 1):
        wait_for(lambda: b"asked /healthz" in pm.log("py", slot), 10, "probes")
        with socket.create_connection(("127.0.0.1", port + slot), 5):
            pass
    (pm.dir / "sick").touch()
    wait_for(lambda: told(pm, "GET /healthz gave 500, 2 times in a row; replaced"), 10, "the verdict")
    (pm.dir / "sick").unlink()
    wait_for(lambda: pm.state("py") == "online" and set(pm.pids("py")) != set(before), 15, "another one")


def test_ready_by_http(pm, port, node):
    cluster(pm, node, port, f"env.MODE = slowstart\nready = http://127.0.0.1:{port}/healthz")
    assert all(b"/healthz" in pm.log("web", slot) for slot in (0, 1))
    assert pm.log("web").count(b"asked") >= 4
    before = pm.pids("web")
    pm.ok("reload", "web", timeout=60)
    assert not set(before) & set(pm.pids("web"))
    assert any("(its probe)" in e["text"] for e in events(pm, "ready"))


def test_never_ready_says_what_the_probe_saw(pm, port, node):
    pm.ini(f"[app:web]\nscript = {NODE_APPS}/health.js\ninterpreter = {node}\ninstances = 2\nenv.PORT = {port}\n"
           f"env.MODE = sick\nready = http://127.0.0.1:{port}/healthz\nready_timeout = {ms(700)}\nrestart_delay = 20s\n")
    r = pm.fails(1, "start")
    assert "not ready within" in r.err and "GET /healthz gave 503" in r.err, r


def test_ready_by_exec_and_tcp(pm, port):
    pm.up(f"[app:a]\ncommand = sh -c 'touch a.ok; exec sleep 1000000'\nready = exec:test -e a.ok\n"
          f"[app:b]\nscript = {APPS}/healthy.py\nenv.PORT = {port}\nready = tcp://127.0.0.1:{{port}}\n")
    assert pm.state("a") == pm.state("b") == "online"


def test_health_by_exec(pm):
    """Run in the app's folder with its environment, but not as one of its processes."""
    pm.up("[app:a]\ncommand = sleep 1000000\nenv.MARK = 7\n"
          "health = exec:sh -c 'env > env.txt; test -e sick && { echo sick as told >&2; exit 3; }; exit 0'\n" + FAST)
    old = pm.pids("a")[0]
    env = wait_for(lambda: (pm.dir / "env.txt").exists() and (pm.dir / "env.txt").read_text(), 10, "a check")
    assert "MARK=7" in env and "PMCTL_APP=a" in env and "PMCTL_ID" not in env
    (pm.dir / "sick").touch()
    wait_for(lambda: told(pm, "sh exited 3: sick as told, 2 times in a row; replaced"), 10, "the verdict")
    (pm.dir / "sick").unlink()
    pm.wait_replaced("a", 0, old)


def test_health_by_exec_that_hangs_or_is_not_there(pm):
    pm.up("[app:a]\ncommand = sleep 1000000\nhealth = exec:sleep 1000000\nrestart_delay = 20s\nmax_restarts = 1\n" + FAST)
    old = pm.pids("a")[0]
    wait_for(lambda: told(pm, "sleep: no answer within 400ms, 2 times in a row; replaced"), 10, "the verdict")
    wait_for(lambda: pm.pids("a") != [old], 10, "its end")
    pm.ok("delete", "a")
    pm.up("[app:b]\ncommand = sleep 1000000\nhealth = exec:/no/such/program\nhealth_failures = 1000\n"
          "health_interval = 100ms\n")
    wait_for(lambda: told(pm, "/no/such/program"), 10, "the reason")
    assert pm.ctl("ping").rc == 0


def test_a_busy_worker_is_not_a_hung_one(pm, port, node):
    """round-robin: it has all the connections it may have, and the probe comes behind them."""
    up(pm, node, "http.js", port, f"balance = round-robin\nhealth = http://127.0.0.1:{port}/\nhealth_timeout = 10s\n"
       "health_interval = 100ms\nhealth_failures = 1\nstop_timeout = 5s", instances=1)
    before = pm.pids("web")
    answers, errors = many(lambda: get(port, "/burn?3"), 40, 15)
    assert not errors and len(answers) == 600
    assert pm.pids("web") == before and not events(pm, "health")


def test_a_hung_worker_does_not_keep_its_queue(pm, port, node):
    """reuseport: what waits for it is given to the other one as soon as it is to go."""
    up(pm, node, "health.js", port, f"balance = reuseport\nhealth = http://127.0.0.1:{port}/healthz\nstop_timeout = 30s\n"
       "kill_mode = process\nstop_signal = SIGUSR2\n" + FAST)
    before = pm.pids("web")
    hung = make(port, "/hang")
    wait_for(lambda: told(pm, "replaced"), 10, "the verdict")
    wait_for(lambda: hung not in pm.pids("web"), 10, "the successor in the slot")
    assert len([get(port, timeout=5) for _ in range(30)]) == 30 and len(before) == 2
    if alive(hung):
        os.kill(hung, signal.SIGKILL)


def test_what_a_check_leaves_behind_ends_with_it(pm):
    pm.up("[app:a]\ncommand = sleep 1000000\nhealth_failures = 1000\nhealth_interval = 100ms\n"
          "health = exec:sh -c 'sleep 7654321 & echo $! >> left; exit 1'\n")
    left = wait_for(lambda: (pm.dir / "left").exists() and len((pm.dir / "left").read_text().split()) > 3
                    and (pm.dir / "left").read_text().split(), 10, "some checks")
    wait_for(lambda: not any(alive(int(pid)) for pid in left), 5, "the end of what they left")


def test_early_hints_are_not_the_answer(pm, port):
    (pm.dir / "hints.py").write_text(
        "import os, socket\ns = socket.create_server(('127.0.0.1', int(os.environ['PORT'])))\n"
        "while True:\n    c, _ = s.accept()\n    c.recv(1000)\n"
        "    c.sendall(b'HTTP/1.1 103 Early Hints\\r\\nLink: x\\r\\n\\r\\nHTTP/1.1 200 OK\\r\\n\\r\\nok')\n    c.close()\n")
    pm.up(f"[app:h]\nscript = hints.py\nenv.PORT = {port}\nready = http://127.0.0.1:{port}/\n")
    assert pm.state("h") == "online"


def test_watchdog(pm):
    pm.up(f"[app:w]\nscript = {APPS}/watchdog.py\nready = notify\nhealth = notify\nhealth_interval = {ms(500)}\n"
          "health_failures = 2\ncwd = .\n")
    old = pm.pids("w")[0]
    (pm.dir / "stuck").touch()
    wait_for(lambda: told(pm, "no WATCHDOG=1 within") and told(pm, "2 times in a row; replaced"), 10, "the verdict")
    (pm.dir / "stuck").unlink()
    young = pm.wait_replaced("w", 0, old)["pid"]
    (pm.dir / "trigger").touch()
    pm.wait_replaced("w", 0, young)
    assert told(pm, "it sent WATCHDOG=trigger")


def test_it_goes_on_after_the_supervisor(pm, port, node):
    cluster(pm, node, port, f"health = http://127.0.0.1:{port}/healthz\n" + FAST)
    old = pm.daemon()["pid"]
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != old, 15, "the next supervisor")
    before = pm.pids("web")
    hung = make(port, "/hang")
    pm.wait_replaced("web", before.index(hung), hung)


def test_a_stopped_supervisor_blames_nobody(pm, port, node):
    cluster(pm, node, port, f"health = http://127.0.0.1:{port}/healthz\nhealth_interval = 300ms\nhealth_timeout = {ms(50)}\n"
            "health_failures = 1\n", 1)
    wait_for(lambda: b"asked" in pm.log("web"), 10, "a probe")
    before, sup = pm.pids("web"), pm.daemon()["pid"]
    os.kill(sup, signal.SIGSTOP)
    end = time.monotonic() + 1.5
    wait_for(lambda: time.monotonic() > end, 5, "a time longer than all that is allowed")
    os.kill(sup, signal.SIGCONT)
    n = pm.log("web").count(b"asked")
    wait_for(lambda: pm.log("web").count(b"asked") > n, 10, "another probe")
    assert pm.pids("web") == before


def test_a_shared_socket_is_told(pm, port):
    pm.up(f"[app:e]\ncommand = {app_path('echo')}\nlisten = {port}\ninstances = 2\nhealth = tcp://127.0.0.1:{port}\n" + FAST)
    assert told(pm, "any instance may answer")
    assert "where any instance may answer" in pm.ok("show", "e").out


@pytest.mark.parametrize("line,word", [
    ("health = https://127.0.0.1/", "https:// is not supported"), ("health = http://db.example/", "is not an address"),
    ("health = http://127.0.0.1:99999/", "is not a port"), ("health = tcp://127.0.0.1", "has no port"),
    ("health = http://127.0.0.1:{port}/", "{port} is not known"), ("health = exec:", "nothing behind exec:"),
    ("health = exec:sh 'x", "quote"), ("health = htp://x", "not one of"), ("health = spawn", "not one of"),
    ("health = http://127.0.0.1/a b", "blanks"), ("ready = unix:", "nothing behind unix:"), ("ready_timeout = 0", "ready_timeout"),
    ("health_interval = 1ms", "health_interval"), ("health_failures = 0", "health_failures"),
    ("listen = 4000\nready = tcp://127.0.0.1:4000", "any instance may answer on a socket of listen")])
def test_bad_probes_are_refused(pm, line, word):
    path = pm.ini("[app:w]\ncommand = sleep 1\n" + line + "\n", raw=True)
    r = pm.fails(7, "check", path)
    assert ": [app:w] " in r.err and word in r.err, r
