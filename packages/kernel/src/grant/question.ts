/** Questions to a set of grants. Anything odd in a question makes the answer no. */
import type { GrantSet, PathMode } from '../store/tables/grant-table.ts';
import { HOST_PATTERNS, hostNamed } from './host-pattern.ts';
import { MODEL_PATTERNS, modelNamed } from './model-pattern.ts';
import { PATH_PATTERNS, pathNamed } from './path-pattern.ts';
import { hasOne } from './pattern-list.ts';
import { TOOL_PATTERNS, toolNamed } from './tool-pattern.ts';

export type Question =
  | { readonly kind: 'tool'; readonly tool: string }
  | { readonly kind: 'model'; readonly model: string }
  | { readonly kind: 'host'; readonly host: string; readonly port?: number | undefined }
  | { readonly kind: 'path'; readonly path: string; readonly mode: PathMode };

export function isAllowed(grants: GrantSet, question: Question): boolean {
  switch (question.kind) {
    case 'tool':
      return hasOne(TOOL_PATTERNS, grants.tools, toolNamed(question.tool));
    case 'model':
      return hasOne(MODEL_PATTERNS, grants.models, modelNamed(question.model));
    case 'host':
      return hasOne(HOST_PATTERNS, grants.hosts, hostNamed(question.host, question.port));
    case 'path':
      return hasOne(PATH_PATTERNS, grants.paths, pathNamed(question.path, question.mode));
  }
}
