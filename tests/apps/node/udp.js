// SPDX-License-Identifier: MIT
'use strict';
const dgram = require('dgram');
const { body, port } = require('./answer');

const socket = dgram.createSocket('udp4');
socket.on('message', (text, from) => socket.send(body(), from.port, from.address));
socket.bind(port, '127.0.0.1');
