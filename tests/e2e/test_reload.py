# SPDX-License-Identifier: MIT
"""reload: one by one, each ready before the next; a bad deploy is told and goes no further."""
import json
import os

from conftest import alive, wait_for

GATE = """
[app:web]
command = sh -c 'test -e broken && { echo no good >&2; exit 4; }; exec sleep 1000000'
instances = 3
mode = fork
min_uptime = 100ms
restart_delay = 20s
"""


def test_a_bad_deploy_stops_half_way_with_9(pm):
    pm.up(GATE)
    before = pm.pids("web")
    (pm.dir / "broken").touch()
    r = pm.fails(9, "reload", "web")
    assert "web:0" in r.err and "no good" in r.err and "exited 4" in r.err, r
    # The others are the old ones and serve.
    assert pm.pids("web")[1:] == before[1:] and all(map(alive, before[1:]))
    assert pm.state("web") == "degraded"
    (pm.dir / "broken").unlink()
    pm.ok("reload", "web")
    assert pm.state("web") == "online" and not set(pm.pids("web")) & set(before)


def test_9_as_json(pm):
    pm.up(GATE)
    (pm.dir / "broken").touch()
    r = pm.fails(9, "reload", "web", "--json")
    for text in (r.out, r.err):
        for line in text.splitlines():
            json.loads(line)
    assert '"exit":9' in r.err or '"ok":false' in r.out, r


def test_restart_goes_on_after_a_failure(pm):
    pm.up(GATE)
    (pm.dir / "broken").touch()
    r = pm.fails(1, "restart", "web")
    for slot in range(3):
        assert f"web:{slot}" in r.err
    assert pm.state("web") == "backoff"


def test_reload_of_a_stopped_app_starts_it(pm):
    pm.up(GATE)
    pm.ok("stop", "web")
    pm.ok("reload", "web")
    assert pm.state("web") == "online"


def test_reload_never_has_two_down_at_once(pm):
    pm.up(GATE)
    before = pm.pids("web")
    p = pm.popen("reload", "web")
    least = 3
    while p.poll() is None:
        least = min(least, pm.app("web")["online"])
    assert p.returncode == 0 and least >= 2
    assert not set(before) & set(pm.pids("web"))


def test_stop_ends_a_reload(pm):
    pm.up(GATE.replace("min_uptime = 100ms", "min_uptime = 2s"))
    p = pm.popen("reload", "web")
    wait_for(lambda: pm.state("web") == "degraded", 10, "the reload under way")
    pm.ok("stop", "web")
    p.wait(timeout=30)
    assert p.returncode in (1, 9)
    assert pm.pids("web") == [None] * 3 and pm.state("web") == "stopped"
