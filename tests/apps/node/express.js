// SPDX-License-Identifier: MIT
// Express as anybody writes it; found through NODE_PATH.
'use strict';
const express = require('express');
const { body, port } = require('./answer');

const app = express();
app.get('/', (req, res) => res.type('json').send(body()));
app.listen(port);
