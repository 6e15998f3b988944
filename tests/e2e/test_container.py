# SPDX-License-Identifier: MIT
"""pmctld --foreground as the init of a container: orphans, signals, exit codes, the log stream."""
import fcntl
import os
import re
import signal
import subprocess
import termios

import pytest

from conftest import ASAN, SLOW, alive, app_path, descendants, read_proc, stat_of, wait_for

FOREVER = "command = sleep 1000000\nready = spawn\n"
KINDS = {"root": ["unshare", "-pf", "--mount-proc"], "user namespace": ["unshare", "-U", "-r", "-pf", "--mount-proc"]}


class Box:
    """pmctld in the foreground, with its streams; in a pid namespace of its own where `kind` is given."""

    def __init__(self, pm, args, kind=None, **kw):
        self.pm, self.kind = pm, kind
        self.out, self.err = pm.dir / "box.out", pm.dir / "box.err"
        self.out.touch()
        kw.setdefault("stdout", self.out.open("ab"))
        kw.setdefault("stderr", self.err.open("ab"))
        kw.setdefault("env", pm.env())
        self.p = subprocess.Popen([*KINDS.get(kind, []), pm.pmctld, "--foreground", *map(str, args)], cwd=pm.dir,
                                  stdin=subprocess.DEVNULL, start_new_session=True, **kw)

    def up(self):
        wait_for(lambda: self.pm.ctl("ping").rc == 0 or self.p.poll() is not None, 15, "an answer")
        assert self.p.poll() is None, self.err.read_text()
        return self

    def keeper(self):
        """Its pid out here."""
        return self.p.pid if not self.kind else wait_for(lambda: self.children(self.p.pid), 5, "the init")[0]

    @staticmethod
    def children(pid):
        return [int(c) for c in read_proc(pid, f"task/{pid}/children").split()]

    def supervisor(self):
        def find():
            return [c for c in self.children(self.keeper()) if read_proc(c, "comm") == b"pmctl-superviso\n"]
        return wait_for(find, 10, "a supervisor")[0]

    def wait_state(self, app, state, deadline=15):
        def there():
            found = [a for a in self.pm.list()["apps"] if a["name"] == app]
            return found and found[0]["state"] == state
        wait_for(there, deadline, f"{app} {state}")

    def signal(self, sig):
        os.kill(self.keeper(), sig)

    def wait(self, deadline=20):
        rc = self.p.wait(timeout=deadline * SLOW)
        return rc

    def text(self):
        return self.out.read_text(errors="replace")

    def errors(self):
        return self.err.read_text(errors="replace")

    def wait_text(self, text, deadline=10):
        return wait_for(lambda: text in self.text() and self.text(), deadline, f"{text!r} on stdout")

    def end(self):
        if self.p.poll() is None:
            below = descendants(self.p.pid)
            if self.kind:
                os.kill(self.keeper(), signal.SIGKILL)  # and all in its namespace
            else:
                self.p.kill() if self.pm.ctl("daemon", "stop", timeout=10).rc else None
            try:
                self.p.wait(timeout=20 * SLOW)
            except subprocess.TimeoutExpired:
                for pid in [self.p.pid, *below]:
                    if alive(pid):
                        os.kill(pid, signal.SIGKILL)
                self.p.wait(timeout=5)
        if self.kind:
            self.pm.socket.unlink(missing_ok=True)  # its pids mean nothing out here


@pytest.fixture
def box(pm):
    boxes = []

    def start(*args, kind=None, **kw):
        if kind and subprocess.run([*KINDS[kind], "true"], capture_output=True, timeout=10).returncode:
            pytest.skip(f"no pid namespaces here ({kind})")
        boxes.append(Box(pm, args, kind, **kw))
        return boxes[-1]
    yield start
    for b in boxes:
        b.end()


def zombies(box):
    return [pid for pid, (state, _) in descendants(box.p.pid).items() if state == "Z"]


# --- the init

@pytest.mark.parametrize("kind, supervisor, number", [("root", "away", 10000), ("user namespace", "alive", 2000)])
def test_ten_thousand_orphans(pm, box, kind, supervisor, number):
    """More than the ring of exits holds, where nobody empties it."""
    pm.ini(f"[app:o]\ncommand = {app_path('orphans')} {number}\nready = spawn\n[app:web]\n{FOREVER}"
           "[app:ends]\ncommand = sh -c 'until [ -e go ]; do sleep 0.05; done; exit 7'\nready = spawn\nautorestart = never\n")
    b = box("pmctl.ini", kind=kind).up()
    b.wait_state("ends", "online")
    pid = pm.pids("web")[0]
    if supervisor == "away":
        # As good as dead to the keeper, and stays so.
        os.kill(b.supervisor(), signal.SIGSTOP)
        wait_for(lambda: stat_of(b.supervisor())[1] == "T", 5, "the stop")
        maker = [c for c in b.children(b.keeper()) if read_proc(c, "cmdline").startswith(app_path("orphans").encode())][0]
        wait_for(lambda: b"pause" in read_proc(maker, "wchan"), 60, "the end of the orphans")
        (pm.dir / "go").touch()
        wait_for(lambda: len(zombies(b)) <= 1, 20, "all reaped, but perhaps the one whose end is of interest")
        os.kill(b.supervisor(), signal.SIGCONT)
    else:
        (pm.dir / "go").touch()
    pm.wait_log("o", f"{number} orphans", deadline=60)
    wait_for(lambda: not zombies(b), 20, "no zombies")
    b.wait_state("ends", "done")
    assert pm.proc("ends")["last_exit"]["code"] == 7
    assert pm.pids("web") == [pid] and pid < 100  # a pid in there
    b.signal(signal.SIGTERM)
    assert b.wait() == 0


def test_a_killed_supervisor_is_nothing_to_a_container(pm, box):
    pm.ini(f"[app:web]\n{FOREVER}")
    b = box("pmctl.ini", kind="root").up()
    b.wait_state("web", "online")
    pids = pm.pids("web")
    for _ in range(3):
        old = b.supervisor()
        os.kill(old, signal.SIGKILL)
        wait_for(lambda: b.supervisor() != old and pm.ctl("ping").rc == 0, 10, "the next one")
    assert pm.pids("web") == pids and pm.state("web") == "online"


def test_an_upgrade_keeps_what_was_asked_for(pm, box):
    """The init executes another program: its log stream, its policy and its code go over."""
    pm.ini("[app:job]\nready = spawn\nautorestart = never\n"
           "command = sh -c 'echo one; until [ -e go ]; do sleep 0.02; done; echo two; exit 5'\n")
    b = box("--logs", "--exit-on", "any", "pmctl.ini", kind="root").up()
    b.wait_text("job:0 | one")
    old = b.supervisor()
    pm.ok("daemon", "upgrade", pm.pmctld)
    assert b.supervisor() != old
    (pm.dir / "go").touch()
    assert b.wait() == 5
    assert b.text() == "job:0 | one\njob:0 | two\n"


@pytest.mark.parametrize("sig", ["TERM", "INT"])
def test_a_signal_from_inside_ends_the_init(pm, box, sig):
    """The kernel keeps from the init of a namespace what it does not ask for; and all the others do no harm."""
    pm.ini(f"[app:web]\ncommand = sh -c 'trap \"echo bye; exit 0\" TERM; echo up; while :; do sleep 0.05; done'\nready = spawn\n")
    b = box("pmctl.ini", "--logs", kind="root").up()
    b.wait_text("web:0 | up")
    kill = ["nsenter", "-t", str(b.keeper()), "-p", "kill"]
    acts = {signal.SIGTERM, signal.SIGINT, signal.SIGUSR2}
    if ASAN:  # a sanitizer does ask for these
        acts |= {signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT}
    for other in sorted(signal.valid_signals() - acts):
        subprocess.run([*kill, f"-{int(other)}", "1"], timeout=10)
    pm.ok("list")
    subprocess.run([*kill, f"-{sig}", "1"], timeout=10)  # its namespace may end before it does
    assert b.wait() == 0
    assert b.text().count("web:0 | bye\n") == 1


def test_signals_stop_all_in_order_and_in_time(pm, box):
    """`after` the other way round; a second signal does not wait for stop_timeout."""
    talks = "command = sh -c 'trap \"echo end; exit 0\" TERM; echo up; while :; do sleep 0.02; done'\nready = spawn\n"
    pm.ini(f"[app:db]\n{talks}[app:web]\nafter = db\n{talks}[app:edge]\nafter = web\n{talks}")
    b = box("pmctl.ini", "--logs").up()
    for app in ("db", "web", "edge"):
        b.wait_text(f"{app}:0 | up")
    b.signal(signal.SIGTERM)
    assert b.wait() == 0
    assert re.findall(r"(\w+):0 \| end", b.text()) == ["edge", "web", "db"]


def test_a_second_signal_is_faster(pm, box):
    pm.ini(f"[app:web]\ncommand = {app_path('stubborn')}\nready = spawn\nstop_timeout = 50s\n", raw=True)
    b = box("pmctl.ini").up()
    pm.wait_log("web", "stubborn")
    b.signal(signal.SIGINT)
    wait_for(lambda: pm.state("web") == "stopping", 5, "the stop")

    def gone():  # pressed as fast as may be
        if b.p.poll() is None:
            b.signal(signal.SIGINT)
        return b.p.poll() is not None
    wait_for(gone, 20, "the end")
    assert b.wait() == 0


# --- which code it ends with

ENDS = "ready = spawn\nautorestart = never\ncommand = "


@pytest.mark.parametrize("policy, apps, code", [
    ("any", f"[app:web]\n{FOREVER}[app:job]\n{ENDS}sh -c 'exit 3'\n", 3),
    ("any", f"[app:web]\n{FOREVER}[app:job]\n{ENDS}true\n", 0),
    ("any", f"[app:web]\n{FOREVER}[app:job]\n{ENDS}sh -c 'kill -KILL $$'\n", 137),
    ("any", f"[app:web]\n{FOREVER}[app:job]\n{ENDS}/no/such/program\n", 1),
    ("any", f"[app:web]\n{FOREVER}[app:job]\nmax_restarts = 1\nrestart_delay = 10ms\ncommand = sh -c 'exit 4'\n", 4),
    ("any", f"[app:web]\n{FOREVER}[app:job]\ninstances = 2\n{ENDS}sh -c 'exit $PMCTL_SLOT'\n", 1),
    ("all", f"[app:a]\n{ENDS}true\n[app:b]\n{ENDS}sh -c 'sleep 0.3; exit 6'\n[app:c]\n{ENDS}sh -c 'sleep 0.1; exit 5'\n", 5),
    ("all", f"[app:a]\n{ENDS}true\n[app:b]\n{ENDS}sleep 0.1\n", 0),
    ("all", "[app:a]\nautorestart = never\ncommand = sh -c 'exit 2'\n[app:b]\nafter = a\n" + FOREVER, 2),
])
def test_exit_on(pm, box, policy, apps, code):
    pm.ini(apps)
    b = box("--exit-on", policy, "pmctl.ini")
    assert b.wait() == code, b.errors()
    assert f"(--exit-on {policy})" in b.errors()
    assert not pm.socket.exists()


def test_what_does_not_end_it(pm, box):
    """An app that an operator stopped, or that may come again, has not ended for good."""
    pm.ini(f"[app:web]\n{FOREVER}[app:other]\n{FOREVER}[app:cron]\ncron_restart = 0 0 1 1 *\n{ENDS}true\n"
           f"[app:again]\ncommand = sh -c 'sleep 0.1; exit 1'\nready = spawn\nmax_restarts = 0\n")
    b = box("--exit-on", "any", "pmctl.ini").up()
    b.wait_state("cron", "done")
    wait_for(lambda: pm.app("again")["restarts"] > 1, 10, "restarts")
    pm.ok("stop", "web")
    pm.ok("delete", "cron")
    pm.ok("restart", "other")
    assert b.p.poll() is None and pm.state("other") == "online"
    old = b.supervisor()
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: b.supervisor() != old and pm.ctl("ping").rc == 0, 10, "the next supervisor")
    assert b.p.poll() is None


def test_exit_on_over_the_death_of_a_supervisor(pm, box):
    """What ended while nobody looked ends it all the same, and what ended before is not forgotten."""
    pm.ini(f"[app:one]\n{ENDS}sh -c 'exit 5'\n[app:two]\n{ENDS}sh -c 'until [ -e go ]; do sleep 0.02; done; exit 6'\n")
    b = box("--exit-on", "all", "pmctl.ini").up()
    b.wait_state("one", "done")
    b.wait_state("two", "online")
    sup = b.supervisor()
    os.kill(sup, signal.SIGSTOP)
    (pm.dir / "go").touch()
    app = [c for c in b.children(b.keeper()) if b"until" in read_proc(c, "cmdline")]
    wait_for(lambda: not any(alive(c) for c in app), 5, "the end of two")
    os.kill(sup, signal.SIGKILL)
    assert b.wait() == 5, b.errors()


# --- what it runs

def test_a_list_that_is_refused_is_the_containers_end(pm, box):
    pm.ini("[app:web]\ncommand = sleep 1\nnosuchkey = 1\n")
    b = box("pmctl.ini")
    assert b.wait() == 7 and "pmctl.ini:" in b.errors() and "nosuchkey" in b.errors()
    b = box("nosuch.ini")
    assert b.wait() == 7 and "nosuch.ini" in b.errors()
    b = box("--", "nosuchprogram")
    assert b.wait() == 1 and "nosuchprogram" in b.errors()


def test_a_command(pm, box):
    b = box("--logs", "--exit-on", "any", "--", "sh", "-c", "echo \"$1 $2\"; exec sleep 1000000", "x", "--logs", "two words")
    b.wait_text("sh:0 | --logs two words\n")
    b.wait_state("sh", "online")
    b.signal(signal.SIGTERM)
    assert b.wait() == 0


@pytest.mark.parametrize("passed", [True, False])
def test_the_containers_variables(pm, box, passed):
    """Only when asked for; the list outranks them, and ours are never passed."""
    more = {"TOKEN": "t", "MODE": "container", "NOTIFY_SOCKET": "/x", "PMCTL_SECRET": "1", "HOME": "/elsewhere"}
    pm.ini(f"[app:web]\n{FOREVER}env.MODE = list\n")
    b = box("pmctl.ini", *(["--pass-env"] if passed else []), env=pm.env(more)).up()
    b.wait_state("web", "online")
    env = dict(e.split("=", 1) for e in read_proc(pm.pids("web")[0], "environ").decode().split("\0") if e)
    assert env["MODE"] == "list" and env.get("TOKEN") == ("t" if passed else None)
    assert not {"NOTIFY_SOCKET", "PMCTL_SECRET", "PMCTL_HOME", "PMCTL_FOLLOWER"} & set(env) and env["HOME"] != "/elsewhere"


def test_misuse(pm, box):
    for args in (["--exit-on", "sometimes"], ["a.ini", "b.ini"], ["a.ini", "--", "true"], ["--"], ["--nosuch"]):
        b = box(*args)
        assert b.wait() == 2 and b.errors(), args
    for args in (["--logs"], ["--pass-env"], ["--exit-on", "any"], ["pmctl.ini"], ["--", "true"]):
        p = subprocess.run([pm.pmctld, *args], env=pm.env(), capture_output=True, timeout=20)
        assert p.returncode == 2 and p.stderr, args
    assert not pm.home.exists()


def test_the_list_counts_and_not_what_an_earlier_life_wanted(pm, box):
    pm.ini(f"[app:web]\n{FOREVER}env.VERSION = one\n[app:gone]\n{FOREVER}")
    b = box("pmctl.ini").up()
    b.wait_state("gone", "online")
    b.signal(signal.SIGTERM)
    assert b.wait() == 0
    pm.ini(f"[app:web]\n{FOREVER}env.VERSION = two\n")
    b = box("pmctl.ini").up()
    wait_for(lambda: pm.app("web")["state"] == "online", 10, "web")
    assert "VERSION=two" in pm.ok("env", "web", "--reveal").out
    assert pm.state("gone") == "stopped"
    b.signal(signal.SIGTERM)
    assert b.wait() == 0
    # Without a list it is the state that counts.
    b = box().up()
    b.wait_state("web", "online")
    assert pm.state("gone") == "stopped"


# --- the log stream

def test_the_stream_is_complete_over_deaths_of_the_supervisor(pm, box):
    """Each line once, in order, on the stream it was written to; also what is said at the very end."""
    pm.ini(f"""
        [app:w]
        instances = 2
        ready = spawn
        command = sh -c 'trap "echo last; echo lasterr >&2; exit 0" TERM; i=0; while :; do i=$((i+1)); echo $i; echo e$i >&2; sleep 0.005; done'
        """)
    b = box("pmctl.ini", "--logs").up()
    b.wait_text("w:1 | 20\n")
    for n in (100, 200):
        os.kill(b.supervisor(), signal.SIGKILL)
        for slot in (0, 1):
            b.wait_text(f"w:{slot} | {n}\n", 30)
    b.signal(signal.SIGTERM)
    assert b.wait() == 0
    for slot in (0, 1):
        for text, prefix, end in ((b.text(), "", "last"), (b.errors(), "e", "lasterr")):
            lines = re.findall(rf"^w:{slot} \| (.*)$", text, re.M)
            assert lines[-1] == end, lines[-3:]
            numbers = [line for line in lines[:-1] if line != "Terminated"]
            assert numbers == [f"{prefix}{i}" for i in range(1, len(numbers) + 1)] and len(numbers) >= 200
    assert "e1" not in b.text()


def test_what_a_line_looks_like(pm, box):
    """Bytes pass as they are; a line that is not ended is, before another's and at the end."""
    pm.ini("[app:a]\nready = spawn\ncommand = sh -c 'printf \"\\033[31mred\\377\\r\\nhalf\"; exec sleep 1000000'\n"
           "[app:b]\nready = spawn\nafter = a\ncommand = sh -c 'echo whole; printf end; exec sleep 1000000'\n")
    b = box("pmctl.ini", "--logs").up()
    b.wait_text("a:0 | half\n")  # after a second without its end
    b.signal(signal.SIGTERM)
    assert b.wait() == 0
    raw = b.out.read_bytes()
    assert b"a:0 | \033[31mred\377\r\n" in raw
    assert sorted(raw.splitlines(keepends=True)[1:]) == [b"a:0 | half\n", b"b:0 | end\n", b"b:0 | whole\n"]


def test_lines_of_an_earlier_life_are_not_repeated(pm, box):
    pm.ini("[app:a]\nready = spawn\ncommand = sh -c 'echo life $(cat n); exec sleep 1000000'\n")
    for n in (1, 2):
        (pm.dir / "n").write_text(str(n))
        b = box("pmctl.ini", "--logs").up()
        b.wait_text(f"life {n}\n")
        b.signal(signal.SIGTERM)
        assert b.wait() == 0
    assert b.text() == "a:0 | life 1\na:0 | life 2\n"  # one file for both


def test_a_reader_that_is_too_slow_costs_no_app_anything(pm, box):
    """What is left out is counted to the byte."""
    total, size = 30000, 1000
    (pm.dir / "flood.py").write_text(
        f"import sys, time\nfor i in range({total}):\n    sys.stdout.write(str(i).ljust({size - 1}) + chr(10))\n"
        "sys.stdout.flush()\nprint('done', file=sys.stderr, flush=True)\ntime.sleep(1000000)\n")
    pm.ini("[app:flood]\nready = spawn\nlog_max_size = 4M\nlog_keep = 20\nscript = flood.py\n")
    r, w = os.pipe()
    os.set_blocking(r, False)
    b = box("pmctl.ini", "--logs", stdout=w)
    os.close(w)
    b.up()
    pm.wait_log("flood", "done", stream="err", deadline=30)  # it never waits for whoever reads
    follower = next(c for c in b.children(b.keeper()) if b"__follow" in read_proc(c, "cmdline"))

    oldest = max(pm.logdir.glob("flood-0.out.log.[0-9]"), key=lambda path: path.name)

    def has_looked():
        """It holds on to all, or has left out the first file already: it cannot have come through that."""
        names = {os.readlink(f"/proc/{follower}/fd/{fd}") for fd in os.listdir(f"/proc/{follower}/fd")}
        held = [n for n in names if "flood-0.out.log" in n and not n.endswith(".idx")]
        waiting = int.from_bytes(fcntl.ioctl(r, termios.FIONREAD, bytes(4)), "little")
        return waiting > 60000 and stat_of(follower)[1] == "S" and (len(held) > 4 or held and str(oldest) not in held)
    wait_for(has_looked, 10, "a look at how far behind it is")
    data = bytearray()

    def read():
        try:
            while piece := os.read(r, 1 << 20):
                data.extend(piece)
        except BlockingIOError:
            return False
        return True
    # Only now somebody reads.
    wait_for(lambda: read() or f"flood:0 | {total - 1} ".encode() in data, 30, "the last line")
    b.signal(signal.SIGTERM)
    wait_for(lambda: read() and b.p.poll() is not None, 20, "the end")
    assert b.wait() == 0
    os.close(r)
    skipped = [int(n) for n in re.findall(rb"flood:0 \| \[pmctl: (\d+) bytes not shown: whoever reads this is too slow\]", data)]
    shown = re.findall(rb"^flood:0 \| (\d+) *$", data, re.M)
    assert skipped, (len(shown), len(data), re.findall(rb".*\[pmctl.*", data), shown[:3], shown[-3:])
    assert len(shown) * size + sum(skipped) == total * size
    assert [int(n) for n in shown] == sorted(map(int, shown)) and len(set(shown)) == len(shown)


def test_a_closed_stdout_is_told_on_stderr(pm, box):
    pm.ini("[app:a]\nready = spawn\ncommand = sh -c 'while :; do echo out; echo err >&2; sleep 0.02; done'\n")
    r, w = os.pipe()
    b = box("pmctl.ini", "--logs", stdout=w)
    os.close(w)
    assert os.read(r, 100)
    os.close(r)
    wait_for(lambda: "standard output is closed" in b.errors(), 10, "a word")
    size = len(b.errors())
    wait_for(lambda: "a:0 | err\n" in b.errors()[size:], 10, "the other stream")
    assert b.errors().count("standard output is closed") == 1
    assert pm.state("a") == "online"
    b.signal(signal.SIGTERM)
    assert b.wait() == 0
