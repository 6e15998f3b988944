// SPDX-License-Identifier: MIT
// Lives, but never listens.
'use strict';
console.log('thinking');
setInterval(() => {}, 1000);
