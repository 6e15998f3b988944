# SPDX-License-Identifier: MIT
"""bash completion, as a shell uses it."""
import shlex
import subprocess

import pytest

from conftest import ROOT

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


@pytest.mark.parametrize("shell", ["bash"])
def test_the_command_prints_the_file(pm, shell):
    assert pm.ok("completion", shell).out == SCRIPT.read_text()
