# SPDX-License-Identifier: MIT
"""Searches, times and formats of `pmctl logs`, and what others do to log files meanwhile."""
import fcntl
import gzip
import json
import os
import queue
import re
import signal
import struct
import threading
import time

import pytest

from conftest import SLOW, app_path, wait_for

QUIET = "ready = spawn\nautorestart = never\n"


def say(pm, text, name="p", more=""):
    """An app that has said this."""
    (pm.dir / f"{name}.txt").write_bytes(text if isinstance(text, bytes) else text.encode())
    pm.up(f"[app:{name}]\ncommand = sh -c 'cat {name}.txt'\n{QUIET}{more}")
    pm.wait_state(name, "done")


def words(r):
    """What stands behind time and name."""
    return [line.split(None, 2)[2].removeprefix("! ") for line in r.out.splitlines()]


def numbers_of(data):
    return [int(line.split()[0]) for line in data.splitlines() if re.match(rb"\d{10} ", line)]


def put_time(path, marks):
    """An index that says: up to this size it was there at that time (s since the epoch)."""
    with open(f"{path}.idx", "wb") as f:
        for size, at in marks:
            f.write(struct.pack("<QQ", size, int(at * 1e9)))


# --- which lines


def test_grep(pm):
    say(pm, "alpha 1\nBeta 2\ngamma 30\nbeta (4)\n\xc3\x84rger\n".encode("latin-1"))
    assert words(pm.ok("logs", "--grep", "eta")) == ["Beta 2", "beta (4)"]
    assert words(pm.ok("logs", "--grep", "^beta")) == ["beta (4)"]
    assert words(pm.ok("logs", "--grep", "^beta", "-i")) == ["Beta 2", "beta (4)"]
    assert words(pm.ok("logs", "--grep", "BETA", "--ignore-case", "-n", "1")) == ["beta (4)"]
    assert words(pm.ok("logs", "--grep", "a [0-9]+$|\\(4")) == ["alpha 1", "Beta 2", "gamma 30", "beta (4)"]
    assert words(pm.ok("logs", "--grep", "a", "--invert")) == ["Ärger"]
    assert words(pm.ok("logs", "--grep", "eta", "--invert", "-i", "-n", "2")) == ["gamma 30", "Ärger"]
    assert pm.ok("logs", "--grep", "nothing").out == ""
    utf8 = {"LC_ALL": "C.UTF-8"}
    assert words(pm.ok("logs", "--grep", "^.rger$", env=utf8)) == ["Ärger"]
    assert words(pm.ok("logs", "--grep", "ä", "-i", env=utf8)) == ["Ärger"]
    assert pm.ok("logs", "--grep", "^.rger$", env={"LC_ALL": "C"}).out == ""


MISUSE = [["--grep", "a["], ["--grep", "(a"], ["--grep", "a{2,1}"], ["--grep", "(" * 5000], ["-i"], ["--invert"],
          ["-n", "x"], ["-n", "-1"], ["-n", ""], ["-n", "9" * 20], ["--since", "soon"], ["--until", ""],
          ["--until", "25:00"], ["--since", "10m", "--until", "20m"], ["-f", "--until", "10m"], ["--raw", "--json"]]


def test_misuse_is_said(pm):
    say(pm, "line\n")
    for args in MISUSE:
        r = pm.fails(2, "logs", *args)
        assert r.out == "" and "--" in r.err and len(r.err) < 400, r


def test_since_and_until(pm):
    say(pm, "".join(f"line {i}\n" for i in range(100)))
    path = pm.logdir / "p-0.out.log"
    now = time.time()
    # ten lines a minute, the last ones a minute ago
    put_time(path, [(len("".join(f"line {k}\n" for k in range(10 * i + 10))), now - 60 * (10 - i)) for i in range(10)])

    def some(*args):
        return [int(w.split()[1]) for w in words(pm.ok("logs", *args))]
    assert some("--since", "150s") == list(range(80, 100))
    assert some("--since", "270s", "--until", "150s") == list(range(60, 80))
    assert some("--until", "150s") == list(range(60, 80))
    assert some("--until", "150s", "-n", "3") == [77, 78, 79]
    assert some("--until", "1d") == [] and some("--since", "10s") == []
    assert some("--until", "570s", "--since", "1h") == list(range(10))
    assert some("--since", "1h", "--grep", "5$", "--until", "330s") == [5, 15, 25, 35, 45]
    assert some("--grep", "5$", "--until", "330s", "-n", "2") == [35, 45]
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 330))
    assert some("--until", stamp, "-n", "1") == [49]
    assert len(some("--since", "0001-01-01", "--until", "9999-12-31")) == 100


def test_json_lines(pm):
    say(pm, b'a "quoted" \\ \x1b[31mred\x1b[0m\n\xff\xfe bad\nnul \0 byte\n' + b"x" * 200000 + b"\nno end")
    rows = [json.loads(line) for line in pm.ok("logs", "--json", "-n", "100").out.splitlines()]
    assert [r["seq"] for r in rows] == list(range(1, len(rows) + 1))
    for r in rows:
        assert set(r) == {"v", "seq", "t", "app", "slot", "pid", "stream", "msg"}
        assert (r["app"], r["slot"], r["stream"], r["v"]) == ("p", 0, "out", 1) and r["pid"] > 1
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", r["t"])
    msgs = [r["msg"] for r in rows]
    assert msgs[0] == 'a "quoted" \\ \x1b[31mred\x1b[0m' and "bad" in msgs[1] and msgs[2] == "nul \0 byte"
    assert "".join(msgs[3:-1]) == "x" * 200000 and msgs[-1] == "no end"


def test_over_rotated_and_compressed_files(pm):
    say(pm, "".join(f"{i}\n" for i in range(300)))
    path = pm.logdir / "p-0.out.log"
    path.rename(f"{path}.1")
    os.unlink(f"{path}.idx")
    whole = (pm.logdir / "p-0.out.log.1").read_bytes().split(b"\n")
    start = time.time() - 400
    for number, (a, b) in {3: (0, 100), 2: (100, 200), 1: (200, 300)}.items():
        text = b"".join(line + b"\n" for line in whole[a:b])
        name = f"{path}.{number}"
        if number > 1:
            with gzip.open(f"{name}.gz", "wb") as f:
                f.write(text)
        else:
            with open(name, "wb") as f:
                f.write(text)
        put_time(name, [(len(b"".join(line + b"\n" for line in whole[a:k + 1])), start + k) for k in range(a, b)])
    all_numbers = [str(i) for i in range(300)]
    assert pm.ok("logs", "--raw", "-n", "1000").out.split() == all_numbers
    assert pm.ok("logs", "--raw", "-n", "150").out.split() == all_numbers[150:]
    assert pm.ok("logs", "--raw", "--since", "1h").out.split() == all_numbers
    assert pm.ok("logs", "--raw", "--grep", "^[1-9]?7$").out.split() == [n for n in all_numbers if re.match("[1-9]?7$", n)]
    assert pm.ok("logs", "--raw", "--grep", "^.7$", "--until", "350s", "--since", "1h").out.split() == ["17", "27", "37", "47"]
    # cut: what is whole is shown, and the rest is said to be missing
    zipped = pm.logdir / "p-0.out.log.3.gz"
    zipped.write_bytes(zipped.read_bytes()[:-20])
    r = pm.ok("logs", "--raw", "-n", "1000")
    assert r.out.split()[-200:] == all_numbers[100:] and "damaged" in r.err
    zipped.write_bytes(b"no gzip at all")
    assert pm.ok("logs", "--raw", "-n", "1000").out.split() == all_numbers[100:]
    pm.ok("flush", "p")
    assert not [p for p in pm.logdir.glob("p-0.out.log*") if p.stat().st_size]


def test_a_thousand_rotated_files(pm):
    say(pm, "last\n")
    path = pm.logdir / "p-0.out.log"
    for i in range(1, 1001):
        with open(f"{path}.{i}", "w") as f:
            f.write(f"{1000 - i}\n")
        put_time(f"{path}.{i}", [(len(f"{1000 - i}\n"), time.time() - 10 - i)])
    want = [str(i) for i in range(1000)] + ["last"]
    assert pm.ok("logs", "--raw", "-n", "5000").out.split() == want
    assert pm.ok("logs", "--raw", "--since", "1d").out.split() == want
    assert pm.ok("logs", "--raw", "--grep", "^0$").out.split() == ["0"]


@pytest.mark.parametrize("index", ["none", "garbage", "short", "of another file", "clock set back"])
def test_a_bad_index_costs_times_only(pm, index):
    say(pm, "".join(f"line {i}\n" for i in range(1000)))
    path = pm.logdir / "p-0.out.log"
    idx = pm.logdir / "p-0.out.log.idx"
    if index == "none":
        idx.unlink()
    elif index == "garbage":
        idx.write_bytes(os.urandom(1000))
    elif index == "short":
        idx.write_bytes(idx.read_bytes()[:7])
    elif index == "of another file":
        put_time(path, [(10**12 + i, time.time()) for i in range(100)])
    else:
        put_time(path, [(i * 80, time.time() - (i * 7919) % 1000) for i in range(1, 120)])
    want = [f"line {i}" for i in range(1000)]
    assert pm.ok("logs", "--raw", "-n", "1000").out.splitlines() == want
    assert pm.ok("logs", "--raw", "-n", "1000", "--grep", "7").out.splitlines() == [w for w in want if "7" in w]
    assert pm.ok("logs", "-n", "5").out.count("line") == 5
    pm.ok("logs", "--since", "500s", "--until", "100s")


def test_a_file_that_cannot_be_read_is_said(pm):
    say(pm, "line\n")
    path = pm.logdir / "p-0.out.log"
    path.unlink()
    path.mkdir()
    r = pm.fails(1, "logs")
    assert "p-0.out.log is not a regular file" in r.err
    path.rmdir()
    path.symlink_to(path)
    assert "p-0.out.log" in pm.fails(1, "logs").err
    path.unlink()
    assert pm.ok("logs").out == ""


def test_nothing_of_an_app_controls_the_terminal(pm):
    say(pm, b"\x1b]0;title\x07 \x1b[2J \x9b1m \x1b[31mred\x1b[0m \xe2\x80\xae \r\b\x00\x7f end\n")
    out = pm.ok("logs", "--color=always").out
    assert "\x1b[31mred" in out
    assert not re.search(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u202e]", out)
    assert not re.search(r"\x1b(?!\[[0-9;]*m)", out)


# --- followers


def test_a_reader_that_does_not_read_slows_nobody_and_is_told(pm):
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 0 -b\nlog_max_size = 256K\nlog_keep = 2\n")
    p = pm.popen("logs", "-f", "--raw", "p")
    fcntl.fcntl(p.stdout, fcntl.F_SETPIPE_SZ, 4096)
    wait_for(lambda: (pm.logdir / "p-0.out.log.2").exists(), 20, "rotations")
    first = os.stat(pm.logdir / "p-0.out.log.2").st_ino
    inodes = set()

    def rotations():
        try:
            inodes.add(os.stat(pm.logdir / "p-0.out.log").st_ino)
        except FileNotFoundError:
            pass  # between two of its renames
        return len(inodes) > 8

    # Stuck: it reads nothing, and the app goes on over many rotations.
    wait_for(rotations, 30, "more rotations")
    assert first and pm.app("p")["restarts"] == 0
    os.set_blocking(p.stderr.fileno(), False)
    said = b""
    end = time.monotonic() + 30
    while b"missing" not in said and time.monotonic() < end:
        p.stdout.readline()
        said += p.stderr.read() or b""
    assert re.search(rb"p:0: \d+ bytes are missing here", said), said
    pm.ok("stop", "p")
    p.kill()


def test_a_slow_reader_is_told_how_much_it_missed(pm):
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 0 -b\nlog_max_size = 256K\nlog_keep = 2\n")
    p = pm.popen("logs", "-f", "--raw", "-n", "0", "p")
    fcntl.fcntl(p.stdout, fcntl.F_SETPIPE_SZ, 4096)
    seen, lines = [int(p.stdout.readline().split()[0])], queue.Queue()
    old = pm.logdir / "p-0.out.log.2"

    def is_far():
        try:
            return max(numbers_of(old.read_bytes()[:1000])) > seen[0] + 200000
        except FileNotFoundError:
            return False  # not yet, or between two renames
    wait_for(is_far, 30, "20 MB, while it reads nothing")
    pm.ok("stop", "p")
    threading.Thread(target=lambda: [lines.put(line) for line in p.stdout], daemon=True).start()
    last = numbers_of(pm.log("p") or (pm.logdir / "p-0.out.log.1").read_bytes())[-1]
    while seen[-1] != last:
        seen.append(int(lines.get(timeout=20 * SLOW).split()[0]))
    p.send_signal(signal.SIGINT)
    said = p.stderr.read().decode()
    told = [int(n) for n in re.findall(r"p:0: (\d+) bytes? (?:is|are) missing here: rotated away unread", said)]
    missing = last - seen[0] + 1 - len(seen)
    # a file whose lines come too fast is cut within one, so that pieces stand at both ends of what is missing
    # and it may have missed some before the first line that it printed.
    sums = [sum(told[k:]) for k in range(len(told))]
    assert missing > 0 and any(abs(n - 100 * missing) <= 200 * len(told) for n in sums), (told, missing, said)


@pytest.mark.parametrize("what", ["remove", "rename", "truncate"])
def test_followers_go_on_with_a_new_file(pm, what):
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 0 -r 200\n")
    path = pm.logdir / "p-0.out.log"
    wait_for(lambda: path.exists() and path.stat().st_size > 500, 10, "lines")
    p = pm.popen("logs", "-f", "--raw", "-n", "0", "p")
    seen = [int(p.stdout.readline().split()[0]) for _ in range(5)]
    for _ in range(2):
        old = path.stat().st_ino
        if what == "remove":
            path.unlink()
        elif what == "rename":
            path.rename(pm.dir / "taken")
        else:
            os.truncate(path, 0)
        wait_for(lambda: path.exists() and (path.stat().st_ino != old or what == "truncate") and path.stat().st_size > 300, 20,
                 "a new file")
        # The first one that is new may be in the middle of what the file was cut at.
        goal = int(path.read_bytes().splitlines()[1].split()[0])
        while not seen or seen[-1] < goal:
            seen.append(int(p.stdout.readline().split()[0]))
    assert seen == sorted(set(seen)), "a line twice"
    if what == "rename":
        assert seen == list(range(seen[0], seen[-1] + 1))
    p.kill()


# --- formats


def payload(fmt, line):
    return json.loads(line)["msg"] if fmt == "json" else line.split(" ", 1)[1]


def all_lines(pm, app="p"):
    base = pm.logdir / f"{app}-0.out.log"
    files = sorted((p for p in pm.logdir.glob(base.name + ".*") if p.suffix[1:].isdigit()), key=lambda p: -int(p.suffix[1:]))
    return b"".join(p.read_bytes() for p in files + [base] if p.exists()).decode().splitlines()


@pytest.mark.parametrize("fmt", ["time", "json"])
def test_a_killed_supervisor_loses_and_doubles_no_rewritten_line(pm, fmt):
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 60000 -b -k -r 20000\nlog_format = {fmt}\nlog_max_size = 1M\nlog_keep = 90\n")
    for kill in range(5):
        pid = pm.daemon()["pid"]
        wait_for(lambda: len(all_lines(pm)) > 2000 * (kill + 1), 30, "some lines")
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: pm.ctl("ping").rc == 0 and pm.daemon()["pid"] != pid, 20, "the next supervisor")
    wait_for(lambda: all_lines(pm) and " 0000060000 " in " " + payload(fmt, all_lines(pm)[-1]).join("  "), 60, "the last line")
    got = [int(payload(fmt, line).split()[0]) for line in all_lines(pm)]
    assert got == list(range(1, 60001))


def test_an_unfinished_line_survives_the_supervisor(pm):
    (pm.dir / "slow.sh").write_text("printf 'begun '\n: > one\nwhile [ ! -e go ]; do sleep 0.05; done\necho ended\nexec sleep 1000000\n")
    pm.up("[app:p]\nscript = slow.sh\nlog_format = json\nready = spawn\n")
    wait_for((pm.dir / "one").exists, 10, "the beginning")
    pid = pm.daemon()["pid"]
    pm.ok("ping")
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: pm.ctl("ping").rc == 0 and pm.daemon()["pid"] != pid, 20, "the next supervisor")
    (pm.dir / "go").touch()
    pm.wait_log("p", "ended")
    rows = [json.loads(line) for line in pm.log("p").splitlines()]
    assert [r["msg"] for r in rows] == ["begun ended"]


@pytest.mark.parametrize("fmt", ["time", "json"])
def test_bytes_of_any_kind_are_rewritten(pm, fmt):
    long = b"y" * (1 << 20)
    say(pm, b"one\r\n\n\xff\xfe\x80\nnul\0byte\n" + long + b"\nno end", more=f"log_format = {fmt}\n")
    lines = pm.log("p").split(b"\n")
    assert lines.pop() == b""
    if fmt == "json":
        rows = [json.loads(line) for line in lines]
        assert {(r["app"], r["slot"], r["stream"]) for r in rows} == {("p", 0, "out")}
        msgs = [r["msg"] for r in rows]
        assert msgs[0] == "one\r" and msgs[1] == "" and msgs[3] == "nul\0byte"
    else:
        assert all(re.match(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ", line) for line in lines)
        msgs = [line.split(b" ", 1)[1] for line in lines]
        assert msgs[:4] == [b"one\r", b"", b"\xff\xfe\x80", b"nul\0byte"]
    assert sum(len(m) for m in msgs[4:-1]) == len(long) and len(msgs[-1]) == len("no end")
    pm.ok("logs", "--json", "-n", "100")


# --- flush and rotate


def test_flush_removes_what_was_rotated(pm):
    pm.up("[app:p]\ncommand = sh -c 'seq 1 3000; exec sleep 1000000'\nready = spawn\nlog_max_size = 4K\nlog_compress = gzip\nlog_keep = 50\n")
    wait_for(lambda: list(pm.logdir.glob("p-0.out.log.*.gz")) and not list(pm.logdir.glob("p-0.out.log.[0-9]")), 20, "compressed files")
    pm.ok("flush")
    left = sorted(p.name for p in pm.logdir.glob("p-0.*") if p.stat().st_size)
    assert left == [] and pm.ok("logs").out == ""
    assert pm.fails(4, "flush", "nobody").err and pm.fails(4, "rotate", "nobody").err
