// Every loss of the registry in the playground: its values, as each of its options moves, are those of its formula.

const POSITION = 0.8;
/** The table shows four figures. */
const RELATIVE = 2e-3;
const ABSOLUTE = 2e-6;

/** What the page is asked to do, and what it must then show. */
export function familyChecks({ LOSSES, ROW_LOSSES, defaultsOf }) {
  const names = [...new Set(LOSSES.map(({ name }) => name))];
  const elements = names.map((name) => {
    const entries = LOSSES.filter((entry) => entry.name === name);
    const options = Object.assign({}, ...entries.map((entry) => entry.options));
    const choices = entries.flatMap(({ fixed }) => Object.entries(fixed ?? {}));
    const targets = entries[0].soft ? [1, 0.3] : [1, 0];
    const value = (target, o, { softTargets }) => {
      const entry = entries.find(({ fixed }) => fixed?.softTargets === softTargets);
      return (x) => entry.value(x, Math.fround(target), { ...defaultsOf({ options }), ...o });
    };
    return checkOf({ name, options, choices, targets, value });
  });
  const rows = ROW_LOSSES.map(({ name, options, values }) => {
    const isSoftmax = name === 'SoftmaxFocalLoss';
    const value = (target, o) => (x) => {
      const all = { ...defaultsOf({ options }), ...o };
      const own = isSoftmax ? x + Math.log(all.numClasses - 1) : x;
      return values([own, ...Array(all.numClasses - 1).fill(0)], target === 1 ? 0 : 1, all)[0];
    };
    return checkOf({ name, options, choices: [], targets: isSoftmax ? [1] : [1, 0], value });
  });
  return [...elements, ...rows];
}

function checkOf({ name, options, choices, targets, value }) {
  const curves = targets.map((target) => `curve=${name}${target === 1 ? '' : `;target=${target}`}`);
  const moves = targets.flatMap((target, card) => [
    ...Object.entries(options).map(([option, { fallback, min, max, step }]) => {
      const to = Number((min + step * Math.round((0.35 * (max - min)) / step)).toFixed(6));
      return {
        card,
        option,
        to: to === fallback ? max : to,
        expected: value(target, { [option]: to === fallback ? max : to }, {}),
      };
    }),
    ...choices.map(([option, to]) => ({ card, option, to, expected: value(target, {}, { [option]: to }) })),
  ]);
  const link = { hash: `#x=x&show=loss&${curves.join('&')}`, position: POSITION, moves };
  return { name, link, start: targets.map((target) => value(target, {}, {})) };
}

export const withMoves = (count) => (check) => ({
  ...check,
  link: { ...check.link, moves: check.link.moves.slice(0, count) },
});

export async function checkFamily(ask, checks) {
  const given = checks.map(({ link }) => ({
    ...link,
    moves: link.moves.map(({ card, option, to }) => ({ card, option, to })),
  }));
  const { found } = await ask('family', given);
  let moved = 0;
  checks.forEach(({ name, link, start }, k) => {
    start.forEach((value, card) => {
      near(found[k].start[card], value, `${name}, curve ${card + 1}`);
    });
    link.moves.forEach(({ card, option, to, expected }, m) => {
      const { moved: values, link: written } = found[k].after[m];
      near(values, expected, `${name}, curve ${card + 1}, ${option} ${to}`);
      if (!written.includes(`${option}=${to}`)) throw new Error(`${name}: the link ${written} has no ${option}=${to}`);
      moved++;
    });
  });
  return `${checks.length} losses, ${moved} moves`;
}

/** Loss, gradient and Hessian that the table shows, beside the formula and its differences. */
function near(shown, f, what) {
  const h = 1e-4;
  const [below, at, above] = [f(POSITION - h), f(POSITION), f(POSITION + h)];
  const expected = [at, (above - below) / (2 * h), (above - 2 * at + below) / h ** 2];
  expected.forEach((wanted, k) => {
    if (!(Math.abs(shown[k] - wanted) <= RELATIVE * Math.abs(wanted) + ABSOLUTE))
      throw new Error(`${what}: ${['loss', 'gradient', 'Hessian'][k]} is ${shown[k]}, expected ${wanted}`);
  });
}
