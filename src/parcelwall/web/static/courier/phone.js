// The phone's own key, which never leaves it, and the hub's word for it at each station: how a reader knows a courier.
const phone = (() => {
  const FRESH_MS = 3600_000;

  async function key() {
    const known = await outbox.get("kept", "phone-key");
    if (known?.courier === outbox.me()) return known;
    const pair = await crypto.subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
    const made = { name: "phone-key", courier: outbox.me(), pair, raw: hex(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey))) };
    await outbox.put("kept", made);
    return made;
  }

  // Asked for when there is a signal, good for a day without.
  async function renew() {
    const known = await outbox.get("kept", "delegations");
    if (known?.courier === outbox.me() && Date.now() - known.at < FRESH_MS) return;
    const { raw, courier } = await key();
    const given = await outbox.post("/courier/delegations", { phone_key: raw });
    if (given) await outbox.put("kept", { name: "delegations", courier, at: Date.now(), list: given.delegations });
  }

  // The text for the reader, or "" for a station of which this phone has no word.
  async function answer(challenge) {
    const bytes = fromBase45(challenge.slice(4));
    if (bytes?.length !== 20) return "";
    const number = new DataView(bytes.buffer).getUint32(0), known = await outbox.get("kept", "delegations");
    const given = (known?.courier === outbox.me() ? known.list : []).find((each) => each.number === number && Date.parse(each.until) > Date.now());
    if (!given) return "";
    const whole = fromHex(given.delegation), tag = new TextEncoder().encode("parcelwall/answer/1\0");
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
    const told = Uint8Array.from([...tag, ...bytes, ...digest]);
    const signed = new Uint8Array(await crypto.subtle.sign({ name: "Ed25519" }, (await key()).pair.privateKey, told));
    return "PW2:" + base45(Uint8Array.from([...whole, ...signed]));
  }

  return { answer, renew };
})();
