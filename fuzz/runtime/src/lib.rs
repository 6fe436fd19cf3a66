//! What must hold for any extrinsics.
