import { inRange, UsageError } from '../common/errors.ts';
import { formatSi } from '../common/units.ts';
import type { NumberRange, RadioCapabilities, SampleFormat, StreamRequest, StreamSettings } from './radio.ts';

/** Throws a UsageError naming the range or the step unless the value is one the device has; returns the value. */
export function onGrid(name: string, value: number, range: NumberRange, unit: string): number {
  inRange(name, value, range.min, range.max, unit);
  if (range.step > 0) {
    const steps = (value - range.min) / range.step;
    // 1e-6 of a step: gains such as -89.75 + 0.25 k are exact in binary, rates and frequencies are integers.
    if (Math.abs(steps - Math.round(steps)) > 1e-6) {
      throw new UsageError(
        `${name} ${value} ${unit} is not possible: allowed ${range.min} to ${range.max} ${unit} in steps of ${range.step}`,
      );
    }
  }
  return value;
}

/**
 * Turns a request into settings, refusing what the device cannot do. Gains of stages not named keep the stage's
 * minimum; gains of the other direction or of unknown stages are refused with the list of names.
 */
export function resolveRequest(
  capabilities: RadioCapabilities,
  direction: 'rx' | 'tx',
  request: StreamRequest,
  defaults: { frequencyHz: number; rateHz: number; format: SampleFormat; fullScale: number },
): StreamSettings {
  const { name } = capabilities;
  if (direction === 'rx' ? !capabilities.rx : !capabilities.tx) {
    throw new UsageError(`${name} cannot ${direction === 'rx' ? 'receive' : 'transmit'}`);
  }
  const frequencyHz = onGrid(
    `${name} frequency`,
    request.frequencyHz ?? defaults.frequencyHz,
    capabilities.frequencyHz,
    'Hz',
  );
  const rateHz = onGrid(`${name} sample rate`, request.rateHz ?? defaults.rateHz, capabilities.rateHz, 'Hz');
  const bandwidthHz = request.bandwidthHz ?? null;
  if (bandwidthHz !== null) inRange(`${name} bandwidth`, bandwidthHz, 1, rateHz, 'Hz');
  const stages = capabilities.gains.filter((stage) => stage.direction === direction);
  const gainsDb: Record<string, number> = {};
  for (const stage of stages) gainsDb[stage.name] = stage.min;
  for (const [stageName, gainDb] of Object.entries(request.gainsDb ?? {})) {
    const stage = stages.find((candidate) => candidate.name === stageName);
    if (!stage) {
      const known = stages.map((candidate) => candidate.name).join(', ') || 'none';
      throw new UsageError(`${name} has no ${direction} gain "${stageName}"; it has: ${known}`);
    }
    gainsDb[stageName] = onGrid(`${name} ${stageName} gain`, gainDb, stage, 'dB');
  }
  return { frequencyHz, rateHz, bandwidthHz, gainsDb, format: defaults.format, fullScale: defaults.fullScale };
}

/** One line for logs: "915 MHz, 7.68 Msps, ci8, lna 16 dB". */
export function describeSettings(settings: StreamSettings): string {
  const gains = Object.entries(settings.gainsDb).map(([stage, gainDb]) => `, ${stage} ${gainDb} dB`);
  return `${formatSi(settings.frequencyHz, 9)}Hz, ${formatSi(settings.rateHz, 7)}sps, ${settings.format}${gains.join('')}`;
}
