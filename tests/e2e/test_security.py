# SPDX-License-Identifier: MIT
"""What another uid, an app, or a file that somebody else prepared can do to us: nothing (SECURITY in pmctld(8))."""
import json
import os
import resource
import signal
import socket
import stat
import subprocess
import textwrap

import pytest

from conftest import SLOW, alive, read_proc, wait_for

NOBODY = 65534
root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
QUIET = "[app:web]\ncommand = sleep 1000000\nready = spawn\n"

# What the app is, as itself sees it. Run by the interpreter below, so that nothing of ours is in between.
SELF = """
import json, os, resource
status = dict(l.split(":\\t", 1) for l in open("/proc/self/status").read().splitlines() if ":\\t" in l)
fds = {n: os.readlink("/proc/self/fd/" + n) for n in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + n)}
mask = os.umask(0)
print(json.dumps({
    "status": {k: v.split() for k, v in status.items()},
    "fds": {n: t for n, t in fds.items() if not t.startswith("/proc/")},
    "env": dict(os.environ), "cwd": os.getcwd(), "umask": mask, "nice": os.nice(0),
    "uids": os.getresuid(), "gids": os.getresgid(), "groups": os.getgroups(),
    "oom": open("/proc/self/oom_score_adj").read().strip(),
    "tty": open("/proc/self/stat").read().rsplit(")", 1)[1].split()[4],
    "session": os.getsid(0) == os.getpid(), "personality": open("/proc/self/personality").read().strip(),
    "limits": {n: resource.getrlimit(getattr(resource, n)) for n in dir(resource) if n.startswith("RLIMIT_")}}), flush=True)
import time
time.sleep(1000000)
"""


def as_nobody(code, *args, env=None):
    """Python by the attacker; what it prints."""
    p = subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "/usr/bin/python3", "-c",
                        textwrap.dedent(code), *map(str, args)], capture_output=True, text=True, timeout=30, cwd="/", env=env)
    assert p.returncode == 0, p.stderr
    return p.stdout.strip()


def supervisor_and_keeper(pm):
    d = pm.daemon()
    return d["pid"], d["keeper_pid"]


def modes_below(path):
    return {str(p.relative_to(path)): stat.S_IMODE(p.lstat().st_mode) for p in path.rglob("*")}


# --- what we create

def test_the_mode_of_every_file(pm):
    """Whatever umask we are started with."""
    subprocess.run([pm.pmctld], env=pm.env(), preexec_fn=lambda: os.umask(0), timeout=30 * SLOW, check=True)
    pm.up("[app:web]\ncommand = sh -c 'echo one; echo two >&2; exec sleep 1000000'\nready = spawn\n"
          "[app:tell]\ncommand = sleep 1000000\nready = notify\nready_timeout = 60s\n", "-c", "pmctl.ini", "web")
    pm.popen("start", "-c", "pmctl.ini", "tell")
    pm.wait_log("web", "one")
    pm.wait_log("web", "two", stream="err")
    pm.ok("rotate", "web")
    pm.ok("save")
    wait_for(lambda: list((pm.home / "run" / "notify").glob("*.sock")), 10, "a notify socket")
    modes = modes_below(pm.home)
    dirs = {"run": 0o700, "state": 0o700, "log": 0o750, "run/notify": 0o700}
    for name, mode in modes.items():
        want = dirs.get(name) or (0o640 if name.startswith("log/") else 0o600)
        assert mode == want, f"{name} has mode {mode:04o}, not {want:04o}"
    assert stat.S_IMODE(pm.home.stat().st_mode) == 0o700
    for name in ("run/control.sock", "state/state", "state/pmctld.lock", "log/pmctld.log", "log/web-0.out.log.1",
                 "log/web-0.out.log.1.idx", *dirs):
        assert name in modes, name


def test_closed_standard_descriptors_cost_nothing(pm):
    """The lock would be descriptor 2, and gone with it."""
    subprocess.run(["/bin/sh", "-c", 'exec "$0" <&- >&- 2>&-', pm.pmctld], env=pm.env(), timeout=30, check=True)
    sup, keeper = supervisor_and_keeper(pm)
    r = subprocess.run([pm.pmctld], env=pm.env(), capture_output=True, text=True, timeout=30 * SLOW)
    assert r.returncode == 1 and f"runs already (pid {keeper}" in r.stderr, r


def test_values_of_variables_are_masked(pm):
    pm.up("[app:web]\ncommand = sleep 1000000\nready = spawn\nenv.TOKEN = tiger-lily\n")
    for words in (["env", "web"], ["env", "web", "--json"], ["show", "web"], ["show", "web", "--json"], ["jlist"],
                  ["list", "--json"], ["why", "web"], ["events", "--json"], ["daemon", "status", "--json"]):
        r = pm.ok(*words)
        assert "tiger-lily" not in r.out + r.err, words
    assert "TOKEN=***" in pm.ok("env", "web").out
    assert "TOKEN=tiger-lily" in pm.ok("env", "web", "--reveal").out
    assert "tiger-lily" not in pm.daemon_log()


# --- another uid

@root
def test_another_uid_finds_nothing(pm):
    pm.up(QUIET)
    found = as_nobody("""
        import os, socket, sys
        home = sys.argv[1]
        def got(what, *args):
            try:
                what(*args)
                print(what.__name__, args)
            except PermissionError:
                pass
        s = socket.socket(socket.AF_UNIX)
        got(s.connect, home + "/run/control.sock")
        for name in ("", "/run", "/state", "/log"):
            got(os.listdir, home + name)
        for name in ("/state/state", "/state/events.jsonl", "/log/pmctld.log", "/state/pmctld.lock"):
            got(open, home + name)
        for pid in sys.argv[2:]:
            got(os.kill, int(pid), 9)
            got(open, f"/proc/{pid}/environ")
            got(os.listdir, f"/proc/{pid}/fd")
            got(open, f"/proc/{pid}/mem")
        """, pm.home, *supervisor_and_keeper(pm))
    assert found == "", found


@root
def test_the_peer_is_checked_even_when_the_doors_are_open(pm):
    pm.up(QUIET)
    for path, mode in ((pm.home, 0o755), (pm.home / "run", 0o755), (pm.socket, 0o777)):
        path.chmod(mode)
    said = as_nobody("""
        import socket, sys
        for _ in range(20):
            s = socket.socket(socket.AF_UNIX)
            s.connect(sys.argv[1])
            try:
                s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"list"}\\n')
                data = s.recv(65536)
            except (BrokenPipeError, ConnectionResetError):
                data = b""
            print(data.decode(), end="")
        """, pm.socket)
    assert said == ""
    assert f"uid {NOBODY} refused" in pm.daemon_log()
    r = subprocess.run([pm.pmctl, "list"], env=pm.env(), user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True,
                       text=True, cwd="/", timeout=30)
    assert r.returncode in (5, 6) and "web" not in r.stdout, r
    assert pm.state("web") == "online"


@root
def test_a_client_tells_nothing_to_a_daemon_of_somebody_else(pm):
    """A socket where ours should be, by somebody who could put it there."""
    run = pm.home / "run"
    run.mkdir(parents=True)
    pm.home.chmod(0o755)
    s = socket.socket(socket.AF_UNIX)
    s.bind(str(pm.socket))
    pm.socket.chmod(0o777)
    os.setresuid(12345, 12345, 0)
    s.listen()
    os.setresuid(0, 0, 0)
    pm.ini(QUIET)
    for words in (["list"], ["start", "-c", pm.ini_path]):
        r = subprocess.run([pm.pmctl, *words], env=pm.env(), user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True,
                           text=True, cwd="/", timeout=30)
        assert r.returncode == 6 and "is served by uid 12345" in r.stderr, r
    s.close()
    pm.socket.unlink()


@root
def test_a_fake_sign_of_life_does_not_count(pm):
    """Of another app with the same uid, over a socket that it may well reach."""
    send = ("import os,socket,sys,time;a=sys.argv[1];"
            "s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM);s.sendto(b'READY=1\\nSTATUS=forged',a);print('sent',flush=True);"
            "time.sleep(1000000)")
    pm.ini(f"[defaults]\nuser = {NOBODY}\ngroup = {NOBODY}\nready_timeout = 60s\nstop_timeout = 2s\n"
           "[app:victim]\ncommand = sleep 1000000\nready = notify\n")
    pm.dir.chmod(0o755)
    p = pm.popen("start")
    pid = wait_for(lambda: pm.socket.exists() and pm.list()["apps"] and pm.pids("victim")[0], 10, "the victim")
    pm.home.chmod(0o711)
    env = wait_for(lambda: b"NOTIFY_SOCKET" in read_proc(pid, "environ") and read_proc(pid, "environ"), 5, "its environment")
    path = dict(e.split(b"=", 1) for e in env.split(b"\0") if e)[b"NOTIFY_SOCKET"].decode()
    (pm.dir / "forge.py").write_text(send)
    pm.ini(f"[app:forger]\ncommand = /usr/bin/python3 forge.py {path}\nuser = {NOBODY}\ngroup = {NOBODY}\nready = spawn\n", "b.ini")
    pm.ok("start", "b.ini")
    pm.wait_log("forger", "sent")
    pm.ok("list")  # whatever came before this has been read
    assert pm.state("victim") == "starting"
    assert "forged" not in pm.ok("show", "victim").out
    pm.ok("stop", "victim")
    p.wait(timeout=20 * SLOW)


# --- what was prepared for us

@pytest.mark.parametrize("name", ["run", "state", "log"])
def test_a_link_in_place_of_a_directory_is_refused(pm, name):
    elsewhere = pm.dir / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    pm.home.mkdir(mode=0o700)
    (pm.home / name).symlink_to(elsewhere)
    r = pm.ctl("daemon", "start")
    assert r.rc != 0 and "symbolic link" in r.err and str(pm.home / name) in r.err, r
    assert not list(elsewhere.iterdir())


@pytest.mark.parametrize("name", ["run", "state", "log"])
def test_a_directory_open_to_others_is_refused(pm, name):
    (pm.home / name).mkdir(parents=True)
    (pm.home / name).chmod(0o777)
    r = pm.fails(6, "daemon", "start")
    assert "writable by others" in r.err and f"fix: chmod {'750' if name == 'log' else '700'} {pm.home / name}" in r.err, r


@root
def test_a_home_below_somebody_elses_directory_is_refused(pm):
    theirs = pm.dir / "theirs"
    theirs.mkdir()
    os.chown(theirs, NOBODY, NOBODY)
    r = pm.fails(6, "daemon", "start", env={"PMCTL_HOME": str(theirs / "h")})
    assert f"directory {theirs} belongs to uid {NOBODY}" in r.err and "fix:" in r.err, r
    assert not list(theirs.iterdir())


@root
@pytest.mark.parametrize("what", ["owner", "mode", "directory", "included", "included owner"])
def test_root_takes_no_app_list_from_others(pm, what):
    folder = pm.dir / "conf"
    folder.mkdir()
    path = culprit = pm.ini(QUIET, "conf/pmctl.ini")
    if what.startswith("included"):
        culprit = folder / "more.ini"
        culprit.write_text("[app:more]\ncommand = sleep 1\n")
        pm.ini("[pmctl]\ninclude = more.ini\n" + QUIET, "conf/pmctl.ini", raw=True)
    if what.endswith("owner"):
        os.chown(culprit, NOBODY, NOBODY)
        fix = f"chown root {culprit}"
    elif what == "directory":
        culprit = folder
        culprit.chmod(0o777)
        fix = f"chmod go-w {culprit}"
    else:
        culprit.chmod(0o664)
        fix = f"chmod go-w {culprit}"
    for words in (["start", "-c", path], ["check", path]):
        r = pm.ctl(*words)
        assert r.rc in (6, 7) and fix in r.err, r
    assert not pm.socket.exists()


@root
@pytest.mark.parametrize("what", ["owner", "mode", "directory", "user"])
def test_root_takes_no_variables_from_others(pm, what):
    folder = pm.dir / "conf"
    folder.mkdir()
    path = folder / "vars"
    path.write_text("LD_PRELOAD=/tmp/evil.so\n")
    if what == "owner":
        os.chown(path, NOBODY, NOBODY)
    elif what == "directory":
        os.chown(folder, NOBODY, NOBODY)
    else:
        path.chmod(0o666)
    user = f"user = {NOBODY}\ngroup = {NOBODY}\n" if what == "user" else ""
    pm.ini("[app:web]\ncommand = sleep 1000000\nready = spawn\nenv_file = conf/vars\nautorestart = never\n" + user)
    r = pm.fails(1, "start")
    assert "cannot start web:0: read env_file" in r.out + r.err and "fix: ch" in r.out + r.err, r
    for p, mode in ((folder, 0o755), (path, 0o644)):
        os.chown(p, 0, 0)
        p.chmod(mode)
    path.write_text("A=1\n")
    pm.ok("start")


@root
def test_a_program_of_somebody_else_is_told(pm):
    for name, uid, mode in (("good", 0, 0o755), ("theirs", NOBODY, 0o755), ("open", 0, 0o775)):
        (pm.dir / name).write_text("#!/bin/sh\nexec sleep 1000000\n")
        os.chown(pm.dir / name, uid, 0)
        (pm.dir / name).chmod(mode)
    pm.ini("[defaults]\nready = spawn\nstop_timeout = 2s\n[app:a]\nscript = good\n[app:b]\nscript = theirs\n"
           f"[app:c]\ncommand = ./open\n[app:d]\nscript = theirs\nuser = {NOBODY}\ngroup = {NOBODY}\n")
    for words in (["check"], ["start"]):
        warned = [line for line in pm.ok(*words).err.splitlines() if "warning" in line]
        assert len(warned) == 2, warned
        assert "b runs as root" in warned[0] and "belongs to uid 65534" in warned[0]
        assert "c runs as root" in warned[1] and f"chmod go-w {pm.dir}/open" in warned[1]


# --- log files where an app's user can rename them

def theirs(pm):
    folder = pm.dir / "theirs"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    return folder


def talker(pm, log, more="", user=NOBODY):
    return pm.ini(f"[app:talk]\ncommand = sh -c 'echo hello; exec sleep 1000000'\nready = spawn\nlog_out = {log}\nlog_err = none\n"
                  f"user = {user}\ngroup = {user}\n{more}")


@root
def test_a_log_in_the_users_directory_is_made_by_that_user(pm):
    folder = theirs(pm) / "sub"
    folder.mkdir()
    os.chown(folder, NOBODY, NOBODY)
    talker(pm, folder / "x.log")
    pm.ok("start")
    wait_for(lambda: (folder / "x.log").read_bytes() == b"hello\n", 5, "the line")
    pm.ok("rotate")
    pm.ok("restart", "talk")
    wait_for(lambda: (folder / "x.log").read_bytes() == b"hello\n", 5, "the line of the next process")
    for name in ("x.log", "x.log.idx", "x.log.1", "x.log.1.idx"):
        st = (folder / name).stat()
        assert (st.st_uid, st.st_gid, stat.S_IMODE(st.st_mode)) == (NOBODY, NOBODY, 0o640), name
    # Nor is anything removed elsewhere because a name leads there now.
    precious = pm.dir / "precious"
    precious.mkdir()
    for name in ("x.log", "x.log.1"):
        (precious / name).write_text("precious")
    folder.rename(folder.parent / "away")
    folder.symlink_to(precious)
    pm.ok("flush")
    pm.fails(6, "rotate")
    assert {p.name: p.read_text() for p in precious.iterdir()} == {"x.log": "precious", "x.log.1": "precious"}


@root
@pytest.mark.parametrize("trap", ["directory", "link", "hard link", "fifo"])
def test_a_log_that_leads_elsewhere_is_refused(pm, trap):
    folder, goal = theirs(pm), pm.dir / "goal"
    goal.mkdir()
    (goal / "precious").write_text("precious")
    log = folder / "x.log"
    if trap == "directory":
        (folder / "sub").symlink_to(goal)
        log = folder / "sub" / "x.log"
    elif trap == "link":
        log.symlink_to(goal / "x.log")
    elif trap == "hard link":
        os.link(goal / "precious", log)
    else:
        os.mkfifo(log)
        os.chown(log, NOBODY, NOBODY)
    talker(pm, log, "autorestart = never\n")
    r = pm.fails(1, "start")
    assert "log file" in r.out + r.err, r
    assert [p.name for p in goal.iterdir()] == ["precious"] and (goal / "precious").read_text() == "precious"


@root
def test_root_logs_nothing_where_others_can_rename(pm):
    folder = theirs(pm)
    talker(pm, folder / "x.log", "autorestart = never\n", user=0)
    r = pm.fails(1, "start")
    assert "is refused" in r.out + r.err and f"belongs to uid {NOBODY}" in r.out + r.err, r
    assert not list(folder.iterdir())


@root
def test_gzip_works_as_the_user_too(pm):
    folder = theirs(pm)
    talker(pm, folder / "x.log", "log_compress = yes\n")
    pm.ok("start")
    wait_for(lambda: (folder / "x.log").exists() and (folder / "x.log").stat().st_size, 5, "the line")
    pm.ok("rotate")
    zipped = folder / "x.log.1.gz"
    wait_for(lambda: zipped.exists() and not (folder / "x.log.1").exists(), 10, "the compressed file")
    assert zipped.stat().st_uid == NOBODY


# --- what an app is given, and what is kept from it

def odd_start():
    """A caller that leaves much lying about."""
    os.setsid()
    os.umask(0o077)
    for sig in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGPIPE, signal.SIGALRM, signal.SIGTTOU, signal.SIGCHLD,
                signal.SIGRTMIN + 3):
        signal.signal(sig, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    resource.setrlimit(resource.RLIMIT_CORE, (12345, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    r, w = os.pipe()
    for fd in (r, w, os.open("/dev/null", os.O_RDONLY), os.open("/", os.O_RDONLY)):
        os.set_inheritable(fd, True)


@pytest.mark.parametrize("user", [pytest.param(NOBODY, marks=root), None])
def test_an_app_gets_what_is_documented_and_nothing_else(pm, user):
    env = {k: v for k, v in pm.env({"SECRET": "tiger", "LD_LIBRARY_PATH": "/x", "PMCTL_SECRET": "1", "NODE_OPTIONS": "-x",
                                    "LISTEN_FDS": "3", "INVOCATION_ID": "1", "XDG_SESSION_ID": "1"}).items() if v}
    env["ASAN_OPTIONS"] += ":disable_coredump=0"  # else a sanitizer has set that limit before us
    limits = {n: list(resource.getrlimit(getattr(resource, n))) for n in dir(resource) if n.startswith("RLIMIT_")}
    limits["RLIMIT_CORE"][0] = 12345
    # subprocess calls preexec_fn in the child; close_fds would take away what it opened
    subprocess.run([pm.pmctld], env=env, preexec_fn=odd_start, close_fds=False, timeout=30 * SLOW, check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (pm.dir / "self.py").write_text(SELF)
    who = f"user = {user}\ngroup = {user}\n" if user else ""
    pm.up(f"[app:me]\ncommand = /usr/bin/python3 -I self.py\nready = spawn\n{who}")
    me = json.loads(pm.wait_log("me", b"\n"))
    uid, gid = (user, user) if user else (os.getuid(), os.getgid())
    assert me["uids"] == [uid] * 3 and me["gids"] == [gid] * 3
    st = me["status"]
    assert st["Uid"] == [str(uid)] * 4 and st["Gid"] == [str(gid)] * 4
    for caps in ("CapInh", "CapAmb") + (("CapPrm", "CapEff") if uid else ()):
        assert int(st[caps][0], 16) == 0, caps
    assert me["groups"] == ([gid] if user else os.getgroups())
    assert st["NoNewPrivs"] == ["0"] and st["Seccomp"] == ["0"]
    for mask in ("SigBlk", "SigIgn", "SigPnd", "ShdPnd"):
        # The interpreter itself ignores SIGPIPE and SIGXFSZ.
        own = 1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1 if mask == "SigIgn" else 0
        assert int(st[mask][0], 16) & ~own == 0, mask
    assert set(me["fds"]) == {"0", "1", "2"} and me["fds"]["0"] == "/dev/null", me["fds"]
    assert me["cwd"] == str(pm.dir) and me["umask"] == 0o022 and me["nice"] == os.nice(0)
    assert me["oom"] == open("/proc/self/oom_score_adj").read().strip()
    assert me["tty"] == "0" and me["session"] and me["personality"] == "00000000"
    assert {n: list(v) for n, v in me["limits"].items()} == limits
    allowed = {"PATH", "HOME", "USER", "SHELL", "LANG", "TZ", "NODE_APP_INSTANCE", "PMCTL_APP", "PMCTL_SLOT", "PMCTL_ID"}
    extra = {n for n in me["env"] if n not in allowed and not n.startswith("LC_")}
    assert not extra, extra


def test_no_core_dumps_of_ours(pm):
    """Environments are in that memory. And apps have their limit back: above."""
    pm.up(QUIET)
    sup, keeper = supervisor_and_keeper(pm)
    for pid in (sup, keeper):
        core = next(line for line in read_proc(pid, "limits").decode().splitlines() if "core file" in line)
        assert core.split()[4] == "0", core
        # Not dumpable: root owns what is in /proc about it, also where it is an ordinary user's.
        assert os.stat(f"/proc/{pid}/environ").st_uid == 0
        if os.geteuid() != 0:
            with pytest.raises(PermissionError):
                open(f"/proc/{pid}/environ", "rb").read()
    app = pm.pids("web")
    os.kill(sup, signal.SIGSEGV)
    wait_for(lambda: pm.daemon()["pid"] not in (None, sup), 10, "the next supervisor")
    assert pm.pids("web") == app and alive(keeper)
    assert not list(pm.dir.rglob("core*"))
