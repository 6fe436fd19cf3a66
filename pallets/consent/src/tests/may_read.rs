use crate::{mock::*, Error};
use frame_support::{assert_noop, assert_ok};
use sealed_register::{delivery::ConsentTerms, statement, Channel, Channels, DayRange, Level, MeterId, OperatingDay};
use wattseal_primitives::{
    consent::{ConsentId, ReadQuery, ReadRefusal},
    AccountId,
};

/// The vendor asks for a week of hours.
fn query(consent: ConsentId) -> ReadQuery<AccountId> {
    ReadQuery {
        account: vendor(),
        secret: SECRET,
        consent: Some(consent),
        utility: oncor(),
        meter: HOME,
        channel: Channel::Consumption,
        range: days(8_100, 8_106),
        level: Level::Hour,
    }
}

/// Maria asks for a week of her own intervals.
fn own() -> ReadQuery<AccountId> {
    ReadQuery { account: maria(), secret: [0; 32], consent: None, level: Level::Quarter, ..query([0; 32]) }
}

fn refused(query: ReadQuery<AccountId>, why: ReadRefusal) {
    assert_eq!(Consents::may_read(&query), Err(why));
}

fn given(test: impl FnOnce(ConsentId, ConsentTerms)) {
    build_and_execute(|| {
        let terms = terms();
        test(give(terms), terms);
    });
}

#[test]
fn the_vendor_reads_what_the_consent_covers() {
    given(|id, terms| {
        assert_ok!(Consents::may_read(&query(id)));
        assert_ok!(Consents::may_read(&ReadQuery { level: Level::Day, ..query(id) }));
        assert_ok!(Consents::may_read(&ReadQuery { range: terms.data, ..query(id) }));
    });
}

#[test]
fn each_refusal_has_its_own_reason() {
    given(|id, terms| {
        use ReadRefusal::*;
        refused(ReadQuery { meter: MeterId([9; 16]), ..query(id) }, UnknownMeter);
        refused(ReadQuery { utility: centerpoint(), ..query(id) }, UnknownMeter);
        refused(query([7; 32]), UnknownConsent);
        refused(ReadQuery { meter: FACTORY, ..query(id) }, OtherMeter);
        refused(ReadQuery { secret: [6; 32], ..query(id) }, NotTheGrantee);
        refused(ReadQuery { account: retailer(), ..query(id) }, NotTheGrantee);
        refused(ReadQuery { account: maria(), ..query(id) }, NotAdmitted);
        refused(ReadQuery { secret: [0; 32], ..query(id) }, NoSecret);
        let (first, last) = (terms.data.first.0, terms.data.last.0);
        refused(ReadQuery { range: days(first - 1, first), ..query(id) }, OutsideDays);
        refused(ReadQuery { range: days(last, last + 1), ..query(id) }, OutsideDays);
        let backwards = DayRange { first: OperatingDay(8_101), last: OperatingDay(8_100) };
        refused(ReadQuery { range: backwards, ..query(id) }, OutsideDays);
        refused(ReadQuery { level: Level::Quarter, ..query(id) }, LevelNotGranted);
        refused(ReadQuery { channel: Channel::Generation, ..query(id) }, ChannelNotGranted);
        VendorAdmitted::set(false);
        refused(query(id), NotAdmitted);
    });
}

#[test]
fn a_vendor_that_changes_its_account_keeps_its_consents_and_the_old_account_has_none() {
    given(|id, _| {
        let (old, new) = (vendor(), account("sunny/2"));
        VendorAccount::set(new.clone());
        assert_ok!(Consents::may_read(&ReadQuery { account: new.clone(), ..query(id) }));
        refused(query(id), ReadRefusal::NotAdmitted);
        assert_noop!(Consents::give_back(from(old), id, SECRET), Error::<Test>::NotTheGrantee);
        assert_ok!(Consents::give_back(from(new), id, SECRET));
    });
}

#[test]
fn the_access_window_is_kept_by_the_day() {
    build_and_execute(|| {
        let id = give(ConsentTerms { access: days(TODAY + 2, TODAY + 4), ..terms() });
        let on = |day| {
            Day::set(day);
            Consents::may_read(&query(id))
        };
        assert_eq!(on(TODAY + 1), Err(ReadRefusal::NotYet));
        assert_eq!(on(TODAY + 2), Ok(()));
        assert_eq!(on(TODAY + 4), Ok(()));
        // Before the chain has come to end it, and after.
        assert_eq!(on(TODAY + 5), Err(ReadRefusal::Expired));
        assert_eq!(ended(&id), None);
        next_block();
        assert!(ended(&id).is_some());
        assert_eq!(on(TODAY + 5), Err(ReadRefusal::Expired));
    });
}

#[test]
fn every_end_is_named() {
    given(|revoked, _| {
        let given_back = give(ConsentTerms { text_hash: [1; 32], ..terms() });
        let closed = give(ConsentTerms { text_hash: [2; 32], ..terms() });
        assert_ok!(revoke(revoked));
        refused(query(revoked), ReadRefusal::Revoked);
        assert_ok!(Consents::give_back(from(vendor()), given_back, SECRET));
        refused(query(given_back), ReadRefusal::GivenBack);
        assert_ok!(Consents::may_read(&query(closed)));
        assert_ok!(Meters::close(from(oncor_feed()), HOME, OperatingDay(TODAY)));
        refused(query(closed), ReadRefusal::TenancyEnded);
    });
}

#[test]
fn a_narrowed_consent_covers_less() {
    given(|id, terms| {
        assert_ok!(narrow(&statement::Narrow { level: Level::Day, ..narrow_of(id, &terms) }));
        refused(query(id), ReadRefusal::LevelNotGranted);
        assert_ok!(Consents::may_read(&ReadQuery { level: Level::Day, ..query(id) }));
    });
}

#[test]
fn the_customer_reads_her_own_tenancy() {
    build_and_execute(|| {
        use ReadRefusal::*;
        assert_ok!(Consents::may_read(&own()));
        assert_ok!(Consents::may_read(&ReadQuery { channel: Channel::Generation, ..own() }));
        assert_ok!(Consents::may_read(&ReadQuery { range: days(7_305, 9_999), ..own() }));
        refused(ReadQuery { range: days(7_304, 7_305), ..own() }, OutsideDays);
        let backwards = DayRange { first: OperatingDay(8_101), last: OperatingDay(8_100) };
        refused(ReadQuery { range: backwards, ..own() }, OutsideDays);
        refused(ReadQuery { account: account("eve"), ..own() }, NotTheCustomer);
        refused(ReadQuery { account: vendor(), secret: SECRET, ..own() }, NotTheCustomer);
        refused(ReadQuery { meter: UNCLAIMED, ..own() }, NotTheCustomer);
        refused(ReadQuery { meter: FACTORY, channel: Channel::Generation, ..own() }, ChannelNotGranted);
        // After she has moved out, her own days and no later one.
        assert_ok!(Meters::close(from(oncor_feed()), HOME, OperatingDay(TODAY - 1)));
        assert_ok!(Consents::may_read(&ReadQuery { range: days(8_000, TODAY - 1), ..own() }));
        refused(ReadQuery { range: days(8_000, TODAY), ..own() }, OutsideDays);
    });
}

#[test]
fn who_lost_the_meter_reads_no_more() {
    build_and_execute(|| {
        sync(vec![entry(HOME, 2)]);
        claim(HOME, 2, "ana");
        refused(own(), ReadRefusal::NotTheCustomer);
        assert_ok!(Consents::may_read(&ReadQuery { account: account("ana"), ..own() }));
    });
}

#[test]
fn a_consent_to_both_channels_covers_each() {
    build_and_execute(|| {
        let id = give(ConsentTerms { channels: Channels::Both, ..terms() });
        for channel in Channel::ALL {
            assert_ok!(Consents::may_read(&ReadQuery { channel, ..query(id) }));
        }
    });
}
