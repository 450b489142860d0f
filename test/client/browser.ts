/** The client as a browser gets it: bundled under the conditions of browsers, run where only the web is. */
import { resolve } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { rolldown } from 'rolldown';
import type * as Browser from '../../packages/client/src/browser.ts';
import { ROOT } from '../boundaries/read-tree.ts';

/** One script that says `client`. */
export async function bundleForBrowsers(
  entry = resolve(ROOT, 'packages/client/src/browser.ts'),
): Promise<{ readonly code: string; readonly imports: readonly string[] }> {
  const bundle = await rolldown({
    cwd: ROOT,
    input: entry,
    platform: 'browser',
    external: [/^node:/],
    resolve: { conditionNames: ['warren-source', 'browser', 'import', 'default'] },
    logLevel: 'silent',
  });
  const { output } = await bundle.generate({ format: 'cjs' });
  await bundle.close();
  const [chunk] = output;
  return { code: chunk.code, imports: [...chunk.imports, ...chunk.dynamicImports] };
}

/** What every browser has and the client may use; what Node adds is not there. */
const WEB = {
  ...{ fetch, Headers, Request, Response, ReadableStream, TextDecoder, TextEncoder, URL, URLSearchParams },
  ...{ AbortController, AbortSignal, DOMException, setTimeout, clearTimeout },
};

/** `others` stand in for what the web has. */
export function runAsInBrowser(code: string, others: Readonly<Record<string, unknown>> = {}): typeof Browser {
  const module = { exports: {} };
  runInContext(code, createContext({ ...WEB, ...others, module, exports: module.exports }));
  return module.exports as typeof Browser; // That is what the entry exports.
}
