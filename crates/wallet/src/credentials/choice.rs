//! Which copy of a credential is shown next.

use realdid_checks::passes;

use super::{CredentialError, HeldCopy, HeldCredential, MAX_USES, Use};
use crate::state::Wallet;

/// The copy to show, and what its holder should know about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picked<'a> {
    /// The copy.
    pub copy: &'a HeldCopy,
    /// It is a one-time copy that somebody has seen already: the two can find that they have the same
    /// holder.
    pub shown_before: bool,
    /// How many unused one-time copies are left after this one; none for long-lived credentials.
    pub left: Option<usize>,
}

impl HeldCredential {
    /// The copy to show next: an unused one that is valid, the one that expires first; else the one
    /// used least, with a warning. One whose status was seen as refused is used only if nothing else
    /// is there. `now` in Unix seconds.
    ///
    /// # Errors
    /// [`CredentialError::Expired`].
    pub fn pick(&self, now: u64) -> Result<Picked<'_>, CredentialError> {
        let valid = self.copies.iter().filter(|copy| copy.is_valid_at(now));
        let order = |copy: &&HeldCopy| {
            let fresh = copy.is_long_lived() || passes("WVC-03", copy.uses.is_empty());
            let uses = if fresh { 0 } else { copy.uses.len() };
            (
                copy.is_refused_by_status(),
                uses,
                copy.expires_at.unwrap_or(u64::MAX),
                copy.number,
            )
        };
        let copy = valid.min_by_key(order).ok_or(CredentialError::Expired(self.id))?;
        let shown_before = !copy.is_long_lived() && !copy.uses.is_empty();
        let unused = self.unused(now);
        let left = (!copy.is_long_lived()).then(|| unused.saturating_sub(usize::from(!shown_before)));
        Ok(Picked {
            copy,
            shown_before,
            left,
        })
    }

    /// How many one-time copies are valid and were shown to nobody.
    #[must_use]
    pub fn unused(&self, now: u64) -> usize {
        let fresh = |copy: &&HeldCopy| !copy.is_long_lived() && copy.uses.is_empty() && copy.is_valid_at(now);
        self.copies.iter().filter(fresh).count()
    }

    /// Whether fresh copies should be fetched: all used, or none valid.
    #[must_use]
    pub fn is_exhausted(&self, now: u64) -> bool {
        match self.pick(now) {
            Ok(picked) => picked.shown_before,
            Err(_) => true,
        }
    }

    /// When the last copy expires, in Unix seconds; `None` if one never does, or there is none.
    #[must_use]
    pub fn expires_at(&self) -> Option<u64> {
        let times: Option<Vec<u64>> = self.copies.iter().map(|copy| copy.expires_at).collect();
        times.and_then(|times| times.into_iter().max())
    }
}

impl Wallet {
    /// Remembers that a copy goes to a verifier; to be stored before it is sent, so that a crash does
    /// not make the wallet show it to another.
    ///
    /// # Errors
    /// [`CredentialError::Unknown`], [`CredentialError::UnknownCopy`].
    pub fn use_copy(&mut self, id: u32, copy: u32, verifier: &str, now: u64) -> Result<(), CredentialError> {
        let held = self.credential_mut(id)?.copy_mut(copy)?;
        if held.uses.len() >= MAX_USES {
            held.uses.remove(0);
        }
        held.uses.push(Use {
            at: now,
            verifier: verifier.to_owned(),
        });
        Ok(())
    }
}
