# SPDX-License-Identifier: MIT
"""[pmctl] metrics: served over HTTP at a Unix socket or a loopback port, whatever clients do."""
import os
import signal
import socket
import stat
import threading
import time

import pytest
from conftest import SLOW, free_port, wait_for
from test_metrics import Samples, counters, kill_supervisor

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
GET = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"


def connect(at):
    """at: a path or a port."""
    if isinstance(at, int):
        return socket.create_connection(("127.0.0.1", at), 20 * SLOW)
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20 * SLOW)
    s.connect(str(at))
    return s


def read_all(s):
    data = b""
    while True:
        try:
            more = s.recv(65536)
        except ConnectionResetError:
            return data
        if not more:
            return data
        data += more


def ask(at, request=GET):
    """(status, headers, body) or None if nothing came."""
    with connect(at) as s:
        s.sendall(request)
        data = read_all(s)
    if not data:
        return None
    head, body = data.split(b"\r\n\r\n", 1)
    first, *rest = head.decode().split("\r\n")
    return int(first.split()[1]), {k.lower(): v for k, v in (h.split(": ", 1) for h in rest)}, body


def scrape(at):
    status, headers, body = ask(at)
    assert status == 200 and headers["content-type"] == OPENMETRICS
    assert int(headers["content-length"]) == len(body)
    return Samples(body.decode())


def ini(pm, at, name="pmctl.ini", app="web", more="", project="shop"):
    pm.ini(f"[pmctl]\nproject = {project}\n{f'metrics = {at}' if at else ''}\n{more}\n"
           f"[app:{app}]\ncommand = /bin/sleep 1000\n", name)


def status(pm):
    return {m["address"]: m["error"] for m in pm.rpc("status")["metrics"]}


@pytest.fixture
def sock(pm):
    """Served at a Unix socket."""
    ini(pm, "unix:m.sock")
    r = pm.ok("start")
    assert "metrics" not in r.err
    return pm.dir / "m.sock"


def test_what_is_served(pm, sock):
    st = sock.stat()
    assert stat.S_ISSOCK(st.st_mode) and stat.S_IMODE(st.st_mode) == 0o600
    m = scrape(sock)
    assert m.one("pmctl_app_instances", app="web") == 1
    assert status(pm) == {f"unix:{sock}": None}
    assert f"unix:{sock}" in pm.ok("daemon", "status").out

    code, headers, body = ask(sock, GET.replace(b"GET", b"HEAD"))
    assert code == 200 and body == b"" and headers["content-type"] == OPENMETRICS and int(headers["content-length"]) > 1000
    code, headers, body = ask(sock, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert code == 200 and b"/metrics" in body and headers["content-type"].startswith("text/plain")
    for path in (b"/metrics/", b"/nosuch", b"//metrics", b"/../metrics"):
        assert ask(sock, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 404, path
    assert ask(sock, b"GET /metrics?a=b HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 200
    for method in (b"POST", b"PUT", b"DELETE", b"OPTIONS", b"BREW"):
        code, headers, _ = ask(sock, method + b" /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
        assert code == 405 and headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("accept, kind", [
    ("*/*", OPENMETRICS),
    ("application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1", OPENMETRICS),
    ("text/plain;version=0.0.4;q=1,*/*;q=0.1", "text/plain; version=0.0.4; charset=utf-8"),
    ("text/html", OPENMETRICS)])
def test_which_format(sock, accept, kind):
    code, headers, body = ask(sock, GET.replace(b"Host: x", b"Host: x\r\nAccept: " + accept.encode()))
    assert code == 200 and headers["content-type"] == kind
    assert body.endswith(b"# EOF\n") == (kind == OPENMETRICS)


def test_off_by_default(pm):
    ini(pm, None)
    pm.ok("start")
    assert status(pm) == {}


def test_a_port_and_no_other_address(pm, port):
    ini(pm, f"127.0.0.1:{port}")
    pm.ok("start")
    assert scrape(port).one("pmctl_apps") == 1
    ini(pm, f"0.0.0.0:{port}")
    r = pm.fails(7, "start")
    assert "pmctl.ini:" in r.err and "[pmctl] metrics:" in r.err and "elsewhere" in r.err


def test_it_is_there_again_after_the_end_of_a_supervisor(pm, sock, port):
    ini(pm, f"127.0.0.1:{port}", "two.ini", "two", project="two")
    pm.ok("start", "two.ini")
    kill_supervisor(pm)
    for at in (sock, port):
        m = scrape(at)
        assert m.one("pmctl_supervisor_restarts_total") == 1
        assert m.one("pmctl_app_starts_total", app="web") == 1
    assert "served at" not in "".join(e["text"] for e in pm.rpc("events")["events"][-4:]), "it never was not"


def test_a_client_that_waits_while_the_supervisor_dies(pm, sock):
    """The keeper has the socket: nobody is refused."""
    pid = pm.daemon()["pid"]
    os.kill(pid, signal.SIGSTOP)
    with connect(sock) as s:
        s.sendall(GET)
        os.kill(pid, signal.SIGKILL)
        assert read_all(s).startswith(b"HTTP/1.1 200 ")


def test_the_keeper_dies(pm, sock):
    """The supervisor becomes it, and its successor has the socket."""
    d = pm.daemon()
    inode = sock.stat().st_ino
    os.kill(d["keeper_pid"], signal.SIGKILL)
    wait_for(lambda: pm.ctl("ping").rc == 0 and pm.daemon()["pid"] not in (d["pid"], None), 20, "the next supervisor")
    assert scrape(sock).one("pmctl_keeper_up") == 1
    assert sock.stat().st_ino == inode


def test_an_upgrade(pm, sock):
    inode = sock.stat().st_ino
    before = counters(scrape(sock))
    pm.ok("daemon", "upgrade")
    after = counters(scrape(sock))
    assert sock.stat().st_ino == inode, "it never was away"
    assert {k: v for k, v in before.items() if after[k] < v} == {}


def test_it_is_there_again_with_the_daemon(pm, sock):
    pm.ok("kill")
    assert not sock.exists(), "no file is left"
    pm.ok("daemon", "start")
    assert scrape(sock).one("pmctl_app_instances", app="web") == 1


def test_both_killed(pm, sock, port):
    """A stale socket file, and a port that may be in TIME_WAIT, are taken again."""
    ini(pm, f"127.0.0.1:{port}", "two.ini", "two", project="two")
    pm.ok("start", "two.ini")
    scrape(port)
    pm.kill_both()
    pm.ok("daemon", "start")
    assert sock.exists()
    assert scrape(sock).one("pmctl_apps") == scrape(port).one("pmctl_apps") == 2


def test_changed_and_removed(pm, sock, port):
    ini(pm, f"127.0.0.1:{port}")
    pm.ok("start")
    assert not sock.exists() and scrape(port).one("pmctl_apps") == 1
    kill_supervisor(pm)
    assert status(pm) == {f"127.0.0.1:{port}": None}
    ini(pm, None)
    pm.ok("start")
    assert status(pm) == {}
    with pytest.raises(ConnectionRefusedError):
        connect(port)
    assert "no longer served" in pm.ok("events").out


def test_several_files(pm, sock):
    ini(pm, f"unix:{sock}", "two.ini", "two", project="two")
    ini(pm, "unix:other.sock", "three.ini", "three", project="three")
    pm.ok("start", "two.ini")
    pm.ok("start", "three.ini")
    other = pm.dir / "other.sock"
    assert status(pm) == {f"unix:{sock}": None, f"unix:{other}": None}
    assert scrape(sock).one("pmctl_apps") == scrape(other).one("pmctl_apps") == 3
    pm.ok("delete", "web")
    assert scrape(sock).one("pmctl_apps") == 2, "two.ini wants it still"
    pm.ok("delete", "two")
    wait_for(lambda: not sock.exists(), 5, "the last project that wanted it has gone")
    assert scrape(other).one("pmctl_apps") == 1
    pm.ok("delete", "three")
    wait_for(lambda: status(pm) == {}, 5, "nobody wants anything")
    kill_supervisor(pm)
    assert status(pm) == {}


def test_a_port_that_is_taken(pm, port):
    with socket.create_server(("127.0.0.1", port)):
        ini(pm, f"127.0.0.1:{port}")
        r = pm.ok("start")
        assert pm.state("web") == "online"
        assert f"cannot listen on 127.0.0.1:{port}: in use by pid {os.getpid()}" in r.err
        assert "in use" in status(pm)[f"127.0.0.1:{port}"]
        assert f"in use by pid {os.getpid()}" in pm.ok("events").out
        assert "in use" in pm.ok("daemon", "status").out
    wait_for(lambda: status(pm)[f"127.0.0.1:{port}"] is None, 20, "it is tried again")
    assert scrape(port).one("pmctl_apps") == 1


@pytest.mark.parametrize("what", ["file", "directory", "link", "used"])
def test_what_is_in_the_way_is_left_alone(pm, what):
    path = pm.dir / "m.sock"
    other = None
    if what == "file":
        path.write_text("mine")
    elif what == "directory":
        path.mkdir()
    elif what == "link":
        path.symlink_to(pm.dir / "nowhere")
    else:
        other = socket.socket(socket.AF_UNIX)
        other.bind(str(path))
        other.listen(5)
    before = path.lstat()
    ini(pm, "unix:m.sock")
    r = pm.ok("start")
    assert "metrics: " in r.err and str(path) in r.err
    assert pm.state("web") == "online"
    after = path.lstat()
    assert (before.st_ino, before.st_mode) == (after.st_ino, after.st_mode)
    pm.ok("kill")
    assert path.lstat().st_ino == before.st_ino
    if other:
        other.close()


def test_a_stale_socket_file_is_replaced(pm):
    path = pm.dir / "m.sock"
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(path))
    ini(pm, "unix:m.sock")
    assert "metrics" not in pm.ok("start").err
    assert scrape(path).one("pmctl_apps") == 1


def test_another_file_at_the_path_survives_our_end(pm, sock):
    sock.unlink()
    sock.write_text("mine")
    pm.ok("kill")
    assert sock.read_text() == "mine"


def test_no_folder_for_it(pm):
    ini(pm, "unix:nowhere/m.sock")
    r = pm.ok("start")
    assert "No such file" in r.err
    (pm.dir / "nowhere").mkdir()
    wait_for(lambda: list(status(pm).values()) == [None], 20, "it is tried again")


def test_a_list_without_apps(pm):
    pm.ini("[pmctl]\nmetrics = unix:m.sock\n", raw=True)
    pm.ok("start")
    assert scrape(pm.dir / "m.sock").one("pmctl_apps") == 0


def test_many_at_once(pm, sock):
    results, lock = [], threading.Lock()

    def one():
        r = ask(sock)
        with lock:
            results.append(r and r[0])
    threads = [threading.Thread(target=one) for _ in range(200)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert results == [200] * 200


def test_slow_and_hostile_clients(pm, sock):
    """More of them than are let in; a good one is served all the same, and the daemon answers meanwhile."""
    fd_before = len(os.listdir(f"/proc/{pm.daemon()['pid']}/fd"))
    bad = []
    for i in range(150):
        s = connect(sock)
        s.sendall((b"", b"G", b"GET /metrics HTTP/1.1\r\nX: ", GET[:-2])[i % 4])
        bad.append(s)
    assert scrape(sock).one("pmctl_apps") == 1
    assert pm.ok("list", "--json").json()["apps"]
    stop = threading.Event()

    def drip():
        while not stop.wait(0.05):
            for s in bad:
                try:
                    s.send(b"a")
                except OSError:
                    pass
    dripper = threading.Thread(target=drip)
    dripper.start()
    try:  # one byte after the other is no life sign that counts
        wait_for(lambda: all(closed(s) for s in bad), 40, "all of them are cut off")
    finally:
        stop.set()
        dripper.join()
    for s in bad:
        s.close()
    wait_for(lambda: len(os.listdir(f"/proc/{pm.daemon()['pid']}/fd")) <= fd_before, 10, "their descriptors are free")
    assert scrape(sock).one("pmctl_supervisor_restarts_total") == 0


def closed(s):
    try:
        return s.recv(1, socket.MSG_DONTWAIT | socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_one_who_does_not_read(pm, sock):
    """Requests, and never takes an answer; sends a whole lot more instead."""
    lazy = []
    for _ in range(30):
        s = connect(sock)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.sendall(GET)
        lazy.append(s)
    assert scrape(sock).one("pmctl_apps") == 1
    for s in lazy:
        s.close()


@pytest.mark.parametrize("request_bytes", [
    b"\r\n" * 50000,
    b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n",
    b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
    b"GET /metrics HTTP/1.1\r\nX: " + b"z" * 100000 + b"\r\n\r\n",
    b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /metrics HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    b"\0\xff\x80" * 3000,
    b"GET /metrics HTTP/9.9\r\nHost: x\r\n\r\n"], ids=range(8))
def test_nonsense(pm, sock, request_bytes):
    with connect(sock) as s:
        try:
            s.sendall(request_bytes)
            s.shutdown(socket.SHUT_WR)
            answer = read_all(s)
        except OSError:
            answer = b""
    assert not answer.startswith(b"HTTP/1.1 200"), answer[:200]
    assert scrape(sock).one("pmctl_supervisor_restarts_total") == 0


def test_the_daemon_does_nothing_while_nobody_asks(pm, sock):
    """The loop's turns are counted: only what is asked makes it turn."""
    scrape(sock)
    first = scrape(sock).one("pmctl_loop_turn_seconds_count")
    end = time.monotonic() + 2
    wait_for(lambda: time.monotonic() > end, 10, "two seconds")
    assert scrape(sock).one("pmctl_loop_turn_seconds_count") - first < 30


def test_turns_of_the_loop_are_told_in_buckets(pm, sock):
    m = scrape(sock)
    buckets = [m.one("pmctl_loop_turn_seconds_bucket", le=le) for le in ("0.001", "0.01", "0.1", "1.0", "+Inf")]
    assert buckets == sorted(buckets) and buckets[-1] == m.one("pmctl_loop_turn_seconds_count") > 0
    assert m.one("pmctl_loop_turn_seconds_sum") > 0


def test_a_client_cannot_name_another_address(pm, sock):
    """Also not past the client's check."""
    for value in ("0.0.0.0:9100", "10.1.1.1:80", 5, "unix:"):
        r = pm.connect().ask("start", {"apps": [], "list": {"file": "/x", "project": "x", "metrics": value}})
        assert r["error"]["data"]["code"] in ("usage", "invalid_config"), r
    assert list(status(pm)) == [f"unix:{sock}"]


def test_no_more_than_so_many(pm):
    for i in range(17):
        pm.rpc("start", {"apps": [], "list": {"file": f"/x{i}", "project": f"x{i}", "metrics": f"unix:{pm.dir}/{i}.sock"}}) \
            if i else ini(pm, f"unix:{pm.dir}/0.sock") or pm.ok("start")
    assert len(status(pm)) == 16
    assert "already" in pm.ok("events").out
