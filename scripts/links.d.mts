interface Manifest {
  readonly repository: { readonly url: string };
}
export function addressesOf(manifest: Manifest): { page: string; files: string; images: string };
export function withLinks(text: string, manifest: Manifest): string;
export function fieldsOf(
  manifest: Manifest,
  folder?: string,
): { homepage: string; bugs: string; repository: { type: string; url: string; directory?: string } };
