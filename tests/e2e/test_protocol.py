# SPDX-License-Identifier: MIT
"""The whole of node's cluster protocol: unmodified programs on every node given in PMCTL_TEST_NODES, then a worker that
speaks it by hand and breaks it."""
import json
import os
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import APPS, NODE_APPS, alive, free_port, wait_for
from test_cluster import both_answer, get, many, node, up  # noqa: F401: node is a fixture

BALANCES = ["shared", "reuseport", "round-robin"]


@pytest.fixture(params=BALANCES)
def balance(request):
    return request.param


def lines(pm, slot=0, app="web"):
    """What the program said, as objects."""
    return [json.loads(line) for line in pm.log(app, slot).splitlines()]


def said(pm, slot=0, app="web", deadline=15, **want):
    """The first line that has these members."""
    def find():
        whole = pm.log(app, slot)
        objects = [json.loads(line) for line in whole[:whole.rfind(b"\n") + 1].splitlines()]
        return next((o for o in objects if all(o.get(k) == v for k, v in want.items())), None)
    return wait_for(find, deadline, f"{want} from {app}:{slot}")


def do(pm, node, steps, extra="", instances=2):
    up(pm, node, "steps.js", 0, f"env.DO = {json.dumps(steps)}\nready = message\n{extra}", instances)


def more(pm, *steps, sel="web"):
    assert pm.rpc("send", {"sel": [sel], "message": {"do": steps}})["sent"] >= 1


def events(pm, what, app="web"):
    return [e["text"] for e in pm.rpc("events", {"sel": [app]})["events"] if e["type"] == what]


def can_bind(port, host="0.0.0.0"):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((host, port))
            s.listen()
            return True
        except OSError:
            return False


class Stranger:
    """A process of somebody else that holds a port."""

    def __enter__(self):
        self.p = subprocess.Popen(
            ["/usr/bin/python3", "-c", "import socket,time; s=socket.socket(socket.AF_INET6); s.bind(('::', 0)); s.listen();"
             "print(s.getsockname()[1], flush=True); time.sleep(1e6)"], stdout=subprocess.PIPE)
        self.port = int(self.p.stdout.readline())
        return self

    def __exit__(self, *args):
        self.p.kill()
        self.p.wait()
        self.p.stdout.close()


# --- listening

def test_port_0_twice(pm, node, balance):
    do(pm, node, [["listen", "a", {"port": 0}], ["listen", "b", {"port": 0}]], f"balance = {balance}")
    ports = [[said(pm, slot, step="listen", name=name)["address"]["port"] for name in "ab"] for slot in (0, 1)]
    assert ports[0] == ports[1] and ports[0][0] != ports[0][1]
    for port in ports[0]:
        both_answer(pm, lambda: get(port, "/"), 2000)
    # The next worker gets the same two.
    old = pm.pids("web")[0]
    os.kill(old, signal.SIGKILL)
    pm.wait_replaced("web", 0, old)
    wait_for(lambda: pm.log("web").count(b'"step":"listen"') == 4, 10, "what the next one says")
    assert [o["address"]["port"] for o in lines(pm) if o.get("step") == "listen"] == ports[0] * 2


def test_two_servers_in_one_program(pm, node, balance):
    a, b = free_port(), free_port()
    do(pm, node, [["listen", "a", {"port": a}], ["listen", "b", {"port": b, "host": "127.0.0.1"}]], f"balance = {balance}")
    for port in (a, b):
        answers, errors = many(lambda: get(port), 4, 10)
        assert not errors and len(answers) == 40
    assert sorted(x.rsplit(":", 1)[1] for x in pm.proc("web")["listen"]) == sorted([str(a), str(b)])


def test_one_port_twice_in_a_program(pm, port, node, balance):
    do(pm, node, [["listen", "a", {"port": port}], ["listen", "again", {"port": port}]], f"balance = {balance}")
    for slot in (0, 1):
        assert said(pm, slot, name="again")["error"] == "EADDRINUSE"
    answers, errors = many(lambda: get(port), 4, 10)
    assert not errors and set(answers) <= set(pm.pids("web"))
    assert pm.app("web")["restarts"] == 0


def test_a_failed_listen_is_an_error_event_and_not_remembered(pm, port, node, balance):
    with Stranger() as s:
        do(pm, node, [["listen", "taken", {"port": s.port}], ["listen", "far", {"port": port, "host": "192.0.2.1"}],
                      ["listen", "ok", {"port": port}]], f"balance = {balance}")
        for slot in (0, 1):
            assert said(pm, slot, name="taken")["error"] == "EADDRINUSE"
            assert said(pm, slot, name="far")["error"] == "EADDRNOTAVAIL"
            assert said(pm, slot, name="ok")["address"]["port"] == port
        assert get(port) in pm.pids("web")
        assert any(f"pid {s.p.pid}" in text and str(s.port) in text for text in events(pm, "failed"))
    more(pm, ["listen", "free now", {"port": s.port}])
    for slot in (0, 1):
        assert said(pm, slot, name="free now")["address"]["port"] == s.port
    both_answer(pm, lambda: get(s.port), 2000)
    assert pm.app("web")["restarts"] == 0


def test_close_and_listen_again(pm, node, balance):
    a, b = free_port(), free_port()
    do(pm, node, [["listen", "a", {"port": a}], ["close", "a"], ["listen", "same", {"port": a}]], f"balance = {balance}")
    both_answer(pm, lambda: get(a), 2000)
    more(pm, ["close", "same"], ["listen", "other", {"port": b}])
    for slot in (0, 1):
        said(pm, slot, name="other")
    both_answer(pm, lambda: get(b), 2000)
    wait_for(lambda: can_bind(a), 5, "the first port to be free for a stranger")
    assert [x.rsplit(":", 1)[1] for x in pm.proc("web")["listen"]] == [str(b)]
    # And back, while a stranger has it meanwhile.
    with socket.socket(socket.AF_INET6) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("::", a))
        s.listen()
        more(pm, ["listen", "back", {"port": a}])
        for slot in (0, 1):
            assert said(pm, slot, name="back")["error"] == "EADDRINUSE"
    more(pm, ["listen", "at last", {"port": a}])
    for slot in (0, 1):
        assert said(pm, slot, name="at last")["address"]["port"] == a
    assert get(a) in pm.pids("web") and get(b) in pm.pids("web")


def test_one_worker_closes_and_the_other_serves_on(pm, port, node, balance):
    do(pm, node, [["listen", "a", {"port": port}]], f"balance = {balance}")
    more(pm, ["close", "a"], sel="web:0")
    said(pm, 0, step="close")
    answers, errors = many(lambda: get(port), 4, 10)
    assert not errors and set(answers) == {pm.pids("web")[1]}
    more(pm, ["listen", "again", {"port": port}], sel="web:0")
    assert said(pm, 0, name="again")["address"]["port"] == port
    both_answer(pm, lambda: get(port), 2000)


def test_unix_path_again(pm, node, balance):
    path = str(pm.dir / "app.sock")
    do(pm, node, [["listen", "a", {"path": path}], ["listen", "twice", {"path": path}], ["close", "a"],
                  ["listen", "b", {"path": path}]], f"balance = {balance}")
    for slot in (0, 1):
        assert said(pm, slot, name="twice")["error"] == "EADDRINUSE"
        assert said(pm, slot, name="b")["address"] == path
    for _ in range(8):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(path)
            s.sendall(b"GET / HTTP/1.0\r\n\r\n")
            assert json.loads(s.makefile().read().splitlines()[-1])["pid"] in pm.pids("web")
    more(pm, ["close", "b"])
    wait_for(lambda: not os.path.exists(path), 5, "the socket file to go")


def test_a_unix_path_for_everybody(pm, node):
    do(pm, node, [["listen", "own", {"path": f"{pm.dir}/own"}],
                  ["listen", "all", {"path": f"{pm.dir}/all", "readableAll": True, "writableAll": True}],
                  ["listen", "write", {"path": f"{pm.dir}/write", "writableAll": True}]], instances=1)
    assert [oct((pm.dir / name).stat().st_mode & 0o777) for name in ("own", "all", "write")] == ["0o600", "0o666", "0o622"]


def test_udp_and_tcp_on_one_port(pm, port, node, balance):
    do(pm, node, [["listen", "t", {"port": port, "host": "127.0.0.1"}], ["udp", "u", {"port": port, "address": "127.0.0.1"}],
                  ["udp", "any", {"port": 0}]], f"balance = {balance}")
    assert get(port) in pm.pids("web")
    any_port = said(pm, 0, name="any")["address"]["port"]
    assert said(pm, 1, name="any")["address"]["port"] == any_port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(20)
        for to in (port, any_port):
            for _ in range(12):
                s.sendto(b"x", ("127.0.0.1", to))
                assert json.loads(s.recv(1000))["pid"] in pm.pids("web")


def test_exclusive(pm, port, node):
    """Nobody asks us: one binds, the other fails, and both stay."""
    do(pm, node, [["listen", "a", {"port": port, "host": "127.0.0.1", "exclusive": True}]])
    got = [said(pm, slot, step="listen").get("error") for slot in (0, 1)]
    assert sorted(got, key=str) == ["EADDRINUSE", None]
    assert get(port) == pm.pids("web")[got.index(None)]
    assert pm.app("web")["restarts"] == 0


def test_reuse_port(pm, port, node, balance):
    """Node 22.12 and later bind by themselves then; older ones do not know the option and ask as ever."""
    do(pm, node, [["listen", "a", {"port": port, "host": "127.0.0.1", "reusePort": True}]], f"balance = {balance}")
    assert all("error" not in said(pm, slot, step="listen") for slot in (0, 1))
    both_answer(pm, lambda: get(port), 4000)


def test_a_descriptor_of_listen(pm, node, balance):
    """listen({fd: 3}) is the first socket of `listen =`, listen({fd: 4}) the second; there is no third."""
    a, b = free_port(), free_port()
    do(pm, node, [["listen", "first", {"fd": 3}], ["listen", "second", {"fd": 4}], ["listen", "none", {"fd": 5}]],
       f"listen = 127.0.0.1:{a}, {b}\nbalance = {balance}")
    for slot in (0, 1):
        assert said(pm, slot, name="first")["address"]["port"] == a
        assert said(pm, slot, name="second")["address"]["port"] == b
        assert said(pm, slot, name="none").get("error"), "there is no such descriptor"
    for port in (a, b):
        both_answer(pm, lambda: get(port), 2000)
    old = pm.pids("web")[1]
    os.kill(old, signal.SIGKILL)
    pm.wait_replaced("web", 1, old)
    for port in (a, b):
        both_answer(pm, lambda: get(port), 2000)
    assert len(pm.proc("web")["listen"]) == len(set(pm.proc("web")["listen"])) == 2


def test_a_script_without_a_server_is_ready_and_stays(pm, node):
    up(pm, node, "never.js", 0)
    pids = pm.pids("web")
    time.sleep(0.5)
    assert pm.state("web") == "online" and pm.pids("web") == pids and all(alive(p) for p in pids)
    assert [p["listen"] for p in pm.procs("web")] == [[], []]
    assert sum("does not listen" in text for text in events(pm, "ready")) == 2


# --- ends

def test_a_stop_answers_what_is_under_way_and_exits_0(pm, port, node, balance):
    do(pm, node, [["listen", "a", {"port": port}]], f"balance = {balance}\nstop_timeout = 10s", 1)
    got = []
    threads = [threading.Thread(target=lambda: got.append(get(port, "/slow?700"))) for _ in range(2)]
    for t in threads:
        t.start()
    wait_for(lambda: pm.log("web").count(b"slow") == 2, 10, "2 requests under way")
    pid = pm.pids("web")[0]
    pm.ok("stop", "web")
    for t in threads:
        t.join()
    assert got == [pid, pid]
    assert pm.proc("web")["last_exit"] == {**pm.proc("web")["last_exit"], "code": 0, "signal": None}
    assert said(pm, exit=0)["intended"]


def test_an_idle_worker_stops_at_once_and_exits_0(pm, port, node, balance):
    do(pm, node, [["listen", "a", {"port": port}]], f"balance = {balance}\nstop_timeout = 10s")
    assert get(port) in pm.pids("web")
    pm.ok("stop", "web")
    for slot in (0, 1):
        assert pm.proc("web", slot)["last_exit"] == {**pm.proc("web", slot)["last_exit"], "code": 0, "signal": None}
        assert said(pm, slot, exit=0)["intended"]


@pytest.mark.parametrize("how", ["disconnect", "kill"])
@pytest.mark.parametrize("policy", ["always", "on-failure"])
def test_a_worker_ends_itself_in_order(pm, port, node, how, policy):
    """worker.disconnect() and worker.kill() ask us and wait for the answer; exit 0 is no failure."""
    do(pm, node, [["listen", "a", {"port": port}]], f"autorestart = {policy}")
    old = pm.pids("web")[0]
    more(pm, [how], sel="web:0")
    assert said(pm, 0, exit=0)["intended"]
    if policy == "always":
        pm.wait_replaced("web", 0, old)
        both_answer(pm, lambda: get(port), 2000)
    else:
        wait_for(lambda: pm.proc("web", 0)["state"] == "done", 10, "the state done")
        _, errors = many(lambda: get(port), 2, 10)
        assert not errors
    assert pm.proc("web", 0)["last_exit"]["code"] == 0


def test_a_program_that_closes_its_channel_exits_0(pm, port, node):
    do(pm, node, [["listen", "a", {"port": port}]], "autorestart = on-failure")
    more(pm, ["disconnectProcess"], sel="web:0")
    assert not said(pm, 0, exit=0)["intended"]
    wait_for(lambda: pm.proc("web", 0)["state"] == "done", 10, "the state done")
    assert pm.proc("web", 0)["last_exit"]["code"] == 0
    assert get(port) == pm.pids("web")[1]


# --- messages

def test_messages_of_every_kind(pm, node):
    odd = [None, True, 0, -1.5e300, "", "text", "h\u00e9\n\u2028", [], {}, [[1, {"a": None}]],
           {"cmd": "NODE_"}, {"type": "process:msg", "data": {"x": 1}}, {"topic": "t"}]
    # The last ones are texts that JavaScript writes and other readers of JSON refuse.
    steps = [["send", m] for m in odd if m is not None]
    text = json.dumps(steps)[:-1] + ', ["send", "\\ud800"], ["send", "nul \\u0000"], ["send", 1e20]]'
    up(pm, node, "steps.js", 0, f"env.DO = {text}\nready = message", 1)
    wait_for(lambda: pm.log("web").count(b'"error":null') == len(steps) + 3, 10, "all to be sent")
    for m in odd:
        assert pm.rpc("send", {"sel": ["web"], "message": m})["sent"] == 1
    pm.rpc("send", {"sel": ["web"], "message": "shutdown"})
    said(pm, got="shutdown")
    got = [o["got"] for o in lines(pm) if "got" in o]
    assert got[:-1] == odd
    assert pm.app("web")["restarts"] == 0 and pm.state("web") == "online"


def test_megabytes_both_ways(pm, node):
    do(pm, node, [["sendLong", 1 << 20], ["sendLong", 5 << 20], ["send", "after"]], instances=1)
    wait_for(lambda: pm.log("web").count(b'"error":null') == 3, 10, "all to be sent")
    for _ in range(3):
        assert pm.rpc("send", {"sel": ["web"], "message": "y" * 1000000})["sent"] == 1
    wait_for(lambda: pm.log("web").count(b'{"long":1000000}') == 3, 20, "3 messages of 1 MB")
    assert pm.app("web")["restarts"] == 0


def test_handles_sent_by_the_program_are_taken(pm, port, node):
    """It sends nothing more until each one is acknowledged."""
    do(pm, node, [["listen", "a", {"port": port}], ["sendSockets", 20], ["sendServer", "a"], ["send", "after"]])
    for slot in (0, 1):
        assert said(pm, slot, step="send", name="after")
    before = open_files(pm)
    more(pm, ["sendSockets", 30], ["send", "after that"])
    for slot in (0, 1):
        said(pm, slot, step="send", name="after that")
    assert open_files(pm) == before
    both_answer(pm, lambda: get(port), 2000)
    assert pm.app("web")["restarts"] == 0


def open_files(pm):
    """How many descriptors supervisor and keeper hold; the moment's own comings and goings settle first."""
    d = pm.daemon()
    counts = []

    def settled():
        counts.append(sum(len(os.listdir(f"/proc/{d[k]}/fd")) for k in ("pid", "keeper_pid")))
        return len(counts) > 3 and len(set(counts[-3:])) == 1
    wait_for(settled, 5, "a steady number of descriptors")
    return counts[-1]


def test_our_own_commands_cannot_be_sent(pm, node):
    """A stray NODE_HANDLE_ACK would end the worker, wherever in the object cmd stands."""
    do(pm, node, [], instances=1)
    for message in ({"cmd": "NODE_HANDLE_ACK"}, {"a": 1, "cmd": "NODE_HANDLE_ACK"}, {"a": [], "cmd": "NODE_CLUSTER", "ack": 1}):
        reply = pm.connect().ask("send", {"sel": ["web"], "message": message})
        assert "error" in reply, reply
    pm.rpc("send", {"sel": ["web"], "message": {"cmd": "x", "deep": {"cmd": "NODE_HANDLE_ACK"}}})
    said(pm, got={"cmd": "x", "deep": {"cmd": "NODE_HANDLE_ACK"}})
    assert pm.app("web")["restarts"] == 0


def test_a_message_too_long_harms_only_itself(pm, port, node):
    do(pm, node, [["listen", "a", {"port": port}]], instances=1)
    pid = pm.pids("web")[0]
    more(pm, ["sendLong", 9 << 20], ["send", "after"], ["sendLongSocket", 9 << 20], ["listen", "b", {"port": 0}])
    assert said(pm, name="b").get("address")
    assert get(port) == pid and pm.pids("web") == [pid]
    assert '"after"' in events(pm, "message")


# --- a worker that speaks by hand

class Talk:
    """An app whose worker is tests/apps/fakenode.py with a script of ours, beside an app that nothing may happen to."""

    def __init__(self, pm):
        self.pm = pm
        os.symlink(APPS / "fakenode.py", pm.dir / "node")

    def begin(self, script, extra="mode = cluster\nready = spawn", instances=1, **names):
        """Starts it; the names are variables of the script."""
        path = self.pm.dir / "talk.py"
        path.write_text("".join(f"{k} = {v!r}\n" for k, v in names.items()) + script)
        self.pm.up(f"[app:other]\ncommand = sleep 1000000\n[app:web]\nscript = {path}\ninterpreter = {self.pm.dir}/node\n"
                   f"instances = {instances}\nautorestart = never\nstop_timeout = 500ms\n{extra}\n")
        self.other, self.daemon = self.pm.pids("other"), self.pm.daemon()["pid"]
        self.files = open_files(self.pm)

    def unharmed(self):
        assert self.pm.rpc("ping")["pid"] == self.daemon == self.pm.daemon()["pid"]
        assert self.pm.pids("other") == self.other

    def passed(self, deadline=40):
        """Waits until it says that all it heard was right."""
        def over():
            self.unharmed()
            procs = self.pm.procs("web")
            return all(b"passed" in self.pm.log("web", p["slot"]) or not p["pid"] for p in procs) and procs
        for p in wait_for(over, deadline, "the script to end"):
            wait_for(lambda: b"passed" in self.pm.log("web", p["slot"]) or self.pm.log("web", p["slot"], "err"), 2)
            assert b"passed" in self.pm.log("web", p["slot"]), self.pm.log("web", p["slot"], "err").decode()

    def run(self, script, *args, **kw):
        self.begin(script, *args, **kw)
        self.passed()


@pytest.fixture
def talk(pm):
    return Talk(pm)


def test_hand_the_ordinary_conversation(pm, port, talk):
    """data of the first question comes back, O_NONBLOCK, one descriptor and one line, numbers that only grow."""
    talk.run(r"""
data = {"ticketKeys": "00ff", "odd": [1, None, "\u00e9\n"]}
m = ask(port, "127.0.0.1", data=data)
assert m["port"] == port and m["data"] == data and m["type"] == "net.Native", m
assert m["socket"].getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN) == 1
send(cluster("listening", index=0, data=None, address="127.0.0.1", port=port, addressType=4))
again = ask(port, "127.0.0.1", index=1, data="another")
assert again["errno"] == -98 and "socket" not in again, again
u = ask(0, "127.0.0.1", type="udp4", fd=None)
assert u["type"] == "dgram.Native" and u["socket"].type == socket.SOCK_DGRAM
x = ask(-1, path, type=-1)
assert x["socket"].family == socket.AF_UNIX and x["key"] != m["key"] != u["key"]
six = ask(0, "::1", type=6, flags=1)
assert six["socket"].getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY) == 1
for m2, fields in ((u, dict(addressType="udp4", fd=-1)), (x, dict(address=path, port=-1, addressType=-1)), (six, dict(addressType=6))):
    send(cluster("listening", **{"index": 0, "data": None, "address": "127.0.0.1", "port": m2.get("port"), **fields}))
send(cluster("close", key=m["key"]))
m["socket"].close()
m = ask(port, "127.0.0.1", data="another")
assert m["data"] == "another"
send(cluster("listening", index=0, data=None, address="127.0.0.1", port=port, addressType=4))
send(cluster("exitedAfterDisconnect"))
assert answer()["cmd"] == "NODE_CLUSTER"
silence()
""", port=port, path=str(pm.dir / "x.sock"))
    assert f"listens on tcp:127.0.0.1:{port}" in events(pm, "listen")
    assert sorted(x.split(":")[0] for x in pm.proc("web")["listen"]) == ["tcp", "tcp", "udp", "unix"]


def test_hand_the_first_data_is_everybodys(talk, port):
    """As it came: texts that other readers of JSON refuse, and long ones, to both workers."""
    texts = ["null", "1e400", "12345678901234567890123", '"\\ud800"', '"\\u0000"', '{"a" : [ 1,2 ] }', '"' + "x" * 200000 + '"']
    talk.run(r"""
for i, text in enumerate(texts):
    send(query(port + i, "127.0.0.1").replace(b'"data":null', b'"data":' + text.encode()))
    deadline = time.monotonic() + WAIT
    while b"\n" not in buffer:
        read_some(deadline)
    assert b'"data":' + text.encode() + b"," in buffer, buffer[:300]
    m = answer()
    assert m["errno"] == 0
    m["socket"].close()
""", instances=2, texts=texts, port=port)


@pytest.mark.parametrize("last", [False, True], ids=["first byte", "last byte"])
def test_hand_every_chunk_size(talk, last):
    """A recorded conversation in pieces of every size, its descriptor on the first or last byte of its line."""
    talk.run(r"""
pair = socket.socketpair()
text = json.dumps({"type": "process:msg", "data": "\u00e9" * 40}, ensure_ascii=False).encode() + b"\n"
size, length = 1, 1
while size <= length:
    q = query(0, "127.0.0.1", index=size)
    asked = seq
    h = handle({"a": size})
    conversation = text + q + b'"hello"\n' + h + cluster("exitedAfterDisconnect")
    length, begin = len(conversation), conversation.index(h)
    send_in_chunks(conversation, size, pair[1].fileno(), begin + len(h) - 1 if last else begin)
    m = hear()
    assert m["ack"] == asked and m["errno"] == 0, m
    m["socket"].close()
    assert hear() == {"cmd": "NODE_HANDLE_ACK"}
    assert hear()["ack"] == seq
    send(cluster("close", key=m["key"]))
    size += 1 if size < 120 else 7
silence()
""", last=last)


@pytest.mark.parametrize("length", [1000, 36000, 37000, 60000, 100000, 1 << 20, 9 << 20])
def test_hand_a_descriptor_with_a_long_message(talk, length):
    """The kernel cuts it into parts, and the first one has the descriptor."""
    talk.run(r"""
for i in range(3):
    send(handle("x" * length), [0])
    assert hear() == {"cmd": "NODE_HANDLE_ACK"}
still_answers()
""", length=length)


def test_hand_descriptors_nobody_asked_for(pm, talk):
    """Too many, without a line, with the wrong line, a line without one: nothing is kept, each line has one answer."""
    talk.run(r"""
pair = socket.socketpair()
fd = pair[1].fileno()
for i in range(200):
    send(line({"n": i}), [fd])
send(line("many"), [fd] * 30)
send(line("most"), [fd] * 200)
for i in range(20):
    send(handle({"n": i}))
    assert hear() == {"cmd": "NODE_HANDLE_ACK"}
for i in range(20):
    send(handle({"n": i}), [fd, fd])
    assert hear() == {"cmd": "NODE_HANDLE_ACK"}
send(line("early"), [fd])
send(handle(None))
assert hear() == {"cmd": "NODE_HANDLE_ACK"}
send(b'{"cmd":"NODE_HANDLE","type":"net.Socket","msg":{"broken\n', [fd])
assert hear() == {"cmd": "NODE_HANDLE_ACK"}
pair[1].close()
silence()
still_answers()
""")
    # At most a few wait for a line that may come; the log files are opened with the first line.
    assert open_files(pm) <= talk.files + 12


def test_hand_acknowledgements_nobody_waits_for(talk):
    talk.run(r"""
for i in range(50):
    send(line({"cmd": "NODE_HANDLE_ACK"}))
    send(line({"cmd": "NODE_HANDLE_NACK"}))
    send(line({"cmd": "NODE_CLUSTER", "ack": i, "accepted": i % 2 == 0, "seq": i}))
    send(line({"cmd": "NODE_CLUSTER", "ack": -1}))
silence()
still_answers()
""")


def test_hand_a_socket_that_does_not_arrive_comes_again(talk):
    """NACK: the program had no room for the descriptor. It is tried a few times, then given up."""
    talk.run(r"""
send(query(0, "127.0.0.1"))
sent = []
while True:
    try:
        begin, text = take_line(1)
    except TimeoutError:
        break
    sent.append(text)
    os.close(descriptors.popleft()[1])
    send(b'{"cmd":"NODE_HANDLE_NACK"}\n')
assert 2 <= len(sent) <= 4 and len(set(sent)) == 1, sent
numbers.append(json.loads(sent[0])["msg"]["seq"])
still_answers()
""")


def test_hand_unknown_and_odd_messages(talk):
    """No answer to what is no question of ours, an error to one that makes no sense, nothing remembered."""
    talk.run(r"""
for m in [{"cmd": "NODE_CLUSTER", "act": "unheard", "seq": 1}, {"cmd": "NODE_CLUSTER"}, {"cmd": "NODE_UNHEARD", "x": [1]},
          {"cmd": "NODE_CLUSTER", "act": None}, {"cmd": "NODE_CLUSTER", "act": ["online"]}, {"cmd": "NODE_CLUSTER", "act": ""}]:
    send(line(m))
for key in (None, "", "nobody's", 7, "x" * 100000, "127.0.0.1:1:4:-1"):
    send(cluster("close", key=key))
send(cluster("close"))
send(cluster("listening"))
send(cluster("listening", port=1e99, address=["x"], addressType="what"))
send(cluster("online"))
silence()
for fields in [dict(port=-5), dict(port=65536), dict(port=1 << 40), dict(port="80"), dict(port=1.5), dict(type="unheard"),
               dict(type=[]), dict(type=5), dict(address="no such host"), dict(address=""), dict(address="x" * 300000),
               dict(address="\ud800"), dict(address="a\n\0b"), dict(type=-1, port=-1, address="relative"),
               dict(type=-1, port=-1, address=None), dict(type=-1, port=-1, address="/" + "x" * 200),
               dict(type=-1, port=-1, address="/nowhere/at/all"), dict(type=-1, port=-1, address="/"), dict(fd=3),
               dict(fd=-1), dict(fd=0), dict(fd=1 << 31), dict(fd="3")]:
    m = ask(**{"port": 0, "address": "127.0.0.1", **fields})
    assert isinstance(m["errno"], int) and -200 < m["errno"] < 0, (fields, m)
for flags in (-1, 1 << 40, "x", None):
    ask(0, "127.0.0.1", index=100, flags=flags, backlog=flags)
silence()
still_answers()
""")


def test_hand_more_keys_than_there_may_be(pm, talk):
    talk.run(r"""
keys, refused = [], 0
for i in range(300):
    m = ask(0, "127.0.0.1", index=i)
    if m["errno"]:
        assert m["errno"] == -errno.ENFILE, m
        refused += 1
    else:
        keys.append(m["key"])
        m["socket"].close()
assert len(keys) == len(set(keys)) == 256 and refused == 44, (len(keys), refused)
for key in keys:
    send(cluster("close", key=key))
for i in range(256):
    m = ask(0, "127.0.0.1", index=1000 + i)
    assert m["errno"] == 0
    m["socket"].close()
    send(cluster("close", key=m["key"]))
still_answers()
""")
    wait_for(lambda: open_files(pm) <= talk.files + 8, 10, "their sockets to be closed")


def test_hand_nothing_of_it_reaches_a_terminal(pm, talk):
    talk.run(r"""
evil = "\033[31m\007\u009b5m\r"
send(line(evil))
send(cluster("listening", address=evil, port=1, addressType=4))
send(cluster("listening", address="/" + evil, port=-1, addressType=-1))
ask(0, evil)
ask(-1, "/nowhere/" + evil, type=-1)
ask(-1, path + evil, type=-1)
still_answers()
""", path=str(pm.dir / "x"))
    for text in (pm.ok("events", "web").out, pm.ok("list", "-i").out, pm.ok("why", "web").out, pm.daemon_log()):
        assert not set("\033\007\u009b\r") & set(text), repr(text)


GARBAGE = {
    "random": r"""
import random
random.seed(1)
for i in range(300):
    send(random.randbytes(5000) + b"\n")
""",
    "almost JSON": r"""
import random
random.seed(2)
for i in range(3000):
    send(b'{"cmd":"NODE_CLUSTER",' * (i % 2) + bytes(random.choices(b'{}[]:,\\"aNO1\0\n', k=200)) + b"\n")
""",
    "empty": r"send(b'\n' * 100000 + b'\r\n \n\0\n')",
    "cut": r"""
q = query(0, "127.0.0.1")
for i in range(len(q) - 1):
    send(q[:i] + b"\n")
""",
    "prefix": r"""
for i in range(100):
    send(b'{"cmd":"NODE_' + b"A" * i + b"\n")
send(b'{"cmd":"NODE_"}\n{"cmd":"NODE_X\n{"cmd":"NODE_\0"}\n')
""",
    "deep": r"""
send(b'{"cmd":"NODE_CLUSTER","act":"queryServer","data":' + b"[" * 500000 + b"\n" + b"[" * 1000000 + b"\n")
""",
    "twice": r"""send(b'{"cmd":"NODE_CLUSTER","cmd":"NODE_CLUSTER","act":"close","key":"a","key":"b"}\n')""",
    "long": r"""
for i in range(3):
    send(b"x" * (20 << 20) + b"\n")
""",
    "long internal": r"""
send(b'{"cmd":"NODE_CLUSTER","act":"queryServer","address":"' + b"x" * (9 << 20) + b'"}\n')
""",
    "flood": r"""
for i in range(20000):
    send(line({"n": i, "x": "\033[31m" * 20}))
""",
}


@pytest.mark.parametrize("what", GARBAGE)
def test_hand_garbage(talk, what):
    talk.run(GARBAGE[what] + "\nsilence()\nstill_answers()\n")


@pytest.mark.parametrize("end", ["x", '{"cmd":"NODE_CLUSTER","act":"queryS', "half a message of the app", "{" * 100000,
                                 "y" * (9 << 20)], ids=["byte", "question", "message", "braces", "megabytes"])
def test_hand_half_a_line_and_gone(pm, talk, end):
    talk.begin("""
send(end.encode())
time.sleep(0.2)
os._exit(7)
""", end=end)
    wait_for(lambda: not pm.proc("web")["pid"], 20, "its end")
    talk.unharmed()
    assert pm.proc("web")["last_exit"]["code"] == 7


def test_hand_last_words(pm, talk):
    """What was written before the end is read to the end."""
    talk.begin(r"""
send(line({"n": "first"}) + line("x" * 100000) + line({"n": "last"}))
os._exit(3)
""")
    wait_for(lambda: not pm.proc("web")["pid"], 10, "its end")
    talk.unharmed()
    assert [t for t in events(pm, "message") if "xxx" not in t] == ['{"n":"first"}', '{"n":"last"}']


def test_hand_one_that_does_not_read(pm, talk):
    """What does not fit is refused, what was taken arrives whole and in order."""
    talk.begin(r"""
while not os.path.exists(go):
    time.sleep(0.02)
n = 0
while (m := hear()) != ("app", "end"):
    assert m == ("app", [n, "x" * 900000]), (n, str(m)[:100])
    n += 1
assert n >= 3, n
still_answers()
""", go=str(pm.dir / "go"))
    sent = [pm.rpc("send", {"sel": ["web"], "message": [i, "x" * 900000]})["sent"] for i in range(8)]
    assert sent[0] == 1 and 0 in sent and sent == sorted(sent, reverse=True)
    (pm.dir / "go").touch()
    wait_for(lambda: pm.rpc("send", {"sel": ["web"], "message": "end"})["sent"] == 1, 10, "room again")
    talk.passed()


def test_hand_a_stop_of_one_that_never_reads(pm, talk):
    talk.begin("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True:\n    time.sleep(1)\n")
    for _ in range(8):
        pm.rpc("send", {"sel": ["web"], "message": "x" * 900000})
    pm.ok("stop", "web")
    assert pm.proc("web")["last_exit"]["signal"] == "SIGKILL"
    talk.unharmed()


def test_hand_the_channel_outlives_the_supervisor(pm, port, talk):
    """Half a question is asked before its death, the other half after: one answer, and no number is used twice."""
    talk.begin(r"""
m = ask(port, "127.0.0.1", data="kept")
send(cluster("listening", index=0, data=None, address="127.0.0.1", port=port, addressType=4))
half = query(0, "127.0.0.1", index=5)
send(half[:40])
print("half", flush=True)
while not os.path.exists(go):
    time.sleep(0.02)
send(half[40:])
n = answer()
assert n["errno"] == 0 and n["key"] != m["key"], n
assert ask(port, "127.0.0.1")["errno"] == -98
send(cluster("close", key=m["key"]))
send(handle({}), [0])
assert hear() == {"cmd": "NODE_HANDLE_ACK"}
silence()
still_answers()
""", port=port, go=str(pm.dir / "go"))
    pm.wait_log("web", "half")
    wait_for(lambda: pm.proc("web")["listen"], 10, "the port it listens on")
    os.kill(talk.daemon, signal.SIGKILL)
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != talk.daemon, 15, "the next supervisor")
    talk.daemon = pm.daemon()["pid"]
    (pm.dir / "go").touch()
    talk.passed()


def test_hand_the_channel_of_a_program_in_fork_mode(pm, talk):
    """Messages both ways; nobody answers a cluster worker's questions there."""
    talk.begin(r"""
assert "NODE_UNIQUE_ID" not in os.environ
send(b'"ready"\n')
assert hear() == ("app", {"hello": 1})
send(query(0, "127.0.0.1"))
silence()
send(handle({"s": 1}), [0])
assert hear() == {"cmd": "NODE_HANDLE_ACK"}
""", "mode = fork\nready = message")
    pm.rpc("send", {"sel": ["web"], "message": {"hello": 1}})
    talk.passed()
