//! One signal to stop, for every task of a process.

use std::io::Read as _;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Tells tasks to stop. Clones share the signal.
#[derive(Debug, Clone)]
pub struct Shutdown {
    sender: watch::Sender<bool>,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

impl Shutdown {
    /// A signal that only [`trigger`](Self::trigger) fires.
    #[must_use]
    pub fn new() -> Self {
        Self {
            sender: watch::Sender::new(false),
        }
    }

    /// A signal that SIGINT and SIGTERM fire, and the end of standard input too if
    /// `exit_with_parent`: a supervisor that dies, however it dies, then takes its services along.
    ///
    /// # Errors
    /// [`std::io::Error`] if the process cannot listen to signals.
    pub fn on_signals(exit_with_parent: bool) -> std::io::Result<Self> {
        let shutdown = Self::new();
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let on_signal = shutdown.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            on_signal.trigger();
        });
        if exit_with_parent {
            let on_eof = shutdown.clone();
            // A thread of its own: a blocking read must not hold up the runtime's end.
            std::thread::Builder::new().name("parent".into()).spawn(move || {
                let mut stdin = std::io::stdin().lock();
                let mut buffer = [0; 256];
                while stdin.read(&mut buffer).is_ok_and(|read| read > 0) {}
                on_eof.trigger();
            })?;
        }
        Ok(shutdown)
    }

    /// Fires the signal.
    pub fn trigger(&self) {
        self.sender.send_replace(true);
    }

    /// Whether it has fired.
    #[must_use]
    pub fn is_triggered(&self) -> bool {
        *self.sender.borrow()
    }

    /// Returns once it has fired.
    pub async fn triggered(&self) {
        // The sender lives as long as `self`, so waiting cannot fail.
        let _ = self.sender.subscribe().wait_for(|fired| *fired).await;
    }
}
