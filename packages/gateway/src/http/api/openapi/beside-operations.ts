/** What stands below `/api` and is no operation. */
const OBJECT = { 'application/json': { schema: { type: 'object' } } } as const;

export const BESIDE_OPERATIONS = {
  '/api/health': {
    get: {
      operationId: 'health',
      summary: 'Says that the daemon answers; whoever asks',
      tags: ['daemon'],
      security: [],
      responses: {
        200: {
          description: 'It does',
          content: {
            'application/json': {
              schema: {
                type: 'object',
                required: ['status', 'version'],
                properties: { status: { enum: ['ok', 'draining'] }, version: { type: 'string' } },
              },
            },
          },
        },
      },
    },
  },
  '/api/session': {
    post: {
      operationId: 'person.sign_in',
      summary: 'Signs somebody in by name and passphrase: with a cookie, or with a token in the answer',
      tags: ['person'],
      security: [],
      requestBody: {
        required: true,
        content: {
          'application/json': {
            schema: {
              type: 'object',
              required: ['name', 'passphrase'],
              additionalProperties: false,
              properties: {
                name: { type: 'string', maxLength: 128 },
                passphrase: { type: 'string', maxLength: 1_024 },
                token: { type: 'boolean', default: false },
              },
            },
          },
        },
      },
      responses: { 200: { description: 'Who signed in, until when, and what `warren-csrf` has to say', content: OBJECT } },
    },
    get: {
      operationId: 'person.session',
      summary: 'Says who is calling',
      tags: ['person'],
      responses: { 200: { description: 'Principal, name, role and groups, and what `warren-csrf` has to say', content: OBJECT } },
    },
    delete: {
      operationId: 'person.sign_out',
      summary: 'Ends the session it comes with',
      tags: ['person'],
      responses: { 204: { description: 'It has ended' } },
    },
  },
  '/api/session/oidc': {
    get: {
      operationId: 'person.providers',
      summary: 'Lists whom people may sign in through, and where that begins; whoever asks',
      tags: ['person'],
      security: [],
      responses: { 200: { description: 'The providers', content: OBJECT } },
    },
  },
  '/api/openapi.json': {
    get: {
      operationId: 'openapi',
      summary: 'Answers with this document; whoever asks',
      tags: ['daemon'],
      security: [],
      responses: { 200: { description: 'This document', content: OBJECT } },
    },
  },
} as const;
