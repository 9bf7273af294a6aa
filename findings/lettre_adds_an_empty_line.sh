#!/usr/bin/env bash
# lettre 0.11.23: a mail that is sent raw arrives with one empty line more.
#
# A good guess: `send_raw` sends the bytes it is given; where they end with CRLF, the dot that ends
# the mail follows them (RFC 5321, 4.1.1.4: that CRLF is the mail's last).
# Seen: CRLF, dot, CRLF is added always, so that the mail received has an empty line at its end. Its
# hash is not that of what was sent: a mail kept in "Sent" and the one delivered are two, by their bytes.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat > "$folder/Cargo.toml" <<'TOML'
[package]
name = "probe"
version = "0.0.0"
edition = "2024"
[dependencies]
lettre = { version = "=0.11.23", default-features = false, features = ["smtp-transport", "builder"] }
[workspace]
TOML
cat > "$folder/src/main.rs" <<'RUST'
use std::io::{BufRead as _, BufReader, Write as _};

use lettre::transport::smtp::SmtpTransport;
use lettre::{Address, Transport as _, address::Envelope};

fn main() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        let mut out = stream.try_clone().expect("two ends");
        let (mut lines, mut body, mut in_data) = (BufReader::new(stream), Vec::new(), false);
        out.write_all(b"220 sink\r\n").expect("said");
        loop {
            let mut line = Vec::new();
            if lines.read_until(b'\n', &mut line).expect("heard") == 0 {
                return body;
            }
            if in_data {
                if line == b".\r\n" {
                    in_data = false;
                    out.write_all(b"250 ok\r\n").expect("said");
                } else {
                    body.extend_from_slice(&line);
                }
                continue;
            }
            in_data = line.starts_with(b"DATA");
            let answer: &[u8] = if in_data { b"354 go on\r\n" } else { b"250 ok\r\n" };
            out.write_all(answer).expect("said");
        }
    });
    let address: Address = "ada@example.org".parse().expect("an address");
    let envelope = Envelope::new(Some(address.clone()), vec![address]).expect("an envelope");
    let mail = b"Subject: x\r\n\r\nThe cup broke.\r\n";
    {
        let client = SmtpTransport::builder_dangerous("127.0.0.1").port(port).build();
        client.send_raw(&envelope, mail).expect("sent");
    }
    let received = server.join().expect("a mail");
    println!("sent     {:?}", String::from_utf8_lossy(mail));
    println!("received {:?}", String::from_utf8_lossy(&received));
}
RUST
seen=$(cd "$folder" && cargo run --quiet)
expected=$(cat <<'SEEN'
sent     "Subject: x\r\n\r\nThe cup broke.\r\n"
received "Subject: x\r\n\r\nThe cup broke.\r\n\r\n"
SEEN
)
echo "$seen"
[[ $seen == "$expected" ]] || { echo "changed: expected"; echo "$expected"; exit 1; }
