# SPDX-License-Identifier: MIT
"""Whatever comes over the control socket: a clear error or the end of that connection, and nothing else."""
import json
import os
import resource
import socket
import stat
import subprocess
import threading
import time

import pytest

from conftest import ASAN, SLOW, alive, app_path, read_proc, wait_for

SLEEPER = "sleep 1000000"


@pytest.fixture
def one(pm):
    pm.up(f"[app:web]\ncommand = {SLEEPER}\nready = spawn\n")
    before = pm.pids("web")
    sup = pm.daemon()["pid"]
    yield pm
    assert pm.pids("web") == before and pm.daemon()["pid"] == sup, "an app or the supervisor was touched"


def resident(pid):
    text = read_proc(pid, "status").decode()
    return int(text.split("VmRSS:")[1].split()[0]) * 1024


def test_modes(one):
    assert stat.S_IMODE(os.stat(one.socket).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(one.socket.parent).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(one.home / "state").st_mode) == 0o700
    assert stat.S_IMODE(os.stat(one.logdir).st_mode) == 0o750
    for path in (one.home / "state").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_random_bytes(one):
    for _ in range(30):
        r = one.connect()
        try:
            r.send(os.urandom(3000).replace(b"\n", b"") + b"\n")
            reply = r.line()
            assert reply is None or reply["error"]["code"] == -32700, reply
        except (BrokenPipeError, ConnectionResetError):
            pass
        r.close()
    one.ok("list")


@pytest.mark.parametrize("text,code", [
    ("{", -32700), ("[]", -32600), ("3", -32600), ('"x"', -32600), ("null", -32600), ("{}", -32600),
    ('{"jsonrpc":"2.0","id":1,"method":"nosuch"}', -32601),
    ('{"jsonrpc":"2.0","id":1,"method":7}', -32600),
    ('{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600),
    ('{"jsonrpc":"2.0","id":1,"method":"stop"}', -32602),
    ('{"jsonrpc":"2.0","id":1,"method":"stop","params":{"sel":"web"}}', -32602),
    ('{"jsonrpc":"2.0","id":1,"method":"stop","params":{"sel":[1]}}', -32602),
    ('{"jsonrpc":"2.0","id":1,"method":"list","params":{"nosuch":1}}', -32602),
    ('{"jsonrpc":"2.0","id":1,"method":"start","params":{"apps":[{"name":"../x"}]}}', -32602),
    ('{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"ping"}', -32700), ('{"jsonrpc":"2.0","id":1,"method":"pi\\u0000ng"}', -32700),
    ('{"jsonrpc":"2.0","id":1,"method":"stop","params":{"sel":["we\\u0000b"]}}', -32700), ('{"jsonrpc":"2.0","id":1,"method":"' + "x" * 300 + '"}', -32600),
    ("[" * 5000, -32700), ('{"a":' * 5000, -32700)])
def test_bad_requests(one, text, code):
    r = one.connect()
    r.send(text.encode() + b"\n")
    reply = r.line()
    assert reply["error"]["code"] == code and reply["error"]["message"], reply


def test_the_connection_goes_on_after_a_bad_request(one):
    r = one.connect()
    r.send(b'{"jsonrpc":"2.0","id":5,"method":"nosuch"}\n')
    assert r.line()["id"] == 5
    assert r.call("ping")["pid"] == one.daemon()["pid"]


def test_a_half_closed_client_gets_its_answer(one):
    r = one.connect()
    r.send(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n{"jsonrpc":"2.0","id":2,"method":"restart","params":{"sel":[')
    r.send(b'"nosuch"]}}\n{"jsonrpc":"2.0","id":3,"method":"wait","params":{"sel":["web"],"for":"ready"}}\n{"half')
    r.sock.shutdown(socket.SHUT_WR)
    replies = list(iter(r.line, None))
    assert [m["id"] for m in replies if "id" in m] == [1, 2, 3]


def test_requests_in_pieces_and_in_a_heap(one):
    r = one.connect()
    text = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
    for byte in text:
        r.send(bytes([byte]))
    assert r.line()["id"] == 1
    r.send(b"".join(b'{"jsonrpc":"2.0","id":%d,"method":"ping"}\n' % i for i in range(500)))
    assert [r.line()["id"] for _ in range(500)] == list(range(500))


def test_half_a_line_then_silence_is_cut_off(one):
    """Nor does a byte every now and then help."""
    r, drip = one.connect(), one.connect()
    r.send(b'{"jsonrpc":"2.0","id":1,')
    drip.sock.settimeout(0.2)
    begun = time.monotonic()
    try:
        while time.monotonic() - begun < 8 * SLOW:
            drip.send(b" ")
            try:
                if not drip.sock.recv(1000):
                    break
            except TimeoutError:
                pass
    except ConnectionError:
        pass
    assert 4 < time.monotonic() - begun < 8 * SLOW
    reply = r.line()
    assert reply["error"]["message"] and r.line() is None


def test_not_for_us(one):
    """Other protocols are cut off at their first line, or when it does not end."""
    for data in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n" + os.urandom(500),
                 b"\n\n\n", b"\0" * (2 << 20)):
        r = one.connect()
        try:
            r.send(data)
            assert next(iter(r.line, None), {"error": 1})["error"] and r.line() is None, data[:20]
        except (BrokenPipeError, ConnectionResetError):
            pass
    assert one.daemon_log().count("\n") < 100


def test_the_longest_message(one):
    """1 MiB with its newline is one, a byte more is too much."""
    head, tail = b'{"jsonrpc":"2.0","id":1,"method":"ping","x":"', b'"}\n'
    for size, ok in ((1 << 20, True), ((1 << 20) + 1, False)):
        r = one.connect()
        try:
            r.send(head + b"x" * (size - len(head) - len(tail)) + tail)
            reply = r.line()
        except (BrokenPipeError, ConnectionResetError):
            reply = {"error": {}}
        assert ("longer than 1 MiB" not in json.dumps(reply)) == ok or not ok, reply
        assert ok or "error" in reply
    one.ok("list")


@pytest.mark.parametrize("number", ["2147483648", "4294967295", "9223372036854775807", "9223372036854775808", "-1", "1e999", "0.5", "null", '""'])
def test_numbers_where_a_count_is_expected(one, number):
    for request in ('"logs","params":{"sel":["web"],"n":%s}', '"events","params":{"n":%s}', '"scale","params":{"app":"web","count":%s}',
                    '"scale","params":{"app":"web","count":"%s"}', '"cancel","params":{"op":%s}'):
        r = one.connect()
        r.send(b'{"jsonrpc":"2.0","id":1,"method":' + (request % number.strip('"')).encode() + b"}\n")
        reply = r.line()
        assert reply is not None and ("error" in reply or "scale" not in request), (request, reply)
        assert "error" not in reply or reply["error"]["message"]
        r.close()


def test_descriptors_in_messages_are_not_taken(one):
    sup = one.daemon()["pid"]
    null = os.open("/dev/null", os.O_RDONLY)
    r = one.connect()
    for _ in range(20):
        socket.send_fds(r.sock, [b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'], [null] * 253)
        assert r.line()["result"]
    os.close(null)
    if os.access(f"/proc/{sup}/fd", os.R_OK):
        assert len(os.listdir(f"/proc/{sup}/fd")) < 100


def test_an_endless_line_is_cut_off_in_little_memory(one):
    sup = one.daemon()["pid"]
    before = resident(sup)
    r = one.connect()
    sent, block = 0, b"x" * 65536
    try:
        while sent < 1 << 30:
            r.send(block)
            sent += len(block)
    except (BrokenPipeError, ConnectionResetError, socket.timeout):
        pass
    assert sent < 64 << 20, "it went on reading"
    assert resident(sup) - before < (64 << 20 if ASAN else 8 << 20)
    one.ok("list")


def test_ten_thousand_connections(one):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = min(10000, hard - 200 if hard > 0 else 10000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, want + 200)), hard))
    held = []
    try:
        for _ in range(want):
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(10 * SLOW)
            s.connect(str(one.socket))
            held.append(s)
        # Another client is served all the same.
        assert one.ok("list").rc == 0
    finally:
        for s in held:
            s.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    one.ok("list")
    sup = one.daemon()["pid"]
    if os.access(f"/proc/{sup}/fd", os.R_OK):  # its memory and descriptors are nobody's business
        wait_for(lambda: len(os.listdir(f"/proc/{sup}/fd")) < 300, 10, "the descriptors given back")


def test_a_reader_that_does_not_read(one):
    sup = one.daemon()["pid"]
    r = one.connect()
    r.sock.setblocking(False)
    request = b'{"jsonrpc":"2.0","id":1,"method":"list"}\n' * 100
    sent, quiet = 0, 0
    while sent < 64 << 20 and quiet < 50:
        try:
            sent += r.sock.send(request)
            quiet = 0
        except BlockingIOError:
            quiet += 1
            one.ok("ping")
        except (BrokenPipeError, ConnectionResetError):
            break
    assert resident(sup) < (600 << 20 if ASAN else 40 << 20)
    one.ok("list")


def test_a_peer_that_goes_in_the_middle(one):
    for _ in range(50):
        r = one.connect()
        r.send(b'{"jsonrpc":"2.0","id":1,"method":"list"}\n' * 20)
        r.close()
    for _ in range(10):
        r = one.connect()
        r.send(b'{"jsonrpc":"2.0","id":1,"method":"restart","params":{"sel":["nosuch"]}}\n')
        r.close()
    one.ok("list")


def test_many_clients_at_once(one):
    wrong = []

    def work():
        r = one.ctl("list", "--json")
        if r.rc != 0 or r.json()["apps"][0]["name"] != "web":
            wrong.append(r)
    threads = [threading.Thread(target=work) for _ in range(40)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_two_daemons(one):
    p = subprocess.run([one.pmctld], env=one.env(), capture_output=True, text=True, timeout=30)
    assert p.returncode == 1 and "run" in p.stderr, p
    p = subprocess.run([one.pmctld, "--foreground"], env=one.env(), capture_output=True, text=True, timeout=30)
    assert p.returncode == 1, p
    # The client finds the one that is there.
    assert one.ok("daemon", "start").rc == 0


def test_many_starts_at_once_make_one_daemon(pm):
    ps = [pm.popen("daemon", "start") for _ in range(10)]
    assert [p.wait(timeout=30 * SLOW) for p in ps] == [0] * 10
    pm.daemon()
    keepers = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc")))
               if str(pm.pmctld).encode() in read_proc(pid, "cmdline") and
               f"PMCTL_HOME={pm.home}\0".encode() in read_proc(pid, "environ")]
    wait_for(lambda: len([p for p in keepers if alive(p)]) <= 2, 5, "the others ended")


def test_a_stale_socket_is_replaced(pm):
    run = pm.home / "run"
    run.mkdir(parents=True, mode=0o700)
    pm.home.chmod(0o700)
    s = socket.socket(socket.AF_UNIX)
    s.bind(str(run / "control.sock"))
    s.close()
    pm.fails(5, "list")
    pm.ok("daemon", "start")
    pm.ok("list")


def test_a_directory_of_somebody_else_is_refused(pm):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    run = pm.home / "run"
    run.mkdir(parents=True, mode=0o700)
    os.chown(run, 65534, 65534)
    r = pm.fails(6, "daemon", "start")
    assert str(run) in r.err
    os.chown(run, 0, 0)
    run.chmod(0o777)
    r = pm.ctl("daemon", "start")
    assert r.rc in (0, 6)
    if r.rc == 0:
        assert stat.S_IMODE(run.stat().st_mode) == 0o700


def test_events_follower_that_does_not_read_is_cut(one):
    sup = one.daemon()["pid"]
    r = one.connect()
    r.call("events", {"n": 0, "follow": True})
    r.sock.settimeout(0.01)
    for _ in range(200):
        one.rpc("signal", {"sel": ["web"], "signal": "CONT"})
    assert resident(sup) < (600 << 20 if ASAN else 40 << 20)


def test_foreground_and_notify(pm):
    path = pm.dir / "notify"
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(str(path))
    s.settimeout(20 * SLOW)
    p = subprocess.Popen([pm.pmctld, "--foreground"], env=pm.env({"NOTIFY_SOCKET": str(path)}),
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    pm.popens.append(p)
    try:
        while b"READY=1" not in s.recv(4096):
            pass
        pm.daemon()
        pm.up(f"[app:web]\ncommand = {SLEEPER}\nready = spawn\n")
        pid = pm.pids("web")[0]
        assert b"NOTIFY_SOCKET" not in read_proc(pid, "environ")
        p.terminate()
        assert p.wait(timeout=30 * SLOW) == 0
        assert not alive(pid)
    finally:
        s.close()


def test_clients_that_died_while_waiting_do_not_lock_out_others(one):
    one.ok("scale", "web", "1")
    r = one.connect()
    r.call("ping")
    for i in range(270):
        s = socket.socket(socket.AF_UNIX)
        s.connect(str(one.socket))
        s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"wait","params":{"sel":["web"],"for":"stopped"}}\n')
        s.close()
    for _ in range(5):
        one.ok("ping")
    assert len(one.list()["apps"]) == 1
