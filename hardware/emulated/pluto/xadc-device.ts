import { constant } from './attribute.ts';
import type { Channel, Device } from './iio-context.ts';

/** Volts of the supplies on a Pluto, in the order of the Zynq's channels. */
const SUPPLIES: readonly { readonly name?: string; readonly volts: number }[] = [
  { name: 'vccint', volts: 1.016 },
  { name: 'vccaux', volts: 1.798 },
  { name: 'vccbram', volts: 1.013 },
  { name: 'vccpint', volts: 1.016 },
  { name: 'vccpaux', volts: 1.797 },
  { name: 'vccoddr', volts: 1.359 },
  { name: 'vrefp', volts: 1.261 },
  { name: 'vrefn', volts: 0.01 },
  { volts: 0.805 },
];
/** mV a step: 3 V over 12 bits inside, 1 V over 12 bits at the pin. */
const INSIDE_MV = 0.732421875;
const PIN_MV = 0.244140625;

/** `xadc`: temperature and supplies of the FPGA, as a warm board shows them. */
export function xadcDevice(): Device {
  const voltages = SUPPLIES.map(({ name, volts }, number): Channel => {
    const scale = name ? INSIDE_MV : PIN_MV;
    return {
      id: `voltage${number}`,
      name,
      output: false,
      attributes: [constant('raw', String(Math.round((volts * 1000) / scale))), constant('scale', String(scale))],
    };
  });
  const temperature: Channel = {
    id: 'temp0',
    output: false,
    attributes: [constant('offset', '-2219'), constant('raw', '2690'), constant('scale', '123.040771484')],
  };
  return {
    id: 'iio:device1',
    name: 'xadc',
    channels: [...voltages, temperature],
    attributes: [constant('sampling_frequency', '961538')],
    buffer: [],
    debug: [],
  };
}
