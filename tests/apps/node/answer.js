// SPDX-License-Identifier: MIT
// What every test server answers: {"pid":..,"slot":..}. Not a program of its own.
'use strict';
exports.body = () => JSON.stringify({ pid: process.pid, slot: Number(process.env.NODE_APP_INSTANCE) });
exports.port = Number(process.env.PORT || 3000);

