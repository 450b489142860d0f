/** What is wrong with a condition. Whatever passes can be compiled, and answers in bounded time. */
import { splitPort } from '@warren/protocol';
import { RE2JS } from 're2js';
import type { JsonValue } from '../../internal/json.ts';
import { localTimes } from '../condition/local-time.ts';
import type {
  CommandCondition,
  Condition,
  HostCondition,
  NumberCondition,
  PathCondition,
  TimeCondition,
  ValueCondition,
} from '../policy.ts';
import {
  CONDITION_DEPTH_MAX,
  CONDITIONS_MAX,
  CONTAINS_LENGTH_MAX,
  LIST_MAX,
  REGEX_LENGTH_MAX,
  REGEX_PROGRAM_MAX,
  VALUE_DEPTH_MAX,
} from '../policy-bounds.ts';
import { isCanonicalHost, isCanonicalPath, isPlainText, quoted } from './check-text.ts';

type Tell = (message: string) => void;
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** Messages name the place in the condition, as `when.not.path.under`. Empty when nothing is wrong. */
export function problemsOfCondition(condition: Condition): readonly string[] {
  const problems: string[] = [];
  const budget = { left: CONDITIONS_MAX };
  checkAll(condition, 'when', 1, budget, (message) => problems.push(message));
  return problems;
}

function checkAll(condition: Condition, at: string, depth: number, budget: { left: number }, tell: Tell): void {
  budget.left -= 1 + Object.keys(condition.args ?? {}).length;
  if (depth > CONDITION_DEPTH_MAX) tell(`${at} is nested deeper than ${CONDITION_DEPTH_MAX}`);
  else if (budget.left < 0) tell(`${at} is one condition too many, the limit is ${CONDITIONS_MAX}`);
  else checkParts(condition, at, depth, budget, tell);
}

function checkParts(condition: Condition, at: string, depth: number, budget: { left: number }, tell: Tell): void {
  if (depth > 1) checkSaysSomething(condition, at, tell);
  if (condition.path !== undefined) checkPath(condition.path, `${at}.path`, tell);
  if (condition.host !== undefined) checkHost(condition.host, `${at}.host`, tell);
  if (condition.command !== undefined) checkCommand(condition.command, `${at}.command`, tell);
  if (condition.size !== undefined) checkSize(condition.size, `${at}.size`, tell);
  for (const [place, value] of Object.entries(condition.args ?? {})) checkArgument(place, value, `${at}.args[${quoted(place)}]`, tell);
  if (condition.taint !== undefined) checkTaint(condition.taint, `${at}.taint`, tell);
  if (condition.time !== undefined) checkTime(condition.time, `${at}.time`, tell);
  if (condition.not !== undefined) checkAll(condition.not, `${at}.not`, depth + 1, budget, tell);
  if (condition.any !== undefined && checkList(condition.any, `${at}.any`, tell)) {
    for (const [index, each] of condition.any.entries()) checkAll(each, `${at}.any[${index}]`, depth + 1, budget, tell);
  }
}

function checkSaysSomething(part: object, at: string, tell: Tell): void {
  if (Object.values(part).every((value) => value === undefined)) tell(`${at} says nothing`);
}

function checkPath(condition: PathCondition, at: string, tell: Tell): void {
  checkSaysSomething(condition, at, tell);
  for (const part of ['under', 'notUnder', 'glob'] as const) {
    for (const path of listAt(condition[part], `${at}.${part}`, tell)) {
      if (!isCanonicalPath(path))
        tell(`${at}.${part} has ${quoted(path)}, which is no absolute path without ".", ".." and doubled or final slashes`);
      else if (part === 'glob' && path.split('/').some((name) => name.includes('**') && name !== '**')) {
        tell(`${at}.${part} has ${quoted(path)}, where "**" is not a whole name`);
      } else if (part !== 'glob' && path.includes('*')) tell(`${at}.${part} has ${quoted(path)}: patterns stand in "glob"`);
    }
  }
  if (condition.mode !== undefined && condition.mode !== 'r' && condition.mode !== 'rw')
    tell(`${at}.mode is ${quoted(condition.mode)}, neither "r" nor "rw"`);
}

function checkHost(condition: HostCondition, at: string, tell: Tell): void {
  checkSaysSomething(condition, at, tell);
  for (const part of ['matches', 'notMatches'] as const) {
    for (const pattern of listAt(condition[part], `${at}.${part}`, tell)) {
      if (!isHostPattern(pattern)) {
        tell(
          `${at}.${part} has ${quoted(pattern)}, which is no host in lower case, "*.domain", "**.domain" (a domain is two labels or more) or "*"`,
        );
      }
    }
  }
}

function isHostPattern(pattern: unknown): boolean {
  if (!isPlainText(pattern)) return false;
  const { host, port } = splitPort(pattern);
  if (port !== undefined && port > 65_535) return false;
  if (host === '*') return true;
  const domain = /^\*{1,2}\.(.*)$/.exec(host)?.[1];
  if (domain === undefined) return isCanonicalHost(host);
  return isCanonicalHost(domain) && domain.includes('.') && !domain.startsWith('[') && !/(?:^|\.)[0-9]+$/.test(domain);
}

function checkCommand(condition: CommandCondition, at: string, tell: Tell): void {
  checkSaysSomething(condition, at, tell);
  for (const program of listAt(condition.program, `${at}.program`, tell)) {
    if (!isPlainText(program)) tell(`${at}.program has ${quoted(program)}, which is no name`);
    else if (program.includes('/')) tell(`${at}.program has ${quoted(program)}: a program is named without directories`);
  }
  for (const [index, words] of listAt(condition.prefix, `${at}.prefix`, tell).entries()) {
    for (const word of listAt(words, `${at}.prefix[${index}]`, tell)) {
      if (typeof word !== 'string' || word.includes('\0'))
        tell(`${at}.prefix[${index}] has ${quoted(word)}, which is no word of a command`);
    }
  }
}

function checkSize(condition: NumberCondition, at: string, tell: Tell): void {
  checkSaysSomething(condition, at, tell);
  checkNumbers(condition, at, tell);
}

function checkNumbers(condition: NumberCondition, at: string, tell: Tell): void {
  for (const part of ['lt', 'lte', 'gt', 'gte'] as const) {
    const bound = condition[part];
    if (bound !== undefined && !Number.isFinite(bound)) tell(`${at}.${part} is ${quoted(bound)}, no number`);
  }
  const most = Math.min(condition.lt ?? Number.POSITIVE_INFINITY, condition.lte ?? Number.POSITIVE_INFINITY);
  const least = Math.max(condition.gt ?? Number.NEGATIVE_INFINITY, condition.gte ?? Number.NEGATIVE_INFINITY);
  const isOpenEnded = condition.lt === most || condition.gt === least;
  if (most < least || (most === least && isOpenEnded)) tell(`${at} holds for no number`);
}

function checkArgument(place: string, condition: ValueCondition, at: string, tell: Tell): void {
  checkSaysSomething(condition, at, tell);
  if (place !== '' && (!isPlainText(place) || place.split('.').includes(''))) tell(`${at} names no place`);
  const { equals, regex, contains } = condition;
  checkNumbers(condition, at, tell);
  if (equals !== undefined && !isBoundedValue(equals)) tell(`${at}.equals is nested deeper than ${VALUE_DEPTH_MAX} or too large`);
  for (const part of ['in', 'notIn'] as const) {
    for (const value of listAt(condition[part], `${at}.${part}`, tell)) {
      if (!isBoundedValue(value)) tell(`${at}.${part} has a value nested deeper than ${VALUE_DEPTH_MAX} or too large`);
    }
  }
  for (const part of ['startsWith', 'endsWith', 'contains'] as const) {
    const text = condition[part];
    if (text !== undefined && (typeof text !== 'string' || text === '')) tell(`${at}.${part} is ${quoted(text)}, not a text`);
  }
  if (contains !== undefined && contains.length > CONTAINS_LENGTH_MAX)
    tell(`${at}.contains has ${contains.length} characters, the limit is ${CONTAINS_LENGTH_MAX}`);
  if (regex !== undefined) checkRegex(regex, `${at}.regex`, tell);
}

function isBoundedValue(value: JsonValue, depth = 1): boolean {
  if (typeof value === 'string') return value.length <= 65_536;
  if (typeof value !== 'object' || value === null) return true;
  const inner: readonly JsonValue[] = Array.isArray(value) ? value : Object.values(value);
  return depth <= VALUE_DEPTH_MAX && inner.length <= LIST_MAX && inner.every((each) => isBoundedValue(each, depth + 1));
}

function checkRegex(regex: string, at: string, tell: Tell): void {
  if (typeof regex !== 'string' || regex === '') tell(`${at} is ${quoted(regex)}, not a text`);
  else if (regex.length > REGEX_LENGTH_MAX) tell(`${at} has ${regex.length} characters, the limit is ${REGEX_LENGTH_MAX}`);
  else checkProgram(regex, at, tell);
}

function checkProgram(regex: string, at: string, tell: Tell): void {
  try {
    const size = RE2JS.compile(regex).programSize();
    if (size > REGEX_PROGRAM_MAX) tell(`${at} takes ${size} instructions, the limit is ${REGEX_PROGRAM_MAX}`);
  } catch (error) {
    tell(
      `${at} is no regular expression without back references and look around: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

function checkTaint({ any, none }: NonNullable<Condition['taint']>, at: string, tell: Tell): void {
  checkSaysSomething({ any, none }, at, tell);
  for (const label of [...listAt(any, `${at}.any`, tell), ...listAt(none, `${at}.none`, tell)]) {
    if (!isPlainText(label, 128)) tell(`${at} has ${quoted(label)}, which is no label`);
  }
}

function checkTime({ zone, days, from, to }: TimeCondition, at: string, tell: Tell): void {
  checkSaysSomething({ days, from, to }, at, tell);
  if (zone !== undefined && !isZone(zone)) tell(`${at}.zone is ${quoted(zone)}, which is no time zone`);
  for (const day of listAt(days, `${at}.days`, tell)) if (!DAYS.includes(day)) tell(`${at}.days has ${quoted(day)}, which is no day`);
  if (from !== undefined && !isTimeOfDay(from)) tell(`${at}.from is ${quoted(from)}, no time as "09:30"`);
  if (to !== undefined && to !== '24:00' && !isTimeOfDay(to)) tell(`${at}.to is ${quoted(to)}, no time as "17:30"`);
  if ((from ?? '00:00') === to) tell(`${at} is a window of no length`);
}

function isZone(zone: unknown): boolean {
  if (typeof zone !== 'string' || !/^[A-Z][A-Za-z0-9_+/-]{0,63}$/i.test(zone)) return false;
  try {
    localTimes(zone);
    return true;
  } catch {
    return false; // Says only that there is no such zone.
  }
}

function isTimeOfDay(text: unknown): boolean {
  return typeof text === 'string' && /^(?:[01][0-9]|2[0-3]):[0-5][0-9]$/.test(text);
}

function listAt<Value>(list: readonly Value[] | undefined, at: string, tell: Tell): readonly Value[] {
  return list !== undefined && checkList(list, at, tell) ? list : [];
}

function checkList(list: readonly unknown[], at: string, tell: Tell): boolean {
  if (Array.isArray(list) && list.length > 0 && list.length <= LIST_MAX) return true;
  tell(Array.isArray(list) && list.length > 0 ? `${at} has ${list.length} entries, the limit is ${LIST_MAX}` : `${at} is an empty list`);
  return false;
}
