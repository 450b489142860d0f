/**
 * Set-up: makes a clone ready to run, and says each thing it does in one line. It runs before `npm test`, `npm start`, `npm run demo` and
 * `npm run check`, so it must be quick when there is nothing to do (one process, no npm), and it must run on the Node that happens to be
 * there (20 or newer, plain JavaScript, no dependencies): the Node of the project is one of the things it installs.
 *
 * With `--tests` it also makes what only tests need. That may fail, on a machine that cannot reach a package index for one: then the tests that need it are
 * skipped and say why.
 *
 * What is stale is decided by content, never by time stamps: a clone, a copy and a checkout of another branch all set those anew.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

const NODE_MINIMUM = [24, 15];
const LAUNCHER = 'build/warren-launcher';
const LAUNCHER_FLAGS = ['-std=gnu11', '-Os', '-s', '-static', '-Wall', '-Wextra'];
/** Versions of the official Python client of MCP. */
const PYTHON_CLIENTS = [1, 2];
const STAMPS = 'build/setup.json';
const LOCK = 'build/setup.lock';
const LOCK_WAIT_MS = 300_000;
/** A machine without a network must notice soon. */
const APT_FLAGS = ['-o', 'Acquire::Retries=1', '-o', 'Acquire::http::Timeout=20', '-o', 'DPkg::Lock::Timeout=60'];
const APT_ENVIRONMENT = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };

/** A step failed: what, and the command to type next. */
class SetupError extends Error {
  constructor(what, next) {
    super(what);
    this.next = next;
  }
}

process.chdir(resolve(import.meta.dirname ?? new URL('.', import.meta.url).pathname, '..'));
try {
  const isForced = process.argv.includes('--force');
  const isForTests = process.argv.includes('--tests');
  tellMissingTools();
  const steps = [
    { isStale: () => modulesAreStale(), run: installModules },
    { isStale: () => isForced || launcherIsStale(), run: buildLauncher },
    { isStale: () => isForced || bundleIsStale(), run: bundle },
    ...(isForTests ? PYTHON_CLIENTS.map((version) => ({ isStale: () => clientIsStale(version), run: () => installClient(version) })) : []),
  ];
  // Checked before and under the lock: somebody else may do the work while this process waits.
  if (steps.some((step) => step.isStale())) {
    await locked(() => {
      for (const step of steps) if (step.isStale()) step.run();
    });
  }
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`setup: ${error.message}\nsetup: next: ${error.next}`);
  process.exitCode = 1;
}

// --- Tools that are expected and not installed by us -------------------------------------------------------------------------------------

function tellMissingTools() {
  const missing = ['python3', 'git'].filter((tool) => find(tool) === undefined);
  if (missing.length > 0) say(`${missing.join(' and ')} not found; to install: ${aptCommand(missing)}`);
}

// --- Node modules, Node itself among them ------------------------------------------------------------------------------------------------

/** Compares what the lock file asks for with npm's own record of what it installed, which it writes last. */
function modulesAreStale() {
  const wanted = readJson('package-lock.json')?.packages;
  const installed = readJson('node_modules/.package-lock.json')?.packages;
  if (wanted === undefined) throw new SetupError('package-lock.json is missing or damaged', 'git checkout package-lock.json');
  if (installed === undefined || projectNode() === undefined) return true;
  const isSame = (one, other) => one.version === other.version && one.integrity === other.integrity && one.resolved === other.resolved;
  const isWanted = (path) => Object.hasOwn(wanted, path);
  return (
    !Object.keys(installed).every(isWanted) ||
    Object.entries(wanted).some(([path, entry]) => {
      if (path === '') return false; // The root itself.
      const found = installed[path];
      return found === undefined ? entry.optional !== true : !isSame(entry, found); // Optional: made for another platform.
    })
  );
}

function installModules() {
  const started = Date.now();
  say('installing node modules (npm ci)');
  // Not through node_modules/.bin: npm would run on the very Node it is about to replace.
  const path = searchPath().filter((directory) => !directory.endsWith('node_modules/.bin'));
  const flags = ['--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  const done = run('npm', ['ci', ...flags], { ...process.env, PATH: path.join(delimiter) });
  if (done.status !== 0) throw new SetupError(`npm ci failed (${ending(done)}):\n${said(done)}`, 'npm ci');
  if (projectNode() === undefined) {
    throw new SetupError(
      `this is Node ${process.versions.node}, Warren needs ${NODE_MINIMUM.join('.')} or newer, and there is no packaged one for ${process.platform}-${process.arch}`,
      'install Node 24 or newer, then run the same command again',
    );
  }
  say(`node modules are in place (${seconds(started)})`);
}

/** A Node that can run the project: the packaged one, or else this one when it is new enough. */
function projectNode() {
  const packaged = resolve(`node_modules/node-${process.platform}-${process.arch}/bin/node`);
  if (existsSync(packaged)) return packaged;
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return major > NODE_MINIMUM[0] || (major === NODE_MINIMUM[0] && minor >= NODE_MINIMUM[1]) ? process.execPath : undefined;
}

// --- The launcher ------------------------------------------------------------------------------------------------------------------------

function launcherSources() {
  return existsSync('launcher') ? filesBelow('launcher', (name) => /\.[ch]$/.test(name), false) : [];
}

function launcherIsStale() {
  const stamp = readStamps().launcher;
  if (stamp === undefined || !existsSync(LAUNCHER)) return true;
  if (stamp.hash !== hashOf(launcherSources(), LAUNCHER_FLAGS.join(' '))) return true;
  return stamp.compiler !== 'musl-gcc' && find('musl-gcc') !== undefined; // A better compiler has come.
}

function buildLauncher() {
  const started = Date.now();
  const sources = launcherSources();
  const hash = hashOf(sources, LAUNCHER_FLAGS.join(' '));
  const compiler = sources.length > 0 ? chooseCompiler() : undefined;
  mkdirSync('build', { recursive: true });
  // Made beside and renamed: the old one may be running, or being started, right now.
  const made = `${LAUNCHER}.${process.pid}`;
  if (compiler === undefined) {
    const prebuilt = `prebuilds/linux-${process.arch}/warren-launcher`;
    if (!existsSync(prebuilt)) {
      throw sources.length === 0
        ? new SetupError('launcher/ has no C sources', 'git checkout launcher')
        : new SetupError(`no C compiler, and no ${prebuilt}`, aptCommand(['gcc', 'libc6-dev', 'musl-tools']));
    }
    copyFileSync(prebuilt, made);
    renameSync(made, LAUNCHER);
    say(`took the prebuilt launcher from ${prebuilt}, because there is ${sources.length === 0 ? 'no source' : 'no C compiler'}`);
  } else {
    const units = sources.filter((source) => source.endsWith('.c'));
    const done = run(compiler.command, [...LAUNCHER_FLAGS, ...units, '-o', made, ...compiler.flags]);
    if (done.status !== 0) {
      rmSync(made, { force: true });
      throw new SetupError(
        `the launcher does not compile (${ending(done)}):\n${said(done)}`,
        'correct launcher/, then run the same command again',
      );
    }
    renameSync(made, LAUNCHER);
    say(`compiled ${LAUNCHER} with ${compiler.command} (${seconds(started)})`);
  }
  writeStamp('launcher', { hash, compiler: compiler?.command ?? 'none' });
}

/** musl makes a static launcher that is a tenth of glibc's size and starts faster: every sandbox start pays for it. */
function chooseCompiler() {
  const gcc = find('gcc');
  if (find('musl-gcc') === undefined) installMusl();
  if (find('musl-gcc') !== undefined) {
    // musl brings no kernel headers. The host's come last, so that only what musl lacks is taken from them.
    const machine = run(gcc ?? 'gcc', ['-dumpmachine']).stdout.trim();
    return { command: 'musl-gcc', flags: ['-idirafter', '/usr/include', '-idirafter', `/usr/include/${machine}`] };
  }
  return find('cc') === undefined ? undefined : { command: 'cc', flags: [] };
}

function installMusl() {
  const packages = ['musl-tools', 'linux-libc-dev'];
  const isDebian = existsSync('/etc/debian_version') && find('apt-get') !== undefined;
  if (!isDebian || process.getuid?.() !== 0) {
    say(`musl-gcc not found; sandboxes start faster with it: ${isDebian ? aptCommand(packages) : 'install musl-gcc'}`);
    return;
  }
  say(`installing the Debian package musl-tools, to compile a small launcher (${aptCommand(packages)})`);
  const install = () => run('apt-get', ['install', '-y', '--no-install-recommends', ...APT_FLAGS, ...packages], APT_ENVIRONMENT);
  // A fresh machine has no package lists yet.
  const isDone =
    install().status === 0 || (run('apt-get', ['update', ...APT_FLAGS], APT_ENVIRONMENT).status === 0 && install().status === 0);
  if (!isDone) say('musl-tools cannot be installed here; going on with cc -static');
}

// --- The command line tool ---------------------------------------------------------------------------------------------------------------

/** Everything the bundle is made from. Tests and the test kit are not in it. */
function bundleHash() {
  const sources = readdirSync('packages')
    .filter((name) => name !== 'testkit' && existsSync(`packages/${name}/src`))
    .flatMap((name) => [
      `packages/${name}/package.json`,
      ...filesBelow(`packages/${name}/src`, (file) => !file.endsWith('.test.ts'), true),
    ]);
  const assets = ['definitions', 'policies'].flatMap((name) => filesBelow(`packages/platform/${name}`, () => true, true));
  return hashOf([...sources, ...assets, 'scripts/bundle.ts', 'package-lock.json'], '');
}

function bundleIsStale() {
  return !existsSync('packages/cli/dist/main.cjs') || readStamps().bundle?.hash !== bundleHash();
}

function bundle() {
  const started = Date.now();
  const hash = bundleHash();
  const done = run(projectNode() ?? process.execPath, ['--conditions=warren-source', 'scripts/bundle.ts']);
  if (done.status !== 0)
    throw new SetupError(`the command line tool cannot be bundled (${ending(done)}):\n${said(done)}`, 'npm run check -- types');
  writeStamp('bundle', { hash });
  say(`bundled packages/cli/dist (${seconds(started)})`);
}

// --- The official Python clients of MCP, for tests ----------------------------------------------------------------------------------------

function clientPlace(version) {
  return `build/mcp-python-${version}`;
}

function clientRequirements(version) {
  return `test/mcp/python-${version}.txt`;
}

function clientIsStale(version) {
  return (
    !existsSync(`${clientPlace(version)}/bin/python`) ||
    readStamps()[`python-${version}`]?.hash !== hashOf([clientRequirements(version)], '')
  );
}

/** Exact versions, each file by its hash, and no code of a package runs to install it. */
function installClient(version) {
  const started = Date.now();
  const [place, requirements] = [clientPlace(version), clientRequirements(version)];
  const made = `${place}.${process.pid}`;
  const reason = `${place}.txt`;
  const install = [
    'install',
    '--require-hashes',
    '--only-binary',
    ':all:',
    '--no-input',
    '--disable-pip-version-check',
    '--retries',
    '1',
    '--timeout',
    '20',
  ];
  mkdirSync('build', { recursive: true });
  rmSync(reason, { force: true });
  const steps = [
    { what: 'python3 -m venv', run: () => run('python3', ['-m', 'venv', made]) },
    { what: 'pip install', run: () => run(`${made}/bin/python`, ['-m', 'pip', ...install, '-r', requirements]) },
  ];
  for (const step of steps) {
    const done = step.run();
    if (done.status === 0) continue;
    const last =
      said(done)
        .split('\n')
        .findLast((line) => line.trim() !== '') ?? '';
    writeFileSync(reason, `${step.what} failed (${ending(done)}): ${last.trim().slice(0, 200)}`);
    say(`no official Python client of MCP, version ${version}: ${readText(reason)}; its tests will be skipped`);
    rmSync(made, { recursive: true, force: true });
    return;
  }
  rmSync(place, { recursive: true, force: true });
  renameSync(made, place); // Only its python is used, which finds itself wherever it is.
  writeStamp(`python-${version}`, { hash: hashOf([requirements], '') });
  say(`installed the official Python client of MCP, version ${version}, for tests (${seconds(started)})`);
}

// --- Helpers -----------------------------------------------------------------------------------------------------------------------------

function say(line) {
  console.error(`setup: ${line}`); // Not stdout: that belongs to the command that runs next.
}

/** Runs `action` while no other set-up runs in this tree. */
async function locked(action) {
  mkdirSync('build', { recursive: true });
  const deadline = Date.now() + LOCK_WAIT_MS;
  for (let tries = 0; !tryLock(); tries += 1) {
    const holder = Number(readText(LOCK));
    if (holder > 0 && !isRunning(holder)) rmSync(LOCK, { force: true });
    else if (Date.now() > deadline) throw new SetupError(`another set-up (process ${holder}) does not end`, `rm ${LOCK}`);
    else if (tries === 0) say(`waiting for another set-up (process ${holder})`);
    await new Promise((wake) => setTimeout(wake, 100));
  }
  try {
    action();
  } finally {
    rmSync(LOCK, { force: true });
  }
}

function tryLock() {
  try {
    const descriptor = openSync(LOCK, 'wx');
    writeFileSync(descriptor, String(process.pid));
    closeSync(descriptor);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM'; // Somebody else's, so it runs.
  }
}

function run(command, args, env = process.env) {
  return spawnSync(command, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 64 * 1024 * 1024 });
}

function ending(done) {
  if (done.error !== undefined) return done.error.message;
  return done.signal === null ? `exit code ${done.status}` : done.signal;
}

/** What a failed command said. Of much, the beginning and the end: npm tells the reason first, compilers sum up last. */
function said(done) {
  const lines = `${done.stdout ?? ''}${done.stderr ?? ''}`.trim().split('\n');
  return (lines.length <= 40 ? lines : [...lines.slice(0, 20), '…', ...lines.slice(-20)]).join('\n');
}

function seconds(started) {
  return `${((Date.now() - started) / 1000).toFixed(1)} s`;
}

function searchPath() {
  return (process.env.PATH ?? '/usr/local/bin:/usr/bin:/bin').split(delimiter).filter((directory) => directory !== '');
}

/** Where a command is, if it is there. */
function find(command) {
  return searchPath()
    .map((directory) => join(directory, command))
    .find((path) => existsSync(path));
}

function aptCommand(packages) {
  return `${process.getuid?.() === 0 ? '' : 'sudo '}apt-get install -y ${packages.join(' ')}`;
}

function filesBelow(directory, isWanted, isDeep) {
  return readdirSync(directory, { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${directory}/${entry.name}`;
      if (entry.isDirectory()) return isDeep ? filesBelow(path, isWanted, true) : [];
      return isWanted(entry.name) ? [path] : [];
    })
    .sort();
}

function hashOf(files, extra) {
  const hash = createHash('sha256').update(extra);
  for (const file of files) {
    const content = readFileSync(file);
    hash.update(`\0${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

function readText(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // Missing is an answer here: the caller makes it.
  }
}

function readJson(path) {
  try {
    return JSON.parse(readText(path) ?? '');
  } catch {
    return undefined; // Damaged is as good as missing: it is made again.
  }
}

function readStamps() {
  return readJson(STAMPS) ?? {};
}

function writeStamp(name, stamp) {
  const made = `${STAMPS}.${process.pid}`;
  writeFileSync(made, `${JSON.stringify({ ...readStamps(), [name]: stamp }, undefined, 2)}\n`);
  renameSync(made, STAMPS);
}
