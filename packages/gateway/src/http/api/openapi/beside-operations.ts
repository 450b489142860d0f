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
