# SPDX-License-Identifier: MIT
"""The process managers, each behind the same few methods and in a directory of its own."""
import json
import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path

from frame import BUILD, ROOT, Failed, bare, is_gone, numbers, run, wait_for


class App:
    """What to run. `keys` are for pmctl.ini only."""

    def __init__(self, name, argv, count=1, env=None, keys=None, node=False):
        self.name, self.argv, self.count = name, list(map(str, argv)), count
        self.env, self.keys, self.node = env or {}, keys or {}, node


class Manager:
    """start() is the command that starts apps; returns the milliseconds it took as a whole process."""

    def __init__(self, tmp):
        self.dir = Path(tmp) / self.name
        self.dir.mkdir()
        self.env = {k: os.environ[k] for k in ("HOME", "PATH", "USER", "LANG") if k in os.environ}
        self.is_up = False

    def reload(self, name):
        """(exit code, what it said)"""
        p = subprocess.run([*self.program, "reload", name], env=self.env, cwd=self.dir, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
        return p.returncode, p.stdout

    def command(self, *args, timeout=120):
        return run([*self.program, *args], env=self.env, cwd=self.dir, timeout=timeout)

    def timed(self, *args):
        text = run([bare("stopwatch"), 1, *self.program, *args], env=self.env, cwd=self.dir)
        return numbers(text)[0] / 1e6

    def log(self, name):
        """The log file of the first instance's output."""
        return self.dir / f"{name}.out"


class Pmctl(Manager):
    name = "ours"

    def __init__(self, tmp):
        super().__init__(tmp)
        paths = {p.name: p for p in BUILD.glob("src/*/pmct*") if p.is_file() and os.access(p, os.X_OK)}
        if not {"pmctl", "pmctld"} <= paths.keys():
            raise Failed(f"no pmctl and pmctld in {BUILD}")
        self.program = [paths["pmctl"]]
        self.env["PATH"] = f"{paths['pmctl'].parent}:{paths['pmctld'].parent}:{self.env.get('PATH', '')}"
        self.env["PMCTL_HOME"] = str(self.dir / "home")
        self.keeper = None

    def up(self):
        self.is_up = True
        self.command("daemon", "start")
        self.keeper = self.pids()[0]

    def pids(self):
        d = self.state()["daemon"]
        return [d["keeper_pid"], d["pid"]]

    def state(self):
        return json.loads(self.command("list", "--json"))

    def app_pids(self, name):
        app = next(a for a in self.state()["apps"] if a["name"] == name)
        return [p["pid"] for p in app["procs"]]

    def killed(self, name):
        """How many instances had to be killed so far, of the last 1,000 events."""
        return self.command("events", name, "-n", "1000").count("still there after")

    def start(self, *apps):
        text = ""
        for a in apps:
            text += f"[app:{a.name}]\n"
            if a.node:
                text += f"script = {a.argv[0]}\n"
            else:
                text += f"command = {shlex.join(a.argv)}\n"
            text += f"instances = {a.count}\n" if a.node or a.count > 1 else ""
            text += "".join(f"env.{k} = {v}\n" for k, v in a.env.items())
            text += "".join(f"{k} = {v}\n" for k, v in a.keys.items())
        file = self.dir / "pmctl.ini"
        file.write_text(text)
        return self.timed("start", file)

    def log(self, name):
        return self.dir / "home" / "log" / f"{name}-0.out.log"

    def delete(self, *names):
        self.command("delete", *names)

    def down(self):
        if self.is_up:
            self.command("daemon", "stop")
            wait_for(lambda: not self.keeper or is_gone(self.keeper), "the end of pmctld")
            self.is_up = False


class Pm2(Manager):
    """`node` is what it runs itself on, and so all its clusters."""
    name = "pm2"

    def __init__(self, tmp, node=None):
        super().__init__(tmp)
        self.program = [find_pm2()]
        self.env["PM2_HOME"] = str(self.dir / "home")
        if node:
            self.env["PATH"] = f"{Path(node).parent}:{self.env['PATH']}"

    def up(self):
        self.is_up = True
        self.command("ping")

    def pids(self):
        return [int((self.dir / "home" / "pm2.pid").read_text())]

    def app_pids(self, name):
        text = self.command("jlist")
        return [p["pid"] for p in json.loads(text[text.index("[{"):]) if p["name"] == name]

    def start(self, *apps):
        out = []
        for a in apps:
            out.append({"name": a.name, "script": a.argv[0], "args": a.argv[1:], "env": a.env, "instances": a.count,
                        "out_file": str(self.log(a.name)), "error_file": str(self.dir / (a.name + ".err")),
                        "merge_logs": True, "vizion": False, "exec_mode": "cluster" if a.node else "fork"})
            if not a.node:
                out[-1]["interpreter"] = "none"
        file = self.dir / "apps.json"
        file.write_text(json.dumps({"apps": out}))
        return self.timed("start", file)

    def delete(self, *names):
        self.command("delete", *names)

    def down(self):
        if self.is_up:
            self.command("kill")
            self.is_up = False


class Supervisord(Manager):
    name = "supervisord"

    def __init__(self, tmp):
        super().__init__(tmp)
        self.conf = self.dir / "supervisord.conf"
        self.program = [shutil.which("supervisorctl"), "-c", self.conf]
        if "PYTHONPATH" in os.environ:
            self.env["PYTHONPATH"] = os.environ["PYTHONPATH"]
        self.process = None
        self.apps = {}

    def write(self):
        d = self.dir
        text = (f"[unix_http_server]\nfile={d}/sock\n[supervisord]\nlogfile={d}/log\npidfile={d}/pid\nminfds=10000\n"
                f"childlogdir={d}\n[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory = "
                f"supervisor.rpcinterface:make_main_rpcinterface\n[supervisorctl]\nserverurl=unix://{d}/sock\n")
        for a in self.apps.values():
            env = ",".join(f'{k}="{v}"' for k, v in a.env.items())
            out = self.log(a.name) if a.count == 1 else "AUTO"
            text += (f"[program:{a.name}]\ncommand={shlex.join(a.argv)}\nenvironment={env}\nnumprocs={a.count}\n"
                     f"process_name=%(program_name)s_%(process_num)d\nstdout_logfile={out}\n"
                     "stdout_logfile_maxbytes=0\nstopsignal=KILL\n")
        self.conf.write_text(text)

    def up(self):
        self.is_up = True
        self.write()
        self.process = subprocess.Popen([shutil.which("supervisord"), "-n", "-c", self.conf], env=self.env,
                                        cwd=self.dir, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        wait_for((self.dir / "sock").exists, "supervisord's socket")
        time.sleep(0.2)

    def pids(self):
        return [self.process.pid]

    def start(self, *apps):
        self.apps.update({a.name: a for a in apps})
        self.write()
        return self.timed("update")

    def delete(self, *names):
        for name in names:
            del self.apps[name]
        self.write()
        self.command("update")

    def down(self):
        if self.is_up:
            self.process.terminate()
            self.process.wait(60)
            self.is_up = False


def find_pm2():
    local = ROOT / "build" / "npm" / "pm2" / "node_modules" / ".bin" / "pm2"
    return shutil.which("pm2") or (str(local) if local.exists() else None)


def rivals():
    """Those that are installed."""
    found = []
    if find_pm2() and shutil.which("node"):
        found.append(Pm2)
    if shutil.which("supervisord") and shutil.which("supervisorctl"):
        found.append(Supervisord)
    return found
