//! Reads and receipts (protocol section 9): everything is checked before anything is looked up, and the receipt is on
//! disk before the answer leaves.

use super::{
    check_signature,
    errors::RpcError,
    types::{AsText, Hex, HexBytes, ProofKind, ReadAnswer, ReadOptions, RootInfo, SignedText},
    RpcDeps,
};
use crate::keys;
use sealed_register::{
    finalized::BlockRef,
    proof::RangeRequest,
    shard_of,
    statement::{ReadRequest, Receipt, Statement},
    Hash,
};
use std::{sync::Arc, time::Duration};
use wattseal_primitives::{consent::ReadQuery, AccountId};
use wattseal_vault::{RangeAnswer, ReadNonce, ShardHeads, StoredReceipt, VaultError};

/// Oldest finalised head with which a vault serves.
const MAX_FINALITY_AGE: Duration = Duration::from_secs(60);

/// How often root and finalised head are compared anew when the vault imports meanwhile.
const ATTEMPTS: usize = 3;

/// Most receipts of one answer.
const MAX_LOG: usize = 1_000;

/// Checks everything about a request that does not depend on the readings.
fn checked(deps: &RpcDeps, statement: &str, signature: &Hex<64>) -> Result<(ReadRequest, BlockRef), RpcError> {
    let request = ReadRequest::parse(statement)?;
    deps.check_genesis(&request.genesis)?;
    if request.vault != deps.vault_key.0 {
        let hex = |account: &[u8; 32]| sealed_register::hex(account);
        return Err(RpcError::OtherVault { expected: hex(&deps.vault_key.0), found: hex(&request.vault) });
    }
    check_signature(&request.reader, &request.message(), signature)?;
    let finalised = deps.chain.finalised();
    let age = deps.chain.age(&finalised)?;
    if age > MAX_FINALITY_AGE {
        return Err(RpcError::NotFinal { seconds: age.as_secs() });
    }
    if !request.is_fresh(finalised.number) {
        let (block, head) = (request.block, finalised.number);
        return Err(if block < head { RpcError::Stale { block, head } } else { RpcError::Ahead { block, head } });
    }
    if deps.vault.nonce_is_used(&nonce(&request))? {
        return Err(RpcError::NonceUsed);
    }
    Ok((request, finalised))
}

fn nonce(request: &ReadRequest) -> ReadNonce {
    ReadNonce { reader: request.reader, nonce: request.nonce, block: request.block }
}

/// Either the finalised or the best state may refuse; only both together allow.
fn check_consent(deps: &RpcDeps, request: &ReadRequest, finalised: &BlockRef) -> Result<(), RpcError> {
    let query = ReadQuery {
        account: AccountId::from(request.reader),
        secret: request.secret.0,
        consent: (!request.is_customers()).then_some(request.consent),
        utility: request.utility,
        meter: request.meter,
        channel: request.channel,
        range: request.range,
        level: request.level,
    };
    for block in [finalised, &deps.chain.best()] {
        deps.chain.may_read(block, query.clone())?.map_err(RpcError::Refused)?;
    }
    Ok(())
}

/// `wattseal_read`.
pub(super) fn answer(
    deps: &RpcDeps,
    statement: &str,
    signature: &Hex<64>,
    options: &ReadOptions,
) -> Result<ReadAnswer, RpcError> {
    let (request, finalised) = checked(deps, statement, signature)?;
    let segments = options.segments().map_err(RpcError::Parameter)?;
    check_consent(deps, &request, &finalised)?;
    let wanted = RangeRequest {
        stream: request.stream(),
        range: request.range,
        level: request.level,
        segments,
        form: options.form.into(),
    };
    let (found, heads, block) = current(deps, &request, &wanted)?;
    let (kind, proof, cells, head) = match &found {
        RangeAnswer::Cells(proof) => {
            let cells = u32::try_from(proof.elements.len()).unwrap_or(u32::MAX);
            (ProofKind::Range, proof.encode(), cells, Some(proof.path.leaf.sequence))
        }
        RangeAnswer::Absent(proof) => (ProofKind::Absence, proof.encode(), 0, None),
    };
    let bytes = u64::try_from(proof.len()).unwrap_or(u64::MAX);
    let receipt = receipt(deps, &request, &block, (cells, bytes, head))?;
    let shard = heads.tree.shard();
    Ok(ReadAnswer {
        kind,
        proof: HexBytes(proof),
        root: RootInfo {
            utility: AsText(shard.utility),
            shard: shard.id.0,
            shard_bits: shard.bits,
            batch_sequence: heads.tree.batch_sequence(),
            root: Hex(heads.tree.root()),
            block: block.number,
            block_hash: Hex(block.hash),
        },
        receipt: signed(receipt),
    })
}

/// Looks the range up, and makes sure that its root is the newest of a finalised block.
fn current(
    deps: &RpcDeps,
    request: &ReadRequest,
    wanted: &RangeRequest,
) -> Result<(RangeAnswer, Arc<ShardHeads>, BlockRef), RpcError> {
    let nothing = || RpcError::NotFound(format!("nothing has been published yet about meters like {}", request.meter));
    let mut behind = RpcError::Behind { newest: 0 };
    for _ in 0..ATTEMPTS {
        let block = deps.chain.finalised();
        let bits = deps.chain.shard_bits(&block, request.utility)?.ok_or_else(nothing)?;
        let shard = shard_of(&request.meter, bits);
        let on_chain = |sequence| deps.chain.batch(&block, request.utility, shard, sequence);
        let (answer, heads) = match deps.vault.range(shard, wanted) {
            Ok(found) => found,
            Err(VaultError::EmptyShard { .. }) => match on_chain(0)? {
                None => return Err(nothing()),
                Some(_) => return Err(RpcError::Behind { newest: newest(deps, request, &block)? }),
            },
            Err(error) => return Err(error.into()),
        };
        let sequence = heads.tree.batch_sequence();
        let Some((announced, _)) = on_chain(sequence)? else {
            // The vault followed a later finalised block meanwhile.
            continue;
        };
        if announced.root != heads.tree.root() {
            let what = format!("the newest batch of {}", heads.tree.shard());
            let problem = "its root is not the one on chain".into();
            return Err(RpcError::Store(VaultError::Damaged { what, problem }));
        }
        match sequence.checked_add(1).map(on_chain).transpose()?.flatten() {
            None => return Ok((answer, heads, block)),
            Some(_) => behind = RpcError::Behind { newest: newest(deps, request, &block)? },
        }
    }
    Err(behind)
}

/// Number of the shard's newest batch on chain.
fn newest(deps: &RpcDeps, request: &ReadRequest, block: &BlockRef) -> Result<u32, RpcError> {
    let shards = deps.chain.shards(block)?;
    let of_meter = shards
        .iter()
        .find(|shard| shard.utility == request.utility && shard.shard == shard_of(&request.meter, shard.bits));
    Ok(of_meter.map_or(0, |shard| shard.next_sequence.saturating_sub(1)))
}

fn receipt(
    deps: &RpcDeps,
    request: &ReadRequest,
    block: &BlockRef,
    (cells, bytes, head_sequence): (u32, u64, Option<u32>),
) -> Result<StoredReceipt, RpcError> {
    let make = |number: u64, previous: Hash| {
        let receipt = Receipt {
            genesis: request.genesis,
            vault: request.vault,
            number,
            previous,
            request: request.hash(),
            cells,
            bytes,
            level: request.level,
            range: request.range,
            head_sequence,
            block: block.number,
            block_hash: block.hash,
        };
        keys::vault_sign(&*deps.keystore, &deps.vault_key, &receipt.message())
            .map(|signature| (receipt, signature))
            .map_err(|error| error.to_string())
    };
    Ok(deps.vault.append_receipt(&nonce(request), block.number, &request.utility, &request.meter, make)?)
}

fn signed(receipt: StoredReceipt) -> SignedText {
    SignedText { text: receipt.text, signature: Hex(receipt.signature) }
}

/// `wattseal_accessLog`: the customer's signed read request for her own meter is answered with its receipts.
pub(super) fn access_log(
    deps: &RpcDeps,
    statement: &str,
    signature: &Hex<64>,
    from: u64,
) -> Result<Vec<SignedText>, RpcError> {
    let (request, finalised) = checked(deps, statement, signature)?;
    for block in [&finalised, &deps.chain.best()] {
        let meter = deps.chain.meter(block, request.utility, request.meter)?;
        let refused = wattseal_primitives::consent::ReadRefusal::NotTheCustomer;
        let holder = meter.and_then(|meter| meter.claim).map(|claim| claim.customer);
        if !request.is_customers() || holder != Some(AccountId::from(request.reader)) {
            return Err(RpcError::Refused(refused));
        }
    }
    deps.vault.take_nonce(&nonce(&request), finalised.number)?;
    let log = deps.vault.access_log(&request.utility, &request.meter, from, MAX_LOG)?;
    Ok(log.into_iter().map(signed).collect())
}
