# SPDX-License-Identifier: MIT
"""Log files: rotations while an earlier one is being compressed, lines with a stamp of ours."""
import gzip
import json
import os
import re
import signal

import pytest

from conftest import alive, all_pids, read_proc, wait_for

SIZE = 40_000_000


def gzips(pm):
    """The pids of what compresses files of this test."""
    lines = {pid: read_proc(pid, "cmdline") for pid in all_pids()}
    return [pid for pid, line in lines.items() if line.startswith(b"gzip\0") and str(pm.logdir).encode() in line]


def hold_gzip(pm, text):
    """An app of which a rotated file is being compressed, and is not done. The pid of the gzip."""
    big = pm.dir / "big"
    with open(big, "wb") as f:  # nothing gzip is quick with
        f.write(os.urandom(SIZE))
    pm.up(f"[app:p]\ncommand = sh -c 'echo {text}; exec sleep 1000000'\nready = spawn\nlog_compress = gzip\n")
    pm.wait_log("p", text)
    os.rename(big, pm.logdir / "p-0.out.log")
    pm.ok("rotate", "p")
    return wait_for(lambda: gzips(pm), 5, "a gzip")[0]


def rotated(pm):
    return sorted(p.name.removeprefix("p-0.out.log.") for p in pm.logdir.glob("p-0.out.log.*") if p.suffix != ".idx")


def test_rotate_while_gzip_works(pm):
    """It is ended, and what it had begun is compressed after the rotation."""
    pid = hold_gzip(pm, "first")
    (pm.logdir / "p-0.out.log").write_bytes(b"second\n")
    pm.ok("rotate", "p")
    assert not alive(pid)
    wait_for(lambda: rotated(pm) == ["1.gz", "2.gz"], 40, "both compressed")
    assert gzip.open(pm.logdir / "p-0.out.log.1.gz").read() == b"second\n"
    assert len(gzip.open(pm.logdir / "p-0.out.log.2.gz").read()) == SIZE


def test_rotate_while_a_gzip_of_an_earlier_supervisor_works(pm):
    """Nobody knows its pid, but that it works: nothing is renamed under its hands, and this is said."""
    pid = hold_gzip(pm, "first")
    os.kill(pid, signal.SIGSTOP)
    old = pm.daemon()["pid"]
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: pm.ctl("list", "--json").rc == 0 and pm.daemon()["pid"] != old, 10, "the next supervisor")
    (pm.logdir / "p-0.out.log").write_bytes(b"second\n")
    assert "p-0.out.log.1 is still being compressed; fix: " in pm.fails(1, "rotate", "p").err
    assert pm.log("p") == b"second\n"
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not alive(pid), 5, "its end")
    pm.ok("rotate", "p")
    wait_for(lambda: rotated(pm) == ["1.gz", "2.gz"], 40, "both compressed")


STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


@pytest.mark.parametrize("form", ["time", "json"])
def test_one_stamp_is_shown(pm, form):
    """The one that was written with the line; --raw shows the file. What an app stamps itself stays."""
    pm.up(f"""
    [app:p]
    command = sh -c 'echo "a \\"b\\""; echo 2026-11-22T14:03:01.118Z own; exec sleep 1000000'
    log_format = {form}
    ready = spawn
    [app:q]
    command = sh -c 'echo 2026-11-22T14:03:01.118Z own; exec sleep 1000000'
    ready = spawn
    """)
    pm.wait_log("p", "own")
    pm.wait_log("q", "own")
    lines = pm.ok("logs", "p").out.splitlines()
    assert [line.split(None, 2)[2] for line in lines] == ['a "b"', "2026-11-22T14:03:01.118Z own"]
    assert pm.ok("logs", "--raw", "p").out.encode() == pm.log("p")
    rows = [json.loads(line) for line in pm.ok("logs", "--json", "p").out.splitlines()]
    assert [r["msg"] for r in rows] == ['a "b"', "2026-11-22T14:03:01.118Z own"]
    written = [re.search(STAMP, line).group() for line in pm.log("p").decode().splitlines()]
    assert [r["t"] for r in rows] == written
    assert {r["pid"] for r in rows} == set(pm.pids("p"))
    assert pm.ok("logs", "q").out.split(None, 2)[2] == "2026-11-22T14:03:01.118Z own\n"
