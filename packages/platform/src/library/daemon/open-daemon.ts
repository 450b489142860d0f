/**
 * The library through the daemon that holds the state directory, over its unix socket. What a program embeds is the same; what differs is what cannot cross to another process: functions that look at
 * calls, and values of secrets.
 */
import { join } from 'node:path';
import { type Client, connect, socketPath } from '@warren/client';
import { Fault, isFault, type WorkspaceId } from '@warren/protocol';
import type { LibraryBackend, SkillsBackend } from '../backend.ts';
import type { OpenEmbeddedOptions } from '../embedded/open-embedded.ts';
import { WorkByWorkspace } from '../work-by-workspace.ts';
import type { CallDaemon } from './call-daemon.ts';
import { openDaemonAgent } from './daemon-agent.ts';
import { DaemonHooks } from './daemon-hooks.ts';
import { createDaemonMemory } from './daemon-memory.ts';
import { createDaemonSecrets } from './daemon-secrets.ts';
import { createDaemonSessions } from './daemon-sessions.ts';

/** A daemon that is busy answers later than that only if it hangs. */
const ANSWER_MS_MAX = 5_000;

/** Undefined when there is no daemon that answers. Faults: `conflict` (what was given is not as the daemon has it). */
export async function openDaemon({
  directory,
  skillsDirectory,
  passphrase,
  log,
}: OpenEmbeddedOptions): Promise<LibraryBackend | undefined> {
  await using opening = new AsyncDisposableStack();
  // Some calls take as long as they take; whoever waits has a signal.
  const socket = socketPath(directory);
  const client = opening.use(connect({ socketPath: socket, timeoutMs: 0 }));
  if (!(await doesAnswer(client))) return undefined;
  refuseOtherSkills(directory, skillsDirectory);
  const work = opening.use(new WorkByWorkspace());
  const hooks = new DaemonHooks(log);
  const secrets = createDaemonSecrets(client, passphrase);
  const owned = opening.move();
  return {
    kind: 'daemon',
    async create(id) {
      await client.call('workspace.create', { workspace: id });
    },
    async exists(id) {
      try {
        await client.call('workspace.get', { workspace: id });
        return true;
      } catch (error) {
        if (isFault(error, 'not_found')) return false;
        throw error;
      }
    },
    async list() {
      return (await client.call('workspace.list', {})).workspaces.map(({ workspace }) => workspace as WorkspaceId); // The daemon made sure of it.
    },
    async delete(id) {
      using _stopped = await work.stop(id);
      await client.call('workspace.delete', { workspace: id });
      hooks.forget(id);
    },
    workspace(id) {
      const call: CallDaemon = (name, params, options) => client.call(name, params, { ...options, workspace: id });
      return {
        memory: createDaemonMemory(call),
        sessions: createDaemonSessions(call),
        hooks: hooks.of(id),
        skills: createDaemonSkills(call),
        secrets: secrets(call),
        openAgent: (agent) => openDaemonAgent(call, socket, agent),
        async during(signal, act) {
          await call('workspace.get', { workspace: id }, { signal });
          return await work.during(id, signal, act);
        },
      };
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function doesAnswer(client: Client): Promise<boolean> {
  try {
    await client.call('daemon.status', {}, { attemptsMax: 1, signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    return true;
  } catch (error) {
    if (isFault(error, 'unavailable') || isFault(error, 'aborted')) return false;
    throw error;
  }
}

function refuseOtherSkills(directory: string, skillsDirectory: string): void {
  const own = join(directory, 'skills');
  if (skillsDirectory === own) return;
  throw new Fault(
    'conflict',
    `Cannot use ${skillsDirectory} as skillsDir: a daemon holds ${directory}, and its skills are in ${own}; leave skillsDir out`,
    {
      details: { field: 'skillsDir' },
    },
  );
}

function createDaemonSkills(call: CallDaemon): SkillsBackend {
  return {
    async offered() {
      const { skills } = await call('skill.list', {});
      const offered = skills.filter(({ enabled, state }) => enabled && state === 'approved');
      return offered.map(({ name, description, runnable }) => ({ name, description, isRunnable: runnable }));
    },
    async enable(name) {
      const { state, hash } = await call('skill.get', { name });
      if (state === 'unapproved') await call('skill.approve', { name, hash });
      await call('skill.enable', { name });
    },
    async disable(name) {
      await call('skill.disable', { name });
    },
  };
}
