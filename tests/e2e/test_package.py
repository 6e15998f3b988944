# SPDX-License-Identifier: MIT
"""What meson installs, and the Debian package made of it."""
import os
import re
import shutil
import subprocess

import pytest

from conftest import BUILD, ROOT, SLOW, alive, program, wait_for

SLEEPER = "[app:s]\ncommand = sleep 1000000\nready = spawn\n"
LIBEXEC = ("pmctl-exec", "pmctl-monit", "graceful.cjs")


def run(*argv, **kw):
    p = subprocess.run([str(a) for a in argv], capture_output=True, text=True, timeout=kw.pop("timeout", 60) * SLOW, **kw)
    assert p.returncode == 0, (p.args, p.stdout[-3000:], p.stderr[-3000:])
    return p.stdout


def files(root):
    return {str(p.relative_to(root)) for p in root.rglob("*") if not p.is_dir()}


def check_works(pm, prefix):
    """All of it finds its parts from where it is now, and not from where it was built."""
    pm.pmctl, pm.pmctld = prefix / "bin" / "pmctl", prefix / "bin" / "pmctld"
    pm.env = lambda extra=None, env=pm.env: {**env(extra), "PATH": f"{prefix}/bin:/usr/bin:/bin", **(extra or {})}
    pm.up(SLEEPER)
    status = pm.ok("daemon", "status", "--json").json()
    assert status["program"] == str(pm.pmctld)
    assert pm.state("s") == "online"
    # The dashboard's own program: it refuses this terminal, after it was found.
    r = pm.ctl("monit", env={"TERM": "dumb"})
    assert r.rc == 2 and "cannot execute" not in r.err, r
    pm.ok("check", "-c", prefix / "share" / "pmctl" / "pmctl.ini")
    unit = (prefix / "lib" / "systemd" / "system" / "pmctld.service").read_text()
    assert "@" not in unit and re.search(r"^ExecStart=/usr/(local/)?bin/pmctld --foreground$", unit, re.M)


COMMON = {"bin/pmctl", "bin/pmctld", *(f"libexec/pmctl/{f}" for f in LIBEXEC),
          "lib/systemd/system/pmctld.service", "lib/systemd/user/pmctld.service",
          "share/bash-completion/completions/pmctl",
          "share/pmctl/pmctl.ini", "share/pmctl/pmctld.openrc", "share/pmctl/pmctld.runit"}
PAGES = ("man1/pmctl.1", "man5/pmctl.ini.5", "man7/pmctl-protocol.7", "man8/pmctld.8")


@pytest.mark.skipif(not shutil.which("meson"), reason="no meson")
def test_meson_install(pm):
    dest = pm.dir / "dest"
    run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", env={**os.environ, "DESTDIR": str(dest)})
    prefix = dest / "usr" / "local"
    if not prefix.is_dir():
        pytest.skip("built with a prefix of its own")
    there = files(prefix)
    pages = {f"share/man/{p}" for p in PAGES if shutil.which("scdoc")}
    assert COMMON | pages | {"share/doc/pmctl/LICENSE"} <= there
    assert not {f for f in there if "test" in f or f.endswith((".a", ".h"))}, there
    for name in there:
        executable = name.startswith(("bin/", "libexec/")) and not name.endswith(".cjs") or "openrc" in name or "runit" in name
        assert oct((prefix / name).stat().st_mode)[-3:] == ("755" if executable else "644"), name
    for sample in ("openrc", "runit"):
        assert "/usr/local/bin/pmctld" in (prefix / "share" / "pmctl" / f"pmctld.{sample}").read_text()
    run("sh", "-n", prefix / "share" / "pmctl" / "pmctld.runit")
    check_works(pm, prefix)


def test_the_package_is_built_with_what_the_build_needs():
    """conf/deps is what the tests were built with; what is not named in control is not there on a machine that builds packages."""
    deps = (ROOT / "conf" / "deps").read_text().split("build)")[1].split("packages+=(")[1].split(")")[0].split()
    control = (ROOT / "conf" / "debian" / "control").read_text().split("Build-Depends:")[1].split("Standards-Version")[0]
    named = set(re.findall(r"[a-z0-9.+-]+", control))
    assert not {d for d in deps if d.startswith("lib") and d != "libc6-dev" or d in ("meson", "scdoc", "musl-tools")} - named


@pytest.mark.skipif(not shutil.which("mandoc"), reason="no mandoc")
@pytest.mark.parametrize("page", PAGES)
def test_manual_pages_are_clean(page):
    file = BUILD / "man" / page.split("/")[1]
    if not file.exists():
        pytest.skip("built without scdoc")
    assert run("mandoc", "-T", "lint", "-W", "all", file) == ""


@pytest.mark.parametrize("script", ["pmctl.postinst", "pmctl.prerm", "pmctl.postrm", "build"])
def test_scripts_can_be_read(script):
    run("bash" if script == "build" else "sh", "-n", ROOT / "conf" / "debian" / script)


def test_the_package_upgrades_daemons_in_place(pm):
    """postinst after a new file took the place of the one that runs: apps live on, and the daemon is the new one."""
    root = pm.dir / "root"
    for folder, names in (("usr/bin", ("pmctl", "pmctld")), ("usr/libexec/pmctl", ("pmctl-exec",))):
        (root / folder).mkdir(parents=True)
        for name in names:
            shutil.copy(program(name), root / folder)
    pm.pmctl, pm.pmctld = root / "usr/bin/pmctl", root / "usr/bin/pmctld"
    pm.up(SLEEPER)
    before, pid = pm.daemon(), pm.proc("s")["pid"]
    shutil.copy(pm.pmctld, pm.dir / "new")
    os.rename(pm.dir / "new", pm.pmctld)
    env = {**os.environ, "DPKG_ROOT": str(root)}
    postinst = ROOT / "conf" / "debian" / "pmctl.postinst"
    assert run("sh", postinst, "configure", env=env) == ""  # the first installation
    out = run("sh", postinst, "configure", "0.0.9", env=env)
    assert f"keeper {before['keeper_pid']}," in out and out.count("\n") == 1

    def upgraded():
        r = pm.ctl("daemon", "status", "--json")
        return r.rc == 0 and (r.json()["upgrade"] or {}).get("state") == "done" and r.json()
    after = wait_for(upgraded, 20, "the upgrade")
    assert after["pid"] != before["pid"] and after["keeper_pid"] == before["keeper_pid"]
    assert pm.proc("s")["pid"] == pid and alive(pid)
    if os.geteuid() == 0:
        exe = os.stat(f"/proc/{after['keeper_pid']}/exe")
        assert exe.st_ino == pm.pmctld.stat().st_ino


def test_a_purge_leaves_a_daemon_that_runs(pm):
    root = pm.dir / "root"
    state, log = root / "var/lib/pmctl", root / "var/log/pmctl"
    for d in (state, log):
        d.mkdir(parents=True)
    (state / "pmctld.lock").write_text("1\n")
    env = {**os.environ, "DPKG_ROOT": str(root)}
    postrm = ROOT / "conf" / "debian" / "pmctl.postrm"
    run("sh", postrm, "remove", env=env)
    assert state.exists()
    with subprocess.Popen(["flock", state / "pmctld.lock", "cat"], stdin=subprocess.PIPE) as p:
        wait_for(lambda: subprocess.run(["flock", "-n", state / "pmctld.lock", "true"], check=False).returncode)
        run("sh", postrm, "purge", env=env)
        assert state.exists() and log.exists()
        p.stdin.close()
    run("sh", postrm, "purge", env=env)
    assert not state.exists() and not log.exists()


def test_the_debian_package(pm):
    """Built from the tree, unpacked, run from there. Takes minutes: with PMCTL_TEST_PACKAGE=1 only."""
    if not os.environ.get("PMCTL_TEST_PACKAGE"):
        pytest.skip("PMCTL_TEST_PACKAGE is not set")
    if not shutil.which("dh") or not shutil.which("dpkg-buildpackage"):
        pytest.skip("no debhelper")
    deps = ("libmicrohttpd-dev", "musl-tools", "scdoc", "meson", "libev-dev", "libinih-dev")
    if subprocess.run(["dpkg-query", "-W", *deps], capture_output=True, check=False).returncode:
        pytest.skip("packages to build with are missing: conf/deps build")
    env = {**os.environ, "DEB_BUILD_OPTIONS": "noautodbgsym parallel=2"}
    run(ROOT / "conf" / "debian" / "build", pm.dir, env=env, timeout=300)
    [deb] = pm.dir.glob("*.deb")
    root = pm.dir / "root"
    run("dpkg-deb", "-x", deb, root)
    there = files(root)
    assert {f"usr/{f}" for f in COMMON} | {f"usr/share/man/{p}.gz" for p in PAGES} <= there
    assert {"usr/share/doc/pmctl/copyright", "usr/share/doc/pmctl/README.md.gz"} <= there
    assert {f.split("/")[0] for f in there} == {"usr"}  # no configuration file of ours, nothing to be started
    control = run("dpkg-deb", "-I", deb)
    assert "postinst" in control and re.search(r"Depends: .*libev4.*libinih1.*libjansson4", control)
    assert not re.search("enable|invoke-rc.d|systemctl (start|restart)|deb-systemd",
                         run("dpkg-deb", "-I", deb, "postinst") + run("dpkg-deb", "-I", deb, "prerm"))
    if shutil.which("lintian"):
        p = subprocess.run(["lintian", "--allow-root", deb], capture_output=True, text=True, timeout=120 * SLOW, check=False)
        assert not p.stdout and p.returncode == 0, p
    check_works(pm, root / "usr")
