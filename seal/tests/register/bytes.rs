//! Property 8 for cells: any bytes are a cell or an error, and every cell has one encoding.

use crate::world::{any_readings, World};
use proptest::prelude::*;
use sealed_register::{cell::encoded_len, Channel, Header, SealedCell};

proptest! {
    #[test]
    fn any_bytes_are_a_cell_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..1200), likely in any::<bool>()) {
        let mut bytes = bytes;
        if likely {
            // A valid beginning, so that more than the first bytes are read.
            for (byte, valid) in bytes.iter_mut().zip([1, 0, 0, 1, 96]) {
                *byte = valid;
            }
        }
        if let Ok(cell) = SealedCell::decode(&bytes) {
            prop_assert_eq!(cell.encode(), bytes.clone());
        }
        if let Ok(header) = Header::decode(&bytes) {
            prop_assert_eq!(&header.encode()[..], &bytes[..]);
        }
    }

    #[test]
    fn cells_come_back_and_damaged_ones_do_not_pass_for_them(
        readings in any_readings(Channel::Consumption, 8000),
        cut in 1..400usize,
        more in prop::collection::vec(any::<u8>(), 1..9),
    ) {
        let cell = World::new().seal(9, &readings, 0);
        let bytes = cell.encode();
        prop_assert_eq!(bytes.len(), cell.encoded_len());
        prop_assert_eq!(bytes.len(), encoded_len(&cell.header));
        prop_assert!(bytes.len() <= SealedCell::MAX_LEN);
        prop_assert_eq!(&SealedCell::decode(&bytes).unwrap(), &cell);
        prop_assert_eq!(Header::decode(&bytes[..Header::LEN]).unwrap(), cell.header);
        prop_assert!(SealedCell::decode(&bytes[..bytes.len() - cut]).is_err());
        prop_assert!(SealedCell::decode(&[&bytes[..], &more].concat()).is_err());
    }
}
