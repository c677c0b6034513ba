//! What the rules need to know from outside a case, read in the same transaction by `casework::act`.
use std::collections::BTreeMap;

use super::case::Party;
use super::deadline::Spans;
use super::id::OrganisationId;
use super::people::Actor;
use super::review::Reading;

/// Facts from outside the case that the rules need, read in the same transaction.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The organisations of the case and of the request, as the register has them now.
    pub organisations: BTreeMap<OrganisationId, Party>,
    /// Those among them that may not be a side of a case.
    pub not_leros: Vec<OrganisationId>,
    /// Those of the invited side that the person asking belongs to as well.
    pub asker_on_both_sides: bool,
    /// Another open case of the same organisations on the same ground, that the person asking may see.
    pub twin: bool,
    /// The facilitator, asked or in place, as they are now.
    pub facilitator: Option<Actor>,
    /// The person the request names.
    pub named: Option<Actor>,
    /// The reading of the side that asks.
    pub reading: Option<Reading>,
    /// Organisations without a lead who has an account or an invitation to one.
    pub without_lead: Vec<OrganisationId>,
    /// Whether the case the request names is there for the person asking.
    pub other_case_seen: bool,
    pub spans: Spans,
}
