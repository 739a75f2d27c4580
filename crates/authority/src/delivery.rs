//! Bringing one-time codes to the contact on record.
//!
//! A dispatch is made for every enrolment and handed to a queue, so that an answer takes as long
//! for a person who does not exist; only the worker at its end sees whether there is anybody.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use serde::Serialize;
use tokio::sync::mpsc;

use crate::register::Contact;

/// Dispatches that may wait; beyond them, codes are lost and people ask again.
const QUEUE: usize = 1024;
/// Messages that the sandbox's outbox keeps.
const OUTBOX: usize = 500;

/// A code that is to be delivered, if there is anybody to deliver it to. Never printed.
pub struct Dispatch {
    contact: Option<Contact>,
    code: String,
    at: u64,
}

impl Dispatch {
    pub(crate) const fn new(contact: Option<Contact>, code: String, at: u64) -> Self {
        Self { contact, code, at }
    }

    /// The contact and the code, if there is anybody to deliver it to.
    #[must_use]
    pub fn addressed(&self) -> Option<(&Contact, &str)> {
        self.contact.as_ref().map(|contact| (contact, self.code.as_str()))
    }

    /// When the enrolment was begun, in Unix seconds.
    #[must_use]
    pub const fn at(&self) -> u64 {
        self.at
    }
}

/// Why a code could not be delivered. Says nothing about to whom.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The setting is no `smtp://` or `smtps://` URL, or the sender is no mail address.
    #[error("the settings for mail are not valid")]
    Settings,
    /// The contact on record is not a mail address.
    #[error("the contact on record is not a mail address")]
    Contact,
    /// The mail server does not take the message.
    #[error("the mail server did not take the message")]
    Server,
}

type Delivering<'a> = Pin<Box<dyn Future<Output = Result<(), DeliveryError>> + Send + 'a>>;

/// A way to bring a code to a contact.
pub trait Delivery: Send + Sync {
    /// Brings the code to the contact; `at` is when it was asked for, in Unix seconds.
    fn deliver<'a>(&'a self, contact: &'a Contact, code: &'a str, at: u64) -> Delivering<'a>;
}

/// Delivery by mail.
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Smtp {
    /// Through the server at an `smtp://` or `smtps://` URL, from a mail address.
    ///
    /// # Errors
    /// [`DeliveryError::Settings`].
    pub fn new(url: &str, from: &str) -> Result<Self, DeliveryError> {
        let transport =
            AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(|_| DeliveryError::Settings)?;
        let from = from.parse().map_err(|_| DeliveryError::Settings)?;
        Ok(Self {
            transport: transport.build(),
            from,
        })
    }

    async fn send(&self, contact: &Contact, code: &str) -> Result<(), DeliveryError> {
        let message = Message::builder()
            .from(self.from.clone())
            .to(contact.email.parse().map_err(|_| DeliveryError::Contact)?)
            .subject("Your code for RealDID")
            .body(format!(
                "Your one-time code is {code}.\n\nIt is valid for some minutes. If you are not enrolling a wallet \
                 now, somebody else knows your name and identity number: tell nobody the code.\n"
            ))
            .map_err(|_| DeliveryError::Settings)?;
        self.transport
            .send(message)
            .await
            .map(|_| ())
            .map_err(|_| DeliveryError::Server)
    }
}

impl Delivery for Smtp {
    fn deliver<'a>(&'a self, contact: &'a Contact, code: &'a str, _at: u64) -> Delivering<'a> {
        Box::pin(self.send(contact, code))
    }
}

/// What the sandbox's outbox shows.
#[derive(Clone, Serialize)]
pub struct Delivered {
    /// The contact it went to.
    pub to: String,
    /// The code.
    pub code: String,
    /// When the enrolment was begun, in Unix seconds.
    pub at: u64,
}

/// The sandbox's delivery: the last 500 codes, kept in memory and shown on a page.
#[derive(Default)]
pub struct Outbox {
    delivered: Mutex<VecDeque<Delivered>>,
}

impl Outbox {
    /// What has been delivered, the newest last.
    #[must_use]
    pub fn delivered(&self) -> Vec<Delivered> {
        self.delivered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }
}

impl Delivery for Outbox {
    fn deliver<'a>(&'a self, contact: &'a Contact, code: &'a str, at: u64) -> Delivering<'a> {
        let mut delivered = self.delivered.lock().unwrap_or_else(PoisonError::into_inner);
        if delivered.len() == OUTBOX {
            delivered.pop_front();
        }
        delivered.push_back(Delivered {
            to: contact.email.clone(),
            code: code.to_owned(),
            at,
        });
        Box::pin(std::future::ready(Ok(())))
    }
}

/// The near end of the queue.
#[derive(Clone)]
pub struct Dispatcher {
    queue: mpsc::Sender<Dispatch>,
}

impl Dispatcher {
    /// Starts the worker; it ends when the last dispatcher is gone.
    pub fn start(delivery: std::sync::Arc<dyn Delivery>) -> Self {
        let (queue, mut waiting) = mpsc::channel::<Dispatch>(QUEUE);
        tokio::spawn(async move {
            while let Some(dispatch) = waiting.recv().await {
                let Some((contact, code)) = dispatch.addressed() else {
                    continue;
                };
                if let Err(error) = delivery.deliver(contact, code, dispatch.at()).await {
                    tracing::warn!(%error, "a code could not be delivered");
                }
            }
        });
        Self { queue }
    }

    /// Hands a dispatch on without waiting.
    pub fn send(&self, dispatch: Dispatch) {
        if self.queue.try_send(dispatch).is_err() {
            tracing::warn!("codes are waiting for delivery; one was dropped");
        }
    }
}
