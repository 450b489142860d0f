/** Git over HTTP as hosts of code offer it: git's own backend behind Basic credentials. */
import { spawn } from 'node:child_process';
import type { RequestListener } from 'node:http';

/** `authorization`: what a request has to say to be let in. */
export function gitServer(root: string, authorization: string): RequestListener {
  return (request, response) => {
    if (request.headers.authorization !== authorization) {
      request.resume();
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end();
      return;
    }
    const { pathname, search } = new URL(request.url ?? '/', 'http://x');
    const header = (name: string): string => String(request.headers[name] ?? '');
    const backend = spawn('git', ['-c', 'http.receivepack=true', 'http-backend'], {
      env: {
        PATH: process.env['PATH'] ?? '',
        GIT_PROJECT_ROOT: root,
        GIT_HTTP_EXPORT_ALL: '1',
        PATH_INFO: pathname,
        QUERY_STRING: search.slice(1),
        REQUEST_METHOD: request.method ?? '',
        CONTENT_TYPE: header('content-type'),
        CONTENT_LENGTH: header('content-length'),
        HTTP_CONTENT_ENCODING: header('content-encoding'),
        HTTP_GIT_PROTOCOL: header('git-protocol'),
        REMOTE_USER: 'user',
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'safe.directory',
        GIT_CONFIG_VALUE_0: '*',
      },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    request.pipe(backend.stdin);
    backend.stdin.on('error', () => {}); // It has read enough.
    let head = '';
    backend.stdout.on('data', (chunk: Buffer) => {
      if (response.headersSent) {
        response.write(chunk);
        return;
      }
      head += chunk.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      const lines = head.slice(0, end).split('\r\n');
      const status = lines.find((line) => /^status:/i.test(line))?.slice('status:'.length);
      const headers = lines
        .filter((line) => !/^status:/i.test(line))
        .flatMap((line) => [line.split(':', 1)[0] ?? '', line.slice(line.indexOf(':') + 1).trim()]);
      response.writeHead(Number(status?.trim().split(' ')[0] ?? 200), headers);
      response.write(Buffer.from(head.slice(end + 4), 'latin1'));
    });
    backend.stdout.on('end', () => response.end());
  };
}
