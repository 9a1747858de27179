import './panels/bursts.ts';
import './panels/capture-list.ts';
import './panels/channel.ts';
import './panels/constellation.ts';
import './panels/event-log.ts';
import './panels/impulse.ts';
import './panels/latency.ts';
import './panels/link-budget.ts';
import './panels/offsets.ts';
import './panels/rb-bars.ts';
import './panels/rb-map.ts';
import './panels/received-picture.ts';
import './panels/replay-bar.ts';
import './panels/run-list.ts';
import './panels/sfv-table.ts';
import './panels/source-picture.ts';
import './panels/spectrum.ts';
import './panels/status-strip.ts';
import './panels/sweep-list.ts';
import './panels/video.ts';
import './panels/waterfall.ts';
import './panels/welcome.ts';
import { beginTheme, switchTheme } from './draw/colours.ts';
import { loop } from './draw/loop.ts';
import { ControlForm } from './panels/control-form.ts';
import { HelpDialog } from './panels/help-dialog.ts';
import { RunComparePanel } from './panels/run-compare.ts';
import { saveScreenshot } from './screenshot.ts';
import { act, busy } from './state/actions.ts';
import { connection } from './state/connection.ts';
import { commandWord } from './state/events.ts';
import { hover, pin } from './state/selection.ts';
import { store } from './state/store.ts';

beginTheme();
connection.open();

const find = <T extends Element>(kind: new () => T, name: string): T | null => {
  const element = document.querySelector(name);
  return element instanceof kind ? element : null;
};
const control = () => find(ControlForm, 'sct-control');
/** @param command the one to start with; without: the last */
const openControl = (command?: string) => {
  if (connection.access === 'control') void control()?.open(command);
};
const openHelp = () => find(HelpDialog, 'sct-help')?.open();

document.addEventListener('sct-open-control', (event) =>
  openControl((event as CustomEvent<string | null>).detail ?? undefined),
);
document.addEventListener('sct-help', openHelp);
document.addEventListener('sct-screenshot', saveScreenshot);
document.addEventListener('sct-compare', (event) => {
  void find(RunComparePanel, 'sct-compare')?.show((event as CustomEvent<string[]>).detail);
});

/** Commands that never have a picture, and those that may meet soundings alone. */
const WITHOUT_PICTURE = ['sound', 'record', 'monitor', 'spectrum'];
const MAYBE_PICTURE = ['replay', 'receive'];
/** Commands whose pictures are frames. */
const VIDEO = ['stream', 'watch'];

/** A run without a picture (sound) needs no room for one; without any run there is nothing to show. */
function layOut(): void {
  const { run } = store;
  const without = run !== null && WITHOUT_PICTURE.includes(commandWord(run.command));
  const picture = without ? hasPicture() : mayHavePicture();
  const { classList } = document.documentElement;
  classList.toggle('no-picture', !picture);
  const video = store.video.latest !== null || VIDEO.includes(commandWord(run?.command ?? ''));
  classList.toggle('has-video', video);
  // A video whose radio is not told of has all the room.
  classList.toggle('video-alone', video && store.spectra.length === 0 && store.bursts.length === 0);
  // Soundings and recordings carry no payload: no constellation.
  classList.toggle('no-points', !picture && !store.bursts.last(({ points }) => points.length > 0));
  // No modem looks at it (spectrum, record): there will be no bursts.
  classList.toggle('no-modem', run?.fftSize === 0 && !classList.contains('has-video'));
  classList.toggle('no-run', run === null);
}
function hasPicture(): boolean {
  const { source, pictures } = store;
  return source !== null || pictures.after !== null || pictures.before !== null;
}

/** Who receives knows by the first burst with data. */
function mayHavePicture(): boolean {
  if (!MAYBE_PICTURE.includes(commandWord(store.run?.command ?? '')) || hasPicture()) return true;
  return store.bursts.last(({ use }) => use === 'data' || use === 'retransmission') !== undefined;
}

store.on(['run', 'source', 'picture', 'burst', 'video', 'spectrum'], layOut);
layOut();

/** Space stops what moves: a replay that may be stopped, else the view. */
function pause(): void {
  const { replay } = store;
  if (replay && connection.access === 'control') void act('replay', { action: replay.paused ? 'resume' : 'pause' });
  else {
    loop.freeze(!loop.frozen);
    store.say('connection');
  }
}

const KEYS: Readonly<Record<string, () => void>> = {
  ' ': pause,
  s: saveScreenshot,
  c: () => openControl(),
  r: () => openControl('record'),
  x: () => {
    if (busy() && connection.access === 'control') void act('stop');
  },
  d: switchTheme,
  '?': openHelp,
  Escape: () => {
    control()?.close();
    hover(null);
    pin(null);
  },
};

document.addEventListener('keydown', (event) => {
  const { target, key, ctrlKey, metaKey, altKey } = event;
  const typing = target instanceof Element && target.matches('input, select, textarea, button, summary, a, dialog *');
  if (ctrlKey || metaKey || altKey || (typing && key !== 'Escape')) return;
  const act = KEYS[key];
  if (!act) return;
  // An open dialog closes itself by this key.
  if (key !== 'Escape') event.preventDefault();
  act();
});

// The strip and the replay bar lie over the page's ends: as much room is left there.
for (const [name, variable] of [
  ['body > header', '--strip'],
  ['sct-replay', '--bar'],
]) {
  const element = document.querySelector<HTMLElement>(name);
  if (!element) continue;
  new ResizeObserver(() => {
    document.documentElement.style.setProperty(variable, `${element.offsetHeight}px`);
  }).observe(element);
}
