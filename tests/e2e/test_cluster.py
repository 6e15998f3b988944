# SPDX-License-Identifier: MIT
"""Unmodified node programs share a port, on every node given in PMCTL_TEST_NODES."""
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import threading

import pytest

from conftest import BUILD, NODE_APPS, ROOT, alive, free_port, held_port, read_proc, wait_for

NODES = [n for n in os.environ.get("PMCTL_TEST_NODES", "").split(":") if n] or [shutil.which("node") or "node"]
MODULES = next((p for p in (BUILD.parent / "build/npm/apps/node_modules", ROOT / "build/npm/apps/node_modules")
                if p.exists()), None)


def node_id(path):
    return next((part for part in path.split("/") if part.startswith("node-") and part[5:6].isalnum()
                 and "linux" not in part), "node")


@pytest.fixture(params=NODES, ids=node_id)
def node(request):
    return request.param


def up(pm, node, script, port, extra="", instances=2):
    pm.up(f"""
    [app:web]
    script = {NODE_APPS}/{script}
    interpreter = {node}
    instances = {instances}
    env.PORT = {port}
    {extra}
    """.replace("\n    ", "\n"))


def get(port, path="/", timeout=20, scheme=http.client.HTTPConnection, **kw):
    c = scheme("127.0.0.1", port, timeout=timeout, **kw)
    try:
        c.request("GET", path)
        r = c.getresponse()
        body = r.read()
        assert r.status == 200, (r.status, body)
        return json.loads(body)["pid"]
    finally:
        c.close()


def both_answer(pm, ask, rounds=400):
    """ask() gives the pid that answered; every request must succeed, and each worker must be met."""
    want, seen = set(pm.pids("web")), set()
    for i in range(rounds):
        seen.add(ask())
        assert seen <= want, (seen, want)
        if seen == want and i >= 8:
            return
    raise AssertionError(f"only {seen} of {want} answered in {rounds} requests")


def many(ask, threads=8, each=25):
    """Answers and errors of concurrent requests."""
    answers, errors = [], []

    def run():
        for _ in range(each):
            try:
                answers.append(ask())
            except Exception as e:  # every failure counts, whatever it is
                errors.append(e)
    ts = [threading.Thread(target=run) for _ in range(threads)]
    for t in ts:
        t.start()
    for t in ts:
        t.join()
    return answers, errors


def test_http(pm, port, node):
    up(pm, node, "http.js", port)
    app = pm.app("web")
    assert app["mode"] == "cluster" and app["online"] == 2
    answers, errors = many(lambda: get(port))
    assert not errors and len(answers) == 200
    both_answer(pm, lambda: get(port, "/burn?2"))
    # node's default address is :: where there is IPv6
    for p in pm.procs("web"):
        assert p["listen"] in ([f"tcp:[::]:{port}"], [f"tcp:0.0.0.0:{port}"]), p


def test_a_host(pm, port, node):
    up(pm, node, "http.js", port, "env.HOST = 127.0.0.1")
    assert pm.proc("web")["listen"] == [f"tcp:127.0.0.1:{port}"]
    both_answer(pm, lambda: get(port, "/burn?2"))


def test_https(pm, port, node):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
                    "-keyout", pm.dir / "key.pem", "-out", pm.dir / "cert.pem"], check=True, capture_output=True)
    up(pm, node, "https.js", port, f"env.KEY = {pm.dir}/key.pem\nenv.CERT = {pm.dir}/cert.pem")
    context = ssl.create_default_context(cafile=str(pm.dir / "cert.pem"))
    context.check_hostname = False
    _, errors = many(lambda: get(port, scheme=http.client.HTTPSConnection, context=context), 4, 10)
    assert not errors


def test_http2(pm, port, node):
    up(pm, node, "http2.js", port)
    r = subprocess.run([NODES[0], NODE_APPS / "http2-client.js", str(port), "8"], capture_output=True, text=True)
    assert r.returncode == 0 and r.stdout.count('"pid"') == 8, r


def test_net(pm, port, node):
    up(pm, node, "net.js", port)

    def ask():
        with socket.create_connection(("127.0.0.1", port), 10) as s:
            return json.loads(s.makefile().read())["pid"]
    answers, errors = many(ask)
    assert not errors and set(answers) <= set(pm.pids("web"))


def answers_at(pm, path, times):
    """One of net.js does, on each connection to this Unix socket."""
    for _ in range(times):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10)
            s.connect(str(path))
            assert json.loads(s.makefile().read())["pid"] in pm.pids("web")


def test_unix_path(pm, node):
    path = pm.dir / "app.sock"
    up(pm, node, "net.js", 0, f"env.SOCKET = {path}")
    answers_at(pm, path, 8)
    assert pm.proc("web")["listen"] == [f"unix:{path}"]


def test_udp(pm, port, node):
    up(pm, node, "udp.js", port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(10)
        for _ in range(12):
            s.sendto(b"x", ("127.0.0.1", port))
            assert json.loads(s.recv(1000))["pid"] in pm.pids("web")


def test_module(pm, port, node):
    up(pm, node, "module.mjs", port)
    _, errors = many(lambda: get(port), 2, 10)
    assert not errors


@pytest.mark.parametrize("name", ["express", "fastify"])
def test_framework(pm, port, node, name):
    if MODULES is None:
        pytest.skip("express and fastify are not there; tests/run fetches them")
    version = int(subprocess.run([node, "-p", "process.versions.node.split('.')[0]"], capture_output=True).stdout)
    wanted = json.loads((MODULES / name / "package.json").read_text()).get("engines", {}).get("node", "")
    if wanted.startswith(">=") and version < int(wanted[2:].strip().split(".")[0].split()[0]):
        pytest.skip(f"{name} wants node {wanted}")
    up(pm, node, f"{name}.js", port, f"env.NODE_PATH = {MODULES}\nready = listening")
    answers, errors = many(lambda: get(port))
    assert not errors and set(answers) <= set(pm.pids("web"))


def test_the_crash_of_one_worker_is_unnoticed_by_others(pm, port, node):
    up(pm, node, "http.js", port)
    victim, other = pm.pids("web")
    # Keep-alive connections of the other worker, and new ones all the time.
    held = []
    while len(held) < 4:
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        c.request("GET", "/burn?1")
        if json.loads(c.getresponse().read())["pid"] == other:
            held.append(c)
        else:
            c.close()
    os.kill(victim, signal.SIGKILL)
    pids = set()
    for i in range(200):
        pids.add(get(port))
        c = held[i % 4]
        c.request("GET", "/")
        assert json.loads(c.getresponse().read())["pid"] == other
    assert victim not in pids
    pm.wait_replaced("web", 0, victim)
    assert pm.pids("web")[1] == other
    both_answer(pm, lambda: get(port, "/burn?2"))


def test_stop_answers_requests_in_flight(pm, port, node):
    up(pm, node, "http.js", port, "stop_timeout = 10s")
    results = []

    def slow():
        try:
            results.append(get(port, "/slow?1000"))
        except Exception as e:
            results.append(e)
    threads = [threading.Thread(target=slow) for _ in range(4)]
    for t in threads:
        t.start()
    wait_for(lambda: sum(pm.log("web", i).count(b"slow request") for i in (0, 1)) == 4, 10, "4 requests in flight")
    pids = pm.pids("web")
    pm.ok("stop", "web")
    for t in threads:
        t.join()
    assert all(r in pids for r in results), results
    assert not any(alive(pid) for pid in pids)
    with pytest.raises(OSError):
        get(port)


def test_a_stop_is_graceful_before_it_is_forced(pm, port, node):
    up(pm, node, "disconnect.js", port)
    results = []
    t = threading.Thread(target=lambda: results.append(get(port)))
    t.start()
    t.join()
    pm.ok("stop", "web")
    assert b"disconnected" in pm.log("web") or b"sigterm" in pm.log("web")
    assert pm.proc("web")["last_exit"]["signal"] in (None, "SIGTERM")


def test_messages_both_ways(pm, node):
    up(pm, node, "messages.js", 0, "ready = message", instances=2)
    pm.rpc("send", {"sel": ["web:1"], "message": {"echo": "h\u00e9\n", "n": [1, None, True]}})
    text = pm.wait_log("web", "got", slot=1)
    assert json.loads(text.split(b"got ", 1)[1].split(b"\n")[0]) == {"echo": "h\u00e9\n", "n": [1, None, True]}
    assert pm.log("web", 0) == b""
    assert pm.state("web") == "online"


def test_big_messages(pm, node):
    up(pm, node, "messages.js", 0, "ready = message", instances=1)
    pm.rpc("send", {"sel": ["web"], "message": {"echo": "x" * 500000}})
    wait_for(lambda: len(pm.log("web")) > 500000, 20, "a message of 500 kB")
    assert pm.state("web") == "online" and pm.app("web")["restarts"] == 0


def test_port_taken_names_the_holder(pm, node):
    with held_port("::") as (port, holder):
        pm.ini(f"[app:web]\nscript = {NODE_APPS}/http.js\ninterpreter = {node}\ninstances = 2\nenv.PORT = {port}\n")
        r = pm.fails(1, "start")
        said = r.out + r.err
        assert str(port) in said and str(holder) in said and "python3" in said, said
        assert "in use" in said


def test_a_worker_that_throws_is_replaced(pm, port, node):
    up(pm, node, "http.js", port)
    with pytest.raises((http.client.HTTPException, OSError)):
        get(port, "/throw")
    wait_for(lambda: pm.app("web")["restarts"] == 1 and pm.state("web") == "online", 10, "a replacement")
    assert sum(b"thrown by a request" in pm.log("web", i, "err") for i in (0, 1)) == 1


def test_scale_up_joins_the_port(pm, port, node):
    up(pm, node, "http.js", port, instances=1)
    pm.ok("scale", "web", "3")
    both_answer(pm, lambda: get(port, "/burn?2"), 2000)
    pm.ok("scale", "web", "1")
    _, errors = many(lambda: get(port), 4, 10)
    assert not errors


@pytest.mark.parametrize("think", [0, 0.02], ids=["busy", "thinking"])
def test_reload_under_keep_alive_load_loses_nothing(pm, port, node, think):
    """No client repeats a request; a connection the server closes after its answer is made anew."""
    up(pm, node, "http.js", port, "min_uptime = 100ms\nstop_timeout = 10s")
    before, stop, failed, answered = pm.pids("web"), threading.Event(), [], []

    def client():
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        while not stop.is_set():
            try:
                c.request("GET", "/burn?1")
                r = c.getresponse()
                answered.append(json.loads(r.read())["pid"])
                if r.will_close:
                    c.close()
            except (OSError, http.client.HTTPException) as e:
                failed.append(repr(e))
                c.close()
            stop.wait(think)
        c.close()
    threads = [threading.Thread(target=client) for _ in range(8)]
    for t in threads:
        t.start()
    try:
        for _ in range(3):
            pm.ok("reload", "web", timeout=60)
    finally:
        stop.set()
        for t in threads:
            t.join()
    assert not failed, failed
    assert len(set(answered)) >= 6 and not set(before) & set(pm.pids("web"))


def test_graceful_no(pm, port, node):
    up(pm, node, "http.js", port, "graceful = no")
    assert b"--require" not in read_proc(pm.pids("web")[0], "cmdline")
    assert get(port) in pm.pids("web")


def test_a_long_request_outlives_its_worker(pm, port, node):
    """One that takes longer than the channel's end is answered all the same."""
    up(pm, node, "http.js", port, "min_uptime = 100ms\nstop_timeout = 10s")
    got = []
    t = threading.Thread(target=lambda: got.append(get(port, "/slow?2500")))
    t.start()
    wait_for(lambda: b"slow" in pm.log("web", 0) + pm.log("web", 1), 10, "the request in a worker")
    before = pm.pids("web")
    pm.ok("reload", "web", timeout=60)
    t.join()
    assert got and got[0] in before


def test_reload_keeps_the_port_answering(pm, port, node):
    up(pm, node, "http.js", port)
    before = pm.pids("web")
    reload = pm.popen("reload", "web")
    asked = 0
    while reload.poll() is None:
        get(port)
        asked += 1
    assert reload.returncode == 0, reload.stderr.read()
    assert asked > 0 and not set(before) & set(pm.pids("web"))


def test_the_ports_survive_the_supervisor(pm, port, node):
    up(pm, node, "http.js", port)
    pids = pm.pids("web")
    sup = pm.daemon()["pid"]
    os.kill(sup, signal.SIGKILL)
    for _ in range(100):
        assert get(port) in pids
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != sup, 10, "a new supervisor")
    assert pm.pids("web") == pids and pm.state("web") == "online"
    assert pm.proc("web")["listen"]
    # The new supervisor is the primary: a replaced worker gets the same socket.
    os.kill(pids[0], signal.SIGKILL)
    pm.wait_replaced("web", 0, pids[0])
    both_answer(pm, lambda: get(port, "/burn?2"))


def test_fork_mode_has_one_process_of_its_own(pm, port, node):
    pm.up(f"[app:one]\nscript = {NODE_APPS}/http.js\ninterpreter = {node}\nenv.PORT = {port}\n")
    assert pm.app("one")["mode"] == "fork"
    wait_for(lambda: b"listening" in pm.log("one"), 10, "the server")
    assert get(port) == pm.pids("one")[0]


def test_many_ports_are_given_back(pm, node):
    first = free_port()
    for port in (first, free_port()):
        up(pm, node, "http.js", port)
        assert get(port) in pm.pids("web")
        pm.ok("delete", "web")
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind(("0.0.0.0", port))
