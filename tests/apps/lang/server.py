#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Python's own http.server, a socketserver, on the socket of LISTEN_FDS: answers "PID SLOT\\n"; /work?MS takes that
long. SIGTERM ends it when the requests under way are answered."""
import http.server
import os
import signal
import socket
import sys
import threading
import time

if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") != "1":
    sys.exit("not one socket for me")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path, _, ms = self.path.partition("?")
        if path == "/work":
            time.sleep(int(ms) / 1000)
        body = f"{os.getpid()} {os.environ['PMCTL_SLOT']}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(http.server.HTTPServer):
    def __init__(self, fd, handler):
        super().__init__(("", 0), handler, bind_and_activate=False)
        self.socket.close()
        self.socket = socket.socket(fileno=fd)
        self.socket.setblocking(False)  # another instance may be faster


server = Server(3, Handler)
signal.signal(signal.SIGTERM, lambda *a: threading.Thread(target=server.shutdown).start())
print("serving", flush=True)
server.serve_forever(poll_interval=0.05)
