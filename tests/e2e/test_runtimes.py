# SPDX-License-Identifier: MIT
"""The tests of node's cluster protocol on deno, and what works with bun. For tests/run --matrix, which fetches both;
PMCTL_TEST_RUNTIMES names the folder of their npm packages."""
import os
import signal
from pathlib import Path

import pytest

from conftest import wait_for
# The same tests; they find the fixture `node` of this file.
from test_cluster import (  # noqa: F401
    both_answer, get, test_a_host, test_http, test_http2, test_https, test_many_ports_are_given_back,
    test_messages_both_ways, test_module, test_net, test_port_taken_names_the_holder, test_scale_up_joins_the_port,
    test_the_crash_of_one_worker_is_unnoticed_by_others, test_the_ports_survive_the_supervisor, test_unix_path, up)
from test_protocol import (  # noqa: F401
    balance, do, said, test_a_failed_listen_is_an_error_event_and_not_remembered, test_a_message_too_long_harms_only_itself,
    test_a_program_that_closes_its_channel_exits_0, test_a_script_without_a_server_is_ready_and_stays,
    test_a_stop_answers_what_is_under_way_and_exits_0, test_a_worker_ends_itself_in_order,
    test_an_idle_worker_stops_at_once_and_exits_0, test_close_and_listen_again, test_exclusive,
    test_megabytes_both_ways, test_one_port_twice_in_a_program, test_one_worker_closes_and_the_other_serves_on,
    test_port_0_twice, test_two_servers_in_one_program, test_unix_path_again)

# Left out for deno 2.9: UDP, which each worker binds for itself; a server sent to us, which deno gives away for good; the
# object {cmd: "NODE_"}, which deno takes for one of its own; and an error in a request, which it answers with 400.

PLACE = Path(os.environ.get("PMCTL_TEST_RUNTIMES", "/nonexistent"))
DENO = next(PLACE.glob("@deno/linux-*/deno"), None)
BUN = next(PLACE.glob("bun/bin/bun.exe"), None)
if not DENO and not BUN:
    pytest.skip("no deno and no bun", allow_module_level=True)


def wrapper(pm, name, command):
    """A program of this name that becomes another one. As node it gets what we load before a program; no other takes it."""
    path = pm.dir / name
    skip = 'while [ "$1" = --require ]; do shift 2; done\n' if name == "node" else ""
    path.write_text(f'#!/bin/sh\n{skip}export NO_COLOR=1 DENO_NO_UPDATE_CHECK=1 '
                    f'DENO_DIR={pm.dir}/cache\nexec {command} "$@"\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def node(pm):
    if DENO is None:
        pytest.skip("no deno")
    return wrapper(pm, "deno", f"{DENO} run -A --quiet --unstable-bare-node-builtins")


def test_sockets_sent_by_the_program_are_taken(pm, port, node):
    do(pm, node, [["listen", "a", {"port": port}], ["sendSockets", 20], ["send", "after"]])
    for slot in (0, 1):
        assert said(pm, slot, step="send", name="after")
    both_answer(pm, lambda: get(port), 2000)


@pytest.fixture
def bun(pm):
    if BUN is None:
        pytest.skip("no bun")
    return wrapper(pm, "node", BUN)


def test_bun_http(pm, port, bun):
    """It asks nobody: each worker binds with SO_REUSEPORT."""
    up(pm, bun, "http.js", port)
    both_answer(pm, lambda: get(port), 2000)
    victim, other = pm.pids("web")
    os.kill(victim, signal.SIGKILL)
    pm.wait_replaced("web", 0, victim)
    both_answer(pm, lambda: get(port), 2000)
    assert other in pm.pids("web")
    pm.ok("stop", "web")


def test_bun_messages(pm, bun):
    up(pm, bun, "messages.js", 0, "ready = message", instances=1)
    pm.rpc("send", {"sel": ["web"], "message": {"echo": "h\u00e9"}})
    pm.wait_log("web", '{"echo":"h\u00e9"}')
    wait_for(lambda: any("echoed" in e["text"] for e in pm.rpc("events", {"sel": ["web"]})["events"]), 10, "the echo")
