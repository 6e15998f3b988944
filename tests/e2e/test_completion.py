# SPDX-License-Identifier: MIT
"""Completion, as each shell uses it."""
import os
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import termios
import time

import pytest

from conftest import ROOT, SLOW

SCRIPT = ROOT / "completions" / "pmctl.bash"
TWO = ("[app:web]\ncommand = sleep 1000000\nready = spawn\nnamespace = shop\n"
       "[app:worker]\ncommand = sleep 1000000\nready = spawn\nnamespace = shop\n")
PROFILES = "[app:a]\ncommand = sleep 1\n[app:a@prod]\nnice = 1\n[defaults@staging]\nnice = 2\n"


def complete(pm, *words, cwd=None):
    """What is offered for the last word."""
    text = " ".join(map(shlex.quote, words))
    program = (f"source {SCRIPT}; COMP_WORDS=({text}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _pmctl; "
               'printf "%s\\n" "${COMPREPLY[@]}"')
    p = subprocess.run(["bash", "--norc", "-c", program], capture_output=True, text=True, env=pm.env(),
                       cwd=cwd or pm.dir, timeout=30)
    assert p.returncode == 0 and not p.stderr, p
    return set(p.stdout.split())


def test_commands(pm):
    assert {"start", "stop", "logs", "daemon"} <= complete(pm, "pmctl", "")
    assert complete(pm, "pmctl", "rel") == {"reload"}
    assert not pm.home.exists(), "completion must not start a daemon"


def test_options(pm):
    assert {"--follow", "--lines", "--json"} <= complete(pm, "pmctl", "logs", "--")
    assert "--memory-max" in complete(pm, "pmctl", "start", "--mem")
    assert "--follow" not in complete(pm, "pmctl", "stop", "--")


def test_names_of_known_apps(pm):
    pm.up(TWO)
    assert {"web", "worker"} <= complete(pm, "pmctl", "stop", "w")
    assert complete(pm, "pmctl", "restart", "wo") == {"worker"}
    assert {"web", "worker"} <= complete(pm, "pmctl", "logs", "-f", "w")


def test_names_of_the_file_without_a_daemon(pm):
    pm.ini("[app:fromfile]\ncommand = sleep 1\n")
    assert "fromfile" in complete(pm, "pmctl", "start", "from")
    (pm.dir / "other.ini").write_text(PROFILES)
    assert complete(pm, "pmctl", "-c", "other.ini", "stop", "") == {"a"}
    assert complete(pm, "pmctl", "plan", "--config", "=", "other.ini", "--env", "") == {"prod", "staging"}
    assert not complete(pm, "pmctl", "-c", "nowhere.ini", "stop", "") - {""}
    assert not pm.home.exists()


def test_signals_and_daemon_words(pm):
    assert "SIGUSR2" in complete(pm, "pmctl", "signal", "SIGU")
    assert {"start", "stop", "status"} <= complete(pm, "pmctl", "daemon", "")


# --- fish

def fish_rows(pm, line, **env):
    p = subprocess.run(["fish", "--no-config", "-c", f"source {ROOT}/completions/pmctl.fish; complete -C {shlex.quote(line)}"],
                       capture_output=True, text=True, cwd=pm.dir, timeout=30 * SLOW,
                       env={**pm.env(), "PATH": f"{pm.pmctl.parent}:{os.environ['PATH']}", **env})
    assert p.returncode == 0 and not p.stderr, p
    return dict(row.split("\t") if "\t" in row else (row, "") for row in p.stdout.splitlines())


def fish(pm, line, **env):
    return set(fish_rows(pm, line, **env))


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
def test_fish(pm):
    pm.up(TWO)
    assert fish(pm, "pmctl rel") == {"reload"}
    assert "--follow" in fish(pm, "pmctl logs --f") and "--follow" not in fish(pm, "pmctl stop --")
    assert "--json" in fish(pm, "pmctl list --j")
    assert fish_rows(pm, "pmctl stop wo") == {"worker": "online"}
    assert {"web", "worker"} <= fish(pm, "pmctl -c x logs ")
    assert fish(pm, "pmctl stop @") == {"@shop"}
    assert {"start", "upgrade"} <= fish(pm, "pmctl daemon ")
    assert "SIGUSR2" in fish(pm, "pmctl signal SIGU")
    (pm.dir / "other list.ini").write_text(PROFILES)
    assert fish(pm, "pmctl -c 'other list.ini' plan --env ") == {"prod", "staging"}
    assert fish(pm, "pmctl start a.js --mode ") == {"auto", "fork", "cluster"}
    assert "other list.ini" in fish(pm, "pmctl -c oth")


# --- bash and zsh, as typed

class Typed:
    """An interactive shell on a pseudo terminal."""

    START = {"bash": (["bash", "--norc", "--noprofile", "-i"],
                      "bind 'set enable-bracketed-paste off'; bind 'set bell-style none'; "
                      "bind 'set completion-query-items 0'; bind 'set page-completions off'; source %s/completions/pmctl.bash"),
             "zsh": (["zsh", "-f", "-i"], "autoload -Uz compinit; compinit -u -D; source %s/completions/_pmctl")}

    def __init__(self, pm, shell, **env):
        argv, setup = self.START[shell]
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(pm.dir)
            env = {**pm.env(), "PATH": f"{pm.pmctl.parent}:{os.environ['PATH']}", "TERM": "dumb", **env}
            os.execvpe(argv[0], argv, env)
        termios.tcsetwinsize(self.fd, (24, 250))
        self.text = ""
        self.until("[%#$] $")
        self.type(f"PS1='R''EADY> '; {setup % ROOT}\n")
        self.until("READY> $")

    def type(self, text):
        os.write(self.fd, text.encode())

    def until(self, pattern):
        end = time.monotonic() + 20 * SLOW
        while not re.search(pattern, self.text):
            assert select.select([self.fd], [], [], max(0, end - time.monotonic()))[0], self.text
            text = os.read(self.fd, 65536).decode(errors="replace").replace("\r", "")
            self.text += re.sub(r"\x1b\[\?2004[hl]|\a", "", text)  # bracketed paste, bells

    def complete(self, line, wanted, tabs=1):
        """What is typed becomes `wanted` with a Tab; a second one lists what there is."""
        self.text = ""
        self.type(line + "\t" * tabs)
        self.until(wanted)
        self.text = ""
        self.type("\x15\n")  # Ctrl-U
        self.until("READY> $")

    def run(self, line):
        """The line is completed and executed; what it printed."""
        self.text = ""
        self.type(line + "\t\n")
        self.until(r"\n(?s:.*)READY> $")
        return self.text

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


@pytest.fixture
def typed(pm, request):
    """Makes a Typed; ended with the test."""
    there = []

    def make(shell, **env):
        if not shutil.which(shell):
            pytest.skip(f"no {shell}")
        there.append(Typed(pm, shell, **env))
        return there[-1]
    yield make
    for t in there:
        t.end()


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_typed(pm, typed, shell):
    pm.up(TWO)
    (pm.dir / "worker").mkdir()  # is not what is meant
    (pm.dir / "other list.ini").write_text(PROFILES)
    z = typed(shell)
    z.complete("pmctl relo", r"pmctl reload ")
    z.complete("pmctl logs --foll", r"logs --follow")
    z.complete("pmctl stop wor", r"stop worker ")
    z.complete("pmctl stop @sh", r"stop @shop ")
    z.complete("pmctl daemon upg", r"daemon upgrade ")
    z.complete("pmctl signal SIGUSR2 wor", r"SIGUSR2 worker ")
    z.complete("pmctl start --memory-m", r"start --memory-max")
    z.complete("pmctl start a.js --mode clu", r"--mode cluster ")
    z.complete("pmctl start a.js --mode=clu", r"--mode=cluster")
    z.complete("pmctl plan -c 'other list.ini' --env stag", r"--env staging ")
    z.complete("pmctl apply --config=other\\ list.ini --env=stag", r"--env=staging")


def hostile_files(pm):
    for name in ("one $(touch pwned) 'quoted\" `touch pwned`;x:y&é.ini", "two*?[a]~#!=.ini"):
        (pm.dir / name).write_text("[app:x]\ncommand = sleep 1\n")


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_names_of_files_are_quoted(pm, typed, shell):
    hostile_files(pm)
    z = typed(shell, LC_ALL="C.UTF-8")
    for start in ("one", "two"):
        assert "1 app, no errors" in z.run(f"pmctl check {start}"), z.text
    assert "1 app, no errors" in z.run("pmctl check -c tw"), z.text
    assert not (pm.dir / "pwned").exists()


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
def test_names_of_files_in_fish(pm):
    hostile_files(pm)
    assert len([f for f in fish(pm, "pmctl check ", LC_ALL="C.UTF-8") if f.startswith(("one", "two"))]) == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_names_that_are_none(pm, typed, shell):
    """What another machine answers to --host is not trusted: nothing of it is run or shown."""
    if not shutil.which(shell):
        pytest.skip(f"no {shell}")
    (pm.dir / "bin").mkdir()
    lines = ["web\tonline", "web$(touch pwned)\tonline", "web`touch pwned`", "we;touch${IFS}pwned", "we b\tx", "we\x1b[31m",
             "worker\t\x1b[31m", "web'", "wé", "*", "-rf\tonline", ""]
    (pm.dir / "answer").write_text("\n".join(lines))
    (pm.dir / "bin" / "pmctl").write_text(f"#!/bin/sh\necho \"$@\" >>{pm.dir}/asked\ncat {pm.dir}/answer\n")
    (pm.dir / "bin" / "pmctl").chmod(0o755)
    path = f"{pm.dir}/bin:{os.environ['PATH']}"
    if shell == "fish":
        got = fish(pm, "pmctl --host ada@web1 stop w", PATH=path)
        assert "web" in got and not [w for w in got if not re.fullmatch(r"[\w.-]+", w, re.A)], got
    else:
        z = typed(shell, PATH=path)
        z.complete("pmctl --host ada@web1 stop we", "stop web")
        assert "touch" not in z.text
    assert "--host ada@web1 __names" in (pm.dir / "asked").read_text()
    assert not (pm.dir / "pwned").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_daemon_that_does_not_answer(pm, typed, shell):
    """The names of the list, then; and without one, nothing at all."""
    if not shutil.which(shell):
        pytest.skip(f"no {shell}")
    pm.up(TWO)
    pid = pm.daemon()["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        if shell == "fish":
            assert "worker" in fish(pm, "pmctl stop wo")
        else:
            typed(shell).complete("pmctl stop wor", r"stop worker ")
        (pm.dir / "pmctl.ini").unlink()
        r = pm.ctl("__names")
        assert (r.rc, r.out, r.err) == (0, "", "")
    finally:
        os.kill(pid, signal.SIGCONT)


# --- the scripts

@pytest.mark.parametrize("shell,name", [("bash", "pmctl.bash"), ("zsh", "_pmctl"), ("fish", "pmctl.fish")])
def test_the_command_prints_the_file(pm, shell, name):
    assert pm.ok("completion", shell).out == (ROOT / "completions" / name).read_text()


def test_another_shell(pm):
    assert "bash, zsh and fish" in pm.fails(2, "completion", "tcsh").err
