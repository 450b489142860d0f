/** The sessions of one workspace, on those that the platform has open: there are no others of the same folder. */
import type { WorkspaceId } from '@warren/protocol';
import type { WorkspaceSessions } from '../../session/open-workspace-sessions.ts';
import type { Session, Sessions } from '../../session/sessions.ts';
import { KeptSession } from '../kept-session.ts';

/** `there`: rejects when the workspace is not. */
export function createEmbeddedSessions(id: WorkspaceId, sessions: Pick<WorkspaceSessions, 'use'>, there: () => Promise<void>): Sessions {
  const use = async <Result>(act: (mine: Sessions) => Promise<Result>): Promise<Result> => {
    await there();
    return await sessions.use(id, act);
  };
  const kept = (session: Session): Session => new KeptSession(session, (act) => use(async (mine) => act(await mine.open(session.id))));
  return {
    create: async (...given) => kept(await use((mine) => mine.create(...given))),
    open: async (...given) => kept(await use((mine) => mine.open(...given))),
    fork: async (...given) => kept(await use((mine) => mine.fork(...given))),
    list: (...given) => use((mine) => mine.list(...given)),
    search: (...given) => use((mine) => mine.search(...given)),
    export: (...given) => use((mine) => mine.export(...given)),
    exportPiece: (...given) => use((mine) => mine.exportPiece(...given)),
    delete: (...given) => use((mine) => mine.delete(...given)),
  };
}
