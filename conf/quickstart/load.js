// SPDX-License-Identifier: MIT
// Sends requests over keep-alive connections, the next one as soon as the last is answered.
//   node load.js URL CONNECTIONS SECONDS [WARM_UP_SECONDS]
// URL may hold {n}, a number that changes. Prints "warm" once every connection had an answer, then
// at the end (also when told so by SIGTERM) lines of a name and a value:
//   requests    answered, at the first or the second try (those of the warm-up are not counted)
//   per_second  of them
//   mean_ms     from the first try to the answer
//   by PID      of the requests, how many that process answered
//   cut PID     connections lost with a request under way, and which process held them ("new" is a
//               connection that never had an answer); each such request is sent once more
//   lost        requests that failed the second time too, or were answered with an error
'use strict';
const http = require('http');
const threads = require('worker_threads');

const TIMEOUT_MS = 10000;
const ARRIVAL_MS = 3; // clients come one after the other, as they do
const CONNECTIONS_PER_THREAD = 64; // more than one thread only where there are many workers to feed

function get(url, client) {
	return new Promise((resolve, reject) => {
		const req = http.get(url, { agent: client.agent, timeout: TIMEOUT_MS }, (res) => {
			res.resume();
			res.on('error', reject);
			res.on('end', () => {
				client.worker = res.headers['x-worker'];
				resolve(res.statusCode === 200);
			});
		});
		req.on('timeout', () => req.destroy(new Error('timeout')));
		req.on('error', reject);
	});
}

function reconnect(client) {
	client.agent.destroy();
	client.agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
	client.worker = 'new';
}

async function getWithRetry(url, client, sum) {
	try {
		return await get(url, client);
	} catch {
		sum.cut[client.worker] = (sum.cut[client.worker] || 0) + 1;
		reconnect(client);
		return await get(url, client).catch(() => {
			reconnect(client);
			return false;
		});
	}
}

async function runClient(job, state, sum, onFirst) {
	const client = { agent: new http.Agent({ keepAlive: true, maxSockets: 1 }), worker: 'new' };
	await new Promise((r) => setTimeout(r, job.arrival));
	for (let n = 0; !state.stop; n++) {
		const url = job.url.replace('{n}', String((n * 37 + job.first) % 25000));
		const begin = performance.now();
		const ok = await getWithRetry(url, client, sum);
		const end = performance.now();
		if (n === 0) {
			onFirst();
		}
		if (!ok) {
			sum.lost++;
			await new Promise((r) => setTimeout(r, 50)); // a dead server must not be hammered
		} else if (begin >= state.countFrom) {
			sum.requests++;
			sum.ms += end - begin;
			sum.by[client.worker] = (sum.by[client.worker] || 0) + 1;
		}
	}
	client.agent.destroy();
}

async function runThread(job) {
	const sum = { requests: 0, ms: 0, by: {}, cut: {}, lost: 0 };
	const state = { stop: false, countFrom: performance.now() + job.warmUp * 1000 };
	const stop = () => (state.stop = true);
	threads.parentPort.on('message', stop);
	const timer = setTimeout(stop, (job.warmUp + job.seconds) * 1000);
	let waiting = job.connections;
	const onFirst = () => --waiting || threads.parentPort.postMessage('warm');
	const clients = [];
	for (let i = 0; i < job.connections; i++) {
		const own = { ...job, first: job.first + i * 101, arrival: i * ARRIVAL_MS };
		clients.push(runClient(own, state, sum, onFirst));
	}
	await Promise.all(clients);
	clearTimeout(timer);
	sum.seconds = (performance.now() - state.countFrom) / 1000;
	threads.parentPort.postMessage(sum);
	threads.parentPort.close();
}

function print(sums) {
	const total = {};
	const add = (name, n) => (total[name] = (total[name] || 0) + n);
	for (const s of sums) {
		add('requests', s.requests);
		add('per_second', s.requests / s.seconds);
		add('mean_ms', s.ms);
		add('lost', s.lost);
		Object.entries(s.by).forEach(([pid, n]) => add(`by ${pid}`, n));
		Object.entries(s.cut).forEach(([pid, n]) => add(`cut ${pid}`, n));
	}
	total.per_second = total.per_second.toFixed(1);
	total.mean_ms = (total.mean_ms / Math.max(1, total.requests)).toFixed(2);
	Object.entries(total).forEach(([name, n]) => console.log(name, n));
}

function main() {
	const [url, connections, seconds, warmUp] = process.argv.slice(2);
	const n = Math.ceil(connections / CONNECTIONS_PER_THREAD);
	if (!(n > 0 && seconds > 0)) {
		console.error('usage: node load.js URL CONNECTIONS SECONDS [WARM_UP_SECONDS]');
		process.exit(2);
	}
	const sums = [];
	let warm = 0;
	for (let i = 0; i < n; i++) {
		const share = Math.floor(connections / n) + (i < connections % n ? 1 : 0);
		const job = { url, connections: share, seconds: +seconds, warmUp: +(warmUp || 0), first: i * 7919 };
		const thread = new threads.Worker(__filename, { workerData: job });
		process.on('SIGTERM', () => thread.postMessage('stop'));
		thread.on('message', (m) => {
			if (m !== 'warm') {
				sums.push(m);
			} else if (++warm === n) {
				console.log('warm');
			}
			if (sums.length === n) {
				print(sums);
				process.exit(0);
			}
		});
	}
}

if (threads.isMainThread) {
	main();
} else {
	runThread(threads.workerData);
}
