// What the submitter and the workers agree on.
export const SCORE = 'focal-score';
export const MERGE = 'focal-merge';

/** Commands wait until Redis is back, however long that takes. */
export function connectionOf(url = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379') {
  const { hostname, port, username, password, protocol } = new URL(url);
  return {
    host: hostname,
    port: Number(port || 6379),
    username: username || undefined,
    password: password || undefined,
    tls: protocol === 'rediss:' ? {} : undefined,
    maxRetriesPerRequest: null,
    retryStrategy: (attempt) => Math.min(100 * attempt, 2000),
  };
}

export const unitId = (run, index) => `${run}-unit-${index}`;

/** Says once that Redis is away, and not for each attempt to reach it. */
export function reportLoss(emitter, print = console.error) {
  let away = false;
  emitter.on('error', (error) => {
    if (
      !/ECONN|EPIPE|ETIMEDOUT|EAI_AGAIN|Connection is closed|READONLY|LOADING/.test(`${error.code} ${error.message}`)
    ) {
      return print(`error: ${error.message}`);
    }
    if (!away) print(`Redis is away (${error.code ?? error.message}); waiting for it`);
    away = true;
  });
  return () => {
    if (away) print('Redis is back');
    away = false;
  };
}
