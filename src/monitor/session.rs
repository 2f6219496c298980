//! The latest actions of an agent's session.

use super::names::Names;
use std::collections::VecDeque;

/// The latest actions of a session, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Session(pub(crate) VecDeque<u32>);

impl Session {
    /// Adds an action, and keeps the latest `most`.
    pub(crate) fn push(&mut self, action: u32, most: usize, names: &mut Names) {
        if self.0.len() >= most
            && let Some(oldest) = self.0.pop_front()
        {
            names.release(oldest);
        }
        names.retain(action);
        self.0.push_back(action);
    }

    /// Starts anew.
    pub(crate) fn clear(&mut self, names: &mut Names) {
        self.0.drain(..).for_each(|action| names.release(action));
    }
}
