import { UsageError } from '../../common/errors.ts';
import { RxChain } from '../../link/chains.ts';
import { type BurstEvent, Receiver } from '../../link/receiver.ts';
import { frontendFor } from '../../phy/frontend/frontend.ts';
import { numerology, RB_DATA_RE, SUBBAND_CARRIERS, SUBCARRIER_SPACING_HZ } from '../../phy/numerology.ts';
import type { SampleBlock } from '../../radio/radio.ts';
import { occupiedHz } from '../config/link-config.ts';
import type { ReceiveSettings } from '../receive/receive-stream.ts';
import { AMPLITUDE_UNIT, channelTable, rbTable, slotTimes } from './channel-tables.ts';
import { c8, f4, f8, i4, type Table, text } from './table.ts';

/** Payload symbols kept at most (12 bytes each in memory, about 100 in CSV). */
const MAX_SYMBOLS = 20_000_000;

/**
 * Receives a stream and keeps what users plot: every burst, the SNR of every resource block, the channel of every slot,
 * every payload symbol. Rows refer to bursts by their row in `burst`.
 *
 * Tables (one axis unless said): meta, burst, rb, channel (h: [slot][carrier] complex, noise: [slot][subband], the
 * frequencies in meta), symbol (value: complex, unbiased (1 + snr) / snr x the MMSE output).
 */
export async function collectTables(blocks: AsyncIterable<SampleBlock>, settings: ReceiveSettings): Promise<Table[]> {
  const n = numerology(settings.numerology);
  const frontend = frontendFor(n.sampleRateHz, occupiedHz(n), settings.rateHz, settings.loOffsetHz);
  // No codec: nothing is decoded to a picture here.
  const chain = new RxChain(frontend, new Receiver({ numerology: n, codecs: [], estimator: settings.estimator }));
  const bursts: { event: BurstEvent; startSample: number; slotTimesS: Float64Array }[] = [];
  let symbols = 0;
  const take = (events: ReturnType<RxChain['push']>) => {
    for (const event of events) {
      if (event.type !== 'burst') continue;
      symbols += event.stream?.positions.length ?? 0;
      if (symbols > MAX_SYMBOLS)
        throw new UsageError(`more than ${MAX_SYMBOLS} payload symbols: cut the capture first`);
      const { record } = event;
      const timeOf = (sample: number) => chain.deviceIndexOf(sample) / settings.rateHz;
      bursts.push({
        event,
        startSample: chain.deviceIndexOf(record.startSample),
        slotTimesS: slotTimes(n, record, timeOf),
      });
    }
  };
  for await (const block of blocks) take(chain.push(block));
  take(chain.flush());

  const records = bursts.map((b) => b.event.record);
  const slotTimesS = bursts.map((b) => b.slotTimesS);
  const carrierHz = Float64Array.from(n.carriers, (k) => k * SUBCARRIER_SPACING_HZ);
  const subbandHz = Float64Array.from({ length: n.nSubbands }, (_, s) => {
    const first = s * SUBBAND_CARRIERS;
    return (carrierHz[first] + carrierHz[first + SUBBAND_CARRIERS - 1]) / 2;
  });
  return [
    {
      name: 'meta',
      about: 'numerology, rates, the frequency of each column of channel_h and channel_noise, and their unit',
      columns: {
        subbands: i4([n.nSubbands]),
        modem_rate_hz: f8([n.sampleRateHz]),
        device_rate_hz: f8([settings.rateHz]),
        carrier_hz: { kind: 'f8', shape: [1, n.nCarriers], data: carrierHz },
        subband_hz: { kind: 'f8', shape: [1, n.nSubbands], data: subbandHz },
        unit: text([AMPLITUDE_UNIT]),
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
    rbTable(records, slotTimesS, n.nSubbands),
    channelTable(records, slotTimesS, n),
    symbolTable(
      bursts.map((b) => b.event),
      n.nSubbands,
      symbols,
    ),
  ];
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
