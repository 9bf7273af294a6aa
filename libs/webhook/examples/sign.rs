//! Signs, or checks, the message on standard input, for libraries of others to be held
//! against: `sign SECRET ID TIMESTAMP` prints the signature, `verify SECRET ID TIMESTAMP
//! SIGNATURE NOW` fails where it does not match.

use std::io::Read as _;
use std::process::ExitCode;

use webhook::{Message, Secret, verify};

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut body = Vec::new();
    std::io::stdin().read_to_end(&mut body)?;
    match words.as_slice() {
        ["sign", secret, id, timestamp] => {
            let message = Message { id, timestamp: timestamp.parse()?, body: &body };
            println!("{}", secret.parse::<Secret>()?.sign(&message));
            Ok(ExitCode::SUCCESS)
        }
        ["verify", secret, id, timestamp, signature, now] => {
            let message = Message { id, timestamp: timestamp.parse()?, body: &body };
            let secret: Secret = secret.parse()?;
            let verdict = verify([&secret], &message, signature, now.parse()?);
            Ok(if verdict.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        _ => Err("sign SECRET ID TIMESTAMP, or verify SECRET ID TIMESTAMP SIGNATURE NOW".into()),
    }
}
