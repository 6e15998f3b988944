// SPDX-License-Identifier: MIT
// Sends "ready" and prints every message it gets as JSON; {"echo":x} is sent back.
'use strict';
process.on('message', (m) => {
	console.log('got', JSON.stringify(m));
	if (m && m.echo !== undefined) {
		process.send({ echoed: m.echo });
	}
});
setTimeout(() => process.send('ready'), Number(process.env.DELAY || 0));
setInterval(() => {}, 1000);
