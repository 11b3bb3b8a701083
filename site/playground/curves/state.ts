// What the curves' page shows, as the part of the link after #: #x=p&show=loss,grad&curve=FocalLoss;target=1;gamma=2
import { defaultsOf, lossOf, type OptionValue, type OptionValues, takes } from '../shared/losses.js';

export const AXES = { p: 'Probability of the target’s class', x: 'Logit' } as const;
export const QUANTITIES = { loss: 'Loss', grad: 'Gradient', hess: 'Hessian' } as const;
export type Axis = keyof typeof AXES;
export type Quantity = keyof typeof QUANTITIES;

export interface CurveState {
  loss: string;
  target: number;
  options: OptionValues;
}

export interface PageState {
  axis: Axis;
  show: Quantity[];
  log: boolean;
  curves: CurveState[];
}

/** As many as there are colours and dashes to tell apart. */
export const MOST_CURVES = 6;

export const START =
  '#x=p&show=loss&curve=FocalLoss;gamma=0;alpha=null&curve=FocalLoss;gamma=1;alpha=null&curve=FocalLoss;gamma=2;alpha=null&curve=FocalLoss;gamma=5;alpha=null';

export function write({ axis, show, log, curves }: PageState): string {
  const parts = [`x=${axis}`, `show=${show.join(',')}`];
  if (log) parts.push('log=1');
  for (const { loss, target, options } of curves) {
    const kind = lossOf(loss);
    if (kind === undefined) continue;
    const changed = kind.options.filter(({ name, value }) => options[name] !== value);
    const pairs = changed.map(({ name }) => `${name}=${options[name]}`);
    parts.push(`curve=${[loss, ...(target === 1 ? [] : [`target=${target}`]), ...pairs].join(';')}`);
  }
  return `#${parts.join('&')}`;
}

/** Whatever is not understood is left out: a link may be older or newer than the page. */
export function read(hash: string): PageState {
  const state: PageState = { axis: 'p', show: [], log: false, curves: [] };
  for (const part of decodeURIComponent(hash.slice(1)).split('&')) {
    const [key, value = ''] = split(part, '=');
    if (key === 'x' && value in AXES) state.axis = value as Axis;
    if (key === 'show') state.show = value.split(',').filter((name): name is Quantity => name in QUANTITIES);
    if (key === 'log') state.log = value === '1';
    if (key === 'curve' && state.curves.length < MOST_CURVES) {
      const curve = readCurve(value);
      if (curve !== undefined) state.curves.push(curve);
    }
  }
  if (state.show.length === 0) state.show = ['loss'];
  return state;
}

function readCurve(text: string): CurveState | undefined {
  const [loss, ...pairs] = text.split(';');
  const kind = lossOf(loss);
  if (kind === undefined) return undefined;
  const given = new Map(pairs.map((pair) => split(pair, '=')));
  const options: Record<string, OptionValue> = { ...defaultsOf(kind) };
  for (const option of kind.options) {
    const value = given.get(option.name);
    if (value === undefined) continue;
    const meant = option.kind === 'choice' || value === '' ? value : value === 'null' ? null : Number(value);
    if (takes(option, meant)) options[option.name] = meant;
  }
  const target = Number(given.get('target') ?? 1);
  const fits =
    target === 1 || (kind.targets === 'soft' && target >= 0 && target <= 1) || (kind.targets !== 'row' && target === 0);
  return { loss, target: fits ? target : 1, options };
}

function split(text: string, at: string): [string, string] {
  const index = text.indexOf(at);
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)];
}
