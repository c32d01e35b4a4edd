/** CRC-32 (ISO 3309), eight bytes a step by eight tables: as zip files use it, and Castagnoli's (RFC 3720, appendix B.4). */

const ZIP = makeTables(0xedb88320);
const CASTAGNOLI = makeTables(0x82f63b78);

/** `polynomial`: reflected. */
function makeTables(polynomial: number): Uint32Array {
  const tables = new Uint32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    tables[byte] = value;
  }
  for (let i = 256; i < tables.length; i++) {
    const before = tables[i - 256] as number;
    tables[i] = (before >>> 8) ^ (tables[before & 0xff] as number);
  }
  return tables;
}

/** `before`: the checksum of what comes before these bytes. */
export const crc32 = (bytes: Uint8Array, before = 0): number => checksum(ZIP, bytes, before);

/** CRC-32C. */
export const crc32c = (bytes: Uint8Array): number => checksum(CASTAGNOLI, bytes, 0);

function checksum(tables: Uint32Array, bytes: Uint8Array, before: number): number {
  const table = (index: number, byte: number): number => tables[index * 256 + (byte & 0xff)] as number;
  let crc = ~before;
  let i = 0;
  for (; i + 8 <= bytes.length; i += 8) {
    const low =
      crc ^
      ((bytes[i] as number) |
        ((bytes[i + 1] as number) << 8) |
        ((bytes[i + 2] as number) << 16) |
        ((bytes[i + 3] as number) << 24));
    crc =
      table(7, low) ^
      table(6, low >>> 8) ^
      table(5, low >>> 16) ^
      table(4, low >>> 24) ^
      table(3, bytes[i + 4] as number) ^
      table(2, bytes[i + 5] as number) ^
      table(1, bytes[i + 6] as number) ^
      table(0, bytes[i + 7] as number);
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ table(0, crc ^ (bytes[i] as number));
  return ~crc >>> 0;
}
