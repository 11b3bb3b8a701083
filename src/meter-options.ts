import { show, wrongKind, wrongValue } from './checks.js';
import { isList, isPlain } from './kinds.js';

/** The options of a loss as JSON has them. */
export type OptionsJSON = { [option: string]: number | string | boolean | null | number[] };

/** Of these a loss does not depend. */
const IMMATERIAL = ['reduction', 'hessian'];

/** Refuses options under which a loss has other values. */
export function checkSameOptions(name: string, given: unknown, expected: OptionsJSON, whose: string): void {
  if (!isPlain(given)) throw wrongKind(name, 'the options of a loss', given);
  for (const key of new Set([...Object.keys(expected), ...Object.keys(given)])) {
    if (!IMMATERIAL.includes(key)) checkSame(`${name}.${key}`, given[key], expected[key], whose);
  }
}

function checkSame(name: string, given: unknown, expected: unknown, whose: string): void {
  if (isList(expected) && isList(given) && given.length === expected.length) {
    expected.forEach((value, k) => {
      checkSame(`${name}[${k}]`, given[k], value, whose);
    });
  } else if (given !== expected) {
    throw wrongValue(name, `${show(expected)} (${whose})`, given, 'a meter adds up losses of the same options');
  }
}
