# SPDX-License-Identifier: MIT
"""Tells READY=1, then WATCHDOG=1 ten times a second until the file `stuck` is there; `trigger` gives itself up."""
import os
import socket
import time

s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)


def tell(text):
    """As sd_notify(3): to the path, each time anew, and nobody there is no reason to end."""
    try:
        s.sendto(text, os.environ["NOTIFY_SOCKET"])
    except OSError as e:
        print(e, flush=True)


tell(b"READY=1")
while True:
    if os.path.exists("trigger"):
        os.unlink("trigger")
        tell(b"WATCHDOG=trigger")
    elif not os.path.exists("stuck"):
        tell(b"WATCHDOG=1")
    time.sleep(0.1)
