// SPDX-License-Identifier: MIT
// HTTP/2 without TLS.
'use strict';
const http2 = require('http2');
const { body, port } = require('./answer');

http2.createServer((req, res) => res.end(body())).listen(port);
