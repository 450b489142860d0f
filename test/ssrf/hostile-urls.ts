/**
 * URLs by which an agent, or a page it reads, would reach this machine or its network. `port` is where a server listens on every local address, so that
 * each of them would be answered if it were let through.
 */

/** Of each kind of special IPv4 address. */
export const PRIVATE_IPV4 = [
  ...['127.0.0.1', '127.1.2.3', '127.255.255.254', '0.0.0.0', '0.1.2.3', '10.0.0.1', '10.255.255.255', '100.64.0.1', '100.127.255.254'],
  ...[
    '169.254.169.254',
    '169.254.0.1',
    '169.254.170.2',
    '172.16.0.1',
    '172.31.255.254',
    '192.0.0.1',
    '192.0.0.170',
    '192.0.0.192',
    '192.0.2.1',
  ],
  ...['192.31.196.1', '192.52.193.1', '192.88.99.1', '192.168.0.1', '192.168.255.254', '192.175.48.1', '198.18.0.1', '198.19.255.254'],
  ...['198.51.100.1', '203.0.113.1', '224.0.0.1', '239.255.255.250', '240.0.0.1', '255.255.255.255', '100.100.100.200', '168.63.129.16'],
] as const;

const PRIVATE_IPV6 = [
  ...['::', '::1', '0:0:0:0:0:0:0:1', '0000:0000:0000:0000:0000:0000:0000:0001', '::0:1', '::2', '100::1', '100:0:0:1::1', '64:ff9b:1::1'],
  ...['2001::1', '2001:1::1', '2001:2::1', '2001:3::1', '2001:4:112::1', '2001:10::1', '2001:20::1', '2001:30::1', '2001:1ff:ffff::1'],
  ...['2001:db8::1', '2001:DB8::1', '2620:4f:8000::1', '3fff::1', '3fff:fff:ffff::1', '5f00::1', 'fc00::1', 'fd00::1', 'fd00:ec2::254'],
  ...['fd20:ce::254', 'fe80::1', 'febf::1', 'fec0::1', 'feff::1', 'ff02::1', 'ff0e::1', '4000::1', '8000::1', 'e000::1', '1::1', '200::1'],
] as const;

/** An IPv4 address inside an IPv6 one, in each way there is. */
function embedded(address: string): readonly string[] {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  const hex = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  return [
    ...[`::ffff:${address}`, `::ffff:${hex}`, `::FFFF:${hex}`, `0:0:0:0:0:ffff:${hex}`, `::${hex}`, `::${address}`, `::ffff:0:${hex}`],
    ...[`64:ff9b::${hex}`, `64:ff9b::${address}`, `64:ff9b:1::${hex}`, `2002:${hex}::`, `2002:${hex}::1`, `2001:0:${hex}::1`],
    ...[`2001::${hex}`, `fe80::5efe:${hex}`, `2600::5efe:${hex}`, `2600::200:5efe:${hex}`, `2600:1:2:3:0:5efe:${hex}`],
  ];
}

/** An IPv4 address in the spellings that C libraries and URL parsers take. */
function spelled(address: string): readonly string[] {
  const parts = address.split('.').map(Number);
  const [a = 0, b = 0, c = 0, d = 0] = parts;
  const whole = ((a * 256 + b) * 256 + c) * 256 + d;
  const octal = (value: number): string => `0${value.toString(8)}`;
  const hex = (value: number): string => `0x${value.toString(16)}`;
  return [
    ...[
      String(whole),
      hex(whole),
      octal(whole),
      hex(whole).toUpperCase(),
      `0x${whole.toString(16).padStart(16, '0')}`,
      `00000${octal(whole)}`,
    ],
    ...[parts.map(octal).join('.'), parts.map(hex).join('.'), parts.map((part) => part.toString().padStart(4, '0')).join('.')],
    ...[
      `${a}.${(b * 256 + c) * 256 + d}`,
      `${a}.${b}.${c * 256 + d}`,
      `${hex(a)}.${(b * 256 + c) * 256 + d}`,
      `${octal(a)}.${b}.${hex(c)}.${d}`,
    ],
    ...[
      `${address}.`,
      `${whole}.`,
      `${a}.${b}.${c}.${hex(d)}`,
      encoded(address),
      address.replaceAll('.', '%2e'),
      address.replaceAll('.', '。'),
    ],
    ...[address.replaceAll('.', '．'), address.replaceAll('.', '｡'), fullWidth(address), circled(address), fullWidth(String(whole))],
  ];
}

const LOCAL_NAMES = [
  ...[
    'localhost',
    'LOCALHOST',
    'LocalHost',
    'localhost.',
    'a.localhost',
    'a.b.localhost',
    'A.LOCALHOST',
    'localhost.localdomain',
    'localhost6',
  ],
  ...[
    'ip6-localhost',
    'ip6-loopback',
    'ⓛⓞⓒⓐⓛⓗⓞⓢⓣ',
    'ｌｏｃａｌｈｏｓｔ',
    'local\u00adhost',
    'loc\u200balhost',
    'ℒocalhost',
    'localho\u017ft',
    '%6cocalhost',
  ],
  ...[
    'localhost%00',
    'localhost%2e',
    'localhost%20',
    'localhost。',
    'metadata.google.internal',
    'METADATA.GOOGLE.INTERNAL',
    'metadata.goog',
  ],
] as const;

/** `names` are names whose DNS answers hold addresses that are not public. */
export function hostileUrls(port: number, names: readonly string[]): readonly string[] {
  const at = (host: string): string => `http://${host}:${port}/`;
  return [
    ...new Set([
      ...PRIVATE_IPV4.flatMap((address) => [at(address), `https://${address}:${port}/x?y=z`]),
      ...['127.0.0.1', '10.0.0.1', '169.254.169.254', '192.168.0.1'].flatMap(spelled).map(at),
      ...PRIVATE_IPV6.map((address) => at(`[${address}]`)),
      ...['127.0.0.1', '169.254.169.254', '10.0.0.1', '8.8.8.8'].flatMap(embedded).map((address) => at(`[${address}]`)),
      ...LOCAL_NAMES.map(at),
      ...names.flatMap((name) => [at(name), `https://${name}:${port}/`, at(name.toUpperCase())]),
      ...confusing(port),
      ...misshapen(port),
    ]),
  ];
}

/** Where one parser sees one host and another one a different one. */
function confusing(port: number): readonly string[] {
  const local = `127.0.0.1:${port}`;
  return [
    ...[
      `http://public.test@${local}/`,
      `http://public.test:80@${local}/`,
      `http://a:b@${local}/`,
      `http://@${local}/`,
      `http://:@${local}/`,
    ],
    ...[`http://${local}@public.test/`, `http://${local}#@public.test/`, `http://${local}?@public.test/`, `http://${local}\\@public.test/`],
    ...[
      `http://public.test\\@${local}/`,
      `http://public.test#@${local}:x/\\`,
      `http://public.test%40${local}/`,
      `http://public.test%00@${local}/`,
    ],
    ...[
      `http:\\\\${local}\\`,
      `http:/\\${local}/`,
      `http:${local}/`,
      `http:/${local}/`,
      `http:///${local}/`,
      `http:////${local}/`,
      `https:${local}/`,
    ],
    ...[`//${local}/`, `\\\\${local}\\`, `///${local}`, `${local}/`, `/${local}/`, `http://${local}\\.public.test/`, `http://\\${local}/`],
    ...[
      `http://public.test;${local}/`,
      `http://public.test,${local}/`,
      `http://public.test&@${local}#@public.test/`,
      `http://[public.test]@${local}/`,
    ],
    ...[
      `http://[::1%25lo]:${port}/`,
      `http://[fe80::1%25eth0]:${port}/`,
      `http://[::1%lo]:${port}/`,
      `http://[::1]%25:${port}/`,
      `http://[v1.::1]:${port}/`,
    ],
    ...[
      `http://[::1]public.test:${port}/`,
      `http://public.test[::1]:${port}/`,
      `http://[[::1]]:${port}/`,
      `http://::1:${port}/`,
      `http://[127.0.0.1]:${port}/`,
    ],
    ...[
      `http://[::1:${port}/`,
      `http://::1]:${port}/`,
      `http://[::ffff:127.0.0.1.]:${port}/`,
      `http://[::ffff:0x7f.0.0.1]:${port}/`,
      `http://[::127.1]:${port}/`,
    ],
    ...[
      ` http://${local}/`,
      `http://${local}/ `,
      `ht\ttp://${local}/`,
      `http://127.0\t.0.1:${port}/`,
      `http://127.0.0.1\n:${port}/`,
      `\u0000http://${local}/`,
    ],
    ...[
      `http://127.0.0.1\r\nHost: public.test\r\n:${port}/`,
      `http://${local}/\r\nX: y`,
      `http://${local}/\u2028`,
      `http://\u202e${local}/`,
      `\ufeffhttp://${local}/`,
    ],
    ...[
      `http://127.0.0.1%20:${port}/`,
      `http://127.0.0.1%09:${port}/`,
      `http://127.0.0.1%23:${port}/`,
      `http://127.0.0.1%2f:${port}/`,
      `http://127.0.0.1%5c:${port}/`,
    ],
  ];
}

/** Other schemes, ports that are none, hosts that are none. */
function misshapen(port: number): readonly string[] {
  const local = `127.0.0.1:${port}`;
  const schemes = [
    'file',
    'ftp',
    'gopher',
    'dict',
    'ldap',
    'ldaps',
    'tftp',
    'sftp',
    'ssh',
    'telnet',
    'smb',
    'jar',
    'netdoc',
    'ws',
    'wss',
    'unix',
    'blob',
    'view-source',
  ];
  return [
    ...schemes.map((scheme) => `${scheme}://${local}/`),
    ...[
      'file:///etc/passwd',
      'file://localhost/etc/passwd',
      'data:text/plain,x',
      'javascript:alert(1)',
      'about:blank',
      `blob:http://${local}/x`,
    ],
    ...[
      `http+unix://%2fvar%2frun%2fdocker.sock/`,
      `HTTP+UNIX://x/`,
      `http2://${local}/`,
      `httpss://${local}/`,
      `hhttp://${local}/`,
      `url:http://${local}/`,
    ],
    ...[
      'http://',
      'https://',
      'http://:80/',
      `http://:${port}/`,
      'http:///',
      'http://?',
      'http://#',
      'http://.',
      'http://..',
      'http://.../',
      '',
      'http',
    ],
    ...[
      'http://public.test:0/',
      'http://public.test:00/',
      'http://public.test:65536/',
      'http://public.test:99999999/',
      'http://public.test:-1/',
    ],
    ...[
      'http://public.test:+80/',
      'http://public.test:8 0/',
      'http://public.test:0x50/',
      'http://public.test:80:80/',
      'http://public.test:/',
      'http://public.test:８０/',
    ],
    ...[
      'http://public.test:22/',
      'http://public.test:25/',
      'http://public.test:6379/',
      'http://public.test:11211/',
      'http://public.test:2049/',
      'https://public.test:465/',
    ],
    ...[
      'http://a..test/',
      'http://.test/',
      `http://${'a'.repeat(64)}.test/`,
      `http://${'a.'.repeat(130)}test/`,
      'http://-%/',
      'http://a b.test/',
      'http://a_.test!/',
    ],
    ...['http://xn--/', 'http://256.256.256.256/', 'http://1.2.3.4.5/', 'http://127.0.0.1.5/', 'http://4294967296/', 'http://-1/'],
    ...[
      'http://127.0.0.256/',
      'http://a.1/',
      'http://09.0.0.1/',
      `http://${'1'.repeat(400)}/`,
      `http://${local}/${'a'.repeat(20_000)}`,
      'http://$(hostname)/',
      'http://*/',
      'http://a*b.test/',
    ],
  ];
}

function encoded(text: string): string {
  return [...text].map((letter) => `%${letter.charCodeAt(0).toString(16)}`).join('');
}

function fullWidth(text: string): string {
  return text.replace(/[0-9]/g, (digit) => String.fromCodePoint(0xff10 + Number(digit)));
}

function circled(text: string): string {
  return text.replace(/[0-9]/g, (digit) => (digit === '0' ? '⓪' : String.fromCodePoint(0x2460 + Number(digit) - 1)));
}
