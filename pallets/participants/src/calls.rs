//! What the calls do once their origin is known.

use crate::{
    access::{Directory, IsCustomer, OnAccountChange, Part, Today},
    Config, DutyAccounts, DutyOf, Error, Event, KemKeys, OrganisationOf, Organisations, Pallet,
};
use frame_support::{
    dispatch::DispatchResult,
    ensure,
    traits::{ConstU32, EnsureOrigin},
};
use frame_system::{ensure_signed, pallet_prelude::OriginFor};
use sealed_register::{OperatingDay, OrganisationId};
use sp_runtime::{BoundedVec, DispatchError};
use wattseal_primitives::organisations::{Duty, KemKey, Organisation, Role, Standing, Text, KEM_PUBLIC_BYTES};

/// Days for which a KEM key is good, the day on which it is set not counted (protocol section 8).
pub const KEM_KEY_DAYS: u16 = 31;

/// Schemes of an endpoint.
const SCHEMES: [&str; 4] = ["wss://", "https://", "ws://", "http://"];

/// Whether this is a name for people: UTF-8, not empty, no control characters, no blanks at either end.
pub(crate) fn is_name(name: &[u8]) -> bool {
    core::str::from_utf8(name)
        .is_ok_and(|name| !name.is_empty() && name.trim() == name && !name.chars().any(char::is_control))
}

/// Whether this is empty or an address of visible ASCII characters with one of the schemes of WebSocket and HTTP.
pub(crate) fn is_endpoint(endpoint: &[u8]) -> bool {
    endpoint.is_empty()
        || endpoint.iter().all(u8::is_ascii_graphic)
            && SCHEMES
                .iter()
                .any(|scheme| endpoint.strip_prefix(scheme.as_bytes()).is_some_and(|rest| !rest.is_empty()))
}

impl<T: Config> Pallet<T> {
    /// The part that this account has in the consortium, suspended organisations' too. An account never has two, but for
    /// a participant's account that also holds a meter: it counts as the participant's.
    pub fn part_of(who: &T::AccountId) -> Option<Part> {
        if let Some(id) = OrganisationOf::<T>::get(who) {
            let organisation = Organisations::<T>::get(id)?;
            return Some(Part::Organisation { id, role: organisation.role, standing: organisation.standing });
        }
        if let Some((utility, duty)) = DutyAccounts::<T>::get(who) {
            let standing = Organisations::<T>::get(utility)?.standing;
            return Some(Part::Duty { utility, duty, standing });
        }
        T::Customers::is_customer(who).then_some(Part::Customer)
    }

    /// Gives the account the provider reference without which it cannot send anything. One is enough, whatever parts the
    /// account gets, and none is ever taken back, so that no nonce restarts.
    fn hold(account: &T::AccountId) {
        if frame_system::Pallet::<T>::providers(account) == 0 {
            frame_system::Pallet::<T>::inc_providers(account);
        }
    }

    /// A claimed meter is no obstacle: otherwise whoever has a ticket could claim for an account that is to be admitted
    /// and so keep it out.
    fn ensure_unused(account: &T::AccountId) -> DispatchResult {
        let used = OrganisationOf::<T>::contains_key(account) || DutyAccounts::<T>::contains_key(account);
        ensure!(!used, Error::<T>::AccountAlreadyExists);
        Ok(())
    }

    /// The admitted organisation for which the sender speaks.
    pub(crate) fn ensure_organisation(
        origin: OriginFor<T>,
    ) -> Result<(T::AccountId, OrganisationId, Role), DispatchError> {
        let who = ensure_signed(origin)?;
        let (id, role) = <Self as Directory<T::AccountId>>::organisation_of(&who).ok_or(Error::<T>::NotAuthorized)?;
        Ok((who, id, role))
    }

    /// The council admits everybody, the grid operator vendors.
    pub(crate) fn ensure_may_admit(origin: OriginFor<T>, role: Role) -> DispatchResult {
        let Err(origin) = T::CouncilOrigin::try_origin(origin) else { return Ok(()) };
        let (_, _, own) = Self::ensure_organisation(origin)?;
        ensure!(own == Role::GridOperator && role == Role::Vendor, Error::<T>::NotAuthorized);
        Ok(())
    }

    /// Writes a new organisation down.
    pub(crate) fn seat(
        id: OrganisationId,
        role: Role,
        name: Text<64>,
        account: T::AccountId,
        endpoint: Text<128>,
    ) -> DispatchResult {
        ensure!(is_name(&name), Error::<T>::InvalidName);
        ensure!(is_endpoint(&endpoint), Error::<T>::InvalidEndpoint);
        ensure!(!Organisations::<T>::contains_key(id), Error::<T>::AlreadyExists);
        Self::ensure_unused(&account)?;
        Self::hold(&account);
        OrganisationOf::<T>::insert(&account, id);
        let admitted_at = frame_system::Pallet::<T>::block_number();
        let organisation = Organisation {
            role,
            name: name.clone(),
            account: account.clone(),
            endpoint,
            standing: Standing::Admitted,
            admitted_at,
        };
        Organisations::<T>::insert(id, organisation);
        Self::deposit_event(Event::OrganisationAdmitted { id, role, name, account });
        Ok(())
    }

    pub(crate) fn do_set_kem_key(
        id: OrganisationId,
        key: BoundedVec<u8, ConstU32<KEM_PUBLIC_BYTES>>,
    ) -> DispatchResult {
        ensure!(key.len() == KEM_PUBLIC_BYTES as usize, Error::<T>::InvalidKemKey);
        let last_day = OperatingDay(T::Clock::today().0.saturating_add(KEM_KEY_DAYS));
        KemKeys::<T>::insert(id, KemKey { key, last_day });
        Self::deposit_event(Event::KemKeySet { id, last_day });
        Ok(())
    }

    pub(crate) fn do_set_endpoint(id: OrganisationId, endpoint: Text<128>) -> DispatchResult {
        ensure!(is_endpoint(&endpoint), Error::<T>::InvalidEndpoint);
        Organisations::<T>::try_mutate(id, |organisation| {
            organisation.as_mut().ok_or(Error::<T>::NotFound)?.endpoint = endpoint.clone();
            Ok::<_, DispatchError>(())
        })?;
        Self::deposit_event(Event::EndpointSet { id, endpoint });
        Ok(())
    }

    /// Lets another account speak for the organisation. The account before has no part any more; what it has used of its
    /// budget goes over, and its seat on the council, if it has one.
    pub(crate) fn do_replace_account(id: OrganisationId, account: T::AccountId) -> DispatchResult {
        let mut organisation = Organisations::<T>::get(id).ok_or(Error::<T>::NotFound)?;
        Self::ensure_unused(&account)?;
        T::AccountChange::changed(&organisation.account, &account)?;
        let previous = core::mem::replace(&mut organisation.account, account.clone());
        Self::hold(&account);
        Self::hand_over_budget(&previous, &account);
        OrganisationOf::<T>::remove(&previous);
        OrganisationOf::<T>::insert(&account, id);
        Organisations::<T>::insert(id, organisation);
        Self::deposit_event(Event::AccountReplaced { id, previous, account });
        Ok(())
    }

    /// Gives a utility's duty to an account. The account that had it has no part any more; what it has used of its budget
    /// goes over.
    pub(crate) fn appoint(utility: OrganisationId, duty: Duty, account: T::AccountId) -> DispatchResult {
        Self::ensure_unused(&account)?;
        Self::hold(&account);
        let previous = DutyOf::<T>::get(utility, duty);
        if let Some(previous) = &previous {
            Self::hand_over_budget(previous, &account);
            DutyAccounts::<T>::remove(previous);
        }
        DutyAccounts::<T>::insert(&account, (utility, duty));
        DutyOf::<T>::insert(utility, duty, &account);
        Self::deposit_event(Event::DutyAccountSet { utility, duty, account, previous });
        Ok(())
    }

    pub(crate) fn set_standing(id: OrganisationId, standing: Standing) -> DispatchResult {
        Organisations::<T>::try_mutate(id, |organisation| {
            let organisation = organisation.as_mut().ok_or(Error::<T>::NotFound)?;
            ensure!(organisation.standing != standing, Error::<T>::InvalidStanding);
            organisation.standing = standing;
            Ok::<_, DispatchError>(())
        })
    }

    fn admitted_role(id: OrganisationId) -> Option<Role> {
        Organisations::<T>::get(id)
            .filter(|organisation| organisation.standing == Standing::Admitted)
            .map(|organisation| organisation.role)
    }
}

impl<T: Config> Directory<T::AccountId> for Pallet<T> {
    fn organisation_of(who: &T::AccountId) -> Option<(OrganisationId, Role)> {
        let id = OrganisationOf::<T>::get(who)?;
        Self::admitted_role(id).map(|role| (id, role))
    }

    fn duty(who: &T::AccountId) -> Option<(OrganisationId, Duty)> {
        DutyAccounts::<T>::get(who).filter(|(utility, _)| Self::admitted_role(*utility).is_some())
    }

    fn role_of(organisation: &OrganisationId) -> Option<Role> {
        Self::admitted_role(*organisation)
    }

    fn kem_key(organisation: &OrganisationId) -> Option<KemKey> {
        KemKeys::<T>::get(organisation)
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn admit_utility(id: OrganisationId, own: &T::AccountId, feed: &T::AccountId, delivery: &T::AccountId) {
        let name = Text::truncate_from(b"Utility".to_vec());
        let admitted = Self::seat(id, Role::Utility, name, own.clone(), Text::default())
            .and_then(|()| Self::appoint(id, Duty::Feed, feed.clone()))
            .and_then(|()| Self::appoint(id, Duty::Delivery, delivery.clone()));
        assert!(admitted.is_ok(), "a benchmark admits its utility once");
    }
}
