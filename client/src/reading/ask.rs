//! One question to a vault, and everything that is checked about its answer.

use crate::{
    account::{random, verify, Account},
    chain::AccountId,
    node_rpc::{ReadAnswer, ReadOptions},
    roots::{Access, KnownRoot},
    ClientError, Result,
};
use sealed_register::{
    delivery::Segment,
    finalized::FinalizedRoot,
    grantee::GranteeSecret,
    proof::Form,
    shard::AbsenceProof,
    statement::{ReadRequest, Receipt, Statement},
    verified::{CellPlace, Currency},
    verify::{verify_absence, VerifyError},
    Channel, DayRange, Hash, Keyring, Level, MeterId, OrganisationId, RangeProof, RangeRequest, VerifiedRange,
};
use smart_meter_texas::Calendar;

/// How often a vault is asked again when a newer batch was finalised while it answered.
const TRIES: usize = 3;

/// Somebody who reads one meter.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    /// The vault and those who state roots.
    pub access: &'a Access,
    /// The reader's account: the vendor's, or the customer's own.
    pub account: &'a Account,
    /// The utility that measures.
    pub utility: OrganisationId,
    /// The meter.
    pub meter: MeterId,
    /// The vendor's consent and secret; none when the customer reads.
    pub consent: Option<(Hash, GranteeSecret)>,
}

/// What is known about a stream's days, proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Its cells.
    Cells(Box<VerifiedRange>),
    /// Nothing was ever published about the meter and channel.
    Absent {
        /// The root under which that is proved.
        root: FinalizedRoot,
        /// Whether it was the newest.
        currency: Currency,
    },
}

impl Known {
    /// The finalised root.
    pub fn root(&self) -> &FinalizedRoot {
        match self {
            Self::Cells(range) => range.root(),
            Self::Absent { root, .. } => root,
        }
    }

    /// Every cell whose place in the stream is proved, oldest first; none of a stream that has none.
    pub fn places(&self) -> &[CellPlace] {
        match self {
            Self::Cells(range) => range.places(),
            Self::Absent { .. } => &[],
        }
    }

    /// Whether that root was the shard's newest.
    pub fn currency(&self) -> Currency {
        match self {
            Self::Cells(range) => range.currency(),
            Self::Absent { currency, .. } => *currency,
        }
    }
}

/// A verified answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What it proves.
    pub known: Known,
    /// Length of the encoded proof, bytes.
    pub proof_bytes: usize,
    /// The vault's receipt, checked.
    pub receipt: Receipt,
}

impl Reader<'_> {
    /// The signed request for some days.
    ///
    /// # Errors
    /// [`ClientError::Connection`], [`ClientError::Secret`].
    pub async fn request(
        &self,
        vault: AccountId,
        channel: Channel,
        range: DayRange,
        level: Level,
    ) -> Result<ReadRequest> {
        let (consent, secret) = self.consent.unwrap_or(([0; 32], GranteeSecret::NONE));
        Ok(ReadRequest {
            genesis: self.access.genesis(),
            vault,
            reader: self.account.id(),
            secret,
            consent,
            utility: self.utility,
            meter: self.meter,
            channel,
            range,
            level,
            nonce: random()?,
            block: self.access.chain()?.finalized().await?.block().number,
        })
    }

    /// Asks for days, checks receipt and proof. `keyring` holds the keys of all `segments` at `level`.
    ///
    /// # Errors
    /// [`ClientError::Rpc`] (refused, with the code), [`ClientError::Receipt`], [`ClientError::Unverified`] (after a
    /// second, explained answer it names the cell), [`ClientError::Root`], [`ClientError::Quorum`],
    /// [`ClientError::Connection`].
    pub async fn ask(
        &self,
        channel: Channel,
        range: DayRange,
        level: Level,
        segments: &[Segment],
        keyring: &Keyring,
    ) -> Result<Answer> {
        let mut tries = 1;
        loop {
            let answer = match self.ask_once(channel, range, level, segments, keyring, Form::Compact).await {
                Err(ClientError::Unverified(VerifyError::HeadMismatch)) => {
                    // The explained form names what does not fit; if it fits, the first answer alone was damaged.
                    self.ask_once(channel, range, level, segments, keyring, Form::Explained).await?
                }
                other => other?,
            };
            // A batch may have been finalised between the answer and the look at the root.
            if answer.known.currency() == Currency::Current || tries == TRIES {
                return Ok(answer);
            }
            tries += 1;
        }
    }

    async fn ask_once(
        &self,
        channel: Channel,
        range: DayRange,
        level: Level,
        segments: &[Segment],
        keyring: &Keyring,
        form: Form,
    ) -> Result<Answer> {
        let rpc = self.access.vault.rpc();
        let vault = rpc.vault().await?;
        if vault.genesis != self.access.genesis() {
            return Err(ClientError::Root(format!("the vault of {} keeps another chain's readings", rpc.url())));
        }
        let request = self.request(vault.account, channel, range, level).await?;
        let signature = self.account.sign(&request.message());
        let options = ReadOptions { segments: segments.to_vec(), form };
        let answer = rpc.read(&request.text(), &signature, &options).await?;
        let receipt = check_receipt(&answer, &request)?;
        let root = self.access.root(self.utility, &self.meter, answer.batch_sequence).await?;
        let asked = RangeRequest { stream: request.stream(), range, level, segments: segments.to_vec(), form };
        let known = verify_answer(&answer, &asked, &root, keyring)?;
        Ok(Answer { known, proof_bytes: answer.proof.len(), receipt })
    }

    /// The calendar of operating days, from a node whose state may be believed.
    ///
    /// # Errors
    /// [`ClientError::Connection`].
    pub async fn calendar(&self) -> Result<Calendar> {
        self.access.chain()?.finalized().await?.calendar().await
    }
}

/// Checks a vault's receipt: its signature, and that it is about this request. Without one nothing of an answer is
/// used.
///
/// # Errors
/// [`ClientError::Receipt`].
pub fn check_receipt(answer: &ReadAnswer, request: &ReadRequest) -> Result<Receipt> {
    let receipt = Receipt::parse(&answer.receipt).map_err(|error| ClientError::Receipt(error.to_string()))?;
    if !verify(&request.vault, &receipt.message(), &answer.receipt_signature) {
        return Err(ClientError::Receipt("it is not signed by the vault's account".into()));
    }
    if !receipt.answers(request) {
        return Err(ClientError::Receipt("it is about another request".into()));
    }
    if receipt.bytes != answer.proof.len() as u64 {
        return Err(ClientError::Receipt("it states another length than the answer has".into()));
    }
    Ok(receipt)
}

/// Checks the proof of an answer under a finalised root.
///
/// # Errors
/// [`ClientError::Unverified`], [`ClientError::Absence`], [`ClientError::Answer`] (no proof at all).
pub fn verify_answer(answer: &ReadAnswer, asked: &RangeRequest, known: &KnownRoot, keyring: &Keyring) -> Result<Known> {
    let KnownRoot { root, newest } = *known;
    let undecodable = |error: sealed_register::decode::DecodeError| ClientError::Answer {
        method: "wattseal_read",
        problem: error.to_string(),
    };
    if answer.absent {
        let proof = AbsenceProof::decode(&answer.proof).map_err(undecodable)?;
        let channels = match asked.stream.channel {
            Channel::Consumption => sealed_register::Channels::Consumption,
            Channel::Generation => sealed_register::Channels::Generation,
        };
        let currency = verify_absence(&asked.stream, channels, &proof, &root, &newest)??;
        return Ok(Known::Absent { root, currency });
    }
    let proof = RangeProof::decode(&answer.proof).map_err(undecodable)?;
    let range = sealed_register::verify_range(asked, &proof, &root, &newest, keyring)?;
    Ok(Known::Cells(Box::new(range)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // a failed unwrap is a failed test
    use super::*;
    use sealed_register::{Shard, ShardId};

    fn request(vault: &Account) -> ReadRequest {
        let day = "2022-03-01".parse().unwrap();
        ReadRequest {
            genesis: [1; 32],
            vault: vault.id(),
            reader: [2; 32],
            secret: GranteeSecret([3; 32]),
            consent: [4; 32],
            utility: "oncor".parse().unwrap(),
            meter: MeterId([5; 16]),
            channel: Channel::Consumption,
            range: DayRange::new(day, day).unwrap(),
            level: Level::Hour,
            nonce: [6; 16],
            block: 7,
        }
    }

    fn answer(vault: &Account, request: &ReadRequest) -> ReadAnswer {
        let receipt = Receipt {
            genesis: request.genesis,
            vault: request.vault,
            number: 0,
            previous: [0; 32],
            request: request.hash(),
            cells: 1,
            bytes: 0,
            level: request.level,
            range: request.range,
            head_sequence: Some(0),
            block: 7,
            block_hash: [8; 32],
        };
        ReadAnswer {
            proof: Vec::new(),
            absent: false,
            shard: Shard { genesis: [0; 32], utility: request.utility, id: ShardId(0), bits: 0 },
            batch_sequence: 0,
            root: [9; 32],
            receipt: receipt.text(),
            receipt_signature: vault.sign(&receipt.message()),
        }
    }

    #[test]
    fn receipts_must_be_signed_by_the_vault_and_about_the_request() {
        let vault = Account::from_suri("//Vault").unwrap();
        let request = request(&vault);
        let good = answer(&vault, &request);
        assert_eq!(check_receipt(&good, &request).unwrap().request, request.hash());
        let other = ReadRequest { nonce: [0; 16], ..request };
        assert!(matches!(check_receipt(&good, &other), Err(ClientError::Receipt(_))));
        let mut unsigned = good.clone();
        unsigned.receipt_signature[0] ^= 1;
        assert!(matches!(check_receipt(&unsigned, &request), Err(ClientError::Receipt(_))));
        let longer = ReadAnswer { proof: vec![0], ..good.clone() };
        assert!(matches!(check_receipt(&longer, &request), Err(ClientError::Receipt(_))));
        let mut empty = good;
        empty.receipt.clear();
        assert!(matches!(check_receipt(&empty, &request), Err(ClientError::Receipt(_))));
    }
}
