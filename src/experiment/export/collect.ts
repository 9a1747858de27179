import { UsageError } from '../../common/errors.ts';
import { RxChain } from '../../link/chains.ts';
import { type BurstEvent, Receiver } from '../../link/receiver.ts';
import { frontendFor } from '../../phy/frontend/frontend.ts';
import { numerology, RB_DATA_RE, SUBCARRIER_SPACING_HZ } from '../../phy/numerology.ts';
import type { SampleBlock } from '../../radio/radio.ts';
import { occupiedHz } from '../link-config.ts';
import type { ReceiveSettings } from '../receive-stream.ts';
import { c8, f4, f8, i4, type Table, text } from './table.ts';

/** Payload symbols kept at most (12 bytes each in memory, about 100 in CSV). */
const MAX_SYMBOLS = 20_000_000;

/**
 * Receives a stream and keeps what users plot: every burst, the SNR of every resource block, the channel of every slot,
 * every payload symbol. Rows refer to bursts by their row in `burst`.
 *
 * Tables (one axis unless said): meta, burst, rb, channel (h: [slot][carrier] complex, the frequencies in meta), symbol
 * (value: complex, unbiased (1 + snr) / snr x the MMSE output).
 */
export async function collectTables(blocks: AsyncIterable<SampleBlock>, settings: ReceiveSettings): Promise<Table[]> {
  const n = numerology(settings.numerology);
  const frontend = frontendFor(n.sampleRateHz, occupiedHz(n), settings.rateHz, settings.loOffsetHz);
  // No codec: nothing is decoded to a picture here.
  const chain = new RxChain(frontend, new Receiver({ numerology: n, codecs: [], estimator: settings.estimator }));
  const bursts: { event: BurstEvent; startSample: number }[] = [];
  let symbols = 0;
  const take = (events: ReturnType<RxChain['push']>) => {
    for (const event of events) {
      if (event.type !== 'burst') continue;
      symbols += event.stream?.positions.length ?? 0;
      if (symbols > MAX_SYMBOLS)
        throw new UsageError(`more than ${MAX_SYMBOLS} payload symbols: cut the capture first`);
      bursts.push({ event, startSample: chain.deviceIndexOf(event.record.startSample) });
    }
  };
  for await (const block of blocks) take(chain.push(block));
  take(chain.flush());

  const records = bursts.map((b) => b.event.record);
  const carrierHz = Float64Array.from(n.carriers, (k) => k * SUBCARRIER_SPACING_HZ);
  return [
    {
      name: 'meta',
      about: 'numerology, rates, and the frequency of each column of channel_h',
      columns: {
        subbands: i4([n.nSubbands]),
        modem_rate_hz: f8([n.sampleRateHz]),
        device_rate_hz: f8([settings.rateHz]),
        carrier_hz: { kind: 'f8', shape: [1, n.nCarriers], data: carrierHz },
      },
    },
    {
      name: 'burst',
      about: 'one row a burst',
      columns: {
        use: text(bursts.map((b) => b.event.use)),
        number: i4(records.map((r) => r.header.burst)),
        session: i4(records.map((r) => r.header.session)),
        csi_number: i4(records.map((r) => r.header.csiNumber)),
        start_sample: f8(bursts.map((b) => b.startSample)),
        slots: i4(records.map((r) => r.slots)),
        slots_sent: i4(records.map((r) => r.header.slots)),
        snr_db: f8(records.map((r) => r.snrDb)),
        cfo_hz: f8(records.map((r) => r.cfoHz)),
        sfo_ppm: f8(records.map((r) => r.sfoPpm)),
        noise_variance: f8(records.map((r) => r.noiseVariance)),
        detection: f8(records.map((r) => r.detectionRho)),
      },
    },
    rbTable(records, n.nSubbands),
    channelTable(records, n.nCarriers),
    symbolTable(
      bursts.map((b) => b.event),
      n.nSubbands,
      symbols,
    ),
  ];
}

type Records = readonly BurstEvent['record'][];

function rbTable(records: Records, nSubbands: number): Table {
  const total = records.reduce((sum, r) => sum + r.rbSnrDb.length, 0);
  const [burst, slot, subband] = [new Int32Array(total), new Int32Array(total), new Int32Array(total)];
  const [snr, error] = [new Float32Array(total), new Float32Array(total)];
  let at = 0;
  records.forEach((record, row) => {
    for (let i = 0; i < record.rbSnrDb.length; i++, at++) {
      burst[at] = row;
      slot[at] = Math.floor(i / nSubbands);
      subband[at] = i % nSubbands;
      snr[at] = record.rbSnrDb[i];
      error[at] = record.rbSnrErrorDb[i];
    }
  });
  return {
    name: 'rb',
    about: 'SNR of each resource block and its standard error',
    columns: { burst: i4(burst), slot: i4(slot), subband: i4(subband), snr_db: f4(snr), error_db: f4(error) },
  };
}

function channelTable(records: Records, nCarriers: number): Table {
  const slots = records.reduce((sum, r) => sum + r.channel.length / (2 * nCarriers), 0);
  const [burst, slot] = [new Int32Array(slots), new Int32Array(slots)];
  const h = new Float32Array(2 * nCarriers * slots);
  let at = 0;
  records.forEach((record, row) => {
    h.set(record.channel, 2 * nCarriers * at);
    const count = record.channel.length / (2 * nCarriers);
    for (let s = 0; s < count; s++, at++) {
      burst[at] = row;
      slot[at] = s;
    }
  });
  return {
    name: 'channel',
    about: 'channel estimate in the middle of each slot over the carriers',
    columns: { burst: i4(burst), slot: i4(slot), h: c8(h, [slots, nCarriers]) },
  };
}

function symbolTable(events: readonly BurstEvent[], nSubbands: number, total: number): Table {
  const [burst, slot, subband] = [new Int32Array(total), new Int32Array(total), new Int32Array(total)];
  const bits = new Uint8Array(total);
  const snrDb = new Float32Array(total);
  const value = new Float32Array(2 * total);
  let at = 0;
  events.forEach(({ stream, record }, row) => {
    if (!stream) return;
    for (let i = 0; i < stream.positions.length; i++, at++) {
      const p = stream.positions[i];
      const rb = Math.floor(p / RB_DATA_RE);
      const snr = p < record.payloadSnr.length ? record.payloadSnr[p] : 0;
      burst[at] = row;
      slot[at] = Math.floor(rb / nSubbands);
      subband[at] = rb % nSubbands;
      bits[at] = stream.qm[i];
      snrDb[at] = snr > 0 ? 10 * Math.log10(snr) : Number.NEGATIVE_INFINITY;
      const gain = snr > 0 ? (1 + snr) / snr : 0;
      value[2 * at] = gain === 0 ? 0 : gain * record.payload[2 * p];
      value[2 * at + 1] = gain === 0 ? 0 : gain * record.payload[2 * p + 1];
    }
  });
  return {
    name: 'symbol',
    about: 'payload symbols after equalisation, bits = bits a symbol of their modulation',
    columns: {
      burst: i4(burst),
      slot: i4(slot),
      subband: i4(subband),
      bits: { kind: 'u1', shape: [total], data: bits },
      snr_db: f4(snrDb),
      value: c8(value),
    },
  };
}
