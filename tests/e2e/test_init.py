# SPDX-License-Identifier: MIT
"""init: an app list for what lies in a directory."""
import json
import shutil

import pytest

HTTP = "require('http').createServer((q, s) => s.end('hi')).listen(%d)\n"


@pytest.fixture
def project(pm):
    """Makes a folder with these files, runs init there, and gives the keys it set."""
    def make(files, name="shop"):
        folder = pm.dir / name
        shutil.rmtree(folder, ignore_errors=True)
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text if isinstance(text, str) else json.dumps(text))
            (folder / path).chmod(0o755)
        folder.mkdir(exist_ok=True)
        make.folder, make.result = folder, pm.ok("init", cwd=folder)
        assert pm.ok("check", cwd=folder).out.endswith("no errors\n")
        lines = [l for l in (folder / "pmctl.ini").read_text().splitlines() if l and l[0] not in ";["]
        make.apps = [l for l in (folder / "pmctl.ini").read_text().splitlines() if l.startswith("[app:")]
        return dict(l.split(" = ", 1) for l in lines)
    return make


CASES = [
    ({"package.json": {"scripts": {"start": "node server.js"}}, "server.js": ""}, {"script": "server.js"}),
    ({"package.json": {"scripts": {"start": "NODE_ENV=production PORT=80 node --max-old-space-size=99 a.js --x 'y z'"}},
      "a.js": ""},
     {"script": "a.js", "interpreter_args": "--max-old-space-size=99", "args": "--x 'y z'",
      "env.NODE_ENV": "production", "env.PORT": "80"}),
    ({"package.json": {"scripts": {"start": "next start -p 80"}}, "node_modules/.bin/next": "#!/bin/sh\n"},
     {"command": "node_modules/.bin/next start -p 80"}),
    ({"package.json": {"scripts": {"start": "tsc && node dist/x.js"}}}, {"command": "npm start"}),
    ({"package.json": {"main": "lib/main.js"}, "lib/main.js": ""}, {"script": "lib/main.js"}),
    ({"package.json": {"main": "gone.js"}, "index.mjs": ""}, {"script": "index.mjs"}),
    ({"package.json": "{ broken", "app.js": ""}, {"script": "app.js"}),
    ({"package.json": {"main": "a\nuser = root\n.js"}, "a\nuser = root\n.js": ""}, {}),
    ({"package.json": {"scripts": {"start": 7}, "main": []}, "app.js": ""}, {"script": "app.js"}),
    ({"package.json": {"scripts": {"start": "node 'it is'"}}, "it is": ""}, {"script": "it is"}),
    ({"manage.py": "", "site/wsgi.py": "application = 1", ".venv/bin/gunicorn": ""},
     {"command": ".venv/bin/gunicorn site.wsgi", "listen": "127.0.0.1:8000", "ready": "notify"}),
    ({"wsgi.py": "application = 1"},
     {"command": "gunicorn wsgi:application", "listen": "127.0.0.1:8000", "ready": "notify"}),
    ({"main.py": "from fastapi import FastAPI\napp = FastAPI()"},
     {"command": "uvicorn --fd 3 main:app", "listen": "127.0.0.1:8000"}),
    ({"app.py": "app = Flask(__name__)"},
     {"command": "gunicorn app:app", "listen": "127.0.0.1:8000", "ready": "notify"}),
    ({"run.py": "print(1)", "venv/bin/python": ""}, {"script": "run.py", "interpreter": "venv/bin/python"}),
    ({"config.ru": "", "Gemfile": ""},
     {"command": "bundle exec puma --bind tcp://127.0.0.1:9292", "listen": "127.0.0.1:9292"}),
    ({"start.sh": "#!/bin/sh\n"}, {"script": "start.sh"}),
    ({"readme.txt": "", ".env": "A=1\n"}, {}),
]


@pytest.mark.parametrize("number", range(len(CASES)))
def test_what_is_found(project, number):
    files, keys = CASES[number]
    assert project(files) == keys
    assert bool(project.apps) == bool(keys)
    if not keys:
        assert "fill in script or command" in project.result.err


@pytest.mark.parametrize("name, app", [("@my/shop-api", "shop-api"), ("123", "app"), ("all", "app"), ("ä b", "default"),
                                       ("x" * 99, "default"), (None, "shop")])
def test_the_name(project, name, app):
    project({"package.json": {"name": name, "main": "a.js"}, "a.js": ""})
    assert project.apps == [f"[app:{app}]"]


def test_it_runs(pm, project, port):
    project({"package.json": {"scripts": {"start": "node server.js"}}, "server.js": HTTP % port})
    pm.ok("start", cwd=project.folder, timeout=60)
    assert pm.state("shop") == "online"


def test_never_over_a_file(pm, project):
    project({"app.js": ""})
    ini = project.folder / "pmctl.ini"
    ini.write_text("; mine\n")
    assert "left as it is" in pm.fails(1, "init", cwd=project.folder).err
    assert ini.read_text() == "; mine\n"
    ini.unlink()
    ini.symlink_to(project.folder / "nowhere")
    pm.fails(1, "init", cwd=project.folder)
    assert not (project.folder / "nowhere").exists()


def test_other_places(pm, project):
    project({"app.js": "", "ecosystem.config.js": "", "Procfile": ""})
    assert "pmctl import ecosystem.config.js" in project.result.err
    assert pm.ok("init", "-c", "other.ini", "--json", cwd=project.folder).json() == {
        "v": 1, "file": "other.ini", "app": "shop", "found_by": "app.js"}
    pm.ok("check", "other.ini", cwd=project.folder)
    assert pm.ok("init", "-c", "-", cwd=project.folder).out == (project.folder / "other.ini").read_text()
    assert not pm.home.exists()
