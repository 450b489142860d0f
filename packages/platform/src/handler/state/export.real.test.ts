/** A backup taken out through the walls of a real sandbox. */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { DEFAULT_WORKSPACE } from '@warren/protocol';
import { openSandboxes } from '@warren/sandbox';
import { describe, expect, it } from 'vitest';
import { CapabilityError, type HandlerContext } from '../../capability/handler.ts';
import { AgentHost } from '../test-support/agent-host.ts';
import { createBackupHandlers } from './create-backup-handlers.ts';

describe('state.backup.export', () => {
  it('writes a new file where the agent may write, encrypted, and nothing elsewhere', async () => {
    await using sandboxes = await openSandboxes();
    await using host = await AgentHost.open({ sandboxes });
    for (const name of ['own', 'other']) mkdirSync(`${host.files}/${name}`);
    writeFileSync(`${host.files}/own/there`, 'as it was');
    symlinkSync('/workspace/other', `${host.files}/own/way-out`);
    await host.mine.processes.create({ name: 'bob', template: 'test', agent: 'bob' });
    await host.mine.state.set({ kind: 'agent', agent: 'bob' }, 'secret-key', 'secret-value');
    const pid = await host.process([{ prefix: '/workspace/own', mode: 'rw' }]);
    await using held = await host.agents.open(DEFAULT_WORKSPACE, pid);
    const handlers = createBackupHandlers({ newId: () => 'backup_1', keyOf: async () => new Uint8Array(32) });
    const actor = { workspace: DEFAULT_WORKSPACE, pid, agent: 'ada' };
    const parts = { actor, mine: host.mine, sandbox: async () => held, signal: new AbortController().signal };
    const context = parts as unknown as HandlerContext; // The rest is for others.
    await handlers['state.backup.create']?.({}, context);
    const exportTo = async (path: string): Promise<unknown> => {
      try {
        return (await handlers['state.backup.export']?.({ backup_id: 'backup_1', path }, context))?.output;
      } catch (error) {
        if (error instanceof CapabilityError) return error.type;
        throw error;
      }
    };
    const { size } = await host.mine.files.stat('/blob/backups/backup_1');
    expect(await exportTo('/workspace/own/backup.bin')).toEqual({ exported_path: '/workspace/own/backup.bin', size_bytes: size });
    const exported = readFileSync(`${host.files}/own/backup.bin`);
    expect(exported.length).toBe(size);
    expect(exported.toString('latin1')).not.toContain('secret');
    expect(await exportTo('/workspace/own/there')).toBe('DestinationExists');
    expect(readFileSync(`${host.files}/own/there`, 'utf8')).toBe('as it was');
    expect(await exportTo('/workspace/own/none/x')).toBe('ParentNotFound');
    for (const path of ['/workspace/other/x', '/workspace/own/../other/x', '/workspace/own/way-out/x', '/etc/x'])
      expect(await exportTo(path)).toBe('PathOutOfScope');
  });
});
