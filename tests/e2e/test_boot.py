# SPDX-License-Identifier: MIT
"""startup and unstartup: the unit for systemd, with a fake systemctl and, where that is possible, a real manager."""
import os
import shutil
import signal
import subprocess

import pytest

from conftest import alive, wait_for

SLEEPER = "[app:s]\ncommand = sleep 1000000\nready = spawn\n"


class Boot:
    """A folder of fake programs in front of PATH, and where the unit of a user goes."""

    def __init__(self, pm):
        self.pm = pm
        self.bin = pm.dir / "bin"
        self.bin.mkdir()
        self.calls_file = pm.dir / "calls"
        self.config = pm.dir / "config"
        self.unit = self.config / "systemd" / "user" / "pmctld.service"
        self.fake("systemctl", 'case " $* " in *" is-active "*) echo inactive; exit 3 ;; esac')

    def fake(self, name, then="exit 0"):
        path = self.bin / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>{self.calls_file}\n{then}\n')
        path.chmod(0o755)

    def env(self, **more):
        return {"PATH": f"{self.bin}:{self.pm.env()['PATH']}", "XDG_CONFIG_HOME": str(self.config), **more}

    def ok(self, *args, **more):
        return self.pm.ok(*args, env=self.env(**more))

    def fails(self, rc, *args, **more):
        return self.pm.fails(rc, *args, env=self.env(**more))

    def calls(self):
        text = self.calls_file.read_text() if self.calls_file.exists() else ""
        self.calls_file.write_text("")
        return text.splitlines()


@pytest.fixture
def boot(pm):
    return Boot(pm)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_the_unit_is_shown_looked_at_written_and_enabled(boot):
    boot.fake("systemd-analyze")
    r = boot.ok("startup", "--user")
    text = boot.unit.read_text()
    assert text in r.out and r.out.startswith(f"# {boot.unit}\n") and r.out.endswith("written, verified, enabled\n")
    assert oct(boot.unit.stat().st_mode)[-3:] == "644"
    assert [p.name for p in boot.unit.parent.iterdir()] == ["pmctld.service"]
    calls = boot.calls()
    assert calls[0] == "systemctl --user show --property=Version"
    assert calls[1].startswith("systemd-analyze verify --man=no --user /") and calls[1].endswith(".service")
    assert calls[2:4] == ["systemctl --user daemon-reload", "systemctl --user enable pmctld.service"]
    for line in ("Type=notify", "NotifyAccess=main", "Delegate=yes", "OOMPolicy=continue", "KillMode=process",
                 f"ExecStart={boot.pm.pmctld} --foreground", f"ExecReload={boot.pm.pmctl} daemon upgrade",
                 f"Environment=PMCTL_HOME={boot.pm.home}", "WantedBy=default.target"):
        assert line + "\n" in text, line
    assert str(boot.bin) in text  # of PATH: the apps need it
    assert "systemctl --user start pmctld" in r.err
    assert boot.ok("startup", "--user").out.endswith("is there already, enabled\n")
    assert not boot.pm.home.exists(), "it must not start a daemon"


def test_a_unit_that_somebody_edited_is_left_alone(boot):
    boot.ok("startup", "--user")
    boot.unit.write_text(boot.unit.read_text().replace("5min", "9min"))
    boot.calls()
    r = boot.fails(1, "startup", "--user")
    assert "not as pmctl wrote it" in r.err and "--force" in r.err and "9min" in boot.unit.read_text()
    assert not [c for c in boot.calls() if "enable" in c or "reload" in c]
    r = boot.ok("unstartup", "--user")
    assert "left where it is" in r.out and boot.unit.exists()
    assert boot.ok("startup", "--user", "--force").out.endswith("replaced, enabled\n")
    assert "9min" not in boot.unit.read_text()


def test_a_masked_unit_is_left_alone(boot):
    boot.unit.parent.mkdir(parents=True)
    boot.unit.symlink_to("/dev/null")
    boot.fails(1, "startup", "--user")
    assert os.readlink(boot.unit) == "/dev/null"


def test_a_unit_of_an_earlier_pmctl_is_replaced(boot):
    boot.unit.parent.mkdir(parents=True)
    old = "[Service]\nExecStart=/old/pmctld\n"
    boot.unit.write_text(f"# Written by pmctl startup, checksum {crc32c(old.encode()):08x}.\n{old}")
    boot.ok("startup", "--user")
    assert "/old/" not in boot.unit.read_text()


def test_what_systemd_analyze_refuses_is_not_installed(boot):
    boot.fake("systemd-analyze", 'echo "pmctld-new.service:3: says no"; exit 1')
    r = boot.fails(1, "startup", "--user")
    assert "nothing was installed" in r.err and "says no" in r.err
    assert not list(boot.unit.parent.iterdir())


@pytest.mark.parametrize("how", ["missing", "elsewhere", "silent"])
def test_without_systemd_nothing_is_done_and_the_remedy_told(boot, how):
    more = {}
    if how == "missing":
        (boot.bin / "systemctl").unlink()
        more["PATH"] = str(boot.bin)
    elif how == "elsewhere":
        boot.fake("systemctl", 'echo "System has not been booted with systemd as init system (PID 1)"; exit 1')
    else:
        boot.fake("systemctl", "kill -9 $$")
    r = boot.fails(1, "startup", "--user", **more)
    assert "system" in r.err and "pmctld.openrc" in r.err and "pmctld.runit" in r.err and "--print" in r.err
    assert not boot.config.exists() and not r.out


def test_a_user_without_a_manager_is_told_how_to_get_one(boot):
    boot.fake("systemctl", '[ "$1" != --user ] || { echo "Failed to connect to bus"; exit 1; }')
    r = boot.fails(1, "startup", "--user")
    assert "Failed to connect to bus" in r.err and "enable-linger" in r.err and "openrc" not in r.err


def test_an_enable_that_fails_is_a_failure(boot):
    boot.fake("systemctl", 'case " $* " in *" enable "*) echo "Access denied"; exit 1 ;; esac')
    assert "systemctl enable failed: Access denied" in boot.fails(1, "startup", "--user").err


def test_unstartup_takes_it_away(boot):
    boot.ok("startup", "--user")
    boot.calls()
    assert "removed; what runs now runs on" in boot.ok("unstartup", "--user").out
    assert not boot.unit.exists()
    assert boot.calls()[1:] == ["systemctl --user disable pmctld.service", "systemctl --user daemon-reload"]
    assert "there is no unit" in boot.ok("unstartup", "--user").err


def test_misuse(boot):
    boot.fails(2, "startup", "--user", "--system")
    boot.fails(2, "startup", "--root", "relative")
    boot.fails(2, "startup", "web")


def test_json(boot):
    r = boot.ok("startup", "--user", "--json").json()
    assert r["v"] == 1 and r["unit"] == str(boot.unit) and r["file"] == "written" and r["enabled"]


@pytest.mark.parametrize("kind", ["--user", "--system"])
@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
def test_the_real_systemd_analyze_has_nothing_to_say(boot, kind):
    home = boot.pm.dir / "home of 100% $USER's"
    unit = boot.pm.dir / "pmctld.service"
    unit.write_text(boot.ok("startup", "--print", kind, PMCTL_HOME=str(home)).out)
    p = subprocess.run(["systemd-analyze", "verify", "--man=no", *(["--user"] if kind == "--user" else []), unit],
                       capture_output=True, text=True, timeout=60,
                       env={"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(boot.pm.dir)})
    assert p.returncode == 0 and "pmctld" not in p.stdout + p.stderr, p


@pytest.mark.skipif(not shutil.which("systemctl"), reason="no systemctl")
def test_an_image(boot):
    """--root with the real systemctl, which needs nothing that runs for that."""
    (boot.bin / "systemctl").unlink()
    root = boot.pm.dir / "root"
    boot.ok("startup", "--root", root)
    unit = root / "etc/systemd/system/pmctld.service"
    wants = unit.parent / "multi-user.target.wants" / "pmctld.service"
    assert "WantedBy=multi-user.target" in unit.read_text() and wants.is_symlink()
    boot.ok("unstartup", "--root", root)
    assert not unit.exists() and not wants.is_symlink()
    # One that came with a package is only enabled.
    vendor = root / "usr/lib/systemd/system/pmctld.service"
    vendor.parent.mkdir(parents=True)
    vendor.write_text(boot.ok("startup", "--print", "--system").out.split("\n", 1)[1])
    assert f"\n{vendor} came with the package" in boot.ok("startup", "--root", root).out
    assert not unit.exists() and wants.is_symlink()
    assert f"{vendor} no longer started at boot" in boot.ok("unstartup", "--root", root).out
    assert vendor.exists() and not wants.is_symlink()


class Manager:
    """A systemd of this test's own, for the user we are; it wants to see that the machine runs systemd."""

    SCRIPT = "mount -t tmpfs none /run/systemd && mkdir /run/systemd/system && exec /lib/systemd/systemd --user"

    def __init__(self, pm):
        self.pm = pm
        self.env = {"XDG_RUNTIME_DIR": str(pm.dir / "xdg"), "XDG_CONFIG_HOME": str(pm.dir / "config")}
        units = pm.dir / "config" / "systemd" / "user"
        for d in (pm.dir / "xdg", units):
            d.mkdir(parents=True)
        (pm.dir / "xdg").chmod(0o700)
        (units / "nothing.target").write_text("[Unit]\nDescription=Nothing\n")
        self.proc = subprocess.Popen(["unshare", "-m", "sh", "-c", self.SCRIPT + " --unit=nothing.target"],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                     env={**pm.env(self.env), "SYSTEMD_LOG_TARGET": "console"})

    def ctl(self, *args):
        return subprocess.run(["systemctl", "--user", *args], capture_output=True, text=True, timeout=60,
                              env=self.pm.env(self.env))

    def answers(self):
        try:
            wait_for(lambda: self.ctl("show", "--property=Version").returncode == 0, 5)
            return True
        except AssertionError:
            return False

    def show(self):
        out = self.ctl("show", "pmctld", "--property=MainPID,ActiveState,SubState,Result").stdout
        return dict(line.split("=", 1) for line in out.splitlines())

    def serves(self):
        """The unit runs, and its main process is the keeper that answers."""
        def look():
            r, s = self.pm.ctl("daemon", "status", "--json"), self.show()
            return r.rc == 0 and s.get("SubState") == "running" and s["MainPID"] == str(r.json()["keeper_pid"])
        wait_for(look, 15, f"the unit: {self.show()}")

    def end(self):
        self.ctl("stop", "pmctld")
        self.proc.kill()
        self.proc.wait()


@pytest.fixture
def manager(pm):
    if os.geteuid() != 0 or not shutil.which("systemctl") or not os.path.exists("/lib/systemd/systemd") \
            or not os.path.isdir("/run/systemd"):
        pytest.skip("no systemd that could be run here")
    pm.home = pm.dir / "h 100% of $USER's"  # in the unit, and must come out of it again
    pm.socket, pm.logdir = pm.home / "run" / "control.sock", pm.home / "log"
    m = Manager(pm)
    if not m.answers():
        m.end()
        pytest.skip("systemd does not run here")
    yield m
    m.end()


def test_a_real_manager(pm, manager):
    pm.ini(SLEEPER)
    r = pm.ok("startup", "--user", env=manager.env)
    assert "enabled" in r.out and manager.ctl("is-enabled", "pmctld").stdout == "enabled\n"
    assert manager.ctl("start", "pmctld").returncode == 0
    manager.serves()
    pm.ok("start")
    pid = pm.proc("s")["pid"]

    # Reload is an upgrade in place.
    assert manager.ctl("reload", "pmctld").returncode == 0
    assert "done" in pm.ok("daemon", "status").out
    manager.serves()

    # Whoever is killed: no app is, and the unit goes on.
    for _ in range(2):
        pm.notice()
        os.kill(pm.daemon()["keeper_pid"], signal.SIGKILL)
        wait_for(lambda: pm.ctl("ping").rc == 0, 10)
        manager.serves()
    pm.kill_both()
    manager.serves()
    assert pm.proc("s")["pid"] == pid and manager.show()["Result"] == "success"

    # Stop stops, and what was wanted comes back.
    assert manager.ctl("stop", "pmctld").returncode == 0
    assert manager.show()["ActiveState"] == "inactive" and not alive(pid)
    assert manager.ctl("start", "pmctld").returncode == 0
    wait_for(lambda: pm.state("s") == "online", 15)
    pid = pm.proc("s")["pid"]
    assert manager.ctl("restart", "pmctld").returncode == 0
    wait_for(lambda: pm.state("s") == "online", 15)
    assert pm.proc("s")["pid"] != pid and not alive(pid)

    # An end that was asked for is none that is repaired.
    pm.ok("daemon", "stop")
    wait_for(lambda: manager.show()["ActiveState"] == "inactive", 10)


def test_an_app_does_not_speak_for_the_service(pm, manager):
    """It is in the control group of the unit: WATCHDOG=trigger would kill the keeper, STOPPING=1 end the service."""
    (pm.dir / "evil.py").write_text(
        "import socket, sys, time\ns = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\ns.connect(sys.argv[1])\n"
        "s.send(b'STATUS=mine')\ns.send(b'STOPPING=1')\nprint('sent', flush=True)\ntime.sleep(1e6)\n")
    pm.ini(f"[app:evil]\ncommand = python3 evil.py {manager.env['XDG_RUNTIME_DIR']}/systemd/notify\nready = spawn\n")
    pm.ok("startup", "--user", env=manager.env)
    assert manager.ctl("start", "pmctld").returncode == 0
    manager.serves()
    pm.ok("start")
    pm.wait_log("evil", "sent")
    assert manager.ctl("show", "pmctld", "--property=StatusText").stdout == "StatusText=\n"
    manager.serves()


def test_a_daemon_that_runs_already_becomes_the_service(pm, manager):
    """Started by hand, in nobody's unit; root may give it to the manager."""
    pm.ini(SLEEPER)
    pm.ok("start")
    pid = pm.proc("s")["pid"]
    pm.ok("startup", "--user", env=manager.env)
    assert manager.ctl("start", "pmctld").returncode == 0
    manager.serves()
    assert pm.proc("s")["pid"] == pid
