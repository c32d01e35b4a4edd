/** Which kernels these are: what was measured of others says nothing of them. Vite puts it in, see kernels_version.mjs at the root. */
declare const KERNELS_VERSION: string;

export const kernelsVersion = KERNELS_VERSION;
