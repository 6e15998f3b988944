# SPDX-License-Identifier: MIT
"""--host: the same command over ssh, with a fake ssh that does what sshd does, and with the real one."""
import fcntl
import getpass
import json
import os
import pty
import select
import shutil
import signal
import socket
import struct
import subprocess
import termios

import pytest

from conftest import SLOW, wait_for

SLEEPER = "[app:s]\ncommand = sleep 1000000\nready = spawn\n"
# sshd gives the words, with blanks between them, to the login shell.
FAKE = """#!/bin/bash
printf '%s\\n' "$@" >"$SSH_ARGS"
while [ "$1" != -- ]; do shift; done
shift 2
case $SSH_DOES in
fail) echo "ssh: connect to host x: Connection refused" >&2; exit 255 ;;
hang) exec sleep 1000000 ;;
late) trap '' PIPE; while echo x 2>/dev/null; do :; done; exit 255 ;;
esac
cd "$SSH_CWD" && exec ${SSH_SHELL:-sh} -c "$*"
"""


class OnTerminal:
    """A program with a terminal of 100 columns on all three ends."""

    def __init__(self, argv, env, cwd):
        self.fd, end = pty.openpty()
        fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        self.proc = subprocess.Popen(argv, env=env, cwd=cwd, stdin=end, stdout=end, stderr=end, start_new_session=True,
                                     preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(end)
        self.seen = b""

    def read(self):
        """True while there may be more."""
        if select.select([self.fd], [], [], 0.05)[0]:
            try:
                self.seen += os.read(self.fd, 65536)
            except OSError:
                return False
        return True

    def wait_for(self, text):
        wait_for(lambda: self.read() and text in self.seen, 15, f"{text!r} in {self.seen!r}")

    def end(self):
        """Its exit status."""
        wait_for(lambda: not self.read() or self.proc.poll() is not None, 15, "its end")
        os.close(self.fd)
        return self.proc.wait(10 * SLOW)


class Remote:
    def __init__(self, pm):
        self.pm = pm
        folder = pm.dir / "bin"
        folder.mkdir()
        (folder / "ssh").write_text(FAKE)
        (folder / "ssh").chmod(0o755)
        self.args_file = pm.dir / "args"
        self.there = pm.dir / "there"  # the home directory of that machine
        self.there.mkdir()
        self.env = {"PATH": f"{folder}:{pm.env()['PATH']}", "SSH_ARGS": str(self.args_file), "SSH_CWD": str(self.there)}

    def ctl(self, *args, host="ada@web1", more=None, **kw):
        return self.pm.ctl("--host", host, *args, env={**self.env, **(more or {})}, **kw)

    def args(self):
        return self.args_file.read_text().splitlines()


@pytest.fixture
def remote(pm):
    return Remote(pm)


def test_a_command(pm, remote):
    pm.up(SLEEPER)
    r = remote.ctl("list", "--json")
    assert r.rc == 0 and r.json()["apps"][0]["name"] == "s" and not r.err
    assert remote.args() == ["-T", "-n", "--", "ada@web1", "pmctl list --json"]
    # The option may stand anywhere, in both forms.
    for words in (["list", "--host", "h", "-i"], ["list", "-i", "--host=h"]):
        assert pm.ctl(*words, env=remote.env).rc == 0
        assert remote.args()[3:] == ["h", "pmctl list -i"]


WORDS = ["", "a b", "it's", '"x"', "$HOME", "`id`", "a;b", "*", "~", "back\\slash", "new\nline", "ümlaut", "!!", "=ls", "a=b",
         "#x", "(y)", "-", "%s", "{a,b}", "tab\there"]


@pytest.mark.parametrize("shell", ["sh", "bash", "zsh"])
def test_words_arrive_as_they_are(pm, remote, shell):
    if not shutil.which(shell):
        pytest.skip(f"no {shell}")
    (remote.there / "print").write_text('#!/bin/sh\nfor w; do printf "<%s>" "$w"; done; exec sleep 1000000\n')
    (remote.there / "print").chmod(0o755)
    r = remote.ctl("start", "./print", "--name", "w", "--env.X=a 'b' $c", "--ready", "spawn", "--", *WORDS, "--host", "me",
                   more={"SSH_SHELL": shell})
    assert r.rc == 0, r
    pm.wait_log("w", "".join(f"<{w}>" for w in WORDS + ["--host", "me"]))
    assert "X=a 'b' $c" in remote.ctl("env", "w", "--reveal").out


def test_exit_statuses(pm, remote):
    assert remote.ctl("ping").rc == 5  # of the pmctl there
    pm.up(SLEEPER)
    assert remote.ctl("stop", "nobody").rc == 4
    assert remote.ctl("show").rc == 2
    r = remote.ctl("list", more={"SSH_DOES": "fail"})
    assert r.rc == 5 and "Connection refused" in r.err and "ada@web1 was not reached" in r.err
    r = remote.ctl("list", "--json", more={"SSH_DOES": "fail"})
    assert r.rc == 5 and json.loads(r.err.splitlines()[-1])["error"]["code"] == "no_daemon"
    r = remote.ctl("list", more={"SSH_SHELL": "env PATH=/nowhere /bin/sh"})
    assert r.rc == 5 and "no pmctl in the PATH of ada@web1" in r.err


def test_a_reader_that_goes_away_is_no_lost_connection(pm, remote):
    p = subprocess.run(["bash", "-c", "pmctl --host h list | true; echo ${PIPESTATUS[0]}"], capture_output=True, text=True,
                       env=pm.env({**remote.env, "SSH_DOES": "late"}), timeout=30 * SLOW)
    assert p.stdout == "141\n" and not p.stderr, p


@pytest.mark.parametrize("host", ["-oProxyCommand=touch x", "", "a b", "a\nb", "-"])
def test_hosts_that_are_none(remote, host):
    assert remote.ctl("list", host=host).rc == 2
    assert not remote.args_file.exists()


def test_misuse_is_found_here(remote):
    assert remote.ctl("lits").rc == 2 and remote.ctl("list", "--nonsense").rc == 2
    assert remote.pm.ctl("list", "--host", env=remote.env).rc == 2
    assert not remote.args_file.exists()


def test_no_ssh(pm, remote):
    (pm.dir / "bin" / "ssh").unlink()
    r = pm.ctl("--host", "h", "list", env={"PATH": str(pm.dir / "bin")})
    assert r.rc == 5 and "needs ssh" in r.err


def test_a_list_from_here(pm, remote):
    text = "[defaults]\nmin_uptime = 150ms\n" + SLEEPER
    r = remote.ctl("start", "-c", "-", stdin=text.encode())
    assert r.rc == 0, r
    assert "-n" not in remote.args() and pm.state("s") == "online"


def test_a_loop_over_lines_keeps_them(pm, remote):
    pm.up(SLEEPER)
    p = subprocess.run(["bash", "-c", 'while read -r h; do pmctl --host "$h" ping || exit 1; done'], input="a\nb\nc\n",
                       env=pm.env(remote.env), capture_output=True, text=True, timeout=30 * SLOW)
    assert p.returncode == 0 and p.stdout.count("answers") == 3


def test_colour_is_that_of_here(pm, remote):
    remote.ctl("list", more={"NO_COLOR": "1"})
    assert remote.args()[-1] == "pmctl --color=never list"
    remote.ctl("list", "--color=always", more={"NO_COLOR": "1"})
    assert remote.args()[-1] == "pmctl list '--color=always'"


def test_signals_end_ssh(pm, remote):
    p = pm.popen("--host", "h", "list", env={**remote.env, "SSH_DOES": "hang"})
    wait_for(remote.args_file.exists)
    p.send_signal(signal.SIGTERM)
    assert p.wait(10 * SLOW) == 143


def test_a_terminal(pm, remote):
    """With one on all three ends ssh is asked for one there."""
    pm.up(SLEEPER)
    t = OnTerminal([str(pm.pmctl), "--host", "h", "list"], {**pm.env(remote.env), "TERM": "xterm"}, pm.dir)
    t.wait_for(b"online")
    assert t.end() == 0
    assert remote.args()[:2] == ["-t", "-oLogLevel=ERROR"]


def test_completion_asks_the_other_machine(pm, remote):
    pm.up(SLEEPER)
    r = subprocess.run(["bash", "--norc", "-c", f"source <(pmctl completion bash); COMP_WORDS=(pmctl --host ada @ web1 stop ''); "
                        'COMP_CWORD=6; _pmctl; echo "${COMPREPLY[@]}"'], env=pm.env(remote.env), capture_output=True,
                       text=True, timeout=30 * SLOW)
    assert r.stdout == "s\n", r
    assert "-oBatchMode=yes" in remote.args() and remote.args()[-2:] == ["ada@web1", "pmctl __names"]


def test_completion_does_not_wait_for_a_machine_that_hangs(pm, remote):
    r = remote.ctl("__names", more={"SSH_DOES": "hang"})
    assert r.rc == 143 and not r.out + r.err


@pytest.fixture
def sshd(pm, port):
    program = shutil.which("sshd", path="/usr/sbin:/usr/bin")
    if not program or not shutil.which("ssh") or os.geteuid() != 0:
        pytest.skip("no sshd that could be run here")
    d = pm.dir / "ssh"
    d.mkdir(mode=0o700)
    os.makedirs("/run/sshd", exist_ok=True)
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", d / key], check=True)
    (d / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1:{port}\nHostKey {d}/host\nAuthorizedKeysFile {d}/user.pub\nStrictModes no\nUsePAM no\n"
        f"PermitRootLogin yes\nPidFile none\nSetEnv PATH={pm.env()['PATH']} PMCTL_HOME={pm.home} SHLVL=2\n")  # not its ~/.bashrc
    (d / "config").write_text(
        f"Host closed\n  HostName 127.0.0.1\n  Port 1\nHost there\n  HostName 127.0.0.1\n  Port {port}\n  User {getpass.getuser()}\n  IdentityFile {d}/user\n"
        f"  StrictHostKeyChecking no\n  UserKnownHostsFile {d}/known\n  LogLevel ERROR\n")
    folder = pm.dir / "bin"
    folder.mkdir()
    (folder / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {d}/config "$@"\n')
    (folder / "ssh").chmod(0o755)
    p = subprocess.Popen([program, "-D", "-e", "-f", d / "sshd_config"], stderr=(d / "log").open("w"))

    def listens():
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", port)) == 0 or p.poll() is not None
    wait_for(listens)
    yield {"PATH": f"{folder}:{pm.env()['PATH']}"}
    p.kill()
    p.wait()


def test_the_real_ssh(pm, sshd):
    pm.up(SLEEPER)
    r = pm.ctl("--host", "there", "list", "--json", env=sshd)
    assert r.rc == 0 and r.json()["apps"][0]["name"] == "s", (r, (pm.dir / "ssh" / "log").read_text())
    assert pm.ctl("--host", "there", "stop", "it's $nobody", env=sshd).rc == 4
    assert pm.ctl("--host", "closed", "list", env=sshd).rc == 5
    t = OnTerminal([str(pm.pmctl), "--host", "there", "monit"], {**pm.env(sshd), "TERM": "xterm-256color"}, pm.dir)
    t.wait_for(b"online")
    os.write(t.fd, b"q")
    assert t.end() == 0
