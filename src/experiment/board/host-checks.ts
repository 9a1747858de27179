import { constants } from 'node:fs';
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findUsbBoards, type SearchedPlace } from './find-boards.ts';

/** One thing that boards need of this machine. */
export interface HostCheck {
  readonly name: 'node' | 'usb' | 'permission' | 'rules' | 'usbfs' | 'serial';
  /** Null: nothing to say, for want of boards, ports or a Linux kernel. */
  readonly ok: boolean | null;
  readonly found: string;
  readonly fix: string | null;
}

export interface HostOptions {
  /** Where /sys, /dev and /etc are. */
  readonly root?: string;
  readonly nodeVersion?: string;
  readonly findBoards?: () => Promise<SearchedPlace>;
}

const MIN_NODE = 20;
/** The kernel's limit for all USB transfers together: 8 of 256 KiB a board, and as much again for what is queued. */
const MIN_USBFS_MB = 16;
const RULES_FIX =
  'sudo cp hardware/udev/60-sct.rules /etc/udev/rules.d/ && sudo udevadm control --reload-rules && sudo udevadm trigger';

/** Looks at this machine: Node, libusb, permissions, udev rules, USB memory, serial ports. Never throws for what it finds. */
export async function checkHost(options: HostOptions = {}): Promise<HostCheck[]> {
  const { root = '/', nodeVersion = process.versions.node } = options;
  const usb = await (options.findBoards ?? (() => findUsbBoards({ kind: 'libusb' })))();
  const blocked = usb.boards.filter(({ problem }) => problem !== null);
  const major = Number(nodeVersion.split('.')[0]);
  return [
    {
      name: 'node',
      ok: major >= MIN_NODE,
      found: `Node ${nodeVersion}`,
      fix: major >= MIN_NODE ? null : `install Node ${MIN_NODE} or newer`,
    },
    {
      name: 'usb',
      ok: usb.problem === null,
      found: usb.problem?.reason ?? `libusb works; ${usb.boards.length} boards`,
      fix: usb.problem?.hint ?? null,
    },
    {
      name: 'permission',
      ok: usb.boards.length === 0 ? null : blocked.length === 0,
      found:
        usb.boards.length === 0
          ? 'no board to open'
          : blocked.map(({ place, problem }) => `${place}: ${problem?.reason}`).join('; ') ||
            'every board can be opened',
      fix: blocked[0]?.problem?.hint ?? null,
    },
    await checkRules(root),
    await checkUsbfs(root),
    await checkSerial(root),
  ];
}

async function checkRules(root: string): Promise<HostCheck> {
  const folders = ['etc/udev/rules.d', 'lib/udev/rules.d', 'usr/lib/udev/rules.d'];
  const lists = await Promise.all(folders.map((folder) => readdir(join(root, folder)).catch(() => null)));
  if (lists.every((list) => list === null)) return { name: 'rules', ok: null, found: 'no udev here', fix: null };
  // /lib is often /usr/lib: one file, two names.
  const all = new Set(lists.flatMap((list) => list ?? []));
  const rules = [...all].filter((file) => /(sct|hackrf|plutosdr).*\.rules$/.test(file));
  const ok = rules.length > 0;
  return {
    name: 'rules',
    ok,
    found: ok ? `udev: ${rules.join(', ')}` : 'no udev rules for the boards',
    fix: ok ? null : RULES_FIX,
  };
}

async function checkUsbfs(root: string): Promise<HostCheck> {
  const path = 'sys/module/usbcore/parameters/usbfs_memory_mb';
  const text = await readFile(join(root, path), 'utf8').catch(() => null);
  const megabytes = text === null ? Number.NaN : Number(text.trim());
  if (!Number.isInteger(megabytes))
    return { name: 'usbfs', ok: null, found: 'no limit of USB memory known', fix: null };
  // 0 is no limit.
  const ok = megabytes === 0 || megabytes >= MIN_USBFS_MB;
  return {
    name: 'usbfs',
    ok,
    found: `${megabytes === 0 ? 'no limit' : `${megabytes} MB`} for USB transfers`,
    fix: ok ? null : `echo ${MIN_USBFS_MB} | sudo tee /${path}`,
  };
}

/** Names in /dev of serial ports that were plugged in. */
export async function serialPorts(root = '/'): Promise<string[]> {
  const all = await readdir(join(root, 'dev')).catch(() => [] as string[]);
  return all.filter((name) => /^tty(USB|ACM)\d+$/.test(name)).sort();
}

async function checkSerial(root: string): Promise<HostCheck> {
  const ports = await serialPorts(root);
  if (ports.length === 0)
    return { name: 'serial', ok: null, found: 'no serial ports (attenuator, relay, GPSDO)', fix: null };
  const closed: string[] = [];
  for (const port of ports) {
    await access(join(root, 'dev', port), constants.R_OK | constants.W_OK).catch(() => closed.push(port));
  }
  const ok = closed.length === 0;
  return {
    name: 'serial',
    ok,
    found: ok ? `serial ports ${ports.join(', ')}` : `no permission for ${closed.join(', ')}`,
    fix: ok ? null : 'join the group that owns the port (ls -l shows it: dialout or uucp) and log in again',
  };
}
