// The losses beside the focal loss, in cases as cases.mjs has them.

import * as library from 'focal-loss-wasm';
import { load } from '../scripts/typescript.mjs';
import { agree, count } from './cases.mjs';
import { binaryInputs } from './inputs.mjs';

/** The losses that others are measured beside. */
const PLAIN = ['BCEWithLogitsLoss', 'FocalLoss'];

/**
 * The losses of losses/registry.ts with their defaults, each beside the focal loss of a general gamma: of the targets that it
 * takes, soft ones or bytes, and of the same results.
 */
export async function familyCases(length) {
  const { defaultsOf, LOSSES } = await load('losses/registry.ts');
  const { logits, targets, soft } = binaryInputs(length);
  const workspace = new library.Workspace(13 * length);
  const x = workspace.float32(length);
  const inputs = { hard: workspace.uint8(length), soft: workspace.float32(length) };
  const out = workspace.float32(length);
  x.set(logits);
  inputs.hard.set(targets);
  inputs.soft.set(soft);
  const gradient = { gradOut: out };
  const casesOf = (title, criterion, kind, beside) => [
    { name: title, run: () => criterion.forward(x, inputs[kind]), ...beside },
    {
      name: `${title}, with gradient`,
      run: () => criterion.valueAndGrad(x, inputs[kind], gradient),
      ...(beside && { ...beside, base: `${beside.base}, with gradient` }),
    },
  ];
  const general = new library.FocalLoss({ gamma: 1.7, reduction: 'sum' });
  const bases = { hard: 'gamma 1.7, bytes', soft: 'gamma 1.7, soft targets' };
  const members = LOSSES.filter(({ name, fixed }) => fixed !== undefined || !PLAIN.includes(name));
  const cases = Object.entries(bases).flatMap(([kind, title]) => casesOf(title, general, kind));
  const checks = [];
  for (const entry of members) {
    const kind = entry.soft ? 'soft' : 'hard';
    const options = defaultsOf(entry);
    const { [entry.name]: Loss } = library;
    const make = (reduction) => new Loss({ ...options, ...entry.fixed, reduction });
    const criterion = make('none');
    cases.push(...casesOf(entry.title, make('sum'), kind, { base: bases[kind], must: 0.6, aim: 0.9 }));
    checks.push(() => {
      const expected = Array.from(logits, (logit, k) => entry.value(logit, inputs[kind][k], options));
      agree(entry.title, criterion.forward(x, inputs[kind]), expected);
    });
  }
  const check = () => {
    for (const each of checks) each();
  };
  return { title: `The family, ${count(length)} elements`, length, cases, check };
}
