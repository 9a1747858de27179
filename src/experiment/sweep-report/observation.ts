import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { FormatError } from '../../common/errors.ts';
import type { JsonObject } from '../../common/json-input.ts';
import { canonical, type Json } from '../run/canonical-json.ts';
import { type Figures, figuresOf, RATIO_PARTS } from './measures.ts';

/** A setting as an axis has it. Objects (a jammer) are their canonical JSON. */
export type Setting = string | number | boolean | null;
export type Settings = Readonly<Record<string, Setting>>;

/** One picture that was sent once: what was set, and what came of it. */
export interface Observation {
  /** Which of the report's sources it is from. */
  readonly source: number;
  /** The same text for the same photo. */
  readonly photo: string;
  /** The same text for the same draw of channel and noise. */
  readonly seed: string;
  /** Everything set but photo, seed, and what does not change the experiment. */
  readonly settings: Settings;
  readonly figures: Figures;
  /** A modelled channel that neither fades nor has a jammer: a seed draws noise and offsets alone. */
  readonly flat: boolean;
  /** Of two sendings with equal settings, photo and seed (over radios) tells which was first. */
  readonly order: string;
}

/**
 * Keys of a resolved configuration that make no other experiment: draws, ends of a run, files that only judge (truth, LPIPS), and names of
 * things on one machine. A model set counts by its hash, which the metrics have.
 */
const NO_SETTING = new Set([
  ...[
    'seed',
    'count',
    'durationS',
    'minPsnrDb',
    'maxDrops',
    'truth',
    'lpips',
    'judge',
    'known',
    'modelsDir',
    'rxModelsDir',
  ],
  ...['feedbackToken', 'allowedBands', 'tx', 'rx', 'to', 'from', 'photo', 'reference', 'periodMs'],
]);

/** Longest text of a setting as it is; a longer one becomes its hash. */
const MAX_TEXT = 120;

/** Key under which the model set stands among the settings. */
export const MODEL_SET = 'modelSet';

const MAX_SETTINGS = 200;
const KEY = /^[A-Za-z][A-Za-z0-9]{0,63}$/;

/** The settings of a resolved configuration, keys sorted, but for the model set. FormatError for a key that is no word, or too many. */
export function settingsOf(field: string, config: JsonObject): Settings {
  const all = Object.entries(config);
  if (all.length > MAX_SETTINGS)
    throw new FormatError(`${field}: config`, `${all.length} keys, at most ${MAX_SETTINGS} allowed`);
  const wrong = all.find(([key]) => !KEY.test(key));
  if (wrong) throw new FormatError(`${field}: config`, `"${wrong[0].slice(0, 40)}" is no setting`);
  const entries = all
    .filter(([key, value]) => !NO_SETTING.has(key) && value !== undefined)
    .map(([key, value]): [string, Setting] => [key, settingOf(value)]);
  return Object.fromEntries(entries.sort(([a], [b]) => compareText(a, b)));
}

function settingOf(value: unknown): Setting {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : null;
  if (typeof value === 'string') return short(withoutFolder(value));
  return short(JSON.stringify(canonical(value) as Json));
}

/** trace:/any/where/run and onnx:/any/where/pair by their last name: folders differ from machine to machine. */
function withoutFolder(text: string): string {
  const found = /^(trace|onnx):(.+)$/s.exec(text);
  return found ? `${found[1]}:${basename(found[2])}` : text;
}

function short(text: string): string {
  if (text.length <= MAX_TEXT) return text;
  return `sha256:${createHash('sha256').update(text).digest('hex').slice(0, 16)}`;
}

/** What the pictures of one group have in common, kept once: a sweep may have 100 000 points. */
export class KnownSettings {
  private readonly known = new Map<string, Settings>();

  same(settings: Settings): Settings {
    const key = JSON.stringify(settings);
    const before = this.known.get(key);
    if (!before) this.known.set(key, settings);
    return before ?? settings;
  }
}

/** What was set for a picture. */
export interface Setup {
  readonly settings: Settings;
  readonly flat: boolean;
}

/** @throws FormatError for settings that are none */
export function setupOf(field: string, config: JsonObject): Setup {
  const flat = !overRadios(config) && config.channel === 'awgn' && (config.jammer ?? null) === null;
  return { settings: settingsOf(field, config), flat };
}

export interface ObservationInput {
  readonly source: number;
  /** Where it was read, for errors. */
  readonly field: string;
  readonly photo: string;
  readonly seed: string;
  readonly order: string;
  readonly setup: Setup;
  readonly metrics: JsonObject;
}

/** Whether a run had a radio or a file at one of its ends: then no seed draws the channel. */
export function overRadios(config: JsonObject): boolean {
  return ['tx', 'rx', 'to', 'from'].some((key) => config[key] !== undefined);
}

/** @throws FormatError naming file and field of a wrong number */
export function observation(input: ObservationInput, known: KnownSettings): Observation {
  const { source, field, photo, seed, order, setup, metrics } = input;
  const modelSet = typeof metrics.modelSet === 'string' ? short(metrics.modelSet) : null;
  const settings = known.same({ ...setup.settings, [MODEL_SET]: modelSet });
  return { source, photo, seed, order, settings, figures: figuresOf(field, metrics), flat: setup.flat };
}

/** What is to be said of pictures whose blocks an earlier version did not count; empty where there are none. */
export function uncountedNotes(observations: readonly Observation[]): string[] {
  const { trials } = RATIO_PARTS;
  const count = observations.filter(({ figures }) => figures.bler !== null && figures[trials] === null).length;
  return count > 0 ? [`${count} by a version that did not count blocks: not in the BLER`] : [];
}

/** By code units: the same on every machine, whatever its language. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Numbers by size, before words; null first. */
export function compareSettings(a: Setting, b: Setting): number {
  const rank = (v: Setting) => (v === null ? 0 : typeof v === 'boolean' ? 1 : typeof v === 'number' ? 2 : 3);
  if (rank(a) !== rank(b)) return rank(a) - rank(b);
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return compareText(String(a), String(b));
}

/** An order that does not depend on which picture was measured, or read, first. */
export function compareObservations(a: Observation, b: Observation): number {
  return (
    compareText(a.photo, b.photo) ||
    seedOrder(a.seed, b.seed) ||
    compareText(a.order, b.order) ||
    compareText(JSON.stringify(a.figures), JSON.stringify(b.figures))
  );
}

function seedOrder(a: string, b: string): number {
  const [x, y] = [Number(a), Number(b)];
  return Number.isFinite(x) && Number.isFinite(y) && x !== y ? x - y : compareText(a, b);
}
