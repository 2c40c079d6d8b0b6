//! The sockets, made again when somebody takes them away.
//!
//! Must never end the work for want of them: who deletes a directory in /run wants no deletions missed.

use super::messages;
use super::narrator::{Line, Narrator};
use super::start::make_dir;
use crate::control::Server;

/// The sockets, and whether the journal knows that they are gone.
#[derive(Debug)]
pub(super) struct Doors<'a> {
    pub(super) server: &'a mut Server,
    is_said: bool,
}

impl<'a> Doors<'a> {
    pub(super) fn new(server: &'a mut Server) -> Self {
        Self { server, is_said: false }
    }

    /// Makes them again, and their directory, if they are not there any more.
    pub(super) fn keep(&mut self, narrator: &mut Narrator) {
        if self.server.is_there() {
            self.is_said = false;
            return;
        }
        let dir = self.server.dir().to_path_buf();
        let made = make_dir(&dir).map_err(anyhow::Error::from);
        let renewed = made.and_then(|()| Ok(self.server.renew()?));
        let dir = dir.display();
        match renewed {
            Ok(()) => {
                let text = format!("the sockets in {dir} were taken away; they are made again");
                narrator.tell(Line::new(messages::SOCKETS_RENEWED, text));
            }
            Err(error) if !self.is_said => {
                self.is_said = true;
                let why = format!("{error:#}");
                let text = format!(
                    "the sockets in {dir} were taken away, and can't be made again: {why}; it goes \
                     on without them, and tries again every few seconds"
                );
                narrator.tell(Line::new(messages::SOCKETS_LOST, text).because(why));
            }
            Err(_) => {}
        }
    }
}
