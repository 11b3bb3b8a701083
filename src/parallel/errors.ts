/** An error of the threads: none of the caller's arguments is wrong. */
export function threadError(cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return coded(`"threads" expected threads that start and live, got one that failed: ${reason}`, cause);
}

export function closedError(): Error {
  return coded('"close" expected no call after it, got one; make a new loss');
}

function coded(message: string, cause?: unknown): Error {
  const error = new Error(message, cause === undefined ? undefined : { cause });
  return Object.assign(error, { code: 'FOCAL_LOSS_THREAD', argument: message.split('"')[1] });
}
