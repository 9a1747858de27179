import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { DeviceError, UsageError } from '../../../src/common/errors.ts';
import { FfmpegChild } from '../../../src/experiment/video/ffmpeg-child.ts';
import { FfmpegSource, ffmpegArguments } from '../../../src/experiment/video/ffmpeg-source.ts';
import { centreSquare, FolderSource } from '../../../src/experiment/video/folder-source.ts';
import { FrameSplitter } from '../../../src/experiment/video/frame-splitter.ts';
import { cameraPath, openSource } from '../../../src/experiment/video/open-source.ts';
import { flatImage, type RgbImage } from '../../../src/sct/image/rgb-image.ts';
import { savePng } from '../../../src/sct/image/save.ts';

const hasFfmpeg = spawnSync('ffmpeg', ['-version']).status === 0;
const skip = hasFfmpeg ? false : 'ffmpeg is not installed here';
let folder = '';

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sct-sources-'));
});
after(() => rm(folder, { recursive: true, force: true }));

function meanOf(image: RgbImage): number[] {
  const sum = [0, 0, 0];
  image.data.forEach((v, i) => {
    sum[i % 3] += v;
  });
  return sum.map((s) => s / (image.width * image.height));
}

describe('FolderSource', () => {
  it('plays pictures in the order of their names, once or again and again, middle of each', async () => {
    const dir = join(folder, 'pictures');
    execFileSync('mkdir', ['-p', dir]);
    for (const [name, level] of [
      ['b', 120],
      ['a', 40],
      ['c', 200],
    ] as const) {
      await savePng(join(dir, `${name}.png`), flatImage(300, 280, level));
    }
    await writeFile(join(dir, 'notes.txt'), 'no picture');
    const once = await FolderSource.open(dir, 256, false);
    const levels: number[] = [];
    for (let f = await once.next(); f; f = await once.next()) {
      assert.deepEqual([f.image.width, f.image.height], [256, 256]);
      levels.push(f.image.data[0]);
    }
    assert.deepEqual(levels, [40, 120, 200]);
    const again = await FolderSource.open(dir, 512, true);
    await again.warm();
    const seen = [];
    for (let i = 0; i < 7; i++) seen.push((await again.next())!.image.data[0]);
    assert.deepEqual(seen, [40, 120, 200, 40, 120, 200, 40]);
    // All threads see the same bytes; what is known of a picture is known of one frame.
    const [first, , , second] = [await again.next(), await again.next(), await again.next(), await again.next()];
    assert.ok(first!.image.data.buffer instanceof SharedArrayBuffer);
    assert.equal(first!.image.data.buffer, second!.image.data.buffer);
    assert.notEqual(first!.image, second!.image);
  });

  it('crops the largest square of the middle', async () => {
    const photo = flatImage(400, 200, 0);
    for (let y = 0; y < 200; y++) photo.data.fill(255, 3 * (y * 400 + 100), 3 * (y * 400 + 300));
    assert.ok(meanOf(await centreSquare(photo, 256)).every((v) => v === 255));
  });

  it('names what is wrong: no picture, a picture that is none', async () => {
    const dir = join(folder, 'none');
    execFileSync('mkdir', ['-p', dir]);
    await assert.rejects(openSource(dir, { sizePx: 256, fps: 30, loop: false }), /holds no picture/);
    await writeFile(join(dir, 'x.png'), 'not a picture');
    await assert.rejects(openSource(dir, { sizePx: 256, fps: 30, loop: false }), UsageError);
    await assert.rejects(openSource(join(folder, 'absent'), { sizePx: 256, fps: 30, loop: false }), /no such file/);
  });
});

describe('FrameSplitter', () => {
  it('gives the same frames however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.uint8Array({ maxLength: 400 }),
        fc.array(fc.nat(60)),
        (size, bytes, cuts) => {
          const splitter = new FrameSplitter(size);
          const frames: Uint8Array[] = [];
          let at = 0;
          for (const cut of [...cuts, bytes.length]) {
            frames.push(...splitter.push(bytes.subarray(at, at + cut)));
            at = Math.min(bytes.length, at + cut);
          }
          assert.equal(frames.length, Math.floor(bytes.length / size));
          for (const [i, f] of frames.entries()) assert.deepEqual(f, bytes.slice(i * size, (i + 1) * size));
          assert.equal(splitter.left, bytes.length % size);
        },
      ),
    );
  });
});

describe('cameras', () => {
  it('are v4l2 devices by their path; nothing else is', () => {
    assert.equal(cameraPath('/dev/video0'), '/dev/video0');
    assert.equal(cameraPath('camera:/dev/video12'), '/dev/video12');
    assert.equal(cameraPath('/dev/sda'), null);
    assert.equal(cameraPath('film.mp4'), null);
    for (const bad of ['camera:', 'camera:/dev/sda', 'camera:/dev/video0 -i x', 'camera:/dev/video9999']) {
      assert.throws(() => cameraPath(bad), UsageError);
    }
  });

  it('that are not there are exit code 3', async () => {
    await assert.rejects(
      openSource('camera:/dev/video987', { sizePx: 256, fps: 30, loop: false }),
      (error: unknown) => {
        assert.ok(error instanceof DeviceError);
        assert.match(error.message, /\/dev\/video987: no such camera/);
        return error.exitCode === 3;
      },
    );
  });
});

describe('FfmpegSource', { skip }, () => {
  const options = { kind: 'file', sizePx: 256, fps: 30, loop: false } as const;

  /** Two seconds at 15 frames/s, 320x240: each frame a grey of its own. */
  async function film(name: string): Promise<string> {
    const path = join(folder, name);
    const frames = Array.from({ length: 30 }, (_, i) => Buffer.alloc(320 * 240 * 3, 20 + 6 * i));
    const made = spawnSync(
      'ffmpeg',
      [
        '-v',
        'error',
        '-f',
        'rawvideo',
        '-pix_fmt',
        'rgb24',
        '-s',
        '320x240',
        '-r',
        '15',
        '-i',
        '-',
        '-c:v',
        'ffv1',
        '-y',
        path,
      ],
      { input: Buffer.concat(frames) },
    );
    assert.equal(made.status, 0, String(made.stderr));
    return path;
  }

  it('reads every frame at the rate that is asked for, squared and scaled', async () => {
    const source = await FfmpegSource.open({ ...options, path: await film('film.mkv') });
    const levels: number[] = [];
    for (let f = await source.next(); f; f = await source.next()) {
      assert.deepEqual([f.image.width, f.image.height, f.image.data.length], [256, 256, 256 * 256 * 3]);
      levels.push(Math.round(meanOf(f.image)[0]));
    }
    await source.close();
    // 15 frames/s shown at 30: each twice.
    assert.equal(levels.length, 60);
    for (const [i, v] of levels.entries()) assert.ok(Math.abs(v - (20 + 6 * (i >> 1))) <= 8, `frame ${i}: ${v}`);
  });

  it('begins anew where it loops, and waits for its reader', async () => {
    const source = await FfmpegSource.open({ ...options, loop: true, path: await film('loop.mkv') });
    let first = -1;
    for (let i = 0; i <= 60; i++) {
      const level = Math.round(meanOf((await source.next())!.image)[0]);
      if (i === 0) first = level;
      if (i === 60) assert.ok(Math.abs(level - first) <= 8);
    }
    await source.close();
    assert.equal(await source.next(), null);
  });

  it('refuses what is no video, by name, without reading what it names', async () => {
    const bad: [string, string | Buffer][] = [
      ['text.mp4', 'this is no video'],
      ['empty.mp4', ''],
      ['random.mkv', Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) & 255))],
      ['list.m3u8', '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n'],
      ['concat.txt', "ffconcat version 1.0\nfile '/etc/passwd'\n"],
    ];
    for (const [name, content] of bad) {
      const path = join(folder, name);
      await writeFile(path, content);
      await assert.rejects(FfmpegSource.open({ ...options, path }), (error: unknown) => {
        assert.ok(error instanceof UsageError, `${name}: ${error}`);
        assert.ok(error.message.includes(name), error.message);
        return true;
      });
    }
    await assert.rejects(FfmpegSource.open({ ...options, path: join(folder, 'absent.mp4') }), /no such file/);
    await assert.rejects(FfmpegSource.open({ ...options, path: '/dev/zero' }), /not a regular file/);
  });

  it('takes a name for a name: options and protocols in it mean nothing', async () => {
    const path = join(folder, '-y concat:a|b.mkv');
    await symlink(await film('plain.mkv'), path);
    const source = await FfmpegSource.open({ ...options, path });
    assert.ok(await source.next());
    await source.close();
    assert.ok(ffmpegArguments({ ...options, path: '-x' }).every((word) => word !== '-x'));
  });

  it('says which program is missing', async () => {
    const path = await film('missing.mkv');
    await assert.rejects(FfmpegSource.open({ ...options, path, program: 'no-such-ffmpeg' }), (error: unknown) => {
      assert.ok(error instanceof DeviceError);
      assert.match(error.message, /no-such-ffmpeg is not installed/);
      return true;
    });
  });
});

describe('FfmpegChild', { skip }, () => {
  const endless = ['-f', 'lavfi', '-i', 'testsrc=s=64x64', '-f', 'rawvideo', 'pipe:1'];

  it('ends when it is closed', async () => {
    const child = FfmpegChild.start({ args: endless, stdin: false, stdout: true });
    await new Promise((resolve) => child.stdout!.once('data', resolve));
    await child.close();
    assert.notEqual(await child.ended, 0);
  });

  it('does not outlive a parent that is killed', async () => {
    const module = JSON.stringify(new URL('../../../src/experiment/video/ffmpeg-child.ts', import.meta.url).href);
    const code = `import(${module}).then(({ FfmpegChild }) => {
      const c = FfmpegChild.start({ args: ${JSON.stringify(endless)}, stdin: false, stdout: true });
      c.stdout.once('data', () => { c.stdout.pause(); process.stdout.write('pid ' + c.pid + '\\n'); });
      c.stdout.on('data', () => {});
    });`;
    const parent = spawn(process.execPath, ['--import', 'tsx', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    const pid = await new Promise<number>((resolve) => {
      parent.stdout.on('data', (text) => {
        const found = /pid (\d+)/.exec(String(text));
        if (found) resolve(Number(found[1]));
      });
    });
    assert.ok(pid > 0);
    parent.kill('SIGKILL');
    for (let i = 0; i < 200 && alive(pid); i++) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.ok(!alive(pid), 'ffmpeg is still running');
  });
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // A process that nobody waits for any more has ended all the same.
  return !/^State:\s+Z/m.test(spawnSync('cat', [`/proc/${pid}/status`]).stdout.toString());
}
