//! One file per call and per extension; every test ends with `do_try_state` (`build_and_execute`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // tests fail by panicking

mod admit;
mod check_participation;
mod directory;
mod enact;
mod genesis;
mod mortal_only;
mod nonce_window;
mod reinstate;
mod replace_account;
mod rotate_account;
mod sequences;
mod set_duty_account;
mod set_endpoint;
mod set_kem_key;
mod suspend;
