// SPDX-License-Identifier: MIT
// Fastify as anybody writes it; found through NODE_PATH.
'use strict';
const fastify = require('fastify')();
const { body, port } = require('./answer');

fastify.get('/', async (req, reply) => reply.type('application/json').send(body()));
fastify.listen({ port, host: '0.0.0.0' }).catch((e) => {
	console.error(e);
	process.exit(1);
});
