# SPDX-License-Identifier: MIT
"""watch: a reload when the contents of files change, and only then."""
import json
import os
import shutil
import signal
import time
import urllib.request

import pytest
from conftest import NODE_APPS, SLOW, alive, descendants, free_port, ms, wait_for

APP = """
[app:web]
command = sh -c 'head -n 1 code; exec sleep 1000000'
cwd = tree
min_uptime = 50ms
watch = yes
watch_delay = 100ms
"""


def tree(pm, **files):
    (pm.dir / "tree").mkdir()
    put(pm, "code", "one\n")
    for name, text in files.items():
        put(pm, name, text)


def put(pm, name, text):
    path = pm.dir / "tree" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def events(pm, *types):
    return [e for e in map(json.loads, pm.ok("events", "--json", "-n", "1000").out.splitlines())
            if e["type"] in types]


def seen(pm):
    return [e["text"] for e in events(pm, "watch")]


def wait_seen(pm, *texts):
    """Until these changes, and no others, were seen."""
    wait_for(lambda: len(seen(pm)) >= len(texts), 10, f"the changes {texts}, not {seen(pm)}")
    assert seen(pm) == list(texts)


def replaced(pm, old, name="web", slot=0):
    return pm.wait_replaced(name, slot, old)["pid"]


def starts(pm, name="web"):
    return [e for e in events(pm, "start") if e["app"] == name]


def settled(pm):
    wait_for(lambda: len(descendants(pm.daemon()["keeper_pid"])) == 2, 10, "only supervisor and app")


def test_touch_is_no_change(pm):
    tree(pm)
    pm.up(APP)
    (old,) = pm.pids("web")
    code = pm.dir / "tree" / "code"
    code.touch()
    put(pm, "code", "one\n")
    shutil.copy(code, pm.dir / "tree" / "copy")
    (pm.dir / "tree" / "copy").rename(code)
    code.chmod(0o600)
    os.utime(code, (1, 1))
    # The proof that nothing came of it is that the next change is the first.
    put(pm, "code", "two\n")
    replaced(pm, old)
    wait_seen(pm, "code changed")
    assert len(starts(pm)) == 2 and not alive(old)
    pm.wait_log("web", "one\ntwo\n")
    assert pm.app("web")["restarts"] == 0


def test_it_is_said_which_file(pm):
    tree(pm, **{"lib/a.js": "1", "lib/b.js": "1"})
    pm.up(APP)
    (old,) = pm.pids("web")
    put(pm, "lib/a.js", "2")
    put(pm, "lib/b.js", "2")
    (pm.dir / "tree" / "code").rename(pm.dir / "tree" / "code.old")
    put(pm, "code", "two\n")
    replaced(pm, old)
    wait_seen(pm, "lib/a.js changed (and 3 more)")
    assert "lib/a.js changed (and 3 more)" in pm.ok("events").out
    kinds = [e["type"] for e in events(pm, "watch", "reload")]
    assert kinds == ["watch", "reload", "reload"]


def test_as_editors_write(pm):
    tree(pm)
    pm.up(APP)
    (old,) = pm.pids("web")
    for name in (".code.swp", "4913", "code~", ".#code", "#code#"):  # vim and emacs, before anything is saved
        put(pm, name, "x")
    put(pm, "code.tmp", "two\n")
    (pm.dir / "tree" / "code.tmp").rename(pm.dir / "tree" / "code")
    replaced(pm, old)
    wait_seen(pm, "code changed")


def test_new_directories(pm):
    tree(pm)
    pm.up(APP)
    (old,) = pm.pids("web")
    put(pm, "new/deep/x", "1")
    old = replaced(pm, old)
    put(pm, "new/deep/x", "2")
    old = replaced(pm, old)
    (pm.dir / "tree" / "new").rename(pm.dir / "tree" / "other")
    old = replaced(pm, old)
    put(pm, "other/deep/x", "3")
    replaced(pm, old)
    assert len(starts(pm)) == 5
    assert seen(pm)[:2] == ["new/deep/x added", "new/deep/x changed"] and seen(pm)[3] == "other/deep/x changed"


def test_what_is_left_out(pm):
    tree(pm, **{".git/index": "1", "node_modules/m/index.js": "1"})
    pm.up(APP)
    (old,) = pm.pids("web")
    put(pm, ".git/index", "2")
    put(pm, "node_modules/n/index.js", "2")
    put(pm, "__pycache__/x.pyc", "2")
    put(pm, "code", "two\n")
    replaced(pm, old)
    wait_seen(pm, "code changed")
    pm.ok("delete", "web")
    pm.up(APP + "watch_ignore = *.tmp data/cache\n")
    (old,) = pm.pids("web")
    put(pm, "x.tmp", "2")
    put(pm, "data/cache/x", "2")
    put(pm, "data/x.tmp", "2")
    put(pm, "node_modules/n/index.js", "3")  # the default is replaced
    replaced(pm, old)
    wait_seen(pm, "code changed", "node_modules/n/index.js changed")


def test_our_own_files_do_not_loop(pm):
    """Everything of ours lies in what is watched, and all of it changes all the time."""
    tree(pm)
    pm.up(f"""
        [app:web]
        command = sh -c 'while :; do echo a line of some length; sleep 0.005; done'
        min_uptime = 50ms
        watch = yes
        watch_delay = 50ms
        log_out = ./app.log
        log_err = {pm.dir}/tree/../err.log
        log_max_size = 2K
        log_compress = gzip
        """)
    assert pm.home.is_relative_to(pm.dir)
    old = pm.pids("web")
    wait_for(lambda: (pm.dir / "app.log.4.gz").exists(), 30, "four rotations")
    pm.ok("flush")
    with pm.ini_path.open("a") as f:
        f.write("; pmctl apply is for this\n")
    put(pm, "code", "two\n")
    pm.wait_replaced("web", 0, old[0])
    wait_seen(pm, "tree/code changed")
    assert len(starts(pm)) == 2


def test_a_burst_is_one_reload(pm):
    tree(pm)
    pm.up(APP.replace("100ms", "500ms"))
    (old,) = pm.pids("web")
    for i in range(200):
        put(pm, f"src/{i % 100}", str(i))
    replaced(pm, old)
    (text,) = seen(pm)
    assert text.startswith("src/") and text.endswith(" added (and 99 more)")
    assert len(starts(pm)) == 2


def test_a_change_during_a_reload(pm):
    tree(pm)
    pm.up(APP.replace("50ms", ms(1000)))
    (old,) = pm.pids("web")
    put(pm, "code", "two\n")
    pm.wait_log("web", "two\n")  # its successor has read it
    put(pm, "code", "three\n")
    wait_for(lambda: len(seen(pm)) == 2, 10, "the second change")
    assert pm.pids("web") == [old], "the first reload is over too soon for this test"
    pm.wait_log("web", "one\ntwo\nthree\n", deadline=20)
    wait_for(lambda: pm.state("web") == "online" and len(events(pm, "reload")) == 4, 10, "the second takeover")
    settled(pm)
    assert len(starts(pm)) == 3 and not alive(old)


def test_stopped_stays_stopped(pm):
    tree(pm)
    pm.up(APP + "instances = 2\nmode = fork\n")
    before = pm.pids("web")
    pm.ok("stop", "web:1")
    put(pm, "code", "two\n")
    replaced(pm, before[0])
    assert pm.proc("web", 1)["state"] == "stopped"
    pm.ok("stop", "web")
    fds = inotify_fds(pm)
    assert fds == 0, "a stopped app is not watched"
    put(pm, "code", "three\n")
    pm.ok("start", "web:0")  # what changed meanwhile is no change
    assert inotify_fds(pm) == 1
    old = pm.proc("web", 0)["pid"]
    put(pm, "code", "four\n")
    replaced_slot = wait_for(lambda: pm.proc("web", 0)["pid"] not in (old, None) and pm.proc("web", 0), 10, "a reload")
    assert replaced_slot["pid"] != old
    assert pm.proc("web", 1)["state"] == "stopped"
    wait_seen(pm, "code changed", "code changed")


def inotify_fds(pm):
    pid = pm.daemon()["pid"]
    try:
        links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    except PermissionError:
        pytest.skip("only root may look into the supervisor")
    return links.count("anon_inode:inotify")


def test_nothing_leaks_into_apps(pm):
    tree(pm)
    pm.up(APP)
    (pid,) = pm.pids("web")
    assert sorted(os.listdir(f"/proc/{pid}/fd")) == ["0", "1", "2"]


BROKEN = f"""
[app:web]
command = sh -c '. ./code'
cwd = tree
min_uptime = {ms(150)}
watch = yes
watch_delay = 50ms
restart_delay = 60s
restart_delay_max = 60s
"""


def test_fixed_code_comes_back(pm):
    """In the wait for the next try, and after giving up."""
    tree(pm)
    put(pm, "code", "exit 3\n")
    pm.ini(BROKEN)
    pm.ctl("start")
    pm.wait_state("web", "backoff")
    put(pm, "code", "exec sleep 1000000\n")
    pm.wait_state("web", "online")
    pm.ok("delete", "web")
    put(pm, "code", "exit 3\n")
    pm.ini(BROKEN.replace("60s", "1ms") + "max_restarts = 2\n")
    pm.ctl("start")
    pm.wait_state("web", "failed")
    put(pm, "code", "exec sleep 1000000\n")
    pm.wait_state("web", "online")
    wait_seen(pm, "code changed", "code changed")


def test_a_bad_change_keeps_the_old_one(pm):
    tree(pm)
    put(pm, "code", "exec sleep 1000000\n")
    pm.up(BROKEN)
    (old,) = pm.pids("web")
    put(pm, "code", "exit 3\n")
    wait_for(lambda: any("exited 3" in e["text"] for e in events(pm, "exit")), 10, "the failure")
    settled(pm)
    assert pm.pids("web") == [old] and pm.state("web") == "online"
    put(pm, "code", "exec sleep 1000001\n")
    replaced(pm, old)


def test_not_ready_yet_is_no_reason_to_wait(pm):
    tree(pm)
    put(pm, "code", "exec sleep 1000000\n")
    pm.ini(BROKEN + "ready = notify\nready_timeout = 50s\n")
    pm.ok("start", "--no-wait")
    pm.wait_state("web", "starting")
    old = wait_for(lambda: pm.pids("web")[0], 5, "the process")
    put(pm, "code", "exec sleep 1000001\n")
    wait_for(lambda: pm.pids("web")[0] not in (None, old), 10, "another try")


def test_ended_runs_again(pm):
    tree(pm)
    pm.up("[app:web]\ncommand = cat code\ncwd = tree\nautorestart = never\nwatch = tree/code\n"
          "watch_delay = 50ms\n")
    pm.wait_state("web", "done")
    put(pm, "code", "two\n")
    pm.wait_log("web", "one\ntwo\n")
    wait_seen(pm, "tree/code changed")


def test_never_quiet(pm):
    """A file that changes all the time does not keep a change back for ever."""
    tree(pm)
    pm.up(APP.replace("100ms", "1s"))
    (old,) = pm.pids("web")
    noise = iter(range(10 ** 9))

    def other_pid():
        put(pm, "noise", str(next(noise)))
        pid = pm.pids("web")[0]
        return pid not in (None, old) and pid
    put(pm, "code", "two\n")
    wait_for(other_pid, 15, "a reload")
    assert seen(pm)[0] == "code changed (and 1 more)"


def test_cluster_is_replaced_in_turn(pm):
    port = free_port()
    (pm.dir / "tree").mkdir()
    for name in ("http.js", "answer.js"):
        shutil.copy(NODE_APPS / name, pm.dir / "tree" / name)
    pm.up(f"[app:web]\nscript = tree/http.js\ninstances = 2\nenv.PORT = {port}\nwatch = tree\nmin_uptime = 100ms\n")
    before = pm.pids("web")
    with (pm.dir / "tree" / "answer.js").open("a") as f:
        f.write("// changed\n")

    def all_replaced():
        assert ask(port), "no answer while it is being reloaded"
        return pm.state("web") == "online" and not set(before) & set(pm.pids("web"))
    wait_for(all_replaced, 20, "two new workers")
    wait_seen(pm, "tree/answer.js changed")
    assert len(starts(pm)) == 4


PORT = """
import http.server, sys
class H(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"%s")
    def log_message(self, *args):
        pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), H).serve_forever()
"""


def ask(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2) as r:
            return r.read().decode()
    except OSError:
        return None


def test_an_app_with_a_port_of_its_own(pm):
    """Two cannot hold it: the old one is stopped first."""
    port = free_port()
    tree(pm)
    put(pm, "server.py", PORT % "one")
    pm.up(f"[app:web]\nscript = tree/server.py\nargs = {port}\nmin_uptime = 50ms\nwatch = tree\n")
    wait_for(lambda: ask(port) == "one", 10, "the first")
    put(pm, "server.py", PORT % "two")
    wait_for(lambda: ask(port) == "two", 10, "the second")
    put(pm, "server.py", "syntax error\n")
    wait_for(lambda: ask(port) is None and pm.state("web") in ("backoff", "failed"), 10, "broken")
    put(pm, "server.py", PORT % "three")
    wait_for(lambda: ask(port) == "three", 10, "the third")


def test_listed_paths(pm):
    tree(pm, **{"lib/a": "1", "etc/app.json": "1", "etc/other": "1"})
    pm.up(APP.replace("watch = yes", "watch = tree/lib ./tree/etc/app.json no-such"))
    (old,) = pm.pids("web")
    wait_seen(pm, f"{pm.dir}/no-such is not there; it is watched once it is")
    put(pm, "code", "two\n")
    put(pm, "etc/other", "2")
    put(pm, "etc/app.json", "2")
    old = replaced(pm, old)
    put(pm, "lib/a", "2")
    old = replaced(pm, old)
    (pm.dir / "no-such").write_text("1")
    replaced(pm, old)
    assert seen(pm)[1:] == ["tree/etc/app.json changed", "tree/lib/a changed", "no-such added"]


def test_current_is_switched(pm):
    """cwd is a link to the release; each start follows it anew."""
    for name in ("r1", "r2"):
        (pm.dir / name).mkdir()
        (pm.dir / name / "code").write_text(name + "\n")
    (pm.dir / "current").symlink_to("r1")
    pm.up(APP.replace("cwd = tree", "cwd = current"))
    (old,) = pm.pids("web")
    (pm.dir / "next").symlink_to("r2")
    (pm.dir / "next").rename(pm.dir / "current")
    old = replaced(pm, old)
    pm.wait_log("web", "r1\nr2\n")
    (pm.dir / "r1" / "code").write_text("x\n")
    (pm.dir / "r2" / "code").write_text("r2 again\n")
    replaced(pm, old)
    wait_seen(pm, "current changed (and 1 more)", "code changed")


def test_after_the_supervisor_was_killed(pm):
    tree(pm)
    pm.up(APP)
    (old,) = pm.pids("web")
    supervisor = pm.daemon()["pid"]
    os.kill(supervisor, signal.SIGKILL)
    wait_for(lambda: pm.ctl("list").rc == 0 and pm.daemon()["pid"] != supervisor, 15, "the next supervisor")
    assert pm.pids("web") == [old]
    wait_for(lambda: inotify_fds(pm) == 1, 5, "the watch")
    put(pm, "code", "two\n")
    replaced(pm, old)
    wait_seen(pm, "code changed")


def test_ten_thousand_files(pm):
    tree(pm)
    for i in range(100):
        folder = pm.dir / "tree" / f"d{i}"
        folder.mkdir()
        for k in range(100):
            (folder / f"f{k}.js").write_bytes(b"x" * 4096)
    pm.ini(APP)
    pm.ok("daemon", "start")
    began = time.monotonic()
    pm.ok("start")
    took = time.monotonic() - began
    worst = 0.0
    while "watches 10001 files in 101 directories" not in pm.daemon_log():
        at = time.monotonic()
        pm.rpc("ping")
        worst = max(worst, time.monotonic() - at)
        assert time.monotonic() - began < 20 * SLOW
    print(f"started in {took:.3f} s, all read after {time.monotonic() - began:.3f} s, slowest answer {worst * 1e3:.1f} ms")
    assert took < 2 * SLOW and worst < 0.5 * SLOW
    (old,) = pm.pids("web")
    put(pm, "d99/f99.js", "y" * 4096)
    replaced(pm, old)
    wait_seen(pm, "d99/f99.js changed")


def test_an_app_that_writes_what_is_watched(pm):
    """It cannot be told from a change, but it is slowed down, and said."""
    tree(pm)
    pm.up("[app:web]\ncommand = sh -c 'date +%N >pid; exec sleep 1000000'\ncwd = tree\nready = spawn\n"
          "min_uptime = 1ms\nwatch = yes\nwatch_delay = 1ms\n")
    wait_for(lambda: any("watch_ignore" in text for text in seen(pm)), 30, "a hint")
    count = len(starts(pm))
    put(pm, "code", "two\n")
    wait_for(lambda: "code changed" in seen(pm), 15, "another change")
    assert len(starts(pm)) <= count + 15  # not one each 1 ms


@pytest.mark.parametrize("kind", ["--watch", "--watch=tree"])
def test_on_the_command_line(pm, kind):
    tree(pm)
    put(pm, "code.sh", "exec sleep 1000000\n")
    pm.ini("")
    pm.ok("start", "tree/code.sh", kind, "--watch-delay", "50ms", "--min-uptime", "50ms", "--name", "web")
    (old,) = pm.pids("web")
    put(pm, "code.sh", "exec sleep 1000001\n")
    replaced(pm, old)
    wait_seen(pm, "tree/code.sh changed")
