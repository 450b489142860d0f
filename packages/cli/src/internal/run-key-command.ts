/** What a program of the operator prints: the key of the vault. It is started without a shell and gets no input. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const OUTPUT_BYTES_MAX = 65_536;
/** Some ask a device that somebody has to touch. */
const PATIENCE_MS = 60_000;

/** Throws without what it printed. */
export async function runKeyCommand([program = '', ...args]: readonly string[]): Promise<Uint8Array> {
  try {
    const running = promisify(execFile)(program, args, { encoding: 'buffer', maxBuffer: OUTPUT_BYTES_MAX, timeout: PATIENCE_MS });
    running.child.stdin?.end();
    return (await running).stdout;
  } catch (error) {
    const { code, killed } = error as { readonly code?: unknown; readonly killed?: boolean }; // What execFile throws.
    throw new Error(killed === true ? `it does not end within ${PATIENCE_MS / 1_000} s` : `it fails: ${String(code)}`); // Without the cause: it holds what was printed.
  }
}
