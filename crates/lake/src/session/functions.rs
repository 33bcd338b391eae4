//! Which functions an asker may call.

use crate::barrier::masks;

/// Functions that an asker may call: every one of the pinned engine's but those that tell of the engine, that belong to
/// the barrier, that are not the same when called again, or that estimate: an estimate depends on how the rows are
/// cut into parts, and the hidden ones have their share in that.
pub(super) fn is_allowed(name: &str) -> bool {
    const REFUSED: [&str; 10] = [
        masks::NAME,
        "version",
        "random",
        "uuid",
        "arrow_metadata",
        "with_metadata",
        "get_field_metadata",
        "approx_median",
        "approx_percentile_cont",
        "approx_percentile_cont_with_weight",
    ];
    !REFUSED.contains(&name)
}
