// What the page costs: all panels in sight, 30 updates a second of each, headless Chromium without GPU.
//   node --import tsx test/dashboard/web/measure.ts [seconds] [width] [height] [video]      video: its frames, 256 x 256, besides
import { readdirSync, readFileSync } from 'node:fs';
import { builtPage, launch, openPage } from './browser.ts';
import { Feeder } from './feeder.ts';
import { burst, SFVS, sfvs, spectrum, status } from './made-run.ts';
import { video } from './made-video.ts';
import { furnish, pictureRun, videoRun } from './scenes.ts';

const withVideo = process.argv.includes('video');
const numbers = process.argv.slice(2).filter((word) => word !== 'video');
const [seconds = 15, width = 1280, height = 1200] = numbers.map(Number);
const RATE = 30;
/** Ticks of /proc/PID/stat a second (Linux). */
const TICKS = 100;

/** CPU time of the browser's processes by kind, s: everything that this process started. */
function cpuByKind(): Map<string, number> {
  const parents = new Map<number, { parent: number; cpu: number; kind: string }>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      const kind = /--type=([a-z-]+)/.exec(command)?.[1] ?? 'browser';
      parents.set(Number(pid), {
        parent: Number(fields[1]),
        cpu: (Number(fields[11]) + Number(fields[12])) / TICKS,
        kind,
      });
    } catch {
      // It ended meanwhile.
    }
  }
  const out = new Map<string, number>();
  for (const [pid, { cpu, kind }] of parents) {
    let up = pid;
    while (up > 1 && up !== process.pid) up = parents.get(up)?.parent ?? 0;
    if (up === process.pid && pid !== process.pid) out.set(kind, (out.get(kind) ?? 0) + cpu);
  }
  return out;
}

const feeder = await Feeder.start(builtPage());
await furnish(feeder);
feeder.snapshot = [
  ...(await (withVideo ? videoRun() : pictureRun())),
  { topic: 'replay', positionS: 1, lengthS: 60, speed: 1, paused: false, loop: null },
];
const browser = await launch();
const { page, complaints } = await openPage(browser, feeder.url, { viewport: { width, height } });
// The first two rows fill a window; here they are as tall as in one of 1280 x 800, so that the third is in sight as well.
await page.evaluate(`document.querySelector('main').style.gridTemplateRows = '286px 404px'`);
await page.waitForTimeout(2000);

let n = 200;
const timer = setInterval(() => {
  n++;
  feeder.tell(
    spectrum(n),
    burst(2 * n + 1, { startS: n / RATE }),
    sfvs(n % (SFVS + 1)),
    status(n, { timeS: n / RATE }),
    { topic: 'replay', positionS: n / RATE, lengthS: 60, speed: 1, paused: false, loop: null },
  );
  if (withVideo) void video(n).then((frame) => feeder.tell(frame));
  if (n % 5 === 0) feeder.tell({ topic: 'log', level: 'note', at: new Date().toISOString(), text: `burst ${n}` });
}, 1000 / RATE);
await page.waitForTimeout(3000);

const devtools = await page.context().newCDPSession(page);
await devtools.send('Performance.enable');
const taskS = async () => {
  const { metrics } = await devtools.send('Performance.getMetrics');
  return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
};
const painted = `Object.fromEntries([...document.querySelectorAll('*')].filter((e) => typeof e.painted === 'number').map((e) => [e.localName, e.painted]))`;
const [before, cpuBefore, paintedBefore] = [
  await taskS(),
  cpuByKind(),
  (await page.evaluate(painted)) as Record<string, number>,
];
const startMs = performance.now();
await page.waitForTimeout(1000 * seconds);
const lastedS = (performance.now() - startMs) / 1000;
const [now, cpuNow, paintedNow] = [
  await taskS(),
  cpuByKind(),
  (await page.evaluate(painted)) as Record<string, number>,
];
clearInterval(timer);
const share = (value: number) => Number((value / lastedS).toFixed(3));
const cpu = Object.fromEntries([...cpuNow].map(([kind, value]) => [kind, share(value - (cpuBefore.get(kind) ?? 0))]));
console.log(
  JSON.stringify(
    {
      viewport: [width, height],
      seconds: Number(lastedS.toFixed(1)),
      paintsPerS: Object.fromEntries(
        Object.entries(paintedNow).map(([name, value]) => [
          name,
          Number(((value - (paintedBefore[name] ?? 0)) / lastedS).toFixed(1)),
        ]),
      ),
      mainThread: Object.fromEntries(
        ['TaskDuration', 'ScriptDuration', 'LayoutDuration', 'RecalcStyleDuration'].map((name) => [
          name,
          share(now[name] - before[name]),
        ]),
      ),
      heapMB: Number((now.JSHeapUsedSize / 1e6).toFixed(1)),
      cores: cpu,
      coresTogether: Number(
        Object.values(cpu)
          .reduce((a, b) => a + b, 0)
          .toFixed(3),
      ),
      complaints,
    },
    null,
    1,
  ),
);
await browser.close();
await feeder.close();
