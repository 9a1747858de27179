import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { constants, writeFileSync } from 'node:fs';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** Programs that the system test starts, and the Debian package of each. */
const PROGRAMS: Readonly<Record<string, string>> = {
  'qemu-system-x86_64': 'qemu-system-x86',
  'apt-cache': 'apt',
  'dpkg-deb': 'dpkg',
  depmod: 'kmod',
  cpio: 'cpio',
  busybox: 'busybox-static',
  lsusb: 'usbutils',
  hackrf_transfer: 'hackrf',
  usbip: 'usbip',
  iio_readdev: 'libiio-utils',
};

const NO_OFFLOAD = ['gso', 'host_tso4', 'host_tso6', 'guest_tso4', 'guest_tso6'].map((name) => `${name}=off`).join();

/** Where kernel and initial RAM disk are kept between runs: SCT_SYSTEM_CACHE, or the user's cache folder. */
export const CACHE = process.env.SCT_SYSTEM_CACHE ?? join(homedir(), '.cache', 'sct-system-test');

/** Why the system test cannot run here; null: it can. */
export async function whyNot(): Promise<string | null> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'it needs Linux on x86-64';
  const missing: string[] = [];
  for (const [program, debianPackage] of Object.entries(PROGRAMS)) {
    if (!(await whereIs(program))) missing.push(debianPackage);
  }
  const busybox = await whereIs('busybox');
  // Its dynamic sibling needs libraries that the RAM disk does not hold.
  if (busybox && (await readFile(busybox)).subarray(0, 4096).includes('ld-linux')) missing.push('busybox-static');
  return missing.length ? `install ${missing.join(' ')} (Debian packages)` : null;
}

async function whereIs(program: string): Promise<string | null> {
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']) {
    if (!folder) continue;
    const path = join(folder, program);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return null;
}

export interface GuestImage {
  readonly kernel: string;
  readonly initrd: string;
  /** libiio's server; the guest sees it under the same path. */
  readonly iiod: string;
}

/** Kernel, RAM disk and iiod; made on the first run, which downloads 70 MB. */
export async function guestImage(): Promise<GuestImage> {
  await mkdir(CACHE, { recursive: true });
  const { stdout } = await promisify(execFile)(join(HERE, 'guest-image.sh'), [CACHE], {
    timeout: 600_000,
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  });
  const [kernel, initrd, iiod] = stdout.trim().split('\n').at(-1)!.split(' ');
  return { kernel, initrd, iiod };
}

/** A step of the guest: shell commands under a name. What they print and their exit code come back. */
export interface Step {
  readonly name: string;
  readonly commands: string;
}

export interface StepResult {
  readonly text: string;
  readonly code: number | null;
}

/**
 * Boots a guest that sees this machine's files (read-only, with a layer of memory), runs the steps and powers off. The folder `results` is
 * $RESULTS in the guest and writable.
 */
export async function runGuest(options: GuestOptions): Promise<ReadonlyMap<string, StepResult>> {
  await writeFile(join(options.results, 'steps.sh'), guestScript(options.steps));
  let console_ = '';
  // Once more where it does not come up: a starved emulator may fail its own kernel's checks.
  for (let attempt = 0; attempt < 2; attempt++) {
    console_ = await boot(options);
    const found = new Map<string, StepResult>();
    for (const { name } of options.steps) {
      const text = await readFile(join(options.results, `${name}.out`), 'utf8').catch(() => null);
      const code = await readFile(join(options.results, `${name}.code`), 'utf8').catch(() => null);
      if (text !== null) found.set(name, { text, code: code === null ? null : Number(code) });
    }
    if (found.size > 0) return found;
  }
  throw new Error(`the guest did not come up:\n${console_}`);
}

export interface GuestOptions {
  readonly image: GuestImage;
  readonly results: string;
  readonly steps: readonly Step[];
  /** Sockets of boards on the guest's USB. */
  readonly usbredir: readonly string[];
  /** 127.0.0.1 of this machine is 10.0.2.2 in the guest. */
  readonly hasNetwork: boolean;
  /** TAP interfaces of this machine that are eth0, eth1, ... in the guest; made here, gone when it ends. */
  readonly taps?: readonly string[];
  readonly timeoutMs: number;
  /** A step is about to begin; null: the guest is at its end. What the step before asked of the boards has been heard. */
  readonly onStep?: (name: string | null) => void;
  /** Hears the guest's console. */
  readonly onLine?: (line: string) => void;
}

/** Runs QEMU until the guest has powered off; what it printed. */
function boot(options: GuestOptions): Promise<string> {
  const { image, results, usbredir } = options;
  const qemu = spawn(
    'qemu-system-x86_64',
    [
      ...['-M', 'q35', '-accel', 'tcg,thread=multi', '-cpu', 'max', '-m', '1536', '-smp', '2'],
      ...['-nodefaults', '-display', 'none', '-no-reboot', '-serial', 'stdio'],
      ...['-kernel', image.kernel, '-initrd', image.initrd],
      ...['-append', `console=ttyS0 quiet panic=-1 mitigations=off no_timer_check`],
      ...['-virtfs', 'local,path=/,mount_tag=hostfiles,security_model=none,readonly=on,multidevs=remap'],
      ...['-virtfs', `local,path=${results},mount_tag=results,security_model=none`],
      ...(options.hasNetwork ? ['-netdev', 'user,id=n0', '-device', 'virtio-net-pci,netdev=n0,romfile='] : []),
      // Packets one by one, as they go over a cable: what is lost is one of them.
      ...(options.taps ?? []).flatMap((tap, i) => [
        ...['-netdev', `tap,id=t${i},ifname=${tap},script=no,downscript=no`],
        ...['-device', `virtio-net-pci,netdev=t${i},romfile=,${NO_OFFLOAD}`],
      ]),
      ...['-device', 'qemu-xhci,p2=8,p3=8'],
      ...usbredir.flatMap((path, i) => [
        ...['-chardev', `socket,id=r${i},path=${path}`],
        ...['-device', `usb-redir,chardev=r${i}`],
      ]),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  return followed(qemu, options.timeoutMs, (line) => {
    const step = /^guest: (?:step (\w+)|script ended)/.exec(line);
    if (step) options.onStep?.(step[1] ?? null);
    if (step?.[1]) writeFileSync(join(results, `${step[1]}.go`), '');
    options.onLine?.(line);
  });
}

/** A step begins once the host has said so: what it does on its USB may otherwise be seen before its name is heard. */
function guestScript(steps: readonly Step[]): string {
  const parts = steps.map(
    ({ name, commands }) => `step ${name}
( cd /tmp && ${commands}
) > "$RESULTS/${name}.out" 2>&1 < /dev/null
echo $? > "$RESULTS/${name}.code"
`,
  );
  return `export RESULTS=/results
step() { rm -f "$RESULTS/$1.go"; echo "guest: step $1" > /dev/console; until [ -e "$RESULTS/$1.go" ]; do sleep 0.05; done; }
${parts.join('')}sync
`;
}

/** Console of a QEMU until it ends; ended by force after the time-out. */
function followed(qemu: ChildProcess, timeoutMs: number, onLine: (line: string) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    let told = 0;
    const hear = (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\n', told); end >= 0; end = text.indexOf('\n', told)) {
        onLine(text.slice(told, end).trimEnd());
        told = end + 1;
      }
    };
    qemu.stdout?.on('data', hear);
    qemu.stderr?.on('data', hear);
    const timer = setTimeout(() => qemu.kill('SIGKILL'), timeoutMs);
    const stop = () => qemu.kill('SIGKILL');
    process.once('exit', stop);
    qemu.once('error', reject);
    qemu.once('close', () => {
      clearTimeout(timer);
      process.removeListener('exit', stop);
      resolve(text);
    });
  });
}
