// Base45 (RFC 9285), CRC-32, base64, and frames of a bundle: as rules/token.py and link/paper.py have them.
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

function base45(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 2) {
    const pair = at + 1 < bytes.length;
    let value = pair ? bytes[at] * 256 + bytes[at + 1] : bytes[at];
    for (let letter = 0; letter < (pair ? 3 : 2); letter += 1) {
      text += ALPHABET[value % 45];
      value = Math.floor(value / 45);
    }
  }
  return text;
}

function fromBase45(text) {
  const out = [];
  if (text.length % 3 === 1) return null;
  for (let at = 0; at < text.length; at += 3) {
    const group = [...text.slice(at, at + 3)].map((letter) => ALPHABET.indexOf(letter));
    const value = group.reduce((sum, each, place) => sum + each * 45 ** place, 0);
    if (group.includes(-1) || value >= 256 ** (group.length - 1)) return null;
    if (group.length === 3) out.push(value >> 8);
    out.push(value & 255);
  }
  return Uint8Array.from(out);
}

function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return (crc ^ -1) >>> 0;
}

const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const fromHex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return btoa(text);
}

class Gathering {
  constructor() {
    this.sets = new Map();
    this.done = new Set();
    this.have = this.of = 0;
  }

  // The whole bundle with its last missing frame, else null; a loop that goes on after that is not heard again.
  take(text) {
    const data = text.startsWith("PWB:") ? fromBase45(text.slice(4)) : null;
    if (!data || data.length < 8 || data[2] >= data[3]) return null;
    const name = hex([data[0], data[1], data[3], ...data.subarray(4, 8)]), count = data[3];
    if (this.done.has(name)) return null;
    const pieces = this.sets.get(name) ?? new Map();
    this.sets.set(name, pieces.set(data[2], data.subarray(8)));
    [this.have, this.of] = [pieces.size, count];
    if (this.sets.size > 4) this.sets.delete(this.sets.keys().next().value);
    if (pieces.size < count) return null;
    this.sets.delete(name);
    const whole = Uint8Array.from(Array.from({ length: count }, (_, at) => [...pieces.get(at)]).flat());
    if (crc32(whole) !== parseInt(name.slice(6), 16)) return null;
    this.done.add(name);
    return whole;
  }
}
