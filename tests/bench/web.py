# SPDX-License-Identifier: MIT
"""The rows of node servers: how fast a cluster is, and that a reload under load fails nobody."""
import contextlib
import http.client
import os
import shutil
import subprocess
import time

from frame import (BENCH, ROOT, Failed, Line, bare, cpu_ms, free_port, is_gone, median, numbers, quiet, run, wait_for)
from managers import App, Pm2, rivals

BALANCES = ["shared", "reuseport", "round-robin"]


def nodes():
    """The oldest and a current node where the test run has fetched them, else the installed one."""
    given = [n for n in os.environ.get("PMCTL_TEST_NODES", "").split(":") if n]
    if not given:
        given = [str(n) for v in (18, 22) for n in ROOT.glob(f"build/npm/node-{v}/node_modules/*/bin/node")]
    if not given and not shutil.which("node"):
        raise Failed("node is not installed")
    return given or [shutil.which("node")]


def version(node):
    return run([node, "--version"]).strip()


def has_pm2(b):
    return not b.options.only_ours and Pm2 in rivals()


# --- load


class Load:
    """`load` until finish(); result: answers, failures, mean, p99 and longest latency in microseconds."""

    def __init__(self, b, port, args, connections=32):
        self.bench, self.errors = b, b.tmp / f"load-{port}"
        with open(self.errors, "w") as f:
            self.process = b.popen(bare("load"), *args, port, connections, 0, stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=f)

    def finish(self):
        out, _ = self.process.communicate(timeout=60)
        self.bench.end(self.process)
        for line in self.errors.read_text().splitlines()[:5]:
            self.bench.note(f"  failed {line}")
        return numbers(out.decode())


def load(port, ms=2000, connections=16, args=(), cpus=None):
    """(requests a second, mean latency ms, p99 ms)"""
    out = run([bare("load"), *args, port, connections, ms], preexec_fn=lambda: cpus and os.sched_setaffinity(0, cpus))
    answers, failures, mean, p99, _ = numbers(out)
    if failures:
        raise Failed(f"{failures} requests failed on port {port}")
    return answers * 1000 / ms, mean / 1000, p99 / 1000


@contextlib.contextmanager
def cpu_of_its_own():
    """The CPUs for a client: one that all servers begun meanwhile keep off, where there are two. Otherwise it depends
    on where the kernel happens to put client and workers who of them waits for whom."""
    usable = os.sched_getaffinity(0)
    client = {min(usable)} if len(usable) > 1 else usable
    os.sched_setaffinity(0, usable - client or usable)
    try:
        yield client
    finally:
        os.sched_setaffinity(0, usable)


def answers(port):
    try:
        load(port, 300)
        return True
    except Failed:
        return False


def serve(b, m, name, script, workers, env=None, keys=None, node="node"):
    """The port of a new server: a manager's, or with m = None node's own cluster."""
    port = free_port()
    env = {"PORT": str(port), **(env or {})}
    if m is None:
        b.popen(node, BENCH / script, env={**os.environ, **env, "WORKERS": str(workers)})
    else:
        m.start(App(name, [BENCH / script], workers, env, keys=keys, node=True))
    return port


def wait_for_answers(ports):
    for port in ports:
        wait_for(lambda port=port: answers(port), "a server that answers", pause=0.1)


# --- speed


def row_cluster(b):
    """Two workers and one, 5 ms of computing a request, 16 keep-alive connections; `limit` is one worker"""
    if not shutil.which("node"):
        raise Failed("node is not installed")
    burn = {"BURN": run(["node", BENCH / "burn.js"], env={**os.environ, "BURN": "0"}).strip()}
    who = {"ours": b.ours(), "node": None}
    who.update({m.name: m for m in b.rivals() if m.name == "pm2"})
    ports = {name: [serve(b, m, f"burn{n}", "burn.js", n, burn) for n in (1, 2)] for name, m in who.items()}
    wait_for_answers(port for pair in ports.values() for port in pair)
    got = {name: [] for name in who}
    for _ in range(b.rounds(6)):
        for name, pair in ports.items():
            quiet()
            got[name].append([load(port) for port in pair])
    for name, label in (("ours", "ours"), ("node", "node's own"), ("pm2", "pm2")):
        label = "cluster of 2, " + label
        if name in got:
            one, two = [r[0][0] for r in got[name]], [r[1][0] for r in got[name]]
            yield Line(label, "req/s", two, one, goal=1.9 if name == "ours" else None, at_least=True, digits=0,
                       paired=True)
            lat = [median([r[k][i] for r in got[name]]) for k in (0, 1) for i in (1, 2)]
            b.note(f"{label}: mean / p99 latency {lat[0]:.0f} / {lat[1]:.0f} ms with one worker, "
                   f"{lat[2]:.0f} / {lat[3]:.0f} ms with two")


def hello_servers(b, node):
    """({who: port}, pids of pmctld): each of our balances, node's own cluster in both ways it knows, PM2."""
    ours, own = b.ours(), {"SCHED_NONE": "none", "default": "rr"}
    ports = {mode: serve(b, ours, f"hello-{mode}", "hello.js", 2, keys={"interpreter": node, "balance": mode})
             for mode in BALANCES}
    for name, policy in own.items():
        ports[name] = serve(b, None, name, "hello.js", 2, {"NODE_CLUSTER_SCHED_POLICY": policy}, node=node)
    if has_pm2(b):
        ports["pm2"] = serve(b, b.manager(Pm2, node=node), "hello", "hello.js", 2)
    wait_for_answers(ports.values())
    time.sleep(1)  # the second worker too
    return ports, ours.pids()


def row_balance(b):
    """Two workers that only say hello, a connection for each request; limit: node's own cluster without a manager"""
    node = nodes()[-1]
    b.note(f"node {version(node)}")
    with cpu_of_its_own() as cpus:
        ports, pids = hello_servers(b, node)
        got = {name: [] for name in ports}
        used = {name: [] for name in ports}
        order = list(ports)
        for _ in range(b.rounds(9)):
            for name in order:
                quiet()
                before = cpu_ms(pids)
                got[name].append(load(ports[name], 2000, 64, ["-c"], cpus))
                used[name].append((cpu_ms(pids) - before) / 20)
            order.append(order.pop(0))  # nobody is always the one after the slowest
    for name, values in got.items():
        b.note(f"{name}: mean / p99 latency {median([r[1] for r in values]):.1f} / "
               f"{median([r[2] for r in values]):.1f} ms, pmctld used {median(used[name]):.1f} % of a CPU")
    rate = {name: [r[0] for r in values] for name, values in got.items()}
    for limit, goals in (("SCHED_NONE", (0.95, 0.95, None)), ("default", (1.8, 1.8, 1.1))):
        for mode, goal in zip(BALANCES, goals):
            if goal:
                yield Line(f"hello, {mode} / node {limit}", "req/s", rate[mode], rate[limit], goal=goal, at_least=True,
                           others={"pm2": rate.get("pm2")}, digits=0, paired=True)


# --- reload


KINDS = {"connection each": ["-c"], "keep-alive, busy": [], "keep-alive, 20 ms": ["-t", 20]}


def hello(b, m, script, keys):
    """Four instances; the port."""
    port = free_port()
    m.start(App("hello", [script], 4, {"PORT": port}, keys={"min_uptime": "100ms", **keys}, node=True))
    wait_for_answers([port])
    return port


def checked_reload(m, old):
    """Every process is a new one. Returns their pids."""
    code, text = m.reload("hello")
    new = m.app_pids("hello")
    if code or set(old) & set(new) or len(new) != 4 or None in new:
        raise Failed(f"{m.name} reload: exit {code}, pids {old} -> {new}\n{text}")
    return new


def reload_under_load(b, m, times, args, keys):
    """(failed requests, what to tell)"""
    port = hello(b, m, BENCH / "hello.js", keys)
    client, pids, gone = Load(b, port, args), m.app_pids("hello"), []
    time.sleep(0.3)
    begin = time.monotonic()
    for _ in range(times):
        gone += pids
        pids = checked_reload(m, pids)
    took = time.monotonic() - begin
    wait_for(lambda: all(is_gone(pid) for pid in gone), "the end of the replaced ones")
    time.sleep(0.3)
    answered, failed, _, _, longest = client.finish()
    text = (f"{times} reloads of {took / times:.1f} s, {answered} answered, {failed} failed, "
            f"the longest {longest // 1000} ms")
    if m.name == "ours":
        text += f", {m.killed('hello')} killed"
    m.delete("hello")
    return failed, text


def reloads_line(b, node, kind, args):
    who, times, failures = f"node {version(node)}, {kind}", b.rounds(10), {}
    tries = [(b.ours(), mode, times, {"interpreter": node, "balance": mode}) for mode in BALANCES]
    if has_pm2(b):
        tries.append((b.manager(Pm2, node=node), "pm2", b.rounds(3), {}))
    for m, name, n, keys in tries:
        failed, text = reload_under_load(b, m, n, args, keys)
        b.note(f"{who}, {name}: {text}")
        failures.setdefault(m.name, []).append(failed / n)
        b.down(m)
    ours = [sum(failures.pop("ours")) / len(BALANCES)]
    return Line(f"reload, node {version(node)[1:].split('.')[0]}, {kind}", "failed", ours, goal=0, others=failures)


def row_reload(b):
    """Failed requests for each reload of 4 instances under load, all three balances; nobody repeats a request"""
    for node in nodes():
        for kind, args in KINDS.items():
            yield reloads_line(b, node, kind, args)


# --- broken deploy


def met(port, wanted):
    """How many of these pids answer, each request on a connection of its own."""
    seen, end = set(), time.monotonic() + 10
    while not wanted <= seen and time.monotonic() < end:
        c = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        c.request("GET", "/")
        seen.add(int(c.getresponse().read().split()[-1]))
        c.close()
    return len(seen & wanted)


def broken_deploy(b, m, keys):
    """(failed requests, how many of the 4 old ones still serve)"""
    script = b.tmp / f"hello-{time.monotonic_ns()}.js"
    shutil.copy(BENCH / "hello.js", script)
    port = hello(b, m, script, keys)
    client, old = Load(b, port, ["-c"]), set(m.app_pids("hello"))
    time.sleep(0.3)
    script.write_text("throw new Error('broken');\n")
    begin = time.monotonic()
    code, text = m.reload("hello")
    took = time.monotonic() - begin
    alive = old & set(m.app_pids("hello"))
    serving = met(port, alive) if alive else 0
    answered, failed, _, _, longest = client.finish()
    b.note(f"{m.name} {keys.get('balance', '')}: exit {code} after {took:.1f} s, {answered} answered, {failed} failed, "
           f"the longest {longest / 1000:.0f} ms, {serving} of 4 old ones serve")
    if m.name == "ours" and code != 9:
        raise Failed(f"exit {code}, not 9: {text}")
    m.delete("hello")
    return failed, serving


def row_broken_deploy(b):
    """A reload to code that throws, under load: nothing fails, exit 9, the 4 old instances serve on"""
    failed, serving = {"ours": [], "pm2": []}, {"ours": [], "pm2": []}
    for node in nodes():
        b.note(f"node {version(node)}")
        tries = [(b.ours(), {"interpreter": node, "balance": mode}) for mode in BALANCES]
        if has_pm2(b):
            tries.append((b.manager(Pm2, node=node), {}))
        for m, keys in tries:
            n, left = broken_deploy(b, m, keys)
            failed[m.name].append(n)
            serving[m.name].append(left)
            b.down(m)
    ours = [sum(failed.pop("ours"))], [min(serving.pop("ours"))]
    yield Line("broken deploy, requests", "failed", ours[0], goal=0, others=failed, digits=0)
    yield Line("broken deploy, old instances", "serve", ours[1], goal=4, at_least=True, others=serving, digits=0)
