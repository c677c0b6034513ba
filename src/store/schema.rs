//! The tables as diesel sees them: one schema for both databases, compared with the migrations by a test.
use super::columns::{Doc, Id, Stamp};

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    people (id) {
        id -> Id,
        name -> Text,
        email -> Text,
        roles -> Doc,
        active -> Bool,
        created_at -> Stamp,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    organisations (id) {
        id -> Id,
        working_name -> Text,
        folded -> Text,
        look -> Text,
        kind -> Text,
        nation -> Text,
        constituted -> Bool,
        profile -> Doc,
        merged_into -> Nullable<Id>,
        created_at -> Stamp,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    memberships (id) {
        id -> Id,
        person_id -> Id,
        organisation_id -> Id,
        lead -> Bool,
        state -> Text,
        since -> Date,
        until -> Nullable<Date>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    affiliations (id) {
        id -> Id,
        person_id -> Id,
        organisation_id -> Id,
        role -> Text,
        since -> Date,
        until -> Nullable<Date>,
        declared_at -> Stamp,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    presences (id) {
        id -> Id,
        organisation_id -> Id,
        locality -> Text,
        kind -> Text,
        since -> Date,
        until -> Nullable<Date>,
        end_condition -> Nullable<Text>,
        evidence -> Nullable<Text>,
        state -> Text,
        declared_at -> Stamp,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    tokens (id) {
        id -> Id,
        person_id -> Id,
        secret_hash -> Text,
        created_at -> Stamp,
        expires_at -> Stamp,
        revoked_at -> Nullable<Stamp>,
        name -> Text,
        scopes -> Doc,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    invitations (id) {
        id -> Id,
        person_id -> Id,
        membership_id -> Nullable<Id>,
        code_hash -> Text,
        expires_at -> Stamp,
        used_at -> Nullable<Stamp>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    cases (id) {
        id -> Id,
        reference -> Text,
        stage -> Text,
        version -> BigInt,
        opened_at -> Stamp,
        invited_at -> Nullable<Stamp>,
        next_look -> Nullable<Stamp>,
        sealed -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    case_headings (heading, opened_at, case_id) {
        heading -> Text,
        opened_at -> Stamp,
        case_id -> Id,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    readings (case_id, side) {
        case_id -> Id,
        side -> Text,
        version -> Integer,
        sealed -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    events (id) {
        id -> Id,
        chain -> Text,
        seq -> BigInt,
        at -> Stamp,
        actor -> Nullable<Id>,
        capacity -> Text,
        on_behalf_of -> Nullable<Id>,
        event -> Text,
        audience -> Text,
        commitment -> Text,
        link -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    event_bodies (event_id) {
        event_id -> Id,
        salt -> Binary,
        sealed -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    notices (id) {
        id -> Id,
        person_id -> Id,
        case_id -> Nullable<Id>,
        letter -> Text,
        at -> Stamp,
        due -> Nullable<Stamp>,
        read_at -> Nullable<Stamp>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    letters (id) {
        id -> Id,
        dedupe -> Text,
        person_id -> Id,
        case_id -> Nullable<Id>,
        letter -> Text,
        address -> Text,
        message_id -> Text,
        bytes -> Nullable<Binary>,
        state -> Text,
        attempts -> Integer,
        created_at -> Stamp,
        next_at -> Stamp,
        lease -> Nullable<Id>,
        lease_until -> Nullable<Stamp>,
        ended_at -> Nullable<Stamp>,
        answer -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    once (person_id, key) {
        person_id -> Id,
        key -> Text,
        fingerprint -> Text,
        sealed -> Nullable<Binary>,
        at -> Stamp,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    wrapping_key (one) {
        one -> Integer,
        name -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    data_keys (id) {
        id -> Id,
        case_id -> Id,
        part -> Text,
        wrapped -> Binary,
        wrapped_by -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    messages (id) {
        id -> Id,
        case_id -> Id,
        room -> Text,
        at -> Stamp,
        author -> Id,
        capacity -> Text,
        sealed -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    read_marks (person_id, case_id, room) {
        person_id -> Id,
        case_id -> Id,
        room -> Text,
        at -> Stamp,
        message_id -> Id,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    documents (id) {
        id -> Id,
        case_id -> Id,
        room -> Text,
        at -> Stamp,
        author -> Id,
        capacity -> Text,
        size -> BigInt,
        superseded_by -> Nullable<Id>,
        sealed -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    document_chunks (document_id, n) {
        document_id -> Id,
        n -> Integer,
        sealed -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    downloads (id) {
        id -> Id,
        document_id -> Id,
        person_id -> Id,
        capacity -> Text,
        at -> Stamp,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    meetings (id) {
        id -> Id,
        case_id -> Id,
        room -> Text,
        at -> Stamp,
        version -> BigInt,
        sealed -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    calendar_feeds (person_id) {
        person_id -> Id,
        secret_hash -> Text,
        created_at -> Stamp,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    room_looks (id) {
        id -> Id,
        case_id -> Id,
        room -> Text,
        ground -> Text,
        hours -> Integer,
        asked_by -> Id,
        asked_at -> Stamp,
        decided_by -> Nullable<Id>,
        decided_at -> Nullable<Stamp>,
        approved -> Nullable<Bool>,
        until -> Nullable<Stamp>,
        sealed -> Binary,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    passwords (person_id) {
        person_id -> Id,
        phc -> Text,
        changed_at -> Stamp,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    passkeys (id) {
        id -> Id,
        person_id -> Id,
        credential_id -> Text,
        algorithm -> Integer,
        public_key -> Binary,
        sign_count -> BigInt,
        name -> Text,
        created_at -> Stamp,
        last_used_at -> Nullable<Stamp>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    sessions (id) {
        id -> Id,
        person_id -> Id,
        secret_hash -> Text,
        browser -> Text,
        created_at -> Stamp,
        seen_at -> Stamp,
        second_step_at -> Nullable<Stamp>,
        expires_at -> Stamp,
        ended_at -> Nullable<Stamp>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    trusted_browsers (id) {
        id -> Id,
        person_id -> Id,
        secret_hash -> Text,
        browser -> Text,
        created_at -> Stamp,
        expires_at -> Stamp,
        ended_at -> Nullable<Stamp>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    spare_codes (id) {
        id -> Id,
        person_id -> Id,
        code_hash -> Text,
        used_at -> Nullable<Stamp>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    challenges (id) {
        id -> Id,
        purpose -> Text,
        person_id -> Nullable<Id>,
        browser_hash -> Nullable<Text>,
        secret -> Text,
        detail -> Nullable<Text>,
        tries -> Integer,
        created_at -> Stamp,
        expires_at -> Stamp,
        used_at -> Nullable<Stamp>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    tries (key) {
        key -> Text,
        count -> Integer,
        since -> Stamp,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use super::{Doc, Id, Stamp};
    recoveries (id) {
        id -> Id,
        person_id -> Id,
        vouched_by -> Id,
        created_at -> Stamp,
        effective_at -> Stamp,
        expires_at -> Stamp,
        stopped_at -> Nullable<Stamp>,
        used_at -> Nullable<Stamp>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(people, organisations, memberships, affiliations, presences, tokens, invitations, cases, case_headings, readings, events, event_bodies, notices, letters, once, wrapping_key, data_keys, messages, read_marks, documents, document_chunks, downloads, meetings, calendar_feeds, room_looks, passwords, passkeys, sessions, trusted_browsers, spare_codes, challenges, tries, recoveries);
