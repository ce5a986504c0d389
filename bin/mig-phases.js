#!/usr/bin/env node
require('../dist/cli/load.js').load('main.js').start()
