"""py-substrate-interface as PyPI serves it, with no types of ours: relays a customer's consent, waits for finality,
decodes the event and reads the consent back.

    python py-substrate-interface.py ws://127.0.0.1:9944 consent.json
"""

import json
import sys

from substrateinterface import Keypair, SubstrateInterface
from substrateinterface.exceptions import SubstrateRequestException

url, file = sys.argv[1:]
with open(file, encoding="utf-8") as consent:
    fixture = json.load(consent)
terms = fixture["terms"]

# Transactions are mortal here; the library's own choice would be an immortal one, which the chain refuses.
ERA = {"period": 128}

chain = SubstrateInterface(url=url)

# Names, not numbers.
organisation = chain.query("Participants", "Organisations", ["retailer"]).value
assert organisation["role"] == "Retailer", organisation
assert organisation["name"] == "Retailer (REP of record)", organisation

retailer = Keypair.create_from_uri("//Retailer")
call = chain.compose_call(
    "Consents",
    "consent",
    {
        "terms": {**terms, "text_hash": terms["textHash"]},
        "customer": fixture["customer"],
        "last_block": fixture["lastBlock"],
        "signature": fixture["signature"],
    },
)
receipt = chain.submit_extrinsic(chain.create_signed_extrinsic(call, retailer, era=ERA), wait_for_finalization=True)
assert receipt.is_success, receipt.error_message

events = [event.value for event in receipt.triggered_events]
given = next(event["attributes"] for event in events if event["event_id"] == "ConsentGiven")
assert (given["level"], given["channels"], given["purpose"]) == ("Day", "Consumption", "EnergyAdvice"), given
assert (given["utility"], given["meter"]) == ("utility", terms["meter"]), given

stored = chain.query("Consents", "Consents", [given["consent"]], block_hash=receipt.block_hash).value
assert stored["customer"] == fixture["customer"], stored
assert stored["grantee"] == terms["grantee"], stored
assert stored["ended"] is None, stored

# A call that is not listed is refused, with a number from the documented table.
remark = chain.compose_call("System", "remark", {"remark": "0x00"})
try:
    chain.submit_extrinsic(chain.create_signed_extrinsic(remark, retailer, era=ERA))
except SubstrateRequestException as refused:
    assert "Custom error" in str(refused), refused
else:
    raise AssertionError("an unlisted call was taken")

print(f"substrate-interface: consent {given['consent']} finalised in {receipt.block_hash} and read back")
