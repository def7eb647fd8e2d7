'use strict';
require('./start.js').open('post');
