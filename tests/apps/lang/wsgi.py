# SPDX-License-Identifier: MIT
"""For gunicorn: answers "PID SLOT\\n" with the pid of its main process; /work?MS takes that long."""
import os
import time


def application(environ, start_response):
    if environ["PATH_INFO"] == "/work":
        time.sleep(int(environ["QUERY_STRING"]) / 1000)
    body = f"{os.getppid()} {os.environ['PMCTL_SLOT']}\n".encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
