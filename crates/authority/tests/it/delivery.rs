//! Codes on their way: to the outbox, by mail, or to nobody.

use std::sync::Arc;
use std::time::Duration;

use realdid_authority::{Delivery as _, Dispatcher, EnrolmentRequest, Outbox, Smtp};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use crate::support::{Device, NOW, on_each, on_sqlite, rng, somebody};

#[tokio::test]
async fn a_code_goes_to_the_contact_on_record_and_to_nobody_else() {
    on_each(async |world| {
        let outbox = Arc::new(Outbox::default());
        let dispatcher = Dispatcher::start(Arc::<Outbox>::clone(&outbox));
        let (wallet, person) = (Device::new(), somebody(0));
        for number in ["999999190001010000", person.number.as_str()] {
            let request = EnrolmentRequest {
                name: person.name.clone(),
                number: number.to_owned(),
                account_key: wallet.key.public_key().to_multikey(),
            };
            let (_, dispatch) = world
                .authority
                .begin_enrolment(&request, NOW, &mut rng())
                .await
                .unwrap();
            dispatcher.send(dispatch);
        }
        let delivered = tokio::time::timeout(Duration::from_secs(10), async {
            loop {
                let delivered = outbox.delivered();
                if !delivered.is_empty() {
                    break delivered;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        let delivered = delivered.await.unwrap();
        assert_eq!((delivered.len(), &delivered[0].to), (1, &person.contact.email));
        assert_eq!((delivered[0].code.len(), delivered[0].at), (8, NOW));
    })
    .await;
}

/// A mail server that others wrote (Debian's `python3-aiosmtpd`), and what it has taken so far.
struct MailServer {
    child: tokio::process::Child,
    port: u16,
    directory: tempfile::TempDir,
}

impl MailServer {
    /// Starts it; nothing if it is not on this machine, which the test command does not forgive.
    async fn start() -> Option<Self> {
        let strict = std::env::var_os("CI").is_some() || std::env::var_os("REALDID_TEST_STRICT").is_some();
        let port = TcpListener::bind("127.0.0.1:0")
            .await
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let directory = tempfile::tempdir().unwrap();
        let maildir = directory.path().join("mail");
        let child = tokio::process::Command::new("aiosmtpd")
            .args([
                "-n",
                "-l",
                &format!("127.0.0.1:{port}"),
                "-c",
                "aiosmtpd.handlers.Mailbox",
            ])
            .arg(&maildir)
            .kill_on_drop(true)
            .spawn();
        let Ok(child) = child else {
            assert!(!strict, "aiosmtpd is missing; `cargo xtask test` installs it");
            return None;
        };
        for _ in 0..500 {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Some(Self {
                    child,
                    port,
                    directory,
                });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the mail server does not listen");
    }

    /// The one message it has taken.
    async fn message(&self) -> String {
        let new = self.directory.path().join("mail/new");
        for _ in 0..500 {
            let first = std::fs::read_dir(&new).ok().and_then(|mut all| all.next());
            if let Some(Ok(file)) = first {
                return std::fs::read_to_string(file.path()).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no mail came");
    }
}

#[tokio::test]
async fn a_code_reaches_the_mailbox_through_a_real_server_and_is_good() {
    let Some(mut server) = MailServer::start().await else {
        return;
    };
    let smtp = Smtp::new(
        &format!("smtp://127.0.0.1:{}", server.port),
        "codes@authority.example",
    )
    .unwrap();
    let dispatcher = Dispatcher::start(Arc::new(smtp));
    on_sqlite(async |world| {
        let (wallet, person) = (Device::new(), somebody(0));
        let request = EnrolmentRequest {
            name: person.name.clone(),
            number: person.number.clone(),
            account_key: wallet.key.public_key().to_multikey(),
        };
        let begun = world.authority.begin_enrolment(&request, NOW, &mut rng()).await;
        let (begun, dispatch) = begun.unwrap();
        dispatcher.send(dispatch);
        let message = server.message().await;
        assert!(
            message.contains(&format!("To: {}", person.contact.email)),
            "{message}"
        );
        assert!(!message.contains(&person.number) && !message.contains(&person.name));
        let code = message
            .split("code is ")
            .nth(1)
            .unwrap()
            .split('.')
            .next()
            .unwrap();
        world.confirm(&wallet, &begun, code, NOW).await.unwrap();
    })
    .await;
    server.child.kill().await.unwrap();
}

#[tokio::test]
async fn the_outbox_is_bounded() {
    let (outbox, person) = (Outbox::default(), somebody(0));
    for at in 0..600 {
        outbox.deliver(&person.contact, "00000000", at).await.unwrap();
    }
    let delivered = outbox.delivered();
    assert_eq!(
        (delivered.len(), delivered[0].at, delivered[499].at),
        (500, 100, 599)
    );
}

/// A mail server for one message; gives what it was told.
async fn mail_server(listener: TcpListener) -> String {
    let (stream, _) = listener.accept().await.unwrap();
    let (reader, mut writer) = stream.into_split();
    let (mut lines, mut told, mut in_message) = (BufReader::new(reader).lines(), String::new(), false);
    writer.write_all(b"220 mail.example\r\n").await.unwrap();
    while let Ok(Some(line)) = lines.next_line().await {
        told.push_str(&line);
        told.push('\n');
        let answer: &[u8] = match line.as_str() {
            "." => {
                in_message = false;
                b"250 taken\r\n"
            }
            _ if in_message => continue,
            "DATA" => {
                in_message = true;
                b"354 go on\r\n"
            }
            "QUIT" => break,
            _ => b"250 fine\r\n",
        };
        writer.write_all(answer).await.unwrap();
        if answer == b"250 taken\r\n" {
            break;
        }
    }
    told
}

#[tokio::test]
async fn a_code_is_sent_by_mail() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(mail_server(listener));
    let smtp = Smtp::new(&url, "RealDID <codes@authority.example>").unwrap();
    let person = somebody(0);
    smtp.deliver(&person.contact, "12345678", NOW).await.unwrap();
    let told = server.await.unwrap();
    assert!(told.contains(&format!("RCPT TO:<{}>", person.contact.email)));
    assert!(told.contains("MAIL FROM:<codes@authority.example>") && told.contains("12345678"));
    // Nobody listens any more: the failure says nothing about the contact.
    let failure = smtp.deliver(&person.contact, "12345678", NOW).await.unwrap_err();
    assert!(!failure.to_string().contains("mail.example"));
    assert!(Smtp::new("http://mail.example", "codes@authority.example").is_err());
    assert!(Smtp::new(&url, "no address").is_err());
}
