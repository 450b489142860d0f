/**
 * Where Warren may find itself in the tree of a v2 host: a visitor, which is another process, is put into these cgroups as this user or that, and says
 * what it can do there. The "no internal processes" rule of cgroups(7) makes the difference: a cgroup that holds processes gives no controllers on.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { chownSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { isFault } from '@warren/protocol';
import { type CgroupLayout, readCgroupLayout } from '../../../packages/sandbox/src/backends/namespace/cgroup-layout.ts';
import type { Capabilities, Limits } from '../../../packages/sandbox/src/contract.ts';
import { CGROUPS, read, until } from './cgroup-tree.ts';
import { allocate, ending, MIB, open } from './walls.ts';

const USER = 1_000;
/** What systemd gives to a user with a cgroup: the directory and these (Delegate= in systemd.resource-control(5)). */
const DELEGATED = ['.', 'cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads'];

export type Visit = {
  readonly layout: CgroupLayout;
  readonly capabilities: Capabilities;
  /** How a command ended that took more memory than its sandbox was given, or the fault. */
  readonly greedy: string;
  /** The same of one in a sandbox for which no limit was asked. */
  readonly modest: string;
};

export async function rootHosts() {
  await using visitor = new Visitor(0);
  return { service: await systemService(visitor) };
}

export async function userHosts() {
  await using visitor = new Visitor(USER);
  return {
    scope: await userScope(visitor),
    service: await delegatedService(visitor),
    subgroup: await delegatedSubgroup(visitor),
    session: await plainSession(visitor),
  };
}

/** A service of the system. The slice above gives two controllers on, as systemd has it. */
async function systemService(visitor: Visitor) {
  await using slice = new Group('system.slice', { passesOn: '+memory +pids' });
  await using service = new Group('system.slice/warren.service', {});
  return { ...(await visitor.visit(service)), passedOn: { slice: slice.passedOn(), service: service.passedOn() } };
}

/** A scope in a slice of the user, as `systemd-run --user --scope -p Delegate=yes` makes it: from the slice down all is the user's. */
async function userScope(visitor: Visitor) {
  await using slice = new Group('app.slice', { passesOn: '+memory +pids +cpu', owner: USER });
  await using scope = new Group('app.slice/run.scope', { owner: USER });
  return { ...(await visitor.visit(scope)), passedOn: { slice: slice.passedOn(), scope: scope.passedOn() } };
}

/** A service with User= and Delegate=yes: its cgroup is the user's and holds the user's processes, nothing above is. */
async function delegatedService(visitor: Visitor) {
  await using _slice = new Group('system.slice', { passesOn: '+memory +pids +cpu' });
  await using service = new Group('system.slice/warren.service', { owner: USER });
  return { ...(await visitor.visit(service)), passedOn: { service: service.passedOn() } };
}

/** The same with DelegateSubgroup=: systemd puts the processes one level below, and the cgroup of the service is free. */
async function delegatedSubgroup(visitor: Visitor) {
  await using _slice = new Group('system.slice', { passesOn: '+memory +pids +cpu' });
  await using service = new Group('system.slice/warren.service', { owner: USER });
  await using subgroup = new Group('system.slice/warren.service/supervisor', { owner: USER });
  return { ...(await visitor.visit(subgroup)), passedOn: { service: service.passedOn() } };
}

/** Nobody has delegated anything. */
async function plainSession(visitor: Visitor) {
  await using _slice = new Group('user.slice', { passesOn: '+memory +pids +cpu' });
  await using session = new Group('user.slice/session.scope', {});
  return await visitor.visit(session);
}

class Group implements AsyncDisposable {
  readonly path: string;

  constructor(name: string, { passesOn, owner }: { readonly passesOn?: string; readonly owner?: number }) {
    this.path = `${CGROUPS}/${name}`;
    writeFileSync(`${CGROUPS}/cgroup.subtree_control`, '+memory +pids +cpu'); // As systemd does for the whole tree.
    mkdirSync(this.path);
    if (passesOn !== undefined) writeFileSync(`${this.path}/cgroup.subtree_control`, passesOn);
    if (owner !== undefined) for (const file of DELEGATED) chownSync(`${this.path}/${file}`, owner, owner);
  }

  passedOn(): string {
    return read(this.path, 'cgroup.subtree_control').split(' ').toSorted().join(' ');
  }

  /** The janitor of a launcher that is gone takes a moment to leave. What else is left, rmdir refuses, and the look for leaks finds. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await until(`${this.path} is empty`, () => read(this.path, 'cgroup.procs') === '');
      rmdirSync(this.path);
    } catch (error) {
      console.log(String(error));
    }
  }
}

/** A process that goes from one cgroup to the other: each start of Node takes seconds in here. */
class Visitor implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #answers: AsyncIterator<string>;
  readonly #closed: Promise<void>;

  constructor(uid: number) {
    this.#child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', 'visit'], {
      uid,
      gid: uid,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { HOME: '/tmp', PATH: '/usr/bin' },
    });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#child.once('close', () => resolve());
    this.#closed = promise;
  }

  async visit(group: Group): Promise<Visit> {
    writeFileSync(`${group.path}/cgroup.procs`, String(this.#child.pid));
    this.#child.stdin.write('go\n');
    const { value, done } = await this.#answers.next();
    writeFileSync(`${CGROUPS}/cgroup.procs`, String(this.#child.pid));
    if (done === true) throw new Error(`the visitor has ended in ${group.path}`);
    return JSON.parse(value) as Visit; // Written by `receiveVisits`.
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.stdin.end();
    await this.#closed;
  }
}

/** The visitor's side. */
export async function receiveVisits(): Promise<void> {
  for await (const _ of createInterface({ input: process.stdin })) process.stdout.write(`${JSON.stringify(await lookAround())}\n`);
}

async function lookAround(): Promise<Visit> {
  const layout = readCgroupLayout();
  await using sandboxes = await open();
  const tryOut = async (limits: Limits, mebibytes: number): Promise<string> => {
    try {
      await using sandbox = await sandboxes.start({ limits });
      return ending((await sandbox.run(allocate(mebibytes))).exit);
    } catch (error) {
      if (isFault(error)) return error.code;
      throw error;
    }
  };
  const { capabilities } = sandboxes;
  return { layout, capabilities, greedy: await tryOut({ memoryBytes: 48 * MIB }, 100), modest: await tryOut({}, 16) };
}
