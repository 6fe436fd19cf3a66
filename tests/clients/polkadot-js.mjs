// @polkadot/api as npm serves it, with no types of ours: relays a customer's consent, waits for finality, reads it back,
// decodes the event, and finds words where people would look for them.
//
//   node polkadot-js.mjs ws://127.0.0.1:9944 consent.json
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';

const [url, file] = process.argv.slice(2);
const { terms, customer, lastBlock, signature } = JSON.parse(readFileSync(file, 'utf8'));

const api = await ApiPromise.create({ provider: new WsProvider(url, 1000, {}, 20_000), noInitWarn: true });
const retailer = new Keyring({ type: 'sr25519' }).addFromUri('//Retailer');

// Names, not numbers.
const organisation = (await api.query.participants.organisations('retailer')).toHuman();
assert.equal(organisation.role, 'Retailer');
assert.equal(organisation.name, 'Retailer (REP of record)');

const timeout = setTimeout(() => { console.error('no finality within 90 s'); process.exit(1); }, 90_000);
const { events, status } = await new Promise((resolve, reject) => {
  api.tx.consents
    .consent(terms, customer, lastBlock, signature)
    .signAndSend(retailer, { era: 64 }, (result) => {
      if (result.dispatchError) reject(new Error(result.dispatchError.toString()));
      if (result.isError) reject(new Error(`pool: ${result.status.type}`));
      if (result.status.isFinalized) resolve(result);
    })
    .catch(reject);
});
clearTimeout(timeout);

const given = events.map(({ event }) => event).find((event) => api.events.consents.ConsentGiven.is(event));
assert(given, 'the event ConsentGiven is decoded');
const words = given.toHuman().data;
assert.equal(words.level, 'Day');
assert.equal(words.channels, 'Consumption');
assert.equal(words.purpose, 'EnergyAdvice');
assert.equal(words.utility, 'utility');
assert.equal(words.meter, terms.meter);

const at = await api.at(status.asFinalized);
const stored = (await at.query.consents.consents(given.data.consent)).unwrap();
assert.equal(stored.customer.toString(), customer);
assert.equal(stored.grantee.toHex(), terms.grantee);
assert(stored.ended.isNone);

// A call that is not listed is refused, with a number from the documented table.
await assert.rejects(api.tx.system.remark('0x00').signAndSend(retailer, { era: 64 }), /Custom error: \d+/);

console.log(`polkadot.js: consent ${given.data.consent.toHex()} finalised in ${status.asFinalized.toHex()} and read back`);
await api.disconnect();
