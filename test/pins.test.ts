/**
 * Pins: what others rely on, frozen as literals. A red pin asks "did you mean it?": removing or renaming something here breaks somebody,
 * so it is said in CHANGELOG.md; adding something is promising it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as protocol from '@warren/protocol';
import { expect, it } from 'vitest';
import { ROOT } from './boundaries/read-tree.ts';

/** Folder in packages/ to its name and everything its index.ts exports. */
const SURFACES: Readonly<Record<string, { readonly name: string; readonly isPrivate: boolean; readonly exports: readonly string[] }>> = {
  protocol: {
    name: '@warren/protocol',
    isPrivate: false,
    exports: [
      'FAULTS',
      'Fault',
      'createSandboxId',
      'isFault',
      'parseSandboxId',
      'type FaultCode',
      'type FaultDetails',
      'type FaultOptions',
      'type RandomSource',
      'type SandboxId',
      'type WallDetails',
    ],
  },
  sandbox: {
    name: '@warren/sandbox',
    isPrivate: false,
    exports: [
      'PROFILES',
      'RunStore',
      'SIGNALS',
      'applyRun',
      'diagnose',
      'dropRun',
      'escapeForTerminal',
      'escapeLineForTerminal',
      'findLauncher',
      'formatStat',
      'openSandboxes',
      'openStateDirectory',
      'patchBytes',
      'patchText',
      'pathToText',
      'previewApply',
      'probeOpaque',
      'reviewRun',
      'stateDirectoryPath',
      'summarizeDiff',
      'type ApplyOptions',
      'type ApplyPreview',
      'type ApplyResult',
      'type Capabilities',
      'type ChangeKind',
      'type ChangeSummary',
      'type CloseRunRequest',
      'type Completed',
      'type ContentSummary',
      'type DiffOptions',
      'type DiffSummary',
      'type Entry',
      'type ExecLimits',
      'type ExecOptions',
      'type Execution',
      'type Exit',
      'type FileOptions',
      'type Gone',
      'type HeldRun',
      'type HostMount',
      'type LayerRecord',
      'type LayerState',
      'type LimitName',
      'type Limits',
      'type OpaqueProbe',
      'type OpenOptions',
      'type OpenRunRequest',
      'type Profile',
      'type ProfileName',
      'type ReadOptions',
      'type RefusalReason',
      'type ResolvedSpec',
      'type Review',
      'type ReviewOptions',
      'type ReviewedChange',
      'type RunExit',
      'type RunId',
      'type RunList',
      'type RunOptions',
      'type RunPaths',
      'type RunRecord',
      'type RunStoreOptions',
      'type Sandbox',
      'type SandboxSpec',
      'type SandboxStats',
      'type Sandboxes',
      'type SignalName',
      'type StatOptions',
      'type StateDirectoryOptions',
      'type StateSummary',
      'type TerminalSize',
      'type UndoOptions',
      'type UndoResult',
      'type Usage',
      'type WallReport',
      'type WorkspaceMount',
      'type WriteOptions',
      'undoRun',
    ],
  },
  cli: { name: 'warren', isPrivate: false, exports: [] },
  testkit: {
    name: '@warren/testkit',
    isPrivate: true,
    exports: ['TemporaryDirectory', 'diff', 'leaksSince', 'snapshot', 'type Snapshot', 'type SnapshotOptions'],
  },
};

it.each(Object.entries(SURFACES))('packages/%s keeps its name and its exports', async (folder, surface) => {
  const manifest = JSON.parse(readFileSync(join(ROOT, 'packages', folder, 'package.json'), 'utf8')) as { name: string; private?: boolean }; // Checked by npm.
  expect(manifest.name).toBe(surface.name);
  expect(manifest.private ?? false).toBe(surface.isPrivate);

  const source = readFileSync(join(ROOT, 'packages', folder, 'src/index.ts'), 'utf8');
  expect(exportedNames(source)).toEqual(surface.exports);
  // What the text says must be what Node sees, or the reading of the text is wrong.
  const seen: object = await import(surface.name);
  expect(Object.keys(seen).toSorted()).toEqual(surface.exports.filter((name) => !name.startsWith('type ')));
});

it('the fault codes keep their numbers', () => {
  expect(protocol.FAULTS).toEqual({
    invalid_argument: { http: 400, rpc: -32602, retry: false },
    not_found: { http: 404, rpc: -32004, retry: false },
    permission_denied: { http: 403, rpc: -32005, retry: false },
    already_exists: { http: 409, rpc: -32006, retry: false },
    conflict: { http: 409, rpc: -32007, retry: false },
    unsupported: { http: 501, rpc: -32008, retry: false },
    too_large: { http: 413, rpc: -32009, retry: false },
    busy: { http: 503, rpc: -32010, retry: true },
    deadline: { http: 504, rpc: -32011, retry: false },
    aborted: { http: 499, rpc: -32012, retry: false },
    storage_full: { http: 507, rpc: -32013, retry: false },
    wall_unavailable: { http: 503, rpc: -32020, retry: false },
    limit_unavailable: { http: 422, rpc: -32021, retry: false },
    sandbox_gone: { http: 410, rpc: -32022, retry: false },
    protocol_error: { http: 502, rpc: -32023, retry: false },
    internal: { http: 500, rpc: -32603, retry: false },
  });
});

it('exportedNames reads the export lists and declarations of an index file', () => {
  const source = `export { b, type C, d as e } from './a.ts';\nexport type { F } from './f.ts';\nexport {};\nexport const a = 1;`;
  expect(exportedNames(source)).toEqual(['a', 'b', 'e', 'type C', 'type F']);
});

/** The names an index file exports, types marked, sorted. */
function exportedNames(source: string): readonly string[] {
  const lists = [...source.matchAll(/^export\s+(type\s+)?\{([^}]*)\}/gm)].flatMap(([, type = '', list = '']) =>
    list
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '')
      .map((item) => (type === '' && !item.startsWith('type ') ? '' : 'type ') + item.replace(/^type\s+/, '').replace(/^.*\sas\s+/, '')),
  );
  const values = [...source.matchAll(/^export\s+(?:async\s+)?(?:const|function|class)\s+(\w+)/gm)].map(([, name = '']) => name);
  const types = [...source.matchAll(/^export\s+(?:interface|type)\s+(\w+)/gm)].map(([, name = '']) => `type ${name}`);
  return [...lists, ...values, ...types].toSorted();
}
