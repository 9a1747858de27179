import type { Server, Socket } from 'node:net';
import { type ListenAddress, listen, stopListening } from '../../../hardware/emulated/front-ends/listen.ts';
import { EmulatedCdcAttenuator, EmulatedRudat } from '../../../hardware/emulated/instruments/attenuators.ts';
import { EmulatedGpsdo } from '../../../hardware/emulated/instruments/gpsdo.ts';
import { type InstrumentModel, serveInstrument } from '../../../hardware/emulated/instruments/instrument-model.ts';
import { EmulatedKmtronic, EmulatedLcTech } from '../../../hardware/emulated/instruments/relays.ts';
import { UsageError } from '../../common/errors.ts';
import { ATTENUATOR_MODELS } from '../../radio/instruments/attenuator-models.ts';
import { RELAY_COMMAND_SETS } from '../../radio/instruments/instrument-uri.ts';

export const EMULATED_INSTRUMENTS = ['attenuator', 'relay', 'gpsdo'] as const;
type InstrumentKind = (typeof EMULATED_INSTRUMENTS)[number];

/** One serial instrument of the emulation. */
export interface InstrumentPlan {
  readonly kind: InstrumentKind;
  /** Model of an attenuator, command set of a relay board; empty for a GPSDO. */
  readonly model: string;
  readonly at: ListenAddress;
}

/** Relays of an emulated board: as many as such boards usually have. */
const CHANNELS = { kmtronic: 8, lctech: 2 } as const;
const MODELS: Readonly<Record<InstrumentKind, readonly string[]>> = {
  attenuator: ['DC-6GHZ-90DB-V3', 'rudat', ...ATTENUATOR_MODELS.map((m) => m.name).filter((m) => !/90DB-V3/.test(m))],
  relay: RELAY_COMMAND_SETS,
  gpsdo: [''],
};

/** Kind and model of `attenuator`, `attenuator:rudat`, `relay:lctech`, `gpsdo`; null where it names no instrument. */
export function instrumentOf(name: string): Pick<InstrumentPlan, 'kind' | 'model'> | null {
  const [word, model, more] = name.split(':');
  const kind = EMULATED_INSTRUMENTS.find((known) => known === word);
  if (!kind) return null;
  if (more === undefined && (model === undefined || MODELS[kind].includes(model))) {
    return { kind, model: model ?? MODELS[kind][0] };
  }
  const known = MODELS[kind].map((m) => (m === '' ? kind : `${kind}:${m}`));
  throw new UsageError(`unknown instrument "${name}": ${known.join(', ')}`);
}

/**
 * Emulated serial instruments, each behind a socket that serves one program at a time, as a serial port does. What they are set to stands between the
 * boards of the emulation: `lossDb` is the attenuators' sum, infinite while the first relay of a relay board is at rest.
 */
export class EmulatedInstruments {
  private readonly plans: readonly InstrumentPlan[];
  private readonly models: readonly InstrumentModel[];
  private readonly servers: { server: Server; address: string; line: Line }[] = [];

  constructor(plans: readonly InstrumentPlan[]) {
    this.plans = plans;
    this.models = plans.map(modelOf);
  }

  /** What they add to the loss between two boards, dB. */
  get lossDb(): number {
    let sum = 0;
    for (const model of this.models) {
      if (model instanceof EmulatedCdcAttenuator || model instanceof EmulatedRudat) sum += model.attenuationDb;
      else if ((model instanceof EmulatedKmtronic || model instanceof EmulatedLcTech) && !model.states[0])
        return Number.POSITIVE_INFINITY;
    }
    return sum;
  }

  /** DeviceError: an address is taken. */
  async listen(): Promise<void> {
    for (const [i, { at }] of this.plans.entries()) {
      const line = new Line(this.models[i]);
      const { server, address } = await listen(at, (socket) => line.take(socket));
      this.servers.push({ server, address, line });
    }
  }

  ready() {
    return this.plans.map((plan, i) => ({
      kind: plan.kind,
      model: plan.model,
      uri: uriOf(plan, this.servers[i].address),
    }));
  }

  state() {
    return this.plans.map(({ kind, model: name }, i) => {
      const model = this.models[i];
      if (model instanceof EmulatedCdcAttenuator || model instanceof EmulatedRudat)
        return { kind, model: name, attenuationDb: model.attenuationDb };
      if (model instanceof EmulatedKmtronic || model instanceof EmulatedLcTech)
        return { kind, model: name, on: model.states.flatMap((on, n) => (on ? [n + 1] : [])) };
      return { kind, model: name };
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.servers.map(({ server, line }) => stopListening(server, line.sockets)));
  }
}

function modelOf({ kind, model }: InstrumentPlan): InstrumentModel {
  if (kind === 'gpsdo') return new EmulatedGpsdo({ nmeaEveryMs: 1000 });
  if (kind === 'attenuator') {
    const known = ATTENUATOR_MODELS.find((m) => m.name === model);
    return known ? new EmulatedCdcAttenuator(known) : new EmulatedRudat();
  }
  return model === 'kmtronic' ? new EmulatedKmtronic(CHANNELS.kmtronic) : new EmulatedLcTech(CHANNELS.lctech, true);
}

/** A line is one program's at a time, as a serial port is; the next is answered when that one has gone. */
class Line {
  readonly sockets = new Set<Socket>();
  private free: Promise<void> = Promise.resolve();
  private readonly model: InstrumentModel;

  constructor(model: InstrumentModel) {
    this.model = model;
  }

  take(socket: Socket): void {
    this.sockets.add(socket);
    const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => {});
    const served = this.free.then(() => {
      if (!socket.destroyed) serveInstrument(this.model, socket, socket);
      return gone;
    });
    this.free = served;
    void gone.then(() => this.sockets.delete(socket));
  }
}

function uriOf({ kind, model }: InstrumentPlan, address: string): string {
  const port = address.startsWith('unix:') ? address : `tcp:${address}`;
  if (kind === 'attenuator') return `att:${port}?model=${model}`;
  if (kind === 'gpsdo') return `gpsdo:${port}`;
  return `relay:${port}?set=${model}&channels=${CHANNELS[model as keyof typeof CHANNELS]}`;
}
