// The published declarations under the strictest settings, without Node's types and without a browser's.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './support.js';

const CONSUMER = `import { BCEWithLogitsLoss, FocalLoss, LossMeter, OneHotFocalLoss, SoftmaxFocalLoss } from 'focal-loss-wasm';
import { CalibrationMeter } from 'focal-loss-wasm/metrics';
import { relaxed } from 'focal-loss-wasm/relaxed';
import { fused } from 'focal-loss-wasm/fused';
import { FocalLoss as DoubleFocalLoss, focalPosterior } from 'focal-loss-wasm/float64';
import { Parallel, SharedWorkspace } from 'focal-loss-wasm/parallel';
import { BCEWithLogitsLoss as LiteBase, FocalLoss as LiteFocalLoss } from 'focal-loss-wasm/lite';

export const losses: Float32Array<ArrayBuffer> = new FocalLoss({ gamma: 2, reduction: 'none' }).forward([1], [1]);
const double = new DoubleFocalLoss({ reduction: 'none' });
export const doubles: Float64Array<ArrayBuffer> = double.forward([1], [1], { out: new Float64Array(1) });
export const grad: Float64Array<ArrayBuffer> = double.valueAndGrad(Float32Array.of(1), [1]).grad;
export const probability: Float64Array<ArrayBuffer> = focalPosterior([1]);
const shared = new Parallel(new SoftmaxFocalLoss({ numClasses: 2, reduction: 'none' }));
export const single: Promise<Float32Array> = shared.forward([[1, 2]], [0], { out: new SharedWorkspace(4096).float32(1) });
new LossMeter(shared.criterion);
const wide = new Parallel(double, { threads: 2 });
export const wider: Promise<Float64Array> = wide.forward([1], [1], { out: new Float64Array(1) });
export const slopes: Promise<{ grad: Float64Array; hess: Float64Array }> = wide.gradHess([1], [1]);
// @ts-expect-error results of threads are not float32 either
wide.forward([1], [1], { out: new Float32Array(1) });
// @ts-expect-error results are not float32
double.forward([1], [1], { out: new Float32Array(1) });
export const sum: number = new FocalLoss({ lossFcn: new BCEWithLogitsLoss({ posWeight: 3, reduction: 'sum' }) }).forward([1], [1]);
export const rows: number = new SoftmaxFocalLoss({ numClasses: 2, alpha: 1 }).forward([[1, 2]], [0]);
export const flags: boolean = relaxed || fused;
const meter = new LossMeter(new OneHotFocalLoss({ numClasses: 3 }));
meter.update({ data: new Float32Array(3), dims: [1, 3] }, BigInt64Array.of(1n), { weight: [1], normalizer: 2 });
new CalibrationMeter({ bins: 10 }).update([0.5], [1]);
export const lite: Float32Array<ArrayBuffer> = new LiteFocalLoss({ alpha: null, reduction: 'none' }).forward([1], [1], { weight: [1] });
export const around: number = new LiteFocalLoss({ lossFcn: new LiteBase({ reduction: 'sum' }) }).forward([1], [1]);
// @ts-expect-error the lite entry has values alone
new LiteFocalLoss().valueAndGrad([1], [1]);
// @ts-expect-error the lite entry has one alpha for all
new LiteFocalLoss({ alpha: [0.5, 0.5] });
// @ts-expect-error a misspelt option
new FocalLoss({ gama: 2 });
`;

test.each(['nodenext', 'bundler'])(
  'types hold for %s with exactOptionalPropertyTypes and every declaration checked',
  (resolution) => {
    const folder = mkdtempSync(join(tmpdir(), 'focal-loss-types-'));
    try {
      const installed = join(folder, 'node_modules/focal-loss-wasm');
      mkdirSync(installed, { recursive: true });
      for (const name of ['dist', 'package.json']) cpSync(join(root, name), join(installed, name), { recursive: true });
      writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
      writeFileSync(join(folder, 'consumer.ts'), CONSUMER);
      const compilerOptions = {
        module: resolution === 'bundler' ? 'esnext' : resolution,
        moduleResolution: resolution,
        target: 'es2022',
        lib: ['es2024', 'esnext.disposable'],
        types: [],
        strict: true,
        exactOptionalPropertyTypes: true,
        skipLibCheck: false,
        noEmit: true,
      };
      writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['consumer.ts'] }));
      const tsc = join(root, 'node_modules/typescript/bin/tsc');
      const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' });
      expect(stdout).toBe('');
      expect(status).toBe(0);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
