import { rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { start } from './process.js';
import { rawParquet } from './raw-parquet.js';
import { cli, float32, folder, npy, npyFile, parquet, uint8, zip } from './support.js';

const files = folder();

const rows = 200;
const columns = (nullable: boolean) => [
  { name: 'logit', data: Array.from({ length: rows }, (_, i) => i / 10), type: 'FLOAT' as const, nullable },
  { name: 'label', data: Array.from({ length: rows }, (_, i) => i % 2), type: 'INT32' as const, nullable },
];
const arrays = { 'logits.npy': float32(...Array(rows).fill(2)), 'targets.npy': uint8(...Array(rows).fill(1)) };
const WHOLE: [string, Uint8Array][] = [
  ['plain.parquet', parquet(columns(false), 90)],
  ['nulls.parquet', parquet(columns(true), 90)],
  ['stored.npz', zip(arrays)],
  ['deflated.npz', zip(arrays, true)],
  [
    'text.csv',
    Buffer.from(`logit,label\n${Array.from({ length: rows }, (_, i) => `${i / 10},${i % 2}`).join('\n')}\n`),
  ],
  ['text.csv.gz', gzipSync(`logit,label\n${'1.5,0\n2,1\n'.repeat(rows)}`)],
  ['lines.jsonl', Buffer.from('{"logit":1.5,"label":0}\n{"logit":2,"label":1}\n'.repeat(rows / 2))],
];

/** What the command says of a file: done, or one line that says what is wrong; never a trace of a program. */
async function scored(file: string): Promise<number> {
  const { code, out, err } = await cli('score', file, '--memory', '64MB', '--json');
  if (code === 0) expect(JSON.parse(out).rows).toBeGreaterThan(0);
  else {
    expect([1, 2]).toContain(code);
    expect(out).toBe('');
    const lines = err.trimEnd().split('\n');
    expect(
      lines.filter((line) => !line.startsWith('focal-loss: warning: ')),
      err,
    ).toHaveLength(1);
    expect(err).not.toMatch(/\bat .*:\d+:\d+|undefined|Cannot read|is not a function|INTERNAL Error|\n {2}/);
  }
  return code;
}

test('bytes damaged at random are read or refused in one line', async () => {
  const change = fc.tuple(fc.nat(), fc.nat(255));
  const cut = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 4 });
  const codes = new Set<number>();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...WHOLE),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      cut,
      async ([name, whole], changes, at) => {
        const bytes = Uint8Array.from(whole);
        for (const [place, value] of changes) bytes[place % bytes.length] = value;
        codes.add(
          await scored(files.write(name, at === null ? bytes : bytes.subarray(0, Math.floor(at * bytes.length)))),
        );
      },
    ),
    { seed: 1, numRuns: 150 },
  );
  expect(codes.has(1)).toBe(true);
});

test('files that are not what their names say', async () => {
  for (const [name, whole] of WHOLE) {
    for (const other of ['as.parquet', 'as.csv', 'as.npz', 'as.jsonl', 'as.csv.gz']) {
      if (name.slice(name.indexOf('.')) === other.slice(2)) continue;
      expect(await scored(files.write(other, whole)), `${name} ${other}`).toBeGreaterThan(0);
    }
  }
  expect(await scored(files.write('zeros.csv', new Uint8Array(5000)))).toBe(1);
  expect(await scored(files.write('folder.csv', 'logit\n'))).toBeGreaterThan(0);
});

/** The most memory that a run took, in bytes. */
async function memoryOf(...argv: string[]): Promise<{ code: number; err: string; bytes: number }> {
  const { child, ended } = start(...argv);
  let bytes = 0;
  const { readFileSync } = await import('node:fs');
  const watch = setInterval(() => {
    try {
      const [, peak] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
      bytes = Math.max(bytes, Number(peak ?? 0) * 1024);
    } catch {
      // it has ended
    }
  }, 10);
  const { code, err } = await ended;
  clearInterval(watch);
  return { code, err, bytes };
}

test.skipIf(process.platform !== 'linux')(
  'a small file that stands for a large one takes no more memory',
  { timeout: 300_000 },
  async () => {
    // 100 MB of zeros in 100 KB; 200 MB of one line in 200 KB
    const length = 25_000_000;
    const long = npyFile(`{'descr': '<f4', 'fortran_order': False, 'shape': (${length},), }`, new Float32Array(length));
    const bomb = files.write(
      'bomb.npz',
      zip({ 'logits.npy': long, 'targets.npy': npy('|u1', [length], new Uint8Array(length)) }, true),
    );
    expect(statSync(bomb).size).toBeLessThan(200_000);
    const zeros = await memoryOf('score', bomb);
    expect([zeros.code, zeros.bytes < 200e6]).toEqual([0, true]);
    const line = files.write(
      'line.csv.gz',
      gzipSync(Buffer.concat([Buffer.from('logit,label\n'), Buffer.alloc(200_000_000, '1')])),
    );
    const { code, err, bytes } = await memoryOf('score', line);
    expect([code, bytes < 500e6]).toEqual([1, true]);
    expect(files.plain(err)).toMatch(/^focal-loss: line\.csv\.gz.*\n$/);
    // 225 bytes that are four million rows
    const many = rawParquet({ rows: 4_000_000 });
    expect(many.length).toBeLessThan(230);
    const much = await memoryOf('score', files.write('many.parquet', many));
    expect([much.code, much.bytes < 400e6]).toEqual([0, true]);
  },
);

test('a Parquet file of two hundred bytes whose parts contradict each other is refused in one line', async () => {
  const wrong = async (parts: Parameters<typeof rawParquet>[0]) => {
    const { code, out, err } = await cli('score', files.write('parts.parquet', rawParquet(parts)));
    expect([code, out]).toEqual([1, '']);
    return files.plain(err);
  };
  const line = /^focal-loss: parts\.parquet: the file is damaged: .{5,100}; write it anew\n$/;
  expect(await wrong({ rows: 10, footerClaims: 1e8 })).toMatch(line);
  expect(await wrong({ rows: 10, dictionaryClaims: 1e8 })).toMatch(line);
  expect(await wrong({ rows: 10, dictionaryClaims: -5 })).toMatch(line);
  expect(await wrong({ rows: 10, statistics: Uint8Array.of(1, 2, 3) })).toMatch(line);
  // statistics that are numbers, if not those of the data, are not looked at
  const statistics = new Uint8Array(Float32Array.of(Number.NaN).buffer);
  const read = await cli('score', files.write('parts.parquet', rawParquet({ rows: 10, statistics })), '--json');
  expect(JSON.parse(read.out)).toMatchObject({ count: 10, positives: 10 });
});

test('a fault far behind the first rows is no end of the file', async () => {
  const [rows, late] = [90_000, 89_000];
  const csv = files.write('late.csv', `logit,label\n${'1.5,0\n'.repeat(late)}1.5,x\n${'1.5,0\n'.repeat(rows - late)}`);
  expect(await cli('score', csv)).toEqual({
    code: 1,
    out: '',
    err: `focal-loss: ${csv}, line ${late + 2}: expected a number in column "label", got "x"\n`,
  });
  const made = `SELECT 1.5::FLOAT AS logit, CASE WHEN i = ${late} THEN error('no such label') ELSE 0 END AS label`;
  const out = files.path('late-out.csv');
  expect(await cli('score', '--sql', `${made} FROM range(${rows}) AS every(i)`, '--out', out)).toEqual({
    code: 1,
    out: '',
    err: 'focal-loss: --sql: no such label\n',
  });
  expect(files.names()).not.toContain('late-out.csv');
});

test('a file that is cut or goes away while it is read', async () => {
  const length = 3_000_000;
  const x = files.write('long-x.npy', npy('<f4', [length], new Float32Array(length)));
  const y = files.write('long-y.npy', npy('|u1', [length], new Uint8Array(length)));
  const { Sink } = await import('./support.js');
  const { run } = await import('../src/run.js');
  // the first logit is infinite: its warning comes when the first block is done
  writeFileSync(x, npy('<f4', [length], new Float32Array(length).fill(Infinity, 0, 1)));
  const [stdout, stderr] = [new Sink(), new Sink()];
  stderr.once('text', () => truncateSync(x, 1_000_000));
  expect(await run(['score', x, y], { stdout, stderr })).toBe(1);
  expect(files.plain(stderr.text)).toMatch(
    /focal-loss: long-x\.npy: the file is truncated: it ends at byte 1000000\n$/,
  );
  rmSync(x);
  expect((await cli('score', x, y)).err).toMatch(/long-x\.npy: no such file or directory\n$/);
});
