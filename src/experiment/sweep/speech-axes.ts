import { SctError } from '../../common/errors.ts';
import { speechKind } from '../speech/speech-words.ts';
import { type AxisIssue, listOf, MAX_VALUES, numbersOf, tooMany, withoutName } from './axes.ts';
import type { SpeechSetting } from './point.ts';

/** What a sweep's file says of speech, as `sct speech` has it: the words of its flags, and what they set. */
const RANGES = {
  priority: { key: 'priority', least: 2 ** -10, most: 2 ** 10, whole: false },
  symbols: { key: 'symbols', least: 1, most: 2 ** 26, whole: false },
  'max-speech-sfvs': { key: 'maxSfvs', least: 1, most: 255, whole: true },
} as const;

export const SPEECH_AXIS_NAMES = ['kind', ...(Object.keys(RANGES) as (keyof typeof RANGES)[])] as const;
export type SpeechAxisName = (typeof SPEECH_AXIS_NAMES)[number];

/** The values that a sweep's file gives to a word of speech, or the first thing wrong with them. */
export function speechAxisValues(name: SpeechAxisName, raw: unknown): readonly SpeechSetting[] | AxisIssue {
  const { items, listed } = listOf(raw);
  if (items.length < 1 || items.length > MAX_VALUES) {
    return { at: null, message: `${items.length} values: allowed 1 to ${MAX_VALUES}` };
  }
  const values: SpeechSetting[] = [];
  for (const [i, item] of items.entries()) {
    const at = listed ? i : null;
    try {
      for (const value of settingsOf(name, item)) {
        const wrong = wrongIn(name, value);
        if (wrong !== null) return { at, message: wrong };
        values.push(value);
        if (values.length > MAX_VALUES) return tooMany(values.length);
      }
    } catch (error) {
      if (!(error instanceof SctError)) throw error;
      return { at, message: withoutName(name, error.message) };
    }
  }
  return values;
}

function settingsOf(name: SpeechAxisName, item: unknown): SpeechSetting[] {
  if (name === 'kind') return [{ kind: speechKind(String(item)) }];
  const { key } = RANGES[name];
  const numbers = typeof item === 'string' ? numbersOf(name, item, { ratio: true }) : [item as number];
  return numbers.map((value) => ({ [key]: value }));
}

function wrongIn(name: SpeechAxisName, value: SpeechSetting): string | null {
  if (name === 'kind') return null;
  const { key, least, most, whole } = RANGES[name];
  const v: unknown = value[key];
  const right = typeof v === 'number' && v >= least && v <= most && (!whole || Number.isInteger(v));
  return right ? null : `must be a ${whole ? 'whole ' : ''}number from ${least} to ${most}`;
}
