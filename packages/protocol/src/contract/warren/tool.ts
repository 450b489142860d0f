/** `tool.*`: capabilities as functions that the interfaces of models take, and the calls that models make of them. Both in the place of an agent. */
import { z } from 'zod';
import { operation } from '../operation.ts';
import { callAnswer, callParams } from '../record/call.ts';
import { exportedTools, toolFormat } from '../record/tool.ts';
import { ANYONE } from '../scope.ts';
import { ON_WRITE } from '../store-faults.ts';
import { optional } from '../value/absent.ts';
import { JSON_BYTES_MAX, jsonObject } from '../value/json-object.ts';
import { word } from '../value/text.ts';

const { capability: _capability, input: _input, taint: _taint, ...howToCall } = callParams;

/** Who acts for the whole workspace says for which agent; a process and an agent are themselves. */
const agent = optional(word);

export const TOOL_OPERATIONS = {
  'tool.list': operation({
    summary:
      'Lists what an agent may call as functions of a model, in the format of one vendor; what is blocked or not granted is left out',
    tier: 'experimental',
    effect: 'read',
    scope: ANYONE,
    params: z.strictObject({ format: toolFormat, agent, category: optional(word) }),
    result: exportedTools,
    faults: ['unknown_pid', ...ON_WRITE],
  }),
  'tool.call': operation({
    summary: 'Calls a capability by its name as a function, with the arguments as the model gave them: an object, or its text',
    tier: 'experimental',
    effect: 'once',
    scope: ANYONE,
    params: z.strictObject({ name: word, arguments: optional(z.union([jsonObject, z.string().max(JSON_BYTES_MAX)])), agent, ...howToCall }),
    result: callAnswer,
    faults: ['unknown_pid', 'conflict', 'too_large', 'unavailable', ...ON_WRITE],
  }),
};
