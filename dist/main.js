'use strict';
require('./start.js').open('main');
