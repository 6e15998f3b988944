# SPDX-License-Identifier: MIT
"""For uvicorn: answers "PID SLOT\\n"; /work?MS holds the loop up for that long, as work does."""
import os
import time


async def app(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError("http only")  # tells uvicorn that there is no lifespan
    if scope["path"] == "/work":
        time.sleep(int(scope["query_string"]) / 1000)
    body = f"{os.getpid()} {os.environ['PMCTL_SLOT']}\n".encode()
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-type", b"text/plain"), (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})
