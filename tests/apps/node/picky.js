// SPDX-License-Identifier: MIT
// Takes only MAX connections at a time and holds each until the client closes it.
'use strict';
const net = require('net');
const { port } = require('./answer');

const server = net.createServer((socket) => {
	socket.on('error', () => {});
	socket.resume(); // or the client's end is not noticed
	socket.write(`${process.pid}\n`);
});
server.maxConnections = Number(process.env.MAX);
server.listen(port);
