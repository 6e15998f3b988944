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
    pm.up("[app:web]\ncommand = sleep 1000000\nready = spawn\n[app:worker]\ncommand = sleep 1000000\nready = spawn\n")
    assert {"web", "worker"} <= complete(pm, "pmctl", "stop", "w")
    assert complete(pm, "pmctl", "restart", "wo") == {"worker"}
    assert {"web", "worker"} <= complete(pm, "pmctl", "logs", "-f", "w")


def test_names_of_the_file_without_a_daemon(pm):
    pm.ini("[app:fromfile]\ncommand = sleep 1\n")
    assert "fromfile" in complete(pm, "pmctl", "start", "from")


def test_signals_and_daemon_words(pm):
    assert "SIGUSR2" in complete(pm, "pmctl", "signal", "SIGU")
    assert {"start", "stop", "status"} <= complete(pm, "pmctl", "daemon", "")


# --- fish

def fish(pm, line):
    p = subprocess.run(["fish", "--no-config", "-c", f"source {ROOT}/completions/pmctl.fish; complete -C {shlex.quote(line)}"],
                       capture_output=True, text=True, env={**pm.env(), "PATH": f"{pm.pmctl.parent}:{os.environ['PATH']}"},
                       cwd=pm.dir, timeout=30 * SLOW)
    assert p.returncode == 0 and not p.stderr, p
    return {row.split("\t")[0] for row in p.stdout.splitlines()}


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
def test_fish(pm):
    pm.up("[app:web]\ncommand = sleep 1000000\nready = spawn\n[app:worker]\ncommand = sleep 1000000\nready = spawn\n")
    assert fish(pm, "pmctl rel") == {"reload"}
    assert "--follow" in fish(pm, "pmctl logs --f") and "--follow" not in fish(pm, "pmctl stop --")
    assert "--json" in fish(pm, "pmctl list --j")
    assert fish(pm, "pmctl stop wo") == {"worker"}
    assert {"web", "worker"} <= fish(pm, "pmctl -c x logs ")
    assert {"start", "upgrade"} <= fish(pm, "pmctl daemon ")
    assert "SIGUSR2" in fish(pm, "pmctl signal SIGU")


# --- zsh

class Zsh:
    """An interactive zsh on a pseudo terminal."""

    def __init__(self, pm):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(pm.dir)
            env = {**pm.env(), "PATH": f"{pm.pmctl.parent}:{os.environ['PATH']}", "TERM": "dumb"}
            os.execvpe("zsh", ["zsh", "-f", "-i"], env)
        termios.tcsetwinsize(self.fd, (24, 250))
        self.text = ""
        self.until("% $|# $")
        self.type("PS1='R''EADY> '; autoload -Uz compinit; compinit -u -D; "
                  f"source {ROOT}/completions/_pmctl\n")
        self.until("READY> $")

    def type(self, text):
        os.write(self.fd, text.encode())

    def until(self, pattern):
        end = time.monotonic() + 20 * SLOW
        while not re.search(pattern, self.text):
            assert select.select([self.fd], [], [], max(0, end - time.monotonic()))[0], self.text
            text = os.read(self.fd, 65536).decode(errors="replace").replace("\r", "")
            self.text += re.sub(r"\x1b\[\?2004[hl]|\a", "", text)  # bracketed paste, bells

    def complete(self, line, wanted):
        """What is typed becomes `wanted` with a Tab."""
        self.text = ""
        self.type(line + "\t")
        self.until(wanted)
        self.text = ""
        self.type("\x15\n")  # Ctrl-U
        self.until("READY> $")

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh(pm):
    pm.up("[app:web]\ncommand = sleep 1000000\nready = spawn\n[app:worker]\ncommand = sleep 1000000\nready = spawn\n")
    z = Zsh(pm)
    try:
        z.complete("pmctl relo", r"pmctl reload ")
        z.complete("pmctl logs --foll", r"logs --follow")
        z.complete("pmctl stop wor", r"stop worker ")
        z.complete("pmctl daemon upg", r"daemon upgrade ")
        z.complete("pmctl signal SIGUSR2 wor", r"SIGUSR2 worker ")
        z.complete("pmctl start --memory-m", r"start --memory-max")
    finally:
        z.end()


# --- the scripts

@pytest.mark.parametrize("shell,name", [("bash", "pmctl.bash"), ("zsh", "_pmctl"), ("fish", "pmctl.fish")])
def test_the_command_prints_the_file(pm, shell, name):
    assert pm.ok("completion", shell).out == (ROOT / "completions" / name).read_text()


def test_another_shell(pm):
    assert "bash, zsh and fish" in pm.fails(2, "completion", "tcsh").err
