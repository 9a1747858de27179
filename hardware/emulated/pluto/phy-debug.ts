import { type Attribute, parseInteger } from './attribute.ts';
import { IioError } from './iio-error.ts';
import { RegisterFile } from './registers.ts';
import type { Transceiver } from './transceiver.ts';

/** Settings of the device tree that debugfs shows, with their values on a Pluto; remembered, applied by nothing here. */
const SETTINGS: Readonly<Record<string, number>> = {
  '2rx-2tx-mode-enable': 0,
  '1rx-1tx-mode-use-rx-num': 1,
  '1rx-1tx-mode-use-tx-num': 1,
  'frequency-division-duplex-mode-enable': 1,
  'ensm-enable-pin-pulse-mode-enable': 0,
  'ensm-enable-txnrx-control-enable': 0,
  'tdd-use-dual-synth-mode-enable': 0,
  'tdd-skip-vco-cal-enable': 0,
  'rx-rf-port-input-select': 0,
  'tx-rf-port-input-select': 0,
  'split-gain-table-mode-enable': 0,
  'tx-lo-powerdown-managed-enable': 1,
  'clk-output-mode-select': 0,
  'dc-offset-tracking-update-event-mask': 5,
  'rf-rx-bandwidth-hz': 18_000_000,
  'rf-tx-bandwidth-hz': 18_000_000,
  'tx-attenuation-mdB': 10_000,
  'update-tx-gain-in-alert-enable': 0,
  'gc-rx1-mode': 2,
  'gc-rx2-mode': 2,
  'gc-dec-pow-measurement-duration': 8192,
  'gc-low-power-thresh': 24,
  'mgc-inc-gain-step': 2,
  'mgc-dec-gain-step': 2,
  'agc-outer-thresh-high': 5,
  'agc-inner-thresh-high': 10,
  'agc-inner-thresh-low': 12,
  'agc-outer-thresh-low': 18,
  'agc-gain-update-interval-us': 1000,
  'rssi-restart-mode': 3,
  'rssi-duration': 1000,
};

/** debugfs of ad9361-phy. */
export function phyDebugAttributes(chip: Transceiver): Attribute[] {
  const registers = new RegisterFile(new Map(), 0x3ff);
  return [
    {
      name: 'loopback',
      read: () => String(chip.loopback),
      write: (text) => {
        const mode = parseInteger(text);
        if (mode !== 0 && mode !== 1) throw new IioError('EINVAL');
        chip.loopback = mode;
      },
    },
    {
      name: 'initialize',
      read: () => '0',
      write: (text) => {
        if (parseInteger(text) !== 1) throw new IioError('EINVAL');
        chip.initialize();
      },
    },
    { name: 'bist_prbs', read: () => '0', write: onlyOff },
    { name: 'bist_tone', read: () => '0', write: (text) => onlyOff(text.trim().split(/\s+/)[0]) },
    { name: 'gaininfo_rx1', read: () => `${chip.rxGainDb} ${chip.rxGainDb + 5} 0 0 0 0 0 0` },
    { name: 'bist_timing_analysis', read: () => '0' },
    { name: 'digital_tune', read: () => '0', write: onlyOff },
    { name: 'multichip_sync', read: () => '0', write: onlyOff },
    ...Object.entries(SETTINGS).map(([name, initial]): Attribute => {
      let value = initial;
      return {
        name: `adi,${name}`,
        read: () => String(value),
        write: (text) => {
          value = parseInteger(text);
        },
      };
    }),
    registers.attribute(),
  ];
}

/** Test signals of the chip are not made by this model: switching them off succeeds, on is refused. */
function onlyOff(text: string): void {
  if (parseInteger(text) !== 0) throw new IioError('EOPNOTSUPP');
}
