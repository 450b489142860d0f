/** What stands below `/api` and is no operation. */
import { jsonSchema, principal } from '@warren/protocol/contract';
import { ANY_CALL, type Responses } from './create-responses.ts';
import type { Shared } from './create-shared.ts';
import { READING } from './security.ts';

/** What may be answered before anybody looks at who asks. */
const AT_THE_DOOR = ['invalid_argument', 'permission_denied', 'internal'] as const;

export function besideOperations(responses: Responses, shared: Shared) {
  const session = {
    principal: shared.refer(jsonSchema(principal)),
    name: { type: ['string', 'null'] },
    role: { enum: ['viewer', 'approver', 'admin', null] },
    groups: { type: 'array', items: { type: 'string' } },
    csrf: { type: ['string', 'null'], description: 'What the header `warren-csrf` has to say with a cookie' },
  } as const;
  const signedIn = {
    ...session,
    ...{ token_id: { type: 'string' }, expires_at: { type: 'number' } },
    token: { type: 'string', description: 'Only when it was asked for' },
  } as const;
  const atTheDoor = responses.of(AT_THE_DOOR, false);
  return {
    '/api/health': {
      get: {
        operationId: 'health',
        summary: 'Says that the daemon answers; whoever asks',
        tags: ['daemon'],
        security: [],
        responses: {
          200: answer('It does', { status: { enum: ['ok', 'draining'] }, version: { type: 'string' } }),
          ...atTheDoor,
        },
      },
    },
    '/api/session': {
      post: {
        operationId: 'person.sign_in',
        summary: 'Signs somebody in by name and passphrase: with a cookie, or with a token in the answer',
        tags: ['person'],
        security: [],
        requestBody: { required: true, content: { 'application/json': { schema: SIGN_IN } } },
        responses: {
          200: answer('Who signed in, and until when', signedIn, ['token']),
          ...responses.of(ANY_CALL, true),
        },
      },
      get: {
        operationId: 'person.session',
        summary: 'Says who is calling',
        tags: ['person'],
        security: READING,
        responses: { 200: answer('Who it is', session), ...responses.of(ANY_CALL, false) },
      },
      delete: {
        operationId: 'person.sign_out',
        summary: 'Ends the session it comes with',
        tags: ['person'],
        responses: { 204: { description: 'It has ended' }, ...responses.of([...ANY_CALL, 'conflict'], false) },
      },
    },
    '/api/session/oidc': {
      get: {
        operationId: 'person.providers',
        summary: 'Lists whom people may sign in through, and where that begins; whoever asks',
        tags: ['person'],
        security: [],
        responses: { 200: answer('Their names and paths', { providers: PROVIDERS }), ...atTheDoor },
      },
    },
    '/api/openapi.json': {
      get: {
        operationId: 'openapi',
        summary: 'Answers with this document; whoever asks',
        tags: ['daemon'],
        security: [],
        responses: {
          200: { description: 'This document', content: { 'application/json': { schema: { type: 'object' } } } },
          ...atTheDoor,
        },
      },
    },
  };
}

const PROVIDERS = {
  type: 'array',
  items: { type: 'object', properties: { name: { type: 'string' }, path: { type: 'string' } }, required: ['name', 'path'] },
} as const;

const SIGN_IN = {
  type: 'object',
  required: ['name', 'passphrase'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', maxLength: 128 },
    passphrase: { type: 'string', maxLength: 1_024 },
    token: { type: 'boolean', default: false },
  },
} as const;

function answer(description: string, properties: Readonly<Record<string, object>>, optional: readonly string[] = []) {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { description, content: { 'application/json': { schema: { type: 'object', properties, required } } } };
}
