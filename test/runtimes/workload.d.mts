export function digest(library: object): { hash: string; parts: Record<string, string> };
