// polkadot-api (PAPI) as npm serves it, with no types of ours: relays a customer's consent, waits for finality, decodes
// the event and reads the consent back. With an address it trusts that node; with a chain specification, smoldot follows
// finality itself and every answer is proved.
//
//   node papi.mjs ws://127.0.0.1:9944 consent.json
//   node papi.mjs chain-spec.json consent.json
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { sr25519CreateDerive } from '@polkadot-labs/hdkd';
import { DEV_MINI_SECRET } from '@polkadot-labs/hdkd-helpers';
import { Binary, createClient } from 'polkadot-api';
import { getPolkadotSigner } from 'polkadot-api/signer';
import { getSmProvider } from 'polkadot-api/sm-provider';
import { start } from 'polkadot-api/smoldot';
import { getWsProvider } from 'polkadot-api/ws';

const [source, file] = process.argv.slice(2);
const { terms, customer, lastBlock, signature } = JSON.parse(readFileSync(file, 'utf8'));
setTimeout(() => { console.error('not done within 90 s'); process.exit(1); }, 90_000);

const light = source.includes('://') ? undefined : start({ maxLogLevel: 1 });
const client = createClient(
  light ? getSmProvider(() => light.addChain({ chainSpec: readFileSync(source, 'utf8') })) : getWsProvider(source),
);
const api = client.getUnsafeApi();

// Names, not numbers.
const organisation = await api.query.Participants.Organisations.getValue('retailer');
assert.equal(organisation.role.type, 'Retailer');
assert.equal(Binary.toText(organisation.name), 'Retailer (REP of record)');

const retailer = sr25519CreateDerive(DEV_MINI_SECRET)('//Retailer');
const signer = getPolkadotSigner(retailer.publicKey, 'Sr25519', retailer.sign);
const name = (word) => ({ type: word, value: undefined });
const consent = {
  utility: terms.utility,
  meter: terms.meter,
  grantee: terms.grantee,
  channels: name(terms.channels),
  level: name(terms.level),
  data: terms.data,
  access: terms.access,
  purpose: name(terms.purpose),
  text_hash: terms.textHash,
};
const call = { terms: consent, customer, last_block: lastBlock, signature };
const { ok, events, block } = await api.tx.Consents.consent(call).signAndSubmit(signer);
assert(ok, 'the consent is dispatched');

const given = events.find(({ type, value }) => type === 'Consents' && value.type === 'ConsentGiven').value.value;
assert.equal(given.level.type, 'Day');
assert.equal(given.channels.type, 'Consumption');
assert.equal(given.purpose.type, 'EnergyAdvice');
assert.equal(given.utility, 'utility');
assert.equal(given.meter, terms.meter);

// `signAndSubmit` waits for finality: the consent stands in that finalised block.
const stored = await api.query.Consents.Consents.getValue(given.consent, { at: block.hash });
assert.equal(stored.customer, customer);
assert.equal(stored.grantee, terms.grantee);
assert.equal(stored.ended, undefined);
assert((await client.getFinalizedBlock()).number >= block.number);

// A call that is not listed is refused, with a number from the documented table.
const remark = api.tx.System.remark({ remark: new Uint8Array() });
await assert.rejects(remark.signAndSubmit(signer), (error) => error.error.value.type === 'Custom');

const how = light ? 'smoldot' : 'PAPI';
console.log(`${how}: consent ${given.consent} finalised in ${block.hash} and read back`);
client.destroy();
await light?.terminate();
// smoldot's timers and its socket to the node would keep the process alive.
process.exit(0);
