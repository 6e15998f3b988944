// SPDX-License-Identifier: MIT
// Does the steps of DO (JSON: [[verb, arguments...], ...]), then sends "ready"; more steps come in messages {"do": [...]}.
// Each step and each other message ends as one line of JSON on stdout.
'use strict';
const cluster = require('cluster');
const dgram = require('dgram');
const http = require('http');
const net = require('net');
const { body } = require('./answer');

const open = {};
const say = (o) => console.log(JSON.stringify(o));

function serve(req, res) {
	const [path, query] = req.url.split('?');
	if (path === '/slow') {
		say({ slow: query });
		setTimeout(() => res.end(body()), Number(query));
	} else {
		res.end(body());
	}
}

// A listen or bind that fails is an outcome, not the end.
function opened(emitter, event) {
	return new Promise((resolve) => {
		emitter.once('error', (e) => resolve({ error: e.code, syscall: e.syscall }));
		emitter.once(event, () => resolve({ address: emitter.address() }));
	});
}

// A connection to ourselves, on a port of our own.
async function makeSocket() {
	const server = net.createServer(() => {}).listen({ port: 0, host: '127.0.0.1', exclusive: true });
	await opened(server, 'listening');
	const socket = net.connect(server.address().port, '127.0.0.1');
	await new Promise((resolve) => socket.once('connect', resolve));
	server.close();
	server.unref();
	return socket;
}

const send = (...args) => new Promise((resolve) => process.send(...args, (e) => resolve({ error: e ? e.message : null })));

const steps = {
	async listen(name, options) {
		open[name] = http.createServer(serve).listen(options);
		return opened(open[name], 'listening');
	},
	async close(name) {
		await new Promise((resolve) => open[name].close(resolve));
		return {};
	},
	async udp(name, options) {
		open[name] = dgram.createSocket('udp4').bind(options);
		open[name].on('message', (text, from) => open[name].send(body(), from.port, from.address));
		return opened(open[name], 'listening');
	},
	send,
	async sendLong(length) {
		return send('x'.repeat(length));
	},
	async sendLongSocket(length) {
		return send('x'.repeat(length), await makeSocket());
	},
	async sendSockets(n) {
		const sent = [];
		for (let i = 0; i < n; i++) {
			sent.push(send({ socket: i }, await makeSocket()));
		}
		await Promise.all(sent);
		return {};
	},
	async sendServer(name) {
		return send({ server: name }, open[name]);
	},
	async disconnect() {
		cluster.worker.disconnect();
		return {};
	},
	async kill() {
		cluster.worker.kill();
		return {};
	},
	async disconnectProcess() {
		process.disconnect();
		return {};
	},
};

async function run(list) {
	for (const [verb, ...args] of list) {
		say({ step: verb, name: args[0], ...await steps[verb](...args) });
	}
}

process.on('exit', (code) => say({ exit: code, intended: cluster.isWorker && cluster.worker.exitedAfterDisconnect === true }));
process.on('message', (m) => {
	if (m && m.do) {
		run(m.do);
	} else {
		say(typeof m === 'string' && m.length > 1000 ? { long: m.length } : { got: m });
	}
});
run(JSON.parse(process.env.DO || '[]')).then(() => process.send('ready'));
