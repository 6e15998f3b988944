# SPDX-License-Identifier: MIT
"""pmctl import: app lists of other programs become pmctl.ini, with a word on each key."""
import json
import os
import re
import shlex
import textwrap
import time

import pytest

from conftest import SLOW, alive, ms, wait_for

VUE = """
{ "apps": [ { "name": "storefront", "script": "./dist/server.js", "instances": "2", "exec_mode": "cluster",
    "node_args": "--max-old-space-size=512 --trace-warnings", "max_memory_restart": "1G", "watch": ["src", "config/*.json"],
    "ignore_watch": ["node_modules", "**/*.log"], "autorestart": "true", "merge_logs": true } ] }
"""
TWO = """
{ // an API and its worker
  "apps": [
    { "name": "api", "script": "src/index.js", "args": "start --verbose 'a b'", "log_date_format": "YYYY-MM-DD HH:mm:ss", },
    { "name": "o2m", "script": "src/worker.js", "args": ["start", "--partitions=10"], "autorestart": false,
      "cron_restart": "0 4 * * *", },
  ], /* end */
}
"""
BARE = """
{ "name": "bare", "script": "./bin/www", "watch": true, "watch_options": {"usePolling": true, "interval": 1000},
  "env": {"NODE_ENV": "development", "PORT": 8080}, "env_production": {"PORT": 80}, "error_file": "err.log", "out_file": "NULL" }
"""
PYTHON = """
const path = require('path');
module.exports = { apps: [
  { name: 'gunicorn', script: path.join(__dirname, 'venv/bin/gunicorn'), args: '-w 4 -b 127.0.0.1:8000 app.wsgi',
    interpreter: 'none', cwd: __dirname, max_memory_restart: '800M' },
  { name: 'worker', script: 'venv/bin/celery', args: '-A app worker -l info', interpreter: path.join(__dirname, 'venv/bin/python'),
    kill_timeout: 30000, max_restarts: 5 },
  { name: 'beat', script: 'celery', args: '-A app beat', exec_mode: 'cluster', instances: 1 },
] };
"""
LOGS = """
module.exports = { apps: [{ name: 'celery', script: 'run.sh', interpreter: 'none', time: true,
  out_file: '/var/log/celery/out.log', error_file: '/var/log/celery/err.log', log_file: '/var/log/celery/all.log' },
  { name: 'one', script: 'run.sh', log_file: './both.log' }] };
"""
MONOREPO = """
module.exports = { apps: ['web', 'worker'].map((name, i) => ({
  name, cwd: `./packages/${name}`, script: 'pnpm', args: 'start', env: { PORT: 3000 + i } })) };
"""
DEPLOY = """
module.exports = { apps: [{ name: 'app', script: 'app.js', instances: '3', env: { A: 1 }, env_staging: { A: 2, node_args: '-x' } }],
  deploy: { production: { key: 'k', user: 'u', host: ['h'], ref: 'origin/main', repo: 'git@x:y', path: '/srv', 'post-deploy': 'npm i' } },
  watch: true };
"""
WISHES = """
export default { apps: [{ name: 'wish', script: './server.mjs', env_file: '.env', log_rotate: true, max_size: '10M', retain: 5,
  health_check_grace_period: 3000, kill_retry_time: 100, nodePath: '.', monitoring: true, max_memry_restart: '1G',
  wait_ready: true, listen_timeout: 50000, increment_var: 'PORT', instances: 'max', exec_mode: 'cluster', env: { PORT: 3000 } }] };
"""
SECRETS = """
module.exports = { apps: [{ name: 'secret', script: 'app.js', env: {
  DB_PASS: process.env.DB_PASS, UNSET: process.env.NOT_SET_ANYWHERE, URL: `pg://u:${process.env.DB_PASS}@h/db`,
  PORT: process.env.NO_PORT || 3000, FIX: 'literal; # % $HOME' }, args: ['--name', process.env.WHO], cwd: process.env.HOME }] };
"""
NAMES = """
apps:
  - &base
    name: My API
    script: a.js
    namespace: blue
    max_restarts: 5
  - <<: *base
    namespace: green
  - name: "42"
    script: a.js
  - name: all
    script: npm run dev
    exec_mode: fork
  - name: ''
    script: "cd x && exec ./run"
    env: {ON: yes, ZIP: 0123, F: 1.5, E: ""}
"""
PROMISE = """
module.exports = async () => ({ apps: [{ name: 'later', script: 'x.js', hook: () => 1, args: ['--a', 1, true] }] });
"""
TYPES = """
{"apps": [{"name": "t", "script": "t.js", "instances": -1, "min_uptime": "10s", "restart_delay": 1500, "listen_timeout": "3000",
 "exp_backoff_restart_delay": 200, "max_memory_restart": 300, "kill_timeout": -1, "stop_exit_codes": [0, 3], "uid": 1000,
 "gid": "www", "treekill": false, "autostart": "false", "cron_restart": "0 30 2 * * *", "exec_mode": "cluster_mode",
 "env": {"N": null, "O": {"a": 1}, "L": "a\\nb", "B": " x", "A-B": "1", "OK": "1"}, "shutdown_with_message": true,
 "watch_delay": 500, "port": 4000, "source_map_support": true, "vizion": false, "name_prefix": "x", "instance_var": "SLOT"}]}
"""
BUN = """
module.exports = [{ name: 'bun', script: 'index.ts', interpreter: '~/.bun/bin/bun', exec_mode: 'cluster' },
  { name: 'tunnel', script: 'cloudflared', args: 'tunnel run', interpreter: 'none' },
  { name: 'babel', script: 'src/x.js', interpreter: './node_modules/.bin/babel-node' },
  { name: 'nvm', script: 'x.js', interpreter: 'node@18' }];
"""
ZULIP = """
[supervisord]
nodaemon=true
environment=HOME="/home/z"

[program:tornado]
command=nice -n5 /srv/z/manage.py runtornado 127.0.0.1:98%(process_num)02d ; behind it
process_name=tornado-port-98%(process_num)02d
environment=PYTHONUNBUFFERED=1,KEY="a,b",
  MORE='x y'
priority=200
autostart=true
autorestart=true
stopsignal=TERM
stopwaitsecs=30
user=zulip
redirect_stderr=true
stdout_logfile=/var/log/zulip/tornado-98%(process_num)02d.log
stdout_logfile_maxbytes=100MB
stdout_logfile_backups=10
directory=/srv/z
numprocs=3
numprocs_start=1
stopasgroup=true
killasgroup=true

[program:events]
command=/srv/z/manage.py process_queue --multi
redirect_stderr=true
stdout_logfile=/var/log/zulip/events.log
numprocs=2
process_name=%(program_name)s_%(process_num)02d

[group:zulip-workers]
programs=tornado, events
"""
SONIC = """
[eventlistener:dependent-startup]
command=python3 -m supervisord_dependent_startup
events=PROCESS_STATE
[program:rsyslogd]
command=/usr/sbin/rsyslogd -n -iNONE
priority=1
autostart=false
autorestart=unexpected
exitcodes=0,3
stdout_logfile=syslog
stderr_logfile=NONE
dependent_startup=true
[program:orchagent]
command=/usr/bin/orchagent.sh
dependent_startup=true
dependent_startup_wait_for=rsyslogd:running portsyncd:exited
environment=SECRET="%(ENV_SECRET)s",P="100%%"
startsecs=0
"""
APPSMITH = """
[program:backend]
directory=/opt/backend
command=java -Dport=%(ENV_PORT)s -jar server.jar --name "a b"
priority=15
startsecs=20
stdout_logfile=/logs/%(ENV_HOSTNAME)s.log
stdout_events_enabled=true
stdout_logfile_maxbytes=0
"""
PROCFILE = """
# as in a Rails app
web: bundle exec puma -p ${PORT:="3000"} -e ${RAILS_ENV:-development} -C ./config/puma.rb
worker: STATEMENT_TIMEOUT=0 bundle exec sidekiq -c "5" -q default
release: STATEMENT_TIMEOUT=18000 bundle exec rails db:migrate && bin/seed
css: bin/rails tailwindcss:watch
stream: PORT=4000 yarn workspace @x/streaming start
"""
DUMP = json.dumps([
    {"name": "api", "namespace": "default", "pm_exec_path": "/srv/api/app.js", "pm_cwd": "/srv/api", "args": ["--x", "a b"],
     "node_args": [], "exec_interpreter": "node", "exec_mode": "cluster_mode", "instances": 2, "status": "online",
     "env": {"PATH": "/bin", "HOME": "/root", "PORT": "3000", "PM2_HOME": "/root/.pm2", "unique_id": "x", "api": {}, "LC_ALL": "C",
             "SSH_TTY": "/dev/pts/1", "COPIED": "same"}, "PORT": "3000", "pm_out_log_path": "/root/.pm2/logs/api-out.log",
     "pm_err_log_path": "/var/log/err.log", "pm_id": i, "axm_options": {}, "km_link": False, "vizion_running": False,
     "kill_timeout": 1600, "treekill": True, "autorestart": True, "watch": False, "merge_logs": True, "created_at": 1,
     "max_memory_restart": 314572800} for i in range(2)] + [
    {"name": "idle", "pm_exec_path": "/usr/bin/bash", "pm_cwd": "/srv", "args": ["-c", "sleep 1000"],
     "exec_interpreter": "none", "exec_mode": "fork_mode", "status": "stopped", "env": {}}])

# file name, text, lines the result has, (key, kind) pairs the report has
CASES = {
    "vue": ("ecosystem.json", VUE,
            ["[app:storefront]", "script = dist/server.js", "instances = 2", "mode = cluster", "memory_max = 1G",
             "interpreter_args = --max-old-space-size=512 --trace-warnings", "watch = src config",
             "watch_ignore = node_modules '*.log'", "stop_signal = SIGINT"],
            [("instances", "mapped"), ("max_memory_restart", "changed"), ("merge_logs", "unsupported")]),
    "two": ("ecosystem.json", TWO,
            ["args = start --verbose 'a b'", "args = start --partitions=10", "autorestart = never",
             "cron_restart = 0 4 * * *", "log_format = time"],
            [("log_date_format", "changed"), ("cron_restart", "mapped")]),
    "bare": ("process.json", BARE,
             ["script = bin/www", "watch = yes", "log_out = none", "log_err = err.log", "env.PORT = 8080",
              "[app:bare@production]", "env.PORT = 80"],
             [("watch_options", "unsupported"), ("env_production", "mapped")]),
    "python": ("ecosystem.config.js", PYTHON,
               ["script = venv/bin/gunicorn", "args = -w 4 -b 127.0.0.1:8000 app.wsgi", "interpreter = none", "memory_max = 800M",
                "script = venv/bin/celery", "interpreter = venv/bin/python", "stop_timeout = 30s", "command = celery -A app beat"],
               [("kill_timeout", "changed"), ("exec_mode", "changed")]),
    "logs": ("ecosystem.config.cjs", LOGS,
             ["log_out = /var/log/celery/out.log", "log_err = /var/log/celery/err.log", "log_format = time",
              "log_out = both.log", "log_err = both.log"],
             [("log_file", "unsupported"), ("log_file", "changed")]),
    "monorepo": ("ecosystem.config.js", MONOREPO,
                 ["[app:web]", "[app:worker]", "cwd = packages/web", "command = pnpm start", "env.PORT = 3001"],
                 [("script", "mapped"), ("env", "mapped")]),
    "deploy": ("pm2.config.js", DEPLOY,
               ["instances = 3", "[app:app@staging]", "env.A = 2"],
               [("deploy", "unsupported"), ("watch", "ignored"), ("env_staging.node_args", "ignored")]),
    "wishes": ("ecosystem.config.mjs", WISHES,
               ["ready = message", "ready_timeout = 50s", "increment_var = PORT", "instances = max", "mode = cluster"],
               [(k, "ignored") for k in ("env_file", "log_rotate", "max_size", "retain", "health_check_grace_period",
                                         "nodePath", "max_memry_restart")] +
               [("wait_ready", "changed"), ("monitoring", "unsupported"), ("kill_retry_time", "unsupported")]),
    "names": ("ecosystem.yml", NAMES,
              ["[app:My-API]", "[app:My-API-2]", "[app:app-42]", "[app:app-all]", "namespace = blue", "namespace = green",
               "command = npm run dev", "command = bash -c 'cd x && exec ./run'", "env.ON = yes", "env.ZIP = 0123",
               "env.F = 1.5", "env.E ="],
              [("name", "changed"), ("max_restarts", "changed")]),
    "promise": ("ecosystem.config.js", PROMISE, ["[app:later]", "args = --a 1 true"], [("hook", "ignored")]),
    "types": ("process.json", TYPES,
              ["instances = max-1", "min_uptime = 10s", "restart_delay = 200ms", "ready_timeout = 3s", "stop_exit_codes = 0,3",
               "user = 1000", "group = www", "kill_mode = process", "autostart = no", "cron_restart = 30 2 * * *", "env.OK = 1",
               "env.PORT = 4000", "instance_var = SLOT", "watch_delay = 500ms"],
              [("max_memory_restart", "unsupported"), ("kill_timeout", "unsupported"), ("env.N", "unsupported"),
               ("env.O", "unsupported"), ("env.L", "unsupported"), ("env.B", "unsupported"), ("env.A-B", "unsupported"),
               ("shutdown_with_message", "unsupported"), ("source_map_support", "unsupported")]),
    "bun": ("ecosystem.config.js", BUN,
            ["interpreter = /h/.bun/bin/bun", "command = cloudflared tunnel run",
             "interpreter = node_modules/.bin/babel-node"],
            [("exec_mode", "changed"), ("interpreter", "unsupported")]),
    "zulip": ("supervisord.conf", ZULIP,
              ["env.HOME = /home/z", "[app:tornado-port-9801]", "[app:tornado-port-9803]", "namespace = zulip-workers",
               "command = nice -n5 /srv/z/manage.py runtornado 127.0.0.1:9803", "env.KEY = a,b", "env.MORE = x y",
               "stop_timeout = 30s", "log_out = /var/log/zulip/tornado-9801.log", "log_err = /var/log/zulip/tornado-9801.log",
               "log_max_size = 100M", "log_keep = 10", "[app:events]", "instances = 2", "autorestart = on-failure", "user = zulip"],
              [("priority", "unsupported"), ("stopasgroup", "mapped"), ("numprocs", "changed")]),
    "sonic": ("supervisord.conf", SONIC,
              ["autostart = no", "autorestart = always", "stop_exit_codes = 0,3", "log_err = none", "after = rsyslogd",
               "ready = spawn", "env.P = 100%"],
              [("[eventlistener:dependent-startup]", "unsupported"), ("dependent_startup_wait_for", "changed"),
               ("environment.SECRET", "todo"), ("stdout_logfile", "unsupported")]),
    "appsmith": ("backend.conf", APPSMITH,
                 ["""command = sh -c 'exec java "-Dport=${PORT}" -jar server.jar --name "a b"'""", "cwd = /opt/backend",
                  "min_uptime = 20s", "log_max_size = 0"],
                 [("command", "todo"), ("stdout_events_enabled", "unsupported"), ("stdout_logfile", "unsupported")]),
    "procfile": ("Procfile", PROCFILE,
                 ["""command = sh -c 'exec bundle exec puma -p ${PORT:="3000"} -e ${RAILS_ENV:-development} -C ./config/puma.rb'""",
                  "env.PORT = 5000", "command = bundle exec sidekiq -c \"5\" -q default", "env.STATEMENT_TIMEOUT = 0",
                  "[app:release]", "autorestart = never", "after = release", "env.PORT = 4000",
                  "command = sh -c 'bundle exec rails db:migrate && bin/seed'"],
                 [("PORT", "mapped"), ("release", "changed")]),
    "dump": ("dump.pm2", DUMP,
             ["script = /srv/api/app.js", "cwd = /srv/api", "args = --x 'a b'", "instances = 2", "mode = cluster", "env.PORT = 3000",
              "memory_max = 300M", "log_err = /var/log/err.log", "autostart = no", "args = -c 'sleep 1000'"],
             [("status", None), ("axm_options", None), ("autostart", "mapped")]),
}


def put(pm, name, text):
    path = pm.dir / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


def check(pm, ini):
    """The result is a valid app list."""
    path = pm.dir / "made.ini"
    path.write_text(ini)
    r = pm.ctl("check", path)
    assert r.rc == 0, f"{r}\n{ini}"


@pytest.mark.parametrize("case", CASES)
def test_import(pm, case):
    name, text, lines, report = CASES[case]
    put(pm, name, text)
    env = {"HOME": "/h", "COPIED": "same"}
    j = pm.ok("import", name, "--json", env=env).json()
    made = j["ini"].splitlines()
    for line in lines:
        assert line in made, f"{line!r} is not in\n{j['ini']}"
    told = {(e["key"], e["kind"]) for e in j["report"]}
    for key, kind in report:
        assert (key, kind) in told if kind else all(k != key for k, _ in told), (key, kind, sorted(told))
    assert j["problems"] == [] and j["v"] == 1 and j["apps"] > 0
    assert all(e["text"] or e["to"] for e in j["report"])
    check(pm, j["ini"])
    r = pm.ok("import", name, env=env)
    assert r.out == j["ini"] and f"{j['apps']} app" in r.err.splitlines()[-1]


def test_secrets_are_no_values(pm):
    put(pm, "ecosystem.config.js", SECRETS)
    r = pm.ok("import", "ecosystem.config.js", env={"DB_PASS": "hunter2", "WHO": "me"})
    assert "args = --name me" in r.out and re.search(r"^  todo +args .*WHO", r.err, re.M)
    assert "hunter2" not in r.out + r.err
    assert "env.PORT = 3000" in r.out and "env.FIX = literal; # % $HOME" in r.out
    for name in ("DB_PASS", "UNSET", "URL"):
        assert re.search(rf"^  todo +env\.{name} ", r.err, re.M) and f"; env.{name} was " in r.out
    check(pm, r.out)


SHAPES = {
    "module": ("ecosystem.config.mjs", "export default { apps: [{ name: 'a', script: 'a.js', env: { P: process.env.TOK } }] };"),
    "module-js": ("ecosystem.config.js", "export const apps = [{ name: 'a', script: 'a.js', env: { P: process.env.TOK } }];"),
    "helper": ("ecosystem.config.cjs", "module.exports = { apps: [{ name: 'a', script: 'a.js', env: require('./env.cjs') }] };"),
    "esm-helper": ("ecosystem.config.mjs", "import e from './env.cjs'; export default [{ name: 'a', script: 'a.js', env: e }];"),
    "picky": ("ecosystem.config.cjs", """if (process.env.TOK.length !== 9) throw 1;
        module.exports = { apps: [{ name: 'a', script: 'a.js', env: { P: process.env.TOK } }] };"""),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_secrets_of_many_shapes(pm, shape):
    name, text = SHAPES[shape]
    put(pm, name, text)
    put(pm, "env.cjs", "module.exports = { P: process.env.TOK };")
    if shape == "module-js":
        put(pm, "package.json", '{"type": "module"}')
    r = pm.ok("import", name, env={"TOK": "tellnoone"})
    assert "tellnoone" not in r.out + r.err and re.search(r"^  todo +env\.P ", r.err, re.M), r


def test_dotenv_becomes_env_file(pm):
    put(pm, ".env", "A=secret\n")
    put(pm, "ecosystem.config.js", """
        for (const l of require('fs').readFileSync(__dirname + '/.env', 'utf8').trim().split('\\n')) {
          const [k, v] = l.split('='); process.env[k] = v;
        }
        module.exports = { apps: [{ name: 'a', script: 'a.js', env: { A: process.env.A, ...process.env } }] };
    """)
    r = pm.ok("import", "ecosystem.config.js")
    assert "env_file = .env" in r.out and "secret" not in r.out
    assert "env.PATH" not in r.out and "env.HOME" not in r.out


def test_output_goes_into_a_new_file_only(pm):
    sub = pm.dir / "conf"
    sub.mkdir()
    put(pm, "ecosystem.json", '{"apps": [{"name": "a", "script": "./a.js", "cwd": "./b", "out_file": "~/x.log"}]}')
    r = pm.ok("import", "ecosystem.json", "-o", "conf/pmctl.ini")
    text = (sub / "pmctl.ini").read_text()
    assert r.out == "" and f"script = {pm.dir}/b/a.js" in text and f"cwd = {pm.dir}/b" in text
    assert (sub / "pmctl.ini").stat().st_mode & 0o777 == 0o600
    pm.ok("check", "conf/pmctl.ini")
    r = pm.fails(1, "import", "ecosystem.json", "--output", "conf/pmctl.ini")
    assert "is there already" in r.err and (sub / "pmctl.ini").read_text() == text
    os.symlink("/nowhere/x", pm.dir / "link.ini")
    pm.fails(1, "import", "ecosystem.json", "-o", "link.ini")
    for there in ("nodir/x.ini", "/sys/x.ini"):
        r = pm.ctl("import", "ecosystem.json", "-o", there, "--json")
        assert r.rc in (1, 6) and r.out == "" and json.loads(r.err)["error"]["exit"] == r.rc, r


def test_a_link_to_the_release_stays_one(pm):
    (pm.dir / "v1").mkdir()
    os.symlink("v1", pm.dir / "current")
    put(pm, "v1/ecosystem.config.js", "module.exports = {apps: [{name: 'a', script: __dirname + '/a.js', cwd: __dirname}]}")
    r = pm.ok("import", "current/ecosystem.config.js", "-o", "pmctl.ini")
    text = (pm.dir / "pmctl.ini").read_text()
    assert "script = current/a.js" in text and "cwd = current" in text, r


BROKEN = {
    "throws": ("ecosystem.config.js", "const a = 1;\nthrow new TypeError('no such thing');\n", "line 2: TypeError: no such thing"),
    "syntax": ("ecosystem.config.js", "module.exports = {\n  apps: [ {\n", "SyntaxError"),
    "exits": ("ecosystem.config.js", "console.log('bye'); process.exit(3)", "exit status 3"),
    "rubbish": ("ecosystem.config.js", "module.exports = 'hello'", "no app list"),
    "nothing": ("ecosystem.config.js", "", "no app list"),
    "rejects": ("ecosystem.config.js", "module.exports = Promise.reject(new Error('later'))", "later"),
    "timer": ("ecosystem.config.js", "module.exports = new Promise(() => setTimeout(() => { throw new Error('tick') }, 20))", "tick"),
    "circle": ("ecosystem.config.js", "const a = {}; a.a = a; module.exports = {apps: [a]}", "circular"),
    "module": ("ecosystem.config.js", "require('nosuchmodule')", "nosuchmodule"),
    "huge": ("ecosystem.config.js", "module.exports = {apps: [{name: 'x'.repeat(2e6), script: 'a'}]}", "larger than 1 MiB"),
    "esm": ("ecosystem.config.mjs", "throw new Error('in a module')", "line 1: in a module"),
    "segv": ("ecosystem.config.js", "process.kill(process.pid, 'SIGKILL')", "signal 9"),
    "json": ("process.json", '{"apps": [\n  {"name": "a" "script": "b"}\n]}', "line 2, column "),
    "json-empty": ("process.json", "", "line 1"),
    "json-string": ("process.json", '{"x": "\x01"}', "line 1"),
    "no-apps": ("process.json", "{}", "no app list"),
    "no-script": ("process.json", '{"apps": [{"name": "a"}]}', "no app in it"),
    "yaml": ("x.yml", "apps:\n  - a: [1\n", "line 3"),
    "yaml-loop": ("x.yml", "apps: &a\n  - *a\n", "nested too deeply"),
    "sup-line": ("supervisord.conf", "[program:x]\ncommand=x\nrubbish\n", "line 3"),
    "sup-none": ("supervisord.conf", "[supervisord]\n", "no [program:NAME]"),
    "template": ("supervisord.conf", "[program:x]\n{% if a %}\ncommand=x\n", "template"),
    "procfile": ("Procfile", "nothing here\n", "NAME: COMMAND"),
    "what": ("hello.txt", "hello\n", "no app list we know"),
    "nul": ("Procfile", "web: a\0b\n", "NUL"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken(pm, case):
    name, text, said = BROKEN[case]
    put(pm, name, text)
    r = pm.ctl("import", name, "-o", "new.ini")
    assert r.rc in (1, 7) and said.lower() in r.err.lower() and name in r.err, r
    assert r.out == "" and not (pm.dir / "new.ini").exists()
    j = pm.ctl("import", name, "--json")
    assert json.loads(j.err)["error"]["exit"] == j.rc and j.out == ""


def test_it_runs_for_ever(pm):
    """After 10 s, or --timeout, it is killed, with all that it started."""
    put(pm, "ecosystem.config.js", """
        const { spawn } = require('child_process');
        const o = { detached: true, stdio: 'inherit' };
        const a = spawn('sleep', ['1000'], o);
        const b = spawn('sh', ['-c', 'sleep 1001 & echo $! > grand'], o);
        require('fs').writeFileSync('pids', [process.pid, a.pid].join(' '));
        console.log('waiting');
        module.exports = new Promise(() => {});
    """)
    begun = time.monotonic()
    r = pm.fails(1, "import", "ecosystem.config.js", "--timeout", ms(2000))
    assert "still runs after" in r.err and "| waiting" in r.err
    assert 2 <= time.monotonic() - begun < 10 * SLOW
    pids = [int(p) for f in ("pids", "grand") for p in (pm.dir / f).read_text().split()]
    assert len(pids) == 3
    wait_for(lambda: not any(map(alive, pids)), 5, "the end of all of them")


def test_a_timer_does_not_hold_it(pm):
    put(pm, "ecosystem.config.js", """
        setInterval(() => console.log('tick'), 10);
        console.error('x'.repeat(200000));
        module.exports = { apps: [{ name: 'a', script: 'a.js' }] };
    """)
    begun = time.monotonic()
    r = pm.ok("import", "ecosystem.config.js")
    assert "[app:a]" in r.out and "xxx" not in r.out + r.err
    assert time.monotonic() - begun < 9


def test_without_node(pm):
    put(pm, "ecosystem.config.js", "module.exports = {}")
    r = pm.fails(1, "import", "ecosystem.config.js", env={"PATH": "/nowhere"})
    assert "node is needed" in r.err and "nodejs" in r.err


def test_misuse(pm):
    pm.fails(2, "import")
    pm.fails(2, "import", "a", "b")
    assert pm.ctl("import", "nosuch.json").rc != 0
    assert pm.ctl("import", ".").rc != 0


def test_text_of_others_does_not_reach_the_terminal(pm):
    put(pm, "process.json", json.dumps({"apps": [{"name": "a\x1b[2Jb", "script": "x\x1b]0;y\x07.js", "\x1b[31mkey": 1}]}))
    r = pm.ctl("import", "process.json")
    assert "\x1b" not in r.err and "\x07" not in r.err


def test_ten_thousand_apps(pm):
    apps = [{"name": "same", "script": "a.js"} for i in range(10000)]
    put(pm, "process.json", json.dumps({"apps": apps}))
    r = pm.ok("import", "process.json", "-o", "pmctl.ini")
    assert "10000 apps" in r.err
    pm.ok("check")
    put(pm, "process.json", json.dumps({"apps": apps + apps[:1]}))
    assert "10000 is the most" in pm.fails(7, "import", "process.json").err


def test_the_result_runs(pm):
    """A list that is a program, a Procfile and a supervisord.conf, really started."""
    put(pm, "app.js", """
        require('http').createServer((q, s) => s.end()).listen(0);
        console.log('instance', process.env.NODE_APP_INSTANCE, process.env.COLOR, process.argv.slice(2).join('|'));
    """)
    put(pm, "sig.js", "process.on('SIGINT', () => { console.log('bye'); process.exit(0); }); setInterval(() => 0, 1000);\n")
    put(pm, "ecosystem.config.js", """
        module.exports = { apps: [
          { name: 'my web', script: './app.js', instances: 2, exec_mode: 'cluster', args: "-x 'a b'", env: { COLOR: 'blue; #' } },
          { name: 'sig', script: 'sig.js' },
          { name: 'line', script: 'echo from a shell; exec sleep 1000', min_uptime: 100 },
          { name: 'args', script: 'echo $0; printf %s,', args: ['$HOME;', "it's", 'two\\nlines'], autorestart: false }] };
    """)
    pm.ok("import", "ecosystem.config.js", "-o", "pmctl.ini")
    pm.ok("start", "--no-wait")
    pm.ok("wait", "my-web", "line")
    assert len(pm.pids("my-web")) == 2 and pm.state("line") == "online"
    assert pm.wait_log("args", "lines,") == b"bash\n$HOME;,it's,two\nlines,"
    pm.wait_log("my-web", "instance 1 blue; # -x|a b", slot=1)
    pm.wait_log("line", "from a shell")
    pm.ok("stop", "sig")
    pm.wait_log("sig", "bye")
    put(pm, "Procfile", "one: COLOR=red sh -c 'echo it is $COLOR; exec sleep 1000'\nrelease: echo first && exit 0\n")
    put(pm, "supervisord.conf", """
        [program:numbered]
        command=sh -c "echo number %(process_num)d; exec sleep 1000"
        numprocs=2
        process_name=%(program_name)s_%(process_num)d
        startsecs=0
    """)
    pm.ok("import", "Procfile", "-o", "proc.ini")
    pm.ok("import", "supervisord.conf", "-o", "sup.ini")
    pm.ok("start", "proc.ini")
    pm.ok("start", "sup.ini")
    pm.wait_log("one", "it is red")
    assert pm.state("release") == "done"
    pm.wait_log("numbered_1", "number 1")
    assert {p["state"] for a in pm.list("@numbered")["apps"] for p in a["procs"]} == {"online"}


@pytest.mark.parametrize("name", ["ecosystem.config.js", "pm2.config.cjs", "process.json", "ecosystem.yml", "Procfile",
                                  "Procfile.dev", "supervisord.conf", "dump.pm2", "my list.json"])
def test_start_says_how(pm, name):
    put(pm, name, "{}")
    r = pm.fails(2, "start", name)
    assert f"pmctl import {shlex.quote(name)} -o pmctl.ini" in r.err
    assert not pm.socket.exists()


def test_start_without_a_list_of_ours(pm):
    put(pm, "ecosystem.config.cjs", "{}")
    assert "pmctl import ecosystem.config.cjs -o pmctl.ini" in pm.ctl("start").err


def test_options_of_pm2(pm):
    """What PM2 takes is taken, with a word where it means nothing here."""
    put(pm, "x.sh", "echo $PORT; exec sleep 1000\n")
    r = pm.ok("start", "./x.sh", "-n", "o", "-f", "--merge-logs", "--update-env", "--no-pmx", "--no-vizion", "--parallel", "2",
              "--log-date-format", "YYYY", "--port", "80", "--exec-mode", "fork", "--kill-timeout", "3000", "--min-uptime", "0",
              "--restart-delay", "3000")
    s = {e["key"]: e["value"] for e in pm.ok("show", "o", "--json").json()["apps"][0]["settings"] if e.get("value") is not None}
    assert s["reload_parallel"] == "2" and s["log_format"] == "time" and s["mode"] == "fork" and s["stop_timeout"] == "3000ms"
    assert "--update-env has no effect" in r.err and "3000ms" in r.err
    pm.ok("start", "./x.sh", "-n", "quiet", "--disable-logs", "--min-uptime", "0")
    s = {e["key"]: e["value"] for e in pm.ok("show", "quiet", "--json").json()["apps"][0]["settings"] if e.get("value") is not None}
    assert s["log_out"] == "none" and s["log_err"] == "none"


def test_min_uptime_of_nothing_is_up_at_once(pm):
    """It is over before the program has begun."""
    pm.up("[app:x]\ncommand = sleep 1000\nmin_uptime = 0\n[app:y]\ncommand = sleep 1000\nmin_uptime = 1ms\n", "--timeout", "8s")
    assert pm.state("x") == pm.state("y") == "online"


# Each option of `pm2 start` (lib/binaries/CLI.js of 7.0.4): what it sets, a note, or why it is refused.
PM2_START = [
    ("-n other", {}, None), ("--watch", {"watch": "yes"}, None), ("--watch=src", {"watch": "src"}, None),
    ("--ignore-watch=node_modules", {"watch_ignore": "node_modules"}, None), ("--watch-delay 400ms", {"watch_delay": "400ms"}, None),
    ("--interpreter bash", {"interpreter": "bash"}, None), ("--interpreter-args=-u", {"interpreter_args": "-u"}, None), ("--node-args=-u", {"interpreter_args": "-u"}, None),
    ("-o o.log", {"log_out": "o.log"}, None), ("--output o.log", {"log_out": "o.log"}, None), ("-e e.log", {"log_err": "e.log"}, None),
    ("--error e.log", {"log_err": "e.log"}, None), ("-l l.log", {"log_out": "l.log", "log_err": "l.log"}, None),
    ("--log l.log", {"log_out": "l.log", "log_err": "l.log"}, None), ("--log-type json", {"log_format": "json"}, None),
    ("--log-date-format YYYY", {"log_format": "time"}, None), ("--time", {"log_format": "time"}, None),
    ("--disable-logs", {"log_out": "none", "log_err": "none"}, None), ("-i 2", {"instances": "2"}, None), ("--instances 2", {"instances": "2"}, None),
    ("-i max", {"instances": "max"}, None), ("-i 0", {"instances": "max"}, None), ("-i -1", {"instances": "max-1"}, None), ("--parallel 3", {"reload_parallel": "3"}, None),
    ("-k 3000", {"stop_timeout": "3000ms"}, None), ("--kill-timeout 3000", {"stop_timeout": "3000ms"}, None), ("--listen-timeout 800", {"ready_timeout": "800ms"}, None),
    ("--max-memory-restart 200M", {"memory_max": "200M"}, None), ("--restart-delay 400ms", {"restart_delay": "400ms"}, None),
    ("--restart-delay 3000", {"restart_delay": "3000"}, "3000ms"), ("--exp-backoff-restart-delay 100", {"restart_delay": "100ms"}, None),
    ("--max-restarts 5", {"max_restarts": "5"}, None), ("--uid root", {"user": "root"}, None), ("--user root", {"user": "root"}, None), ("--gid root", {"group": "root"}, None),
    ("--namespace ns", {"namespace": "ns"}, None), ("--cwd /", {"cwd": "/"}, None), ("--cron-restart=0 3 * * *", {"cron_restart": "0 3 * * *"}, None),
    ("--cron=0 3 * * *", {"cron_restart": "0 3 * * *"}, None), ("--no-autostart", {"autostart": "no"}, None), ("--no-autorestart", {"autorestart": "never"}, None),
    ("--stop-exit-codes 0,3", {"stop_exit_codes": "0,3"}, None), ("--no-treekill", {"kill_mode": "process"}, None), ("--port 80", {"env.PORT": "80"}, None),
    ("--wait-ready", {"ready": "message"}, None), ("--env A=1", {"env.A": "1"}, None), ("--instance-var X", {"instance_var": "X"}, None), ("--no-color", {}, None),
] + [(o, {}, "has no effect") for o in (
    "-a", "--update-env", "-f", "--force", "-s", "--silent", "--filter-env X", "--merge-logs", "--shutdown-with-message", "-p x.pid", "--pid x.pid", "-x", "--execute-command",
    "--no-daemon", "--source-map-support", "--disable-source-map-support", "--no-vizion", "--no-pmx", "--no-automation", "--trace", "--disable-trace", "--attach", "--v8",
    "--event-loop-inspector", "--deep-monitoring")] + [(o, None, said) for o, said in (
        ("--env production", "FILE.ini --env"), ("--only web", "FILE.ini NAME"), ("--ext js", "--watch-ignore"), ("-w", "pmctl init"), ("--write", "pmctl init"),
        ("-u web", "--user"), ("--hp /x", "startup"), ("--service-name x", "startup"), ("--wait-ip", "startup"), ("-m", "pmctl list"), ("--mini-list", "pmctl list"),
        ("--sort name", "monit"), ("--container", "pmctld --foreground"), ("--dist", "pmctld --foreground"), ("--image-name x", "pmctld --foreground"),
        ("--node-version 18", "pmctld --foreground"), ("--dockerdaemon", "pmctld --foreground"), ("--fresh", "pmctld --foreground"), ("--daemon", "pmctld --foreground"),
        ("-c 0 3 * * *", "--cron-restart"))]


def test_every_option_of_pm2_start(pm):
    """With --no-autostart, for it is about what is set, not about what runs."""
    put(pm, "x.py", "")
    put(pm, "x.js", "")
    pm.ok("daemon", "start")
    for i, (option, sets, said) in enumerate(PM2_START):
        one_word = option.startswith(("--cron", "--watch=", "--ignore", "--interpreter-args", "--node-args"))
        name = "other" if "other" in option else f"opt{i}"
        own = [] if "other" in option else ["-n", name]
        r = pm.ctl("start", "x.js" if option == "--wait-ready" else "x.py", *own, "--no-autostart", *([option] if one_word else option.split(" ", 1)))
        if sets is None:
            assert r.rc == 2 and said in r.err, (option, r)
            continue
        assert r.rc == 0 and (said or "") in r.err and ("no effect" in r.err) == (said == "has no effect"), (option, r)
        if sets:
            app = pm.ok("show", name, "--json").json()["apps"][0]
            s = {e["key"]: e.get("value") for e in app["settings"]}
            assert all(s[k] == v for k, v in sets.items() if not k.startswith("env.")), (option, s)
            assert all(p["state"] == "stopped" for p in app["procs"])
    assert "PORT=80" in pm.ok("env", f"opt{[o for o, *_ in PM2_START].index('--port 80')}", "--reveal").out
    pm.ok("delete", "other")
    r = pm.ok("start", "x.py", "--name", "other", "--no-autostart")
    assert "autostart = no" in r.out + r.err and pm.state("other") == "stopped"


def test_a_script_with_blanks_is_a_command_line(pm):
    pm.ok("start", "sleep 1000", "-n", "plain", "--min-uptime", "0")
    pm.ok("start", "echo 'a b' && exec sleep 1000", "--min-uptime", "0")
    pm.ok("start", "sh -c 'echo \"$1\"; exec sleep 1000' x", "-n", "rest", "--min-uptime", "0", "--", "1 \n 2")
    pm.wait_log("echo", "a b")
    pm.wait_log("rest", " 2")
    s = pm.ok("show", "plain", "--json").json()["apps"][0]["settings"]
    assert {"command": "sleep 1000"}.items() <= {e["key"]: e.get("value") for e in s}.items()
    r = pm.fails(2, "start", "true; exec sleep 1000", "-n", "shell", "--", "1")
    assert "write them into the line" in r.err and "shell" not in pm.ok("list").out
    put(pm, "a b.sh", "exec sleep 1000\n")
    pm.ok("start", "./a b.sh", "-n", "file", "--min-uptime", "0")
    assert any(e["key"] == "script" and e.get("value") for e in pm.ok("show", "file", "--json").json()["apps"][0]["settings"])


# Each command of PM2: run here, with these words, or refused with what there is.
PM2_COMMANDS_RUN = ["stop web", "restart web", "restart web -a", "restart web --update-env -s", "reload web --update-env", "restart all -f", "scale web 1", "describe web",
                    "desc web", "info web", "show web", "env web", "list", "ls", "l", "ps", "status", "jlist", "ping", "save", "dump", "save --force", "dump -f", "resurrect",
                    "flush", "flush web", "reset web", "sendSignal SIGURG web", "logs web --lines 3 --nostream", "logs --err --raw", "ls --no-color", "start web",
                    "startup --print", "-v", "--version"]
PM2_COMMANDS_INSTEAD = {
    "trigger web x": "pmctl signal", "deploy production": "pmctl apply", "startOrRestart x.json": "pmctl import", "startOrReload x.json": "pmctl import",
    "startOrGracefulReload x.json": "pmctl import", "pid web": "pmctl list", "id web": "pmctl list", "create": "pmctl init", "profile:mem": "--cpu-prof",
    "profile:cpu": "--cpu-prof", "inspect web": "--inspect", "updatePM2": "pmctl update", "install x": "modules", "module:install x": "modules", "module:update x": "modules",
    "module:generate": "modules", "uninstall x": "modules", "module:uninstall x": "modules", "package": "modules", "publish": "modules", "set a b": "INI", "multiset a": "INI",
    "get": "pmctl show", "conf": "INI", "config a": "INI", "unset a": "INI", "report": "daemon status", "link": "hosted", "unlink": "hosted", "monitor": "hosted",
    "unmonitor": "hosted", "open": "hosted", "plus": "hosted", "register": "hosted", "login": "hosted", "logout": "hosted", "cleardump": "pmctl delete", "send 0 x": "control socket",
    "attach 0": "pmctl logs", "logrotate": "pmctl rotate", "ecosystem": "pmctl init", "sysmonit": "pmctl monit", "slist": "pmctl list", "sysinfos": "daemon status",
    "prettylist": "pmctl list", "imonit": "pmctl monit", "reloadLogs": "pmctl rotate", "reloadLogsSilently": "pmctl rotate", "pull web": "pmctl reload",
    "forward web": "pmctl reload", "backward web": "rollback", "deepUpdate": "package manager", "serve . 80": "web server", "expose": "web server", "autoinstall": "npm ci",
    "examples": "pmctl help", "restart web --env production": "pmctl apply --env", "restart web -i 4": "pmctl scale", "reload web --parallel 2": "reload_parallel",
    "restart web --watch": "watch = yes", "stop web --watch": "watch = yes", "logs --highlight x": "--grep", "logs --format": "--json", "logs --timestamp": "time",
    "list -m": "one line", "list --sort cpu": "monit", "startup -u web": "as that user", "startup --hp /home/web": "pmctl startup", "kill -s": "standard error", "start -": "pmctl import -"}


def test_every_command_of_pm2(pm):
    pm.up("[app:web]\ncommand = sleep 1000\n")
    for line in PM2_COMMANDS_RUN:
        r = pm.ctl(*line.split())
        assert r.rc == 0, r
        assert ("--update-env has no effect" in r.err) == ("-a" in line.split() or "--update-env" in line), r
    for line, said in PM2_COMMANDS_INSTEAD.items():
        r = pm.fails(2, *line.split())
        assert said in r.err and "did you mean" not in r.err, r
    assert pm.state("web") == "online"


@pytest.mark.parametrize("verb", ["restart", "reload", "stop", "delete"])
def test_a_list_of_pm2_is_no_app(pm, verb):
    pm.up("[app:web]\ncommand = sleep 1000\n")
    put(pm, "ecosystem.config.js", "module.exports = {}")
    r = pm.fails(4, verb, "ecosystem.config.js")
    assert "pmctl import ecosystem.config.js -o pmctl.ini, then pmctl apply" in r.err
    assert "pmctl apply -c pmctl.ini" in pm.fails(4, verb, "pmctl.ini").err
    put(pm, "a list.ini", "")
    assert "pmctl apply -c 'a list.ini' makes" in pm.fails(4, verb, "./a list.ini").err.replace("./", "")
    assert "pmctl import" not in pm.fails(4, verb, "nosuch.json").err


def test_jlist_has_what_readers_of_pm2_look_for(pm):
    pm.up("[app:web]\ncommand = sleep 1000\ninstances = 2\nnamespace = ns\nenv.SECRET = s3cr3t\n")
    j = json.loads(pm.ok("jlist").out)
    assert len(j) == 2 and "s3cr3t" not in json.dumps(j)
    for k, p in enumerate(j):
        e = p["pm2_env"]
        assert p["name"] == e["name"] == "web" and p["pid"] > 0 and p["pm_id"] == e["pm_id"] and p["monit"]["memory"] > 0 and p["monit"]["cpu"] >= 0
        assert e["status"] == "online" and e["exec_mode"] == "fork_mode" and e["instances"] == 2 and e["namespace"] == "ns" and e["NODE_APP_INSTANCE"] == k
        assert e["pm_uptime"] > 0 and e["restart_time"] == e["unstable_restarts"] == 0 and e["pm_cwd"] == str(pm.dir) and e["watch"] is False
        assert e["pm_exec_path"].startswith("sleep") and e["pm_out_log_path"].endswith(f"web-{k}.out.log") and e["axm_monitor"] == {} and e["axm_actions"] == []
    pm.ok("stop", "web")
    assert [(p["pid"], p["pm2_env"]["status"]) for p in json.loads(pm.ok("jlist").out)] == [(0, "stopped")] * 2
