/** What nobody who means well sends. */
import { Fields, type Json, Raw } from './json-text.ts';

/** Long enough for every bound of a word; a text may be longer. */
const LONG = 'x'.repeat(5_000);

export const HOSTILE_TEXTS: readonly string[] = [
  ...['', ' ', '\0', 'a\0b', '\ud800', 'a\udfff', '\ufffe', '\ufeff', '\u202e', '\u2028', '\r\nset-cookie: a=b', '\u001b[31m'],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'valueOf', 'then', 'length'],
  ...['../../../../etc/passwd', '/etc/passwd', '..', '.', '/', '//', 'C:\\', 'file:///etc/passwd', '%00', '%2e%2e%2f', '~'],
  ...["' OR 1=1 --", '"; DROP TABLE events; --', '%', '_', '*', '?', '[', '(', '(a+)+$', '\\', '{{7*7}}', '$(id)', '`id`'],
  ...[
    'null',

    'NaN',
    'true',
    '0',
    '-1',
    '-0',
    '1e400',
    '0x10',
    '1_000',
    '9007199254740993',
    '١',
    'ﬀ',
    'İ',
    'e\u0301',
    '👩‍👩‍👧‍👦',
  ],
  ...[LONG, '👩'.repeat(2_048), '/a'.repeat(1_000), '.'.repeat(4_097)],
];

/** A wait of these is refused or over at once. */
export const HOSTILE_NUMBERS: readonly Json[] = [
  ...[0, -0, -1, 1, 0.5, -0.5, 1e-320, 2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 2 ** 63, 1e21, 1.7976931348623157e308],
  ...['1e400', '-1e400', '9007199254740993', '18446744073709551616', '0.1e1', '1E0', '-0.0', '9'.repeat(400)].map((text) => new Raw(text)),
];

const ODD_OBJECTS: readonly Json[] = [
  new Fields([]),
  new Fields([['__proto__', new Fields([['isAdmin', true]])]]),
  new Fields([['constructor', new Fields([['prototype', new Fields([['isAdmin', true]])]])]]),
  new Fields([['toString', null]]),
  new Fields([['toJSON', 'x']]),
  new Fields([['then', 'x']]),
  new Fields([
    ['a', 1],
    ['a', 2],
  ]),
];

export const HOSTILE_VALUES: readonly Json[] = [
  ...HOSTILE_TEXTS,
  ...HOSTILE_NUMBERS,
  ...ODD_OBJECTS,
  ...[null, true, false, [], [[]], [null], ['']],
  new Raw('['.repeat(60) + ']'.repeat(60)),
  new Raw(`${'{"a":'.repeat(30)}1${'}'.repeat(30)}`),
  new Raw(`[${'0,'.repeat(3_000)}0]`),
];

export const HOSTILE_BODIES: readonly (string | Uint8Array)[] = [
  ...[
    '',
    ' ',
    'null',
    'true',
    '0',
    '"x"',
    '[]',
    '[{}]',
    '{',
    '{"a"',
    '{"a":',
    '{"a":1,}',
    '{,}',
    "{'a':1}",
    '{a:1}',
    '{}{}',
    '{} x',
    '//',
    '\0',
  ],
  ...['NaN', '-', '01', '1e400', '"\\ud800"', '"\\x"', '{"__proto__":{"pid":1}}', '{"\\u0000":1}', '\ufeff{}', '[1', ']', '}'],
  ...['['.repeat(100_000), '{"a":'.repeat(100_000), `${'['.repeat(300)}${']'.repeat(300)}`, `{"a":"${'\\"'.repeat(50_000)}"}`],
  ...[`{"a":[${'0,'.repeat(100_000)}0]}`, `{${Array.from({ length: 5_000 }, (_, at) => `"k${at}":${at}`).join(',')}}`],
  ...[new Uint8Array([0xff, 0xfe, 0x7b, 0x7d]), new Uint8Array([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d])],
  new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]),
];

export const HOSTILE_TYPES: readonly (string | undefined)[] = [
  ...[undefined, '', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonx', 'json'],
  ...['application/json; charset=utf-16', 'application/json;', 'APPLICATION/JSON', 'application/problem+json', '*/*', 'text/json'],
];

/** What HTTP can carry in a header. */
export const HOSTILE_HEADERS: readonly string[] = [
  ...[
    '',
    ' ',
    '__proto__',
    'constructor',
    '../..',
    '*',
    '%00',
    "' OR 1=1 --",
    'x'.repeat(2_000),
    '\u00ff',
    'a, b',
    '"',
    '{}',
    '-1',
    '1e400',
  ],
];
