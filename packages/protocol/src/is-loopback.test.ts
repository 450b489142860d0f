import { expect, it } from 'vitest';
import { isLoopback } from './is-loopback.ts';

it.each(['127.0.0.1', '127.255.0.9', 'localhost', 'LOCALHOST', '::1', '[::1]', '::ffff:127.0.0.1'])(
  'what is sent to %s stays here',
  (host) => {
    expect(isLoopback(host)).toBe(true);
  },
);

it.each([
  ...['0.0.0.0', '::', '10.0.0.1', '127.example.com', '127.0.0.1.example.com', '127.1', '127.0.0.256', '127.0.0.01'],
  ...['::ffff:10.0.0.1', 'localhost.example', '[127.0.0.1].example', ''],
])('what is sent to %j may not', (host) => {
  expect(isLoopback(host)).toBe(false);
});
