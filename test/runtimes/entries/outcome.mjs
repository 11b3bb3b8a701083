import { digest } from '../workload.mjs';

/** One line of JSON: the digest, or why there is none. */
export function outcome(library) {
  try {
    return JSON.stringify(digest(library));
  } catch (error) {
    return JSON.stringify({ error: error.message });
  }
}
