/** A server that has 5 bytes for everybody, in TLS, with a certificate of its own. */
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { makeCertificate } from '@warren/sandbox/certificate';

const server = createServer(makeCertificate(['127.0.0.1'], new Date()), (_request, response) => response.end('hello'));
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port)); // It listens on a port.
