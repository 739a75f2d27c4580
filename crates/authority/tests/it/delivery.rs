//! Codes on their way: to the outbox, by mail, or to nobody.

use std::sync::Arc;
use std::time::Duration;

use realdid_authority::{Delivery as _, Dispatcher, EnrolmentRequest, Outbox, Smtp};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use crate::support::{Device, NOW, on_each, rng, somebody};

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
