# SPDX-License-Identifier: MIT
"""An HTTP server on its own PORT; /healthz is 200 until the file `sick` is there, /env shows a variable."""
import http.server
import os


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        sick = self.path.startswith("/healthz") and os.path.exists("sick")
        body = str(os.getpid()).encode()
        self.send_response(500 if sick else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        print("asked", self.path, flush=True)

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
