# SPDX-License-Identifier: MIT
"""cron_restart: what is online is replaced, what has ended is run again, and nothing is run twice at once."""
import datetime
import os
import re
import signal
import socket
import time
import zoneinfo

import pytest

from conftest import alive, app_path, wait_for

WEB = "[app:web]\ncommand = sleep 1000000\n"
JOB = f"[app:job]\ncommand = {app_path('exiter')} 0\nautorestart = never\n"


def cron_events(pm, app):
    return [e for e in pm.rpc("events", {"sel": [app], "n": 100})["events"] if e["type"] == "cron"]


def texts(pm, app):
    return [e["text"] for e in cron_events(pm, app)]


def serves(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


def in_hours(hours):
    """A spec for the full hour that many hours from now, local time, and that hour as HH:00."""
    then = datetime.datetime.now() + datetime.timedelta(hours=hours)
    return f"0 {then.hour} {then.day} {then.month} *", f"{then.hour:02}:00"


BOUNDARY = f"""
[defaults]
cron_restart = * * * * *
ready = spawn
min_uptime = 100ms
stop_timeout = 2s

[app:web]
command = sleep 1000000
instances = 2

[app:job]
command = {app_path('exiter')} 3
instances = 2
autorestart = never

[app:long]
command = sleep 1000000
autorestart = never

[app:slow]
command = sleep 1000000
min_uptime = 120s

[app:stopped]
command = sleep 1000000

[app:manual]
command = {app_path('exiter')} 0
autorestart = never
autostart = no

[app:failed]
command = {app_path('exiter')} 1
max_restarts = 1
restart_delay = 10ms

[app:port]
command = /usr/bin/python3 -m http.server --bind 127.0.0.1 PORT

[app:off]
command = sleep 1000000
cron_restart = no
"""


def test_at_the_minute(pm, port):
    # Not just before a full minute: what is looked at before it should be before it.
    wait_for(lambda: time.time() % 60 < 45, 30, "the first part of a minute")
    pm.ini(BOUNDARY.replace("PORT", str(port)), raw=True)
    pm.ctl("start")  # of the jobs one is not expected to end well
    pm.wait_state("failed", "failed")
    pm.wait_state("job", "done")
    pm.ok("stop", "stopped")
    wait_for(lambda: serves(port), 10, "the server")
    pm.ok("reload", "slow", "--no-wait")  # goes on for two minutes
    before = {name: pm.pids(name) for name in ("web", "long", "off", "port")}
    assert re.match(r"(:0 )?next \d\d:\d\d; exited 3 after ", pm.app("job")["note"]), pm.app("job")
    assert pm.log("job").count(b"started") == 1 and not cron_events(pm, "web")

    wait_for(lambda: cron_events(pm, "slow"), 75, "a full minute")
    at = datetime.datetime.fromisoformat(cron_events(pm, "web")[0]["t"])
    assert at.second < 5, at
    wait_for(lambda: pm.state("web") == "online" and not set(pm.pids("web")) & set(before["web"]), 15, "the reload")
    assert not any(map(alive, before["web"]))
    assert texts(pm, "web") == ["time of cron_restart: reload"]
    first = cron_events(pm, "web")[0]
    assert first["slot"] is None and first["by"] is None
    assert pm.app("web")["restarts"] == 0
    # One slot after the other.
    takes = [e for e in pm.rpc("events", {"sel": ["web"], "n": 100})["events"] if e["type"] == "reload"]
    assert [e["slot"] for e in takes] == [0, 0, 1, 1], takes

    # One that holds its own port cannot have a successor beside it.
    wait_for(lambda: pm.pids("port")[0] not in (None, before["port"][0]) and serves(port), 15, "the server's restart")
    assert texts(pm, "port") == ["time of cron_restart: reload"] and pm.app("port")["restarts"] == 0

    # A job that has ended is run again, whatever its end was; one that runs is left alone.
    for slot in range(2):
        wait_for(lambda: pm.log("job", slot).count(b"started") == 2, 10, "the job's second run")
    assert texts(pm, "job") == ["time of cron_restart: started"] * 2
    assert pm.wait_state("job", "done")["restarts"] == 0
    assert pm.pids("long") == before["long"]
    assert re.fullmatch(rf"skipped: pid {before['long'][0]} still runs after \w+", texts(pm, "long")[0])

    assert texts(pm, "slow") == ["skipped: a reload is still under way"]
    assert texts(pm, "failed") == ["skipped: none is online (failed)"]
    assert pm.state("failed") == "failed" and pm.state("stopped") == "stopped" and pm.state("manual") == "stopped"
    assert not cron_events(pm, "stopped") and not cron_events(pm, "manual") and not cron_events(pm, "off")
    assert pm.pids("off") == before["off"] and pm.log("manual") == b""


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/New_York"])
def test_the_next_time_is_shown(pm, zone):
    try:
        tz = zoneinfo.ZoneInfo(zone)
    except zoneinfo.ZoneInfoNotFoundError:
        pytest.skip("no tzdata")
    env = {"TZ": zone}
    year = datetime.datetime.now(tz).year + 1
    pm.ini(WEB + "cron_restart = 30 4 1 jan *\n" + JOB + "ready = spawn\ncron_restart = @yearly\n")
    pm.ok("start", env=env)
    pm.wait_state("job", "done")
    then = datetime.datetime(year, 1, 1, 4, 30, tzinfo=tz).astimezone(datetime.timezone.utc)
    app = pm.ok("show", "web", "--json").json()["apps"][0]
    assert app["next_cron"] == then.strftime("%Y-%m-%dT%H:%M:00.000Z")
    assert app["next_cron"] == pm.app("web")["next_cron"] and app["note"] == ""
    out = pm.ok("show", "web", env=env).out
    assert re.search(rf"^  cron      next {year}-01-01 04:30, in \d+", out, re.M), out
    assert re.search(r"^  cron_restart +30 4 1 jan \* +pmctl.ini:\d+$", out, re.M), out
    if (datetime.datetime(year, 1, 1, tzinfo=tz) - datetime.datetime.now(tz)).days > 6:
        assert pm.app("job")["note"].startswith(f"next {year}-01-01 00:00; exited 0 after")
    pm.ok("stop", "web")
    assert pm.app("web")["next_cron"] is None and "  cron  " not in pm.ok("show", "web").out


def test_a_job_says_when_it_is_next(pm):
    spec, hour = in_hours(3)
    later, _ = in_hours(50)
    pm.up(f"{JOB}ready = spawn\ncron_restart = {spec}\n"
          f"{JOB.replace('app:job', 'app:other')}ready = spawn\ncron_restart = {later}\n")
    pm.wait_state("job", "done")
    pm.wait_state("other", "done")
    line = next(line for line in pm.ok("list").out.splitlines() if line.startswith("job"))
    assert f"  next {hour}; exited 0 after" in line, line
    assert re.match(r"next [A-Z][a-z]{2} \d\d:00; exited 0", pm.app("other")["note"]), pm.app("other")
    # It stays done, and knows its time, when the supervisor is replaced; started by hand it runs at once.
    old = pm.daemon()["pid"]
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != old, 15, "the next supervisor")
    assert pm.state("job") == "done" and pm.app("job")["note"].startswith(f"next {hour}")
    assert pm.log("job").count(b"started") == 1
    pm.ok("start", "job")
    wait_for(lambda: pm.log("job").count(b"started") == 2, 10, "the run by hand")
    pm.wait_state("job", "done")
    pm.ok("stop", "job")
    assert pm.app("job")["next_cron"] is None and "next" not in pm.app("job")["note"]


@pytest.mark.parametrize("spec,reason", [
    ("0 25 * * *", 'hour: "25" is not a number from 0 to 23'),
    ("*/10 * * * * *", 'has six fields, and seconds are not supported; leave out the first one, "*/10"'),
    ("0 0 31 feb *", "never comes: its months have no such day"),
    ("0 0 * * 1-8", 'day of week: "8" is not a number from 0 to 7 (0 and 7 are Sunday) or a name from sun to sat'),
    ("@dayly", 'did you mean "@daily"?'),
    ("", "is empty")])
def test_what_is_wrong_is_said(pm, spec, reason):
    pm.ini(WEB + f"cron_restart = {spec}\n", raw=True)
    r = pm.fails(7, "check")
    assert "pmctl.ini:3: [app:web] cron_restart: " in r.err and reason in r.err, r
    pm.fails(7, "start")
    assert not pm.home.exists()


@pytest.mark.parametrize("spec", ["*/5 9-17 * * mon-fri", "@hourly", "0 0 29 2 *", "no", "0", "59 23 31 dec sun"])
def test_good_ones(pm, spec):
    pm.ini(WEB + f"cron_restart = {spec}\n", raw=True)
    pm.ok("check")


def test_from_the_command_line(pm):
    pm.ok("start", app_path("exiter"), "--name", "x", "--cron", "0 3 * * *", "--no-autorestart", "--", "0")
    pm.wait_state("x", "done")
    assert pm.app("x")["note"].startswith("next ") and pm.app("x")["next_cron"]
    assert "seconds" in pm.fails(7, "start", app_path("exiter"), "--name", "y", "--cron", "0 0 3 * * *").err
