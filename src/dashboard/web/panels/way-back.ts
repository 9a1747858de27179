import { count, DASH, fixed } from '../draw/format.ts';
import type { StatusEvent } from '../state/events.ts';

/** A row of the link budget: name, value, its name for tests, why the value is what it is. */
export type Row = readonly [string, string, string, string?];

/** The way back to another host: whether somebody is there, what it carried, and how far the clocks are apart. Nothing where both ends are here. */
export function wayBackRows(back: StatusEvent['wayBack'] | undefined): Row[] {
  if (!back) return [];
  const { connected, connections, sent, received, dropped, lost, refused, clock } = back;
  const times = connections > 1 ? `, ${count(connections)}×` : '';
  const gone = [
    ...(lost > 0 ? [`${count(lost)} lost`] : []),
    ...(dropped > 0 ? [`${count(dropped)} dropped`] : []),
    ...(refused > 0 ? [`${count(refused)} refused`] : []),
  ];
  const offset =
    clock && `${clock.offsetMs > 0 ? '+' : ''}${fixed(clock.offsetMs, 2)} ± ${fixed(clock.uncertaintyMs, 2)} ms`;
  return [
    [
      'way back',
      connected ? `connected${times}` : connections > 0 ? `lost${times}` : 'nobody there',
      'way-back',
      'to and from the other host; × how often it came',
    ],
    [
      'messages said, heard',
      [`${count(sent)}, ${count(received)}`, ...gone].join('; '),
      'way-back-messages',
      'reports and acknowledgements; lost on the way, dropped for want of room, refused: without the token or wrong',
    ],
    [
      "other host's clock",
      offset ?? DASH,
      'clock-offset',
      clock
        ? `less this one's, by four timestamps; messages take ${fixed(clock.delayMs, 2)} ms there and back`
        : 'before the first exchange',
    ],
  ];
}
