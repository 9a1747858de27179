import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { DeviceError, UsageError } from '../../common/errors.ts';
import { readJsonFile } from '../../common/json-input.ts';
import type { RgbImage } from '../../sct/image/rgb-image.ts';
import type { Speech } from '../../sct/speech/speech.ts';
import { type LinkConfig, type LinkInput, parseLinkInput, resolveLinkConfig } from '../config/link-config.ts';
import { withoutMissingInputs } from '../config/quality-inputs.ts';
import { MAX_SEMANTICS_JSON, parseSemanticFacts, type SemanticFacts } from '../metrics/semantic-facts.ts';
import { parseTransmitFacts, type TransmitFacts } from '../metrics/transmit-facts.ts';
import { type CaptureHints, captureHints } from '../receive/receive-stream.ts';
import { receivedCapture } from '../receive/received-capture.ts';
import { loadPhoto } from '../run/photo.ts';
import { readRun, type StoredRun } from '../run/run-directory.ts';
import { RUN_FILES } from '../run/run-files.ts';
import type { ReplayConfig } from '../run/run-io.ts';
import { isSpeechPath, loadSpeech } from '../speech/speech-file.ts';

/** What is received again, and all that is known of it. */
export interface ReplaySource {
  /** null: a bare capture. */
  readonly run: StoredRun | null;
  readonly capturePath: string;
  readonly hints: CaptureHints;
  readonly link: LinkConfig;
  /** What the transmitter noted; null where it is not here. */
  readonly facts: TransmitFacts | null;
  readonly semantics: SemanticFacts | null;
  readonly reference: RgbImage | undefined;
  /** The original of speech. */
  readonly speech: Speech | undefined;
  readonly modelled: boolean;
  /** No picture was sent: `sct sound` made the recording. */
  readonly sounding: boolean;
}

/** UsageError where there is nothing that could be received, or (with --check) nothing to compare with. */
export async function replaySource(config: ReplayConfig): Promise<ReplaySource> {
  const run = await storedRun(config.source);
  if (!run && config.check) {
    throw new UsageError('--check compares with the metrics of a run', 'give a run directory or its run.json');
  }
  const capturePath = run ? receivedCapture(run.directory) : config.source;
  const hints = await captureHints(capturePath).catch((error: unknown) => {
    if (!run || !(error instanceof DeviceError)) throw error;
    const sent = existsSync(join(run.directory, `${RUN_FILES.tx}.sigmf-meta`));
    throw new UsageError(
      `${run.directory} has no received capture${sent ? ': this run only transmitted' : ''}`,
      sent
        ? `its own samples can be received: sct replay ${join(run.directory, RUN_FILES.tx)}`
        : 'give a run that received',
    );
  });
  if (hints.complete && hints.endIndex === hints.startIndex) throw new UsageError(`${capturePath} has no samples`);
  const link = replayConfig(run, config.given, hints);
  const facts = run ? await storedFacts(run.directory) : null;
  const spoken = config.reference !== undefined && isSpeechPath(config.reference) ? config.reference : undefined;
  const speech = await speechReference(run, spoken);
  const given = spoken === undefined ? config.reference : undefined;
  const referencePath = given ?? (run ? join(run.directory, RUN_FILES.source) : undefined);
  const hasReference = referencePath !== undefined && (given !== undefined || existsSync(referencePath));
  const reference = hasReference ? (await loadPhoto({ kind: 'file', path: referencePath })).image : undefined;
  const modelled = typeof run?.metrics?.channel === 'string';
  const semantics = run ? await storedSemantics(run.directory) : null;
  const sounding = run?.metrics?.codec === 'none';
  return { run, capturePath, hints, link, facts, semantics, reference, speech, modelled, sounding };
}

async function storedRun(path: string): Promise<StoredRun | null> {
  const found = await stat(path).catch(() => null);
  if (found?.isDirectory() || (found && path.endsWith('run.json'))) return readRun(path);
  return null;
}

/** Settings of a run that say where it sent and listened, not how. */
const RUN_KEYS: ReadonlySet<string> = new Set([
  'to',
  'from',
  'reference',
  'tx',
  'rx',
  'periodMs',
  'compare',
  'attenuator',
  'speech',
  'photo',
]);

/** The run's own settings, overridden by the flags that were given. */
function replayConfig(
  run: StoredRun | null,
  given: LinkInput,
  hints: { numerology: number | null; rateHz: number },
): LinkConfig {
  if (run) {
    const stored = Object.fromEntries(Object.entries(run.manifest.config).filter(([key]) => !RUN_KEYS.has(key)));
    return resolveLinkConfig({ ...withoutMissingInputs(parseLinkInput(stored)), ...given });
  }
  const numerology = given.numerology ?? hints.numerology;
  return resolveLinkConfig({ ...given, ...(numerology === null ? {} : { numerology }) });
}

async function storedFacts(directory: string): Promise<TransmitFacts | null> {
  const path = join(directory, RUN_FILES.allocation);
  return existsSync(path) ? parseTransmitFacts(await readJsonFile(path, 1 << 20)) : null;
}

/** The original of speech: the file that was named, or the run's own. */
async function speechReference(run: StoredRun | null, named: string | undefined): Promise<Speech | undefined> {
  const own = run && join(run.directory, RUN_FILES.sourceSpeech);
  const path = named ?? (own && existsSync(own) ? own : undefined);
  return path === undefined ? undefined : loadSpeech(path);
}

async function storedSemantics(directory: string): Promise<SemanticFacts | null> {
  const path = join(directory, RUN_FILES.semantics);
  return existsSync(path) ? parseSemanticFacts(await readJsonFile(path, MAX_SEMANTICS_JSON)) : null;
}
