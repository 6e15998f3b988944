# SPDX-License-Identifier: MIT
"""What tests/chaos shakes: a daemon with apps of all kinds under load, and what must hold whatever happens to it."""
import gzip
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from chaos_apps import all_apps

# The whole of pmctld.log is read; none of this may ever be in it.
FORBIDDEN = ["corrupt", "damaged", "not kept", "left alone", "descriptor table", "skipped", "assert",
             "cannot fork", "protocol error", "Sanitizer"]
FDS_MORE = 32  # crashing apps come and go; what leaks each time exceeds this soon


class Violation(Exception):
    """An invariant does not hold."""


def stat_of(pid):
    """(ppid, state, start time, name) or None."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    end = text.rindex(")")
    fields = text[end + 2:].split()
    return int(fields[1]), fields[0], int(fields[19]), text[text.index("(") + 1:end]


def kill(pid, sig):
    try:
        os.kill(pid, sig)
        return True
    except ProcessLookupError:
        return False


def free_ports(n):
    """Below the ephemeral range, so that no client gets one meanwhile."""
    found = set()
    while len(found) < n:
        number = 10000 + int.from_bytes(os.urandom(2), "big") % 20000
        with socket.socket() as s:
            try:
                s.bind(("0.0.0.0", number))
                found.add(number)
            except OSError:
                pass
    return sorted(found)


class World:
    def __init__(self, build, home, n):
        self.build = Path(build).resolve()
        self.slow = 4 if "asan" in self.build.name else 1  # deadlines only
        self.dir = Path(home or tempfile.mkdtemp(prefix="chaos", dir="/tmp")).resolve()
        self.home, self.logdir, self.counts = self.dir / "h", self.dir / "h" / "log", self.dir / "counts"
        self.counts.mkdir(parents=True)
        self.file = self.dir / "pmctl.ini"
        self.pmctl = next(self.build.glob("src/client/pmctl"))
        self.tool = lambda name: str(self.build / "tests" / "apps" / ("app-" + name))
        self.ports = free_ports(4)
        self.apps = {a.name: a for a in all_apps(self.tool("chaos-writer"), self.ports, n)}
        self.pids = {}       # app -> {slot: pid}: what runs, as last found in order
        self.restarts = {}   # (app, slot) -> restarts of those that crash
        self.orphaned = {}   # the same: up to so many restarts the exit status may be unknown
        self.others, self.procs = [], []
        self.log_at, self.log_left = 0, b""
        self.kills = 0       # of supervisors, by us
        self.last_words_lost = False  # keeper and supervisor were dead at once
        self.base = None     # descriptors of (supervisor, keeper)
        self.served, self.tolerated, self.slowest = {}, 0, 0
        self.in_hand, self.kills_before = 0, 0
        self.checked = (0, 0, 0)
        self.supervisor = self.keeper = self.since = None

    # --- the command line and the socket

    def env(self):
        san = f"log_path={self.dir}/san:"
        return {"PATH": f"{self.pmctl.parent}:{self.build}/src/daemon:/usr/local/bin:/usr/bin:/bin", "HOME": str(self.dir),
                "PMCTL_HOME": str(self.home), "UBSAN_OPTIONS": san + "print_stacktrace=1",
                # We send SIGSEGV and SIGABRT ourselves.
                "ASAN_OPTIONS": san + "detect_leaks=0:handle_segv=0:handle_abort=0:detect_stack_use_after_return=0"}

    def popen(self, *args, **kw):
        return subprocess.Popen([str(self.pmctl), *map(str, args)], cwd=self.dir, env=self.env(), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kw)

    def end_of(self, p, deadline=30):
        """(exit status, output) of a client that must end by itself."""
        try:
            return p.returncode, p.communicate(timeout=deadline * self.slow)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            p.kill()
            out = p.communicate()[0].decode(errors="replace")
            raise Violation(f"{' '.join(p.args[1:])} does not end\n{out}") from None
        finally:
            p.poll()

    def ctl(self, *args, deadline=30):
        p = self.popen(*args)
        out = self.end_of(p, deadline)[1]
        return p.returncode, out

    def ok(self, *args):
        rc, out = self.ctl(*args)
        if rc:
            raise Violation(f"pmctl {' '.join(map(str, args))}: exit {rc}\n{out}")
        return out

    def list(self):
        return {a["name"]: a for a in json.loads(self.ok("list", "--json"))["apps"]}

    def ask_ping(self, end):
        """The pid in an answer to `ping`, None if there is none."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(max(0.001, end - time.monotonic()))
            try:
                s.connect(str(self.home / "run" / "control.sock"))
                s.sendall(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
                data = b""
                while not data.endswith(b"\n"):
                    more = s.recv(4096)
                    if not more:
                        return None
                    data += more
            except OSError:
                return None
        return json.loads(data)["result"]["pid"]

    def next_supervisor(self, began, deadline=15):
        """Waits for an answer from another supervisor than the last one; milliseconds since `began`."""
        end = time.monotonic() + deadline * self.slow
        while time.monotonic() < end:
            pid = self.ask_ping(end)
            if pid and pid != self.supervisor:
                self.since = time.monotonic()
                self.supervisor = pid
                return (self.since - began) * 1000
            time.sleep(0.0005)
        raise Violation(f"no supervisor answers within {deadline * self.slow} s")

    def read_status(self):
        status = json.loads(self.ok("daemon", "status", "--json"))
        self.keeper = status["keeper_pid"]
        return status

    # --- beginning and end

    def start(self):
        keys = {"ready": "spawn", "min_uptime": "100ms", "stop_timeout": "5s", "restart_delay": "20ms",
                "restart_delay_max": "200ms", "max_restarts": 0, "env.CHAOS_COUNTS": self.counts}
        text = "[defaults]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items())
        for app in self.apps.values():
            text += app.ini()
        self.file.write_text(text)
        self.add_bystander()
        rc, out = self.ctl("start")
        if rc not in (0, 1):  # one of those that crash may do so while it waits
            raise Violation(f"pmctl start: exit {rc}\n{out}")
        self.read_status()
        self.next_supervisor(time.monotonic())
        self.add_bystander()
        self.check = self.helper(self.tool("chaos-check"), self.logdir, self.counts)
        loads = [f"{name}:{port}:{conns}:{ms}{how}" for name, port in zip(("shared", "reuse", "robin", "listen"), self.ports)
                 if name in self.apps for conns, ms, how in ((4, 15, ""), (2, 25, "c"))[name == "listen":]]
        self.load = self.helper(self.tool("chaos-load"), *loads)
        self.settle(())
        self.ok("rotate")  # opens every log file
        samples = [self.descriptors() for _ in range(10)]
        self.base = [max(column) for column in zip(*samples)]

    def helper(self, *argv):
        p = subprocess.Popen(list(map(str, argv)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.procs.append(p)
        return p

    def add_bystander(self):
        """A process that is not ours, with a pid near theirs and variables like theirs."""
        name = f"quiet{len(self.others)}"
        env = {"PMCTL_APP": name, "PMCTL_SLOT": "0", "PMCTL_ID": str(len(self.others) + 1), "PATH": "/usr/bin:/bin"}
        self.others.append(subprocess.Popen(["sleep", "1000000"], env=env, stdin=subprocess.DEVNULL,
                                            start_new_session=len(self.others) % 2 == 0))

    def finish(self):
        """Ends all; a list of what was wrong with that."""
        wrong = []
        p = self.popen("daemon", "stop")
        try:
            out = p.communicate(timeout=60 * self.slow)[0]
            wrong += [f"daemon stop: exit {p.returncode} {out!r}"] if p.returncode not in (0, 5) else []
        except subprocess.TimeoutExpired:
            p.kill()
            wrong.append("daemon stop does not end")
        end = time.monotonic() + 5 * self.slow
        while self.scan(True) and time.monotonic() < end:
            time.sleep(0.02)
        for pid, what in self.scan(True).items():
            wrong.append(f"left alive: {pid} {what}")
            kill(pid, signal.SIGKILL)
        for p in (self.keeper, self.supervisor) if wrong else ():
            kill(p, signal.SIGKILL)
        for p in self.procs + self.others:
            p.kill()
            p.wait()
        return wrong

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def log_tail(self):
        text = b"".join(p.read_bytes() for p in sorted(self.logdir.glob("pmctld.log*"), reverse=True))
        return text.decode(errors="replace")[-4000:]

    # --- what is

    def scan(self, flat=False):
        """app -> slot -> [pid], as the processes themselves tell; children of apps apart. flat: {pid: app}."""
        mark, found, all_pids = f"CHAOS_COUNTS={self.counts}\0".encode(), {}, {}
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                environ = Path(f"/proc/{name}/environ").read_bytes()
            except OSError:
                continue
            if mark not in environ:
                continue
            st = stat_of(name)
            if not st or st[1] in "ZX":
                continue
            env = dict(v.split(b"=", 1) for v in environ.split(b"\0") if b"=" in v)
            app = env[b"PMCTL_APP"].decode()
            all_pids[int(name)] = app
            if st[3] != "chaos-child":
                found.setdefault(app, {}).setdefault(int(env[b"PMCTL_SLOT"]), []).append(int(name))
        return all_pids if flat else found

    def zombies(self):
        if not self.keeper:
            return []
        kids = Path(f"/proc/{self.keeper}/task/{self.keeper}/children")
        try:
            pids = kids.read_text().split()
        except OSError:
            return []
        return [pid for pid in pids for st in [stat_of(pid)] if st and st[1] == "Z"]

    # --- what must hold

    def check_untouched(self, touched):
        """At any moment: one process a slot and the same as before, but for what was meant."""
        now = self.scan()
        for name, slots in self.pids.items():
            if name in touched or self.apps[name].crashes:
                continue
            if now.get(name) != {slot: [pid] for slot, pid in slots.items()}:
                raise Violation(f"{name}: had {slots}, now {now.get(name)}")
        for name in self.apps:
            for slot, pids in now.get(name, {}).items():
                if len(pids) > 1 and name not in touched:
                    raise Violation(f"{name}:{slot} runs {len(pids)} times: {pids}")

    def differences(self, names):
        """Where the processes are not what `pmctl list` says, or something is still under way."""
        listed, now, wrong = self.list(), self.scan(), []
        for name in set(names) | (set(now) - set(self.apps)):
            app, runs = listed.get(name), now.get(name, {})
            if name not in self.apps:
                wrong.append(f"{name} runs and is unknown: {runs}")
                continue
            says = {p["slot"]: [p["pid"]] for p in app["procs"] if p["pid"]} if app else {}
            if self.apps[name].crashes:
                wrong += [f"{name}:{slot} runs {len(pids)} times" for slot, pids in runs.items() if len(pids) > 1]
                continue
            if runs != says:
                wrong.append(f"{name}: list says {says}, there are {runs}")
            wrong += [f"{name}:{p['slot']} {p['state']}" for p in app["procs"] if p["state"] not in ("online", "stopped")] \
                if app else []
        return wrong, listed, now

    def wait_until(self, problems, deadline=20):
        end = time.monotonic() + deadline * self.slow
        while True:
            wrong = problems()
            if not wrong:
                return
            if time.monotonic() > end:
                raise Violation(f"not within {deadline * self.slow} s:\n  " + "\n  ".join(map(str, wrong)))
            time.sleep(0.01)

    def consistent(self, names):
        """Waits until these are at rest and the list tells the truth; the list's entries."""
        last = {}

        def problems():
            wrong, last["list"], last["now"] = self.differences(names)
            return wrong
        self.wait_until(problems)
        return last["list"], last["now"]

    def mend(self, app, entry):
        """What an interrupted command has left, back to what the file says."""
        if not entry:
            return self.ok("start", "-c", self.file, app.name)
        if entry["instances"] != app.slots:
            self.ok("scale", app.name, app.slots)
        if any(p["state"] == "stopped" for p in entry["procs"]):
            self.ok("start", app.name)
        return None

    def settle(self, touched, mend=False):
        """Waits until everything is as the file says; then this is what the next round begins with. mend: a client
        was killed, and what it had asked for may be begun only now."""
        last, begin = {}, time.monotonic()

        def problems():
            wrong, listed, now = self.differences(self.apps)
            last.update(listed=listed, now=now)
            for name, app in self.apps.items():
                slots = [p["slot"] for p in listed.get(name, {}).get("procs", ())]
                if slots != list(range(app.slots)):
                    wrong.append(f"{name}: slots {slots} instead of {app.slots}")
                elif not app.crashes and listed[name]["state"] != "online":
                    wrong.append(f"{name}: {listed[name]['state']}")
            for name in touched if wrong and mend and time.monotonic() > begin + 1 else ():
                self.mend(self.apps[name], listed.get(name))
            return wrong
        self.wait_until(problems)
        self.check_untouched(touched)
        self.pids = {name: {slot: pids[0] for slot, pids in last["now"][name].items()}
                     for name, app in self.apps.items() if not app.crashes}
        self.check_exits(last["listed"])
        return last["listed"]

    def orphan(self):
        """The keeper was killed: those that run now have another parent, which does not tell how they end."""
        for app in self.list().values():
            self.orphaned.update({(app["name"], p["slot"]): p["restarts"] + 1 for p in app["procs"]})

    def check_exits(self, listed):
        for app in self.apps.values():
            for p in listed[app.name]["procs"] if app.crashes else ():
                last, key = p["last_exit"], (app.name, p["slot"])
                # Its parent was killed before it ended: init took the status.
                unknown = last and last["code"] is last["signal"] is None and p["restarts"] <= self.orphaned.get(key, -1)
                if last and last["code"] != app.code and not unknown or p["restarts"] and not last:
                    raise Violation(f"{app.name}:{p['slot']} exits with {app.code}, last_exit is {last}")
                if p["restarts"] < self.restarts.get(key, 0):
                    raise Violation(f"{key}: {p['restarts']} restarts, were {self.restarts[key]}")
                self.restarts[key] = p["restarts"]

    def check_lines(self):
        self.check.stdin.write(f"{5000 * self.slow}\n")
        self.check.stdin.flush()
        wrong = []
        while True:
            line = self.check.stdout.readline()
            if line.startswith("checked"):
                self.checked = tuple(map(int, line.split()[1:]))
                break
            if not line:
                raise Violation("chaos-check died")
            wrong.append(line.rstrip())
        if self.last_words_lost:  # a pipe ends with its last descriptor: nobody had the last words of those that died
            wrong = [line for line in wrong if not (line.startswith("missing") and "(dead)" in line)]
            self.last_words_lost = False
        if wrong:
            raise Violation("lines:\n  " + "\n  ".join(wrong))

    def check_requests(self, killed):
        """A request may fail only on a process that was itself killed (which ends its connections): it is known by
        the pid of the answer before, or, where that was to be the first one, by the app."""
        self.load.stdin.write("\n")
        self.load.stdin.flush()
        wrong = []
        apps = set(killed.values())
        served = {}
        while True:
            words = self.load.stdout.readline().split(None, 4)
            if not words:
                raise Violation("chaos-load died")
            if words[0] == "end":
                break
            if words[0] == "served":
                served[words[1]] = served.get(words[1], 0) + int(words[2])
                self.slowest = max(self.slowest, int(words[3]))
            elif int(words[2]) in killed or words[2] == "0" and words[1] in apps:
                self.tolerated += 1
            elif words[1:3] == ["robin", "0"] and self.kills > self.kills_before:
                self.in_hand += 1  # accepted by the supervisor, not handed on when it was killed
            else:
                wrong.append(" ".join(words))
        self.served, self.kills_before = served, self.kills
        if wrong:
            raise Violation("requests:\n  " + "\n  ".join(wrong[:20]))

    def check_zip(self):
        """The app whose rotated files are compressed: what is left of them holds each line once."""
        def files():
            found = {}
            for path in self.logdir.glob("zip-0.out.log*"):
                number = path.name[len("zip-0.out.log"):].strip(".").removesuffix(".gz") or "0"
                if number.isdigit():
                    found.setdefault(int(number), {})[path.suffix == ".gz"] = path
            # While gzip works there are both.
            return [ways.get(False) or ways[True] for _, ways in sorted(found.items(), reverse=True)]

        def read():
            before, data = [(p, p.stat().st_ino) for p in files()], b""
            for path, inode in before:
                with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as f:
                    data += f.read()
            if [p for p in files()] != [p for p, _ in before] or before[0][0].stat().st_ino != before[0][1]:
                raise OSError("rotated meanwhile")
            return data
        if "zip" not in self.apps:
            return
        for tries in range(50):
            try:
                data = read()
                break
            except (OSError, EOFError):
                if tries == 49:
                    raise Violation("the compressed files do not come to rest") from None
                time.sleep(0.02)
        numbers = [int(line[:10]) for line in data.split(b"\n")[:-1]]
        jumps = [(a, b) for a, b in zip(numbers, numbers[1:]) if b != a + 1]
        if jumps:
            raise Violation(f"zip: lines jump: {jumps[:10]}")

    def descriptors(self):
        """Without the pidfds: a new keeper holds one of each process that is not its child."""
        return [self.descriptors_of(pid) for pid in (self.supervisor, self.keeper)]

    def descriptors_of(self, pid):
        count = 0
        for _ in range(50):  # now and then the kernel shows an empty folder
            try:
                for fd in os.listdir(f"/proc/{pid}/fd"):
                    try:
                        count += "pidfd" not in os.readlink(f"/proc/{pid}/fd/{fd}")
                    except FileNotFoundError:
                        pass  # closed meanwhile
            except OSError:
                break
            if count:
                break
        return count

    def check_descriptors(self):
        def more():
            now = self.descriptors()
            return any(n > b + FDS_MORE for n, b in zip(now, self.base)) and \
                [f"descriptors of supervisor and keeper: {now}, were {self.base}"]
        self.wait_until(more, 3)

    def check_log(self):
        """What pmctld.log says since the last time: nothing of the forbidden, no death that was not ours."""
        text = b""
        path = self.logdir / "pmctld.log"
        data = path.read_bytes()
        if len(data) < self.log_at:
            self.log_at = 0
        text = data[self.log_at:]
        self.log_at = len(data)
        wrong = [line for line in text.decode(errors="replace").splitlines() if any(f in line for f in FORBIDDEN)]
        if wrong:
            raise Violation("pmctld.log:\n  " + "\n  ".join(wrong[:20]))

    def check_rest(self):
        """Zombies, descriptors, state, bystanders, our own log, a sanitizer's reports, who supervises."""
        end, dead = time.monotonic() + 2 * self.slow, set(self.zombies())
        while dead:
            if time.monotonic() > end:
                raise Violation(f"zombies under the keeper: {dead}")
            time.sleep(0.005)
            dead &= set(self.zombies())
        self.check_descriptors()
        for path in (self.home / "state").iterdir():
            if "corrupt" in path.name or path.name.endswith(".old"):
                raise Violation(f"the state was found damaged: {path}")
        for p in self.others:
            if p.poll() is not None:
                raise Violation(f"a bystander has ended: {p.pid} {p.returncode}")
        for path in self.dir.glob("san.*"):
            raise Violation(f"sanitizer report:\n{path.read_text(errors='replace')[:6000]}")
        self.check_log()
        rc, out = self.ctl("ping", deadline=5)
        if rc or f"pid {self.supervisor}" not in out:
            raise Violation(f"ping: exit {rc}, {out!r}; the supervisor was {self.supervisor}")
