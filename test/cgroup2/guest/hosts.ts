/**
 * Where Warren may find itself in the tree of a v2 host: each of these starts it as another process, in another cgroup and as another user, and asks
 * what it can do there. The "no internal processes" rule of cgroups(7) makes the difference: a cgroup that holds processes gives no controllers on.
 */
import { spawn } from 'node:child_process';
import { chownSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { isFault } from '@warren/protocol';
import { type CgroupLayout, readCgroupLayout } from '../../../packages/sandbox/src/backends/namespace/cgroup-layout.ts';
import type { Capabilities } from '../../../packages/sandbox/src/contract.ts';
import { CGROUPS, read, until } from './cgroup-tree.ts';
import { allocate, ending, MIB, open } from './walls.ts';

const USER = 1_000;
/** What systemd gives to a user it delegates a cgroup to: the directory and these (systemd.resource-control(5), Delegate=). */
const DELEGATED = ['.', 'cgroup.procs', 'cgroup.subtree_control', 'cgroup.threads'];

export type Visit = {
  readonly layout: CgroupLayout;
  readonly capabilities: Capabilities;
  /** How a command ended that took more memory than its sandbox was given, or the fault. */
  readonly greedy: string;
  /** The same of one in a sandbox for which no limit was asked. */
  readonly modest: string;
};

/** A service of the system, run by root. The slice above gives two controllers on, as systemd has it. */
export async function systemService() {
  await using slice = Group.make('system.slice', { passesOn: '+memory +pids' });
  await using service = Group.make('system.slice/warren.service', {});
  return { ...(await visit(service, 0)), slice: slice.passedOn(), service: service.passedOn() };
}

/** A scope in a slice of a user, as `systemd-run --user --scope -p Delegate=yes` makes it: from the slice down all is the user's. */
export async function userScope() {
  await using slice = Group.make('app.slice', { passesOn: '+memory +pids +cpu', owner: USER });
  await using scope = Group.make('app.slice/run.scope', { owner: USER });
  return { ...(await visit(scope, USER)), slice: slice.passedOn(), scope: scope.passedOn() };
}

/** A service with User= and Delegate=yes: its cgroup is the user's and holds the user's processes, nothing above is. */
export async function delegatedService() {
  await using _slice = Group.make('system.slice', { passesOn: '+memory +pids +cpu' });
  await using service = Group.make('system.slice/warren.service', { owner: USER });
  return { ...(await visit(service, USER)), service: service.passedOn() };
}

/** The same with DelegateSubgroup=: systemd puts the processes one level below, and the cgroup of the service is free. */
export async function delegatedSubgroup() {
  await using _slice = Group.make('system.slice', { passesOn: '+memory +pids +cpu' });
  await using service = Group.make('system.slice/warren.service', { owner: USER });
  await using subgroup = Group.make('system.slice/warren.service/supervisor', { owner: USER });
  return { ...(await visit(subgroup, USER)), service: service.passedOn() };
}

/** A user to whom nobody has delegated anything. */
export async function plainUser() {
  await using _slice = Group.make('user.slice', { passesOn: '+memory +pids +cpu' });
  await using session = Group.make('user.slice/session.scope', {});
  return await visit(session, USER);
}

class Group implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static make(name: string, { passesOn, owner }: { readonly passesOn?: string; readonly owner?: number }): Group {
    const path = `${CGROUPS}/${name}`;
    writeFileSync(`${CGROUPS}/cgroup.subtree_control`, '+memory +pids +cpu'); // As systemd does for the whole tree.
    mkdirSync(path);
    if (passesOn !== undefined) writeFileSync(`${path}/cgroup.subtree_control`, passesOn);
    if (owner !== undefined) for (const file of DELEGATED) chownSync(`${path}/${file}`, owner, owner);
    return new Group(path);
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

async function visit(group: Group, uid: number): Promise<Visit> {
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', 'visit'], {
    uid,
    gid: uid,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { HOME: '/tmp', PATH: '/usr/bin' },
  });
  writeFileSync(`${group.path}/cgroup.procs`, String(child.pid));
  child.stdin.end('go'); // It does nothing before.
  const { promise: closed, resolve } = Promise.withResolvers<number | null>();
  child.once('close', resolve);
  const said = await text(child.stdout);
  if ((await closed) !== 0) throw new Error(`the visitor of ${group.path} failed`);
  return JSON.parse(said) as Visit; // Written by `receiveVisit`.
}

/** The other side of `visit`. */
export async function receiveVisit(): Promise<void> {
  await text(process.stdin);
  const layout = readCgroupLayout();
  await using sandboxes = await open();
  const { capabilities } = sandboxes;
  const tryOut = async (limits: { memoryBytes?: number }, mebibytes: number): Promise<string> => {
    try {
      await using sandbox = await sandboxes.start({ limits });
      return ending((await sandbox.run(allocate(mebibytes))).exit);
    } catch (error) {
      if (isFault(error)) return error.code;
      throw error;
    }
  };
  const result: Visit = { layout, capabilities, greedy: await tryOut({ memoryBytes: 48 * MIB }, 100), modest: await tryOut({}, 16) };
  process.stdout.write(JSON.stringify(result));
}
