import type { NumberRange } from '../radio.ts';
import { onGrid } from '../settings.ts';
import { type Attenuator, sameDb } from './attenuator.ts';
import { ATTENUATOR_MODELS, type AttenuatorModel } from './attenuator-models.ts';
import type { Exchange } from './exchange.ts';
import { InstrumentError, shownBytes } from './instrument-error.ts';

const REPLY_TIMEOUT_MS = 1000;

/**
 * Step attenuators of the CDC command set (attenuator-models.ts): set `att-012.50` + CR LF -> `attOK`, read `READ` + CR LF -> `ATT = -12.50`. A bare minus sign before
 * the value is theirs: attenuation is negative gain.
 */
export class CdcAttenuator implements Attenuator {
  readonly rangeDb: NumberRange;
  private readonly exchange: Exchange;
  private readonly kind: AttenuatorModel;

  constructor(exchange: Exchange, kind: AttenuatorModel) {
    this.exchange = exchange;
    this.kind = kind;
    this.rangeDb = { min: 0, max: kind.maxDb, step: kind.stepDb };
  }

  get model(): string {
    return this.kind.name;
  }

  async set(attenuationDb: number): Promise<number> {
    onGrid(`${this.model} attenuation`, attenuationDb, this.rangeDb, 'dB');
    await this.exchange.ask(setCommand(this.kind, attenuationDb), readSetReply, { timeoutMs: REPLY_TIMEOUT_MS });
    const actualDb = await this.read();
    if (!sameDb(actualDb, attenuationDb)) {
      throw new InstrumentError('refused', `${this.model}: stands at ${actualDb} dB after ${attenuationDb} dB was set`);
    }
    return actualDb;
  }

  read(): Promise<number> {
    return this.exchange.ask('READ\r\n', readAttenuation, { timeoutMs: REPLY_TIMEOUT_MS });
  }

  setMaximum(): Promise<number> {
    return this.set(this.rangeDb.max);
  }

  close(): Promise<void> {
    return this.exchange.close();
  }

  describe(): string {
    return `${this.model}, 0 to ${this.rangeDb.max} dB in steps of ${this.rangeDb.step} dB`;
  }
}

/**
 * Finds the model by setting each one's maximum, largest first, and reading it back: the box ends at its maximum. A box of another range may pass through a smaller value, so
 * nothing may transmit meanwhile. InstrumentError where no model fits; timeout where the box does not know these commands.
 */
export async function detectCdcAttenuator(exchange: Exchange): Promise<CdcAttenuator> {
  // Harmless, and tells at once whether these commands are understood at all.
  await exchange.ask('READ\r\n', readAttenuation, { timeoutMs: REPLY_TIMEOUT_MS });
  for (const kind of ATTENUATOR_MODELS) {
    try {
      await exchange.ask(setCommand(kind, kind.maxDb), readSetReply, { timeoutMs: REPLY_TIMEOUT_MS });
      const actualDb = await exchange.ask('READ\r\n', readAttenuation, { timeoutMs: REPLY_TIMEOUT_MS });
      if (sameDb(actualDb, kind.maxDb)) return new CdcAttenuator(exchange, kind);
    } catch (error) {
      // One that does not answer to a value beyond its range is asked for the next.
      if (!(error instanceof InstrumentError) || error.kind === 'gone') throw error;
    }
  }
  throw new InstrumentError(
    'refused',
    'the attenuator stands at the maximum of none of the known models',
    'name it: ?model=',
  );
}

/** `att-012.50` and CR LF: as many digits as the model has. */
export function setCommand(kind: AttenuatorModel, attenuationDb: number): string {
  return `att-${attenuationDb.toFixed(2).padStart(kind.digits + 3, '0')}\r\n`;
}

function readSetReply(received: string): true | undefined {
  if (/attOK/i.test(received)) return true;
  if (/att\s*(err|fail)/i.test(received)) {
    throw new InstrumentError('refused', `the attenuator refused: "${shownBytes(received)}"`);
  }
  return undefined;
}

/** The last whole `ATT = -12.50` that came; whole means that something follows its second decimal, or nothing could. */
function readAttenuation(received: string): number | undefined {
  const all = [...received.matchAll(/ATT\s*=\s*-?\s*(\d{1,3}\.\d{2})/gi)];
  const last = all.at(-1);
  return last ? Number(last[1]) : undefined;
}
