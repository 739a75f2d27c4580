//! The canonical encoding of an operation's action; the layout is told at [`SignedOperation`].
//!
//! [`SignedOperation`]: crate::SignedOperation

use realdid_crypto::{DecodeError, Hash, Reader, Signature, Writer};

use crate::inception::{Commitment, DocumentData, Inception, KeysReveal, RecoveryReveal};
use crate::operation::{Action, Authorization, Founding, Reveal, Rotation, Sponsorship};

impl Action {
    pub(crate) fn write(&self, writer: &mut Writer) {
        match self {
            Self::Publish(founding) => founding.write(writer.u8(1)),
            Self::Update(rotation) => rotation.write(writer.u8(2)),
            Self::Renew {
                document,
                authority,
                token,
            } => {
                document.write(writer.u8(3));
                authority.write(writer);
                writer.fixed(token.as_slice());
            }
            Self::Recover {
                founding,
                reveal,
                document,
                next,
                recovery,
            } => {
                write_founding(writer.u8(4), founding.as_deref());
                reveal.write(writer);
                document.write(writer);
                next.0.write(writer);
                recovery.0.write(writer);
            }
            Self::Deactivate { founding, reveal } => {
                write_founding(writer.u8(5), founding.as_deref());
                match reveal {
                    Reveal::Next(reveal) => reveal.write(writer.u8(1)),
                    Reveal::Recovery(reveal) => reveal.write(writer.u8(2)),
                }
            }
            Self::Veto(rotation) => rotation.write(writer.u8(6)),
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.u8()? {
            1 => Ok(Self::Publish(Box::new(Founding::read(reader)?))),
            2 => Ok(Self::Update(Rotation::read(reader)?)),
            3 => Ok(Self::Renew {
                document: DocumentData::read(reader)?,
                authority: Hash::read(reader)?,
                token: Box::new(reader.fixed()?),
            }),
            4 => Ok(Self::Recover {
                founding: read_founding(reader)?,
                reveal: RecoveryReveal::read(reader)?,
                document: DocumentData::read(reader)?,
                next: Commitment(Hash::read(reader)?),
                recovery: Commitment(Hash::read(reader)?),
            }),
            5 => {
                let founding = read_founding(reader)?;
                let reveal = match reader.u8()? {
                    1 => Reveal::Next(KeysReveal::read(reader)?),
                    2 => Reveal::Recovery(RecoveryReveal::read(reader)?),
                    _ => return Err(DecodeError::Unknown("reveal")),
                };
                Ok(Self::Deactivate { founding, reveal })
            }
            6 => Ok(Self::Veto(Rotation::read(reader)?)),
            _ => Err(DecodeError::Unknown("action")),
        }
    }
}

impl Rotation {
    fn write(&self, writer: &mut Writer) {
        self.document.write(writer);
        writer.fixed(&self.salt);
        self.next.0.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            document: DocumentData::read(reader)?,
            salt: reader.fixed()?,
            next: Commitment(Hash::read(reader)?),
        })
    }
}

fn write_founding(writer: &mut Writer, founding: Option<&Founding>) {
    match founding {
        None => {
            writer.u8(0);
        }
        Some(founding) => founding.write(writer.u8(1)),
    }
}

fn read_founding(reader: &mut Reader<'_>) -> Result<Option<Box<Founding>>, DecodeError> {
    match reader.u8()? {
        0 => Ok(None),
        1 => Ok(Some(Box::new(Founding::read(reader)?))),
        _ => Err(DecodeError::NotCanonical("founding")),
    }
}

impl Founding {
    fn write(&self, writer: &mut Writer) {
        self.inception.write(writer);
        match &self.authorization {
            Authorization::Token { authority, token } => {
                authority.write(writer.u8(1));
                writer.fixed(token.as_slice());
            }
            Authorization::Charter { seat } => {
                writer.u8(2).u16(*seat);
            }
            Authorization::Sponsored(sponsorship) => {
                sponsorship.sponsor.write(writer.u8(3));
                sponsorship.document.write(writer);
                sponsorship.signature.write(writer.u8(sponsorship.signer));
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let inception = Inception::read(reader)?;
        let authorization = match reader.u8()? {
            1 => Authorization::Token {
                authority: Hash::read(reader)?,
                token: Box::new(reader.fixed()?),
            },
            2 => Authorization::Charter { seat: reader.u16()? },
            3 => Authorization::Sponsored(Box::new(Sponsorship {
                sponsor: Hash::read(reader)?,
                document: DocumentData::read(reader)?,
                signer: reader.u8()?,
                signature: Signature::read(reader)?,
            })),
            _ => return Err(DecodeError::Unknown("authorization")),
        };
        Ok(Self {
            inception,
            authorization,
        })
    }
}
