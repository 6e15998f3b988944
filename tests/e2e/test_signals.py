# SPDX-License-Identifier: MIT
"""Signals to keeper and supervisor: the documented ones do what is documented, the others nothing; never a half-dead state."""
import os
import random
import signal
import subprocess
import time

import pytest

from conftest import SLOW, alive, app_path, stat_of, wait_for

SLEEPER = "[app:web]\ncommand = sleep 1000000\nready = spawn\ninstances = 2\nmode = fork\n"
# These end a process with good reason, or are of the C library's own (32 to 34), or mean something.
FATAL = {signal.SIGQUIT, signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGKILL,
         signal.SIGSEGV, signal.SIGSYS, signal.SIGXCPU, 32, 33, 34}
MEANT = {signal.SIGTERM, signal.SIGINT, signal.SIGUSR2, signal.SIGSTOP}
OTHERS = [sig for sig in range(1, signal.SIGRTMAX + 1) if sig not in FATAL | MEANT]


def both_of(pm):
    d = pm.daemon()
    return d["pid"], d["keeper_pid"]


@pytest.mark.parametrize("who", [0, 1], ids=["supervisor", "keeper"])
def test_signals_without_a_meaning(pm, who):
    """Also those that stop a process at a terminal: there is none."""
    pm.up(SLEEPER)
    pids, before = both_of(pm), pm.pids("web")
    for sig in OTHERS:
        for _ in range(100):
            os.kill(pids[who], sig)
    for _ in range(10000):
        os.kill(pids[who], random.choice(OTHERS))
    pm.ok("ping")
    assert all(alive(pid) and stat_of(pid)[1] != "T" for pid in pids)
    assert both_of(pm) == pids and pm.pids("web") == before
    os.kill(before[0], signal.SIGKILL)  # and exits are still seen
    pm.wait_replaced("web", 0, before[0])


@pytest.mark.parametrize("sig", [signal.SIGSEGV, signal.SIGABRT, signal.SIGQUIT], ids=lambda sig: sig.name)
def test_a_supervisor_that_crashes_comes_back(pm, sig):
    """The keeper keeps the reason, in its log."""
    pm.up(SLEEPER)
    (sup, keeper), before = both_of(pm), pm.pids("web")
    os.kill(sup, sig)
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != sup, 15, "the next supervisor")
    assert pm.daemon()["keeper_pid"] == keeper and pm.pids("web") == before
    assert f"killed by {sig.name}" in pm.daemon_log()
    assert not list(pm.dir.glob("**/core*"))


def test_an_app_floods_the_supervisor_with_signals(pm):
    pm.up(SLEEPER)
    sup, keeper = both_of(pm)
    before = pm.pids("web")
    pm.ini(SLEEPER + f"[app:flood]\ncommand = bash -c 'for i in {{1..20000}}; do kill -CHLD {sup} {keeper}; kill -HUP {sup} {keeper}; done; "
           "echo done; sleep 1000000'\nready = spawn\n")
    pm.ok("start")
    n = 0
    while b"done" not in pm.log("flood") and n < 300:
        pm.ok("ping")
        n += 1
        time.sleep(0.02)
    assert both_of(pm) == (sup, keeper) and pm.pids("web") == before


def test_a_supervisor_that_starts_under_a_flood(pm):
    """What the keeper passes on waits until the new one can take it; else it would die of it, again and again."""
    pm.up(SLEEPER)
    (sup, keeper), before = both_of(pm), pm.pids("web")
    flood = subprocess.Popen(["bash", "-c", f"while kill -HUP {keeper} && kill -USR1 {keeper}; do :; done"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(2):
            old = pm.daemon()["pid"]
            os.kill(old, signal.SIGKILL)
            wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != old, 15, "the next supervisor")
    finally:
        flood.kill()
        flood.wait()
    assert pm.rpc("status")["supervisor_restarts"] == 2 and pm.pids("web") == before


def test_sigterm_during_the_start(pm):
    """Whenever it comes: a clean end, nothing left behind, and the next start works."""
    pm.ini(SLEEPER)
    pm.ok("start")
    pm.ok("daemon", "stop")
    for i in range(12):
        p = subprocess.Popen([pm.pmctld, "--foreground"], env=pm.env(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        time.sleep(i * 0.002)
        p.terminate()
        assert p.wait(timeout=20 * SLOW) in (0, -signal.SIGTERM), i
        wait_for(lambda: not pm.ours(), 10, "nothing left")
    pm.ok("daemon", "start")
    pm.wait_state("web", "online")


def test_sigterm_to_either_is_a_clean_stop(pm):
    for who in (0, 1):
        pm.up(SLEEPER + "[app:t]\ncommand = sh -c 'trap \"echo bye; exit 0\" TERM; echo up; while :; do sleep 0.05; done'\nready = spawn\n")
        pm.wait_log("t", "up\n")
        pids, apps = both_of(pm), pm.pids("web") + pm.pids("t")
        os.kill(pids[who], signal.SIGTERM)
        wait_for(lambda: not any(map(alive, (*pids, *apps))), 10, "the end of all")
        assert pm.log("t").endswith(b"bye\n") and not pm.socket.exists()
