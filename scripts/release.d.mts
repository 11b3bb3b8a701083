interface State {
  readonly manifest: { readonly version: string; readonly repository: { readonly url: string } };
  readonly cli: { readonly version: string; readonly repository?: { readonly url: string } };
  readonly changelog: string;
  readonly hash: string;
  readonly expected: string;
  readonly first?: string;
  readonly tag?: string;
  readonly repository?: string;
}
export function problemsOf(state: State): string[];
