#!/usr/bin/env -S node --
'use strict';
/** The shell program under the name that people and package.json know; its bundle is the folder beside it. */
require('./cli/index.js');
