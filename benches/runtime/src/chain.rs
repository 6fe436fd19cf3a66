//! A chain in memory that executes nothing but the runtime's wasm, as a node's block author does.

use codec::{Decode, Encode};
use sc_chain_spec::GenesisConfigBuilderRuntimeCaller;
use sc_executor::WasmExecutor;
use sp_core::{
    sr25519,
    traits::{CallContext, CodeExecutor, Externalities, RuntimeCode, WrappedRuntimeCode},
    Pair, H256,
};
use sp_io::TestExternalities;
use sp_runtime::{
    generic::{Digest, DigestItem, Era},
    traits::Header as _,
    transaction_validity::{InvalidTransaction, TransactionValidityError},
    ApplyExtrinsicResult,
};
use std::{
    borrow::Cow,
    time::{SystemTime, UNIX_EPOCH},
};
use wattseal_figures::{measure::on_processor, Result};
use wattseal_primitives::SLOT_MILLISECONDS;
use wattseal_runtime::{
    AccountId, Address, Header, RuntimeCall, Signature, SignedPayload, TxExtension, UncheckedExtrinsic,
};

/// Life of the extrinsics here, blocks.
const PERIOD: u64 = 1024;

/// What became of a block.
pub struct Built {
    /// Extrinsics that are in it.
    pub applied: usize,
    /// Seconds of processor time from its beginning to its header.
    pub seconds: f64,
}

/// The chain.
pub struct Chain {
    executor: WasmExecutor<sp_io::SubstrateHostFunctions>,
    code: &'static [u8],
    code_hash: Vec<u8>,
    /// State after the newest block.
    pub state: TestExternalities,
    /// The newest block.
    pub head: Header,
    slot: u64,
}

impl Chain {
    /// A chain with the development genesis and its first blocks.
    ///
    /// # Errors
    /// If the wasm was not built, or cannot build its genesis.
    pub fn new() -> Result<Self> {
        let code = wattseal_runtime::WASM_BINARY.ok_or("the runtime was built without its wasm")?;
        let genesis = GenesisConfigBuilderRuntimeCaller::<()>::new(code);
        let storage = genesis.get_storage_for_named_preset(Some(&"development".to_owned()))?;
        let head = Header::new(0, H256::zero(), H256::zero(), H256::zero(), Digest::default());
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        let mut chain = Self {
            executor: WasmExecutor::builder().build(),
            code,
            code_hash: sp_io::hashing::blake2_256(code).to_vec(),
            state: TestExternalities::new(storage),
            head,
            slot: u64::try_from(now)? / SLOT_MILLISECONDS,
        };
        // Two blocks: extrinsics name hashes of earlier ones.
        chain.block(&[])?;
        chain.block(&[])?;
        Ok(chain)
    }

    /// Hash of the first block's parent, by which everything signed names the chain.
    pub fn genesis(&mut self) -> H256 {
        self.state.execute_with(|| wattseal_runtime::System::block_hash(0))
    }

    /// The local day of the next block.
    pub fn today(&self) -> sealed_register::OperatingDay {
        wattseal_primitives::central_day((self.slot + 1) * SLOT_MILLISECONDS)
    }

    /// Calls a method of the runtime's wasm on the state of the newest block.
    ///
    /// # Errors
    /// If it traps.
    pub fn call(&mut self, method: &str, data: &[u8], context: CallContext) -> Result<Vec<u8>> {
        let fetcher = WrappedRuntimeCode(Cow::Borrowed(self.code));
        let code = RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash: self.code_hash.clone() };
        let (result, _) = self.executor.call(&mut self.state.ext(), &code, method, data, context);
        result.map_err(|error| format!("{method}: {error}").into())
    }

    /// Builds the next block of as many of the extrinsics as fit into it.
    ///
    /// # Errors
    /// If one of them is refused for another reason than that the block is full.
    pub fn block(&mut self, extrinsics: &[UncheckedExtrinsic]) -> Result<Built> {
        let encoded: Vec<_> = extrinsics.iter().map(Encode::encode).collect();
        self.slot += 1;
        let now = pallet_timestamp::Call::set { now: self.slot * SLOT_MILLISECONDS };
        let inherent = UncheckedExtrinsic::new_bare(RuntimeCall::Timestamp(now)).encode();
        let digest =
            Digest { logs: vec![DigestItem::PreRuntime(sp_consensus_aura::AURA_ENGINE_ID, self.slot.encode())] };
        let header = Header::new(self.head.number + 1, H256::zero(), H256::zero(), self.head.hash(), digest);
        let ((applied, header), seconds) = on_processor(|| self.execute(&header, &inherent, &encoded))?;
        self.state.commit_all()?;
        self.head = header;
        Ok(Built { applied, seconds })
    }

    fn execute(&mut self, header: &Header, inherent: &[u8], extrinsics: &[Vec<u8>]) -> Result<(usize, Header)> {
        let context = CallContext::Onchain { import: false };
        self.call("Core_initialize_block", &header.encode(), context)?;
        let mut applied = 0;
        for extrinsic in std::iter::once(inherent).chain(extrinsics.iter().map(Vec::as_slice)) {
            // As a block author does: what an extrinsic that is not taken has written is undone.
            self.state.ext().storage_start_transaction();
            let answer = self.call("BlockBuilder_apply_extrinsic", extrinsic, context)?;
            match ApplyExtrinsicResult::decode(&mut &answer[..])? {
                Ok(_) => self.state.ext().storage_commit_transaction().map_err(|()| "no transaction is open")?,
                Err(TransactionValidityError::Invalid(InvalidTransaction::ExhaustsResources)) => {
                    self.state.ext().storage_rollback_transaction().map_err(|()| "no transaction is open")?;
                    break;
                }
                Err(error) => return Err(format!("an extrinsic was refused: {error:?}").into()),
            }
            applied += 1;
        }
        let header = self.call("BlockBuilder_finalize_block", &[], context)?;
        Ok((applied - 1, Header::decode(&mut &header[..])?))
    }

    /// Signs a call for the next blocks.
    ///
    /// # Errors
    /// If the call is of a kind that cannot be signed.
    pub fn sign(&mut self, pair: &sr25519::Pair, nonce: u32, call: RuntimeCall) -> Result<UncheckedExtrinsic> {
        let anchor = self.head.number.saturating_sub(1);
        let extension: TxExtension = (
            frame_system::CheckNonZeroSender::new(),
            frame_system::CheckSpecVersion::new(),
            frame_system::CheckTxVersion::new(),
            frame_system::CheckGenesis::new(),
            pallet_participants::MortalOnly::from(Era::mortal(PERIOD, anchor.into())),
            pallet_participants::NonceWindow::from(nonce),
            frame_system::CheckWeight::new(),
            pallet_participants::CheckParticipation::new(),
            frame_system::WeightReclaim::new(),
        );
        // What an extension adds to the signed bytes is read from the state: hashes and versions.
        let payload = self.state.execute_with(|| SignedPayload::new(call, extension));
        let payload = payload.map_err(|error| format!("a call cannot be signed: {error:?}"))?;
        let signature = payload.using_encoded(|bytes| pair.sign(bytes));
        let (call, extension, _) = payload.deconstruct();
        let account = Address::Id(AccountId::from(pair.public()));
        Ok(UncheckedExtrinsic::new_signed(call, account, Signature::Sr25519(signature), extension))
    }
}
