# SPDX-License-Identifier: MIT
"""Every byte in the file as it was written; shown merged by time."""
import gzip
import json
import os
import re
import resource
import shutil
import subprocess
import time

import pytest

from conftest import ASAN, SLOW, app_path, wait_for


def numbers(data):
    """The sequence numbers of printer's lines; a torn or wrong line fails."""
    found = []
    for line in data.split(b"\n")[:-1]:
        m = re.fullmatch(rb"(\d{10}) ([0-9a-f]{8}) x*", line)
        assert m and int(m[2], 16) == int(m[1]) * 2654435761 & 0xffffffff, line
        found.append(int(m[1]))
    assert data.endswith(b"\n")
    return found


def files_of(pm, app, stream="out", slot=0):
    """All bytes of a stream, oldest file first."""
    base = pm.logdir / f"{app}-{slot}.{stream}.log"
    rotated = sorted((p for p in pm.logdir.glob(base.name + ".*") if p.suffix[1:].isdigit()),
                     key=lambda p: -int(p.suffix[1:]))
    return rotated + [base]


def has_last(pm, text):
    """Whether the text is in the file or in the one rotated last; a rotation may come in between."""
    base = pm.logdir / "p-0.out.log"
    for path in (base, base.with_name(base.name + ".1")):
        try:
            if text in path.read_bytes():
                return True
        except FileNotFoundError:
            pass
    return False


def test_exact_bytes(pm):
    data = os.urandom(300000) + b"\0\xff\xfe\x1b[31m\r\n" + bytes(range(256)) * 10
    (pm.dir / "data").write_bytes(data)
    pm.up("[app:p]\ncommand = sh -c 'cat data; cat data >&2; sleep 1000000'\nlog_max_size = 0\n")
    wait_for(lambda: len(pm.log("p")) >= len(data) and len(pm.log("p", 0, "err")) >= len(data), 10, "all bytes")
    assert pm.log("p") == data and pm.log("p", 0, "err") == data
    pm.ok("logs", "p")


def test_last_words_are_there_before_the_exit_is_reported(pm):
    pm.up(f"[app:p]\ncommand = sh -c 'sleep 0.3; {app_path('printer')} 5000 -b; echo last; exit 3'\nautorestart = never\n")
    pm.rpc("wait", {"sel": ["p"], "for": "stopped"})
    data = pm.log("p")
    assert data.endswith(b"\nlast\n") and numbers(data[:-5]) == list(range(1, 5001))


def test_rotation_loses_nothing(pm):
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 20000 -b -k -r 20000\nlog_max_size = 64K\nlog_keep = 40\n")
    wait_for(lambda: has_last(pm, b"0000020000 "), 20, "the last line")
    files = files_of(pm, "p")
    assert len(files) > 3
    assert numbers(b"".join(p.read_bytes() for p in files)) == list(range(1, 20001))


def test_only_so_many_are_kept(pm):
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 20000 -b -k -r 20000\nlog_max_size = 64K\nlog_keep = 3\n")
    wait_for(lambda: has_last(pm, b"0000020000 "), 20, "the last line")
    files = files_of(pm, "p")
    assert len(files) == 4
    seen = numbers(b"".join(p.read_bytes() for p in files).split(b"\n", 1)[1])
    assert seen == list(range(seen[0], 20001))


def test_keep_zero_and_own_paths(pm):
    pm.up(f"""
    [app:p]
    command = {app_path('printer')} 100 -e -k
    log_out = {pm.dir}/both.log
    log_err = {pm.dir}/both.log
    [app:q]
    command = {app_path('printer')} 100 -e -k
    log_out = none
    """)
    both = pm.dir / "both.log"
    wait_for(lambda: both.exists() and len(both.read_bytes()) == 20000, 5, "both streams in one file")
    assert sorted(numbers(both.read_bytes())) == sorted(list(range(1, 101)) * 2)
    wait_for(lambda: len(pm.log("q", 0, "err")) == 10000, 5, "err of q")
    assert not (pm.logdir / "q-0.out.log").exists()


def test_rotate_command(pm):
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 100 -k\n")
    wait_for(lambda: len(pm.log("p")) == 10000, 5, "100 lines")
    pm.ok("rotate", "p")
    assert pm.log("p") == b"" and len((pm.logdir / "p-0.out.log.1").read_bytes()) == 10000
    assert "0000000100" in pm.ok("logs", "p").out


@pytest.mark.parametrize("what", ["remove", "rename"])
def test_a_log_file_taken_away_is_made_anew(pm, what):
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 0 -r 200\n")
    path = pm.logdir / "p-0.out.log"
    wait_for(lambda: path.exists() and path.stat().st_size > 500, 5, "lines")
    if what == "remove":
        path.unlink()
    else:
        path.rename(pm.dir / "taken.log")
    wait_for(lambda: path.exists() and path.stat().st_size > 500, 15, "a new file")
    assert pm.app("p")["restarts"] == 0
    if what == "rename":
        seen = numbers((pm.dir / "taken.log").read_bytes() + path.read_bytes())
        assert seen == list(range(1, len(seen) + 1))


@pytest.mark.parametrize("what", ["directory", "link", "no permission"])
def test_something_else_in_place_of_a_log_file(pm, what):
    """It is not written to, what is dropped is counted, and all goes on once it is gone. A mode is nothing to an open file."""
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 0 -r 200\n")
    path = pm.logdir / "p-0.out.log"
    wait_for(lambda: len(pm.log("p")) > 500, 5, "lines")
    if what == "no permission":
        path.chmod(0)
        size = path.stat().st_size
        wait_for(lambda: path.stat().st_size > size + 500, 10, "more lines")
        path.chmod(0o640)  # so that we may read it again
    else:
        path.unlink()
        {"directory": os.mkdir, "link": lambda p: os.symlink("/dev/null", p)}[what](path)
        wait_for(lambda: any("dropped" in w for w in pm.rpc("status")["warnings"]), 15, "the counter")
        path.rmdir() if what == "directory" else path.unlink()
        wait_for(lambda: path.exists() and b"bytes dropped" in pm.log("p"), 10, "a file with a mark")
    assert pm.app("p")["restarts"] == 0 and pm.ok("logs", "p").out


# --- pmctl logs

def test_merged_by_time_with_prefix(pm):
    # Writers take turns through a file, so the order is known.
    (pm.dir / "turn.sh").write_text(
        'me=$((PMCTL_SLOT + ${BASE:-0})); i=0\n'
        'while [ $i -lt 5 ]; do\n'
        '  while [ "$(cat turn 2>/dev/null || echo 0)" != $((i * 3 + me)) ]; do sleep 0.01; done\n'
        '  echo "line $((i * 3 + me))"; sleep 0.03; echo $((i * 3 + me + 1)) > turn.$me; mv turn.$me turn\n'
        '  i=$((i + 1))\ndone\nexec sleep 1000000\n')
    pm.up("[app:a]\nscript = turn.sh\ninstances = 2\n[app:longer]\nscript = turn.sh\nenv.BASE = 2\n")
    wait_for(lambda: (pm.dir / "turn").exists() and (pm.dir / "turn").read_text() == "15\n", 20, "15 turns")
    lines = pm.ok("logs").out.splitlines()
    assert [line.split("line ")[1] for line in lines] == [str(n) for n in range(15)]
    assert re.match(r"\d\d:\d\d:\d\d\.\d{3} a:0 +line 0$", lines[0])
    assert re.match(r"\d\d:\d\d:\d\d\.\d{3} longer:0 +line 2$", lines[2])
    assert [line.split("line ")[1] for line in pm.ok("logs", "-n", "4").out.splitlines()] == ["11", "12", "13", "14"]
    assert [line.split("line ")[1] for line in pm.ok("logs", "a:1", "-n", "2").out.splitlines()] == ["10", "13"]
    one = [json.loads(line) for line in pm.ok("logs", "--json", "-n", "15").out.splitlines()]
    assert [e["msg"] for e in one] == [f"line {n}" for n in range(15)]
    assert set(one[0]) == {"v", "seq", "t", "app", "slot", "pid", "stream", "msg"}
    assert one[0]["pid"] == pm.pids("a")[0] and one[0]["stream"] == "out"
    assert [e["t"] for e in one] == sorted(e["t"] for e in one)


def test_default_is_twenty_lines(pm):
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 100 -k\n")
    wait_for(lambda: len(pm.log("p")) == 10000, 5, "100 lines")
    assert len(pm.ok("logs").out.splitlines()) == 20
    assert len(pm.ok("logs", "-n", "1000").out.splitlines()) == 100
    assert len(pm.ok("logs", "-n", "0").out.splitlines()) == 0


def test_err_and_out(pm):
    pm.up("[app:p]\ncommand = sh -c 'echo one; echo two >&2; sleep 1000000'\n")
    pm.wait_log("p", "two\n", stream="err")
    pm.wait_log("p", "one\n")
    out, err, both = pm.ok("logs", "--out").out, pm.ok("logs", "--err").out, pm.ok("logs").out
    assert "one" in out and "two" not in out
    assert "two" in err and "one" not in err
    assert "one" in both and re.search(r"p:0 +! two", both)
    assert pm.ok("logs", "--raw", "--out").out == "one\n"


def test_follow(pm):
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 0 -r 50\n")
    follow = pm.popen("logs", "-f", "-n", "0", "--raw", "p")
    lines = [follow.stdout.readline() for _ in range(20)]
    first = int(lines[0].split()[0])
    assert [int(line.split()[0]) for line in lines] == list(range(first, first + 20))
    pm.ok("restart", "p")  # a follower goes on with the next process
    wait_for(lambda: follow.stdout.readline().startswith(b"0000000001 "), 10, "the new process")
    follow.terminate()


def test_follow_over_rotation(pm):
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 6000 -k -r 3000\nlog_max_size = 64K\nlog_keep = 50\n")
    follow = pm.popen("logs", "-f", "-n", "100000", "--raw", "p")
    seen = []
    while not seen or seen[-1] != 6000:
        seen.append(int(follow.stdout.readline().split()[0]))
    assert seen == list(range(1, 6001))
    follow.terminate()


def test_follow_does_not_start_a_daemon_and_notes_its_end(pm):
    pm.fails(5, "logs", "-f")


def test_line_without_newline_and_long_lines(pm):
    pm.up("[app:p]\ncommand = sh -c 'head -c 200000 /dev/zero | tr \"\\\\0\" y; echo; printf end; sleep 1000000'\n")
    pm.wait_log("p", "end")
    assert pm.log("p") == b"y" * 200000 + b"\nend"
    out = pm.ok("logs", "p").out
    assert "end" in out and out.count("y") == 200000


def test_flood_leaves_others_alone(pm):
    pm.up(f"""
    [app:flood]
    command = {app_path('printer')} 0 -b
    log_max_size = 1M
    log_keep = 1
    [app:calm]
    command = {app_path('printer')} 0 -r 100
    """)
    d = pm.daemon()
    wait_for(lambda: (pm.logdir / "flood-0.out.log.1").exists(), 20, "rotation")
    begin = time.monotonic()
    pm.ok("ping")
    assert time.monotonic() - begin < 1 * SLOW
    seen = len(pm.log("calm"))
    wait_for(lambda: len(pm.log("calm")) > seen + 2000, 10, "20 more lines of the calm one")
    if not ASAN:
        rss = int(re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{d['pid']}/status").read())[1])
        assert rss < 20000
    pm.ok("stop", "flood")


def test_closed_stdout_is_no_busy_loop(pm):
    pm.up("[app:p]\ncommand = sh -c 'exec >&- 2>&-; exec sleep 1000000'\nready = spawn\n")
    pid = pm.daemon()["pid"]

    def ticks():
        return sum(map(int, open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[11:13]))
    before, asked = ticks(), 0
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        pm.ok("ping")
        asked += 1
    assert pm.state("p") == "online"
    assert ticks() - before < 25 * SLOW, f"{ticks() - before} ticks for {asked} pings"


def test_shared_nonblocking_stdout(pm):
    pm.up("""
    [app:p]
    command = /usr/bin/python3 -c 'import os,time; os.set_blocking(1, False); time.sleep(1e6)'
    log_out = %s/both.log
    [app:q]
    command = sh -c 'i=0; while [ $i -lt 500 ]; do echo line $i || exit 1; i=$((i+1)); done; sleep 1000000'
    """ % pm.dir)
    pm.wait_log("q", "line 499\n")
    assert pm.app("q")["restarts"] == 0


def test_json_and_time_formats_keep_every_line(pm):
    pm.up(f"""
    [app:t]
    command = {app_path('printer')} 3000 -b -k
    log_format = time
    [app:j]
    command = {app_path('printer')} 3000 -b -k
    log_format = json
    """)
    wait_for(lambda: b"0000003000 " in pm.log("t") and b"0000003000 " in pm.log("j"), 15, "all lines")
    lines = pm.log("t").decode().splitlines()
    assert numbers("".join(line.split(" ", 1)[1] + "\n" for line in lines).encode()) == list(range(1, 3001))
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", lines[0])
    msgs = [json.loads(line)["msg"] for line in pm.log("j").splitlines()]
    assert [int(m.split()[0]) for m in msgs] == list(range(1, 3001))


def test_full_disk_is_survived(pm):
    # RLIMIT_FSIZE of the daemon stands for it: writes beyond it fail with EFBIG.
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 0 -r 500\nlog_max_size = 0\n")
    d = pm.daemon()
    size = len(pm.log("p")) + 20000
    resource.prlimit(d["pid"], resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
    wait_for(lambda: len(pm.log("p")) >= size - 4096, 10, "the limit")
    before = pm.daemon()["pid"]
    for _ in range(20):
        pm.ok("ping")
    resource.prlimit(d["pid"], resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    wait_for(lambda: len(pm.log("p")) > size + 20000, 15, "more lines once there is room")
    assert pm.daemon()["pid"] == before == d["pid"] and pm.app("p")["restarts"] == 0


def test_compressed_files_lose_and_double_nothing(pm):
    pm.up(f"[app:p]\ncommand = {app_path('printer')} 150000 -b -k\nlog_max_size = 256K\nlog_keep = 100\nlog_compress = yes\n")
    wait_for(lambda: has_last(pm, b"0000150000 ") or any(b"0000150000 " in gzip.open(p).read() for p in zipped(pm)), 40,
             "the last line")
    wait_for(lambda: not [p for p in files_of(pm, "p")[:-1]], 20, "all compressed")
    data = b"".join(gzip.open(p).read() for p in zipped(pm)) + pm.log("p")
    assert numbers(data) == list(range(1, 150001))


def zipped(pm):
    """Compressed files, oldest first."""
    return sorted(pm.logdir.glob("p-0.out.log.*.gz"), key=lambda p: -int(p.name.split(".")[-2]))


def test_a_log_that_somebody_empties_has_no_hole(pm):
    pm.up("[app:p]\ncommand = sh -c 'while :; do echo line; sleep 0.01; done'\nready = spawn\n")
    path = pm.logdir / "p-0.out.log"
    wait_for(lambda: len(pm.log("p")) > 100, 10, "lines")
    os.truncate(path, 0)
    wait_for(lambda: len(pm.log("p")) > 50, 10, "new lines")
    assert b"\0" not in pm.log("p") and set(pm.log("p").split(b"\n")) <= {b"line", b""}


def test_one_file_for_both_keeps_the_order(pm):
    pm.up("[app:p]\ncommand = sh -c 'for i in 1 2 3 4 5; do echo o$i; echo e$i >&2; done'\nlog_out = both.log\n"
          "log_err = both.log\nautorestart = never\nready = spawn\n")
    wait_for(lambda: b"e5" in (pm.dir / "both.log").read_bytes(), 10, "the last line")
    assert (pm.dir / "both.log").read_text().split() == [f"{s}{i}" for i in range(1, 6) for s in "oe"]
    assert [line.split()[-1] for line in pm.ok("logs", "p").out.splitlines()][-10:] == \
        [f"{s}{i}" for i in range(1, 6) for s in "oe"]


def test_compressed_files_are_shown_too(pm):
    pm.up("[app:p]\ncommand = sh -c 'seq 1 5000; sleep 1000000'\nready = spawn\nlog_max_size = 4K\nlog_compress = yes\nlog_keep = 100\n")
    wait_for(lambda: b"5000\n" in pm.log("p") or zipped(pm), 10, "the lines")
    wait_for(lambda: pm.ok("logs", "p", "--raw", "-n", "100000").out.split() == [str(i) for i in range(1, 5001)], 20,
             "all lines")


def test_no_color_holds_for_the_lines_too(pm):
    pm.up("[app:e]\ncommand = printf 'a\\033[31mred\\n'\nautorestart = never\nready = spawn\n")
    pm.wait_log("e", b"red")
    assert "\x1b[31m" in pm.ok("logs", "e").out
    assert "ared" in pm.ok("logs", "e", "--color=never").out
    assert "ared" in pm.ok("logs", "e", env={"NO_COLOR": "1"}).out


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root reads everything")
def test_a_file_that_may_not_be_read_is_no_silent_app(pm):
    pm.up("[app:p]\ncommand = sh -c 'echo out; echo err >&2; exec sleep 1000'\nready = spawn\n")
    pm.wait_log("p", "out")
    pm.wait_log("p", "err", stream="err")
    assert pm.ok("logs", "p").err == ""
    path = pm.logdir / "p-0.err.log"
    path.chmod(0)
    less = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    p = subprocess.run([*less, pm.pmctl, "logs", "p"], env=pm.env(), capture_output=True, text=True, timeout=30 * SLOW)
    assert p.returncode == 6 and p.stdout.endswith("out\n") and "| err" not in p.stdout
    assert p.stderr == f"pmctl: read log file {path}: Permission denied\n"
    path.chmod(0o640)
