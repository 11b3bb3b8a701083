// The same units by one process, without a queue: what every run must give, bit for bit.
//   node single.mjs DIRECTORY [--rows 1000000] [--gamma 2] [--alpha 0.75]
import { parseArgs } from 'node:util';
import { mergeStates, scoreUnit, totalsOf, unitsOf } from './units.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '1000000' },
    gamma: { type: 'string', default: '2' },
    alpha: { type: 'string', default: '0.75' },
  },
});
const loss = { gamma: Number(values.gamma), alpha: Number(values.alpha) };
const states = [];
for (const unit of await unitsOf(positionals[0], Number(values.rows))) states.push(await scoreUnit(unit, loss));
console.log(JSON.stringify(totalsOf(mergeStates(states, loss), loss)));
