import type { Question } from '../question.ts';
import type { Truth } from './truth.ts';

export type CompiledCondition = (question: Question) => Truth;
