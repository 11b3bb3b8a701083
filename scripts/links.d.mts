interface Manifest {
  readonly repository: { readonly url: string };
}
export function addressesOf(manifest: Manifest): { page: string; files: string; images: string };
export function withLinks(text: string, manifest: Manifest): string;
