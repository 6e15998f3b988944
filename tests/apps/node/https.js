// SPDX-License-Identifier: MIT
// TLS with the key and certificate named by KEY and CERT.
'use strict';
const fs = require('fs');
const https = require('https');
const { body, port } = require('./answer');

const options = { key: fs.readFileSync(process.env.KEY), cert: fs.readFileSync(process.env.CERT) };
https.createServer(options, (req, res) => res.end(body())).listen(port);
