//! How the house is set up, for those who look after it: what is set, and every letter as it looks, with made-up words in
//! it. Nothing here changes anything: settings are made where the service is started.
use std::collections::BTreeMap;

use serde::Serialize;

use super::people::staff;
use super::sessions::TRUST_DAYS;
use super::signin::{self, Credential, IDLE_HOURS};
use super::{Desk, Error};
use crate::domain::deadline::{Spans, holidays_known};
use crate::domain::notice::Letter;
use crate::domain::people::{FRESH_MINUTES, Role};
use crate::domain::time::Day;
use crate::mail::letter::Words;

/// What is set.
#[derive(Debug, Clone, Serialize)]
pub struct SettingsSight {
    pub public_url: String,
    pub phone: String,
    pub sender: String,
    pub sender_name: String,
    pub reply_to: String,
    /// SQLite, in one file, or otherwise PostgreSQL.
    pub sqlite: bool,
    pub session_hours: u16,
    pub idle_hours: i64,
    pub trust_days: i64,
    pub fresh_minutes: i64,
    pub token_days: u16,
    pub invitation_days: u16,
    pub document_mb: u64,
    pub room_mb: u64,
    pub password_memory_kib: u32,
    pub password_passes: u32,
    pub spans: Spans,
    /// The last bank holiday that is known, by the places that share them.
    pub holidays_until: BTreeMap<String, Day>,
}

/// A letter as it looks.
#[derive(Debug, Clone, Serialize)]
pub struct LetterPreview {
    pub subject: String,
    pub words: String,
    pub html: String,
}

impl Desk {
    /// What is set; for administrators.
    pub async fn settings_seen(&self, caller: Credential) -> Result<SettingsSight, Error> {
        let (desk, now) = (self.clone(), self.clock.now());
        self.db
            .read(move |conn| {
                if !signin::actor(conn, &caller, now)?.is(Role::Administrator) {
                    return Err(Error::NotAllowed);
                }
                let set = &desk.settings;
                Ok(SettingsSight {
                    public_url: set.public_url.clone(),
                    phone: set.phone.clone(),
                    sender: set.sender.from.as_str().to_owned(),
                    sender_name: set.sender.from_name.as_str().to_owned(),
                    reply_to: set.sender.reply_to.as_str().to_owned(),
                    sqlite: desk.db.is_sqlite(),
                    session_hours: set.session_hours,
                    idle_hours: IDLE_HOURS,
                    trust_days: TRUST_DAYS,
                    fresh_minutes: FRESH_MINUTES,
                    token_days: set.token_days,
                    invitation_days: set.invitation_days,
                    document_mb: set.shelf.document_mb.into(),
                    room_mb: set.shelf.room_mb.into(),
                    password_memory_kib: set.hashing.memory_kib,
                    password_passes: set.hashing.passes,
                    spans: set.spans.clone(),
                    holidays_until: holidays_known(),
                })
            })
            .await
    }

    /// Whether the caller may look at the letters as such: those who answer for what they say.
    pub async fn may_see_letters(&self, caller: Credential) -> Result<(), Error> {
        let now = self.clock.now();
        self.db
            .read(move |conn| {
                let actor = signin::actor(conn, &caller, now)?;
                if staff(&actor) || actor.is(Role::Auditor) {
                    Ok(())
                } else {
                    Err(Error::NotAllowed)
                }
            })
            .await
    }

    /// A letter with made-up words in it.
    pub async fn preview_letter(
        &self,
        caller: Credential,
        letter: Letter,
    ) -> Result<LetterPreview, Error> {
        self.may_see_letters(caller).await?;
        let link = format!("{}/sign-in", self.settings.public_url);
        let today = self.clock.now().london_day();
        let due = letter
            .clock()
            .map(|_| crate::domain::time::in_words(today + chrono::Duration::days(14)));
        let words = Words {
            name: "Sam Example",
            reference: Some("CG-2026-4F7K"),
            what: letter.what(),
            by_when: due,
            link: &link,
            phone: &self.settings.phone,
            code: Some(if letter == Letter::FirstAccount {
                "ABCDE-FGHJK"
            } else {
                "000000"
            }),
        };
        let rendered = self.letters.render(letter, &words)?;
        Ok(LetterPreview {
            subject: rendered.subject,
            words: rendered.text,
            html: rendered.html,
        })
    }
}
