/** `state.backup.*`: copies of what agents keep, encrypted, in the workspace's own files. */
import type { FileStat, WorkspaceKernel } from '@warren/kernel';
import { isFault, type JsonObject, type WorkspaceId } from '@warren/protocol';
import { CapabilityError, type HandlerContext, type Handlers } from '../../capability/handler.ts';
import { agentsOf } from '../comms/agents-of.ts';
import { AgentFiles } from '../internal/agent-files.ts';
import { isoOf } from '../internal/iso-time.ts';
import { decryptRecords, encryptRecords, UnreadableBackup } from './backup-cipher.ts';
import { type BackupRecord, recordsOf, restoreRecords } from './backup-records.ts';
import { asIoError, newestFirst } from './kept-files.ts';

const FOLDER = '/blob/backups/';
const BACKUPS_MAX = 1_000;

export type BackupParts = {
  readonly newId: () => string;
  /** 32 bytes that no agent can read; undefined while they are not to be had. Without it no backup is made. */
  readonly keyOf?: ((workspace: WorkspaceId) => Promise<Uint8Array | undefined>) | undefined;
  readonly now?: (() => number) | undefined;
  /** Of one workspace. */
  readonly backupsMax?: number | undefined;
};

export function createBackupHandlers({
  newId,
  keyOf = async () => undefined,
  now = () => Date.now(),
  backupsMax = BACKUPS_MAX,
}: BackupParts): Handlers {
  const requireKey = async ({ actor }: HandlerContext): Promise<Uint8Array> => {
    const key = await keyOf(actor.workspace);
    if (key === undefined) throw new CapabilityError('VaultLocked', 'Cannot use backups: the key of the workspace is not there');
    return key;
  };
  return {
    'state.backup.create': async ({ agent }, context) => {
      const { mine, actor, signal } = context;
      const key = await requireKey(context);
      const only = typeof agent === 'string' && agent !== '' ? agent : undefined;
      const { total } = await mine.files.list({ prefix: FOLDER }, { limit: 1 });
      if (total >= backupsMax)
        throw new CapabilityError('TooManyBackups', `Cannot make a backup: there are ${total}, the limit is ${backupsMax}`, {
          context: { backups: total, limit: backupsMax },
        });
      const backupId = newId();
      const agents = only === undefined ? [...(await agentsOf(mine)).map(({ name }) => name), null] : [only];
      const content = encryptRecords(recordsOf(mine, agents), { key, backupId });
      const metadata = { scope: only === undefined ? 'full' : `agent:${only}` };
      const file = { path: `${FOLDER}${backupId}`, mode: 'ro', ifAbsent: true, metadata } as const;
      return { output: toOutput(await asIoError(mine.files.write(actor.pid, file, content, signal))) };
    },

    'state.backup.list': async (_, { mine }) => {
      const { files } = await mine.files.list({ prefix: FOLDER }, { limit: BACKUPS_MAX });
      return { output: { backups: newestFirst(files).map(toOutput), total: files.length } };
    },

    'state.backup.restore': async ({ backup_id: id, agent }, context) => {
      const { mine, signal } = context;
      const backupId = String(id);
      const { path } = await find(mine, backupId);
      const key = await requireKey(context);
      const records = () => read(mine, path, { key, backupId }, signal);
      for await (const _ of records()); // Nothing is changed before all of it is known to be whole.
      const only = typeof agent === 'string' && agent !== '' ? agent : undefined;
      const { agents, isSharedRestored } = await asIoError(restoreRecords(mine, records(), { only, now: now() }));
      return { output: { restored: true, agents_restored: agents, shared_state_restored: isSharedRestored } };
    },

    'state.backup.delete': async ({ backup_id: id }, { mine }) => {
      const { path, size } = await find(mine, String(id));
      const isDeleted = await asIoError(mine.files.delete(path));
      await asIoError(mine.files.purgeHistory(path)); // Or its bytes would stay, and it could be brought back.
      return { output: { deleted: isDeleted, backup_id: String(id), freed_bytes: size } };
    },

    'state.backup.export': async ({ backup_id: id, path }, context) => {
      const stat = await find(context.mine, String(id));
      const files = await AgentFiles.open(context);
      const real = await files.locate(String(path), 'rw');
      await using body = await context.mine.files.open(stat.path);
      await files.write(real, body.content, { exclusive: true });
      return { output: { exported_path: real, size_bytes: stat.size }, usage: { fs_w_bytes: stat.size } };
    },
  };
}

async function* read(
  mine: WorkspaceKernel,
  path: string,
  key: { readonly key: Uint8Array; readonly backupId: string },
  signal: AbortSignal,
): AsyncGenerator<BackupRecord> {
  await using body = await mine.files.open(path);
  try {
    for await (const record of decryptRecords(body.content, key)) {
      signal.throwIfAborted();
      yield record as BackupRecord; // `recordsOf` made it, and nobody else has the key.
    }
  } catch (error) {
    throw error instanceof UnreadableBackup ? new CapabilityError('DecryptionFailed', error.message, { cause: error }) : error;
  }
}

async function find({ files }: WorkspaceKernel, id: string): Promise<FileStat> {
  const missing = (cause?: unknown) => new CapabilityError('BackupNotFound', 'Cannot find the backup: there is none of this id', { cause });
  if (!/^[a-z0-9_]{1,64}$/.test(id)) throw missing();
  return await files.stat(`${FOLDER}${id}`).catch((error: unknown) => {
    throw isFault(error, 'file_not_found') ? missing(error) : error;
  });
}

function toOutput({ path, createdAt, size, metadata }: FileStat): JsonObject {
  return {
    backup_id: path.slice(FOLDER.length),
    created_at: isoOf(createdAt),
    file_size_bytes: size,
    scope: String(metadata['scope'] ?? ''),
  };
}
