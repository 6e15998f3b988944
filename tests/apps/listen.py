#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Serves "PID SLOT\n" over HTTP on the first LISTEN_FDS socket; nothing but the standard library."""
import http.server
import os
import socket
import sys

if os.environ.get("LISTEN_PID") != str(os.getpid()) or int(os.environ.get("LISTEN_FDS", "0")) < 1:
    sys.exit("no sockets for me")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"{os.getpid()} {os.environ['PMCTL_SLOT']}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        print("request", flush=True)


server = http.server.HTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
server.socket.close()
server.socket = socket.socket(fileno=3)
server.server_name, server.server_port = "localhost", 0
print("serving", flush=True)
server.serve_forever()
