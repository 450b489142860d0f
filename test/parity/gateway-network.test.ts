import { expect } from 'vitest';
import { LocalServer, shareAgents } from './agents.ts';
import { provesGate } from './proves-gate.ts';

const agents = shareAgents();

provesGate('network:not-allowed', async () => {
  const agent = await agents().agent({ hosts: ['api.example.org'] });
  // Such a name is nowhere, so a look-up would have been another error.
  const answer = await agent.ask('network.http_request', { url: 'http://nowhere.invalid/' });
  expect(answer).toMatchObject({
    kind: 'failed',
    error: { type: 'DomainNotAllowed', context: { missing: { kind: 'host', host: 'nowhere.invalid' } } },
  });
  const granted = await agents().agent({ hosts: ['nowhere.invalid'] });
  expect(await granted.errorOf('network.http_request', { url: 'http://nowhere.invalid/' })).toBe('RequestFailed');
});

provesGate('network:private', async () => {
  await using server = await LocalServer.start((_, response) => response.end('inside'));
  const agent = await agents().agent({ hosts: ['*'] });
  for (const host of ['localhost', '127.0.0.1', '169.254.169.254', '[::1]', '[::ffff:127.0.0.1]', '2130706433', '0x7f.1']) {
    const answer = await agent.ask('network.http_request', { url: `http://${host}:${server.port}/` });
    expect(answer, host).toMatchObject({ kind: 'failed', error: { type: expect.stringMatching(/^(DomainNotAllowed|InvalidUrl)$/) } });
  }
  expect(server.asked).toEqual([]);
});
