import { digest } from '../workload.mjs';

/** One line of JSON: the digest, or why there is none. */
export function outcome(library, width) {
  try {
    return JSON.stringify(digest(library, width));
  } catch (error) {
    return JSON.stringify({ error: error.message });
  }
}
