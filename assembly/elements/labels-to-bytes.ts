import { IGNORED } from '../frame';

/**
 * Integer labels to the bytes that the binary losses read: 0, 1, or IGNORED for a label equal to `ignore`, which is NaN where
 * none is ignored. Returns whether any label is none of these; its byte is then 0.
 */
export function labelsToBytes<Label>(source: usize, destination: usize, count: i32, ignore: f64): bool {
  const ignored = <Label>ignore;
  const canIgnore = <f64>ignored == ignore; // what the kind cannot hold is never met
  let bad = false;
  for (let i = 0; i < count; i++) {
    const label = load<Label>(source + <usize>i * sizeof<Label>());
    const isIgnored = canIgnore && label == ignored;
    const binary = label == 0 || label == 1;
    bad = bad || !(isIgnored || binary);
    store<u8>(destination + i, isIgnored ? IGNORED : binary ? <u8>label : 0);
  }
  return bad;
}
