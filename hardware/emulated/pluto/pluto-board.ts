import { RandomStream } from '../../../src/common/random.ts';
import type { RadioProfile } from '../../../src/radio/profile.ts';
import type { Air, Antenna } from '../air.ts';
import type { MakeFaults } from '../analogue-faults.ts';
import { rfFigures } from '../rf-figures.ts';
import { receiveDevice, transmitDevice } from './converter-devices.ts';
import { Dds } from './dds.ts';
import { DEFAULT_PLUTO_RELEASE, type PlutoFirmware, plutoFirmware } from './firmware.ts';
import { HostLink } from './host-link.ts';
import type { IioContext } from './iio-context.ts';
import { phyDevice } from './phy-device.ts';
import { STATUS_UNDERFLOW, StatusRegister } from './registers.ts';
import { type Gap, RxDma, type SampleSource } from './rx-dma.ts';
import { RxPath } from './rx-path.ts';
import { SampleClock } from './sample-clock.ts';
import { Transceiver } from './transceiver.ts';
import { TxDma } from './tx-dma.ts';
import { TxPath } from './tx-path.ts';
import { xadcDevice } from './xadc-device.ts';

/** While something goes in or out, the board keeps up with the air at least this often, s. */
const KEEP_UP_S = 0.02;

export interface PlutoOptions {
  /** Name on the air. */
  readonly name: string;
  readonly serial: string;
  readonly air: Air;
  /** hardware/pluto.json */
  readonly profile: RadioProfile;
  /** What it runs; the default release unless given. */
  readonly firmware?: PlutoFirmware;
  /** Error of its oscillator; positive is fast. */
  readonly clockErrorPpm?: number;
  /** Of its noise. */
  readonly seed?: number | string;
  /** What the analogue parts do to the samples, full scale 1.0: after the gain in RX, before it in TX. */
  readonly rxFaults?: MakeFaults;
  readonly txFaults?: MakeFaults;
  /** What passes between host and board, bytes a second of the emulation; without limit unless given. */
  readonly linkBytesPerS?: number;
  /** In place of the air: received samples of known number, for tests of losses. */
  readonly source?: SampleSource;
}

/** Exact counts, which a real board does not have. */
export interface PlutoStatistics {
  readonly rx: {
    readonly capturedSamples: number;
    readonly lostSamples: number;
    readonly overruns: number;
    readonly clippedSamples: number;
    readonly gaps: readonly Gap[];
  };
  readonly tx: {
    readonly playedSamples: number;
    readonly gapSamples: number;
    readonly underruns: number;
    readonly cutSamples: number;
    readonly emittedSamples: number;
    /** End of the last stretch that was put on the air, s of the air; null: never. */
    readonly lastEmissionS: number | null;
    readonly gaps: readonly Gap[];
  };
}

/** What power-on makes anew. */
interface Parts {
  readonly context: IioContext;
  readonly chip: Transceiver;
  readonly dds: Dds;
  readonly rx: RxDma;
  readonly tx: TxDma;
  readonly rxPath: RxPath;
  readonly txPath: TxPath;
  readonly clocks: readonly SampleClock[];
}

/** An ADALM-PLUTO: transceiver, converters, DMA and the context that its IIO server shows. */
export class PlutoBoard {
  readonly serial: string;
  readonly firmware: PlutoFirmware;
  readonly air: Air;
  readonly link: HostLink;
  private readonly options: PlutoOptions;
  private readonly antenna: Antenna;
  private parts: Parts;
  private on = true;
  private keepingUp = false;

  constructor(options: PlutoOptions) {
    this.options = options;
    this.air = options.air;
    this.serial = options.serial;
    this.firmware = options.firmware ?? plutoFirmware(DEFAULT_PLUTO_RELEASE);
    this.link = new HostLink(options.air.clock, options.linkBytesPerS ?? Number.POSITIVE_INFINITY);
    this.antenna = options.air.attach(options.name, { transmitTo: (timeS) => this.tx.advance(timeS) });
    this.parts = this.build();
  }

  get context(): IioContext {
    return this.parts.context;
  }

  get chip(): Transceiver {
    return this.parts.chip;
  }

  get dds(): Dds {
    return this.parts.dds;
  }

  get rx(): RxDma {
    return this.parts.rx;
  }

  get tx(): TxDma {
    return this.parts.tx;
  }

  get powered(): boolean {
    return this.on;
  }

  /** Nothing on the air from here on, nothing received. */
  powerOff(): void {
    this.rx.close();
    this.tx.close();
    this.dds.select(['zero', 'zero']);
    this.on = false;
  }

  /** All settings and counts as at first. */
  powerOn(): void {
    this.parts = this.build();
    this.on = true;
  }

  private build(): Parts {
    const { antenna, firmware, options } = this;
    const { profile } = options;
    const { clock } = this.air;
    const chip = new Transceiver({
      clockErrorPpm: options.clockErrorPpm ?? 0,
      frequencyRangeHz: profile.limits.frequencyHz.value,
      beforeChange: () => this.beforeChange(),
    });
    const dds = new Dds(() => this.beforeChange());
    const rate = (direction: 'rx' | 'tx') => (chip.clocked ? chip.trueHz(chip.hostRateHz(direction)) : 0);
    const rxClock = new SampleClock(() => rate('rx'), clock.nowS());
    const txClock = new SampleClock(() => rate('tx'), clock.nowS());
    const figures = rfFigures(profile);
    const txPath = new TxPath({ chip, dds, antenna, figures, samples: txClock, faults: options.txFaults ?? null });
    const txStatus = new StatusRegister(() => this.catchUp(), firmware.underflowStuck ? STATUS_UNDERFLOW : 0);
    const tx = new TxDma({ samples: txClock, clock, sink: txPath.play, status: txStatus });
    const rxPath = new RxPath({
      chip,
      antenna,
      figures,
      samples: rxClock,
      txSamples: txClock,
      tx: txPath,
      random: new RandomStream(options.seed ?? options.serial).fork('receiver noise'),
      faults: options.rxFaults ?? null,
      transmitTo: (timeS) => tx.advance(timeS),
    });
    const rxStatus = new StatusRegister(() => this.catchUp());
    const rx = new RxDma({ samples: rxClock, clock, source: options.source ?? rxPath.take, status: rxStatus });
    const context = {
      name: 'local',
      description: `Linux pluto ${firmware.kernel} #2 SMP PREEMPT armv7l`,
      attributes: contextAttributes(options.serial, firmware, clock.speed),
      devices: [
        phyDevice(chip, () => rxPath.rssiDbm),
        xadcDevice(),
        transmitDevice(chip, dds, txStatus),
        receiveDevice(chip, rxStatus),
      ],
    };
    return { context, chip, dds, rx, tx, rxPath, txPath, clocks: [rxClock, txClock] };
  }

  /** Keeps receiver and transmitter up with the air while one of them is busy. */
  keepUp(): void {
    if (this.keepingUp) return;
    this.keepingUp = true;
    void this.keepUpLoop();
  }

  openTx(blockSamples: number, blocks: number, cyclic: boolean, enabled: readonly [boolean, boolean]): void {
    this.tx.open(blockSamples, blocks, cyclic);
    this.dds.select([enabled[0] ? 'dma' : 'dds', enabled[1] ? 'dma' : 'dds']);
  }

  closeTx(): void {
    this.tx.close();
    this.dds.select(['dds', 'dds']);
  }

  statistics(): PlutoStatistics {
    this.catchUp();
    const { rx, tx, rxPath, txPath } = this.parts;
    return {
      rx: {
        capturedSamples: rx.capturedSamples,
        lostSamples: rx.lostSamples,
        overruns: rx.overruns,
        clippedSamples: rxPath.count.clippedSamples,
        gaps: rx.gaps,
      },
      tx: {
        playedSamples: tx.playedSamples,
        gapSamples: tx.gapSamples,
        underruns: tx.underruns,
        cutSamples: tx.cutSamples,
        emittedSamples: txPath.emittedSamples,
        lastEmissionS: txPath.lastEmissionS,
        gaps: tx.gaps,
      },
    };
  }

  private catchUp(): void {
    const nowS = this.air.clock.nowS();
    this.tx.advance(nowS);
    this.rx.advance(nowS);
  }

  private beforeChange(): void {
    this.catchUp();
    const nowS = this.air.clock.nowS();
    for (const clock of this.parts.clocks) clock.rebase(nowS);
  }

  private async keepUpLoop(): Promise<void> {
    while (this.rx.isOpen || this.tx.isOpen || this.sounding) {
      this.catchUp();
      await this.air.clock.at(this.air.clock.nowS() + KEEP_UP_S);
    }
    this.keepingUp = false;
  }

  /** Tones are on the air. */
  private get sounding(): boolean {
    return this.dds.sources.some((source, channel) => source === 'dds' && !this.dds.silent(channel));
  }
}

function contextAttributes(serial: string, firmware: PlutoFirmware, speed: number): { name: string; value: string }[] {
  const attributes = [
    { name: 'hw_model', value: 'Analog Devices PlutoSDR Rev.C (Z7010-AD9363A)' },
    { name: 'hw_model_variant', value: '0' },
    { name: 'hw_serial', value: serial },
    { name: 'fw_version', value: firmware.version },
    { name: 'ad9361-phy,xo_correction', value: '40000000' },
    { name: 'ad9361-phy,model', value: 'ad9363a' },
    { name: 'local,kernel', value: firmware.kernel },
  ];
  return speed === 1 ? attributes : [...attributes, { name: 'sct,speed', value: String(speed) }];
}
