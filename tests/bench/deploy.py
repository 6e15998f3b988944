# SPDX-License-Identifier: MIT
"""The rows of deploying: what it costs that the file is the truth."""
from frame import Line, bare, quiet, stopwatch, wait_for

APP = """[app:app-{0}]
command = {1}
env.PORT = {2}
env.DATABASE_URL = postgres://db.internal/app_{0}
memory_max = 256M
stop_timeout = 5s
ready = spawn
autostart = no
"""


def applied(b, n):
    """(ours, the file): a daemon that has applied a list of so many apps. None runs: this is about the list."""
    m = b.ours()
    file = m.dir / "pmctl.ini"
    file.write_text("".join(APP.format(i, bare("trivial"), 3000 + i) for i in range(n)))
    m.command("apply", "-c", file)
    return m, file


def row_deploy(b):
    """check, plan and apply of an unchanged list, whole processes; limit: inih alone over the same bytes, and for plan
    and apply a client that sends these over a Unix socket and reads a line"""
    sock = b.tmp / "parser"
    b.popen(bare("parser"), "serve", sock)
    wait_for(sock.exists, "the bare server")
    for n, commands in ((1000, {"check": 50, "plan": 50, "apply": None}), (100, {"apply": 20})):
        m, file = applied(b, n)
        limits = {"check": [bare("parser"), "check", file]}
        send = [bare("parser"), "send", file, sock]
        limit, ours = {c: [] for c in commands}, {c: [] for c in commands}
        for _ in range(b.rounds(15)):
            for command in commands:
                quiet()
                limit[command] += stopwatch(limits.get(command, send))
                operand = [file] if command == "check" else ["-c", file]
                ours[command] += stopwatch([*m.program, command, *operand], env=m.env)
        for command, goal in commands.items():
            yield Line(f"{command}, unchanged, {n} apps", "ms", ours[command], limit[command], goal=goal, absolute=True)
        b.down(m)
