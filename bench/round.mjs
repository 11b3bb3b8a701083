/** A figure as the results hold it: its first four digits. */
export function round(value) {
  return Number(value.toPrecision(4));
}
