import { UsageError } from '../common/errors.ts';
import { parseQuantity } from '../common/units.ts';
import type { LinkInput } from '../experiment/config/link-config.ts';

const JAMMER_KEYS: Record<string, [key: string, unit: string]> = {
  centre: ['centreHz', 'Hz'],
  center: ['centreHz', 'Hz'],
  width: ['widthHz', 'Hz'],
  duty: ['dutyCycle', ''],
  period: ['periodS', 's'],
  start: ['startS', 's'],
};

/** `--jammer KIND:DB[,centre=HZ][,width=HZ][,duty=X][,period=S][,start=S]`; ranges are checked by link-config. */
export function readJammer(text: string): Partial<LinkInput> {
  const [head, ...rest] = text.split(',');
  const [kind, power, more] = head.split(':');
  if (power === undefined || more !== undefined) {
    throw new UsageError(
      `--jammer: "${text}" does not begin with KIND:DB`,
      'for example --jammer subband:10,centre=1M',
    );
  }
  const jammer: Record<string, unknown> = { kind, powerDb: parseQuantity('--jammer power', power, 'dB') };
  for (const pair of rest) {
    const at = pair.indexOf('=');
    const name = at < 0 ? pair : pair.slice(0, at);
    if (!Object.hasOwn(JAMMER_KEYS, name)) {
      throw new UsageError(`--jammer: unknown "${name}"`, 'known: centre, width, duty, period, start');
    }
    const [key, unit] = JAMMER_KEYS[name];
    jammer[key] = parseQuantity(`--jammer ${name}`, at < 0 ? '' : pair.slice(at + 1), unit);
  }
  return { jammer: jammer as LinkInput['jammer'] };
}
