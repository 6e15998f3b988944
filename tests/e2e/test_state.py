# SPDX-License-Identifier: MIT
"""What is on disk may be damaged, replaced, or of another boot: nobody is signalled, nothing is started twice, nothing is fatal."""
import os
import shutil
import signal
import socket
import struct
import subprocess

import pytest

from conftest import alive, app_path, read_proc, stat_of, wait_for
from test_survival import TWO, in_command, kill_supervisor, state_file

root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
# struct header and struct runtab_rec of src/sys/runtab.h
BOOT_AT, RECORDS_AT, APP_AT, SLOT_AT, PID_AT, START_AT = 16, 4096, 16, 64, 68, 72

LINES = f"""
[app:lines]
command = {app_path('printer')} 0 -r 500
ready = spawn
"""


def table(pm):
    return pm.home / "state" / "instances"


def records(data):
    """(offset, app, slot, pid) of the records in use."""
    size = struct.unpack_from("<I", data, 12)[0]
    for at in range(RECORDS_AT, len(data) - size + 1, size):
        if struct.unpack_from("<I", data, at)[0]:
            app = data[at + APP_AT:at + APP_AT + 48].split(b"\0")[0].decode()
            yield at, app, *struct.unpack_from("<ii", data, at + SLOT_AT)


def both(pm):
    return pm.pids("web") + pm.pids("other")


def running(pm, name):
    """Processes of that app, whoever knows them."""
    return [int(pid) for pid in os.listdir("/proc") if pid.isdigit()
            and f"PMCTL_APP={name}\0".encode() in read_proc(pid, "environ") and alive(int(pid))
            and os.readlink(f"/proc/{pid}/cwd").startswith(str(pm.dir))]


def needs_cgroup(pm):
    if pm.rpc("status")["cgroup"].startswith("none"):
        pytest.skip("no cgroups here")


@pytest.fixture
def decoy():
    """A process of nobody's, with its start time."""
    p = subprocess.Popen(["sleep", "1000"])
    yield p.pid, stat_of(p.pid)[2]
    still = p.poll()
    p.kill()
    p.wait()
    assert still is None, "somebody else's process was signalled"


# --- the state file

def zeros(path):
    with open(path, "wb") as f:
        f.truncate(100 << 20)


def foreign(path):
    path.write_bytes(b"pmctl-state")
    os.chown(path, 12345, -1)


@pytest.mark.parametrize("make", [zeros, os.mkfifo, os.mkdir, lambda p: os.symlink("state.prev", p),
                                  pytest.param(foreign, marks=root)],
                         ids=["100 MB of zeros", "fifo", "directory", "symlink", "wrong owner"])
def test_something_else_in_place_of_the_state_file(pm, make):
    pm.up(TWO)
    pm.ok("stop", "other")  # a second save: the first one is the previous
    pm.ok("daemon", "stop")
    path = state_file(pm)
    path.unlink()
    make(path)
    pm.ok("daemon", "start", timeout=10)
    wait_for(lambda: pm.state("web") == "online", 10, "the app of the previous state")
    assert list(path.parent.glob("state.corrupt-*"))
    assert "corrupt" in pm.ok("daemon", "status").out
    pm.ok("start", "other")  # and saving works
    assert path.is_file() and not path.is_symlink()


def test_a_damaged_state_under_a_running_daemon_costs_no_app(pm):
    """Both copies are gone when the supervisor is killed: what runs is left alone, and comes back with the file."""
    pm.up(TWO)
    before = pm.pids("web") + pm.pids("other")
    good = state_file(pm).read_bytes()
    for name in ("state", "state.prev"):
        state_file(pm).with_name(name).write_bytes(b"nonsense")
    kill_supervisor(pm)
    assert pm.list()["apps"] == [] and all(alive(pid) for pid in before)
    state_file(pm).write_bytes(good)
    kill_supervisor(pm)
    assert pm.pids("web") + pm.pids("other") == before


def test_the_ports_of_what_is_left_alone(pm, port):
    """An app that nobody knows any more still serves; taken up again it is reloaded, and its port is given back."""
    pm.up(f"[app:e]\ncommand = {app_path('echo')}\nlisten = 127.0.0.1:{port}\n")
    serves = lambda: socket.create_connection(("127.0.0.1", port), 5).close() or True
    old = pm.pids("e")
    for name in ("state", "state.prev"):
        state_file(pm).with_name(name).write_bytes(b"nonsense")
    kill_supervisor(pm)
    assert pm.list()["apps"] == [] and serves()
    kill_supervisor(pm)
    assert serves()
    assert "already running" in pm.ok("start").out and pm.pids("e") == old and serves()
    pm.ok("reload", "e")
    assert pm.pids("e") != old and serves()
    pm.ok("delete", "e")
    with pytest.raises(ConnectionRefusedError):
        serves()


# --- the run table

def truncate_table(path):
    os.truncate(path, 5000)


def spoil_table(path):
    data = bytearray(path.read_bytes())
    data[8] ^= 0xff
    path.write_bytes(data)


def replace_table(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [os.unlink, spoil_table, replace_table, truncate_table],
                         ids=["removed", "another version", "directory", "cut"])
def test_without_the_run_table_nothing_is_started_twice(pm, damage):
    pm.up(TWO + LINES)
    before = both(pm) + pm.pids("lines")
    ids = [p["id"] for p in pm.procs("web")]
    os.kill(pm.pids("lines")[0], signal.SIGKILL)  # not its first run
    before[3] = pm.wait_replaced("lines", 0, before[3])["pid"]
    damage(table(pm))
    kill_supervisor(pm)
    wait_for(lambda: pm.state("web") == pm.state("other") == "online", 10, "both online")
    assert both(pm) + pm.pids("lines") == before and [p["id"] for p in pm.procs("web")] == ids
    assert sorted(running(pm, "web")) == sorted(pm.pids("web")) and running(pm, "other") == pm.pids("other")
    # In command of all: lines, exits and stops.
    size = len(pm.log("lines"))
    wait_for(lambda: len(pm.log("lines")) > size + 1000, 10, "more lines")
    in_command(pm, before)


def test_both_killed_and_no_run_table(pm):
    """The apps are nobody's children any more; their cgroup still says whose they are."""
    pm.up(TWO)
    needs_cgroup(pm)
    before = both(pm)
    pm.kill_both()
    spoil_table(table(pm))
    pm.ok("daemon", "start")
    wait_for(lambda: pm.state("web") == pm.state("other") == "online", 10, "both online")
    assert both(pm) == before


def test_a_successor_without_the_run_table(pm):
    """Two of one slot, in the middle of a reload: the one that was there first stays, the other one ends."""
    pm.up("[app:r]\ncommand = sleep 1000000\nmin_uptime = 1s\n")
    needs_cgroup(pm)
    old = pm.pids("r")
    pm.ok("reload", "r", "--no-wait")
    wait_for(lambda: len(running(pm, "r")) == 2, 5, "the successor")
    table(pm).unlink()
    kill_supervisor(pm)
    wait_for(lambda: running(pm, "r") == old, 10, "the end of the other")
    assert pm.pids("r") == old and pm.state("r") == "online"


def test_a_table_of_another_boot_signals_nobody(pm, decoy):
    pm.up(TWO)
    before = pm.pids("web") + pm.pids("other")
    pm.kill_both()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not any(map(alive, before)), 5, "a boot in between")
    data = bytearray(table(pm).read_bytes())
    data[BOOT_AT:BOOT_AT + 8] = b"deadbeef"
    for at, *_ in records(data):
        struct.pack_into("<i", data, at + PID_AT, decoy[0])
        struct.pack_into("<Q", data, at + START_AT, decoy[1])
    table(pm).write_bytes(data)
    pm.ok("daemon", "start")
    wait_for(lambda: pm.state("web") == pm.state("other") == "online", 10, "what is wanted")
    assert decoy[0] not in pm.pids("web") + pm.pids("other")
    assert not list(table(pm).parent.glob("*.old")), "it was not damaged"
    pm.ok("stop", "all")


def test_a_removed_state_directory_is_made_anew(pm):
    """What is wanted does not get lost with it, and an upgrade takes nothing for no apps at all."""
    pm.up(TWO)
    pids = pm.pids("web")
    shutil.rmtree(pm.home / "state")
    pm.ok("daemon", "upgrade")
    assert pm.pids("web") == pids and pm.state("other") == "online"


def test_a_state_directory_that_is_moved_away(pm):
    pm.up(TWO)
    pids = pm.pids("web")
    (pm.home / "state").rename(pm.home / "elsewhere")
    assert "moved away" in pm.fails(1, "daemon", "upgrade").err
    (pm.home / "elsewhere").rename(pm.home / "state")
    pm.ok("daemon", "upgrade")
    assert pm.pids("web") == pids


def test_a_pid_that_was_used_again_signals_nobody(pm, decoy):
    """Of this boot, but the start time is not the one noted."""
    pm.up(TWO)
    before = pm.pids("web") + pm.pids("other")
    pm.kill_both()
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not any(map(alive, before)), 5, "the apps ended")
    data = bytearray(table(pm).read_bytes())
    for at, *_ in records(data):
        struct.pack_into("<i", data, at + PID_AT, decoy[0])
    table(pm).write_bytes(data)
    pm.ok("daemon", "start")
    wait_for(lambda: pm.state("web") == pm.state("other") == "online", 10, "what is wanted")
    assert decoy[0] not in pm.pids("web") + pm.pids("other")
    pm.ok("restart", "all")


def test_noise_in_the_run_table(pm, decoy):
    """Whatever stands in the records: a supervisor comes up, and the decoy, whose number may be there, lives."""
    pm.up(TWO)
    before = pm.pids("web") + pm.pids("other")
    pm.notice()
    data = bytearray(table(pm).read_bytes())
    size = struct.unpack_from("<I", data, 12)[0]
    for i in range(RECORDS_AT, RECORDS_AT + 3 * size, 1):
        if (i - RECORDS_AT) % size not in range(APP_AT, APP_AT + 48):
            data[i] = os.urandom(1)[0]
    with open(table(pm), "r+b") as f:  # the same file, which the supervisor has mapped
        f.write(data)
    kill_supervisor(pm)
    wait_for(lambda: pm.state("web") == pm.state("other") == "online", 10, "both online")
    assert sorted(running(pm, "web")) == sorted(pm.pids("web")) and running(pm, "other") == pm.pids("other")
    assert set(pm.pids("web") + pm.pids("other")) == set(before)


def test_a_stale_lock_names_somebody_else(pm, decoy):
    """The pid in it is for messages; the lock is what counts, and who is signalled is looked at first."""
    pm.up(TWO)
    pm.kill_both()
    (pm.home / "state" / "lock").write_text(f"{decoy[0]}\n")
    pm.fails(5, "ping")
    pm.ok("daemon", "start")
    wait_for(lambda: pm.state("web") == pm.state("other") == "online", 10, "both online")


def test_reserved_names_in_the_state_directory(pm):
    """Files of other times beside ours: not read, not removed."""
    pm.up(TWO)
    pm.ok("daemon", "stop")
    for name in ("state.corrupt-20200101T000000Z", "instances.old", "mine.txt"):
        (state_file(pm).parent / name).write_bytes(b"kept")
    pm.ok("daemon", "start")
    wait_for(lambda: pm.state("web") == "online", 10, "the app")
    for name in ("state.corrupt-20200101T000000Z", "instances.old", "mine.txt"):
        assert (state_file(pm).parent / name).read_bytes() == b"kept"
