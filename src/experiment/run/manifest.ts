import { createHash } from 'node:crypto';
import { FormatError } from '../../common/errors.ts';
import { asArray, asNumber, asObject, asString, type JsonObject, orNull } from '../../common/json-input.ts';
import { METRIC_DEFINITIONS } from '../metrics/metrics.ts';
import { canonical, canonicalText, type Json } from './canonical-json.ts';
import { type HostFacts, hostFacts, type ProgramFacts } from './host-facts.ts';

export const RUN_SCHEMA = 'sct.run/1';

export type ExitState = 'running' | 'ok' | 'failed' | 'interrupted';

/** run.json: everything needed to say what ran, and to run it again. */
export interface RunManifest {
  schema: typeof RUN_SCHEMA;
  runId: string;
  argv: string[];
  /** ISO 8601, UTC. */
  startedAt: string;
  endedAt: string | null;
  exit: { state: ExitState; code: number | null; message: string | null };
  host: HostFacts;
  node: string;
  packageVersion: string;
  packageLockSha256: string | null;
  /** Absent when the program does not run from a git checkout. */
  git?: { commit: string; dirty: boolean };
  seed: number | null;
  /** Session on the air of a sending without a way back, 1 to 255; absent otherwise. */
  session?: number;
  /** Every setting after defaults, file, environment and flags. */
  config: { [key: string]: Json };
  configSha256: string;
  /** Settings of the radios as they were accepted; null without one. */
  device: { [key: string]: Json } | null;
  /** Model sets in use: by the hash over their files. */
  models: { name: string; sha256: string }[];
  /** What the ends hold and agreed on (session-knowledge.ts); absent where the codec needs nothing. */
  knowledge?: { [key: string]: Json };
  metricDefinitions: string;
}

export interface ManifestInput {
  runId: string;
  argv: readonly string[];
  startedAt: Date;
  program: ProgramFacts;
  seed: number | null;
  session?: number;
  config: object;
  device?: object | null;
  models?: { name: string; sha256: string }[];
}

/** The manifest of a run that has just started. */
export function startManifest(input: ManifestInput): RunManifest {
  const config = canonical(input.config) as { [key: string]: Json };
  return {
    schema: RUN_SCHEMA,
    runId: input.runId,
    argv: [...input.argv],
    startedAt: input.startedAt.toISOString(),
    endedAt: null,
    exit: { state: 'running', code: null, message: null },
    host: hostFacts(),
    node: process.version,
    packageVersion: input.program.packageVersion,
    packageLockSha256: input.program.packageLockSha256,
    ...(input.program.git ? { git: input.program.git } : {}),
    seed: input.seed,
    ...(input.session === undefined ? {} : { session: input.session }),
    config,
    configSha256: createHash('sha256').update(canonicalText(config)).digest('hex'),
    device: input.device ? (canonical(input.device) as { [key: string]: Json }) : null,
    models: input.models ?? [],
    metricDefinitions: METRIC_DEFINITIONS,
  };
}

/** Longest text on a run's end, of many pictures' say; a reader takes 4096 characters. */
const MOST_MESSAGE = 4000;

/** The manifest with its end written in; the state follows from the exit code of the command line contract. */
export function endManifest(m: RunManifest, endedAt: Date, code: number, message: string | null = null): RunManifest {
  const state: ExitState = code === 0 ? 'ok' : code === 130 ? 'interrupted' : 'failed';
  return { ...m, endedAt: endedAt.toISOString(), exit: { state, code, message: message && shortened(message) } };
}

function shortened(text: string): string {
  return text.length <= MOST_MESSAGE
    ? text
    : `${text.slice(0, MOST_MESSAGE)} … and ${text.length - MOST_MESSAGE} characters more`;
}

const STATES: readonly string[] = ['running', 'ok', 'failed', 'interrupted'];

/** Checks a parsed run.json field by field; keys that this version does not know are dropped. FormatError names the field. */
export function parseManifest(value: unknown): RunManifest {
  const o = asObject('run.json', value);
  const schema = asString('schema', o.schema, 64);
  if (schema !== RUN_SCHEMA) throw new FormatError('schema', `"${schema}" is not ${RUN_SCHEMA}`);
  const exit = asObject('exit', o.exit);
  const state = asString('exit.state', exit.state, 32);
  if (!STATES.includes(state)) throw new FormatError('exit.state', `must be one of ${STATES.join(', ')}`);
  const git = orNull('git', o.git, asObject);
  return {
    schema: RUN_SCHEMA,
    runId: asString('runId', o.runId, 64),
    argv: asArray('argv', o.argv, 1024).map((v, i) => asString(`argv[${i}]`, v, 65536)),
    startedAt: asTime('startedAt', o.startedAt),
    endedAt: orNull('endedAt', o.endedAt, asTime),
    exit: {
      state: state as ExitState,
      code: orNull('exit.code', exit.code, asNumber),
      message: orNull('exit.message', exit.message, asString),
    },
    host: parseHost(asObject('host', o.host)),
    node: asString('node', o.node, 64),
    packageVersion: asString('packageVersion', o.packageVersion, 64),
    packageLockSha256: orNull('packageLockSha256', o.packageLockSha256, asSha256),
    ...(git ? { git: { commit: asString('git.commit', git.commit, 64), dirty: git.dirty === true } } : {}),
    seed: orNull('seed', o.seed, asNumber),
    ...(o.session === undefined ? {} : { session: asNumber('session', o.session) }),
    config: canonical(asObject('config', o.config)) as { [key: string]: Json },
    configSha256: asSha256('configSha256', o.configSha256),
    device: orNull('device', o.device, asObject) as { [key: string]: Json } | null,
    models: asArray('models', o.models, 256).map((v, i) => {
      const model = asObject(`models[${i}]`, v);
      return {
        name: asString(`models[${i}].name`, model.name, 256),
        sha256: asSha256(`models[${i}].sha256`, model.sha256),
      };
    }),
    ...(o.knowledge === undefined
      ? {}
      : { knowledge: canonical(asObject('knowledge', o.knowledge)) as { [key: string]: Json } }),
    metricDefinitions: asString('metricDefinitions', o.metricDefinitions, 32),
  };
}

function parseHost(h: JsonObject): HostFacts {
  return {
    platform: asString('host.platform', h.platform, 64),
    release: asString('host.release', h.release, 256),
    arch: asString('host.arch', h.arch, 64),
    cpu: asString('host.cpu', h.cpu, 256),
    cores: asNumber('host.cores', h.cores),
    memoryMiB: asNumber('host.memoryMiB', h.memoryMiB),
  };
}

function asTime(field: string, v: unknown): string {
  const text = asString(field, v, 40);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text) || Number.isNaN(Date.parse(text))) {
    throw new FormatError(field, 'must be a UTC time like 2026-01-31T12:00:00.000Z');
  }
  return text;
}

function asSha256(field: string, v: unknown): string {
  const text = asString(field, v, 64);
  if (!/^[0-9a-f]{64}$/.test(text)) throw new FormatError(field, 'must be 64 lower-case hexadecimal digits');
  return text;
}
