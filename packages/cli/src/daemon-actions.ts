/** What the commands about the daemon and its store do. Each loads only what it needs: `warren run` loads none of it. */

import type { RestoreParts } from './commands/restore.ts';
import type { SecretImportParts } from './commands/secret.ts';
import { gateActions } from './gate-actions.ts';
import type { Host } from './internal/host.ts';
import type { Actions } from './program.ts';
import { skillActions } from './skill-actions.ts';

type DaemonCommands = Omit<Actions, 'run' | 'diff' | 'apply' | 'undo' | 'runs' | 'remove' | 'doctor' | 'completion'>;

/** `end` gets the exit code. */
export function daemonActions(host: Host, end: (code: number) => void): DaemonCommands {
  return {
    ...gateActions(host, end),
    ...skillActions(host, end),
    serve: async (flags) => {
      const [{ serve }, { openServeParts }] = await Promise.all([import('./commands/serve.ts'), import('./parts/serve.ts')]);
      end(await serve(flags, host, openServeParts(host)));
    },
    status: async (flags) => {
      const { status } = await import('./commands/status.ts');
      end(await status(flags, host));
    },
    stop: async (flags) => {
      const { stop } = await import('./commands/stop.ts');
      end(await stop(flags, host));
    },
    serviceInstall: async (flags) => {
      const [{ serviceInstall }, { serviceParts }] = await Promise.all([import('./commands/service.ts'), import('./parts/service.ts')]);
      end(await serviceInstall(flags, host, serviceParts()));
    },
    login: async (flags) => {
      const { login } = await import('./commands/login.ts');
      end(await login(flags, host));
    },
    logout: async (flags) => {
      const { logout } = await import('./commands/login.ts');
      end(await logout(flags, host));
    },
    whoami: async (flags) => {
      const { whoami } = await import('./commands/login.ts');
      end(await whoami(flags, host));
    },
    kernel: async (view) => {
      const [{ kernel }, { openOperations }] = await Promise.all([import('./commands/kernel/kernel.ts'), import('./parts/operations.ts')]);
      end(await kernel(view, host, (flags) => openOperations(host, flags)));
    },
    personCreate: async (name, flags) => {
      const { personCreate } = await import('./commands/person.ts');
      end(await personCreate(name, flags, host));
    },
    personList: async (flags) => {
      const { personList } = await import('./commands/person.ts');
      end(await personList(flags, host));
    },
    personUpdate: async (name, flags) => {
      const { personUpdate } = await import('./commands/person.ts');
      end(await personUpdate(name, flags, host));
    },
    personDisable: async (name, flags) => {
      const { personDisable } = await import('./commands/person.ts');
      end(await personDisable(name, flags, host));
    },
    personEnable: async (name, flags) => {
      const { personEnable } = await import('./commands/person.ts');
      end(await personEnable(name, flags, host));
    },
    personDelete: async (name, flags) => {
      const { personDelete } = await import('./commands/person.ts');
      end(await personDelete(name, flags, host));
    },
    tokenCreate: async (flags) => {
      const { tokenCreate } = await import('./commands/token.ts');
      end(await tokenCreate(flags, host));
    },
    tokenList: async (flags) => {
      const { tokenList } = await import('./commands/token.ts');
      end(await tokenList(flags, host));
    },
    tokenRevoke: async (ids, flags) => {
      const { tokenRevoke } = await import('./commands/token.ts');
      end(await tokenRevoke(ids, flags, host));
    },
    hookList: async (flags) => {
      const { hookList } = await import('./commands/hook.ts');
      end(await hookList(flags, host));
    },
    hookTest: async (name, capability, fields, flags) => {
      const { hookTest } = await import('./commands/hook.ts');
      end(await hookTest(name, capability, fields, flags, host));
    },
    sessionList: async (flags) => {
      const { sessionList } = await import('./commands/session.ts');
      end(await sessionList(flags, host));
    },
    sessionShow: async (id, flags) => {
      const { sessionShow } = await import('./commands/session.ts');
      end(await sessionShow(id, flags, host));
    },
    sessionSearch: async (words, flags) => {
      const { sessionSearch } = await import('./commands/session.ts');
      end(await sessionSearch(words, flags, host));
    },
    sessionBranch: async (id, entry, flags) => {
      const { sessionBranch } = await import('./commands/session.ts');
      end(await sessionBranch(id, entry, flags, host));
    },
    sessionCompact: async (id, summary, flags) => {
      const { sessionCompact } = await import('./commands/session.ts');
      end(await sessionCompact(id, summary, flags, host));
    },
    sessionExport: async (id, flags) => {
      const { sessionExport } = await import('./commands/session.ts');
      end(await sessionExport(id, flags, host));
    },
    sessionDelete: async (ids, flags) => {
      const { sessionDelete } = await import('./commands/session.ts');
      end(await sessionDelete(ids, flags, host));
    },
    memoryStore: async (text, flags) => {
      const { memoryStore } = await import('./commands/memory.ts');
      end(await memoryStore(text, flags, host));
    },
    memorySearch: async (words, flags) => {
      const { memorySearch } = await import('./commands/memory.ts');
      end(await memorySearch(words, flags, host));
    },
    memoryList: async (flags) => {
      const { memoryList } = await import('./commands/memory.ts');
      end(await memoryList(flags, host));
    },
    memoryShow: async (id, flags) => {
      const { memoryShow } = await import('./commands/memory.ts');
      end(await memoryShow(id, flags, host));
    },
    memoryForget: async (ids, flags) => {
      const { memoryForget } = await import('./commands/memory.ts');
      end(await memoryForget(ids, flags, host));
    },
    memoryExport: async (flags) => {
      const { memoryExport } = await import('./commands/memory.ts');
      end(await memoryExport(flags, host));
    },
    secretSet: async (name, words, flags) => {
      const { secretSet } = await import('./commands/secret.ts');
      end(await secretSet(name, words, flags, host));
    },
    secretRotate: async (name, words, flags) => {
      const { secretRotate } = await import('./commands/secret.ts');
      end(await secretRotate(name, words, flags, host));
    },
    secretList: async (flags) => {
      const { secretList } = await import('./commands/secret.ts');
      end(await secretList(flags, host));
    },
    secretShow: async (name, flags) => {
      const { secretShow } = await import('./commands/secret.ts');
      end(await secretShow(name, flags, host));
    },
    secretBind: async (name, flags) => {
      const { secretBind } = await import('./commands/secret.ts');
      end(await secretBind(name, flags, host));
    },
    secretUnbind: async (name, flags) => {
      const { secretUnbind } = await import('./commands/secret.ts');
      end(await secretUnbind(name, flags, host));
    },
    secretRollback: async (name, version, flags) => {
      const { secretRollback } = await import('./commands/secret.ts');
      end(await secretRollback(name, version, flags, host));
    },
    secretRevoke: async (name, flags) => {
      const { secretRevoke } = await import('./commands/secret.ts');
      end(await secretRevoke(name, flags, host));
    },
    secretRestore: async (name, flags) => {
      const { secretRestore } = await import('./commands/secret.ts');
      end(await secretRestore(name, flags, host));
    },
    secretDelete: async (names, flags) => {
      const { secretDelete } = await import('./commands/secret.ts');
      end(await secretDelete(names, flags, host));
    },
    secretImport: async (file, flags) => {
      const { secretImport } = await import('./commands/secret.ts');
      const readEarlierCredentials: SecretImportParts['readEarlierCredentials'] = async (content, passphrase) =>
        (await import('./parts/earlier-credentials.ts')).readEarlierCredentials(content, passphrase);
      end(await secretImport(file, flags, host, { readEarlierCredentials }));
    },
    vaultStatus: async (flags) => {
      const { vaultStatus } = await import('./commands/vault.ts');
      end(await vaultStatus(flags, host));
    },
    vaultUnlock: async (flags) => {
      const { vaultUnlock } = await import('./commands/vault.ts');
      end(await vaultUnlock(flags, host));
    },
    vaultPassphrase: async (flags) => {
      const { vaultPassphrase } = await import('./commands/vault.ts');
      end(await vaultPassphrase(flags, host));
    },
    vaultRotate: async (flags) => {
      const { vaultRotate } = await import('./commands/vault.ts');
      end(await vaultRotate(flags, host));
    },
    workspaceCreate: async (id, flags) => {
      const { workspaceCreate } = await import('./commands/workspace.ts');
      end(await workspaceCreate(id, flags, host));
    },
    workspaceShow: async (id, flags) => {
      const { workspaceShow } = await import('./commands/workspace-show.ts');
      end(await workspaceShow(id, flags, host));
    },
    workspaceQuota: async (id, settings, flags) => {
      const { workspaceQuota } = await import('./commands/workspace-show.ts');
      end(await workspaceQuota(id, settings, flags, host));
    },
    workspaceExport: async (id, file, flags) => {
      const { workspaceExport } = await import('./commands/workspace-file.ts');
      end(await workspaceExport(id, file, flags, host));
    },
    workspaceImport: async (file, flags) => {
      const { workspaceImport } = await import('./commands/workspace-file.ts');
      end(await workspaceImport(file, flags, host));
    },
    workspaceDelete: async (id, flags) => {
      const { workspaceDelete } = await import('./commands/workspace-delete.ts');
      end(await workspaceDelete(id, flags, host));
    },
    workspaceList: async (flags) => {
      const [{ workspaceList }, { openOperations }] = await Promise.all([
        import('./commands/workspace.ts'),
        import('./parts/operations.ts'),
      ]);
      end(await workspaceList(flags, host, (asked) => openOperations(host, asked)));
    },
    backup: async (file, flags) => {
      const { backup } = await import('./commands/backup.ts');
      end(
        await backup(file, flags, host, {
          // Loaded only when there is no daemon to ask.
          backUp: async (...copying) => (await import('./parts/store.ts')).backUp(...copying),
        }),
      );
    },
    restore: async (file, flags) => {
      const [{ restore }, { openState, restoreStore }] = await Promise.all([import('./commands/restore.ts'), import('./parts/store.ts')]);
      const [{ noteOfflineAction }, { userName }] = await Promise.all([import('@warren/platform'), import('./internal/user-name.ts')]);
      const note: RestoreParts['note'] = (directory, details, at) =>
        noteOfflineAction(directory, 'store.restore', details, { at, by: userName() });
      end(await restore(file, flags, host, { openState: (flag) => openState(host, flag), restore: restoreStore, note }));
    },
  };
}
