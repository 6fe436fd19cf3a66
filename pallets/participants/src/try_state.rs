//! What must hold of the storage after every block; checked at the end of every test.

use crate::{
    calls::{is_endpoint, is_name},
    Budgets, Config, DutyAccounts, DutyOf, KemKeys, OrganisationOf, Organisations, Pallet,
};
use frame_support::ensure;
use sp_runtime::TryRuntimeError;
use wattseal_primitives::organisations::{Role, KEM_PUBLIC_BYTES};

impl<T: Config> Pallet<T> {
    /// Goes through the whole storage of this pallet.
    ///
    /// # Errors
    /// The first statement that does not hold.
    pub fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::try_organisations()?;
        Self::try_duties()?;
        Self::try_kem_keys()?;
        Self::try_budgets()
    }

    fn try_organisations() -> Result<(), TryRuntimeError> {
        for (id, organisation) in Organisations::<T>::iter() {
            let account = &organisation.account;
            ensure!(
                OrganisationOf::<T>::get(account) == Some(id),
                TryRuntimeError::Other("an organisation's account does not lead back to it")
            );
            ensure!(
                !DutyAccounts::<T>::contains_key(account),
                TryRuntimeError::Other("an organisation's account also does a duty")
            );
            ensure!(
                frame_system::Pallet::<T>::providers(account) > 0,
                TryRuntimeError::Other("an organisation's account has no provider reference")
            );
            ensure!(
                is_name(&organisation.name) && is_endpoint(&organisation.endpoint),
                TryRuntimeError::Other("an organisation's name or endpoint is malformed")
            );
        }
        ensure!(
            Organisations::<T>::iter_keys().count() == OrganisationOf::<T>::iter_keys().count(),
            TryRuntimeError::Other("there are more accounts of organisations than organisations")
        );
        Ok(())
    }

    fn try_duties() -> Result<(), TryRuntimeError> {
        for (utility, duty, account) in DutyOf::<T>::iter() {
            ensure!(
                DutyAccounts::<T>::get(&account) == Some((utility, duty)),
                TryRuntimeError::Other("a duty's account does not lead back to the duty")
            );
            ensure!(
                Organisations::<T>::get(utility).is_some_and(|organisation| organisation.role == Role::Utility),
                TryRuntimeError::Other("an account does the duty of something that is no utility")
            );
            ensure!(
                frame_system::Pallet::<T>::providers(&account) > 0,
                TryRuntimeError::Other("a duty account has no provider reference")
            );
        }
        ensure!(
            DutyOf::<T>::iter_keys().count() == DutyAccounts::<T>::iter_keys().count(),
            TryRuntimeError::Other("there are more duty accounts than duties")
        );
        Ok(())
    }

    fn try_kem_keys() -> Result<(), TryRuntimeError> {
        for (id, kem) in KemKeys::<T>::iter() {
            ensure!(
                Organisations::<T>::contains_key(id),
                TryRuntimeError::Other("a KEM key belongs to an unknown organisation")
            );
            ensure!(kem.key.len() == KEM_PUBLIC_BYTES as usize, TryRuntimeError::Other("a KEM key has a wrong length"));
        }
        Ok(())
    }

    fn try_budgets() -> Result<(), TryRuntimeError> {
        let now = Self::budget_period();
        for budget in Budgets::<T>::iter_values() {
            ensure!(budget.period <= now, TryRuntimeError::Other("a budget belongs to a period to come"));
        }
        Ok(())
    }
}
