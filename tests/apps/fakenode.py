#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A worker that speaks node's cluster protocol by hand. As an interpreter whose file is named `node` it counts as node;
the script is python and finds here what it needs: send() and the messages below for what a worker says, hear() for what
it is told. hear() holds every message against the rules of the protocol. A script that ends well prints "passed", then
the worker stays, as one does that waits for requests, and ends with its channel."""
import array
import collections
import errno
import fcntl
import json
import os
import select
import signal
import socket
import sys
import time

LISTENER = {socket.SOCK_STREAM: 1, socket.SOCK_DGRAM: 0}
WAIT = 30
channel = socket.socket(fileno=int(os.environ["NODE_CHANNEL_FD"]))
if os.environ["NODE_CHANNEL_SERIALIZATION_MODE"] != "json":
    sys.exit("not json")


class Closed(Exception):
    pass


# --- what we say

seq = 0


def line(message):
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def cluster(act, **fields):
    """A message of the cluster module, as bytes; its number is in seq."""
    global seq
    seq += 1
    return line({"cmd": "NODE_CLUSTER", "act": act, **fields, "seq": seq})


def query(port=0, address=None, index=0, type=4, data=None, fd=None, **more):
    fields = {"index": index, "data": data, "address": address, "port": port, "addressType": type, "backlog": 0}
    if fd is not None:
        fields.update(fd=fd, address=None, port=None, addressType=None)
    return cluster("queryServer", **{**fields, **more})


def handle(message=None, type="net.Socket"):
    return line({"cmd": "NODE_HANDLE", "type": type, "msg": message})


def send(data, fds=(), flags=0):
    """All of it; descriptors ride on the first byte."""
    while data:
        control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
        data = data[channel.sendmsg([data], control, flags):]
        fds = ()


def send_in_chunks(data, size, fd=None, at=0):
    """In pieces of this size; the descriptor rides on the one that holds byte number `at`."""
    for i in range(0, len(data), size):
        send(data[i:i + size], [fd] if fd is not None and i <= at < i + size else [])
        time.sleep(0)


# --- what we are told

buffer = b""
descriptors = collections.deque()  # (offset in the stream, descriptor)
read_bytes = 0
numbers = [-1]  # seq of what we were told


def read_some(deadline):
    global buffer, read_bytes
    left = deadline - time.monotonic()
    if left <= 0 or not select.select([channel], [], [], left)[0]:
        raise TimeoutError(f"nothing came; so far {buffer[:200]!r}")
    data, control, flags, _ = channel.recvmsg(1 << 20, socket.CMSG_SPACE(4 * 16))
    assert not flags & socket.MSG_CTRUNC
    got = array.array("i")
    for level, kind, content in control:
        assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
        got.frombytes(content)
    assert len(got) <= 1, f"{len(got)} descriptors in one message"
    if got:
        # A read ends with a part that carries a descriptor: nothing else was sent together with it.
        begin = data.rfind(b"\n", 0, len(data) - 1) + 1
        descriptors.append((read_bytes + begin, got[0]))
    if not data:
        raise Closed
    read_bytes += len(data)
    buffer += data


def take_line(timeout):
    global buffer
    deadline = time.monotonic() + timeout
    while b"\n" not in buffer:
        read_some(deadline)
    begin = read_bytes - len(buffer)
    text, buffer = buffer.split(b"\n", 1)
    assert text, "an empty line ends a worker"
    return begin, text


def check_descriptor(fd):
    assert fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK, "node 16 and 18 would hang"
    return socket.socket(fileno=fd)


def hear(timeout=WAIT):
    """The next message: an object for what is internal, a tuple ("app", value) for the rest. An internal one with a
    socket has it as ["socket"], and is acknowledged."""
    begin, text = take_line(timeout)
    message = json.loads(text.decode())
    if not (isinstance(message, dict) and str(message.get("cmd")).startswith("NODE_")):
        return "app", message
    assert text.startswith(b'{"cmd":"NODE_')
    if message["cmd"] != "NODE_HANDLE":
        if message["cmd"] == "NODE_CLUSTER":
            number(message)
        return message
    at, fd = descriptors.popleft()
    assert at == begin, f"the descriptor of the line at {begin} came at {at}"
    inner = message["msg"]
    assert inner["cmd"] == "NODE_CLUSTER"
    number(inner)
    send(b'{"cmd":"NODE_HANDLE_ACK"}\n')
    return {**inner, "type": message["type"], "socket": check_descriptor(fd)}


def number(message):
    assert message["seq"] > numbers[-1], f"number {message['seq']} after {numbers[-1]}"
    numbers.append(message["seq"])


def answer(to=None, timeout=WAIT):
    """The answer to the last question; what else is heard first must not be another answer."""
    to = seq if to is None else to
    while True:
        m = hear(timeout)
        if isinstance(m, dict) and m["cmd"] == "NODE_CLUSTER" and "ack" in m:
            assert m["ack"] == to, m
            return m


def ask(*args, **fields):
    """Asks to listen, and the answer; for a socket its port is ["port"], else 0."""
    send(query(*args, **fields))
    m = answer()
    s = m.get("socket")
    if s:
        assert m["errno"] == 0
        if s.family != socket.AF_UNIX:
            m["port"] = s.getsockname()[1]
    return m


def silence(seconds=0.3):
    """Nothing comes."""
    try:
        m = hear(seconds)
    except TimeoutError:
        return
    raise AssertionError(f"unasked: {m}")


def still_answers():
    """The daemon answers us as if nothing had been."""
    m = ask(0, "127.0.0.1", index=9000 + seq)
    assert m["errno"] == 0 and m["socket"].getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    m["socket"].close()
    send(cluster("close", key=m["key"]))


def stay():
    """As a worker that waits for requests, until told to disconnect or the channel ends."""
    try:
        while True:
            m = hear(1e6)
            if isinstance(m, dict) and m.get("act") == "disconnect":
                sys.exit(0)
    except Closed:
        sys.exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    path = sys.argv[-1]
    send(cluster("online"))
    exec(compile(open(path).read(), path, "exec"), globals())
    print("passed", flush=True)
    stay()
