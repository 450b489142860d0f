#!/usr/bin/env node
// Plain CommonJS without new syntax, so that an old Node says one clear line, not a syntax error. It runs the bundle, on a newer Node if it must.
'use strict';

const version = process.versions.node.split('.').map(Number);

if (version[0] > 24 || (version[0] === 24 && version[1] >= 15)) {
  endWithWrapper();
  cacheCompiledCode();
  require('../dist/main.cjs');
} else {
  runOnPackagedNode();
}

/** Under an older Node we are its child. When it is killed its end of this pipe closes, and nobody is left to end us, and our sandboxes, but ourselves. */
function endWithWrapper() {
  if (process.env.WARREN_WRAPPED !== '1') return;
  delete process.env.WARREN_WRAPPED;
  const life = new (require('node:net').Socket)({ fd: 3 });
  life.on('close', () => process.kill(process.pid, 'SIGKILL')).on('error', () => {});
  life.resume().unref();
}

/** Saves about 10 ms of each start. In the home of the user we run as, never in /tmp: what is cached is executed. */
function cacheCompiledCode() {
  try {
    require('node:module').enableCompileCache(require('node:os').userInfo().homedir + '/.cache/warren/compiled');
  } catch (error) {
    // A user without a home starts a little slower.
  }
}

function runOnPackagedNode() {
  const name = 'node-' + process.platform + '-' + process.arch;
  let node;
  try {
    node = require.resolve(name + '/bin/node');
  } catch (error) {
    console.error('warren: needs Node 24.15 or newer, this is ' + process.versions.node + '; to get it: npm install -g ' + name + '@24');
    process.exit(125);
  }
  const child = require('child_process').spawn(node, [__filename].concat(process.argv.slice(2)), {
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    env: Object.assign({}, process.env, { WARREN_WRAPPED: '1' }),
  });
  ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'].forEach((signal) => {
    process.on(signal, () => {
      // A terminal sends these two to the whole group, so the child has them already.
      if (!(process.stdin.isTTY && (signal === 'SIGINT' || signal === 'SIGQUIT'))) child.kill(signal);
    });
  });
  child.on('error', (error) => {
    console.error('warren: cannot start ' + node + ': ' + error.message);
    process.exit(125);
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal); // Ends as the child ended, so that the shell sees the same.
  });
}
