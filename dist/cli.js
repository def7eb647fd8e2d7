#!/usr/bin/env -S node --
'use strict';
require('./start.js').open('cli');
