# SPDX-License-Identifier: MIT
"""metrics: OpenMetrics text that parses, agrees with list, and goes on over the end of a supervisor."""
import os
import shutil
import signal
import subprocess

import pytest
from conftest import app_path, wait_for
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as plain_families

TWO = """
[pmctl]
project = shop
[app:web]
command = /bin/sleep 1000
instances = 2
namespace = front
memory_max = 100M
[app:job]
command = /bin/sh -c 'echo hello; exit 3'
autorestart = never
"""


class Samples(dict):
    """{(sample name, {label: value}): value}, with the families beside."""

    def __init__(self, text):
        super().__init__()
        self.text = text
        self.families = {f.name: f for f in text_string_to_metric_families(text)}
        for f in self.families.values():
            for s in f.samples:
                key = s.name, frozenset(s.labels.items())
                assert key not in self, f"{key} stands there twice"
                self[key] = s.value

    def find(self, name, **labels):
        """Values of the samples with these labels."""
        want = {(k, str(v)) for k, v in labels.items()}
        return [v for (n, have), v in self.items() if n == name and want <= have]

    def one(self, name, **labels):
        found = self.find(name, **labels)
        assert len(found) == 1, f"{name} {labels}: {found}"
        return found[0]


def metrics(pm):
    return Samples(pm.ok("metrics").out)


def ended(pm, name, code):
    return wait_for(lambda: (pm.proc(name)["last_exit"] or {}).get("code") == code, 10, f"{name} ended")


def test_the_text_parses_and_agrees_with_list(pm):
    pm.ini(TWO)
    pm.ctl("start")
    ended(pm, "job", 3)
    m = metrics(pm)
    listed = pm.list()
    assert m.text.endswith("# EOF\n")
    assert m.one("pmctl_build_info") == 1
    assert m.one("pmctl_apps") == 2
    assert m.one("pmctl_keeper_up") == 1
    assert m.one("pmctl_supervisor_restarts_total") == 0
    assert m.one("pmctl_disk_available_bytes", dir="log") == m.one("pmctl_disk_available_bytes", dir="state") > 0
    for app in listed["apps"]:
        name = app["name"]
        assert m.one("pmctl_app_info", app=name, project="shop", mode=app["mode"], file=pm.ini_path) == 1
        assert m.one("pmctl_app_instances", app=name) == app["instances"]
        assert m.one("pmctl_app_instances_online", app=name) == app["online"]
        assert m.one("pmctl_app_instances_wanted", app=name) == app["wanted"]
        assert m.one("pmctl_app_state", app=name, pmctl_app_state=app["state"]) == 1
        assert sum(m.find("pmctl_app_state", app=name)) == 1
        for p in app["procs"]:
            me = {"app": name, "slot": p["slot"]}
            assert m.one("pmctl_instance_state", **me, pmctl_instance_state=p["state"]) == 1
            assert sum(m.find("pmctl_instance_state", **me)) == 1
            assert m.one("pmctl_instance_up", **me) == (p["state"] == "online")
            assert m.one("pmctl_instance_restarts_total", **me) == p["restarts"]
            assert m.find("pmctl_instance_resident_memory_bytes", **me) == [v for v in [p["mem_bytes"]] if v is not None]
            assert m.find("pmctl_instance_threads", **me) == [v for v in [p["threads"]] if v is not None]
            assert m.find("pmctl_instance_open_fds", **me) == [v for v in [p["fds"]] if v is not None]
            assert m.find("pmctl_instance_max_fds", **me) == [v for v in [p["fds_max"]] if v is not None]
    assert m.one("pmctl_app_memory_max_bytes") == 100 << 20
    assert m.find("pmctl_app_instances", namespace="front") == [2]
    assert m.one("pmctl_instance_last_exit_code", app="job") == 3
    assert m.one("pmctl_instance_last_exit_signal", app="job") == 0
    assert m.one("pmctl_app_log_bytes_total", app="job", stream="out") == len("hello\n")


def test_promtool_accepts_it(pm):
    if not shutil.which("promtool"):
        pytest.skip("no promtool here")
    pm.up(TWO.replace("exit 3", "exec sleep 1000"))
    text = pm.ok("metrics", "--prometheus").out
    r = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True)
    assert (r.returncode, r.stdout, r.stderr) == (0, b"", b"")


def test_the_older_format_says_the_same(pm):
    pm.up(TWO.replace("exit 3", "exec sleep 1000"))
    new, old = metrics(pm), pm.ok("metrics", "--prometheus").out
    assert "# EOF" not in old and "# UNIT" not in old
    names = {s.name: f.type for f in plain_families(old) for s in f.samples}
    assert set(names) == {n for n, _ in new}
    assert {t for n, t in names.items() if n.endswith("_total")} == {"counter"}
    assert "unknown" not in names.values()


def test_metadata_and_units(pm):
    pm.ok("daemon", "start")
    m = metrics(pm)
    for f in m.families.values():
        assert f.documentation.endswith("."), f.name
        assert f.name.startswith(("pmctl_", "process_"))
        for unit in ("seconds", "bytes"):
            assert (f.unit == unit) == f.name.endswith("_" + unit), f.name


def test_every_cause_is_counted(pm):
    pm.ini(f"""
        [app:web]
        command = /bin/sleep 1000
        [app:once]
        command = /bin/true
        autorestart = never
        [app:bad]
        command = /bin/false
        max_restarts = 2
        [app:none]
        command = /nonexistent/x
        autorestart = never
        """)
    pm.ctl("start")

    def causes(app):
        m = metrics(pm)
        return {c: int(v) for c in ("asked", "success", "error", "signal", "start", "replaced", "oom", "unknown")
                for v in [m.one("pmctl_app_exits_total", app=app, cause=c)] if v}

    pm.wait_state("bad", "failed")
    assert causes("bad") == {"error": 3}
    assert metrics(pm).one("pmctl_app_starts_total", app="bad") == 3
    assert causes("once") == {"success": 1}
    assert causes("none") == {"start": 1}
    old = pm.pids("web")[0]
    os.kill(old, signal.SIGKILL)
    pm.wait_replaced("web", 0, old)
    assert causes("web") == {"signal": 1}
    pm.ok("restart", "web")
    assert causes("web") == {"signal": 1, "asked": 1}
    pm.ok("reload", "web")
    wait_for(lambda: causes("web") == {"signal": 1, "asked": 2}, 10, "the replaced one has ended")
    assert metrics(pm).one("pmctl_app_reloads_total", app="web", result="done") == 1


def kill_supervisor(pm):
    old = pm.daemon()["pid"]
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: pm.ctl("ping").rc == 0 and pm.daemon()["pid"] != old, 15, "the next supervisor")


def counters(m):
    return {k: v for k, v in m.items() if k[0].endswith("_total") and k[0].startswith(("pmctl_app", "pmctl_inst"))}


def test_counters_go_on_over_the_end_of_a_supervisor(pm):
    pm.ini(f"""
        [app:busy]
        command = {app_path('burner')}
        [app:talk]
        command = /bin/sh -c 'echo one; echo two >&2; exec sleep 1000'
        [app:bad]
        command = /bin/false
        max_restarts = 2
        """)
    pm.ctl("start")
    pm.wait_state("bad", "failed")
    wait_for(lambda: metrics(pm).one("pmctl_app_log_bytes_total", app="talk", stream="err") == 4, 10, "its lines")
    wait_for(lambda: metrics(pm).one("pmctl_instance_cpu_seconds_total", app="busy") > 0.3, 20, "some CPU time")
    before = counters(metrics(pm))
    kill_supervisor(pm)
    m = metrics(pm)
    after = counters(m)
    assert set(after) == set(before)
    assert {k: (v, after[k]) for k, v in before.items() if after[k] < v} == {}
    assert after[("pmctl_app_exits_total", frozenset({("app", "bad"), ("cause", "error"), ("project", pm.dir.name)}))] == 3
    assert m.one("pmctl_supervisor_restarts_total") == 1
    # ... and they grow from there, by what is used and not by all of it once more.
    wait_for(lambda: metrics(pm).one("pmctl_instance_cpu_seconds_total", app="busy") >
             m.one("pmctl_instance_cpu_seconds_total", app="busy"), 20, "more CPU time")


def test_odd_names_are_escaped(pm):
    folder = pm.dir / 'a "b" c\\d größe'
    folder.mkdir()
    (folder / "pmctl.ini").write_text("[app:web]\ncommand = /bin/sleep 1000\n")
    pm.ok("start", cwd=folder)
    m = metrics(pm)
    assert m.one("pmctl_app_info", app="web", file=folder / "pmctl.ini") == 1
    assert m.find("pmctl_app_instances", project=pm.app("web")["project"]) == [1]


def test_a_deleted_app_is_gone(pm):
    pm.up(TWO.replace("exit 3", "exec sleep 1000"))
    pm.ok("delete", "web")
    m = metrics(pm)
    assert m.find("pmctl_app_instances", app="web") == [] and m.one("pmctl_apps") == 1
    pm.ok("start")
    assert metrics(pm).one("pmctl_app_starts_total", app="web") == 2, "it begins anew"


def test_no_daemon(pm):
    pm.fails(5, "metrics")
