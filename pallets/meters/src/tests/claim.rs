use crate::{mock::*, verify_sr25519, ClaimCount, ClaimedBy, Error, Event, WeightInfo, LONGEST_STATEMENT, MAX_CLAIMS};
use frame_support::{assert_noop, assert_ok, dispatch::PostDispatchInfo};
use sealed_register::{
    statement::{self, Statement},
    MeterId, OperatingDay,
};
use sp_core::Pair;
use sp_runtime::DispatchError;

fn registered(test: impl FnOnce()) {
    build_and_execute(|| {
        assert_ok!(sync(vec![entry(meter_id(1), 1), entry(meter_id(2), 1)]));
        System::set_block_number(5);
        test();
    });
}

#[test]
fn a_ticket_gives_the_meter_to_the_customer() {
    registered(|| {
        let customer = account("maria");
        assert_eq!(System::providers(&customer), 0);
        assert!(!Meters::holds_a_meter(&customer));
        let outcome = claim(meter_id(1), 1, &customer);
        let expected: PostDispatchInfo = Some(<() as WeightInfo>::claim()).into();
        assert_eq!(outcome, Ok(expected));
        let held = Meters::meter(&oncor(), &meter_id(1)).unwrap().claim.unwrap();
        assert_eq!(
            (held.customer, held.kem_hash, held.ticket_issue, held.claimed_at),
            (customer.clone(), [7; 32], 1, 5)
        );
        assert!(Meters::holds_a_meter(&customer));
        assert_eq!(System::providers(&customer), 1);
        System::assert_last_event(
            Event::MeterClaimed { utility: oncor(), meter: meter_id(1), customer, ticket_issue: 1, replaced: None }
                .into(),
        );
        // Nobody lost access.
        assert_eq!(Meters::meter(&oncor(), &meter_id(1)).unwrap().epoch, 0);
        assert!(Told::get().is_empty());
    });
}

#[test]
fn participants_and_customers_with_a_meter_relay_and_nobody_else() {
    registered(|| {
        let customer = account("maria");
        let statement = claim_of(meter_id(1), 1, &customer);
        assert_noop!(relay(customer.clone(), &statement, signed(&statement)), Error::<Test>::NotAuthorized);
        let unsigned =
            Meters::claim(RuntimeOrigin::none(), oncor(), meter_id(1), 1, customer.clone(), [7; 32], 99, [0; 64]);
        assert_eq!(unsigned.unwrap_err().error, DispatchError::BadOrigin);
        assert_ok!(relay(oncor_delivery(), &statement, signed(&statement)));
        // Now she may herself, for her second meter.
        let second = claim_of(meter_id(2), 1, &customer);
        assert_ok!(relay(customer.clone(), &second, signed(&second)));
        assert_eq!(ClaimCount::<Test>::get(&customer), 2);
        assert_eq!(System::providers(&customer), 1);
    });
}

#[test]
fn every_field_is_signed() {
    registered(|| {
        let good = claim_of(meter_id(1), 1, &account("maria"));
        let signature = signed(&good);
        // What the arguments say differs from what was signed.
        let mut changed = good;
        changed.customer = account("eve").into();
        assert_noop!(relay(retailer(), &changed, signature), Error::<Test>::InvalidSignature);
        changed = good;
        changed.kem_key = [8; 32];
        assert_noop!(relay(retailer(), &changed, signature), Error::<Test>::InvalidSignature);
        changed = good;
        changed.last_valid_block += 1;
        assert_noop!(relay(retailer(), &changed, signature), Error::<Test>::InvalidSignature);
        changed = good;
        changed.meter = meter_id(2);
        assert_noop!(relay(retailer(), &changed, signature), Error::<Test>::InvalidSignature);
        // The same ticket signs for another chain or utility.
        changed = good;
        changed.genesis = [1; 32];
        assert_noop!(relay(retailer(), &changed, signed(&changed)), Error::<Test>::InvalidSignature);
        changed = good;
        changed.utility = centerpoint();
        let elsewhere = signed(&changed);
        assert_noop!(relay(retailer(), &good, elsewhere), Error::<Test>::InvalidSignature);
        // Another key, no wrapping, a flipped bit, nothing.
        let others = pair("eve").sign(&good.message()).0;
        assert_noop!(relay(retailer(), &good, others), Error::<Test>::InvalidSignature);
        let bare = ticket(meter_id(1), 1).sign(good.text().as_bytes()).0;
        assert_noop!(relay(retailer(), &good, bare), Error::<Test>::InvalidSignature);
        let mut flipped = signature;
        flipped[20] ^= 1;
        assert_noop!(relay(retailer(), &good, flipped), Error::<Test>::InvalidSignature);
        assert_noop!(relay(retailer(), &good, [0; 64]), Error::<Test>::InvalidSignature);
        assert_ok!(relay(retailer(), &good, signature));
    });
}

#[test]
fn a_statement_is_good_up_to_its_last_block() {
    registered(|| {
        let statement = claim_of(meter_id(1), 1, &account("maria"));
        System::set_block_number(statement.last_valid_block + 1);
        assert_noop!(relay(retailer(), &statement, signed(&statement)), Error::<Test>::StatementExpired);
        System::set_block_number(statement.last_valid_block);
        assert_ok!(relay(retailer(), &statement, signed(&statement)));
    });
}

#[test]
fn a_statement_is_good_for_a_bounded_time() {
    registered(|| {
        let mut statement = claim_of(meter_id(1), 1, &account("maria"));
        for far in [5 + LONGEST_STATEMENT + 1, u32::MAX] {
            statement.last_valid_block = far;
            assert_noop!(relay(retailer(), &statement, signed(&statement)), Error::<Test>::StatementTooLong);
        }
        statement.last_valid_block = 5 + LONGEST_STATEMENT;
        assert_ok!(relay(retailer(), &statement, signed(&statement)));
    });
}

#[test]
fn a_refusal_says_how_little_it_cost() {
    registered(|| {
        let maria = account("maria");
        let cost = |relayer, statement: &statement::Claim, signature| {
            let statement::Claim { utility, meter, issue, customer, kem_key, last_valid_block, .. } = *statement;
            let origin = from(relayer);
            let outcome =
                Meters::claim(origin, utility, meter, issue, customer.into(), kem_key, last_valid_block, signature);
            outcome.unwrap_err().post_info.actual_weight
        };
        let good = claim_of(meter_id(1), 1, &maria);
        assert_eq!(cost(maria.clone(), &good, signed(&good)), Some(<() as WeightInfo>::refused()));
        let little = <() as WeightInfo>::claim_refused();
        assert!(little.ref_time() < <() as WeightInfo>::claim().ref_time());
        assert_eq!(cost(retailer(), &good, [1; 64]), Some(little));
        let unknown = claim_of(meter_id(9), 1, &maria);
        assert_eq!(cost(retailer(), &unknown, signed(&unknown)), Some(little));
    });
}

/// The neutral point as a key, and as the signature's point: the equation of the signature holds for any message.
#[test]
fn the_key_of_zeros_signs_nothing() {
    let mut forged = [0; 64];
    // The mark of a schnorrkel signature.
    forged[63] = 0x80;
    assert!(!verify_sr25519(&[0; 32], b"anything", &forged));
    let eve = pair("eve");
    assert!(verify_sr25519(&eve.public().0, b"anything", &eve.sign(b"anything").0));
}

#[test]
fn unknown_meters_and_other_utilities_are_refused() {
    registered(|| {
        assert_noop!(claim(meter_id(9), 1, &account("maria")), Error::<Test>::NotFound);
        let mut statement = claim_of(meter_id(1), 1, &account("maria"));
        statement.utility = centerpoint();
        assert_noop!(relay(retailer(), &statement, signed(&statement)), Error::<Test>::NotFound);
    });
}

#[test]
fn a_ticket_is_used_once() {
    registered(|| {
        let statement = claim_of(meter_id(1), 1, &account("maria"));
        assert_ok!(relay(retailer(), &statement, signed(&statement)));
        assert_noop!(relay(retailer(), &statement, signed(&statement)), Error::<Test>::AlreadyClaimed);
        assert_noop!(claim(meter_id(1), 1, &account("eve")), Error::<Test>::AlreadyClaimed);
    });
}

#[test]
fn only_the_newest_ticket_counts() {
    registered(|| {
        assert_ok!(sync(vec![entry(meter_id(1), 3)]));
        for old in [1, 2, 4] {
            assert_noop!(claim(meter_id(1), old, &account("maria")), Error::<Test>::InvalidTicketIssue);
        }
        assert_ok!(claim(meter_id(1), 3, &account("maria")));
    });
}

#[test]
fn a_newer_ticket_replaces_the_holder_and_the_epoch_rises() {
    registered(|| {
        let (thief, maria) = (account("thief"), account("maria"));
        assert_ok!(claim(meter_id(1), 1, &thief));
        assert_ok!(sync(vec![entry(meter_id(1), 2)]));
        // The new ticket alone takes nothing from anybody.
        assert!(Meters::holds_a_meter(&thief));
        System::set_block_number(8);
        let outcome = claim(meter_id(1), 2, &maria);
        assert_eq!(outcome, Ok(PostDispatchInfo::default()));
        let meter = Meters::meter(&oncor(), &meter_id(1)).unwrap();
        assert_eq!(meter.claim.unwrap().customer, maria);
        assert_eq!((meter.epoch, meter.epoch_since), (1, 8));
        assert!(!Meters::holds_a_meter(&thief));
        assert!(!ClaimedBy::<Test>::contains_key(&thief, (oncor(), meter_id(1))));
        assert!(!ClaimCount::<Test>::contains_key(&thief));
        assert_eq!(Told::get(), [Ended::Claim(oncor(), meter_id(1), maria.clone())]);
        // References are never taken back, so that no nonce restarts.
        assert_eq!(System::providers(&thief), 1);
        System::assert_has_event(
            Event::MeterClaimed {
                utility: oncor(),
                meter: meter_id(1),
                customer: maria,
                ticket_issue: 2,
                replaced: Some(thief),
            }
            .into(),
        );
        System::assert_last_event(Event::EpochRaised { utility: oncor(), meter: meter_id(1), epoch: 1 }.into());
    });
}

#[test]
fn the_same_customer_may_claim_again_with_a_new_key() {
    registered(|| {
        let maria = account("maria");
        assert_ok!(claim(meter_id(1), 1, &maria));
        assert_ok!(sync(vec![entry(meter_id(1), 2)]));
        let mut statement = claim_of(meter_id(1), 2, &maria);
        statement.kem_key = [9; 32];
        assert_ok!(relay(retailer(), &statement, signed(&statement)));
        assert_eq!(Meters::meter(&oncor(), &meter_id(1)).unwrap().claim.unwrap().kem_hash, [9; 32]);
        assert_eq!(ClaimCount::<Test>::get(&maria), 1);
    });
}

#[test]
fn an_account_holds_a_bounded_number_of_meters() {
    build_and_execute(|| {
        let maria = account("maria");
        let meters: Vec<MeterId> = (0..=MAX_CLAIMS as u8).map(meter_id).collect();
        assert_ok!(sync(meters.iter().map(|meter| entry(*meter, 1)).collect()));
        let (last, first) = meters.split_last().unwrap();
        for meter in first {
            assert_ok!(claim(*meter, 1, &maria));
        }
        assert_noop!(claim(*last, 1, &maria), Error::<Test>::LimitOfClaims);
        // A new ticket for one that she holds is no further meter.
        assert_ok!(sync(vec![entry(first[0], 2)]));
        assert_ok!(claim(first[0], 2, &maria));
        // One less, one more.
        assert_ok!(sync(vec![entry(first[0], 3)]));
        assert_ok!(claim(first[0], 3, &account("ana")));
        assert_ok!(claim(*last, 1, &maria));
    });
}

#[test]
fn a_former_tenant_may_still_claim() {
    registered(|| {
        assert_ok!(close(from(oncor_feed()), meter_id(1), OperatingDay(8_000)));
        assert_ok!(claim(meter_id(1), 1, &account("maria")));
    });
}

#[test]
fn an_account_that_has_its_reference_gets_no_second_one() {
    registered(|| {
        System::inc_providers(&retailer());
        let statement: statement::Claim = claim_of(meter_id(1), 1, &retailer());
        assert_ok!(relay(retailer(), &statement, signed(&statement)));
        assert_eq!(System::providers(&retailer()), 1);
    });
}
