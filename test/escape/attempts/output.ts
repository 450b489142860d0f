/** Output as a weapon: floods, frames within frames, and letters that do something to whoever reads them. */
import { isFault } from '@warren/protocol';
import { readAll } from '../arena.ts';
import { host, type Theme } from '../attempt.ts';
import { POISON } from './poison.ts';

const MIB = 1_048_576;

export const OUTPUT: Theme = {
  name: 'output',
  attempts: [
    host('output-flood', 'write output without end', ['output_limit'], 'refused by output', async (arena) => {
      await using sandbox = await arena.start();
      const { exit, stdout } = await arena.run(sandbox, ['/usr/bin/yes'], { outputBytesMax: MIB });
      return exit.kind === 'stopped' && stdout.length <= MIB ? `refused by ${exit.by}` : `succeeded ${stdout.length}`;
    }),
    host(
      'output-unread',
      'fill the memory of the host with output that nobody reads',
      ['output_limit'],
      'refused held back',
      async (arena) => {
        await using sandbox = await arena.start();
        const before = process.memoryUsage.rss();
        const command = sandbox.exec(['/usr/bin/yes']);
        await new Promise((resolve) => setTimeout(resolve, 300));
        const grown = process.memoryUsage.rss() - before;
        command.kill('SIGKILL', 'tree');
        const exit = await command.exit;
        const used = exit.kind === 'not_started' ? 0 : exit.usage.userCpuMs + exit.usage.systemCpuMs;
        return grown < 64 * MIB && used < 150 ? 'refused held back' : `succeeded ${grown} bytes, ${Math.round(used)} ms`;
      },
    ),
    host('output-frames', 'forge an exit by writing what looks like one', ['frames'], 'refused plain bytes', async (arena) => {
      await using sandbox = await arena.start();
      // length 36, type EXIT, channel 1, then "exited 0".
      const frame = `\\044\\000\\000\\000\\223\\000\\000\\000\\001\\000\\000\\000${'\\000'.repeat(36)}`;
      const { exit, stdout } = await arena.run(sandbox, ['/bin/sh', '-c', `printf '${frame}${frame}'; exit 7`]);
      return exit.kind === 'exited' && exit.code === 7 && stdout.length === 96
        ? 'refused plain bytes'
        : `succeeded ${exit.kind} ${stdout.length}`;
    }),
    host(
      'output-held-open',
      'have the host wait by leaving somebody with the output open',
      ['frames'],
      'refused not waited for',
      async (arena) => {
        await using sandbox = await arena.start();
        const startedAt = performance.now();
        const { exit } = await arena.run(sandbox, ['/bin/sh', '-c', 'sleep 60 & echo said']);
        const took = performance.now() - startedAt;
        return exit.kind === 'exited' && took < 15_000 ? 'refused not waited for' : `succeeded ${Math.round(took)} ms`;
      },
    ),
    host(
      'output-poisoned-path',
      'put terminal escapes into a message by the name of a file',
      ['plain_words'],
      'refused shown',
      async (arena) => {
        await using sandbox = await arena.start();
        return judgeMessage(() => readAll(sandbox.readFile(`/tmp/${POISON}`)));
      },
    ),
    host(
      'output-poisoned-program',
      'put terminal escapes into a message by the name of a program',
      ['plain_words'],
      'refused shown',
      async (arena) => {
        await using sandbox = await arena.start();
        return judgeMessage(() => sandbox.mkdir(`/proc/${POISON}/x`));
      },
    ),
    host(
      'output-poisoned-detail',
      'put terminal escapes into what an exit says of itself',
      ['plain_words'],
      'refused shown',
      async (arena) => {
        await using sandbox = await arena.start({ limits: { fileBytes: MIB } });
        const { exit } = await arena.run(sandbox, ['/bin/sh', '-c', 'exec head -c 3000000 /dev/zero > "/tmp/$POISON"'], {
          env: { POISON },
        });
        return exit.kind === 'stopped' ? judgeText(exit.detail) : `inconclusive ${exit.kind}`;
      },
    ),
  ],
};

async function judgeMessage(make: () => Promise<unknown>): Promise<string> {
  try {
    await make();
    return 'inconclusive no fault';
  } catch (error) {
    return isFault(error) ? judgeText(error.message) : `succeeded ${String(error)}`;
  }
}

function judgeText(text: string): string {
  return /[\u0000-\u001f\u007f-\u009f]/.test(text) ? `succeeded ${JSON.stringify(text)}` : 'refused shown';
}
