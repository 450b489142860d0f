/** What the commands about the daemon and its store do. Each loads only what it needs: `warren run` loads none of it. */

import type { RestoreParts } from './commands/restore.ts';
import type { SecretImportParts } from './commands/secret.ts';
import { gateActions } from './gate-actions.ts';
import type { Host } from './internal/host.ts';
import { lazyCommands } from './internal/lazy-command.ts';
import type { Actions } from './program.ts';
import { skillActions } from './skill-actions.ts';

type DaemonCommands = Omit<Actions, 'run' | 'diff' | 'apply' | 'undo' | 'runs' | 'remove' | 'doctor' | 'completion'>;

/** `end` gets the exit code. */
export function daemonActions(host: Host, end: (code: number) => void): DaemonCommands {
  const command = lazyCommands(host, end);
  return {
    ...gateActions(host, end),
    ...skillActions(host, end),
    serve: async (flags) => {
      const [{ serve }, { openServeParts }] = await Promise.all([import('./commands/serve.ts'), import('./parts/serve.ts')]);
      end(await serve(flags, host, openServeParts(host)));
    },
    status: command(() => import('./commands/status.ts'), 'status'),
    stop: command(() => import('./commands/stop.ts'), 'stop'),
    serviceInstall: async (flags) => {
      const [{ serviceInstall }, { serviceParts }] = await Promise.all([import('./commands/service.ts'), import('./parts/service.ts')]);
      end(await serviceInstall(flags, host, serviceParts()));
    },
    login: command(() => import('./commands/login.ts'), 'login'),
    logout: command(() => import('./commands/login.ts'), 'logout'),
    whoami: command(() => import('./commands/login.ts'), 'whoami'),
    kernel: async (view) => {
      const [{ kernel }, { openOperations }] = await Promise.all([import('./commands/kernel/kernel.ts'), import('./parts/operations.ts')]);
      end(await kernel(view, host, (flags) => openOperations(host, flags)));
    },
    personCreate: command(() => import('./commands/person.ts'), 'personCreate'),
    personList: command(() => import('./commands/person.ts'), 'personList'),
    personUpdate: command(() => import('./commands/person.ts'), 'personUpdate'),
    personDisable: command(() => import('./commands/person.ts'), 'personDisable'),
    personEnable: command(() => import('./commands/person.ts'), 'personEnable'),
    personDelete: command(() => import('./commands/person.ts'), 'personDelete'),
    tokenCreate: command(() => import('./commands/token.ts'), 'tokenCreate'),
    tokenList: command(() => import('./commands/token.ts'), 'tokenList'),
    tokenRevoke: command(() => import('./commands/token.ts'), 'tokenRevoke'),
    hookList: command(() => import('./commands/hook.ts'), 'hookList'),
    hookTest: command(() => import('./commands/hook.ts'), 'hookTest'),
    sessionList: command(() => import('./commands/session.ts'), 'sessionList'),
    sessionShow: command(() => import('./commands/session.ts'), 'sessionShow'),
    sessionSearch: command(() => import('./commands/session.ts'), 'sessionSearch'),
    sessionBranch: command(() => import('./commands/session.ts'), 'sessionBranch'),
    sessionCompact: command(() => import('./commands/session.ts'), 'sessionCompact'),
    sessionExport: command(() => import('./commands/session.ts'), 'sessionExport'),
    sessionDelete: command(() => import('./commands/session.ts'), 'sessionDelete'),
    memoryStore: command(() => import('./commands/memory.ts'), 'memoryStore'),
    memorySearch: command(() => import('./commands/memory.ts'), 'memorySearch'),
    memoryList: command(() => import('./commands/memory.ts'), 'memoryList'),
    memoryShow: command(() => import('./commands/memory.ts'), 'memoryShow'),
    memoryForget: command(() => import('./commands/memory.ts'), 'memoryForget'),
    memoryExport: command(() => import('./commands/memory.ts'), 'memoryExport'),
    secretSet: command(() => import('./commands/secret.ts'), 'secretSet'),
    secretRotate: command(() => import('./commands/secret.ts'), 'secretRotate'),
    secretList: command(() => import('./commands/secret.ts'), 'secretList'),
    secretShow: command(() => import('./commands/secret.ts'), 'secretShow'),
    secretBind: command(() => import('./commands/secret.ts'), 'secretBind'),
    secretUnbind: command(() => import('./commands/secret.ts'), 'secretUnbind'),
    secretRollback: command(() => import('./commands/secret.ts'), 'secretRollback'),
    secretRevoke: command(() => import('./commands/secret.ts'), 'secretRevoke'),
    secretRestore: command(() => import('./commands/secret.ts'), 'secretRestore'),
    secretDelete: command(() => import('./commands/secret.ts'), 'secretDelete'),
    secretImport: async (file, flags) => {
      const { secretImport } = await import('./commands/secret.ts');
      const readEarlierCredentials: SecretImportParts['readEarlierCredentials'] = async (content, passphrase) =>
        (await import('./parts/earlier-credentials.ts')).readEarlierCredentials(content, passphrase);
      end(await secretImport(file, flags, host, { readEarlierCredentials }));
    },
    vaultStatus: command(() => import('./commands/vault.ts'), 'vaultStatus'),
    vaultUnlock: command(() => import('./commands/vault.ts'), 'vaultUnlock'),
    vaultPassphrase: command(() => import('./commands/vault.ts'), 'vaultPassphrase'),
    vaultRotate: command(() => import('./commands/vault.ts'), 'vaultRotate'),
    workspaceCreate: command(() => import('./commands/workspace.ts'), 'workspaceCreate'),
    workspaceShow: command(() => import('./commands/workspace-show.ts'), 'workspaceShow'),
    workspaceQuota: command(() => import('./commands/workspace-show.ts'), 'workspaceQuota'),
    workspaceExport: command(() => import('./commands/workspace-file.ts'), 'workspaceExport'),
    workspaceImport: command(() => import('./commands/workspace-file.ts'), 'workspaceImport'),
    workspaceDelete: command(() => import('./commands/workspace-delete.ts'), 'workspaceDelete'),
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
          backUp: async (...copying) => (await import('./parts/store.ts')).backUp(...copying),
          readFiles: async (...reading) => (await import('./parts/store.ts')).readFiles(...reading),
          addFiles: async (...adding) => (await import('./parts/store.ts')).addFiles(...adding),
        }),
      );
    },
    restore: async (file, flags) => {
      const [{ restore }, { openState, restore: restoreStore, adviseOnVault }] = await Promise.all([
        import('./commands/restore.ts'),
        import('./parts/store.ts'),
      ]);
      const [{ noteOfflineAction }, { userName }] = await Promise.all([import('@warren/platform'), import('./internal/user-name.ts')]);
      const note: RestoreParts['note'] = (directory, details, at) =>
        noteOfflineAction(directory, 'store.restore', details, { at, by: userName() });
      end(await restore(file, flags, host, { openState: (flag) => openState(host, flag), restore: restoreStore, adviseOnVault, note }));
    },
  };
}
