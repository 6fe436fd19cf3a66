//! The organisations with which a chain begins.

use crate::{Config, Error, Pallet};
use alloc::{string::String, vec::Vec};
use frame_support::{dispatch::DispatchResult, ensure, Deserialize, Serialize};
use sealed_register::OrganisationId;
use wattseal_primitives::organisations::{Duty, Role, Text};

/// One organisation of the genesis block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(crate = "sp_runtime::serde", rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisOrganisation<AccountId> {
    /// Its short name: 1 to 16 characters of `a-z`, `0-9` and `-`.
    pub id: String,
    /// What it is.
    pub role: Role,
    /// Its name for people, at most 64 bytes of UTF-8.
    pub name: String,
    /// The account that speaks for it.
    pub account: AccountId,
    /// Where its node answers; empty if it runs none.
    #[serde(default)]
    pub endpoint: String,
    /// A utility's feed account.
    pub feed: Option<AccountId>,
    /// A utility's delivery account.
    pub delivery: Option<AccountId>,
}

/// Seats the organisations in the given order.
///
/// # Panics
/// If one cannot be admitted: a chain with a wrong genesis must not start.
pub(crate) fn build<T: Config>(organisations: &[GenesisOrganisation<T::AccountId>]) {
    for organisation in organisations {
        let seated = seat::<T>(organisation);
        assert!(seated.is_ok(), "organisation {:?} of the genesis cannot be admitted: {seated:?}", organisation.id);
    }
}

fn seat<T: Config>(organisation: &GenesisOrganisation<T::AccountId>) -> DispatchResult {
    let id = OrganisationId::new(&organisation.id).map_err(|_| Error::<T>::InvalidName)?;
    let name: Text<64> = bounded(&organisation.name).ok_or(Error::<T>::InvalidName)?;
    let endpoint: Text<128> = bounded(&organisation.endpoint).ok_or(Error::<T>::InvalidEndpoint)?;
    Pallet::<T>::seat(id, organisation.role, name, organisation.account.clone(), endpoint)?;
    for (duty, account) in [(Duty::Feed, &organisation.feed), (Duty::Delivery, &organisation.delivery)] {
        if let Some(account) = account {
            ensure!(organisation.role == Role::Utility, Error::<T>::InvalidRole);
            Pallet::<T>::appoint(id, duty, account.clone())?;
        }
    }
    Ok(())
}

fn bounded<const N: u32>(text: &str) -> Option<Text<N>> {
    Text::try_from(Vec::from(text.as_bytes())).ok()
}
