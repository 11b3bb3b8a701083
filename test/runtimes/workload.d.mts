export function digest(library: object, width?: 'float32' | 'float64'): { hash: string; parts: Record<string, string> };
