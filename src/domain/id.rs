//! Names of things: random version 4 UUIDs with a type of their own, so that a person's id can never
//! stand where a case's is asked for. They carry no order and no time (SPEC §1.3). Not here: the case
//! reference people read aloud, which is in `case`.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids { ($($(#[$why:meta])* $name:ident),+ $(,)?) => { $(
    $(#[$why])*
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
    #[serde(transparent)]
    pub struct $name(pub Uuid);

    impl $name {
        /// A new name nobody has used.
        #[must_use]
        pub fn random() -> Self { Self(Uuid::new_v4()) }

        /// Reads the one canonical spelling (lower case, hyphens); every other spelling is `None`, so that
        /// an address has one form only (SAFETY §4).
        #[must_use]
        pub fn parse(written: &str) -> Option<Self> {
            let id = Uuid::try_parse(written).ok()?;
            (id.hyphenated().to_string() == written).then_some(Self(id))
        }
    }

    impl<'de> Deserialize<'de> for $name {
        fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            let written = String::deserialize(from)?;
            Self::parse(&written).ok_or_else(|| serde::de::Error::custom("this is not an id: ids are UUIDs in lower case with hyphens"))
        }
    }

    impl std::fmt::Display for $name {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { self.0.hyphenated().fmt(f) }
    }
)+ } }

ids! {
    /// A case, from its draft on.
    CaseId,
    /// A person with an account.
    PersonId,
    /// A LERO or another organisation in the register.
    OrganisationId,
    /// A dated membership of a person in an organisation.
    MembershipId,
    /// A dated, declared tie of a person to an organisation (SPEC §4).
    AffiliationId,
    /// One organisation in one locality for a time.
    PresenceId,
    /// Something that happened.
    EventId,
    /// An agreed action, proposed or in force.
    ActionId,
    /// A side's objection to a neutral.
    ObjectionId,
    /// Something a person must be told.
    NoticeId,
    /// A rendered letter on its way.
    LetterId,
    /// An API token (not its secret).
    TokenId,
    /// A single-use invitation to a first account.
    InvitationId,
    /// A lease a courier holds on a letter.
    LeaseId,
    /// A key that seals what is kept of one room or side.
    KeyId,
    /// Something said in a room.
    MessageId,
    /// A document in a room.
    DocumentId,
    /// A meeting that is planned.
    MeetingId,
    /// One of the times a meeting may take place.
    TimeId,
    /// A request to look into one room (SPEC §13).
    LookId,
    /// A session of somebody who is signed in (not its secret).
    SessionId,
    /// A passkey, as we know it.
    PasskeyId,
    /// A browser somebody trusts (not its secret).
    BrowserId,
    /// A question somebody must answer to go on: a code, or a passkey's signature.
    ChallengeId,
    /// Help to get back in, vouched for by CLERO.
    RecoveryId,
    /// One of the codes somebody keeps on paper.
    RecoveryCodeId,
}
