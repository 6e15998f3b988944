// SPDX-License-Identifier: MIT
// One line per connection; on a path if SOCKET is set.
'use strict';
const net = require('net');
const { body, port } = require('./answer');

net.createServer((socket) => {
	socket.on('error', () => {});
	socket.end(body() + '\n');
}).listen(process.env.SOCKET || port);
