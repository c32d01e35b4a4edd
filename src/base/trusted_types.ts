/**
 * The policy in force lets no text become a script. This says which addresses may still be started as workers: those of the app's own
 * origin. To be imported first in a page or worker that starts some.
 */

interface TrustedTypes {
  createPolicy(name: 'default', rules: { createScriptURL(address: string): string }): unknown;
}

const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };

trustedTypes?.createPolicy('default', {
  createScriptURL: (address) => {
    const { origin } = globalThis.location;
    if (new URL(address, globalThis.location.href).origin !== origin)
      throw new TypeError(`Scripts are loaded from ${origin} alone, not from ${address}.`);
    return address;
  },
});
