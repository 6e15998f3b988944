# SPDX-License-Identifier: MIT
"""pmctl.ini: everything wrong in one go with file, line, section, key, reason, suggestion; nothing cut in silence."""
import json
import os
import re
import signal
import time

import pytest

from conftest import ROOT, SLOW, app_path, read_proc

OK = "[app:ok]\ncommand = sleep 1000000\n"


def errors(pm, text, *args):
    if isinstance(text, bytes):
        pm.ini_path.write_bytes(text)
    else:
        pm.ini(text, raw=True)
    r = pm.fails(7, *(args or ("check",)))
    assert not r.out
    return r.err


def test_all_errors_in_one_go_and_nothing_is_applied(pm):
    text = """\
[pmctl]
project = shop

[app:web]
instnaces = 3
command = sleep 1
memory_max = 512X
stop_timeout = soon

[app:web]
command = sleep 1

[app:two]
[aap:three]
command = x
[defaults]
nice = 99
"""
    for args in (["check"], ["start"]):
        err = errors(pm, text, *args)
        assert "pmctl.ini:5: [app:web] instnaces: " in err and 'did you mean "instances"?' in err
        assert "pmctl.ini:7: [app:web] memory_max: " in err and '"512X"' in err
        assert "pmctl.ini:8: [app:web] stop_timeout: " in err and '"soon"' in err
        assert "pmctl.ini:10: [app:web]" in err
        assert "pmctl.ini:13: [app:two]" in err and "script" in err
        assert "pmctl.ini:14: [aap:three]" in err and "app:three" in err
        assert "pmctl.ini:17: [defaults] nice: " in err
        assert re.search(r"^7 errors, nothing applied$", err, re.M), err
    assert not pm.home.exists()


@pytest.mark.parametrize("line,word", [
    ("instances = 0", "instances"), ("instances = -1", "instances"), ("instances = 100000", "instances"),
    ("instances = 0%", "instances"), ("mode = clsuter", "cluster"), ("stop_signal = SIGFOO", "SIGFOO"),
    ("restart_delay = -1", "restart_delay"), ("restart_delay = 99999999999999999999", "restart_delay"),
    ("umask = 999", "umask"), ("limit.nofiel = 3", "nofile"), ("limit.nofile = x", "limit.nofile"),
    ("autorestart = maybe", "autorestart"), ("listen = 99999", "99999"), ("listen = 1.2.3.4.5:80", "listen"),
    ("stop_exit_codes = 256", "256"), ("kill_mode = tre", "tree"), ("log_format = xml", "xml"),
    ("namespace = a b", "namespace"), ("cpu_affinity = 0-", "cpu_affinity"), ("ready = sometime", "ready"),
    ("ready_timeout = 10 bananas", "bananas"), ("interpreter_args = 'open", "quote"), ("max_restarts = many", "many"),
    ("env.9 x = 1", "env.9 x"), ("command = x y", "command")])
def test_bad_values(pm, line, word):
    err = errors(pm, "[app:w]\ncommand = sleep 1\n" + line + "\n")
    assert "pmctl.ini:3: [app:w] " in err and word in err, err


def test_profiles_are_refused_or_work(pm):
    pm.ini(OK + "[app:ok@prod]\nenv.A = 1\n", raw=True)
    r = pm.ctl("check")
    assert r.rc == 0 or "not supported yet" in r.err


@pytest.mark.parametrize("name", ["../x", "a b", "all", "12", "x" * 41, "x" * 300, ".x", "-x", "", "a\x1bb", "a/b"])
def test_bad_names(pm, name):
    err = errors(pm, f"[app:{name}]\ncommand = sleep 1\n")
    assert "pmctl.ini:1: " in err and "\x1b" not in err


def test_values_are_literal(pm):
    value = "a;b #c ; d %s $HOME ${X} \\ 'q' \"w\" = e"
    pm.up(f"[app:w]\ncommand = {app_path('inspect')}\nenv.V = {value}\nenv.E =\n; comment\n# comment\n")
    env = dict(e.split("=", 1) for e in json.loads(pm.wait_log("w", "\n"))["env"])
    assert env["V"] == value and env["E"] == ""


def test_command_words(pm):
    pm.up(f"[app:w]\ncommand = {app_path('inspect')} a 'b  c' \"d \\\"e\" f\\ g $HOME * ; '' h=';#'\n")
    assert json.loads(pm.wait_log("w", "\n"))["args"] == ["a", "b  c", 'd "e', "f g", "$HOME", "*", ";", "", "h=;#"]


def test_crlf_and_bom(pm):
    pm.ini_path.write_bytes(b"\xef\xbb\xbf" + OK.replace("\n", "\r\n").encode() + b"env.A = x\r\n")
    pm.ok("start")
    assert "A=x\n" in pm.ok("env", "ok", "--reveal").out


def test_long_lines_are_not_cut(pm):
    value = "x" * 60000
    pm.up(f"[app:w]\ncommand = {app_path('inspect')}\nenv.V = {value}\n")
    env = dict(e.split("=", 1) for e in json.loads(pm.wait_log("w", '"cwd"'))["env"])
    assert env["V"] == value


def test_too_long_lines_nul_and_long_sections_are_errors(pm):
    assert ":3: " in errors(pm, OK + "env.V = " + "x" * 66000 + "\n[app:b]\ncommand = x\n")
    assert ":3: " in errors(pm, OK.encode() + b"env.V = a\0b\n")
    assert ":3: " in errors(pm, OK + "[app:" + "n" * 200 + "]\ncommand = x\n")


def test_syntax(pm):
    assert ":3: " in errors(pm, OK + "no equals sign\n")
    assert ":3: " in errors(pm, OK + "[app:x\ncommand = y\n")
    assert ":1: " in errors(pm, "command = x\n")
    errors(pm, OK + "[app:ok]\ncommand = x\n")
    assert ":3: " in errors(pm, OK + "command = other\n")


def test_every_truncation_is_a_verdict(pm):
    text = "[pmctl]\nproject = x\n[defaults]\nnice = 1\n[app:w]\ncommand = sleep 'a b'\nenv.A = \"x\"\nlisten = 80, unix:/x\n"
    for n in range(0, len(text), 3):
        pm.ini(text[:n], raw=True)
        assert pm.ctl("check").rc in (0, 7), n


def test_unreadable_and_odd_files(pm):
    assert "nosuch.ini" in pm.fails(7, "check", "nosuch.ini").err
    assert "No such file" in pm.ctl("start", "-c", "nosuch.ini").err
    assert pm.ctl("check", "/").rc == 7
    os.mkfifo(pm.dir / "fifo.ini")
    for path in ("fifo.ini", "/dev/zero"):
        begin = time.monotonic()
        assert pm.ctl("check", path, timeout=10).rc == 7
        assert time.monotonic() - begin < 5 * SLOW
    assert not pm.home.exists()


def test_a_huge_file_is_refused_at_once(pm):
    with open(pm.dir / "big.ini", "wb") as f:
        f.truncate(100 << 20)
    begin = time.monotonic()
    assert pm.fails(7, "check", "big.ini").err
    assert time.monotonic() - begin < 2 * SLOW


def test_the_file_changes_or_goes_after_the_start(pm):
    """What runs is what was started; a restart needs no file."""
    path = pm.ini("[app:w]\ncommand = sleep 1000000\nready = spawn\n")
    pm.ok("start")
    path.write_text("[app:w]\ncommand = /nosuch\n")
    pm.ok("restart", "w")
    path.unlink()
    old = pm.pids("w")[0]
    os.kill(old, signal.SIGKILL)
    pm.wait_replaced("w", 0, old)
    assert b"1000000" in read_proc(pm.pids("w")[0], "cmdline")


@pytest.mark.skipif(os.getuid() == 0, reason="root reads everything")
def test_a_file_without_permission(pm):
    pm.ini(OK).chmod(0)
    assert "ermission" in pm.fails(6, "check").err


def test_include(pm):
    (pm.dir / "apps.d").mkdir()
    (pm.dir / "apps.d" / "b.ini").write_text("[app:b]\ncommand = sleep 1000000\n")
    pm.ini("[pmctl]\nproject = p\ninclude = apps.d/*.ini\n" + OK, raw=True)
    pm.ok("check")
    pm.ok("start")
    assert {a["name"]: a["project"] for a in pm.list()["apps"]} == {"ok": "p", "b": "p"}
    (pm.dir / "apps.d" / "c.ini").write_text("[app:c]\ncomand = x\n")
    assert "apps.d/c.ini:2: [app:c] comand: " in pm.fails(7, "check").err


def test_defaults_are_laid_under(pm):
    pm.up("[defaults]\nnamespace = n\nmin_uptime = 50ms\nenv.A = 1\n[app:a]\ncommand = sleep 1000000\n"
          "[app:b]\ncommand = sleep 1000000\nnamespace = m\nenv.A = 2\n")
    assert pm.app("a")["namespace"] == "n" and pm.app("b")["namespace"] == "m"
    assert "A=1\n" in pm.ok("env", "a", "--reveal").out and "A=2\n" in pm.ok("env", "b", "--reveal").out


def test_an_app_of_another_project_is_not_taken(pm):
    pm.up("[pmctl]\nproject = one\n" + OK)
    other = pm.dir / "other"
    other.mkdir()
    (other / "pmctl.ini").write_text("[pmctl]\nproject = two\n" + OK + "env.X = 1\n")
    before = pm.pids("ok")
    assert pm.ctl("start", cwd=other).rc == 1
    assert pm.pids("ok") == before and pm.app("ok")["project"] == "one"


def test_the_examples_of_the_manual_are_right_and_show_every_key(pm):
    page = (ROOT / "man" / "pmctl.ini.5.scd").read_text()
    section = page.split("# KEYS OF AN APP")[1].split("\n# ")[0].replace("\\", "")
    keys = set(re.findall(r"^\*([a-z_]+)(?:\.[A-Z]*)?\* = ", section, re.M))
    examples = re.findall(r"^```\n(.*?)^```", page.split("# EXAMPLES")[1], re.M | re.S)
    assert len(keys) > 50 and len(examples) > 5
    for text in examples:
        pm.ini(text, raw=True)
        pm.ok("check")
    assert not keys - set(re.findall(r"^([a-z_]+)(?:\.[A-Za-z_]+)? = ", "".join(examples), re.M))
