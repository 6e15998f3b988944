// SPDX-License-Identifier: MIT
// http2-client PORT N: N requests over HTTP/2 without TLS, each on a connection of its own, bodies to stdout.
'use strict';
const http2 = require('http2');
const [port, n] = process.argv.slice(2).map(Number);

for (let i = 0; i < n; i++) {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  const stream = session.request({ ':path': '/' });
  session.on('error', (e) => { console.error(e); process.exitCode = 1; });
  stream.on('data', (d) => process.stdout.write(d));
  stream.on('end', () => session.close());
}
