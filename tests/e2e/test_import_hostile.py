# SPDX-License-Identifier: MIT
"""pmctl import with lists that are wrong, hostile, huge, or not files at all; and what it makes is run and compared."""
import json
import os
import resource
import shutil
import signal
import subprocess
import textwrap

import pytest

from conftest import alive, free_port, ms, wait_for


def put(pm, name, text):
    path = pm.dir / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else textwrap.dedent(text).encode())
    return path


def report(pm, *args, **kw):
    """{(app, key): [line of report]} and the INI."""
    j = pm.ok("import", *args, "--json", **kw).json()
    found = {}
    for e in j["report"]:
        found.setdefault((e["app"], e["key"]), []).append(e)
    return found, j["ini"]


# --- what comes out is what was asked for ---

SHOW = """
const own = new RegExp('^(PMCTL_|LISTEN_|NOTIFY_|LC_)|^(PATH|HOME|USER|LOGNAME|SHELL|LANG|TZ|NODE_APP_INSTANCE|PWD|SHLVL|_)$');
const env = {};
for (const k of Object.keys(process.env)) if (!own.test(k)) env[k] = process.env[k];
require('fs').writeFileSync(process.env.OUT + '.part', JSON.stringify({argv: process.argv.slice(2), execArgv: process.execArgv, env}));
require('fs').renameSync(process.env.OUT + '.part', process.env.OUT);
setInterval(() => 0, 1000);
"""
ARGS = ["plain", "", " ", " lead", "trail ", "a b", "it's", '"quoted"', "back\\slash", "\\n", "new\nline", "\n", "tab\there", "cr\rx", "a=b",
        ";semi", "#hash", "[brackets]", "$HOME ${X} `id` $(id)", "%d %(x)s %%", "*?~{}<>|&!", "\x1b[31m\x07", "\x7f\x01", "zwölf ☃ 日本",
        "--opt=va'l\"ue", "$'x'", "'", "\\", "x" * 5000, "\u2028", "${NAME}"]
ENV = {"PLAIN": "x", "EMPTY": "", "INNER": "a  b\tc", "QUOTES": "it's \"it\"", "BACK": "\\n \\", "SIGNS": "a=b;c#d [e] $F ${G} `h` %i",
       "SEMI": "; not a comment", "HASH": "# nor this", "BRACKET": "[app:x]", "UNI": "zwölf ☃ 日本", "CTRL": "a\x1b[31m\x07b", "LONG": "y" * 40000,
       "LINES": "-----BEGIN KEY-----\nab+/=\n-----END KEY-----\n", "LEAD": "  x", "TRAIL": "x\t ", "CR": "a\r\n", "BLANK": " ", "MIX": " \n\"'$\\ \\n${X} #",
       "EQ": "=", "QUOTED": "'single'", "DQUOTED": '"double"', "lower_1": "1", "NUM": 5, "FLOAT": 1.5, "BOOL": True, "DOLLAR": "$'x'"}


@pytest.mark.parametrize("kind", ["js", "json", "yaml"])
def test_arguments_and_environment_are_exact(pm, kind):
    put(pm, "show.js", SHOW)
    out = pm.dir / "out.json"
    app = {"name": "show", "script": "./show.js", "args": ARGS, "node_args": ["--no-warnings", "--stack-trace-limit=7"], "env": {**ENV, "OUT": str(out)}}
    text = json.dumps({"apps": [app]})
    name = {"js": "ecosystem.config.js", "json": "process.json", "yaml": "ecosystem.yaml"}[kind]
    put(pm, name, "module.exports = " + text if kind == "js" else text)
    pm.ok("import", name, "-o", "pmctl.ini")
    pm.ok("check")
    pm.ok("start")
    wait_for(out.exists, 10, "the program to tell")
    got = json.loads(out.read_text())
    want = {k: {True: "true"}.get(v, str(v)) if not isinstance(v, str) else v for k, v in ENV.items()}
    want["OUT"] = str(out)
    assert got["argv"] == ARGS
    assert got["execArgv"] == app["node_args"]
    assert got["env"] == want


def test_what_no_line_can_hold_has_a_file_of_its_own(pm):
    env = {"KEY": "s3cr3t\nline", "PLAIN": "x"}
    put(pm, "process.json", json.dumps({"apps": [{"name": "a b", "script": "a.js", "env": env, "env_prod": {"KEY": "x\ny"}}, {"name": "c", "script": "c.js"}]}))
    r = pm.ok("import", "process.json", "-o", "conf.ini")
    assert (pm.dir / "conf.a-b.env").read_text() == 'KEY="s3cr3t\\nline"\n' and (pm.dir / "conf.a-b.env").stat().st_mode & 0o777 == 0o600
    text = (pm.dir / "conf.ini").read_text()
    assert "env_file = conf.a-b.env" in text and "s3cr3t" not in text + r.err and "env.PLAIN = x" in text and text.count("env_file") == 1
    assert "in conf.a-b.env" in r.err and "env_prod.KEY" in r.err
    pm.ok("check", "conf.ini")
    os.unlink(pm.dir / "conf.ini")
    r = pm.fails(1, "import", "process.json", "-o", "conf.ini")
    assert "conf.a-b.env is there already" in r.err and not (pm.dir / "conf.ini").exists()
    os.unlink(pm.dir / "conf.a-b.env")
    (pm.dir / "conf.ini").mkdir()
    pm.fails(1, "import", "process.json", "-o", "conf.ini", "--force")
    assert sorted(p.name for p in pm.dir.glob("conf*")) == ["conf.ini"]
    put(pm, "conf.a-b.env", "old\n")
    pm.fails(1, "import", "process.json", "-o", "conf.ini", "--force")
    assert (pm.dir / "conf.a-b.env").exists()
    r = pm.ok("import", "process.json")
    assert "env_file" not in r.out and "s3cr3t" not in r.out and "line break" in r.err


def test_a_line_for_a_shell_is_exact(pm):
    """A script with blanks in PM2, a command over several lines in supervisord."""
    line = """printf '%s|' "a  b" 'c"d' "$(printf 'e\\nf')" > out1; echo done >> out1; exec sleep 1000"""
    put(pm, "process.json", json.dumps({"apps": [{"name": "sh", "script": line + "\n"}]}))
    put(pm, "supervisord.conf", """
        [program:multi]
        command=sh -c "
          echo one > out2
          echo two >> out2
          exec sleep 1000"
        startsecs=0
    """)
    for name, made in (("process.json", "a.ini"), ("supervisord.conf", "b.ini")):
        pm.ok("import", name, "-o", made)
        pm.ok("check", made)
        pm.ok("start", made)
    wait_for(lambda: (pm.dir / "out1").exists() and "done" in (pm.dir / "out1").read_text(), 10, "the shell of PM2")
    assert (pm.dir / "out1").read_text() == "a  b|c\"d|e\nf|done\n"
    wait_for(lambda: (pm.dir / "out2").exists() and "two" in (pm.dir / "out2").read_text(), 10, "the shell of supervisord")


def test_what_the_ini_cannot_hold_is_told_not_bent(pm):
    env = {"LEAD": " x", "TRAIL": "x ", "LINES": "a\nb", "CR": "a\r", "A-B": "1", "": "1", "A B": "1", "A=B": "1", "ünï": "1", "GOOD": "1",
           "PMCTL_APP": "x", "HUGE": "z" * 100000}
    put(pm, "process.json", json.dumps({"apps": [{"name": "a", "script": "a.js", "env": env}]}))
    found, ini = report(pm, "process.json")
    for name in env:
        if name != "GOOD":
            assert [e["kind"] for e in found["a", "env." + name]] == ["unsupported"], name
    assert [line for line in ini.splitlines() if line.startswith("env.")] == ["env.GOOD = 1"]
    assert "env_file" in found["a", "env.LINES"][0]["text"]


NAMES = ["new\nline", "[app:x]", "a]b", "x=y", "; comment", "# hash", "", "  ", "日本語", "é" * 100, "n" * 1000000, "..", "-x", "all", "12", "a/b", "../../etc",
         "\x1b[2J", "a@b", "a:b", "\x7f", "CON", "app", "web", "web", "Web", "web-2"]


FILES = ["we ird;#[x]=%$ü.js", "-dash.js", "# c.js", "qu'ote\".js", "tab\tx.js", " lead.js", "; s.js", "[app:x].js", "~.js", "a=b.js"]


def test_hostile_paths(pm):
    """Of the folder, the scripts and the logs; what cannot be written is told and left out."""
    pm.dir = pm.dir / "w; #[d]=% 'x'"
    for name in FILES + ["trail.js ", "new\nline.js"]:
        put(pm, name, "console.log('ok', __filename, process.cwd()); setInterval(() => 0, 1000);\n")
    put(pm, "ecosystem.config.js", "module.exports = {apps: %s.map((f, i) => ({name: 'p' + i, script: __dirname + '/' + f, cwd: __dirname,"
        " out_file: './log; ' + i, min_uptime: 50}))}" % json.dumps(FILES + ["trail.js ", "new\nline.js"]))
    r = pm.ok("import", "ecosystem.config.js", "-o", "pmctl.ini")
    assert f"{len(FILES)} apps" in r.err and r.err.count("the app is left out") == 2 and "env_file" not in r.err
    pm.ok("check")
    pm.ok("start")
    for i, name in enumerate(FILES):
        log = pm.dir / f"log; {i}"
        wait_for(lambda: log.exists() and b"\n" in log.read_bytes(), 10, name)
        assert f"ok {pm.dir}/{name} {pm.dir}".encode() in log.read_bytes().splitlines(), name


def test_hostile_names(pm):
    put(pm, "process.json", json.dumps({"apps": [{"name": n, "script": "a.js", "args": [str(i)]} for i, n in enumerate(NAMES)]}))
    r = pm.ok("import", "process.json", "-o", "pmctl.ini")
    pm.ok("check")
    text = (pm.dir / "pmctl.ini").read_text()
    heads = [line for line in text.splitlines() if line.startswith("[app:")]
    assert len(heads) == len(set(heads)) == len(NAMES)
    assert [line[7:] for line in text.splitlines() if line.startswith("args = ")] == [str(i) for i in range(len(NAMES))]
    assert "\x1b" not in r.err and len(r.err) < 20000


# --- programs as lists ---

PROGRAMS = {
    "getter": ("module.exports = {apps: [{name: 'a', script: 'a.js', get args() { throw new Error('got me') }}]}", 1, "line 1: got me"),
    "proxy": ("module.exports = {apps: new Proxy([{}], {get(t, k) { if (k === 'length') throw new Error('trap'); return t[k] }})}", 1, "trap"),
    "proxy-keys": ("module.exports = {apps: [{script: 'a', env: new Proxy({}, {ownKeys() { throw new Error('keys') }})}]}", 1, "keys"),
    "to-json": ("module.exports = {apps: [{name: 'a', script: 'a.js', toJSON() { return 5 }}]}", 7, "no app"),
    "class": ("module.exports = class { static apps = [] }", 1, "TypeError"),
    "undefined": ("module.exports = undefined", 7, "no app list"),
    "number": ("module.exports = 5n", 7, "no app list"),
    "never": ("module.exports = new Promise(() => {})", 1, "ended node by itself"),
    "exit": ("module.exports = {apps: []}; process.exit(0)", 1, "exit status 0"),
    "exit-later": ("module.exports = new Promise(() => setTimeout(() => process.exit(7), 10))", 1, "exit status 7"),
    "abort": ("process.abort()", 1, "signal 6"),
    "kill-0": ("process.kill(0, 'SIGKILL')", 1, "signal 9"),
    "shell-kill-0": ("require('child_process').execSync('kill 0')", 1, "signal 15"),
    "spin": ("for (;;);", 1, "still runs after"),
    "flood": ("for (;;) require('fs').writeSync(1, '\\x1b[31my'.repeat(10000) + '\\n')", 1, "still runs after"),
    "memory": ("throw new RangeError('x'.repeat(5e6))", 1, "RangeError"),
    "throws-null": ("throw null", 1, "it throws: null"),
    "throws-odd": ("throw {toString() { throw 1 }}", 1, "it"),
    "deep": ("let a = {}; for (let i = 0; i < 1e5; i++) a = {a}; module.exports = {apps: [a]}", 1, "it throws"),
    "close": ("require('fs').closeSync(3); module.exports = {apps: []}", 1, "before it said anything"),
    "rubbish": ("require('fs').writeSync(3, 'rubbish\\n'); setTimeout(() => 0, 1e6)", 1, "no answer we understand"),
    "hang-exit": ("process.on('exit', () => { for (;;); }); throw new Error('first')", 1, "first"),
}


@pytest.mark.parametrize("case", PROGRAMS)
def test_hostile_programs(pm, case):
    text, rc, said = PROGRAMS[case]
    put(pm, "ecosystem.config.js", text)
    most = "500ms" if "still runs" in said else ms(3000)
    r = pm.fails(rc, "import", "ecosystem.config.js", "-o", "new.ini", "--timeout", most)
    assert said in r.err and "\x1b" not in r.err and len(r.err) < 8000, r
    assert sorted(os.listdir(pm.dir)) == sorted({"ecosystem.config.js"} | ({"run"} & set(os.listdir(pm.dir)))), os.listdir(pm.dir)


GOOD_PROGRAMS = {
    "chdir": "process.chdir('/'); module.exports = {apps: [{name: 'a', script: './a.js'}]}",
    "exit-handler": "process.on('exit', () => { for (;;); }); module.exports = {apps: [{name: 'a', script: 'a.js'}]}",
    "print": "for (let i = 0; i < 300; i++) console.log('x'.repeat(10000)); console.error('y'); module.exports = {apps: [{name: 'a', script: 'a.js'}]}",
    "async": "module.exports = (async () => { await 1; return {apps: [{name: 'a', script: 'a.js'}]} })()",
    "bound": "module.exports = () => () => Promise.resolve({apps: [{name: 'a', script: 'a.js'}]})",
    "instance": "class A { name = 'a'; script = 'a.js'; cwd = undefined } module.exports = {apps: [new A]}",
    "getters": "module.exports = {get apps() { return [{name: 'a', get script() { return 'a.js' }}] }}",
    "frozen": "module.exports = Object.freeze({apps: Object.freeze([Object.freeze({name: 'a', script: 'a.js'})])})",
    "null-proto": "const o = Object.create(null); o.apps = [Object.assign(Object.create(null), {name: 'a', script: 'a.js'})]; module.exports = o",
    "children": """require('child_process').spawn('sleep', ['1000'], {detached: true, stdio: 'ignore'}).unref();
        module.exports = {apps: [{name: 'a', script: 'a.js'}]}""",
    "patched": """Object.prototype.toJSON = undefined; Array.prototype.extra = 1; JSON.stringify = () => 'no'; console.log = null;
        module.exports = {apps: [{name: 'a', script: 'a.js'}]}""",
}


@pytest.mark.parametrize("case", GOOD_PROGRAMS)
def test_odd_programs_that_are_lists(pm, case):
    put(pm, "ecosystem.config.js", GOOD_PROGRAMS[case])
    r = pm.ok("import", "ecosystem.config.js")
    assert "[app:a]\nscript = a.js\n" in r.out, r


def test_values_that_are_no_json(pm):
    put(pm, "ecosystem.config.js", """
        module.exports = {apps: [undefined, null, 1, {name: 'a', script: 'a.js', instances: 2n, max_restarts: NaN, cwd: undefined, watch: () => 1,
          ignore_watch: [/\\.log$/, Symbol('s')], args: ['a', undefined], min_uptime: Infinity,
          env: {BIG: 10n, UND: undefined, SYM: Symbol('x'), FUN: () => 1, DATE: new Date(0), NUL: null, MAP: new Map()}}]};
    """)
    found, ini = report(pm, "ecosystem.config.js")
    kinds = {key: [e["kind"] for e in v] for (_, key), v in found.items()}
    assert "instances = 2" in ini and "env.BIG = 10" in ini and "env.DATE = 1970-01-01T00:00:00.000Z" in ini
    for key in ("max_restarts", "min_uptime", "watch", "args", "env.SYM", "env.FUN", "env.NUL", "env.MAP", "apps[0]", "apps[1]", "apps[2]"):
        assert kinds[key] == ["unsupported"], (key, kinds)
    assert kinds["cwd"] == kinds["env.UND"] == ["ignored"]
    assert len(kinds["ignore_watch"]) >= 2


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_of_it(pm, sig):
    put(pm, "ecosystem.config.js", """
        const {spawn} = require('child_process');
        const kid = spawn('sh', ['-c', 'sleep 1001 & echo $! > grand; exec sleep 1002'], {detached: true, stdio: 'ignore'});
        require('fs').writeFileSync('pids', process.pid + ' ' + kid.pid);
        module.exports = new Promise(() => setInterval(() => 0, 1000));
    """)
    p = pm.popen("import", "ecosystem.config.js", "-o", "new.ini")
    wait_for(lambda: (pm.dir / "grand").exists() and (pm.dir / "grand").read_text() and (pm.dir / "pids").exists(), 15, "the processes")
    p.send_signal(sig)
    out, err = p.communicate(timeout=30)
    assert p.returncode == 128 + sig and b"interrupted" in err and out == b""
    pids = [int(n) for f in ("pids", "grand") for n in (pm.dir / f).read_text().split()]
    assert len(pids) == 3 and not any(map(alive, pids))
    assert not list(pm.dir.glob("new.ini*"))


TS = "interface App { name: string }\nconst a: App = { name: 'a' };\nmodule.exports = { apps: [{ ...a, script: 'a.js' }] };\n"


def test_typescript(pm):
    """By a node that takes types out; this one here stands for it and knows the option only."""
    put(pm, "ecosystem.config.ts", TS)
    old = put(pm, "old/node", "#!/bin/sh\ncase \"$1\" in --experimental-strip-types) echo bad option >&2; exit 9;; esac\nexit 1\n")
    new = put(pm, "new/node", f"""\
        #!/bin/sh
        [ "$1" = --experimental-strip-types ] || exit 1
        sed -i -e '/^interface/d' -e 's/: App//' {pm.dir}/ecosystem.config.ts
        shift 2
        exec {shutil.which('node')} "$@"
    """)
    old.chmod(0o755)
    new.chmod(0o755)
    r = pm.fails(1, "import", "ecosystem.config.ts", env={"PATH": f"{old.parent}:{os.environ['PATH']}"})
    assert "TypeScript" in r.err and "22.6" in r.err and "esbuild" in r.err
    r = pm.ok("import", "ecosystem.config.ts", env={"PATH": f"{new.parent}:{os.environ['PATH']}"})
    assert "[app:a]\nscript = a.js\n" in r.out
    assert "pmctl import ecosystem.config.ts" in pm.fails(2, "start", "ecosystem.config.ts").err


def nodes_with_types():
    """Those of PATH and PMCTL_TEST_NODES that can take types out of a program."""
    for node in [shutil.which("node"), *os.environ.get("PMCTL_TEST_NODES", "").split(":")]:
        if node:
            v = subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip().lstrip("v").split(".")
            if [int(n) for n in v[:2]] >= [22, 6]:
                yield node


@pytest.mark.skipif(not any(nodes_with_types()), reason="no node from 22.6 on")
@pytest.mark.parametrize("name,text", [
    ("ecosystem.config.ts", "const a: string = 'a'; export default { apps: [{ name: a, script: 'a.js', env: { T: process.env.TOK } }] } as object;"),
    ("ecosystem.config.cts", "const a: string = 'a'; module.exports = { apps: [{ name: a, script: 'a.js', env: { T: process.env.TOK } }] };"),
    ("ecosystem.config.mts", "const a: string = 'a'; export const apps = [{ name: a, script: 'a.js', env: { T: process.env.TOK } }];"),
], ids=["ts", "cts", "mts"])
def test_typescript_by_node(pm, name, text):
    put(pm, name, "interface X { a: string }\n" + text)
    put(pm, "enum.ts", "enum E { A }\nexport default { apps: [{ name: 'e' + E.A, script: 'x.js' }] };\n")
    for node in nodes_with_types():
        env = {"PATH": f"{os.path.dirname(node)}:{os.environ['PATH']}", "TOK": "tellnoone"}
        r = pm.ok("import", name, env=env)
        assert "[app:a]\n" in r.out and "\nscript = a.js\n" in r.out and "todo         env.T" in r.err and "tellnoone" not in r.out + r.err, (node, r)
        assert "esbuild" in pm.fails(1, "import", "enum.ts", env=env).err


# --- texts ---

TEXTS = {
    "utf16": ("process.json", b"\xff\xfe{\x00}\x00", "UTF-16"),
    "utf16be": ("ecosystem.config.js", b"\xfe\xff\x00m", "UTF-16"),
    "utf16-yaml": ("x.yml", b"\xff\xfea\x00", "UTF-16"),
    "utf16-sup": ("supervisord.conf", b"\xff\xfe[\x00", "UTF-16"),
    "latin1": ("process.json", b'{"apps": [{"name": "\xe9", "script": "a"}]}', "line 1"),
    "latin1-proc": ("Procfile", b"web: caf\xe9\n", "UTF-8"),
    "cut": ("process.json", b'{"apps": [{"name": "a", "script": "x"}', "line 1"),
    "deep": ("process.json", b'{"apps":' + b"[" * 100000, "depth"),
    "yaml-bomb": ("x.yml", "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{c}: &{c} [{','.join(['*' + p] * 9)}]\n" for p, c in zip("abcdefg", "bcdefgh")) + "apps: *h\n", "too large"),
    "yaml-tag": ("x.yml", "apps:\n  - name: !!js/function 'x'\n    script: a\n", "line 2"),
    "yaml-python": ("x.yml", "apps: !!python/object:os.system x\n", "tag"),
    "yaml-docs": ("x.yml", "apps:\n  - {name: a, script: a.js}\n---\napps: []\n", "more than one document"),
    "yaml-key": ("x.yml", "apps:\n  - script: a\n    ? [a]\n    : b\n", "no text"),
    "compose": ("docker-compose.yml", "services:\n  web: {image: x}\n", "containers"),
    "compose-2": ("stack.txt", "services:\n  web:\n    image: x\n", "containers"),
    "unit": ("web.service", "[Unit]\nDescription=x\n[Service]\nExecStart=/bin/x\n", "unit of systemd"),
    "sup-bracket": ("supervisord.conf", "[program:x\ncommand=x\n", "line 1"),
}


@pytest.mark.parametrize("case", TEXTS)
def test_hostile_texts(pm, case):
    name, text, said = TEXTS[case]
    put(pm, name, text)
    r = pm.fails(7, "import", name, "-o", "new.ini")
    assert said in r.err and not (pm.dir / "new.ini").exists(), r


@pytest.mark.parametrize("name,text", [
    ("process.json", '{\r\n  // c\r\n  "apps": [{"name": "a",\r\n "script": "a.js"}]\r\n}\r\n'),
    ("x.yml", "apps:\r\n  - name: a\r\n    script: a.js\r\n"),
    ("ecosystem.config.js", "module.exports = {apps: [{name: 'a', script: 'a.js'}]}\r\n"),
    ("Procfile", "# c\r\na: run\r\n"),
    ("x.conf", "[program:a]\r\ncommand=run\r\n"),
])
def test_mark_and_line_ends_of_windows(pm, name, text):
    put(pm, name, b"\xef\xbb\xbf" + text.encode())
    r = pm.ok("import", name, "-o", "pmctl.ini")
    assert "\r" not in (pm.dir / "pmctl.ini").read_text()
    pm.ok("check")
    assert "[app:a]" in (pm.dir / "pmctl.ini").read_text(), r


def test_lines_of_the_report(pm):
    put(pm, "process.json", '{ // c\n"apps": [\n{"name": "a",\n"script": "a.js",\n/*\n*/ "env": {\n"A": "1",\n"B": {}},\n"max_restarts": "x",\n"nosuch": 1,\n"name": "b"}],\n"watch": 1}')
    found, _ = report(pm, "process.json")
    lines = {k: [e["line"] for e in v] for k, v in found.items()}
    assert lines["b", "script"] == [4] and lines["b", "env"] == [6] and lines["b", "env.B"] == [8] and lines["b", "max_restarts"] == [9]
    assert lines["b", "nosuch"] == [10] and lines[None, "watch"] == [12] and lines[None, "PM2_KILL_SIGNAL"] == [None]
    assert {e["kind"] for e in found["b", "name"]} == {"mapped", "ignored"} and lines["b", "name"] == [11, 11]
    assert "\n      9  unsupported  max_restarts" in pm.ok("import", "process.json").err
    put(pm, "x.yml", "base: &b\n  max_restarts: 3\napps:\n  - <<: *b\n    name: a\n    script: a.js\n    env:\n      X: [1]\n")
    found, _ = report(pm, "x.yml")
    assert found["a", "max_restarts"][0]["line"] == 2 and found["a", "env.X"][0]["line"] == 8
    put(pm, "Procfile", "# c\n\na: b\nrubbish\n")
    found, _ = report(pm, "Procfile")
    assert found["a", "command"][0]["line"] == 3 and found[None, "line 4"][0]["line"] == 4


def test_dump_with_hundreds_of_keys(pm):
    proc = {f"axm_{i}": i for i in range(300)}
    proc.update({"name": "api", "pm_exec_path": "/srv/a.js", "pm_cwd": "/srv", "exec_interpreter": "node", "exec_mode": "fork_mode", "max_restarts": 7,
                 "env": {**{f"VAR_{i}": f"v{i}" for i in range(300)}, "SSH_TTY": "/dev/pts/1", "PM2_HOME": "/x"}})
    put(pm, "dump.pm2", json.dumps([proc], indent=1))
    found, ini = report(pm, "dump.pm2")
    assert ini.count("\nenv.VAR_") == 300 and "max_restarts = 7" in ini and "axm_" not in ini
    assert "axm_" in found[None, "(state)"][0]["text"]
    assert any("SSH_TTY" in e["text"] and "PM2_HOME" in e["text"] for e in found["api", "env"])
    assert found["api", "max_restarts"][0]["line"] > 300


# --- where it comes from and goes to ---

PIPED = {
    "js": ("module.exports = {apps: [{name: 'a', script: './a.js', env: {T: process.env.TOK}}]}", "pm2-code"),
    "esm": ("import path from 'path';\nexport default {apps: [{name: 'a', script: path.join('.', 'a.js'), env: {T: process.env.TOK}}]}", "pm2-code"),
    "require": ("module.exports = require('./other.js')", "pm2-code"),
    "json": ('{"apps": [{"name": "a", "script": "a.js"}]}', "pm2-json"),
    "list": ('[{"name": "a", "script": "a.js"}]', "pm2-json"),
    "yaml": ("# c\napps:\n  - name: a\n    script: a.js\n", "pm2-yaml"),
    "sup": ("; c\n[program:a]\ncommand=a.js\n", "supervisord"),
    "proc": ("# c\n\na: a.js\n", "procfile"),
    "dump": ('[{"name": "a", "pm_exec_path": "a.js", "pm_cwd": "."}]', "pm2-dump"),
}


@pytest.mark.parametrize("case", PIPED)
def test_from_standard_input(pm, case):
    text, called = PIPED[case]
    put(pm, "other.js", "module.exports = {apps: [{name: 'a', script: __dirname + '/a.js', env: {T: process.env.TOK}}]}")
    j = pm.ok("import", "-", "--json", stdin=text.encode(), env={"TOK": "tellnoone"}).json()
    assert j["format"] == called and j["file"] == "standard input"
    assert "[app:a]" in j["ini"] and "a.js" in j["ini"] and "tellnoone" not in json.dumps(j)
    if case in ("js", "esm", "require"):
        assert any(e["kind"] == "todo" and e["key"] == "env.T" for e in j["report"])
    r = pm.ok("import", "-", "-o", "pmctl.ini", stdin=text.encode())
    assert "written: pmctl.ini" in r.err
    pm.ok("check")


def test_format_says_what_it_is(pm):
    put(pm, "list", "a: b c\n")
    put(pm, "apps.txt", "{\"script\": \"a.js\"}")
    assert "command = b c" in pm.ok("import", "list", "--format", "procfile").out
    assert "script = a.js" in pm.ok("import", "apps.txt", "--format", "yaml").out
    assert "js|json|yaml" in pm.fails(2, "import", "list", "--format", "toml").err
    assert "--format" in pm.fails(7, "import", "-", stdin=b"hello\n").err
    assert "line 1: no" in pm.fails(1, "import", "-", "--format", "js", stdin=b"throw new Error('no')").err
    pm.fails(7, "import", "-", stdin=b"")


def test_not_a_file(pm):
    os.mkfifo(pm.dir / "process.json")
    os.mkfifo(pm.dir / "ecosystem.config.js")
    (pm.dir / "x.json").mkdir()
    for name, said in (("process.json", "is a pipe"), ("ecosystem.config.js", "is a pipe"), ("x.json", "is a directory"), ("none.json", "No such file"),
                       ("/dev/zero", "is a device")):
        r = pm.fails(7, "import", name)
        assert said in r.err


def test_it_deletes_itself(pm):
    """The first reading is what counts; that there is no second one is told."""
    put(pm, "ecosystem.config.js", "require('fs').unlinkSync(__filename); module.exports = {apps: [{name: 'a', script: 'a.js', env: {T: process.env.TOK}}]}")
    r = pm.ok("import", "ecosystem.config.js", env={"TOK": "tellnoone"})
    assert "[app:a]" in r.out and "tellnoone" not in r.out + r.err


def test_force_replaces_a_file(pm):
    put(pm, "process.json", '{"script": "a.js"}')
    put(pm, "real.ini", "old\n")
    os.symlink("real.ini", pm.dir / "link.ini")
    r = pm.fails(1, "import", "process.json", "-o", "link.ini")
    assert "--force" in r.err and (pm.dir / "real.ini").read_text() == "old\n"
    pm.ok("import", "process.json", "-o", "link.ini", "--force")
    assert (pm.dir / "real.ini").read_text() == "old\n" and not (pm.dir / "link.ini").is_symlink()
    pm.ok("import", "process.json", "-f", "-o", "real.ini")
    assert (pm.dir / "real.ini").read_text() == (pm.dir / "link.ini").read_text()
    assert (pm.dir / "real.ini").stat().st_mode & 0o777 == 0o600
    pm.fails(2, "import", "process.json", "--force")
    (pm.dir / "d").mkdir()
    pm.fails(1, "import", "process.json", "-f", "-o", "d")
    assert sorted(p.name for p in pm.dir.glob("*.ini*")) == ["link.ini", "real.ini"]


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_no_room(pm, force):
    """All of the file or none: what was there stays."""
    put(pm, "process.json", json.dumps({"apps": [{"name": f"a{i}", "script": "a.js", "args": "x" * 100} for i in range(300)]}))
    if force:
        put(pm, "new.ini", "old\n")
    r = subprocess.run([pm.pmctl, "import", "process.json", "-o", "new.ini", *force], cwd=pm.dir, env=pm.env(), capture_output=True, text=True,
                       preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)))
    assert r.returncode == 1 and "write new.ini: File too large" in r.stderr
    assert [p.read_text() for p in pm.dir.glob("new.ini*")] == (["old\n"] if force else [])
    with open("/dev/full", "w") as full:
        r = subprocess.run([pm.pmctl, "import", "process.json"], cwd=pm.dir, env=pm.env(), stdout=full, stderr=subprocess.PIPE, text=True)
    assert r.returncode == 1 and "No space left" in r.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="root only: becomes another user")
def test_as_an_ordinary_user(pm):
    put(pm, "ecosystem.config.js", "module.exports = {apps: [{name: 'a', script: 'a.js', uid: 'root', env: {A: 'x'}}]}")
    put(pm, "secret.json", '{"script": "a.js"}').chmod(0o600)
    for p in (pm.dir, *pm.dir.parents):
        if p.stat().st_uid == 0 and p != p.parent and str(p).startswith("/tmp/"):
            p.chmod(0o755)
    work = pm.dir / "work"
    work.mkdir()
    os.chown(work, 65534, 65534)

    def run(*args):
        return subprocess.run([pm.pmctl, "import", *args], cwd=work, env={**pm.env(), "HOME": "/nonexistent"}, capture_output=True, text=True,
                              user=65534, group=65534, extra_groups=[])
    r = run("../ecosystem.config.js", "-o", "pmctl.ini")
    assert r.returncode == 0, r.stderr
    made = work / "pmctl.ini"
    assert made.stat().st_uid == 65534 and made.stat().st_mode & 0o777 == 0o600
    r = run("../secret.json")
    assert r.returncode in (6, 7) and "Permission denied" in r.stderr
    r = run("../ecosystem.config.js", "-o", "../no.ini")
    assert r.returncode in (1, 6) and "Permission denied" in r.stderr and not (pm.dir / "no.ini").exists()


def test_values_of_variables_are_in_the_result_only(pm):
    put(pm, "process.json", json.dumps({"apps": [{"name": "a", "script": "a.js", "env": {"KEY": "s3cr3tvalue", "BAD": {"x": "s3cr3tvalue"}, "A-B": "s3cr3tvalue"},
                                                  "env_prod": {"KEY": "s3cr3tvalue2"}}]}))
    put(pm, "supervisord.conf", "[program:a]\ncommand=x\nenvironment=K=\"s3cr3tvalue\",rubbish s3cr3tvalue\n")
    for name in ("process.json", "supervisord.conf"):
        j = pm.ok("import", name, "--json").json()
        assert "s3cr3tvalue" not in json.dumps(j["report"]) and "s3cr3tvalue" in j["ini"]
        assert "s3cr3t" not in pm.ok("import", name, "-o", name + ".ini").err
        assert (pm.dir / (name + ".ini")).stat().st_mode & 0o777 == 0o600


# --- supervisord and foreman ---

def test_supervisord_includes(pm):
    put(pm, "supervisord.conf", """
        [supervisord]
        [include]
        files = conf.d/*.conf %(here)s/sub/*.ini supervisord.conf none.conf %(ENV_X)s/a.conf
        [program:a]
        command=x
        startsecs=3
        [program:a]
        command=sleep 1000
        startsecs=0
        [group:g]
        programs=a,nosuch
        priority=5
        [eventlistener:mm]
        command=memmon -p x=200MB
        events=TICK_60
    """)
    put(pm, "conf.d/b.conf", "[include]\nfiles=*.conf\n[program:b]\ncommand=%(here)s/run --b\n")
    put(pm, "conf.d/c.conf", "\n[program:c]\ncommand=c\nstdout_logfile=%(here)s/c.log\n[group:h]\nprograms=c\n")
    put(pm, "sub/d.ini", "[program:a]\nuser=nobody\n")
    found, ini = report(pm, "supervisord.conf")
    assert f"command = {pm.dir}/conf.d/run --b" in ini and "log_out = conf.d/c.log" in ini and ini.count("[app:") == 3
    assert "[app:a]\ncommand = sleep 1000\nnamespace = g\n" in ini and "user = nobody" in ini and "ready = spawn" in ini and "namespace = h" in ini
    files = {e["text"].split(" ")[0].rstrip(":"): e["kind"] for e in found[None, "[include] files"]}
    assert files["conf.d/*.conf"] == files["supervisord.conf"] == "mapped" and files["none.conf"] == "ignored" and files["%(ENV_X)s/a.conf"] == "unsupported"
    assert found[None, "[include]"][0]["kind"] == "ignored" and "conf.d/b.conf" in found[None, "[include]"][0]["text"]
    assert found["c", "command"][0]["line"] == 3 and "conf.d/c.conf" in found["c", "[include]"][0]["text"]
    assert found["a", "command"][0]["kind"] == "ignored" and found["a", "startsecs"][0]["kind"] == "ignored"
    assert "nosuch" in found[None, "[group:g] programs"][0]["text"] and found[None, "[group:g] priority"][0]["kind"] == "unsupported"
    assert "memory_max" in found[None, "[eventlistener:mm]"][0]["text"]


def test_supervisord_includes_are_bounded(pm):
    for i in range(1001):
        put(pm, f"d/{i}.conf", f"[program:p{i}]\ncommand=x\n")
    put(pm, "supervisord.conf", "[include]\nfiles=d/*.conf\n")
    assert "more than 1000 files" in pm.fails(7, "import", "supervisord.conf").err
    (pm.dir / "d/1000.conf").unlink()
    assert "1000 apps" in pm.ok("import", "supervisord.conf").err
    put(pm, "d/5.conf", "[program:x]\nrubbish\n")
    assert "d/5.conf: line 2" in pm.fails(7, "import", "supervisord.conf").err
    for text, why in ((b"[program:x]\ncommand=caf\xe9\n", "d/5.conf: line 2 is not UTF-8"), (b"[program:x]\ncommand=a\0\nuser=nobody\n", "d/5.conf: there is a NUL")):
        (pm.dir / "d/5.conf").write_bytes(text)
        assert why in pm.fails(7, "import", "supervisord.conf").err
    (pm.dir / "d/5.conf").unlink()
    os.mkfifo(pm.dir / "d/5.conf")
    assert "is a pipe" in pm.fails(7, "import", "supervisord.conf").err


FCGI = """
import os, socket, sys
s = socket.socket(fileno=0)
open('args', 'w').write(repr(sys.argv[1:]))
while True:
    c, _ = s.accept()
    c.sendall(b'slot ' + os.environ['NODE_APP_INSTANCE'].encode())
    c.close()
"""


def test_a_fcgi_program_gets_its_socket(pm):
    import socket
    put(pm, "fcgi.py", FCGI)
    port = free_port()
    put(pm, "supervisord.conf", f"""
        [fcgi-program:php]
        command=/usr/bin/python3 fcgi.py "a b" '$x'
        socket=tcp://localhost:{port}
        socket_mode=0700
        numprocs=2
        process_name=%(program_name)s_%(process_num)d
    """)
    found, ini = report(pm, "supervisord.conf")
    assert found["php", "socket"][0]["to"] == f"listen = 127.0.0.1:{port}" and found["php", "socket_mode"][0]["kind"] == "unsupported"
    assert "instances = 2" in ini
    pm.ok("import", "supervisord.conf", "-o", "pmctl.ini")
    pm.ok("check")
    pm.ok("start")
    with socket.create_connection(("127.0.0.1", port), 10) as c:
        assert c.recv(100).startswith(b"slot ")
    assert (pm.dir / "args").read_text() == "['a b', '$x']"
    put(pm, "unix.conf", "[fcgi-program:u]\ncommand=x\nsocket=unix:///run/%(program_name)s.sock\n[fcgi-program:v]\ncommand=x\nsocket=ftp://x\n")
    found, ini = report(pm, "unix.conf")
    assert "listen = unix:/run/u.sock" in ini and found["v", "socket"][0]["kind"] == "unsupported"


def test_foreman(pm):
    put(pm, ".env", "PORT=6000\nTOKEN=s3cr3t\n")
    put(pm, "Procfile", "# a comment\nweb: FOO=1 B='x y' node x $PORT\n\nworker: PORT=3 y\n  idle: z\nrelease: m\n")
    found, ini = report(pm, "Procfile")
    web = ini[ini.index("[app:web]"):ini.index("[app:worker]")]
    assert "command = sh -c 'exec node x $PORT'\n" in web and "env.B = x y\nenv.FOO = 1\nenv.PORT = 6000\n" in web and "after = release" in web
    assert "[app:worker]\ncommand = y\nenv.PORT = 3\n" in ini and "env.PORT = 6200" in ini and "env.PORT = 6300" in ini
    assert "env_file = .env" in ini and "s3cr3t" not in ini
    put(pm, ".foreman", "formation: web=2,idle=0\nport: 7000\ntimeout: 3\nenv: .env.dev\n")
    put(pm, ".env.dev", "X=1\n")
    found, ini = report(pm, "Procfile")
    assert "env.PORT = 7000\ninstances = 2\nmode = fork\nincrement_var = PORT\n" in ini and "env.PORT = 7200" in ini and "autostart = no" in ini
    assert "env_file = .env.dev" in ini and found[None, ".foreman timeout"][0]["kind"] == "unsupported"
    put(pm, ".foreman", "[")
    found, ini = report(pm, "Procfile")
    assert found[None, ".foreman"][0]["kind"] == "unsupported" and "env.PORT = 6000" in ini
