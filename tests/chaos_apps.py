# SPDX-License-Identifier: MIT
"""The apps of tests/chaos."""
from pathlib import Path

APPS = Path(__file__).resolve().parent / "apps"


class App:
    """One app of the file. `may` names what is done to it; `code` how it exits by itself or on SIGUSR1."""

    def __init__(self, name, keys, may="", slots=1, code=None, crashes=False):
        self.name, self.slots, self.may, self.code, self.crashes = name, slots, may.split(), code, crashes
        self.keys = {"log_max_size": "64K", "log_keep": 30, **keys, "instances": slots}

    def ini(self):
        return f"[app:{self.name}]\n" + "".join(f"{k} = {v}\n" for k, v in self.keys.items())


def all_apps(writer, ports, n):
    """n apps, of each kind some; with the default 50 they have about a hundred instances."""
    def w(options, **keys):
        return dict({"command": f"{writer} {options}", "mode": "fork"}, **keys)
    any_op = "kill reload restart scale stop delete"
    node = {"script": APPS / "node" / "http.js", "ready": "auto", "ready_timeout": "30s"}
    kinds = [
        [App(f"line{i}", w(f"-r {rate}"), any_op, 1 + i % 2)
         for i, rate in enumerate((20, 50, 100, 200, 400, 800, 1500, 10))],
        [App(f"burst{i}", w(f"-b {lines} -p {pause}", log_max_size="1M", log_keep=30), "kill reload restart")
         for i, (lines, pause) in enumerate(((2000, 300), (500, 40)))],
        [App("shared", dict(node, **{"env.PORT": ports[0]}), "kill reload scale", 2),
         App("reuse", dict(node, balance="reuseport", **{"env.PORT": ports[1]}), "kill reload scale", 2),
         App("robin", dict(node, balance="round-robin", **{"env.PORT": ports[2]}), "kill reload scale", 2),
         App("listen", {"script": APPS / "listen.py", "mode": "fork", "listen": f"127.0.0.1:{ports[3]}"}, "kill", 2)],
        [App(f"crash{i}", w(f"-r 100 -x {code} -a {ms}"), slots=1 + i % 2, code=code, crashes=True)
         for i, (code, ms) in enumerate(((3, 200), (4, 450), (5, 900), (6, 1500), (77, 3000), (255, 5000)))],
        [App(f"coded{i}", w(f"-r 50 -u {code}"), "usr1 kill reload", code=code) for i, code in enumerate((11, 12, 13, 0))],
        [App(f"family{i}", w(f"-r 20 -c {3 + i}"), "kill reload restart stop scale", 1 + i % 2) for i in range(4)],
        [App(f"notify{i}", w(f"-r 30 -n {30 + 100 * i}", ready="notify"), "kill reload restart stop") for i in range(3)],
        [App(f"snake{i}", {"command": f"{APPS}/chaos-writer.py {rate}", "mode": "fork"}, "kill reload restart", 1 + i % 2)
         for i, rate in enumerate((5, 20, 100))],
        [App("zip", {"command": f"{writer.replace('chaos-writer', 'printer')} 0 -r 100", "log_max_size": "16K",
                     "log_keep": 90, "log_compress": "yes"}),
         App("stamped", {"command": f"{writer.replace('chaos-writer', 'printer')} 0 -r 20", "log_format": "time"}, "kill"),
         App("steady", w("-r 100"))],
    ]
    apps = [app for i in range(max(map(len, kinds))) for kind in kinds for app in kind[i:i + 1]][:n]
    return apps + [App(f"quiet{i}", {"command": "sleep 1000000", "mode": "fork"}, any_op, 1 + i % 7)
                   for i in range(n - len(apps))]
